"""The description of a dataset: what it tells, as frozen results that JSON holds. Measures nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from simtune_core.datasets import DatasetKind
from simtune_core.settings import Settings

Unit = Literal["tokens", "words"]
SPLIT_ORDER = ("train", "dev", "test")
WHOLE = "all rows"  # how a set without splits is called where splits are
SCORE_BINS = 20


class DescribingConfig(Settings):
    """When a description calls something worth mentioning."""

    near_duplicates_up_to: int = Field(
        300_000,
        ge=0,
        description="Among more different texts than this only those equal but for case and punctuation "
        "are sought: small edits would take hours.",
    )
    few_rows: int = Field(20, ge=1, description="Fewer rows than this are too few for a map and for most metrics.")
    truncated_share: float = Field(
        0.01, ge=0.0, le=1.0, description="Warn when more than this share of a split's rows is not read to the end."
    )
    minority_share: float = Field(
        0.1, ge=0.0, le=0.5, description="Warn when the rarer label has less than this share of a split's pairs."
    )
    repeated_share: float = Field(
        0.01, ge=0.0, le=1.0, description="Warn when more than this share of the rows repeats an earlier one."
    )


@dataclass(frozen=True, slots=True, eq=False)
class Texts:
    """The texts of a table, each once.

    Attributes:
        unique: The texts in order of first appearance.
        sides: Which of them stands in each row; shape (n_rows, 1) for records, (n_rows, 2) for pairs.
    """

    unique: list[str]
    sides: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """What is known of each unique text.

    Attributes:
        lengths: In `unit`; shape (n_unique,).
        groups: Number of its group of near-duplicates; shape (n_unique,).
        unit: What lengths are counted in.
        limit: How much of a text the encoder reads, in `unit`; None where it reads all.
    """

    lengths: NDArray[np.int64]
    groups: NDArray[np.int64]
    unit: Unit
    limit: int | None


@dataclass(frozen=True, slots=True)
class Lengths:
    """How long the texts are, each text counted once.

    Attributes:
        unit: What lengths are counted in.
        limit: How much the encoder reads, None where it reads all.
        n_texts: How many texts there are.
        n_truncated: How many of them are longer than `limit`.
        median: Half of the texts are at most as long.
        p95: 95 % of the texts are at most as long.
        longest: The greatest length.
        edges: Of the bins, ascending; the last bin is closed and holds all that is longer, too.
        counts: Texts in each bin; one fewer than `edges`.
    """

    unit: Unit
    limit: int | None
    n_texts: int
    n_truncated: int
    median: float
    p95: float
    longest: int
    edges: list[int]
    counts: list[int]


@dataclass(frozen=True, slots=True)
class Repeats:
    """Rows that say again what an earlier row says; for pairs, whichever text stands first.

    Attributes:
        n_exact: Rows whose text, or pair of texts, stands in an earlier row.
        n_near: Further rows that repeat an earlier one but for small edits.
        n_self: Pairs of a text with itself; 0 for records.
        examples: The most frequent repeated rows: their texts joined by ` | `, and `n`, how often they stand there.
        near_examples: Two texts of a group of near-duplicates each.
    """

    n_exact: int
    n_near: int
    n_self: int
    examples: list[dict[str, Any]]
    near_examples: list[list[str]]


@dataclass(frozen=True, slots=True)
class SplitFacts:
    """One split, or all rows of a set without splits.

    Attributes:
        split: Its name; `WHOLE` without splits.
        n_rows: Its rows.
        n_truncated: Rows with a text that is not read to its end; None where everything is read.
        n_positive: Pairs labelled 1.
        n_negative: Pairs labelled 0.
        n_graded: Pairs with a score.
        score_counts: Graded pairs in `SCORE_BINS` equal bins of [0, 1], half-open, the last closed.
        n_same_category: Pairs whose two categories are known and equal.
        n_both_categories: Pairs whose two categories are known.
    """

    split: str
    n_rows: int
    n_truncated: int | None
    n_positive: int
    n_negative: int
    n_graded: int
    score_counts: list[int]
    n_same_category: int
    n_both_categories: int


@dataclass(frozen=True, slots=True)
class Categories:
    """The categories, by number of texts: a record has one, a pair two.

    Attributes:
        n: How many there are.
        n_unknown: Texts without a category.
        largest: The largest, `{"category", "counts"}` each, the counts by split.
        n_others: Texts of all other categories.
        single: Categories with one text, the first few.
        n_single: How many categories have one text.
        absent: The first few `{"category", "split"}` where a category of another split has no text.
        n_absent: How many there are.
    """

    n: int
    n_unknown: int
    largest: list[dict[str, Any]]
    n_others: int
    single: list[str]
    n_single: int
    absent: list[dict[str, str]]
    n_absent: int


@dataclass(frozen=True, slots=True)
class Leak:
    """Texts that stand in two splits.

    Attributes:
        first: The split that comes first on the way from train to test.
        second: The other one.
        n_texts: Texts that stand in both.
        n_near_texts: Further texts of the second with a near-duplicate in the first.
        n_rows: Rows of the second that hold a text of the first, exactly.
        examples: The first few such texts, cut.
    """

    first: str
    second: str
    n_texts: int
    n_near_texts: int
    n_rows: int
    examples: list[str]


@dataclass(frozen=True, slots=True)
class Description:
    """What a dataset holds.

    Attributes:
        kind: Records or pairs.
        n_rows: Its rows.
        n_unique_texts: Different texts.
        graded: Whether every pair has a score.
        lengths: Of the texts.
        repeats: Rows that repeat earlier ones.
        splits: The splits, train first.
        categories: None where no text has a category.
        leaks: Pairs of splits that share a text, exactly or nearly.
    """

    kind: DatasetKind
    n_rows: int
    n_unique_texts: int
    graded: bool
    lengths: Lengths
    repeats: Repeats
    splits: list[SplitFacts]
    categories: Categories | None
    leaks: list[Leak]

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON; `description_from_json` reads it back."""
        return asdict(self)


def description_from_json(value: dict[str, Any]) -> Description:
    """Read a description back from `Description.as_json`."""
    parts = {
        "lengths": Lengths(**value["lengths"]),
        "repeats": Repeats(**value["repeats"]),
        "splits": [SplitFacts(**each) for each in value["splits"]],
        "categories": None if value["categories"] is None else Categories(**value["categories"]),
        "leaks": [Leak(**each) for each in value["leaks"]],
    }
    return Description(**{**value, **parts})


def ordered_splits(names: Iterable[str]) -> list[str]:
    """Return the names of splits in the order of the path: train, dev, test, then the others by name."""
    known = set(names)
    return [*(split for split in SPLIT_ORDER if split in known), *sorted(known - set(SPLIT_ORDER))]
