"""Every bound of the audits: default, range and help, stated once."""

from __future__ import annotations

from pydantic import Field

from simtune_core.difficulty.config import DifficultyConfig
from simtune_core.near_duplicates import NEAR_DUPLICATE
from simtune_core.settings import Settings

_MEASURED = DifficultyConfig()


class AuditConfig(Settings):
    """From when on an audit finds something."""

    near_duplicate: float = Field(
        NEAR_DUPLICATE, ge=0.5, le=1.0, description="Texts with so much in common (Jaccard of 5-grams) are one text."
    )
    max_texts: int = Field(
        200_000, ge=1000, le=2_000_000, description="Near-duplicates are looked for among at most so many texts."
    )
    seed: int = Field(0, ge=0, le=2**32 - 1, description="Seed of the sample of texts where there are more.")
    score_spread: float = Field(
        0.2, gt=0.0, le=1.0, description="Two scores of one pair contradict each other when they differ by more."
    )
    circular_roc_auc: float = Field(
        _MEASURED.circular_roc_auc, ge=0.5, le=1.0, description="What separates the labels this well is a shortcut."
    )
    left_roc_auc: float = Field(
        0.6, ge=0.5, le=1.0, description="Below this, little of the encoder's ROC-AUC is left beside the shortcuts."
    )
    n_tfidf_bins: int = Field(10, ge=2, le=100, description="Bins of equally many pairs in which TF-IDF is held fixed.")
    truncated_share: float = Field(
        0.01, ge=0.0, le=1.0, description="Share of texts from which on it matters that their ends are not read."
    )
    unspoken_share: float = Field(
        0.05, ge=0.0, le=1.0, description="More texts than this in a language the encoder does not speak: a warning."
    )
    rare_class: int = Field(10, ge=1, le=1000, description="A class with fewer pairs is too small for any metric.")
    category_pairs: int = Field(
        10, ge=2, le=1000, description="A category in fewer pairs is not asked whether it has both classes."
    )
    prevalence_margin: float = Field(
        _MEASURED.prevalence_margin, ge=0.0, le=1.0, description="Shares of positives that differ by more are told."
    )
    solved_share: float = Field(
        0.5, ge=0.0, le=1.0, description="Share of training pairs beyond every doubt of the test set that is too much."
    )
    solved_tail: float = Field(
        0.01, gt=0.0, lt=0.5, description="Share of test pairs at either end that may be exceptions."
    )
    too_easy_roc_auc: float = Field(
        0.9, ge=0.5, le=1.0, description="Training pairs that the encoder separates this well teach it little."
    )
    chance_margin: float = Field(
        0.05, ge=0.0, le=0.5, description="ROC-AUC this close to 0.5 is no better than guessing."
    )
    lopsided_share: float = Field(
        0.99, gt=0.5, le=1.0, description="One class with this share leaves nothing to learn."
    )
