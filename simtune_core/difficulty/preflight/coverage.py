"""Coverage: whether the training pairs lie where the test pairs lie, by similarity and label. Pure; no file."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simtune_core.difficulty.bins import BINS_PER_UNIT, bin_index
from simtune_core.difficulty.scored import ScoredSet

_LEAST = 3  # training pairs of a covered cell


@dataclass(frozen=True, slots=True)
class Cell:
    """One similarity bin of one label.

    Attributes:
        label: 1 for similar pairs, 0 for dissimilar ones.
        low: Lower edge, cosine; the bin is half-open.
        high: Upper edge, cosine.
        n_train: Training pairs in it.
        n_test: Test pairs in it.
        covered: Whether it holds enough training pairs.
    """

    label: int
    low: float
    high: float
    n_train: int
    n_test: int
    covered: bool


@dataclass(frozen=True, slots=True)
class Band:
    """Neighbouring cells of one label that are not covered though test pairs lie there.

    Attributes:
        label: 1 for similar pairs, 0 for dissimilar ones.
        low: Lower edge, cosine.
        high: Upper edge, cosine.
        n_train: Training pairs of the label in it.
        n_test: Test pairs of the label in it.
        share: Of the test pairs of the label, in [0, 1].
    """

    label: int
    low: float
    high: float
    n_train: int
    n_test: int
    share: float


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of the test set the training set covers.

    Attributes:
        share: Share of the test pairs whose cell holds at least `min_pairs` training pairs, in [0, 1].
        positive: The same of the similar pairs; None without any.
        negative: The same of the dissimilar pairs; None without any.
        cells: Every cell that holds a pair, negative before positive, by similarity.
        gaps: Where it is not covered, the band with most test pairs first.
        width: Of a bin, cosine.
        min_pairs: Training pairs that cover a cell.
    """

    share: float
    positive: float | None
    negative: float | None
    cells: tuple[Cell, ...]
    gaps: tuple[Band, ...]
    width: float
    min_pairs: int

    def as_json(self) -> dict[str, Any]:
        """Return the coverage as JSON; see `coverage_from_json`."""
        return asdict(self) | {
            "cells": [asdict(cell) for cell in self.cells],
            "gaps": [asdict(gap) for gap in self.gaps],
        }


def measure_coverage(train: ScoredSet, test: ScoredSet, *, width: float, min_pairs: int) -> Coverage:
    """Count in which cells of similarity and label the test pairs lie, and which of them training pairs cover.

    Args:
        train: The training pairs.
        test: The test pairs, scored in the same space.
        width: Of a similarity bin, cosine; rounded to a multiple of 0.001.
        min_pairs: Training pairs that cover a cell.
    """
    step = max(1, round(width * BINS_PER_UNIT))
    cells: list[Cell] = []
    for label in (0, 1):
        counts = [_counts(each.cosines[each.labels == label], step) for each in (train, test)]
        for place in np.flatnonzero(counts[0] + counts[1]):
            n_train, n_test = int(counts[0][place]), int(counts[1][place])
            low = (int(place) * step - BINS_PER_UNIT) / BINS_PER_UNIT
            high = min(1.0, (int(place) * step + step - BINS_PER_UNIT) / BINS_PER_UNIT)
            cells.append(Cell(label, low, high, n_train, n_test, n_train >= min_pairs))
    return Coverage(
        share=_share(cells) or 0.0,
        positive=_share([cell for cell in cells if cell.label == 1]),
        negative=_share([cell for cell in cells if cell.label == 0]),
        cells=tuple(cells),
        gaps=tuple(sorted(_gaps(cells), key=lambda gap: -gap.n_test)),
        width=step / BINS_PER_UNIT,
        min_pairs=min_pairs,
    )


def enough_pairs(n_train: int, at_most: int) -> int:
    """Return how many training pairs cover a cell: one in a hundred, at least 3 and not more than wanted."""
    return max(_LEAST, min(at_most, n_train // 100))


def coverage_from_json(value: dict[str, Any]) -> Coverage:
    """Read a coverage back from `Coverage.as_json`."""
    cells = tuple(Cell(**cell) for cell in value["cells"])
    return Coverage(**{**value, "cells": cells, "gaps": tuple(Band(**gap) for gap in value["gaps"])})


def _counts(cosines: NDArray[np.float32], step: int) -> NDArray[np.int64]:
    n_bins = -(-2 * BINS_PER_UNIT // step)
    return np.bincount(bin_index(cosines) // step, minlength=n_bins).astype(np.int64)


def _share(cells: list[Cell]) -> float | None:
    n_test = sum(cell.n_test for cell in cells)
    return sum(cell.n_test for cell in cells if cell.covered) / n_test if n_test else None


def _gaps(cells: list[Cell]) -> list[Band]:
    """Join neighbouring cells that hold test pairs and are not covered."""
    gaps: list[Band] = []
    for label in (0, 1):
        own = [cell for cell in cells if cell.label == label]
        n_label = sum(cell.n_test for cell in own)
        open_cells = [cell for cell in own if cell.n_test and not cell.covered]
        runs: list[list[Cell]] = []
        for cell in open_cells:
            if runs and np.isclose(runs[-1][-1].high, cell.low):
                runs[-1].append(cell)
            else:
                runs.append([cell])
        gaps += [_band(run, n_label) for run in runs]
    return gaps


def _band(run: list[Cell], n_label: int) -> Band:
    n_test = sum(cell.n_test for cell in run)
    n_train = sum(cell.n_train for cell in run)
    return Band(run[0].label, run[0].low, run[-1].high, n_train, n_test, n_test / n_label)
