"""Intervals and verdicts: a paired bootstrap that resamples records, because pairs share them.

Pure numpy over scores, targets and record ids; no model, no file, no plotting. Metrics are in metrics.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simtune_core.errors import DataFaultError
from simtune_core.evaluation.config import EvaluationConfig
from simtune_core.evaluation.metrics import checked, roc_auc, spearman

Metric = Literal["roc_auc", "spearman_cosine"]
Verdict = Literal["WIN", "LOSS", "TIE", "CANNOT TELL"]
_CHUNK_WEIGHTS = 1_000_000  # weights held at once: 8 MB for each array of float64
_Weighted = Callable[[NDArray[np.float64]], NDArray[np.float64]]  # its argument: weights (n_resamples, n_pairs)


@dataclass(frozen=True, slots=True)
class Interval:
    """A number with the range in which resampling leaves it.

    Attributes:
        estimate: The number on the pairs as they are.
        low: Lower end, a percentile of the resamples.
        high: Upper end.
        n_resamples: Resamples behind the ends.
        n_records: Distinct records that were resampled.
        n_undefined: Resamples in which the metric had no value (one class only), left out.
    """

    estimate: float
    low: float
    high: float
    n_resamples: int
    n_records: int
    n_undefined: int


@dataclass(frozen=True, slots=True, eq=False)
class Resampled:
    """One metric of several models on the same resamples of the records.

    Attributes:
        estimates: The metric on the pairs as they are, NaN where undefined; shape (n_models,).
        values: The metric on each resample, NaN where undefined; shape (n_models, n_resamples).
        n_records: Distinct records that were resampled.
    """

    estimates: NDArray[np.float64]
    values: NDArray[np.float64]
    n_records: int

    def interval(self, model: int, *, level: float) -> Interval | None:
        """Return the interval of one model's metric; None if it is not defined."""
        return _interval(self.estimates[model], self.values[model], self.n_records, level=level)

    def difference(self, model: int, baseline: int, *, level: float) -> Interval | None:
        """Return the interval of one model's metric minus the baseline's, in points; None if it is not defined."""
        estimate = self.estimates[model] - self.estimates[baseline]
        return _interval(estimate, self.values[model] - self.values[baseline], self.n_records, level=level)


def resample_records(
    metric: Metric,
    scores: ArrayLike,
    targets: ArrayLike,
    record_ids: tuple[ArrayLike, ArrayLike],
    config: EvaluationConfig,
) -> Resampled:
    """Compute a metric of every model on resamples of the records, the same resamples for all models.

    Records are drawn with replacement; a pair weighs the product of how often its two records were drawn (a pair of a
    record with itself: how often that one was drawn). Integer weights are replicated rows, so ranks are exact.

    Args:
        metric: `roc_auc` for 0 / 1 targets, `spearman_cosine` for graded ones.
        scores: Cosine similarities; shape (n_models, n_pairs).
        targets: Labels or graded scores; shape (n_pairs,).
        record_ids: The record of each side; two arrays of shape (n_pairs,).
        config: Number of resamples and seed.

    Returns:
        Estimates and resampled values.

    Raises:
        DataFaultError: If the shapes differ, a number is not finite, or ROC-AUC is asked for labels other than 0 and 1.

    Source:
        Owen 2007, "The pigeonhole bootstrap", Annals of Applied Statistics 1(2), applied to one kind of record in both
        roles. Its intervals lean to the wide side; for pairs that share no record it triples the variance.
    """
    matrix = np.atleast_2d(np.asarray(scores, dtype=np.float64))
    wanted = np.asarray(targets, dtype=np.float64)
    first, second, n_records = _record_codes(*record_ids)
    if len(first) != len(wanted):
        raise DataFaultError(f"There must be two record ids for every pair, got {len(first)} for {len(wanted)} pairs.")
    plain = roc_auc if metric == "roc_auc" else spearman
    estimates = np.array([np.nan if (value := plain(row, wanted)) is None else value for row in matrix])
    prepare = _weighted_roc_auc if metric == "roc_auc" else _weighted_spearman
    weighted = [prepare(row, wanted) for row in matrix]
    values = np.empty((len(matrix), config.n_resamples))
    rng = np.random.default_rng(config.seed)
    chunk = max(1, _CHUNK_WEIGHTS // len(wanted))
    for start in range(0, config.n_resamples, chunk):
        stop = min(start + chunk, config.n_resamples)
        weights = _pair_weights(rng, first, second, n_records=n_records, n_resamples=stop - start)
        for row, compute in enumerate(weighted):
            values[row, start:stop] = compute(weights)
    return Resampled(estimates=estimates, values=values, n_records=n_records)


def verdict(interval: Interval | None, margin: float) -> Verdict:
    """Word the interval of a difference to the baseline.

    Args:
        interval: Of model minus baseline, in points; None if it is not defined.
        margin: A difference inside plus or minus this margin does not matter.

    Returns:
        TIE when the interval lies inside the margin, else WIN or LOSS when it excludes 0, else CANNOT TELL.
    """
    if interval is None:
        return "CANNOT TELL"
    if -margin <= interval.low and interval.high <= margin:
        return "TIE"
    if interval.low > 0.0:
        return "WIN"
    return "LOSS" if interval.high < 0.0 else "CANNOT TELL"


def _interval(estimate: float, values: NDArray[np.float64], n_records: int, *, level: float) -> Interval | None:
    defined = values[~np.isnan(values)]
    if np.isnan(estimate) or not len(defined):
        return None
    low, high = np.quantile(defined, ((1.0 - level) / 2, (1.0 + level) / 2))
    return Interval(
        estimate=float(estimate),
        low=float(low),
        high=float(high),
        n_resamples=len(values),
        n_records=n_records,
        n_undefined=len(values) - len(defined),
    )


def _record_codes(first: ArrayLike, second: ArrayLike) -> tuple[NDArray[np.intp], NDArray[np.intp], int]:
    both = np.concatenate([np.asarray(first, dtype=str), np.asarray(second, dtype=str)])
    records, codes = np.unique(both, return_inverse=True)
    half = len(both) // 2
    return codes[:half], codes[half:], len(records)


def _pair_weights(
    rng: np.random.Generator,
    first: NDArray[np.intp],
    second: NDArray[np.intp],
    *,
    n_records: int,
    n_resamples: int,
) -> NDArray[np.float64]:
    """Return how often each pair occurs in each resample, shape (n_resamples, n_pairs)."""
    drawn = rng.integers(n_records, size=(n_resamples, n_records))
    drawn += n_records * np.arange(n_resamples)[:, None]
    counts = np.bincount(drawn.ravel(), minlength=n_resamples * n_records)
    times = counts.reshape(n_resamples, n_records).astype(np.float64)
    return times[:, first] * np.where(first == second, 1.0, times[:, second])


def _weighted_roc_auc(scores: NDArray[np.float64], labels: NDArray[np.float64]) -> _Weighted:
    """Return a function of weights (n_resamples, n_pairs) that computes the weighted ROC-AUC, ties one half."""
    values, positive = checked(scores, labels)
    order = np.flatnonzero(~positive)[np.argsort(values[~positive], kind="stable")]
    below = np.searchsorted(values[order], values[positive], side="left")
    up_to = np.searchsorted(values[order], values[positive], side="right")

    def compute(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        negatives_below = _cumulative(weights[:, order])
        of_positives = weights[:, positive]
        won = (of_positives * (negatives_below[:, below] + negatives_below[:, up_to])).sum(axis=1) / 2
        return _quotient(won, of_positives.sum(axis=1) * negatives_below[:, -1])

    return compute


def _weighted_spearman(scores: NDArray[np.float64], targets: NDArray[np.float64]) -> _Weighted:
    """Return a function of weights (n_resamples, n_pairs) that computes the weighted Spearman from exact mid-ranks."""
    rank_scores, rank_targets = _weighted_midranks(scores), _weighted_midranks(targets)

    def compute(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        middle = weights.sum(axis=1, keepdims=True) / 2  # the weighted mean of the ranks, less one half like the ranks
        first, second = rank_scores(weights) - middle, rank_targets(weights) - middle
        spread = np.sqrt((weights * first**2).sum(axis=1) * (weights * second**2).sum(axis=1))
        return _quotient((weights * first * second).sum(axis=1), spread)

    return compute


def _weighted_midranks(values: NDArray[np.float64]) -> _Weighted:
    """Return a function of weights (n_resamples, n_pairs) that gives each pair its mid-rank less one half."""
    order = np.argsort(values, kind="stable")
    in_order = values[order]
    below = np.searchsorted(in_order, values, side="left")
    up_to = np.searchsorted(in_order, values, side="right")

    def compute(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        cumulative = _cumulative(weights[:, order])
        return (cumulative[:, below] + cumulative[:, up_to]) / 2

    return compute


def _cumulative(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the weight of the first k columns for k = 0 .. n, shape (n_resamples, n + 1)."""
    sums = np.zeros((len(weights), weights.shape[1] + 1))
    np.cumsum(weights, axis=1, out=sums[:, 1:])
    return sums


def _quotient(above: NDArray[np.float64], below: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0)
