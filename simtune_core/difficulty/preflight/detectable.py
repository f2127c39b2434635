"""The smallest difference between two models that a test set can show, before there is a second one. Pure; no file."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simtune_core.difficulty.preflight.config import PreflightConfig
from simtune_core.difficulty.scored import ScoredSet
from simtune_core.evaluation.uncertainty import Metric, resample_records

WANTED = 0.01  # the difference, in points, for which the needed number of test pairs is told


@dataclass(frozen=True, slots=True)
class Detectable:
    """What a test set can show.

    Attributes:
        metric: What differences are measured in.
        difference: Smallest true difference found with the wanted power at the wanted level, in points.
        standard_error: Of a paired difference, from resampling the records.
        n_pairs: Pairs resampled.
        n_records: Records resampled.
        n_pairs_needed: Test pairs that would show a difference of `WANTED`, with records growing along.
        correlation: Between the baseline's scores and those of the imagined second model, among pairs of equal target.
    """

    metric: Metric
    difference: float
    standard_error: float
    n_pairs: int
    n_records: int
    n_pairs_needed: int
    correlation: float

    def as_json(self) -> dict[str, Any]:
        """Return the numbers as JSON: what the class is made of."""
        return asdict(self)


def reference_scores(scores: ArrayLike, targets: ArrayLike, *, correlation: float, seed: int) -> NDArray[np.float64]:
    """Return the scores of an imagined second model, as good as the first and wrong about other pairs.

    A score is a + b * target + r, by least squares; its residual r becomes c * r + sqrt(1 - c^2) * e, with e drawn anew
    from a normal distribution of the residuals' spread at that target (of 0 / 1 targets: of that class).

    Args:
        scores: Of the first model; shape (n_pairs,).
        targets: Labels or graded scores; shape (n_pairs,).
        correlation: c, of the residuals of the two models.
        seed: Of e.
    """
    values, wanted = np.asarray(scores, dtype=np.float64), np.asarray(targets, dtype=np.float64)
    slope, offset = np.polyfit(wanted, values, 1)
    expected = offset + slope * wanted
    residual = values - expected
    spread = np.full(len(values), residual.std())
    if np.isin(wanted, (0.0, 1.0)).all():
        for label in (0.0, 1.0):
            spread[wanted == label] = residual[wanted == label].std()
    noise = np.random.default_rng(seed).normal(size=len(values)) * spread
    return expected + correlation * residual + np.sqrt(1.0 - correlation**2) * noise


def smallest_detectable(test: ScoredSet, metric: Metric, config: PreflightConfig) -> Detectable | None:
    """Find the smallest true difference to the baseline that a test set would show.

    The test pairs are scored by an imagined second model (`reference_scores`); the spread of the paired difference over
    resamples of the records is its standard error, by the same resampling that gives the verdicts of an evaluation.
    That leans to the wide side where pairs hardly share records, and so does this number.

    Args:
        test: The test pairs with the baseline's scores.
        metric: What differences are measured in.
        config: Level, power, correlation and seed.

    Returns:
        (z(1 - (1 - level) / 2) + z(power)) times the standard error; None where the metric is not defined.

    Source:
        The two-sided z-test's power formula; Card et al. 2020, "With little power comes great responsibility", EMNLP.
    """
    wanted = np.asarray(test.labels if metric == "roc_auc" else test.pairs.targets(), dtype=np.float64)
    if len(np.unique(wanted)) < 2:
        return None
    second = reference_scores(test.cosines, wanted, correlation=config.reference_correlation, seed=config.seed)
    scores = np.stack([test.cosines, second])
    resampled = resample_records(metric, scores, wanted, test.pairs.record_ids(), config.resampling)
    values = resampled.values[1] - resampled.values[0]
    values = values[~np.isnan(values)]
    if len(values) < 2:
        return None
    error, normal = float(values.std(ddof=1)), NormalDist()
    difference = (normal.inv_cdf((1.0 + config.resampling.level) / 2) + normal.inv_cdf(config.power)) * error
    return Detectable(
        metric=metric,
        difference=difference,
        standard_error=error,
        n_pairs=len(wanted),
        n_records=resampled.n_records,
        n_pairs_needed=int(np.ceil(len(wanted) * (difference / WANTED) ** 2)),
        correlation=config.reference_correlation,
    )


def detectable_from_json(value: dict[str, Any]) -> Detectable:
    """Read the numbers back from `Detectable.as_json`."""
    return Detectable(**value)
