"""Every setting of a curriculum: default, bounds and help, stated once; and the phases that follow from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self

from pydantic import Field, model_validator

from simtune_core.candidates.counting import SAMPLE_CAP, LabelRule
from simtune_core.settings import Settings

PhaseName = Literal["easy", "medium", "hard"]
STEP = 0.01  # similarity thresholds are multiples of it
_POSITIVE = "Positives of this phase have at least this similarity."
_NEGATIVE = "Negatives of this phase have a similarity below this one."
_WANTED = "Separability this phase should have, in points of cosine; shown beside the measured one."


@dataclass(frozen=True, slots=True)
class Phase:
    """One phase's bands, cosine; half-open [min, max), a maximum of 1 included.

    Attributes:
        name: easy, medium or hard.
        pos_min: Least similarity of a positive.
        pos_max: Greatest similarity of a positive.
        neg_min: Least similarity of a negative.
        neg_max: Greatest similarity of a negative.
        separability_wanted: The target, in points.
    """

    name: PhaseName
    pos_min: float
    pos_max: float
    neg_min: float
    neg_max: float
    separability_wanted: float

    @property
    def separability_max(self) -> float:
        """Return the largest separability that any pairs of these bands can have, in points."""
        return self.pos_max - self.neg_min

    @property
    def reachable(self) -> bool:
        """Tell whether the target is not above that."""
        return self.separability_wanted <= self.separability_max


class CandidatesConfig(Settings):
    """How pairs are sampled once all of them are counted."""

    seed: int = Field(0, ge=0, le=2**32 - 1, description="The same seed samples the same pairs.")
    cap: int = Field(
        SAMPLE_CAP, ge=100, le=50_000, description="Sampled pairs for each 0.01 of similarity and kind of pair."
    )


class CurriculumConfig(Settings):
    """Three phases of pairs; cumulative bands by default, so that a later phase holds everything an earlier one may."""

    easy_pos_min: float = Field(0.52, ge=-1.0, le=1.0, description=_POSITIVE)
    medium_pos_min: float = Field(0.40, ge=-1.0, le=1.0, description=_POSITIVE)
    hard_pos_min: float = Field(0.30, ge=-1.0, le=1.0, description=_POSITIVE)
    easy_neg_max: float = Field(0.36, ge=-1.0, le=1.0, description=_NEGATIVE)
    medium_neg_max: float = Field(0.45, ge=-1.0, le=1.0, description=_NEGATIVE)
    hard_neg_max: float = Field(0.50, ge=-1.0, le=1.0, description=_NEGATIVE)
    neg_min: float = Field(
        0.20, ge=-1.0, le=1.0,
        description="Negatives of every phase have at least this similarity; unlike pairs teach nothing.",
    )  # fmt: skip
    cumulative: bool = Field(
        True,
        description="Cumulative: each phase reaches from its bound to the far end. Literal: from its bound to the "
        "bound of the phase before, with which the wanted separabilities are out of reach.",
    )
    easy_separability: float = Field(0.37, ge=-2.0, le=2.0, description=_WANTED)
    medium_separability: float = Field(0.27, ge=-2.0, le=2.0, description=_WANTED)
    hard_separability: float = Field(0.19, ge=-2.0, le=2.0, description=_WANTED)
    pairs_per_phase: int = Field(5000, ge=2, le=200_000, description="Pairs of each phase, half of them positive.")
    same_category_share: float = Field(
        0.0, ge=0.0, le=1.0,
        description="Share of the negatives whose two records have the same category. Without duplicate groups a "
        "same-category pair that fits both bands is then left out.",
    )  # fmt: skip
    balance_categories: bool = Field(True, description="Draw as many pairs from every category, while it has them.")
    seed: int = Field(0, ge=0, le=2**32 - 1, description="The same seed draws the same pairs.")

    @model_validator(mode="after")
    def _bands_make_sense(self) -> Self:
        positives = (self.easy_pos_min, self.medium_pos_min, self.hard_pos_min)
        negatives = (self.easy_neg_max, self.medium_neg_max, self.hard_neg_max)
        if not positives[0] >= positives[1] >= positives[2]:
            raise ValueError(
                f"positives must get harder: easy_pos_min >= medium_pos_min >= hard_pos_min, got {_list(positives)}"
            )
        if not negatives[0] <= negatives[1] <= negatives[2]:
            raise ValueError(
                f"negatives must get harder: easy_neg_max <= medium_neg_max <= hard_neg_max, got {_list(negatives)}"
            )
        if self.neg_min >= negatives[0]:
            raise ValueError(f"neg_min must be below easy_neg_max, got {self.neg_min:g} and {negatives[0]:g}")
        cuts = (*positives, *negatives, self.neg_min)
        odd = [cut for cut in cuts if abs(cut / STEP - round(cut / STEP)) > 1e-6]
        if odd:
            raise ValueError(f"similarity thresholds must be multiples of {STEP}, got {_list(odd)}")
        return self

    @property
    def phases(self) -> tuple[Phase, Phase, Phase]:
        """Return the phases, easy first."""
        literal = not self.cumulative
        return (
            Phase("easy", self.easy_pos_min, 1.0, self.neg_min, self.easy_neg_max, self.easy_separability),
            Phase(
                "medium",
                self.medium_pos_min,
                self.easy_pos_min if literal else 1.0,
                self.easy_neg_max if literal else self.neg_min,
                self.medium_neg_max,
                self.medium_separability,
            ),
            Phase(
                "hard",
                self.hard_pos_min,
                self.medium_pos_min if literal else 1.0,
                self.medium_neg_max if literal else self.neg_min,
                self.hard_neg_max,
                self.hard_separability,
            ),
        )


def preset(rule: LabelRule) -> CurriculumConfig:
    """Return the settings to begin with: with duplicate groups 70 % of the negatives share a category, else none.

    Where the group makes a pair positive, negatives of the same category keep the category from being a shortcut; where
    the category itself does, a negative of the same category contradicts the label.
    """
    return CurriculumConfig(same_category_share=0.7 if rule == "duplicate_group" else 0.0)


def _list(values: tuple[float, ...] | list[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)
