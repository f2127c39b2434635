"""How hard the pairs of a set are in one similarity space.

Pure functions over scores: no model, no file, no plotting. Metrics come from evaluation/metrics.py, bins from bins.py,
overlaps from overlap.py; docs/metrics.md states every formula.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simtune_core.difficulty.bins import N_BINS, count_in_bins, share_between
from simtune_core.difficulty.overlap import ROBUST, overlap_coefficient, share_from_to
from simtune_core.difficulty.scored import UNKNOWN
from simtune_core.evaluation.metrics import checked, roc_auc, spearman, spearman_ceiling_of

QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
_COUNTS = ("positive_counts", "negative_counts")


@dataclass(frozen=True, slots=True)
class Spread:
    """How the similarities of one class are spread; all None for an empty class.

    Attributes:
        mean: Their mean, cosine.
        sd: Their standard deviation, n in the denominator, in points of cosine.
        quantiles: At `QUANTILES`, linear between neighbouring values as numpy's default; shape (7,).
    """

    mean: float | None = None
    sd: float | None = None
    quantiles: tuple[float, ...] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """Difficulty of one pair set in one space. What needs both classes is None where only one is present.

    Attributes:
        n_pairs: Number of pairs.
        n_positive: Pairs labelled 1.
        n_negative: Pairs labelled 0.
        prevalence: Share of positives, in [0, 1].
        positive_mean: Mean similarity of the positives, cosine.
        negative_mean: Mean similarity of the negatives, cosine.
        positive_sd: Standard deviation of the positives' similarities, in points of cosine.
        negative_sd: Standard deviation of the negatives' similarities, in points of cosine.
        positive_quantiles: Their similarities at `QUANTILES`, cosine; shape (7,).
        negative_quantiles: The same of the negatives.
        lowest_positive: All positives lie at or above it, cosine.
        highest_negative: All negatives lie at or below it, cosine.
        overlap: Share of all pairs with lowest_positive <= similarity <= highest_negative, in [0, 1].
        overlap_robust: The same between the 1 % quantile of the positives and the 99 % quantile of the negatives.
        overlap_coefficient: Area that the histograms of the two classes have in common, in [0, 1].
        roc_auc: Probability that a positive outscores a negative, ties one half, in [0, 1].
        spearman_cosine: Rank correlation with the targets, in [-1, 1].
        spearman_ceiling: The greatest Spearman that scores without ties can reach on these targets, in [0, 1].
        n_category_known: Pairs of which both records have a category.
        same_category_share: Share of these whose categories are the same, in [0, 1]; None if there are none.
        same_category_share_negative: The same of the negatives.
        positive_counts: Positives in bins of 0.001 over [-1, 1]; shape (N_BINS,).
        negative_counts: Negatives in the same bins; shape (N_BINS,).
    """

    n_pairs: int
    n_positive: int
    n_negative: int
    prevalence: float
    positive_mean: float | None
    negative_mean: float | None
    positive_sd: float | None
    negative_sd: float | None
    positive_quantiles: tuple[float, ...] | None
    negative_quantiles: tuple[float, ...] | None
    lowest_positive: float | None
    highest_negative: float | None
    overlap: float | None
    overlap_robust: float | None
    overlap_coefficient: float | None
    roc_auc: float | None
    spearman_cosine: float | None
    spearman_ceiling: float | None
    n_category_known: int
    same_category_share: float | None
    same_category_share_negative: float | None
    positive_counts: NDArray[np.int64]
    negative_counts: NDArray[np.int64]

    @property
    def separability(self) -> float | None:
        """Return mean positive minus mean negative similarity, in points of cosine, in [-2, 2]; lower is harder."""
        if self.positive_mean is None or self.negative_mean is None:
            return None
        return self.positive_mean - self.negative_mean

    @property
    def spearman_share(self) -> float | None:
        """Return Spearman as a share of its ceiling, which can be compared between sets; None where undefined."""
        if self.spearman_cosine is None or not self.spearman_ceiling:
            return None
        return self.spearman_cosine / self.spearman_ceiling

    def grey_share(self, low: float, high: float) -> float:
        """Return the share of pairs with low <= similarity < high, counted in bins of 0.001; in [0, 1]."""
        return share_between(self.positive_counts + self.negative_counts, low, high)


def measure_side(
    scores: ArrayLike,
    labels: ArrayLike,
    targets: ArrayLike | None = None,
    *,
    same_category: NDArray[np.int8] | None = None,
) -> Side:
    """Measure how well similarity scores separate the positive from the negative pairs of a set.

    Args:
        scores: Cosine similarities, in [-1, 1]; shape (n_pairs,).
        labels: 1 for a similar pair, 0 for a dissimilar one; shape (n_pairs,).
        targets: What Spearman compares with; the labels by default; shape (n_pairs,).
        same_category: 1, 0 or UNKNOWN for each pair, as `ScoredSet.same_category`; unknown by default.

    Raises:
        DataFaultError: If the shapes differ, there is no pair, a score is not finite or a label is neither 0 nor 1.
    """
    values, flags = checked(scores, labels)
    positive, negative = values[flags], values[~flags]
    above, below = _spread(positive), _spread(negative)
    wanted = flags if targets is None else targets
    lowest = float(positive.min()) if len(positive) else None
    highest = float(negative.max()) if len(negative) else None
    counts = count_in_bins(positive), count_in_bins(negative)
    same = np.full(len(values), UNKNOWN, dtype=np.int8) if same_category is None else same_category
    return Side(
        n_pairs=len(values),
        n_positive=len(positive),
        n_negative=len(negative),
        prevalence=float(flags.mean()),
        positive_mean=above.mean,
        negative_mean=below.mean,
        positive_sd=above.sd,
        negative_sd=below.sd,
        positive_quantiles=above.quantiles,
        negative_quantiles=below.quantiles,
        lowest_positive=lowest,
        highest_negative=highest,
        overlap=share_from_to(values, lowest, highest),
        overlap_robust=_robust_overlap(values, above, below),
        overlap_coefficient=overlap_coefficient(*counts),
        roc_auc=roc_auc(values, flags),
        spearman_cosine=spearman(values, wanted),
        spearman_ceiling=spearman_ceiling_of(wanted),
        n_category_known=int((same != UNKNOWN).sum()),
        same_category_share=_share_same(same),
        same_category_share_negative=_share_same(same[~flags]),
        positive_counts=counts[0],
        negative_counts=counts[1],
    )


def side_to_json(side: Side) -> dict[str, Any]:
    """Return a side as JSON: its numbers, its properties, and `bins` with the bins that hold any pair."""
    used = np.flatnonzero(side.positive_counts + side.negative_counts)
    numbers = {field.name: getattr(side, field.name) for field in fields(side) if field.name not in _COUNTS}
    listed = {name: list(value) if isinstance(value, tuple) else value for name, value in numbers.items()}
    return listed | {
        "separability": side.separability,
        "spearman_share": side.spearman_share,
        "bins": {
            "index": used.tolist(),
            "negative": side.negative_counts[used].tolist(),
            "positive": side.positive_counts[used].tolist(),
        },
    }


def side_from_json(value: dict[str, Any]) -> Side:
    """Read a side back from `side_to_json`; further keys are ignored."""
    numbers = {field.name: value[field.name] for field in fields(Side) if field.name not in _COUNTS}
    read: dict[str, Any] = {
        name: tuple(number) if isinstance(number, list) else number for name, number in numbers.items()
    }
    counts: dict[str, Any] = {}
    for name in _COUNTS:
        dense = np.zeros(N_BINS, dtype=np.int64)
        dense[value["bins"]["index"]] = value["bins"][name.removesuffix("_counts")]
        counts[name] = dense
    return Side(**read, **counts)


def _spread(values: NDArray[np.float64]) -> Spread:
    if not len(values):
        return Spread()
    return Spread(float(values.mean()), float(values.std()), tuple(np.quantile(values, QUANTILES).tolist()))


def _robust_overlap(values: NDArray[np.float64], above: Spread, below: Spread) -> float | None:
    if above.quantiles is None or below.quantiles is None:
        return None
    low, high = above.quantiles[QUANTILES.index(ROBUST)], below.quantiles[QUANTILES.index(1.0 - ROBUST)]
    return share_from_to(values, low, high)


def _share_same(same: NDArray[np.int8]) -> float | None:
    known = same[same != UNKNOWN]
    return float((known == 1).mean()) if len(known) else None
