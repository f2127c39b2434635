"""Metrics of similarity scores that need no threshold: ROC-AUC, average precision, Spearman, Pearson and its ceiling.

Pure numpy: no model, no file, no plotting. What is not defined on the given data is None, never NaN.
Thresholded metrics are in thresholds.py, intervals in uncertainty.py; docs/metrics.md states every formula.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simtune_core.errors import DataFaultError


@dataclass(frozen=True, slots=True)
class ScoreSummary:
    """What scores say about a pair set without any threshold; the names are sentence-transformers'.

    Attributes:
        n: Number of pairs.
        n_positive: Number of pairs labelled 1.
        prevalence: Share of positives, in [0, 1].
        spearman_cosine: Rank correlation of the scores with the targets, in [-1, 1]; None where undefined.
        pearson_cosine: Linear correlation of the scores with the targets, in [-1, 1]; None where undefined.
        roc_auc: Probability that a positive outscores a negative, ties one half, in [0, 1]; None with one class.
        cosine_ap: Average precision, in [0, 1]; None with one class.
        spearman_ceiling: The greatest Spearman that scores without ties can reach on these targets, in [0, 1].
    """

    n: int
    n_positive: int
    prevalence: float
    spearman_cosine: float | None
    pearson_cosine: float | None
    roc_auc: float | None
    cosine_ap: float | None
    spearman_ceiling: float | None

    @property
    def spearman_share(self) -> float | None:
        """Return Spearman as a share of its ceiling, comparable where prevalences differ; None where undefined."""
        if self.spearman_cosine is None or not self.spearman_ceiling:
            return None
        return self.spearman_cosine / self.spearman_ceiling


def summarise_scores(scores: ArrayLike, labels: ArrayLike, targets: ArrayLike) -> ScoreSummary:
    """Compute every metric that needs no threshold.

    Args:
        scores: Cosine similarities, in [-1, 1]; shape (n_pairs,).
        labels: 1 for a similar pair, 0 for a dissimilar one; shape (n_pairs,).
        targets: Graded scores where the set has them, else the labels; shape (n_pairs,).

    Returns:
        The summary; a metric that is not defined on these pairs is None.

    Raises:
        DataFaultError: If the shapes differ, there is no pair, a score is not finite or a label is neither 0 nor 1.
    """
    values, flags = checked(scores, labels)
    return ScoreSummary(
        n=len(values),
        n_positive=int(flags.sum()),
        prevalence=float(flags.mean()),
        spearman_cosine=spearman(values, targets),
        pearson_cosine=pearson(values, targets),
        roc_auc=roc_auc(values, flags),
        cosine_ap=average_precision(values, flags),
        spearman_ceiling=spearman_ceiling_of(targets),
    )


def roc_auc(scores: ArrayLike, labels: ArrayLike) -> float | None:
    """Return the probability that a random positive outscores a random negative; a tie counts one half.

    Returns:
        A number in [0, 1], 0.5 for constant scores (every comparison is a tie); None if only one class is present.

    Raises:
        DataFaultError: As `summarise_scores`.

    Source:
        Hanley and McNeil 1982, the rank-sum form; equals sklearn.metrics.roc_auc_score.
    """
    values, flags = checked(scores, labels)
    n_positive = int(flags.sum())
    n_negative = len(flags) - n_positive
    if n_positive == 0 or n_negative == 0:
        return None
    rank_sum = midranks(values)[flags].sum()
    return float((rank_sum - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative))


def average_precision(scores: ArrayLike, labels: ArrayLike) -> float | None:
    """Return the sum over the distinct scores, from the top, of precision times the gain in recall.

    Returns:
        A number in (0, 1]; None if only one class is present.

    Raises:
        DataFaultError: As `summarise_scores`.

    Source:
        The definition of sklearn.metrics.average_precision_score (no interpolation), which sentence-transformers uses.
    """
    values, flags = checked(scores, labels)
    if flags.all() or not flags.any():
        return None
    order = np.argsort(-values, kind="stable")
    last_of_tie = np.flatnonzero(np.append(np.diff(values[order]) != 0, True))
    true_positives = np.cumsum(flags[order])[last_of_tie]
    precision = true_positives / (last_of_tie + 1)
    return float(np.sum(precision * np.diff(true_positives, prepend=0)) / flags.sum())


def spearman(scores: ArrayLike, targets: ArrayLike) -> float | None:
    """Return the rank correlation of scores and targets: Pearson's of the mid-ranks.

    Returns:
        A number in [-1, 1]; None if either side is constant or there are fewer than two pairs.

    Raises:
        DataFaultError: If the shapes differ, there is no pair, or a number is not finite.
    """
    first, second = _two_vectors(scores, targets)
    return _correlation(midranks(first), midranks(second))


def pearson(scores: ArrayLike, targets: ArrayLike) -> float | None:
    """Return the linear correlation of scores and targets.

    Returns:
        A number in [-1, 1]; None if either side is constant or there are fewer than two pairs.

    Raises:
        DataFaultError: If the shapes differ, there is no pair, or a number is not finite.
    """
    return _correlation(*_two_vectors(scores, targets))


def spearman_ceiling(prevalence: float) -> float | None:
    """Return the greatest Spearman that scores without ties can reach on 0 / 1 labels: sqrt(3 p (1 - p)).

    Args:
        prevalence: Share of positives, in [0, 1].

    Returns:
        0.866 at one half, less elsewhere; None at 0 and 1, where Spearman has no value.

    Source:
        With 0 / 1 labels Spearman = (2 ROC-AUC - 1) sqrt(3 p (1 - p)); here ROC-AUC = 1. The limit for many pairs:
        n pairs reach sqrt(3 p (1 - p) n^2 / (n^2 - 1)), as `spearman_ceiling_of` does.
    """
    if not 0.0 < prevalence < 1.0:
        return None
    return float(np.sqrt(3.0 * prevalence * (1.0 - prevalence)))


def spearman_ceiling_of(targets: ArrayLike) -> float | None:
    """Return the greatest Spearman that scores without ties can reach on any targets with ties.

    Args:
        targets: Labels or graded scores; shape (n_pairs,).

    Returns:
        sqrt(1 - sum(t^3 - t) / (n^3 - n)) over groups of t equal targets, in (0, 1]; None if all are equal.

    Raises:
        DataFaultError: If there is no pair or a target is not finite.

    Source:
        The variance of mid-ranks with ties, Kendall and Gibbons 1990, chapter 3.
    """
    values = _finite(targets, "targets")
    ties = np.unique(values, return_counts=True)[1].astype(np.float64)
    n = float(len(values))
    if len(ties) < 2:
        return None
    return float(np.sqrt(1.0 - np.sum(ties**3 - ties) / (n**3 - n)))


def midranks(values: ArrayLike) -> NDArray[np.float64]:
    """Return ranks from 1 on; equal values share the mean of their ranks. Shape (n,)."""
    _, group, sizes = np.unique(np.asarray(values), return_inverse=True, return_counts=True)
    return (np.cumsum(sizes) - (sizes - 1) / 2)[group]


def checked(scores: ArrayLike, labels: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return scores as float64 and labels as booleans after checking them, shapes (n_pairs,).

    Raises:
        DataFaultError: If the shapes differ, there is no pair, a score is not finite or a label is neither 0 nor 1.
    """
    values, flags = _two_vectors(scores, labels)
    if not np.isin(flags, (0.0, 1.0)).all():
        raise DataFaultError(f"Labels must be 0 or 1, got {sorted(set(flags.tolist()) - {0.0, 1.0})[:5]}.")
    return values, flags == 1.0


def _two_vectors(scores: ArrayLike, targets: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    first, second = _finite(scores, "scores"), _finite(targets, "labels and targets")
    if first.shape != second.shape:
        raise DataFaultError(
            f"There must be one score for every label or target, got {len(first)} scores and {len(second)} targets."
        )
    return first, second


def _finite(values: ArrayLike, what: str) -> NDArray[np.float64]:
    vector = np.asarray(values, dtype=np.float64)
    if vector.ndim != 1 or not len(vector):
        raise DataFaultError(f"The {what} must be one vector of at least one pair, got the shape {vector.shape}.")
    if not np.isfinite(vector).all():
        raise DataFaultError(f"The {what} must be finite numbers; {int((~np.isfinite(vector)).sum())} are not.")
    return vector


def _correlation(first: NDArray[np.float64], second: NDArray[np.float64]) -> float | None:
    if (first == first[0]).all() or (second == second[0]).all():
        return None
    first, second = first - first.mean(), second - second.mean()
    scale = float(np.sqrt((first @ first) * (second @ second)))
    return float(np.clip((first @ second) / scale, -1.0, 1.0)) if scale > 0.0 else None
