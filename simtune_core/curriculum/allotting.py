"""Whole numbers of pairs for each category and cell: what is wanted, shared out within what there is. Plain numpy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_GOLDEN = (5**0.5 - 1) / 2
_ROUNDS = 6  # of filling cells, before the rows that need more are sorted one by one


def share_out(available: NDArray[np.int64], wanted: int, levels: NDArray[np.int64] | None = None) -> NDArray[np.int64]:
    """Give each category the same number as far as it has that many; what one lacks the others share.

    Args:
        available: Pairs of each category; shape (n_categories,).
        wanted: Pairs wanted in all.
        levels: What each already has: whoever has least gets first; nothing by default.

    Returns:
        Pairs to take from each; they sum to `wanted`, or to everything there is. What cannot be divided evenly goes to
        the first categories.
    """
    room = np.asarray(available, dtype=np.int64)
    wanted = min(wanted, int(room.sum()))
    start = np.zeros_like(room) if levels is None else np.asarray(levels, dtype=np.int64)
    if wanted <= 0:
        return np.zeros_like(room)
    steps = np.concatenate([start, start + room])  # at a level the filling of one begins, at another it ends
    order = np.argsort(steps, kind="stable")
    slopes = np.cumsum(np.repeat([1, -1], len(room))[order])
    filled = np.concatenate([[0], np.cumsum(slopes[:-1] * np.diff(steps[order]))])
    last = int(np.searchsorted(filled, wanted, side="right")) - 1
    level = int(steps[order[last]]) + (int((wanted - filled[last]) // slopes[last]) if slopes[last] else 0)
    taken = np.clip(level - start, 0, room)
    open_ = np.flatnonzero((start <= level) & (taken < room))
    taken[open_[: wanted - int(taken.sum())]] += 1
    return taken


def in_proportion(
    weights: NDArray[np.float64], room: NDArray[np.int64], wanted: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Share out each row's number in proportion to weights, no cell getting more than it has room for.

    Args:
        weights: Positive wherever there is room; shape (n_rows, n_cells).
        room: The most each cell can give.
        wanted: For each row, at most the sum of its room; shape (n_rows,).

    Returns:
        Numbers that need not be whole, in [0, room]; each row sums to what is wanted of it: where a cell is full, the
        others of its row share what it lacks in proportion to their weights.
    """
    shared = weights * _ratio(wanted, weights.sum(axis=1))[:, None]
    full = np.zeros(weights.shape, dtype=bool)
    for _ in range(_ROUNDS):
        over = shared > room
        if not over.any():
            return shared
        full |= over
        rest = wanted - np.where(full, room, 0).sum(axis=1)
        factor = _ratio(rest, np.where(full, 0.0, weights).sum(axis=1))
        shared = np.where(full, room, weights * factor[:, None])
    for row in np.flatnonzero((shared > room).any(axis=1)):
        shared[row] = _filled(weights[row], room[row], int(wanted[row]))
    return shared


def whole_numbers(shared: NDArray[np.float64], room: NDArray[np.int64], wanted: NDArray[np.int64]) -> NDArray[np.int64]:
    """Round each row to whole numbers that keep its sum, each up or down by less than one.

    Args:
        shared: Numbers in [0, room]; shape (n_rows, n_cells).
        room: The most each cell can give.
        wanted: The sum of each row; shape (n_rows,).

    Returns:
        Differences of the rounded running sums, so that a row's distribution stays within one pair of the wanted one at
        every similarity. Each row is rounded from another offset, so that rows alike do not all round the same cells.
    """
    offsets = (np.arange(len(shared)) * _GOLDEN + 0.5) % 1.0
    running = np.cumsum(shared, axis=1) + offsets[:, None]
    if running.shape[1]:
        running[:, -1] = wanted + offsets
    whole = np.floor(running).astype(np.int64)
    whole[:, 1:] -= whole[:, :-1].copy()  # the first begins at its offset, whose floor is 0
    whole = np.clip(whole, 0, room)  # rounding of the running sums may be off by one where a cell is full
    for row in np.flatnonzero(whole.sum(axis=1) != wanted):
        whole[row] = _mended(whole[row], room[row], int(wanted[row]))
    return whole


def _ratio(over: NDArray[np.int64], under: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(over, under, out=np.zeros(len(under)), where=under > 0)


def _filled(weights: NDArray[np.float64], room: NDArray[np.int64], wanted: int) -> NDArray[np.float64]:
    """Return min(room, factor * weights) with the factor for which they sum to what is wanted; one row."""
    at = np.divide(room, weights, out=np.zeros(len(room)), where=weights > 0)  # the factor at which each is full
    order = np.argsort(at, kind="stable")
    full = np.concatenate([[0.0], np.cumsum(room[order])])[:-1]
    rest = np.cumsum(weights[order][::-1])[::-1]
    sums = full + at[order] * rest  # the sum at the factor at which the k-th of the order is full
    first = min(int(np.searchsorted(sums, wanted)), len(sums) - 1)
    factor = (wanted - full[first]) / rest[first] if rest[first] > 0 else np.inf
    return np.minimum(room, np.where(room > 0, weights, 0.0) * factor) if np.isfinite(factor) else room.astype(float)


def _mended(whole: NDArray[np.int64], room: NDArray[np.int64], wanted: int) -> NDArray[np.int64]:
    """Add to the first cells with room, or take from the first that have any, until the row sums to what is wanted."""
    missing = wanted - int(whole.sum())
    gaps = room - whole if missing > 0 else whole
    moved = np.clip(abs(missing) - (np.cumsum(gaps) - gaps), 0, gaps)
    return whole + moved if missing > 0 else whole - moved
