"""Thresholds: the confusion matrix at any of them, looked up in cumulative counts, and rules that choose one.

Scores are sorted once; nothing is scored again. Pure numpy, fast enough for a slider; no model, no file, no plotting.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simtune_core.evaluation.config import EvaluationConfig, ThresholdRule
from simtune_core.evaluation.metrics import checked

N_GRID = 201  # thresholds of the explorer: steps of 0.005 over [0, 1]


@dataclass(frozen=True, slots=True)
class Confusion:
    """Counts of one threshold, in scikit-learn's `ravel()` order; similar if score >= threshold.

    Attributes:
        tn: Dissimilar pairs called dissimilar.
        fp: Dissimilar pairs called similar.
        fn: Similar pairs called dissimilar.
        tp: Similar pairs called similar.
    """

    tn: int
    fp: int
    fn: int
    tp: int

    @property
    def n(self) -> int:
        """Return the number of pairs."""
        return self.tn + self.fp + self.fn + self.tp

    @property
    def precision(self) -> float | None:
        """Return tp / (tp + fp), in [0, 1]; None if no pair is called similar."""
        return _ratio(self.tp, self.tp + self.fp)

    @property
    def recall(self) -> float | None:
        """Return tp / (tp + fn), in [0, 1]; None if no pair is similar."""
        return _ratio(self.tp, self.tp + self.fn)

    @property
    def f1(self) -> float | None:
        """Return 2 tp / (2 tp + fp + fn), in [0, 1]; None if no pair is similar or called so."""
        return _ratio(2 * self.tp, 2 * self.tp + self.fp + self.fn)

    @property
    def accuracy(self) -> float | None:
        """Return the share of pairs called rightly, in [0, 1]; None without pairs."""
        return _ratio(self.tp + self.tn, self.n)

    @property
    def fpr(self) -> float | None:
        """Return the false-positive rate fp / (fp + tn), in [0, 1]; None if no pair is dissimilar."""
        return _ratio(self.fp, self.fp + self.tn)

    @property
    def mcc(self) -> float | None:
        """Return Matthews' correlation, in [-1, 1]; None if a row or a column is empty (scikit-learn says 0 there)."""
        margins = (self.tp + self.fp, self.tp + self.fn, self.tn + self.fp, self.tn + self.fn)
        if not all(margins):
            return None
        return (self.tp * self.tn - self.fp * self.fn) / float(np.sqrt(np.prod(np.array(margins, dtype=np.float64))))


@dataclass(frozen=True, slots=True, eq=False)
class ConfusionCurve:
    """Confusion counts at many thresholds, for a figure or an explorer.

    Attributes:
        thresholds: Ascending; shape (n_thresholds,).
        tn: Counts; each of the four has shape (n_thresholds,).
        fp: As above.
        fn: As above.
        tp: As above.
    """

    thresholds: NDArray[np.float64]
    tn: NDArray[np.int64]
    fp: NDArray[np.int64]
    fn: NDArray[np.int64]
    tp: NDArray[np.int64]

    def metric(self, name: str) -> NDArray[np.float64]:
        """Return one property of `Confusion` at every threshold; NaN (a gap in a figure) where it is not defined."""
        rows = zip(self.tn, self.fp, self.fn, self.tp, strict=True)
        values = [getattr(Confusion(*map(int, row)), name) for row in rows]
        return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class ThresholdTable:
    """Scores sorted once, with cumulative counts; make it with `threshold_table`.

    Attributes:
        scores: Ascending; shape (n_pairs,).
        positives_below: Similar pairs among the first k scores; shape (n_pairs + 1,).
    """

    scores: NDArray[np.float64]
    positives_below: NDArray[np.int64]

    @property
    def n_positive(self) -> int:
        """Return the number of similar pairs."""
        return int(self.positives_below[-1])

    @property
    def n_negative(self) -> int:
        """Return the number of dissimilar pairs."""
        return len(self.scores) - self.n_positive

    def confusion_at(self, threshold: float) -> Confusion:
        """Return the confusion counts of one threshold; similar if score >= threshold."""
        curve = self.confusions_at(np.array([threshold]))
        return Confusion(int(curve.tn[0]), int(curve.fp[0]), int(curve.fn[0]), int(curve.tp[0]))

    def confusions_at(self, thresholds: ArrayLike) -> ConfusionCurve:
        """Return the confusion counts of many thresholds, shape (n_thresholds,), by binary search."""
        wanted = np.asarray(thresholds, dtype=np.float64)
        n_below = np.searchsorted(self.scores, wanted, side="left")
        false_negatives = self.positives_below[n_below]
        true_negatives = n_below - false_negatives
        return ConfusionCurve(
            thresholds=wanted,
            tn=true_negatives,
            fp=self.n_negative - true_negatives,
            fn=false_negatives,
            tp=self.n_positive - false_negatives,
        )

    def grid(self, n_thresholds: int = N_GRID) -> ConfusionCurve:
        """Return the confusion counts at evenly spaced thresholds over the shown range.

        The range is [0, 1]; it begins at the least score, rounded down to 0.01, where that is below 0, and ends at 1
        even where rounding lifts a cosine above it by some 1e-7.
        """
        low = min(0.0, float(np.floor(self.scores[0] * 100) / 100))
        return self.confusions_at(np.linspace(low, 1.0, n_thresholds))

    def candidates(self) -> NDArray[np.float64]:
        """Return every threshold that makes a difference, descending; shape (n_distinct + 1,).

        First one just above the greatest score (nothing is similar), then the midpoints of neighbouring distinct
        scores, last the least score (everything is similar), as sentence-transformers does.
        """
        distinct = np.unique(self.scores)[::-1]
        upper, lower = distinct[:-1], distinct[1:]
        middle = upper / 2 + lower / 2
        between = np.where(middle > lower, middle, upper)  # a rounded midpoint must not include the lower score
        return np.concatenate(([np.nextafter(distinct[0], np.inf)], between, [distinct[-1]]))


def threshold_table(scores: ArrayLike, labels: ArrayLike) -> ThresholdTable:
    """Sort scores once and count what lies below each.

    Args:
        scores: Cosine similarities, in [-1, 1]; shape (n_pairs,).
        labels: 1 for a similar pair, 0 for a dissimilar one; shape (n_pairs,).

    Raises:
        DataFaultError: If the shapes differ, there is no pair, a score is not finite or a label is neither 0 nor 1.
    """
    values, flags = checked(scores, labels)
    order = np.argsort(values, kind="stable")
    return ThresholdTable(
        scores=values[order], positives_below=np.concatenate(([0], np.cumsum(flags[order], dtype=np.int64)))
    )


def choose_threshold(table: ThresholdTable, config: EvaluationConfig) -> float | None:
    """Choose a threshold by the rule of the settings; the highest of equally good ones.

    `best_mcc`, `best_f1` and `youden` (recall - fpr) take the greatest value; `fpr_at_most` and `precision_at_least`
    the greatest recall among the thresholds that keep the promise.

    Args:
        table: Scores of the pairs on which the threshold is chosen: dev pairs, not the ones it is reported on.
        config: Names the rule and its bound.

    Returns:
        The threshold, cosine; None if the rule has no value anywhere (one class only, constant scores) or no threshold
        keeps the promise.
    """
    curve = table.confusions_at(table.candidates())
    value = _RULES[config.threshold_rule](curve, config)
    if np.isnan(value).all():
        return None
    return float(curve.thresholds[int(np.nanargmax(value))])


def _matthews(curve: ConfusionCurve, config: EvaluationConfig) -> NDArray[np.float64]:
    del config
    tn, fp, fn, tp = (counts.astype(np.float64) for counts in (curve.tn, curve.fp, curve.fn, curve.tp))
    return _divide(tp * tn - fp * fn, np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)))


def _f1(curve: ConfusionCurve, config: EvaluationConfig) -> NDArray[np.float64]:
    del config
    both_classes = (curve.tp + curve.fn > 0) & (curve.fp + curve.tn > 0)
    return np.where(both_classes, _divide(2 * curve.tp, 2 * curve.tp + curve.fp + curve.fn), np.nan)


def _youden(curve: ConfusionCurve, config: EvaluationConfig) -> NDArray[np.float64]:
    del config
    return _recall(curve) - _divide(curve.fp, curve.fp + curve.tn)


def _recall_within_fpr(curve: ConfusionCurve, config: EvaluationConfig) -> NDArray[np.float64]:
    return np.where(_divide(curve.fp, curve.fp + curve.tn) <= config.max_fpr, _recall(curve), np.nan)


def _recall_within_precision(curve: ConfusionCurve, config: EvaluationConfig) -> NDArray[np.float64]:
    return np.where(_divide(curve.tp, curve.tp + curve.fp) >= config.min_precision, _recall(curve), np.nan)


_RULES: dict[ThresholdRule, Callable[[ConfusionCurve, EvaluationConfig], NDArray[np.float64]]] = {
    "best_mcc": _matthews,
    "best_f1": _f1,
    "youden": _youden,
    "fpr_at_most": _recall_within_fpr,
    "precision_at_least": _recall_within_precision,
}


def _recall(curve: ConfusionCurve) -> NDArray[np.float64]:
    return _divide(curve.tp, curve.tp + curve.fn)


def _divide(above: ArrayLike, below: ArrayLike) -> NDArray[np.float64]:
    numerator, denominator = np.asarray(above, dtype=np.float64), np.asarray(below, dtype=np.float64)
    return np.divide(numerator, denominator, out=np.full_like(numerator, np.nan), where=denominator > 0)


def _ratio(above: int, below: int) -> float | None:
    return above / below if below else None
