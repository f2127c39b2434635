"""Every setting of a noise estimate: default, bounds and help, stated once."""

from __future__ import annotations

from pydantic import Field

from simtune_core.difficulty.preflight.config import PreflightConfig
from simtune_core.settings import Settings


class NoiseConfig(Settings):
    """How the probe is cross-validated, from what on an estimate is believed, and how its interval is made."""

    seed: int = Field(0, ge=0, le=2**32 - 1, description="Seed of folds, samples, fits and resamples.")
    n_folds: int = Field(5, ge=3, le=10, description="Record-grouped folds; no probe judges a record that it has seen.")
    most_pairs: int = Field(
        50_000, ge=200, le=1_000_000, description="Pairs that are judged at most, a seeded sample of the set."
    )
    fit_pairs: int = Field(
        4000, ge=100, le=100_000, description="Pairs that one probe is fitted on at most, a seeded sample."
    )
    penalties: tuple[float, ...] = Field(
        (0.0, 1e-2), min_length=1, description="The lambdas that a probe tries, fewer than a training does."
    )
    min_class_pairs: int = Field(
        60, ge=20, le=100_000, description="Pairs of either label that must be judged for an estimate."
    )
    min_roc_auc: float = Field(
        0.7, ge=0.5, le=1.0,
        description="ROC-AUC that the probe must reach on held-out records: a probe that hardly tells the labels apart "
        "cannot tell which of them are wrong.",
    )  # fmt: skip
    n_resamples: int = Field(500, ge=100, le=10_000, description="Resamples of the records behind an interval.")
    level: float = Field(0.95, gt=0.5, lt=1.0, description="Confidence of the intervals.")

    @property
    def probing(self) -> PreflightConfig:
        """Return how one probe is fitted: as in the preflight, with fewer penalties."""
        return PreflightConfig(seed=self.seed, penalties=self.penalties)
