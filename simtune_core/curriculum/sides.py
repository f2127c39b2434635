"""Both classes of a phase from demand to whole numbers: what planning.py puts together. Words nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from simtune_core.candidates.counted import N_CELLS
from simtune_core.curriculum.cells import in_band
from simtune_core.curriculum.classes import Allotted, Demand, allot, pool_of, whole_spread
from simtune_core.curriculum.config import CurriculumConfig, PhaseConfig
from simtune_core.curriculum.explaining import Numbers
from simtune_core.curriculum.matching import match
from simtune_core.curriculum.rules import NEGATIVE_ROLES, POSITIVE_ROLES, Eligible
from simtune_core.curriculum.supply import Supply
from simtune_core.curriculum.tilting import reach_of, tilt_for
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
class FilledBoth:
    """Both classes of a phase in whole numbers.

    Attributes:
        positive: The positives.
        negative: The negatives.
        reach: The least and the greatest separability that these candidates, numbers, shares and categories allow, in
            points; None without both classes.
        tilt: Exponent per point of cosine by which the similarities were tilted; 0 as found.
    """

    positive: Filled
    negative: Filled
    reach: tuple[float, float] | None
    tilt: float


@dataclass(frozen=True, slots=True, eq=False)
class _Side:
    """One class of a phase before it is spread over similarity.

    Attributes:
        label: 1 for positives, 0 for negatives.
        demand: What is wanted.
        mask: Kinds and cells that may give it; shape (2, 2, N_CELLS).
        n_in_reach: Candidates of any kind in the band.
        n_left: Candidates of `mask` that no earlier phase took.
        allotted: Numbers by category.
    """

    label: int
    demand: Demand
    mask: NDArray[np.bool_]
    n_in_reach: int
    n_left: int
    allotted: Allotted


def fill_both(
    supply: Supply, left: NDArray[np.int64], eligible: Eligible, config: CurriculumConfig, phase: PhaseConfig
) -> FilledBoth:
    """Allot both classes of a phase in its shape.

    Args:
        supply: All candidates.
        left: Of the sample, what no phase has taken; shape (n_strata, 2, 2, N_CELLS). Not changed.
        eligible: What may be positive and what negative.
        config: How categories are balanced.
        phase: Numbers, shares and shape.

    Raises:
        ConfigError: If the shape is the test's and there is no test set.
    """
    positive, negative = (_side(supply, left, eligible, config, phase, label) for label in (1, 0))
    reach = reach_of(positive.allotted, negative.allotted)
    if phase.shape == "test":
        above = _matched(supply, phase, positive)
        rest = _side(supply, left - above.quotas, eligible, config, phase, 0)  # both may want the same pairs
        return FilledBoth(above, _matched(supply, phase, replace(rest, n_left=negative.n_left)), reach, 0.0)
    tilt = 0.0
    if phase.shape == "target" and phase.separability is not None and reach is not None:
        tilt = tilt_for(positive.allotted, negative.allotted, phase.separability, reach)
    spreads = whole_spread(positive.allotted, tilt), whole_spread(negative.allotted, -tilt)
    filled = (
        _filled(supply, side, spread, side.allotted.n_displaced)
        for side, spread in zip((positive, negative), spreads, strict=True)
    )
    return FilledBoth(next(filled), next(filled), reach, tilt)


def _side(
    supply: Supply,
    left: NDArray[np.int64],
    eligible: Eligible,
    config: CurriculumConfig,
    phase: PhaseConfig,
    label: int,
) -> _Side:
    """Allot one class of a phase to categories and kinds."""
    if label:
        roles, n, share = POSITIVE_ROLES, phase.n_positives, phase.cross_category_share
        band = in_band(phase.pos_min, phase.pos_max)
    else:
        roles, n, share = NEGATIVE_ROLES, phase.n_negatives, phase.same_category_share
        band = in_band(phase.neg_min, phase.neg_max)
    first, second = (eligible.masks[role] for role in roles)
    cap = int(config.category_cap * n) if supply.counts.has_categories else n
    demand = Demand(n, round(n * share), config.balance, cap)
    pools = pool_of(supply, left, first), pool_of(supply, left, second)
    n_left = sum(int(pool.room.sum()) for pool in pools)
    return _Side(label, demand, first | second, int(supply.total[..., band].sum()), n_left, allot(pools, demand))


def _matched(supply: Supply, phase: PhaseConfig, side: _Side) -> Filled:
    cells = supply.test_cells
    if cells is None:
        raise ConfigError(
            f"{phase.name}: the shape test needs test pairs to resemble, and these candidates were counted without; "
            "count them with a test set, or choose another shape."
        )
    by_kind = cells[side.label][::-1] if side.label else cells[side.label]  # in the order of the roles
    matched = match(side.allotted.pools, side.demand, by_kind)
    return _filled(supply, side, matched.spread, matched.n_displaced)


def _filled(supply: Supply, side: _Side, spread: list[NDArray[np.int64]], n_displaced: int) -> Filled:
    """Lay the columns of both kinds out over kinds and cells, and add up."""
    quotas = np.zeros((len(supply.pairs), 4 * N_CELLS), dtype=np.int64)
    by_kind = np.zeros(4 * N_CELLS, dtype=np.int64)
    total = 0.0
    for numbers, pool in zip(spread, side.allotted.pools, strict=True):
        quotas[:, pool.columns] = numbers
        by_kind[pool.columns] = numbers.sum(axis=0)
        total += float(np.vdot(numbers, pool.mean))
    got = int(by_kind.sum())
    return Filled(
        quotas=quotas.reshape(-1, 2, 2, N_CELLS),
        by_kind=by_kind.reshape(2, 2, N_CELLS),
        mean=total / got if got else None,
        numbers=Numbers(
            wanted=side.demand.n,
            in_reach=side.n_in_reach,
            in_band=int(supply.total[side.mask].sum()),
            sampled=int(supply.n_sampled[side.mask].sum()),
            left=side.n_left,
            got=got,
            n_displaced=n_displaced,
            second_wanted=side.demand.second,
            second_got=int(spread[1].sum()),
        ),
    )
