"""Similarity bins: where a similarity falls, and counts coarsened for a figure. No labels, no files."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simtune_core.errors import ConfigError, DataFaultError

BINS_PER_UNIT = 1000  # width 0.001
N_BINS = 2 * BINS_PER_UNIT  # over [-1, 1]
ON_EDGE = 1e-4  # in bins: a float32 cosine within 1e-7 below an edge is on it (float32 has 6e-8 at 1)


@dataclass(frozen=True, slots=True, eq=False)
class CoarseBins:
    """Counts in wider bins, cut to the range in which there is any.

    Attributes:
        left: Lower edge of each bin, cosine; shape (n_bins,).
        width: Of every bin, cosine.
        counts: Pairs in each bin; shape (..., n_bins).
    """

    left: NDArray[np.float64]
    width: float
    counts: NDArray[np.int64]

    @property
    def edges(self) -> NDArray[np.float64]:
        """Return where the bins begin and the last one ends, cosine; shape (n_bins + 1,), empty without bins."""
        return np.append(self.left, self.left[-1:] + self.width)

    @property
    def centres(self) -> NDArray[np.float64]:
        """Return the middle of each bin, cosine; shape (n_bins,)."""
        return self.left + self.width / 2


def bin_index(similarities: ArrayLike) -> NDArray[np.int32]:
    """Return the bin of each similarity: 0.001 wide, half-open [a, b), the last one closed, over [-1, 1].

    Args:
        similarities: Cosines; any shape. Beyond [-1, 1] they fall into the first or the last bin (rounding only).

    Returns:
        Integers in [0, N_BINS), same shape.
    """
    scaled = np.asarray(similarities, dtype=np.float32) * np.float32(BINS_PER_UNIT) + np.float32(ON_EDGE)
    return np.clip(np.floor(scaled).astype(np.int32) + BINS_PER_UNIT, 0, N_BINS - 1)


def edge_index(similarity: float) -> int:
    """Return the bin whose lower edge is the similarity, rounded to 0.001: an integer in [0, N_BINS]."""
    return int(np.clip(round((similarity + 1.0) * BINS_PER_UNIT), 0, N_BINS))


def bin_centres() -> NDArray[np.float64]:
    """Return the middle of every bin, cosine; shape (N_BINS,)."""
    return (np.arange(N_BINS) + 0.5 - BINS_PER_UNIT) / BINS_PER_UNIT


def count_in_bins(similarities: ArrayLike) -> NDArray[np.int64]:
    """Return how many similarities fall into each bin; shape (N_BINS,).

    Raises:
        DataFaultError: If a similarity is not finite.
    """
    values = np.asarray(similarities)
    if not np.isfinite(values).all():
        raise DataFaultError(f"Similarities must be finite numbers; {int((~np.isfinite(values)).sum())} are not.")
    return np.bincount(bin_index(values).ravel(), minlength=N_BINS).astype(np.int64)


def share_between(counts: ArrayLike, low: float, high: float) -> float:
    """Return the share of pairs with low <= similarity < high, both rounded to 0.001; up to 1 the end is closed.

    Args:
        counts: Pairs in bins of 0.001; shape (N_BINS,).
        low: Where the stretch begins, cosine.
        high: Where it ends.

    Returns:
        A number in [0, 1]; 0 without pairs.
    """
    held = np.asarray(counts)
    inside, whole = int(held[edge_index(low) : edge_index(high)].sum()), int(held.sum())
    return inside / whole if whole else 0.0


def coarsen(counts: ArrayLike, *, width: float = 0.01) -> CoarseBins:
    """Add up neighbouring bins for a figure and cut empty ends off.

    Args:
        counts: Counts in bins of 0.001; shape (..., N_BINS); several rows keep one common range.
        width: Of the wider bins, a multiple of 0.001 that divides 1.

    Raises:
        ConfigError: If the width is not such a multiple.
    """
    fine = np.asarray(counts, dtype=np.int64)
    factor = round(width * BINS_PER_UNIT)
    if factor < 1 or BINS_PER_UNIT % factor or abs(factor / BINS_PER_UNIT - width) > 1e-9:
        raise ConfigError(f"A bin width must be a multiple of 0.001 that divides 1, such as 0.01 or 0.02; got {width}.")
    coarse = fine.reshape(*fine.shape[:-1], N_BINS // factor, factor).sum(axis=-1)
    used = np.flatnonzero(coarse.reshape(-1, coarse.shape[-1]).any(axis=0))
    first, last = (int(used[0]), int(used[-1]) + 1) if len(used) else (0, 0)
    left = (np.arange(first, last) * factor - BINS_PER_UNIT) / BINS_PER_UNIT
    return CoarseBins(left=left, width=width, counts=coarse[..., first:last])
