"""Both classes of a phase from demand to whole numbers: what planning.py puts together. Words nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simtune_core.candidates.counted import N_CELLS
from simtune_core.curriculum.classes import Allotted, Demand, allot, pool_of, whole_spread
from simtune_core.curriculum.config import CurriculumConfig, PhaseConfig
from simtune_core.curriculum.explaining import Numbers
from simtune_core.curriculum.matching import match
from simtune_core.curriculum.rules import NEGATIVE_ROLES, POSITIVE_ROLES, Eligible
from simtune_core.curriculum.supply import Supply
from simtune_core.errors import ConfigError


@dataclass(frozen=True, slots=True, eq=False)
class Filled:
    """One class of a phase in whole numbers.

    Attributes:
        quotas: Pairs by stratum, same category, known positive and cell; shape (n_strata, 2, 2, N_CELLS).
        by_kind: The same, all strata together; shape (2, 2, N_CELLS).
        mean: Expected mean similarity, cosine; None without a pair.
        numbers: What became of the pairs wanted.
    """

    quotas: NDArray[np.int64]
    by_kind: NDArray[np.int64]
    mean: float | None
    numbers: Numbers


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One class of a phase before it is spread over similarity.

    Attributes:
        label: 1 for positives, 0 for negatives.
        demand: What is wanted.
        mask: Kinds and cells that may give it; shape (2, 2, N_CELLS).
        allotted: Numbers by category.
    """

    label: int
    demand: Demand
    mask: NDArray[np.bool_]
    allotted: Allotted

    def fill(self, supply: Supply, phase: PhaseConfig, tilt: float) -> Filled:
        """Spread the class over similarity in the phase's shape.

        Raises:
            ConfigError: If the shape is the test's and there is no test set.
        """
        pools = self.allotted.pools
        if phase.shape != "test":
            spread, n_displaced = whole_spread(self.allotted, tilt), self.allotted.n_displaced
        else:
            matched = match(pools, self.demand, _test_shape(supply, phase, self.label))
            spread, n_displaced = matched.spread, matched.n_displaced
        quotas = np.zeros((len(supply.pairs), 4 * N_CELLS), dtype=np.int64)
        by_kind = np.zeros(4 * N_CELLS, dtype=np.int64)
        total = 0.0
        for numbers, pool in zip(spread, pools, strict=True):
            quotas[:, pool.columns] = numbers
            by_kind[pool.columns] = numbers.sum(axis=0)
            total += float(np.vdot(numbers, pool.mean))
        got = int(by_kind.sum())
        return Filled(
            quotas=quotas.reshape(-1, 2, 2, N_CELLS),
            by_kind=by_kind.reshape(2, 2, N_CELLS),
            mean=total / got if got else None,
            numbers=Numbers(
                wanted=self.demand.n,
                in_band=int(supply.total[self.mask].sum()),
                sampled=int(supply.n_sampled[self.mask].sum()),
                left=sum(int(pool.room.sum()) for pool in pools),
                got=got,
                n_displaced=n_displaced,
                second_wanted=self.demand.second,
                second_got=int(spread[1].sum()),
            ),
        )


def side_of(
    supply: Supply,
    left: NDArray[np.int64],
    eligible: Eligible,
    config: CurriculumConfig,
    label: int,
    phase: PhaseConfig,
) -> Side:
    """Allot one class of a phase to categories and kinds."""
    roles = POSITIVE_ROLES if label else NEGATIVE_ROLES
    n, share = (
        (phase.n_positives, phase.cross_category_share) if label else (phase.n_negatives, phase.same_category_share)
    )
    masks = [eligible.masks[role] for role in roles]
    cap = int(config.category_cap * n) if supply.counts.has_categories else n
    demand = Demand(n, round(n * share), config.balance, cap)
    pools = pool_of(supply, left, masks[0]), pool_of(supply, left, masks[1])
    return Side(label, demand, masks[0] | masks[1], allot(pools, demand))


def _test_shape(supply: Supply, phase: PhaseConfig, label: int) -> NDArray[np.int64]:
    """Return the test pairs of a label by kind, in the order of the roles, and cell; shape (2, N_CELLS)."""
    cells = supply.test_cells
    if cells is None:
        raise ConfigError(
            f"{phase.name}: the shape test needs test pairs to resemble, and these candidates were counted without; "
            "count them with a test set, or choose another shape."
        )
    return cells[label][::-1] if label else cells[label]
