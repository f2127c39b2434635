"""Every setting of a difficulty measurement: default, bounds and help, stated once."""

from __future__ import annotations

from pydantic import Field

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
