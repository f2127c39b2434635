"""What a histogram in cells of 0.01 says of positives and negatives: bands, overlap, ROC-AUC, distance. Plain numpy."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simtune_core.candidates.counted import FINE_PER_CELL, N_CELLS
from simtune_core.difficulty.bins import edge_index


def cell_of(similarity: float) -> int:
    """Return the cell whose lower edge is the similarity, a multiple of 0.01: an integer in [0, N_CELLS]."""
    return edge_index(similarity) // FINE_PER_CELL


def in_band(low: float, high: float) -> NDArray[np.bool_]:
    """Return which cells lie in a half-open band [low, high), 1.0 included; shape (N_CELLS,)."""
    cells = np.arange(N_CELLS)
    return (cells >= cell_of(low)) & (cells < cell_of(high))


def overlap_of(positive: NDArray[np.int64], negative: NDArray[np.int64]) -> float | None:
    """Return the share of pairs from the lowest positive cell to the highest negative cell, in [0, 1].

    Args:
        positive: Positives by cell; shape (N_CELLS,).
        negative: Negatives by cell.

    Returns:
        `Side.overlap` of similarities rounded to their cell, so never less than it; None if a class is empty.
    """
    if not positive.any() or not negative.any():
        return None
    lowest, highest = int(np.flatnonzero(positive)[0]), int(np.flatnonzero(negative)[-1])
    both = positive + negative
    return float(both[lowest : highest + 1].sum() / both.sum())


def roc_auc_of_cells(positive: NDArray[np.int64], negative: NDArray[np.int64]) -> float | None:
    """Return the probability that a positive outscores a negative, ties one half, in [0, 1].

    Args:
        positive: Positives by cell; shape (n_cells,).
        negative: Negatives by cell.

    Returns:
        What scikit-learn's `roc_auc_score` gives for similarities rounded to their cell; None if a class is empty.
    """
    n_positive, n_negative = int(positive.sum()), int(negative.sum())
    if not n_positive or not n_negative:
        return None
    below = np.cumsum(negative) - negative
    wins = (positive * below).sum(dtype=np.float64) + 0.5 * (positive * negative).sum(dtype=np.float64)
    return float(wins / n_positive / n_negative)


def wasserstein_of(first: ArrayLike, second: ArrayLike, width: float) -> float | None:
    """Return the Wasserstein distance of two histograms on the same bins, in points of cosine.

    Args:
        first: Counts or weights; shape (n_bins,).
        second: The same of the other.
        width: Of a bin, cosine.

    Returns:
        The area between the two cumulative distributions, every pair in the middle of its bin; None if one is empty.

    Source:
        Vallender 1974, "Calculation of the Wasserstein distance between probability distributions on the line".
    """
    one, other = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if not one.sum() or not other.sum():
        return None
    return float(np.abs(np.cumsum(one / one.sum() - other / other.sum())).sum() * width)
