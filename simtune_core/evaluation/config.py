"""Every setting of an evaluation: default, bounds and help, stated once."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from simtune_core.pairs import SCORE_CUT
from simtune_core.settings import Settings

ThresholdRule = Literal["best_mcc", "best_f1", "youden", "fpr_at_most", "precision_at_least"]


class EvaluationConfig(Settings):
    """How scores become a threshold, an interval and a verdict."""

    threshold_rule: ThresholdRule = Field("best_mcc", description="How the threshold is chosen on the dev pairs.")
    max_fpr: float = Field(
        0.2, ge=0.0, le=1.0, description="Greatest false-positive rate that the rule fpr_at_most allows."
    )
    min_precision: float = Field(
        0.8, ge=0.0, le=1.0, description="Least precision that the rule precision_at_least asks for."
    )
    score_cut: float = Field(
        SCORE_CUT, gt=0.0, le=1.0, description="A pair with a graded score counts as similar from this score on."
    )
    n_resamples: int = Field(2000, ge=100, le=20_000, description="How often the records are resampled.")
    level: float = Field(0.95, gt=0.5, lt=1.0, description="Coverage of an interval.")
    margin: float = Field(
        0.01, ge=0.0, le=0.2, description="A difference whose interval lies inside plus or minus this margin is a TIE."
    )
    seed: int = Field(0, ge=0, le=2**32 - 1, description="Seed of the resampling.")
