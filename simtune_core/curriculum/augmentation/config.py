"""Every setting of augmentation and of its drift report: default, bounds and help, stated once."""

from __future__ import annotations

from typing import Literal, Self, get_args

from pydantic import Field, model_validator

from simtune_core.settings import Settings

Operation = Literal["deletion", "swap", "duplication", "typo", "case", "punctuation"]
OPERATIONS: tuple[Operation, ...] = get_args(Operation)
Sides = Literal["both", "one"]
Labels = Literal["all", "positive", "negative"]
Splits = Literal["train", "all"]


class AugmentConfig(Settings):
    """Which pairs get children, how many, and how the texts of a child are changed."""

    operations: tuple[Operation, ...] = Field(
        ("deletion", "swap", "duplication"), min_length=1,
        description="Each child is changed by one of them, in turn. Word operations change nothing in scripts that "
        "put no blanks between words; such children are not made, and counted.",
    )  # fmt: skip
    n_children: int = Field(3, ge=1, le=20, description="Children of each pair that gets any.")
    share: float = Field(1.0, gt=0.0, le=1.0, description="Share of the pairs that get children, of every kind alike.")
    sides: Sides = Field("both", description="Both texts of a pair are changed, or one of them, drawn at random.")
    labels: Labels = Field("all", description="Whether only similar or only dissimilar pairs get children.")
    phases: tuple[str, ...] = Field((), description="Only pairs of these phases get children; empty: of every phase.")
    splits: Splits = Field(
        "train", description="Only training pairs get children where there are splits: what judges stays as it is."
    )
    keep_shares: bool = Field(
        True,
        description="Leave children out until every label and phase has the share it had before, within one pair.",
    )
    deletion_rate: float = Field(0.1, ge=0.01, le=0.5, description="Share of the words deleted, at least one.")
    swap_rate: float = Field(0.1, ge=0.01, le=0.5, description="Swaps for each word, at least one.")
    swap_neighbours: bool = Field(True, description="Swap a word with the next one; otherwise with any other.")
    duplication_rate: float = Field(0.1, ge=0.01, le=0.5, description="Share of the words said twice, at least one.")
    typo_rate: float = Field(0.05, ge=0.01, le=0.3, description="Typos for each letter, at least one.")
    case_rate: float = Field(0.1, ge=0.01, le=1.0, description="Share of the words whose case changes, at least one.")
    punctuation_rate: float = Field(
        0.1, ge=0.01, le=0.5, description="Marks added or removed for each word, at least one."
    )
    seed: int = Field(0, ge=0, le=2**32 - 1, description="The same seed makes the same children, in whatever order.")

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if len(set(self.operations)) < len(self.operations):
            raise ValueError(f"operations must be named once each, got {', '.join(self.operations)}")
        if self.keep_shares and (self.labels != "all" or self.phases):
            only = f"{self.labels} pairs" if self.labels != "all" else f"phase {', '.join(self.phases)}"
            raise ValueError(
                f"the shares of labels and phases cannot be kept when only {only} get children; augment all of them, "
                "or set keep_shares to false"
            )
        return self

    def rate(self, operation: Operation) -> float:
        """Return the rate of an operation: changes for each word, of a typo for each letter."""
        return float(getattr(self, f"{operation}_rate"))


class DriftConfig(Settings):
    """From when on a change of the pairs by augmentation is worth a word."""

    share_margin: float = Field(
        0.02, ge=0.0, le=1.0, description="A share of a label or a phase has drifted beyond this many points."
    )
    separability_margin: float = Field(
        0.01, ge=0.0, le=1.0, description="A set is easier or harder when its separability moves by more than this."
    )
    left_band: float = Field(
        0.1, ge=0.0, le=1.0, description="Share of the children outside their band, less that of their parents."
    )
