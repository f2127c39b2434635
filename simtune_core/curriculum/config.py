"""Every setting of a curriculum: default, bounds and help, stated once; a curriculum is any number of phases."""

from __future__ import annotations

from collections import Counter
from typing import Literal, Self

from pydantic import Field, model_validator

from simtune_core.candidates.counted import STEP
from simtune_core.settings import Settings

RuleName = Literal["auto", "duplicate_group", "category", "band", "label"]
Shape = Literal["as_found", "target", "test"]
Balance = Literal["equal", "capped", "as_found"]
MOST_PHASES = 12
MOST_PAIRS = 200_000  # of one class of one phase


class PhaseConfig(Settings):
    """One phase: a positive band, a negative band, how many of each. Bands are half-open [min, max), 1.0 included."""

    name: str = Field("phase", min_length=1, max_length=40, pattern=r"^[\w][\w .-]*$", description="Unique, short.")
    pos_min: float = Field(0.52, ge=-1.0, le=1.0, description="Positives have at least this similarity.")
    pos_max: float = Field(1.0, ge=-1.0, le=1.0, description="Positives have a similarity below this one.")
    neg_min: float = Field(
        0.20, ge=-1.0, le=1.0, description="Negatives have at least this similarity; unlike pairs teach nothing."
    )
    neg_max: float = Field(0.36, ge=-1.0, le=1.0, description="Negatives have a similarity below this one.")
    n_positives: int = Field(2500, ge=0, le=MOST_PAIRS, description="Positive pairs wanted.")
    n_negatives: int = Field(2500, ge=0, le=MOST_PAIRS, description="Negative pairs wanted.")
    same_category_share: float = Field(
        0.0, ge=0.0, le=1.0,
        description="Share of the negatives whose two records have the same category, so that the category alone "
        "does not tell them apart. Under the rule band, 0 leaves it as found.",
    )  # fmt: skip
    cross_category_share: float = Field(
        0.0, ge=0.0, le=1.0,
        description="Share of the positives whose two records have different categories, so that the category is no "
        "shortcut. Under the rule band, 0 leaves it as found.",
    )  # fmt: skip
    separability: float | None = Field(
        None, ge=-2.0, le=2.0,
        description="Mean positive minus mean negative similarity that this phase should have, in points of cosine.",
    )  # fmt: skip
    shape: Shape = Field(
        "target",
        description="How a phase's pairs spread over its bands. As found: as often as similarities occur. Target: "
        "tilted as little as reaches the separability wanted. Test: as the test set's pairs spread.",
    )

    @model_validator(mode="after")
    def _bands_make_sense(self) -> Self:
        for kind, low, high in (("pos", self.pos_min, self.pos_max), ("neg", self.neg_min, self.neg_max)):
            if low >= high:
                raise ValueError(f"{self.name}: {kind}_min must be below {kind}_max, got {low:g} and {high:g}")
        cuts = (self.pos_min, self.pos_max, self.neg_min, self.neg_max)
        odd = [cut for cut in cuts if abs(cut / STEP - round(cut / STEP)) > 1e-6]
        if odd:
            raise ValueError(
                f"{self.name}: similarity bounds must be multiples of {STEP}, got {', '.join(map('{:g}'.format, odd))}"
            )
        if self.n_positives + self.n_negatives == 0:
            raise ValueError(f"{self.name}: a phase must want at least one pair, got 0 positives and 0 negatives")
        return self

    @property
    def n_wanted(self) -> int:
        """Return how many pairs are asked for."""
        return self.n_positives + self.n_negatives

    @property
    def separability_max(self) -> float:
        """Return the largest separability that any pairs of these bands can have, in points."""
        return self.pos_max - self.neg_min

    @property
    def separability_min(self) -> float:
        """Return the least separability that any pairs of these bands can have, in points."""
        return self.pos_min - self.neg_max

    @property
    def reachable(self) -> bool:
        """Tell whether the wanted separability lies within what the bands allow at all."""
        return self.separability is None or self.separability_min <= self.separability <= self.separability_max


def cumulative_phases(*, same_category_share: float = 0.0) -> tuple[PhaseConfig, ...]:
    """Return the three phases of 5,000 pairs whose bands grow: a later phase holds all that an earlier one may."""
    return tuple(
        PhaseConfig(name=name, pos_min=low, neg_max=high, separability=wanted, same_category_share=same_category_share)
        for name, low, high, wanted in _STORY
    )


def literal_phases(*, same_category_share: float = 0.0) -> tuple[PhaseConfig, ...]:
    """Return the story's bands read literally: each phase from its bound to that of the phase before.

    Phases 2 and 3 cannot reach the separabilities wanted of them; `PhaseConfig.reachable` says so.
    """
    phases, high, low = [], 1.0, PhaseConfig.model_fields["neg_min"].default
    for name, pos_min, neg_max, wanted in _STORY:
        phases.append(
            PhaseConfig(
                name=name, pos_min=pos_min, pos_max=high, neg_min=low, neg_max=neg_max, separability=wanted,
                same_category_share=same_category_share,
            )
        )  # fmt: skip
        high, low = pos_min, neg_max
    return tuple(phases)


class CurriculumConfig(Settings):
    """A label rule, phases, and how their pairs are drawn; the cumulative preset of three phases by default."""

    rule: RuleName = Field(
        "auto",
        description="What makes a pair positive or negative. Auto: labels of a pair set, else known duplicate groups, "
        "else equal categories, else the band. Band: the similarity band alone.",
    )
    phases: tuple[PhaseConfig, ...] = Field(
        default_factory=cumulative_phases, min_length=1, max_length=MOST_PHASES,
        description="In order; a pair that one phase takes is gone for the next.",
    )  # fmt: skip
    balance: Balance = Field(
        "equal",
        description="Categories of each phase. Equal: the same number from each, and what one lacks the others share. "
        "Capped: none has more than category_cap; others make up for it as far as they can. As found: as they occur.",
    )
    category_cap: float = Field(
        0.25, gt=0.0, le=1.0, description="The largest share of one class of one phase that one category may have."
    )
    max_per_record: int = Field(
        0, ge=0, le=10_000, description="Pairs of the whole curriculum that one record may be in; 0 is no limit."
    )
    seed: int = Field(0, ge=0, le=2**32 - 1, description="The same seed draws the same pairs.")

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        twice = [name for name, n in Counter(phase.name for phase in self.phases).items() if n > 1]
        if twice:
            raise ValueError(f"phases must have names of their own, got {twice[0]!r} twice")
        return self


# name, least similarity of positives, greatest of negatives, separability wanted (MISSION.md, cause 2)
_STORY = (("easy", 0.52, 0.36, 0.37), ("medium", 0.40, 0.45, 0.27), ("hard", 0.30, 0.50, 0.19))
