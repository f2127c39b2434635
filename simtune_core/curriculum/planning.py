"""What every phase of a curriculum will hold, in whole numbers of pairs: fast enough for a slider, and what is drawn.

Works on counted candidates alone (numpy); touches no pair. drawing.py executes a plan; the settings are in config.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from simtune_core.candidates.counted import N_CELLS
from simtune_core.curriculum.cells import overlap_of, roc_auc_of_cells
from simtune_core.curriculum.classes import Allotted, Demand, Pool, allot, pool_of, whole_spread
from simtune_core.curriculum.config import CurriculumConfig, PhaseConfig
from simtune_core.curriculum.rules import NEGATIVE_ROLES, POSITIVE_ROLES, Role, Rule, eligible_pairs, resolve_rule
from simtune_core.curriculum.supply import Supply
from simtune_core.curriculum.tilting import reach_of, tilt_for

Reason = Literal["band", "sample", "earlier_phases", "category_cap", "share", "test_shape", "max_per_record"]


@dataclass(frozen=True, slots=True)
class Loss:
    """Pairs wanted that a phase does not get, or gets otherwise than wanted, and why.

    Attributes:
        reason: What costs them. `category_cap` and `share` may be made up for by other categories or the other kind,
            so losses add up to the shortage or more.
        n: Pairs.
        words: The same in a sentence.
    """

    reason: Reason
    n: int
    words: str


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


@dataclass(frozen=True, slots=True, eq=False)
class PhasePlan:
    """One phase, in whole numbers of pairs. What needs both classes is None where only one is present.

    Attributes:
        phase: What was wanted.
        positive: Positives to draw by stratum, same category, known positive and cell; shape (n_strata, 2, 2, N_CELLS).
        negative: The same of negatives.
        positive_cells: Positives by cell of 0.01; shape (N_CELLS,).
        negative_cells: Negatives by cell.
        positive_mean: Expected mean similarity of the positives, cosine; None without any.
        negative_mean: Expected mean similarity of the negatives, cosine.
        n_cross_category: Positives of two categories.
        n_same_category: Negatives of one category.
        available: Candidates of each role in the bands, those that earlier phases take included.
        n_conflicting: Candidates that fit a positive and a negative role, left out.
        reach: The least and the greatest separability that the candidates left allow with these numbers, shares and
            balance, in points; None without both classes.
        tilt: Exponent per point of cosine by which the phase's similarities were tilted; 0 as found.
        distances: To the test set, by label; None without one.
        losses: What is missing, and why.
        explanations: What the settings make impossible or odd, in sentences.
    """

    phase: PhaseConfig
    positive: NDArray[np.int64]
    negative: NDArray[np.int64]
    positive_cells: NDArray[np.int64]
    negative_cells: NDArray[np.int64]
    positive_mean: float | None
    negative_mean: float | None
    n_cross_category: int
    n_same_category: int
    available: dict[Role, int]
    n_conflicting: int
    reach: tuple[float, float] | None
    tilt: float
    distances: tuple[Distance, Distance] | None
    losses: tuple[Loss, ...]
    explanations: tuple[str, ...]

    @property
    def n_positive(self) -> int:
        """Return how many positives the phase gets."""
        return int(self.positive_cells.sum())

    @property
    def n_negative(self) -> int:
        """Return how many negatives the phase gets."""
        return int(self.negative_cells.sum())

    @property
    def n_pairs(self) -> int:
        """Return the yield: how many pairs the phase gets."""
        return self.n_positive + self.n_negative

    @property
    def n_wanted(self) -> int:
        """Return how many pairs were asked for."""
        return self.phase.n_wanted

    @property
    def shortage(self) -> int:
        """Return how many of the wanted pairs there will not be."""
        return self.n_wanted - self.n_pairs

    @property
    def separability(self) -> float | None:
        """Return expected positive minus mean negative similarity, in points of cosine."""
        if self.positive_mean is None or self.negative_mean is None:
            return None
        return self.positive_mean - self.negative_mean

    @property
    def overlap(self) -> float | None:
        """Return the share of pairs between the lowest positive and the highest negative cell, in [0, 1]."""
        return overlap_of(self.positive_cells, self.negative_cells)

    @property
    def roc_auc(self) -> float | None:
        """Return the ROC-AUC of the space itself on the phase, similarities rounded to 0.01, in [0, 1]."""
        return roc_auc_of_cells(self.positive_cells, self.negative_cells)

    @property
    def balance(self) -> NDArray[np.int64]:
        """Return the pairs of each category, positives and negatives; shape (n_strata, 2)."""
        return np.stack([self.positive.sum(axis=(1, 2, 3)), self.negative.sum(axis=(1, 2, 3))], axis=1)


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """A whole curriculum, in whole numbers of pairs.

    Attributes:
        phases: In order; no candidate is allotted twice.
        rule: What makes a pair positive.
    """

    phases: tuple[PhasePlan, ...]
    rule: Rule

    @property
    def n_pairs(self) -> int:
        """Return how many pairs the curriculum gets."""
        return sum(phase.n_pairs for phase in self.phases)


def plan(supply: Supply, config: CurriculumConfig) -> Plan:
    """Allot candidates to phases, first to last; what one takes is gone for the next.

    Args:
        supply: Counted candidates; make it once and keep it.
        config: Rule, phases and balance.

    Returns:
        Numbers that a draw gives exactly, unless `max_per_record` takes some away. Means are expected ones: within a
        stratum, kind and cell every candidate is drawn with the same chance.

    Raises:
        ConfigError: If the rule reads what the candidates do not know, or a phase takes the shape of a test set and
            there is none.
    """
    rule = resolve_rule(supply.counts, config.rule)
    left = supply.sampled.copy()
    phases = [_plan_phase(supply, left, rule, config, phase) for phase in config.phases]
    return Plan(tuple(phases), rule)


@dataclass(frozen=True, slots=True, eq=False)
class _Class:
    """One class of a phase, spread over similarity."""

    allotted: Allotted
    spread: list[NDArray[np.int64]]

    @property
    def mean(self) -> float | None:
        if not self.allotted.n:
            return None
        parts = zip(self.spread, self.allotted.pools, strict=True)
        return sum(float(np.vdot(numbers, pool.mean)) for numbers, pool in parts) / self.allotted.n

    def quotas(self, shape: tuple[int, ...]) -> NDArray[np.int64]:
        """Return the numbers by stratum, same category, known positive and cell."""
        whole = np.zeros((shape[0], int(np.prod(shape[1:]))), dtype=np.int64)
        for numbers, pool in zip(self.spread, self.allotted.pools, strict=True):
            whole[:, pool.columns] = numbers
        return whole.reshape(shape)


def _plan_phase(
    supply: Supply, left: NDArray[np.int64], rule: Rule, config: CurriculumConfig, phase: PhaseConfig
) -> PhasePlan:
    """Allot one phase and take it out of `left`."""
    eligible = eligible_pairs(rule, phase)
    pools = {role: pool_of(supply, left, mask) for role, mask in eligible.masks.items()}
    sides = [
        allot((pools[roles[0]], pools[roles[1]]), _demand(config, n, share))
        for roles, n, share in (
            (POSITIVE_ROLES, phase.n_positives, phase.cross_category_share),
            (NEGATIVE_ROLES, phase.n_negatives, phase.same_category_share),
        )
    ]
    tilt = 0.0
    reach = reach_of(*sides)
    if phase.shape == "target" and phase.separability is not None and reach is not None:
        tilt = tilt_for(sides[0], sides[1], phase.separability)
    positive = _Class(sides[0], whole_spread(sides[0], tilt))
    negative = _Class(sides[1], whole_spread(sides[1], -tilt))
    quotas = positive.quotas(left.shape), negative.quotas(left.shape)
    left -= quotas[0]
    left -= quotas[1]
    return PhasePlan(
        phase=phase,
        positive=quotas[0],
        negative=quotas[1],
        positive_cells=quotas[0].sum(axis=(0, 1, 2)),
        negative_cells=quotas[1].sum(axis=(0, 1, 2)),
        positive_mean=positive.mean,
        negative_mean=negative.mean,
        n_cross_category=int(positive.spread[1].sum()),
        n_same_category=int(negative.spread[1].sum()),
        available={
            role: int(supply.pairs.reshape(len(left), -1)[:, pool.columns].sum()) for role, pool in pools.items()
        },
        n_conflicting=int(supply.pairs[:, eligible.conflicting].sum()),
        reach=reach,
        tilt=tilt,
        distances=None,
        losses=(),
        explanations=(),
    )


def _demand(config: CurriculumConfig, n: int, share: float) -> Demand:
    return Demand(n, round(n * share), config.balance, int(config.category_cap * n))
