"""What a model makes of mined pairs: its ROC-AUC, the share of each class, and whether they can teach it anything.

Scores and labels in, one result out; the bounds are those of the difficulty page's audits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simtune_core.difficulty.audits.config import AuditConfig
from simtune_core.difficulty.separability import Side, measure_side, side_to_json
from simtune_core.findings import Finding, finding

MOSTLY_FALSE = 0.5  # estimated share of false negatives from which on they are most
LOPSIDED = 0.95  # share of one class from which on, at chance, the set teaches that class alone


@dataclass(frozen=True, slots=True)
class FalseNegatives:
    """How many negatives look like positives to the model: an estimate, no count.

    Attributes:
        share: Of the negatives, those to which the model gives at least `bound`; in [0, 1].
        n: How many these are.
        bound: The median of what the model gives to positives, cosine.
        positives: Whose median that is, in words.
    """

    share: float
    n: int
    bound: float
    positives: str

    @property
    def words(self) -> str:
        """Return the estimate and its definition as a sentence."""
        return (
            f"{self.share:.1%} of the negatives ({self.n:,}) are at least as similar to the model as half of "
            f"{self.positives} (cosine {self.bound:.3f} or more), and so may be positives that nobody labelled."
        )


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """Mined pairs as a model sees them.

    Attributes:
        title: The model's name as pages show it.
        side: Counts, means, overlap, ROC-AUC and bins.
        false_negatives: The estimate; None without a negative, or without positives to compare with.
    """

    title: str
    side: Side
    false_negatives: FalseNegatives | None

    def as_json(self) -> dict[str, Any]:
        """Return all as JSON: what `side_to_json` gives, and `false_negatives`."""
        found = self.false_negatives
        estimate = None if found is None else {"share": found.share, "n": found.n, "bound": found.bound}
        told = None if found is None or estimate is None else estimate | {"words": found.words}
        return side_to_json(self.side) | {"title": self.title, "false_negatives": told}

    def findings(self, config: AuditConfig | None = None) -> list[Finding]:
        """Return why these pairs may teach the model nothing: too easy, not learnable, likely false negatives."""
        bounds = config or AuditConfig()
        found = [_one_class(self), _too_easy(self, bounds), _not_learnable(self, bounds), _mostly_false(self)]
        return [each for each in found if each is not None]


def measure_mined(
    scores: ArrayLike,
    labels: ArrayLike,
    *,
    title: str,
    known: NDArray[np.floating[Any]] | None = None,
    weights: NDArray[np.floating[Any]] | None = None,
    positives: str = "its positives",
) -> Measured:
    """Measure mined pairs with a model.

    Args:
        scores: The model's cosine of each pair; shape (n_pairs,).
        labels: 1 or 0; shape (n_pairs,).
        title: The model's name.
        known: The model's cosine of positives to which negatives are compared, where the mined ones were chosen by that
            cosine; the mined positives by default.
        weights: How many pairs each of `known` stands for; one by default.
        positives: What `known` is, in words.

    Raises:
        DataFaultError: If there is no pair, or a score is not finite.
    """
    values, flags = np.asarray(scores, dtype=np.float64), np.asarray(labels) == 1
    side = measure_side(values, flags.astype(np.int8))
    like = values[flags] if known is None else np.asarray(known, dtype=np.float64)
    bound = weighted_median(like, np.ones(len(like)) if weights is None else weights)
    estimate = None
    if bound is not None and not flags.all():
        n = int((values[~flags] >= bound).sum())
        estimate = FalseNegatives(n / int((~flags).sum()), n, bound, positives)
    return Measured(title, side, estimate)


def weighted_median(values: NDArray[np.float64], weights: ArrayLike) -> float | None:
    """Return the least value below or at which half of the weight lies; None without values."""
    if not len(values):
        return None
    order = np.argsort(values, kind="stable")
    cumulated = np.cumsum(np.asarray(weights, dtype=np.float64)[order])
    place = int(np.searchsorted(cumulated, cumulated[-1] / 2))
    return float(values[order][min(place, len(values) - 1)])


def _one_class(measured: Measured) -> Finding | None:
    side = measured.side
    if side.n_positive and side.n_negative:
        return None
    kind = "positive" if side.n_positive else "negative"
    message = (
        f"All {side.n_pairs:,} mined pairs are {kind}: ROC-AUC is not defined, and alone they teach no difference."
    )
    return finding("one_class", "info", message)


def _too_easy(measured: Measured, bounds: AuditConfig) -> Finding | None:
    auc = measured.side.roc_auc
    if auc is None or auc <= bounds.too_easy_roc_auc:
        return None
    return finding(
        "too_easy",
        "warning",
        f"Too easy: {measured.title} already reaches ROC-AUC {auc:.3f} on the mined pairs, and above "
        f"{bounds.too_easy_roc_auc:g} training on them teaches it little. Mine harder pairs: narrower bands, fewer "
        "pairs at random, a smaller window.",
    )


def _not_learnable(measured: Measured, bounds: AuditConfig) -> Finding | None:
    side = measured.side
    most = max(side.n_positive, side.n_negative) / side.n_pairs
    if side.roc_auc is None or most <= LOPSIDED or side.roc_auc > 0.5 + bounds.chance_margin:
        return None
    kind = "negative" if side.n_negative > side.n_positive else "positive"
    how = "worse" if side.roc_auc < 0.5 - bounds.chance_margin else "no better"
    return finding(
        "not_learnable",
        "warning",
        f"Not learnable: {most:.1%} of the mined pairs are {kind}, and {measured.title} reaches ROC-AUC "
        f"{side.roc_auc:.3f}, {how} than guessing. A model trained on them learns to call everything {kind}. Mine both "
        "classes alike.",
    )


def _mostly_false(measured: Measured) -> Finding | None:
    found = measured.false_negatives
    if found is None or found.share <= MOSTLY_FALSE:
        return None
    return finding(
        "likely_false_negatives",
        "warning",
        f"Mostly false negatives by estimate: {found.words} Skip the hardest, or let a second model veto them.",
    )
