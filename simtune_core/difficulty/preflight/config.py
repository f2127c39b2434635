"""Every setting of a preflight: default, bounds and help, stated once."""

from __future__ import annotations

from pydantic import Field

from simtune_core.difficulty.config import DifficultyConfig
from simtune_core.evaluation.config import EvaluationConfig
from simtune_core.pairs import SCORE_CUT
from simtune_core.settings import Settings


class PreflightConfig(Settings):
    """What counts as solved, covered, shifted and detectable, and how much is looked at."""

    score_cut: float = Field(
        SCORE_CUT, gt=0.0, le=1.0, description="A pair with a graded score counts as similar from this score on."
    )
    seed: int = Field(0, ge=0, le=2**32 - 1, description="Seed of everything random in the preflight.")

    solved_roc_auc: float = Field(
        0.95, ge=0.5, le=1.0, description="Training pairs on which the baseline's ROC-AUC is higher are solved already."
    )
    solved_margin: float = Field(
        0.05,
        ge=0.0,
        le=0.5,
        description="They are too easy when it also exceeds that on the test pairs by this.",
    )
    easier_margin: float = Field(
        0.10, ge=0.0, le=1.0, description="Training pairs are too easy when their separability exceeds by this much."
    )
    unlearnable_margin: float = Field(
        0.03, ge=0.0, le=0.5, description="A ROC-AUC within this of 0.5 is a coin's: the baseline sees nothing in them."
    )
    one_sided: float = Field(
        0.95, ge=0.5, le=1.0, description="Pairs of which this share has one label hold hardly anything to compare."
    )
    circular_roc_auc: float = Field(
        DifficultyConfig.model_fields["circular_roc_auc"].default,
        ge=0.5,
        le=1.0,
        description="Labels that TF-IDF alone separates this well, and better than the encoder, follow word overlap.",
    )
    circular_margin: float = Field(
        0.02, ge=0.0, le=0.5, description="By how much TF-IDF must be better than the encoder for that."
    )

    bin_width: float = Field(0.05, ge=0.01, le=0.5, description="Width of a similarity bin of the coverage.")
    min_cell_pairs: int = Field(
        20,
        ge=1,
        le=10_000,
        description="A cell (similarity bin and label) is covered by this many training pairs, in small sets by fewer.",
    )
    min_coverage: float = Field(
        0.8, ge=0.0, le=1.0, description="Least share of the test pairs that should lie in covered cells."
    )

    shift_pairs: int = Field(
        4000, ge=100, le=100_000, description="Pairs of each set that adversarial validation looks at, a seeded sample."
    )
    components: int = Field(
        4, ge=1, le=64, description="Principal components of |u - v| that adversarial validation sees."
    )
    strong_shift: float = Field(
        0.8, ge=0.5, le=1.0, description="From this ROC-AUC on the two sets are easily told apart."
    )

    n_folds: int = Field(5, ge=2, le=20, description="Record-grouped folds of adversarial validation and of the probe.")
    probe_pairs: int = Field(
        20_000, ge=100, le=1_000_000, description="Pairs of each set that the probe uses at most, a seeded sample."
    )
    min_probe_pairs: int = Field(
        100, ge=20, le=100_000, description="Least number of training pairs from which a probe is fitted."
    )
    penalties: tuple[float, ...] = Field(
        (0.0, 1e-3, 1e-2), min_length=1, description="The lambdas that the probe tries, fewer than a training does."
    )
    max_epochs: int = Field(10, ge=1, le=100, description="Greatest number of passes of the probe.")
    patience: int = Field(
        3, ge=1, le=100, description="A fit of the probe ends after this many passes without a better one."
    )
    fold_pairs: int = Field(
        3000, ge=100, le=1_000_000, description="Training pairs that the probe's folds use at most, a seeded sample."
    )

    power: float = Field(
        0.8, gt=0.5, lt=1.0, description="Chance of finding a true difference of the smallest detectable size."
    )
    reference_correlation: float = Field(
        0.9,
        ge=0.0,
        lt=1.0,
        description="How an imagined second model's scores correlate with the baseline's among pairs of equal target.",
    )
    coarse_test: float = Field(
        0.05, gt=0.0, le=0.5, description="A test set that detects only larger differences is too small to judge on."
    )
    max_contradictions: float = Field(
        0.01, ge=0.0, le=1.0, description="Greatest share of pairs that may contradict another one."
    )

    @property
    def resampling(self) -> EvaluationConfig:
        """Return how records are resampled and a difference is worded: as in every evaluation."""
        return EvaluationConfig(seed=self.seed)
