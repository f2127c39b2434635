"""A class of a phase in the shape of the test pairs, and how far any phase is from them. Plain numpy on counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simtune_core.candidates.counted import N_CELLS, STEP
from simtune_core.curriculum.allotting import in_proportion, share_out, whole_numbers
from simtune_core.curriculum.cells import wasserstein_of
from simtune_core.curriculum.classes import Demand, Pool
from simtune_core.curriculum.supply import Supply
from simtune_core.difficulty.bins import BINS_PER_UNIT, N_BINS

_ROUNDS = 20  # of fitting the categories
_KINDS = 4  # same category or not, known positive or not
_CLOSE = 0.01  # of what a category should have


@dataclass(frozen=True, slots=True, eq=False)
class Matched:
    """One class in the shape of the test's.

    Attributes:
        spread: Pairs by stratum and column of each pool.
        n_displaced: Pairs lost to the cap of a category.
    """

    spread: list[NDArray[np.int64]]
    n_displaced: int


@dataclass(frozen=True, slots=True)
class Distance:
    """How far the similarities of one class of a phase are from the test set's.

    Attributes:
        label: 0 or 1.
        before: Wasserstein distance of all candidates of the class within the test's range, in points of cosine; None
            where there are none.
        after: The same of the pairs allotted.
    """

    label: int
    before: float | None
    after: float | None


def match(pools: tuple[Pool, Pool], demand: Demand, shape: NDArray[np.int64]) -> Matched:
    """Allot one class so that its similarities and kinds spread as the test's.

    Every cell gets the test's share of the pairs wanted. What a cell lacks, the nearest cells with room give, unless
    leaving it out comes nearer to the test. Within a cell the kinds mix as in the test, shifted as little as gives the
    share of kinds wanted; categories are fitted last, as the balance wants them and the cells allow.

    Args:
        pools: Candidates of the first and of the second kind.
        demand: Numbers, share and balance.
        shape: Test pairs of this label by kind, in the order of the pools, and cell; shape (2, N_CELLS).

    Source:
        Fitting margins by turns: Deming and Stephan 1940, "On a least squares adjustment of a sampled frequency table".
    """
    rooms = [np.bincount(pool.cells, pool.room.sum(axis=0), N_CELLS).astype(np.int64) for pool in pools]
    cells = _cells(shape.sum(axis=0), rooms[0] + rooms[1], demand.n)
    second = _second(cells, shape, rooms, demand)
    return _over_categories(pools, (cells - second, second), demand)


def distances(
    supply: Supply, roles: tuple[NDArray[np.bool_], NDArray[np.bool_]], allotted: tuple[NDArray[np.int64], ...]
) -> tuple[Distance, Distance] | None:
    """Measure how far both classes are from the test's, negatives first.

    Args:
        supply: Candidates and test pairs.
        roles: What may be negative and what positive; each of shape (2, 2, N_CELLS).
        allotted: Negatives and positives allotted, all strata together; each of shape (2, 2, N_CELLS).

    Returns:
        Distances of histograms in bins of 0.001, every cell's pairs spread as its candidates are; None without test.
    """
    if supply.test is None:
        return None
    found = []
    for label in (0, 1):
        wanted = supply.test[label].sum(axis=0)
        inside = np.zeros(N_CELLS, dtype=bool)
        used = np.flatnonzero(wanted.reshape(N_CELLS, -1).any(axis=1))
        if len(used):
            inside[used[0] : used[-1] + 1] = True
        before, after = (
            wasserstein_of(_fine(supply, numbers), wanted, 1 / BINS_PER_UNIT)
            for numbers in (supply.total * (roles[label] & inside), allotted[label])
        )
        found.append(Distance(label, before, after))
    return found[0], found[1]


def _fine(supply: Supply, numbers: NDArray[np.int64]) -> NDArray[np.float64]:
    """Spread numbers by kind and cell over bins of 0.001; shape (N_BINS,)."""
    return np.einsum("abc,abcf->cf", numbers, supply.within).reshape(N_BINS)


def _cells(shape: NDArray[np.int64], room: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Return pairs by cell that sum to n, or to less where that is nearer to the shape or there are no more."""
    if not shape.any():
        return np.zeros_like(room)
    endless = np.full(len(shape), n)
    wanted = whole_numbers((shape * (n / shape.sum()))[None], endless[None], np.array([n]))[0]
    kept = np.minimum(wanted, room)
    filled = kept.copy()
    for cell in np.flatnonzero(wanted > kept):
        missing = int(wanted[cell] - kept[cell])
        for near in np.argsort(np.abs(np.arange(len(room)) - cell), kind="stable"):
            given = min(missing, int(room[near] - filled[near]), int(max(room[near] - wanted[near], 0)))
            filled[near] += given
            missing -= given
            if not missing:
                break
    lost, moved = (wasserstein_of(each, shape, STEP) for each in (kept, filled))
    return filled if lost is None or (moved is not None and moved <= lost) else kept


def _second(
    cells: NDArray[np.int64], shape: NDArray[np.int64], rooms: list[NDArray[np.int64]], demand: Demand
) -> NDArray[np.int64]:
    """Return how many pairs of each cell are of the second kind."""
    low, high = np.maximum(cells - rooms[0], 0), np.minimum(cells, rooms[1])
    both = shape.sum(axis=0)
    share = np.divide(shape[1], both, out=np.full(len(both), demand.second / max(demand.n, 1)), where=both > 0)
    number = round(int(cells.sum()) * demand.second / max(demand.n, 1))
    number = min(max(number, int(low.sum())), int(high.sum()))
    mixed = np.clip(cells * share, low, high)
    missing = number - float(mixed.sum())
    towards = (high if missing > 0 else low) - mixed
    if abs(towards.sum()) > 0:
        mixed = mixed + towards * (missing / towards.sum())
    return low + whole_numbers((mixed - low)[None], (high - low)[None], np.array([number - int(low.sum())]))[0]


def _over_categories(
    pools: tuple[Pool, Pool], cells: tuple[NDArray[np.int64], NDArray[np.int64]], demand: Demand
) -> Matched:
    """Share every cell's number of each kind out over the categories."""
    tables = [_Table(pool, numbers) for pool, numbers in zip(pools, cells, strict=True)]
    room = sum((table.pool.room.sum(axis=1) for table in tables), start=np.zeros(1, dtype=np.int64))
    wanted = share_out(room, int(cells[0].sum() + cells[1].sum()))
    factors = np.ones(len(room))
    for _ in range(0 if demand.balance == "as_found" else _ROUNDS):
        got = sum(table.by_category(factors) for table in tables)
        aim = wanted if demand.balance == "equal" else np.minimum(got, _below(demand.cap))
        if (np.abs(got - aim) <= np.maximum(_CLOSE * aim, 0.5)).all():
            break
        factors *= (aim + 0.5) / (got + 0.5)
    spread = [table.whole(factors) for table in tables]
    return _capped(spread, demand) if demand.balance == "capped" else Matched(spread, 0)


class _Table:
    """A pool turned over: one row for each cell, columns for the categories of each kind of pair."""

    def __init__(self, pool: Pool, numbers: NDArray[np.int64]) -> None:
        self.pool, self.numbers = pool, numbers
        self.cells, self.row = np.unique(pool.cells, return_inverse=True)
        self.plane = pool.columns // N_CELLS
        self.room = self._turned(pool.room)
        self.weights = self._turned(pool.weights)
        self.wanted = numbers[self.cells]

    def by_category(self, factors: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the pairs that each category gives with these factors on its weights; shape (n_strata,)."""
        return self._shared(factors).reshape(len(self.cells), _KINDS, len(factors)).sum(axis=(0, 1))

    def whole(self, factors: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return whole numbers by category and column of the pool."""
        numbers = whole_numbers(self._shared(factors), self.room, self.wanted)
        return numbers.reshape(len(self.cells), _KINDS, len(factors))[self.row, self.plane].T

    def _shared(self, factors: NDArray[np.float64]) -> NDArray[np.float64]:
        return in_proportion(self.weights * np.tile(factors, _KINDS), self.room, self.wanted)

    def _turned(self, values: NDArray) -> NDArray:
        turned = np.zeros((len(self.cells), _KINDS, len(values)), dtype=values.dtype)
        turned[self.row, self.plane] = values.T
        return turned.reshape(len(self.cells), _KINDS * len(values))


def _below(cap: int) -> int:
    """Return a little less than a cap, so that rounding does not reach above it."""
    return max(cap - 2 - cap // 50, 0)


def _capped(spread: list[NDArray[np.int64]], demand: Demand) -> Matched:
    """Take from every category what it has beyond the cap."""
    both = np.concatenate(spread, axis=1)
    total = both.sum(axis=1)
    allowed = np.minimum(total, demand.cap)
    kept = whole_numbers(both * (allowed / np.maximum(total, 1))[:, None], both, allowed)
    parts = np.split(kept, [spread[0].shape[1]], axis=1)
    return Matched(list(parts), int((total - allowed).sum()))
