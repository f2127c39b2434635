"""Every setting of mining: default, bounds and help, stated once; one class for each method."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from simtune_core.curriculum.config import MOST_PAIRS, PhaseConfig, RuleName
from simtune_core.errors import ConfigError
from simtune_core.settings import Settings

Method = Literal["anchored", "adversarial", "cross_category"]
Allowed = Literal["auto", "duplicate_group", "category", "known"]
Strategy = Literal["random", "ranked", "balanced"]


class AnchoredConfig(Settings):
    """Negatives for each anchor of a pair set, near it but not alike; the names are sentence-transformers'."""

    allowed: Allowed = Field(
        "auto",
        description="What may be a negative. Duplicate group: records of another group, or of none. Category: records "
        "of another category. Known: all but the anchor's known positives. Auto: the first of these that is known.",
    )
    num_negatives: int = Field(3, ge=1, le=50, description="Negatives wanted for each anchor, in each of its phases.")
    range_min: int = Field(0, ge=0, le=5000, description="So many of the most similar candidates are skipped.")
    range_max: int = Field(50, ge=1, le=5000, description="Only so many of the most similar candidates are looked at.")
    min_score: float | None = Field(
        None, ge=-1.0, le=1.0, description="Negatives have at least this similarity to their anchor."
    )
    max_score: float | None = Field(
        None, ge=-1.0, le=1.0, description="Negatives have at most this similarity to their anchor."
    )
    absolute_margin: float | None = Field(
        None, ge=-2.0, le=2.0,
        description="Negatives are at least so many points less similar to the anchor than its least similar positive.",
    )  # fmt: skip
    relative_margin: float | None = Field(
        0.05, ge=-1.0, le=1.0,
        description="As the absolute margin, as a share of the positive's similarity: 0.05 leaves out what is above "
        "95 % of it (NV-Retriever, 2024).",
    )  # fmt: skip
    sampling_strategy: Literal["top", "random"] = Field(
        "top", description="Top takes the most similar candidates that are left, random any of them."
    )
    veto_score: float | None = Field(
        None, ge=-1.0, le=1.0, description="A negative to which the second model gives this score or more is dropped."
    )
    veto_margin: float | None = Field(
        None, ge=-2.0, le=2.0,
        description="A negative whose second score is not so many points below that of the anchor's lowest positive is "
        "dropped.",
    )  # fmt: skip
    seed: int = Field(0, ge=0, le=2**32 - 1, description="The same seed draws the same negatives.")

    @model_validator(mode="after")
    def _limits_make_sense(self) -> Self:
        if self.range_max - self.range_min < self.num_negatives:
            raise ValueError(
                f"range_max must be at least range_min + num_negatives, got {self.range_max}, {self.range_min} and "
                f"{self.num_negatives}"
            )
        if self.min_score is not None and self.max_score is not None and self.min_score >= self.max_score:
            raise ValueError(f"min_score must be below max_score, got {self.min_score:g} and {self.max_score:g}")
        return self


class AdversarialConfig(Settings):
    """Pairs of counted candidates that are chosen by how a model errs on them."""

    strategy: Strategy = Field(
        "balanced",
        description="Random: any labelled pairs, as often as they occur. Ranked: the model's worst errors, of both "
        "classes in one ranking. Balanced: of each class as many as wanted, out of its hardest.",
    )
    rule: RuleName = Field("auto", description="What makes a pair positive or negative, as for the phases.")
    n_pairs: int = Field(5000, ge=2, le=MOST_PAIRS, description="Pairs wanted.")
    positive_share: float = Field(
        0.5, gt=0.0, lt=1.0, description="Share of positives; ranked takes what the ranking gives."
    )
    pos_min: float = Field(0.30, ge=-1.0, le=1.0, description=PhaseConfig.model_fields["pos_min"].description)
    pos_max: float = Field(1.0, ge=-1.0, le=1.0, description=PhaseConfig.model_fields["pos_max"].description)
    neg_min: float = Field(
        0.05, ge=-1.0, le=1.0,
        description="Negatives have at least this similarity; from 0 on most pairs share no word, and all are easy.",
    )  # fmt: skip
    neg_max: float = Field(0.50, ge=-1.0, le=1.0, description=PhaseConfig.model_fields["neg_max"].description)
    same_category_negatives: bool = Field(
        False,
        description="Whether pairs of one category in the negative band are negatives, too. Where the bands overlap, a "
        "pair that fits both is left out.",
    )
    skip: float = Field(
        0.02, ge=0.0, lt=1.0,
        description="Balanced: this share of each class, its very hardest, is left out as likely mislabelled.",
    )  # fmt: skip
    window: float = Field(
        0.20, gt=0.0, le=1.0, description="Balanced: pairs are drawn at random from this hardest share of each class."
    )
    veto_score: float | None = Field(
        None, ge=-1.0, le=1.0, description=AnchoredConfig.model_fields["veto_score"].description
    )
    seed: int = Field(0, ge=0, le=2**32 - 1, description="The same seed draws the same pairs.")

    @model_validator(mode="after")
    def _shares_make_sense(self) -> Self:
        if self.skip >= self.window:
            raise ValueError(f"skip must be below window, got {self.skip:g} and {self.window:g}")
        _ = self.bands
        return self

    @property
    def bands(self) -> PhaseConfig:
        """Return the bands as those of a phase, which the label rules read; checked by it."""
        return PhaseConfig(
            name="mined", pos_min=self.pos_min, pos_max=self.pos_max, neg_min=self.neg_min, neg_max=self.neg_max,
            same_category_share=float(self.same_category_negatives), shape="as_found",
        )  # fmt: skip


class CrossCategoryConfig(Settings):
    """Positives whose two records have different categories, so that the category is no shortcut."""

    rule: RuleName = Field(
        "auto",
        description="Duplicate group and label: known positives of two categories. Any other rule knows none, so a "
        "pair counts as positive where it is similar in two spaces: a weak label.",
    )
    n_pairs: int = Field(1000, ge=1, le=MOST_PAIRS, description="Pairs wanted.")
    min_score: float = Field(0.40, ge=-1.0, le=1.0, description="Least similarity in the space of the candidates.")
    max_score: float = Field(
        0.95, ge=-1.0, le=1.0, description="Greatest similarity there; above it the texts are nearly the same."
    )
    model_min_score: float = Field(
        0.60, ge=-1.0, le=1.0, description="Least similarity to the second model; not asked of known positives."
    )
    seed: int = Field(0, ge=0, le=2**32 - 1, description="The same seed draws the same pairs.")

    @model_validator(mode="after")
    def _limits_make_sense(self) -> Self:
        if self.min_score >= self.max_score:
            raise ValueError(f"min_score must be below max_score, got {self.min_score:g} and {self.max_score:g}")
        return self


CONFIGS: dict[Method, type[Settings]] = {
    "anchored": AnchoredConfig,
    "adversarial": AdversarialConfig,
    "cross_category": CrossCategoryConfig,
}


def require_veto(config: AnchoredConfig | AdversarialConfig, veto: str | None) -> None:
    """Refuse a second model without a bound, and a bound without a second model.

    Raises:
        ConfigError: If only one of both is there.
    """
    limits = (config.veto_score, getattr(config, "veto_margin", None))
    if any(limit is not None for limit in limits) != bool(veto):
        raise ConfigError(
            "A veto needs a second model and a bound, veto_score or veto_margin; only the "
            f"{'model' if veto else 'bound'} is set. Set both or none."
        )
