"""One class of one phase: how many pairs each category gives, and how they spread over similarity. Plain numpy.

Owns categories, kinds and tilts. Knows no phase beside its own and words nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from simtune_core.candidates.counted import N_CELLS, STEP
from simtune_core.curriculum.allotting import in_proportion, share_out, whole_numbers
from simtune_core.curriculum.config import Balance
from simtune_core.curriculum.supply import Supply

Rows = tuple[NDArray[np.int64], NDArray[np.int64]]


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """The candidates of one role, columns being kind and cell.

    Attributes:
        columns: Position of each column in (same category, known positive, cell) laid flat; shape (n_columns,).
        centres: Middle of its cell, cosine.
        weights: How often its pairs occur, wherever there is room; shape (n_strata, n_columns).
        room: Pairs of the sample that no earlier phase took.
        mean: Mean similarity, cosine.
    """

    columns: NDArray[np.intp]
    centres: NDArray[np.float64]
    weights: NDArray[np.float64]
    room: NDArray[np.int64]
    mean: NDArray[np.float64]

    @property
    def cells(self) -> NDArray[np.intp]:
        """Return the cell of each column; shape (n_columns,)."""
        return self.columns % N_CELLS


@dataclass(frozen=True, slots=True)
class Demand:
    """What is wanted of one class.

    Attributes:
        n: Pairs.
        second: How many of them are of the second kind: cross-category positives, same-category negatives.
        balance: Of the categories.
        cap: The most that one category may give, under the balance `capped`.
    """

    n: int
    second: int
    balance: Balance
    cap: int


@dataclass(frozen=True, slots=True, eq=False)
class Allotted:
    """Numbers for every category of a class; how they spread over similarity is still open.

    Attributes:
        pools: Candidates of the first and of the second kind.
        rows: Pairs that each category gives of each kind; each of shape (n_strata,).
        n_displaced: Pairs that the categories' cap kept from where they were found.
        n_made_up: Pairs of one kind that stand in for the other.
    """

    pools: tuple[Pool, Pool]
    rows: Rows
    n_displaced: int
    n_made_up: int

    @property
    def n(self) -> int:
        """Return how many pairs the class gets."""
        return int(self.rows[0].sum() + self.rows[1].sum())

    def spread(self, tilt: float) -> list[NDArray[np.float64]]:
        """Return numbers by category and column of each pool, tilted towards similar pairs, or unlike ones below zero.

        Within a category, pairs are taken as often as they occur times exp(tilt * similarity), within what there is; at
        an infinite tilt from the most (least) similar down (up).
        """
        return [_spread(pool, rows, tilt) for pool, rows in zip(self.pools, self.rows, strict=True)]

    def mean(self, tilt: float) -> float:
        """Return the mean similarity at a tilt, cosine; the class must have a pair."""
        spread = zip(self.spread(tilt), self.pools, strict=True)
        return sum(float(np.vdot(shared, pool.mean)) for shared, pool in spread) / self.n

    def variance(self) -> float:
        """Return the variance of similarity within categories and kinds as found: how fast a tilt moves the mean."""
        total = 0.0
        for shared, pool in zip(self.spread(0.0), self.pools, strict=True):
            first, second = (shared * pool.mean).sum(axis=1), (shared * pool.mean**2).sum(axis=1)
            sizes = np.maximum(shared.sum(axis=1), 1e-12)
            total += float((second - first**2 / sizes).sum())
        return max(total / self.n, 1e-8)


def pool_of(supply: Supply, left: NDArray[np.int64], mask: NDArray[np.bool_]) -> Pool:
    """Gather the candidates of a role.

    Args:
        supply: All candidates.
        left: Of the sample, what no phase has taken; shape (n_strata, 2, 2, N_CELLS).
        mask: Same category, known positive and cell; shape (2, 2, N_CELLS).
    """
    columns = np.flatnonzero(mask & (supply.n_sampled > 0))
    n_strata = len(left)
    room = left.reshape(n_strata, -1)[:, columns]
    pairs = supply.pairs.reshape(n_strata, -1)[:, columns]
    return Pool(
        columns=columns,
        centres=(columns % N_CELLS + 0.5).astype(np.float64) * STEP - 1.0,
        weights=np.where(room > 0, np.maximum(pairs, room), 0).astype(np.float64),
        room=room,
        mean=supply.mean.reshape(n_strata, -1)[:, columns],
    )


def allot(pools: tuple[Pool, Pool], demand: Demand) -> Allotted:
    """Say how many pairs each category gives of each kind.

    Kinds come in the numbers wanted as far as there are as many, and one makes up for a shortage of the other.
    """
    supplies = [int(pool.room.sum()) for pool in pools]
    second = min(demand.second, supplies[1])
    first = min(demand.n - second, supplies[0])
    second = min(demand.n - first, supplies[1])
    rows = _rows(pools, (first, second), demand)
    n_displaced = 0
    if demand.balance == "capped":
        uncapped = _rows(pools, (first, second), replace(demand, balance="as_found"))
        n_displaced = int(np.maximum(uncapped[0] + uncapped[1] - demand.cap, 0).sum())
    made_up = max(int(rows[0].sum()) - (demand.n - demand.second), int(rows[1].sum()) - demand.second, 0)
    return Allotted(pools, rows, n_displaced, made_up)


def whole_spread(allotted: Allotted, tilt: float) -> list[NDArray[np.int64]]:
    """Return whole numbers by category and column of each pool, their sums being `allotted.rows`."""
    parts = zip(allotted.spread(tilt), allotted.pools, allotted.rows, strict=True)
    return [
        whole_numbers(shared, pool.room, rows) if rows.any() else np.zeros(pool.room.shape, dtype=np.int64)
        for shared, pool, rows in parts
    ]


def _rows(pools: tuple[Pool, Pool], wanted: tuple[int, int], demand: Demand) -> Rows:
    """Share the number of each kind out over the categories, the scarcer kind first."""
    room = [pool.room.sum(axis=1) for pool in pools]
    found = [pool.weights.sum(axis=1) for pool in pools]
    rows = [np.zeros(len(room[0]), dtype=np.int64) for _ in pools]
    scarce_first = sorted((0, 1), key=lambda kind: room[kind].sum() / max(wanted[kind], 1e-9))
    for rest in (wanted, None):  # the second time what one kind could not give for the cap, from the other
        for kind in scarce_first:
            missing = demand.n - int(rows[0].sum() + rows[1].sum())
            number = missing if rest is None else rest[kind]
            if number > 0:
                left = room[kind] - rows[kind]
                rows[kind] = rows[kind] + _row_numbers(left, found[kind], number, rows[0] + rows[1], demand)
    return rows[0], rows[1]


def _row_numbers(
    room: NDArray[np.int64], found: NDArray[np.float64], wanted: int, levels: NDArray[np.int64], demand: Demand
) -> NDArray[np.int64]:
    if demand.balance == "equal":
        return share_out(room, wanted, levels)
    if demand.balance == "capped":
        room = np.clip(demand.cap - levels, 0, room)
    number = np.array([min(wanted, int(room.sum()))])
    weights = np.where(room > 0, found, 0.0)[None]
    return whole_numbers(in_proportion(weights, room[None], number), room[None], number)[0]


def _spread(pool: Pool, rows: NDArray[np.int64], tilt: float) -> NDArray[np.float64]:
    if not rows.any():
        return np.zeros(pool.room.shape)
    if math.isinf(tilt):
        return _from_the_end(pool, rows, tilt)
    return in_proportion(pool.weights * _tilted(pool, tilt), pool.room, rows)


def _tilted(pool: Pool, tilt: float) -> NDArray[np.float64]:
    if tilt == 0.0 or not len(pool.centres):
        return np.ones(len(pool.centres))
    exponents = tilt * pool.centres
    return np.exp(exponents - exponents.max())


def _from_the_end(pool: Pool, rows: NDArray[np.int64], tilt: float) -> NDArray[np.float64]:
    order = np.argsort(pool.cells, kind="stable")[:: -1 if tilt > 0 else 1]
    room = pool.room[:, order]
    before = np.cumsum(room, axis=1) - room
    shared = np.zeros(room.shape)
    shared[:, order] = np.clip(rows[:, None] - before, 0, room)
    return shared
