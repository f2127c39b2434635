"""Foreign tables in: columns guessed and changeable, every fault listed with its row, then a dataset.

tables/ reads the files. Nothing is saved while a fault stands, unless the user chooses to drop the rows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd

from simtune_core.datasets import DatasetVersion, save_pairs, save_records
from simtune_core.errors import DataFaultError
from simtune_core.pairs import with_pair_columns
from simtune_core.records import with_record_columns
from simtune_core.tables.table import MAX_TEXT, Table
from simtune_core.workspace import Workspace

ImportKind = Literal["records", "pairs"]
SHOWN_FAULTS = 200
_INVISIBLE = re.compile("[\u200b-\u200f\u2060\ufeff\\s]+")

# What a column of a foreign file may be called, best first, by the role it plays here.
GUESSES: dict[str, dict[str, tuple[str, ...]]] = {
    "records": {
        "id": ("id", "record_id", "number", "key", "ticket_id", "incident_id"),
        "text": ("text", "description", "short_description", "body", "content", "summary", "sentence"),
        "category": ("category", "intent", "class", "topic", "product", "label"),
        "duplicate_group": ("duplicate_group", "group", "cluster", "duplicate_of"),
        "split": ("split", "fold", "subset"),
    },
    "pairs": {
        "sentence1": ("sentence1", "text_a", "text1", "question1", "anchor", "sentence_a", "texta"),
        "sentence2": ("sentence2", "text_b", "text2", "question2", "positive", "sentence_b", "textb"),
        "label": ("label", "is_duplicate", "similar", "target"),
        "score": ("score", "similarity", "similarity_score", "rating"),
        "id1": ("id1", "id_a", "qid1", "ida"),
        "id2": ("id2", "id_b", "qid2", "idb"),
        "category1": ("category1", "category_a"),
        "category2": ("category2", "category_b"),
        "phase": ("phase",),
        "split": ("split", "fold", "subset"),
    },
}
REQUIRED = {"records": ("text",), "pairs": ("sentence1", "sentence2")}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with one row, or with a whole column (row is None)."""

    row: int | None
    column: str
    message: str


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """A table under a mapping: what would be saved, and what stands in the way.

    Attributes:
        kind: Records or pairs.
        frame: The rows without a fault, in contract columns.
        faults: The first `SHOWN_FAULTS` faults; empty when the table may be saved as it is.
        n_faulty_rows: How many rows have a fault.
        n_rows: How many rows the file has.
        notes: Sentences on what was done to the data, such as ids that were numbered.
    """

    kind: ImportKind
    frame: pd.DataFrame
    faults: tuple[Fault, ...]
    n_faulty_rows: int
    n_rows: int
    notes: tuple[str, ...] = field(default=())

    @property
    def blocking(self) -> tuple[Fault, ...]:
        """Return the faults that no dropping of rows can cure."""
        return tuple(fault for fault in self.faults if fault.row is None)

    def findings(self, *, drop_faulty: bool) -> list[dict[str, str]]:
        """Return what a researcher should know of the import: its notes, and how many rows are left out."""
        found = [{"code": "import", "severity": "info", "message": note} for note in self.notes]
        if drop_faulty and self.n_faulty_rows:
            message = f"{self.n_faulty_rows:,} of {self.n_rows:,} rows have a fault and were left out."
            found.append({"code": "rows_dropped", "severity": "warning", "message": message})
        return found


def guess_kind(columns: list[str]) -> ImportKind:
    """Guess whether a file with these columns holds pairs or records."""
    mapping = guess_columns(columns, "pairs")
    return "pairs" if all(role in mapping for role in REQUIRED["pairs"]) else "records"


def guess_columns(columns: list[str], kind: ImportKind) -> dict[str, str]:
    """Guess which column plays which role; a role without a match is left out, no column plays two."""
    by_name = {column.strip().lower(): column for column in reversed(columns)}
    mapping: dict[str, str] = {}
    for role, names in GUESSES[kind].items():
        free = [by_name[name] for name in names if name in by_name and by_name[name] not in mapping.values()]
        if free:
            mapping[role] = free[0]
    return mapping


def parse_columns(text: str, kind: ImportKind) -> dict[str, str]:
    """Read `role=column,role=column` as the CLI takes it.

    Raises:
        DataFaultError: If it is not of that form or a role is unknown.
    """
    mapping: dict[str, str] = {}
    for part in filter(None, text.split(",")):
        role, equals, column = part.partition("=")
        if not equals or role.strip() not in GUESSES[kind]:
            raise DataFaultError(
                f"Columns must be given as role=column with a role of {', '.join(GUESSES[kind])}; got {part!r}."
            )
        mapping[role.strip()] = column.strip()
    return mapping


def draft(table: Table, kind: ImportKind, mapping: Mapping[str, str]) -> Draft:
    """Lay a mapping over a table and list every fault with its row.

    Args:
        table: What `read_table` gave.
        kind: Records or pairs.
        mapping: Role to column of the file; see `guess_columns`.

    Returns:
        The rows that are whole, the faults of the others, and notes. Nothing is saved.
    """
    absent = [f"{role}={column}" for role, column in mapping.items() if column not in table.frame.columns]
    lacking = [role for role in REQUIRED[kind] if role not in mapping]
    if kind == "pairs" and not {"label", "score"} & set(mapping):
        lacking.append("label or score")
    if absent or lacking:
        have = ", ".join(map(str, table.frame.columns))
        faults = [Fault(None, part, f"the file has no such column; it has: {have}") for part in absent]
        faults += [Fault(None, role, f"no column chosen for it; the file has: {have}") for role in lacking]
        return Draft(kind, pd.DataFrame(), tuple(faults), 0, len(table.frame))
    chosen = table.frame[list(mapping.values())].set_axis(list(mapping), axis=1)
    if kind == "pairs":
        return _draft_pairs(table, chosen)
    kept = [column for column in table.frame.columns if column not in {*mapping.values(), *GUESSES["records"]}]
    return _draft_records(table, pd.concat([chosen, table.frame[kept]], axis=1))


def save_draft(
    workspace: Workspace,
    name: str,
    checked: Draft,
    *,
    source: str,
    drop_faulty: bool = False,
    new_version: bool = False,
) -> DatasetVersion:
    """Save a draft as a dataset.

    Args:
        workspace: Where.
        name: The dataset's name.
        checked: The draft.
        source: Where the rows come from, for the manifest.
        drop_faulty: Whether rows with a fault are left out; without it a draft with faults is refused.
        new_version: Whether a taken name gets a new version.

    Raises:
        DataFaultError: If faults stand, or no row is left.
        WorkspaceError: If the name is taken or not allowed, or the disk is full.
    """
    if checked.blocking or (checked.faults and not drop_faulty):
        raise DataFaultError(faults_sentence(checked))
    if checked.frame.empty:
        raise DataFaultError(f"No row of {source} is whole; {faults_sentence(checked)}")
    dropped = checked.n_rows - len(checked.frame)
    provenance: dict[str, Any] = {"made_by": "import", "source": source, "n_rows_dropped": dropped}
    save = save_records if checked.kind == "records" else save_pairs
    return save(workspace, name, checked.frame, provenance=provenance, new_version=new_version)


def faults_sentence(checked: Draft) -> str:
    """Word the faults of a draft as one paragraph: how many, and the first few with their rows."""
    shown = "; ".join(
        (f"row {fault.row}, " if fault.row is not None else "") + f"{fault.column}: {fault.message}"
        for fault in checked.faults[:5]
    )
    if checked.blocking:
        return f"The columns do not fit {checked.kind}: {shown}."
    more = f"; and {checked.n_faulty_rows - 5:,} more rows" if checked.n_faulty_rows > 5 else ""
    return (
        f"{checked.n_faulty_rows:,} of {checked.n_rows:,} rows have a fault: {shown}{more}. "
        "Correct the file, or choose to drop these rows."
    )


def _draft_records(table: Table, chosen: pd.DataFrame) -> Draft:
    faults = _Faults(table)
    chosen = chosen.copy()
    notes = []
    if "id" not in chosen:
        chosen["id"] = [f"r{number:07d}" for number in range(1, len(chosen) + 1)]
        notes.append("The file has no id column: records are numbered r0000001, r0000002, ...")
    chosen["id"] = chosen["id"].str.strip()
    faults.add(chosen["id"].isna() | (chosen["id"] == ""), "id", "the id is empty")
    repeated = chosen["id"].duplicated(keep="first") & chosen["id"].notna()
    faults.add(repeated, "id", "the id {value!r} stands in an earlier row too", chosen["id"])
    faults.add_texts(chosen["text"], "text")
    faults.add_splits(chosen)
    return faults.draft("records", with_record_columns(chosen), notes)


def _draft_pairs(table: Table, chosen: pd.DataFrame) -> Draft:
    faults = _Faults(table)
    chosen = chosen.copy()
    empty = [role for role in ("label", "score") if role in chosen and chosen[role].isna().all()]
    if len(empty) == 1 and {"label", "score"} <= set(chosen.columns):
        chosen = chosen.drop(columns=empty)
    for column in ("sentence1", "sentence2"):
        faults.add_texts(chosen[column], column)
    faults.add_splits(chosen)
    notes: list[str] = []
    if "label" in chosen:
        values = pd.to_numeric(chosen["label"], errors="coerce")
        fits = values.isin([0, 1])
        if "score" not in chosen and _looks_graded(values):
            chosen = chosen.rename(columns={"label": "score"})
            notes.append("The label column holds graded numbers in [0, 1]: it is taken as the score.")
        else:
            message = "a label must be 0 or 1 (or the column a score in [0, 1]), got {value!r}"
            faults.add(~fits, "label", message, chosen["label"])
            chosen["label"] = values.where(fits)
            if set(values[fits]) in ({0.0}, {1.0}):
                only = int(values[fits].iloc[0])
                notes.append(f"Every pair has label {only}: metrics that need both classes are not defined here.")
    if "score" in chosen:
        values = pd.to_numeric(chosen["score"], errors="coerce")
        fits = values.between(0, 1) & np.isfinite(values)
        low, high = values[np.isfinite(values)].min(), values[np.isfinite(values)].max()
        message = f"a score must be in [0, 1], got {{value!r}} (the column runs from {low:g} to {high:g})"
        faults.add(~fits, "score", message, chosen["score"])
        chosen["score"] = values.where(fits)
    return faults.draft("pairs", with_pair_columns(chosen), notes)


def _looks_graded(values: pd.Series) -> bool:
    """Tell whether a label column is a score in truth: numbers in [0, 1], some strictly between."""
    return bool(values.notna().all() and values.between(0, 1).all() and (~values.isin([0, 1])).any())


class _Faults:
    """Collects faults row by row; a row with any fault is kept out of the draft."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.bad = np.zeros(len(table.frame), dtype=bool)
        self.listed: list[Fault] = []

    def add(self, mask: pd.Series, column: str, message: str, values: pd.Series | None = None) -> None:
        wrong = np.flatnonzero(mask.to_numpy(dtype=bool))
        self.bad[wrong] = True
        for index in wrong[: max(0, SHOWN_FAULTS - len(self.listed))]:
            value = None if values is None else _short(values.iloc[index])
            self.listed.append(Fault(int(self.table.numbers[index]), column, message.format(value=value)))

    def add_texts(self, values: pd.Series, column: str) -> None:
        visible = values.fillna("").str.replace(_INVISIBLE, "", regex=True)
        self.add(visible == "", column, "the text is empty")
        self.add(values.str.len() > MAX_TEXT, column, f"the text is longer than {MAX_TEXT:,} characters")
        self.add(values.fillna("").map(_has_surrogate), column, "the text holds a broken character (lone surrogate)")

    def add_splits(self, chosen: pd.DataFrame) -> None:
        """List splits that no reference could name, which separates its parts by those characters."""
        if "split" in chosen:
            named = chosen["split"].fillna("-")
            message = "a split must be a name without ':' and '@', got {value!r}"
            self.add((named == "") | named.str.contains("[:@]"), "split", message, chosen["split"])

    def draft(self, kind: ImportKind, frame: pd.DataFrame, notes: list[str]) -> Draft:
        listed = sorted(self.listed, key=lambda fault: fault.row or 0)
        whole = frame[~self.bad].reset_index(drop=True)
        return Draft(kind, whole, tuple(listed), int(self.bad.sum()), len(frame), (*self.table.notes, *notes))


def _has_surrogate(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text) if not text.isascii() else False


def _short(value: Any) -> Any:
    return value[:60] if isinstance(value, str) else None
