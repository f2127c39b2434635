"""How much the two classes of a pair set share one stretch of similarity: shares of pairs, and of histograms.

Pure numpy; no file, no plotting. docs/metrics.md says which overlap is which.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simtune_core.difficulty.bins import BINS_PER_UNIT, N_BINS

ROBUST = 0.01  # the robust overlap begins at this quantile of the positives and ends at 1 minus it of the negatives
COEFFICIENT_WIDTH = 0.02  # bins of the overlapping coefficient: those of the histograms shown
COEFFICIENT_FACTOR = round(COEFFICIENT_WIDTH * BINS_PER_UNIT)  # bins of 0.001 in one of them


def share_from_to(values: NDArray[np.float64], low: float | None, high: float | None) -> float | None:
    """Return the share of similarities with low <= similarity <= high, in [0, 1]: 0 where low is above high.

    Returns:
        None where an end is not defined, because a class is absent.
    """
    if low is None or high is None:
        return None
    return float(((values >= low) & (values <= high)).mean())


def overlap_coefficient(positive: ArrayLike, negative: ArrayLike) -> float | None:
    """Return the area that the two classes' histograms have in common, each scaled to an area of 1.

    Args:
        positive: Positives in bins of 0.001; shape (N_BINS,).
        negative: Negatives in the same bins.

    Returns:
        Sum over bins of `COEFFICIENT_WIDTH` of the lesser of the two shares, in [0, 1]: 1 for equal histograms, 0 for
        classes without a common bin; None if a class is empty.

    Source:
        Weitzman 1970, "Measures of overlap of income distributions"; Inman and Bradley 1989.
    """
    both = np.stack([np.asarray(positive, dtype=np.float64), np.asarray(negative, dtype=np.float64)])
    wide = both.reshape(2, N_BINS // COEFFICIENT_FACTOR, COEFFICIENT_FACTOR).sum(axis=2)
    sizes = wide.sum(axis=1, keepdims=True)
    if not sizes.all():
        return None
    return float((wide / sizes).min(axis=0).sum())
