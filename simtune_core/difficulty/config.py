"""Every setting of a difficulty measurement: default, bounds and help, stated once."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from simtune_core.evaluation.findings import CIRCULAR_ROC_AUC
from simtune_core.pairs import SCORE_CUT
from simtune_core.settings import Settings


class DifficultyConfig(Settings):
    """From when on two pair sets count as different."""

    score_cut: float = Field(
        SCORE_CUT, gt=0.0, le=1.0, description="A pair with a graded score counts as similar from this score on."
    )
    easier_margin: float = Field(
        0.05, ge=0.0, le=1.0, description="Training pairs are too easy when their separability exceeds by this much."
    )
    prevalence_margin: float = Field(
        0.05, ge=0.0, le=1.0, description="Spearman is not compared when the shares of positives differ by this much."
    )
    circular_roc_auc: float = Field(
        CIRCULAR_ROC_AUC,
        ge=0.5,
        le=1.0,
        description="Labels that TF-IDF alone separates this well may have been made from it.",
    )
    grey_low: float = Field(
        0.4, ge=-1.0, le=1.0, description="The grey zone, of which similarity tells little, begins at this similarity."
    )
    grey_high: float = Field(0.6, ge=-1.0, le=1.0, description="The grey zone ends below this similarity.")

    @model_validator(mode="after")
    def _grey_zone_has_a_width(self) -> Self:
        if self.grey_low >= self.grey_high:
            raise ValueError(f"grey_low must be below grey_high, got {self.grey_low:g} and {self.grey_high:g}")
        return self


class MismatchConfig(Settings):
    """How the intervals of the differences between two pair sets are made."""

    n_resamples: int = Field(1000, ge=100, le=20_000, description="How often the records are resampled.")
    level: float = Field(0.95, gt=0.5, lt=1.0, description="Coverage of an interval.")
    seed: int = Field(0, ge=0, le=2**32 - 1, description="Seed of the resampling.")
