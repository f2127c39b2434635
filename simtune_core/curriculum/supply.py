"""Counted candidates in cells of 0.01, made once so that a slider's move reads them. Plans nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simtune_core.candidates.counted import FINE_PER_CELL, N_CELLS, CandidateCounts
from simtune_core.difficulty.bins import bin_centres, count_in_bins


@dataclass(frozen=True, slots=True, eq=False)
class Supply:
    """What there is to draw from; make it with `supply_of`.

    Attributes:
        counts: What the candidates job counted.
        pairs: Pairs by stratum, same category, known positive and cell; shape (n_strata, 2, 2, N_CELLS).
        mean: Mean similarity of these, from the middles of bins of 0.001, cosine; 0 where there is none.
        within: Share of a cell's pairs in each of its bins of 0.001, all strata together; shape (2, 2, N_CELLS,
            FINE_PER_CELL).
        total: All strata together; shape (2, 2, N_CELLS).
        n_sampled: How many of these can be drawn.
        test: Test pairs by label, same category (a pair of unknown categories counts as other) and bin of 0.001; shape
            (2, 2, N_BINS). None without a test set.
    """

    counts: CandidateCounts
    pairs: NDArray[np.int64]
    mean: NDArray[np.float64]
    within: NDArray[np.float64]
    total: NDArray[np.int64]
    n_sampled: NDArray[np.int64]
    test: NDArray[np.int64] | None

    @property
    def sampled(self) -> NDArray[np.int64]:
        """Return the pairs that can be drawn, by the same axes as `pairs`."""
        return self.counts.sampled

    @property
    def test_cells(self) -> NDArray[np.int64] | None:
        """Return the test pairs by label, same category and cell; shape (2, 2, N_CELLS)."""
        return None if self.test is None else self.test.reshape(2, 2, N_CELLS, FINE_PER_CELL).sum(axis=-1)


def supply_of(counts: CandidateCounts) -> Supply:
    """Add the counts up into cells; keep the result while sliders move."""
    fine = counts.counts.reshape(*counts.counts.shape[:-1], N_CELLS, FINE_PER_CELL)
    pairs = fine.sum(axis=-1)
    total = np.einsum("...cf,cf->...c", fine, bin_centres().reshape(N_CELLS, FINE_PER_CELL))
    by_kind = fine.sum(axis=0).astype(np.float64)
    sums = by_kind.sum(axis=-1, keepdims=True)
    return Supply(
        counts=counts,
        pairs=pairs,
        mean=np.divide(total, pairs, out=np.zeros(pairs.shape), where=pairs > 0),
        within=np.divide(by_kind, sums, out=np.zeros_like(by_kind), where=sums > 0),
        total=pairs.sum(axis=0),
        n_sampled=counts.sampled.sum(axis=0),
        test=_test_bins(counts),
    )


def _test_bins(counts: CandidateCounts) -> NDArray[np.int64] | None:
    test = counts.test
    if test is None:
        return None
    chosen = ((test.labels == label) & ((test.same_category == 1) == same) for label in (0, 1) for same in (0, 1))
    bins = [count_in_bins(test.similarities[rows]) for rows in chosen]
    return np.stack(bins).reshape(2, 2, -1)
