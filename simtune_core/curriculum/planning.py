"""What every phase of a curriculum will hold, in whole numbers of pairs: fast enough for a slider, and what is drawn.

Works on counted candidates alone (numpy); touches no pair. drawing.py executes a plan; the settings are in config.py.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simtune_core.curriculum.cells import overlap_of, roc_auc_of_cells
from simtune_core.curriculum.config import CurriculumConfig, PhaseConfig
from simtune_core.curriculum.explaining import Loss, explanations_of, losses_of, shortcut_of, shortfall_of
from simtune_core.curriculum.matching import Distance, distances
from simtune_core.curriculum.rules import NEGATIVE_ROLES, POSITIVE_ROLES, Role, Rule, eligible_pairs, resolve_rule
from simtune_core.curriculum.sides import fill_both
from simtune_core.curriculum.supply import Supply


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
        shortcut: That the category alone tells positives from negatives, in a sentence; None where it does not.
    """

    phases: tuple[PhasePlan, ...]
    rule: Rule
    shortcut: str | None

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
    phases = tuple(_plan_phase(supply, left, rule, config, number) for number in range(len(config.phases)))
    counts = ("n_positive", "n_cross_category", "n_negative", "n_same_category")
    return Plan(phases, rule, shortcut_of(rule, *(sum(getattr(each, name) for each in phases) for name in counts)))


def _plan_phase(
    supply: Supply, left: NDArray[np.int64], rule: Rule, config: CurriculumConfig, number: int
) -> PhasePlan:
    """Allot one phase and take it out of `left`."""
    phase = config.phases[number]
    eligible = eligible_pairs(rule, phase)
    both = fill_both(supply, left, eligible, config, phase)
    left -= both.positive.quotas
    left -= both.negative.quotas
    positive, negative = both.positive, both.negative
    separability = None if positive.mean is None or negative.mean is None else positive.mean - negative.mean
    n_conflicting = int(supply.total[eligible.conflicting].sum())
    like, unlike = (eligible.masks[first] | eligible.masks[other] for first, other in (POSITIVE_ROLES, NEGATIVE_ROLES))
    return PhasePlan(
        phase=phase,
        positive=positive.quotas,
        negative=negative.quotas,
        positive_cells=positive.by_kind.sum(axis=(0, 1)),
        negative_cells=negative.by_kind.sum(axis=(0, 1)),
        positive_mean=positive.mean,
        negative_mean=negative.mean,
        n_cross_category=int(positive.by_kind[0].sum()) if rule.by_category else 0,
        n_same_category=int(negative.by_kind[1].sum()),
        available={role: int(supply.total[mask].sum()) for role, mask in eligible.masks.items()},
        n_conflicting=n_conflicting,
        reach=both.reach,
        tilt=both.tilt,
        distances=distances(supply, (unlike, like), (negative.by_kind, positive.by_kind)),
        losses=(*losses_of(1, positive.numbers, phase, rule), *losses_of(0, negative.numbers, phase, rule)),
        explanations=(
            *explanations_of(phase, rule, config.phases[:number], n_conflicting),
            *shortfall_of(phase, rule, separability, both.reach),
        ),
    )
