"""How a foreign table is to be read as records or pairs: every choice of an import as one frozen setting.

The same options make the same dataset again, so they stand in its manifest. Reads no file.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from simtune_core.errors import ConfigError, DataFaultError
from simtune_core.masking import Mask
from simtune_core.settings import Settings
from simtune_core.tables.table import ReadingOptions

ImportKind = Literal["records", "pairs"]
OnDuplicate = Literal["stop", "keep_first"]

# The roles a column can play, and what a foreign file may call it, best first.
GUESSES: dict[ImportKind, dict[str, tuple[str, ...]]] = {
    "records": {
        "id": ("id", "record_id", "number", "key", "ticket_id", "incident_id"),
        "text": ("text", "description", "short_description", "body", "content", "summary", "sentence"),
        "category": ("category", "intent", "class", "topic", "product", "label"),
        "duplicate_group": ("duplicate_group", "group", "cluster", "duplicate_of"),
        "split": ("split", "fold", "subset"),
        "time": ("time", "created", "created_at", "opened_at", "opened", "timestamp", "datetime", "date"),
    },
    "pairs": {
        "sentence1": ("sentence1", "text_a", "text1", "question1", "anchor", "sentence_a", "texta"),
        "sentence2": ("sentence2", "text_b", "text2", "question2", "positive", "sentence_b", "textb"),
        "negative": ("negative", "hard_negative"),
        "label": ("label", "is_duplicate", "similar", "target"),
        "score": ("score", "similarity", "similarity_score", "rating", "relatedness_score"),
        "id1": ("id1", "id_a", "qid1", "ida"),
        "id2": ("id2", "id_b", "qid2", "idb"),
        "category1": ("category1", "category_a"),
        "category2": ("category2", "category_b"),
        "phase": ("phase",),
        "split": ("split", "fold", "subset"),
    },
}
REQUIRED: dict[ImportKind, tuple[str, ...]] = {"records": ("text",), "pairs": ("sentence1", "sentence2")}
TEXT_ROLES = ("text", "sentence1", "sentence2", "negative")  # roles that several columns may play together


class ImportOptions(Settings):
    """Every choice of an import."""

    kind: ImportKind = Field(default="records", description="Whether each row is a record or a pair.")
    columns: dict[str, tuple[str, ...]] = Field(
        default_factory=dict,
        description="Role to column; a text role may name several columns, which are joined in this order.",
    )
    separator: str = Field(
        default="\n", max_length=20, description="What stands between the parts of a text joined from several columns."
    )
    keep_columns: bool = Field(
        default=True, description="Whether columns of records that play no role are kept under their own names."
    )
    labels: dict[str, Literal[0, 1]] = Field(
        default_factory=dict,
        description="What each value of the label column means, 1 similar and 0 not; needed where it is not 0 or 1.",
    )
    score_range: tuple[float, float] | None = Field(
        default=None, description="The scale of the scores, lowest and highest; they are brought to 0 to 1."
    )
    day_first: bool | None = Field(
        default=None, description="Whether times such as 03/04/2026 name the day first; needed where there are any."
    )
    mask: tuple[Mask, ...] = Field(
        default=(), description="Kinds of personal data that are replaced by a placeholder in texts and kept columns."
    )
    repair_mojibake: bool = Field(
        default=False, description="Whether texts that were decoded with the wrong encoding are repaired."
    )
    unmark_formulas: bool = Field(
        default=False,
        description="Whether the apostrophe is removed that an export puts before what a spreadsheet would run.",
    )
    on_duplicate_id: OnDuplicate = Field(
        default="stop", description="Whether an id that stands in an earlier row is a fault, or only the first is kept."
    )
    drop_faulty: bool = Field(default=False, description="Whether rows with a fault are left out.")
    weak_labels: bool | None = Field(
        default=None,
        description="Whether a rule made the labels of these pairs (equal categories, a band of similarity) and no "
        "person; it is then said wherever their numbers are shown. Left out: not known.",
    )
    labels_from: str = Field(
        default="", max_length=300, description="Where the labels of these pairs come from, in words."
    )
    reading: ReadingOptions = Field(
        default_factory=ReadingOptions, description="Encoding, delimiter and sheet where they are not as detected."
    )

    @field_validator("columns", mode="before")
    @classmethod
    def _as_lists(cls, value: Any) -> Any:
        """Let a role name one column without brackets."""
        if not isinstance(value, Mapping):
            return value
        return {role: (named,) if isinstance(named, str) else named for role, named in value.items()}

    @field_validator("labels", mode="before")
    @classmethod
    def _as_texts(cls, value: Any) -> Any:
        """Let YAML name values that it reads as numbers or as true and false."""
        if not isinstance(value, Mapping):
            return value
        return {str(name): meaning for name, meaning in value.items()}

    @field_validator("score_range")
    @classmethod
    def _is_a_scale(cls, value: tuple[float, float] | None) -> tuple[float, float] | None:
        if value is not None and not (math.isfinite(value[0]) and math.isfinite(value[1]) and value[0] < value[1]):
            raise ValueError("must be two finite numbers, the lowest and then the highest score of the scale")
        return value

    @model_validator(mode="after")
    def _known_roles(self) -> ImportOptions:
        for role, named in self.columns.items():
            if role not in GUESSES[self.kind]:
                known = ", ".join(GUESSES[self.kind])
                raise ValueError(f"A column of {self.kind} must play one of the roles {known}, got {role[:60]!r}")
            if not named or (len(named) > 1 and role not in TEXT_ROLES):
                raise ValueError(
                    f"The role {role} must name one column"
                    + (" or more" if role in TEXT_ROLES else "")
                    + f", got {len(named)}"
                )
        return self

    @model_validator(mode="after")
    def _labels_are_of_pairs(self) -> ImportOptions:
        if self.kind == "records" and (self.weak_labels is not None or self.labels_from):
            raise ValueError("Records have no labels of pairs: leave out weak_labels and labels_from")
        return self

    def with_changes(self, **changes: Any) -> ImportOptions:
        """Return the options with some of them changed, checked anew.

        Raises:
            ConfigError: If they are out of their bounds or contradict each other.
        """
        return type(self)(**{**self.model_dump(exclude_unset=True), **changes})


def guess_kind(columns: Iterable[str]) -> ImportKind:
    """Guess whether a file with these columns holds pairs or records."""
    mapping = guess_columns(columns, "pairs")
    return "pairs" if all(role in mapping for role in REQUIRED["pairs"]) else "records"


def guess_columns(columns: Iterable[str], kind: ImportKind) -> dict[str, tuple[str, ...]]:
    """Guess which column plays which role; a role without a match is left out, no column plays two."""
    by_name = {"_".join(re.split(r"[\s_-]+", column.strip().lower())): column for column in reversed(list(columns))}
    mapping: dict[str, tuple[str, ...]] = {}
    taken: set[str] = set()
    for role, names in GUESSES[kind].items():
        free = [by_name[name] for name in names if name in by_name and by_name[name] not in taken]
        if free:
            mapping[role] = (free[0],)
            taken.add(free[0])
    if kind == "records":
        _join_short_description(mapping, by_name)
    return mapping


def _join_short_description(mapping: dict[str, tuple[str, ...]], by_name: Mapping[str, str]) -> None:
    """Let a short description stand before the description, as in tables of incidents."""
    short = next((by_name[name] for name in ("short_description", "short description") if name in by_name), None)
    if short is not None and mapping.get("text") == (by_name.get("description"),):
        mapping["text"] = (short, *mapping["text"])


def guessed_options(names: Iterable[str], kind: ImportKind | None = None, /, **choices: Any) -> ImportOptions:
    """Return the options guessed from a file's columns.

    Args:
        names: The file's columns.
        kind: Records or pairs; guessed where it is not given.
        choices: Further options; `columns` among them replaces the guess role by role, an empty one takes it away.
    """
    columns = list(names)
    chosen = kind or guess_kind(columns)
    told = dict(choices.pop("columns", {}))
    named = {role: played for role, played in {**guess_columns(columns, chosen), **told}.items() if played}
    if {"label", "score"} & set(named) and "negative" not in told:
        named.pop("negative", None)
    return ImportOptions(kind=chosen, columns=named, **choices)


def left_over(columns: Iterable[str], options: ImportOptions) -> list[str]:
    """Return the columns that records keep beside those that play a role; a contract column's name stays free."""
    if options.kind == "pairs" or not options.keep_columns:
        return []
    played = {name for named in options.columns.values() for name in named}
    return [column for column in columns if column not in {*played, *GUESSES["records"]}]


def parse_columns(text: str, kind: ImportKind, known: Iterable[str] = ()) -> dict[str, tuple[str, ...]]:
    """Read `role=column,role=column+column` as the command line gives it; `role=` takes the guess away.

    Args:
        text: The text.
        kind: Records or pairs.
        known: The file's columns; a name among them that holds a plus sign is one column.

    Raises:
        DataFaultError: If it is not of that form or a role is unknown.
    """
    whole = set(known)
    mapping: dict[str, tuple[str, ...]] = {}
    for part in filter(None, text.split(",")):
        role, equals, named = (word.strip() for word in part.partition("="))
        if not equals or role not in GUESSES[kind]:
            raise DataFaultError(
                f"Columns must be given as role=column with a role of {', '.join(GUESSES[kind])}; got {part!r}."
            )
        names = (named,) if named in whole else tuple(name.strip() for name in named.split("+"))
        mapping[role] = tuple(filter(None, names))
    return mapping


def parse_labels(text: str) -> dict[str, int]:
    """Read `yes=1,no=0` as the command line gives it.

    Raises:
        ConfigError: If it is not of that form.
    """
    meanings: dict[str, int] = {}
    for part in filter(None, text.split(",")):
        value, equals, meaning = part.rpartition("=")
        if not equals or meaning.strip() not in ("0", "1"):
            raise ConfigError(f"Labels must be given as value=0 or value=1, separated by commas; got {part[:80]!r}.")
        meanings[value.strip()] = int(meaning)
    return meanings


def parse_range(text: str) -> tuple[float, float]:
    """Read `0:5` as the command line gives it.

    Raises:
        ConfigError: If it is not two numbers separated by a colon.
    """
    low, colon, high = text.partition(":")
    try:
        if not colon:
            raise ValueError(text)
        return float(low), float(high)
    except ValueError as error:
        raise ConfigError(f"The scale of scores must be LOW:HIGH such as 0:5, got {text[:60]!r}.") from error
