"""How hard the pairs of a set are in one similarity space.

Pure functions over scores: no model, no file, no plotting. Metrics come from evaluation/metrics.py, bins from bins.py.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simtune_core.difficulty.bins import N_BINS, count_in_bins
from simtune_core.evaluation.metrics import checked, summarise_scores


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
        lowest_positive: All positives lie at or above it, cosine.
        highest_negative: All negatives lie at or below it, cosine.
        overlap: Share of all pairs with lowest_positive <= similarity <= highest_negative, in [0, 1].
        roc_auc: Probability that a positive outscores a negative, ties one half, in [0, 1].
        spearman_cosine: Rank correlation with the targets, in [-1, 1].
        spearman_ceiling: The greatest Spearman that scores without ties can reach on these targets, in [0, 1].
        positive_counts: Positives in bins of 0.001 over [-1, 1]; shape (N_BINS,).
        negative_counts: Negatives in the same bins; shape (N_BINS,).
    """

    n_pairs: int
    n_positive: int
    n_negative: int
    prevalence: float
    positive_mean: float | None
    negative_mean: float | None
    lowest_positive: float | None
    highest_negative: float | None
    overlap: float | None
    roc_auc: float | None
    spearman_cosine: float | None
    spearman_ceiling: float | None
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


def measure_side(scores: ArrayLike, labels: ArrayLike, targets: ArrayLike | None = None) -> Side:
    """Measure how well similarity scores separate the positive from the negative pairs of a set.

    Args:
        scores: Cosine similarities, in [-1, 1]; shape (n_pairs,).
        labels: 1 for a similar pair, 0 for a dissimilar one; shape (n_pairs,).
        targets: What Spearman compares with; the labels by default; shape (n_pairs,).

    Raises:
        DataFaultError: If the shapes differ, there is no pair, a score is not finite or a label is neither 0 nor 1.
    """
    values, flags = checked(scores, labels)
    positive, negative = values[flags], values[~flags]
    summary = summarise_scores(values, flags, flags if targets is None else targets)
    lowest = float(positive.min()) if len(positive) else None
    highest = float(negative.max()) if len(negative) else None
    return Side(
        n_pairs=len(values),
        n_positive=len(positive),
        n_negative=len(negative),
        prevalence=summary.prevalence,
        positive_mean=float(positive.mean()) if len(positive) else None,
        negative_mean=float(negative.mean()) if len(negative) else None,
        lowest_positive=lowest,
        highest_negative=highest,
        overlap=_overlap(values, lowest, highest),
        roc_auc=summary.roc_auc,
        spearman_cosine=summary.spearman_cosine,
        spearman_ceiling=summary.spearman_ceiling,
        positive_counts=count_in_bins(positive),
        negative_counts=count_in_bins(negative),
    )


def side_to_json(side: Side) -> dict[str, Any]:
    """Return a side as JSON: its numbers, its properties, and `bins` with the bins that hold any pair."""
    used = np.flatnonzero(side.positive_counts + side.negative_counts)
    numbers = {field.name: getattr(side, field.name) for field in fields(side) if not field.name.endswith("_counts")}
    return numbers | {
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
    numbers = {field.name: value[field.name] for field in fields(Side) if not field.name.endswith("_counts")}
    counts: dict[str, Any] = {}
    for label in ("positive", "negative"):
        dense = np.zeros(N_BINS, dtype=np.int64)
        dense[value["bins"]["index"]] = value["bins"][label]
        counts[f"{label}_counts"] = dense
    return Side(**numbers, **counts)


def _overlap(values: NDArray[np.float64], lowest: float | None, highest: float | None) -> float | None:
    if lowest is None or highest is None:
        return None
    return float(((values >= lowest) & (values <= highest)).mean())  # 0 where the lowest is above the highest
