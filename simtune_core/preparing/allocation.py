"""Whole components to splits: sizes first, then the classes as evenly as whole components allow.

Knows counts only, no texts and no labels. Components that look alike are dealt out in bulk, so that a set of a million
single pairs takes as long as its distinct kinds of pairs.

Source: the greedy order of Sechidis, Tsoumakas and Vlahavas, On the stratification of multi-label data, 2011, with
components in place of rows and Pearson's chi-squared distance to the wanted counts in place of the rarest label.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_HALVINGS = 60  # of the interval in which the level of a bulk of equal components is sought
_SIGNATURE_SEED = 20_240_229


def allocate(
    components: NDArray[np.int64],
    cells: Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]],
    keys: NDArray[np.uint64],
    fractions: Sequence[float],
) -> NDArray[np.int64]:
    """Give every component to one split.

    The largest come first. A component goes to a split that still has room for it, to the one of them in which its
    cells are farthest below what is wanted; where it fits nowhere, to the split that lacks the most rows.

    Args:
        components: The component of each row, numbered from 0; shape (n_rows,).
        cells: Row numbers and cell numbers, one pair of arrays for each way of sorting rows into cells (label,
            category, both); cells of all ways are numbered together from 0. A row may be in several cells.
        keys: What decides between equals, one a component; shape (n_components,). Distinct numbers.
        fractions: The wanted share of the rows, one a split, all above 0.

    Returns:
        The split of each component, shape (n_components,).
    """
    n_rows = np.bincount(components, minlength=len(keys))
    start, cell, count = _cell_counts(components, cells, len(keys))
    groups = _equal_components(start, cell, count, n_rows, keys)
    deal = _Dealer(fractions, int(n_rows.sum()), np.bincount(cell, weights=count).astype(np.float64))
    chosen = np.empty(len(keys), dtype=np.int64)
    for members in groups:
        first = members[0]
        span = slice(start[first], start[first + 1])
        parts = deal.take(int(n_rows[first]), cell[span].tolist(), count[span].tolist(), len(members))
        chosen[members] = np.repeat(np.arange(len(parts)), parts)
    return chosen


def _cell_counts(
    components: NDArray[np.int64], cells: Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]], n: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the cells of each component and how often, as compressed rows: starts, cells, counts."""
    if not cells:
        return np.zeros(n + 1, dtype=np.int64), np.empty(0, np.int64), np.empty(0, np.int64)
    rows, numbers = (np.concatenate(part) for part in zip(*cells, strict=True))
    width = int(numbers.max(initial=0)) + 1
    places, count = np.unique(components[rows] * width + numbers, return_counts=True)
    owner, cell = np.divmod(places, width)
    return np.searchsorted(owner, np.arange(n + 1)), cell, count


def _equal_components(
    start: NDArray[np.int64],
    cell: NDArray[np.int64],
    count: NDArray[np.int64],
    n_rows: NDArray[np.int64],
    keys: NDArray[np.uint64],
) -> list[NDArray[np.int64]]:
    """Return the components in groups of equal rows and cells, largest first, and in the order of their keys within."""
    generator = np.random.default_rng(_SIGNATURE_SEED)
    marks = generator.integers(1, 2**63, size=int(cell.max(initial=0)) + 2, dtype=np.uint64)
    sums = np.r_[np.uint64(0), np.cumsum(marks[cell] * count.astype(np.uint64), dtype=np.uint64)]
    signature = sums[start[1:]] - sums[start[:-1]] + marks[-1] * n_rows.astype(np.uint64)
    order = np.lexsort((keys, signature))
    groups = np.split(order, np.flatnonzero(np.diff(signature[order])) + 1)
    return sorted(groups, key=lambda group: (-n_rows[group[0]], keys[group[0]]))


class _Dealer:
    """What each split holds so far, and how many equal components each takes next."""

    def __init__(self, fractions: Sequence[float], n_rows: int, totals: NDArray[np.float64]) -> None:
        self.n = len(fractions)
        self.lacks = [fraction * n_rows for fraction in fractions]
        wanted = [fraction * totals for fraction in fractions]
        common = totals * min(fractions) >= 1  # a rarer cell cannot be in every split: it would only pull all to one
        self.weights = [np.where(common, 1 / np.maximum(each, 1e-9), 0).tolist() for each in wanted]
        self.short = [each.tolist() for each in wanted]  # of each cell

    def take(self, n_rows: int, cells: list[int], counts: list[int], n_components: int) -> list[int]:
        """Return how many of `n_components` components, each of `n_rows` rows in these cells, each split gets."""
        slopes, levels = [], []
        for split in range(self.n):
            weights, short = self.weights[split], self.short[split]
            slopes.append(sum(weights[k] * v * v for k, v in zip(cells, counts, strict=True)) or 1e-12)
            levels.append(-sum(weights[k] * v * short[k] for k, v in zip(cells, counts, strict=True)))
        room = [max(0, int((lack + 1e-9) / n_rows)) for lack in self.lacks]
        parts = [0] * self.n if n_components == 1 else _level(slopes, levels, room, n_components)
        for _ in range(n_components - sum(parts)):
            open_ones = [split for split in range(self.n) if parts[split] < room[split]]
            if open_ones:
                best = min(open_ones, key=lambda s: slopes[s] * (2 * parts[s] + 1) + 2 * levels[s])
            else:
                best = max(range(self.n), key=lambda s: self.lacks[s] - parts[s] * n_rows)
            parts[best] += 1
        self._note(n_rows, cells, counts, parts)
        return parts

    def _note(self, n_rows: int, cells: list[int], counts: list[int], parts: list[int]) -> None:
        for split, n in enumerate(parts):
            if n == 0:
                continue
            self.lacks[split] -= n * n_rows
            short = self.short[split]
            for k, v in zip(cells, counts, strict=True):
                short[k] -= n * v


def _level(slopes: list[float], levels: list[float], room: list[int], n: int) -> list[int]:
    """Return the whole numbers x, rounded down, that minimise sum(slope x^2 + 2 level x) with sum(x) = n, x <= room."""

    def filled(height: float) -> list[float]:
        amounts = [(height - level) / slope for slope, level in zip(slopes, levels, strict=True)]
        return [min(max(amount, 0.0), float(most)) for amount, most in zip(amounts, room, strict=True)]

    low, high = min(levels), max(level + slope * (n + 1) for slope, level in zip(slopes, levels, strict=True))
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if sum(filled(middle)) < n else (low, middle)
    return [int(amount) for amount in filled(low)]
