"""A foreign table under the options of an import: what would be saved, what stands in the way, what was done.

Every fault is a sentence with its row and its column. Nothing is saved here.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simtune_core.findings import Finding, finding
from simtune_core.importing.faults import Fault, FaultList, counted, worded_faults
from simtune_core.importing.options import REQUIRED, ImportKind, ImportOptions
from simtune_core.importing.preparing import Prepared, prepare
from simtune_core.importing.texts import near_duplicate_ids
from simtune_core.importing.values import LabelValue, looks_graded, read_labels, read_scores, read_times
from simtune_core.pairs import SCORE_CUT, with_pair_columns
from simtune_core.records import with_record_columns
from simtune_core.tables.table import Reading, Table

_SAMPLE = 3  # examples of ids in a sentence


@dataclass(frozen=True, slots=True)
class Questions:
    """What the options have to state before the table can be saved, and what was found of it.

    Attributes:
        labels: The values of a label column that is not plainly 0 and 1, with their counts; else empty.
        asks_labels: Whether their meanings have to be confirmed.
        score_found: The least and the greatest score as the file has them.
        score_offer: The scale to state; None where none has to be.
        time_example: A time whose day and month have to be told apart; else None.
        day_first: What the other times say of that order.
    """

    labels: tuple[LabelValue, ...] = ()
    asks_labels: bool = False
    score_found: tuple[float, float] | None = None
    score_offer: tuple[float, float] | None = None
    time_example: str | None = None
    day_first: bool | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """A table under the options of an import: what would be saved, and what stands in the way.

    Attributes:
        options: The options.
        frame: The rows without a fault, in contract columns.
        faults: Those of columns and the first `SHOWN_FAULTS` of rows; empty when the table may be saved as it is.
        n_faulty_rows: How many rows have a fault.
        n_repeated: How many rows were left out because their id stands in an earlier row.
        n_rows: How many rows the file has.
        notes: Sentences on what was done to the data, such as ids that were numbered.
        questions: What has to be stated first.
        masked: How many pieces of personal data of each kind were masked.
        n_mojibake: How many texts look decoded with the wrong encoding, or were repaired.
        reading: How the file was read.
    """

    options: ImportOptions
    frame: pd.DataFrame
    faults: tuple[Fault, ...]
    n_faulty_rows: int
    n_rows: int
    n_repeated: int = 0
    notes: tuple[str, ...] = ()
    questions: Questions = field(default_factory=Questions)
    masked: dict[str, int] = field(default_factory=dict)
    n_mojibake: int = 0
    reading: Reading = field(default_factory=lambda: Reading("csv"))

    @property
    def kind(self) -> ImportKind:
        """Return whether the rows are records or pairs."""
        return self.options.kind

    @property
    def blocking(self) -> tuple[Fault, ...]:
        """Return the faults that no dropping of rows can cure."""
        return tuple(fault for fault in self.faults if fault.row is None)

    @property
    def n_dropped(self) -> int:
        """Return how many rows of the file are not in `frame`."""
        return self.n_faulty_rows + self.n_repeated

    def findings(self, *, drop_faulty: bool) -> list[Finding]:
        """Return what a researcher should know of the import: its notes, and how many rows are left out."""
        found = [finding("import", "info", note) for note in self.notes]
        if drop_faulty and self.n_faulty_rows:
            message = f"{self.n_faulty_rows:,} of {self.n_rows:,} rows have a fault and were left out."
            found.append(finding("rows_dropped", "warning", message))
        return found

    def as_json(self) -> dict[str, Any]:
        """Return all but the rows as JSON, as a job and `--json` give it."""
        return {
            "kind": self.kind,
            "n_rows": self.n_rows,
            "n_faulty_rows": self.n_faulty_rows,
            "n_repeated": self.n_repeated,
            "n_whole": len(self.frame),
            "faults": [fault.as_json() for fault in self.faults],
            "notes": list(self.notes),
            "questions": asdict(self.questions),
            "masked": dict(self.masked),
            "n_mojibake": self.n_mojibake,
        }


def draft(table: Table, options: ImportOptions) -> Draft:
    """Lay the options of an import over a table and list every fault with its row.

    Args:
        table: What `read_table` gave.
        options: The options; see `guessed_options`.

    Returns:
        The rows that are whole, the faults of the others, and notes. Nothing is saved.
    """
    missing = _column_faults(table, options)
    if missing:
        return Draft(options, pd.DataFrame(), missing, 0, len(table.frame), notes=table.notes, reading=table.reading)
    faults = FaultList(table)
    prepared = prepare(table, options, faults)
    finish = _pairs if options.kind == "pairs" else _records
    frame, repeated, questions = finish(prepared, options, faults)
    return Draft(
        options,
        frame,
        faults.listed,
        int((faults.bad & ~repeated).sum()),
        len(table.frame),
        n_repeated=int((repeated & ~faults.bad).sum()),
        notes=(*table.notes, *prepared.notes),
        questions=questions,
        masked=prepared.masked,
        n_mojibake=prepared.n_mojibake,
        reading=table.reading,
    )


def faults_sentence(checked: Draft) -> str:
    """Word the faults of a draft as one paragraph: how many, and the first few with their rows."""
    return worded_faults(checked.kind, checked.faults, n_faulty_rows=checked.n_faulty_rows, n_rows=checked.n_rows)


def _column_faults(table: Table, options: ImportOptions) -> tuple[Fault, ...]:
    """Say which columns the file does not have, and which roles lack one."""
    have = ", ".join(map(str, table.frame.columns))
    faults = [
        Fault(None, f"{role}={column}", f"the file has no such column; it has: {have}")
        for role, named in options.columns.items()
        for column in named
        if column not in table.frame.columns
    ]
    lacking = [role for role in REQUIRED[options.kind] if role not in options.columns]
    if options.kind == "pairs" and not {"label", "score", "negative"} & set(options.columns):
        lacking.append("label or score")
    faults += [Fault(None, role, f"no column chosen for it; the file has: {have}") for role in lacking]
    if "negative" in options.columns and {"label", "score"} & set(options.columns):
        message = "a triplet is a positive and a negative pair already; choose either the column of negatives or these"
        faults.append(Fault(None, "label, score", message))
    return tuple(faults)


def _records(
    prepared: Prepared, options: ImportOptions, faults: FaultList
) -> tuple[pd.DataFrame, NDArray[np.bool_], Questions]:
    """Finish records: ids, splits, times. The frame, the rows that repeat an id, and what has to be stated."""
    frame, notes = prepared.frame, prepared.notes
    repeated = np.zeros(len(frame), dtype=bool)
    if "id" in frame:
        ids = frame["id"]
        faults.add((ids.isna() | (ids == "")).to_numpy(bool), "id", "the id is empty")
        repeated = _repeated_ids(ids, options, faults, notes)
        _report_near_ids(notes, ids)
    else:
        numbers = pd.Series(np.arange(1, len(frame) + 1), index=frame.index).astype("str")
        frame["id"] = "r" + numbers.str.zfill(7)
        notes.append("The file has no id column: records are numbered r0000001, r0000002, ...")
    questions = _read_time(frame, options, faults, notes)
    whole = frame[faults.whole & ~repeated].reset_index(drop=True)
    return with_record_columns(whole), repeated, questions


def _repeated_ids(ids: pd.Series, options: ImportOptions, faults: FaultList, notes: list[str]) -> NDArray[np.bool_]:
    """Find rows whose id stands in an earlier row: faults, or rows left out where the first is to be kept."""
    known = (ids.notna() & (ids != "")).to_numpy(bool)
    if options.on_duplicate_id == "stop":
        repeated = ids.duplicated().to_numpy() & known
        faults.add(repeated, "id", "the id {value!r} stands in an earlier row too", ids)
        if repeated.any():
            notes.append(f"{_repeats(ids[repeated])}; the option to keep the first leaves them out.")
        return np.zeros(len(ids), dtype=bool)
    fit = faults.whole & known  # a faulty row does not take the place of a whole one that comes later
    repeated = np.zeros(len(ids), dtype=bool)
    repeated[fit] = ids[fit].duplicated().to_numpy()
    if repeated.any():
        notes.append(f"{_repeats(ids[repeated])}; left out, since only the first is kept.")
    return repeated


def _repeats(repeated: pd.Series) -> str:
    sample = ", ".join(repr(name[:40]) for name in repeated.unique()[:_SAMPLE])
    return f"{counted(len(repeated), 'row')} with the id of an earlier row, such as {sample}"


def _report_near_ids(notes: list[str], *columns: pd.Series) -> None:
    n_near, sample = near_duplicate_ids(*columns)
    if n_near:
        told = " and ".join(repr(name[:40]) for name in sample)
        notes.append(
            f"{n_near:,} ids differ from another one in leading zeros, blanks or a decimal .0 alone, such as {told}: "
            "they are taken as different records."
        )


def _read_time(frame: pd.DataFrame, options: ImportOptions, faults: FaultList, notes: list[str]) -> Questions:
    """Bring the column of times, if there is one, to ISO 8601 in UTC."""
    if "time" not in frame:
        return Questions()
    raw = frame["time"]
    times = read_times(raw, options.day_first)
    if times.ambiguous is not None:
        hint = {True: "; other rows have the day first", False: "; other rows have the month first", None: ""}
        faults.block(
            "time",
            f"times such as {times.ambiguous[:40]!r} can be read with the day or the month first; say which"
            f"{hint[times.day_first]}",
        )
        return Questions(time_example=times.ambiguous, day_first=times.day_first)
    faults.add(times.broken, "time", "not a time such as 2026-04-03 12:00: {value!r}", raw)
    frame["time"] = times.column
    if times.n_without_zone:
        notes.append(f"{counted(times.n_without_zone, 'time')} without a time zone, taken as UTC.")
    return Questions()


def _pairs(
    prepared: Prepared, options: ImportOptions, faults: FaultList
) -> tuple[pd.DataFrame, NDArray[np.bool_], Questions]:
    """Finish pairs: labels, scores, triplets. The frame, no repeated rows, and what has to be stated."""
    frame, notes = prepared.frame, prepared.notes
    never = np.zeros(len(frame), dtype=bool)
    ids = [frame[column] for column in ("id1", "id2") if column in frame]
    if ids:
        _report_near_ids(notes, *ids)
    if "negative" in frame:
        return _triplets(frame[faults.whole], notes), never, Questions()
    empty = [role for role in ("label", "score") if role in frame and frame[role].isna().all()]
    if len(empty) == 1 and {"label", "score"} <= set(frame.columns):
        frame = frame.drop(columns=empty)
    if "label" in frame and "score" not in frame and looks_graded(frame["label"]):
        frame = frame.rename(columns={"label": "score"})
        notes.append("The label column holds graded numbers: it is taken as the score.")
    questions = Questions()
    if "label" in frame:
        questions = _read_label(frame, options, faults, notes)
    if "score" in frame:
        questions = _read_score(frame, options, faults, notes, questions)
    return with_pair_columns(frame[faults.whole]), never, questions


def _read_label(frame: pd.DataFrame, options: ImportOptions, faults: FaultList, notes: list[str]) -> Questions:
    raw = frame["label"]
    labels = read_labels(raw, options.labels)
    faults.add(labels.missing, "label", "the row has no label (0 or 1)")
    if labels.asks:
        told = ", ".join(f"{each.value[:40]!r} ({each.n:,})" for each in labels.found[:6])
        more = ", ..." if len(labels.found) > 6 else ""
        faults.block(
            "label",
            f"a label must be 0 or 1, and the column holds {told}{more}: say which values mean 1 and which 0, or "
            "choose the column as the score",
        )
    else:
        message = "the label {value!r} was given no meaning (0 or 1)" if options.labels else "got {value!r}"
        faults.add(labels.unknown, "label", message, raw)
    frame["label"] = labels.column
    known = set(labels.column.dropna().unique())
    if not labels.asks and known in ({0.0}, {1.0}):
        only = int(known.pop())
        notes.append(f"Every pair has label {only}: metrics that need both classes are not defined here.")
    return Questions(labels=labels.found, asks_labels=labels.asks)


def _read_score(
    frame: pd.DataFrame, options: ImportOptions, faults: FaultList, notes: list[str], questions: Questions
) -> Questions:
    raw = frame["score"]
    scores = read_scores(raw, options.score_range)
    faults.add(scores.broken, "score", "a score must be a finite number, got {value!r}", raw)
    low, high = options.score_range or (0.0, 1.0)
    if scores.offer is not None and scores.found is not None:
        faults.block(
            "score",
            f"a score must be in [0, 1], and the column runs from {scores.found[0]:g} to {scores.found[1]:g}: say the "
            f"scale it is on, such as {scores.offer[0]:g} to {scores.offer[1]:g}, or 0 to 1 to have the others listed",
        )
    else:
        message = f"a score must be in [{low:g}, {high:g}], got {{value!r}}"
        faults.add(scores.outside, "score", message, raw)
        if (low, high) != (0.0, 1.0):
            notes.append(f"The scores were brought from {low:g} to {high:g} to the scale from 0 to 1.")
    if "label" not in frame:
        notes.append(
            f"The pairs are graded: from a score of {SCORE_CUT:g} on they count as similar, if no other cut is set."
        )
    frame["score"] = scores.column
    return Questions(questions.labels, questions.asks_labels, scores.found, scores.offer)


def _triplets(frame: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    """Return two pairs a row: with the positive text and with the negative one, whose id and category are unknown."""
    positive = frame.drop(columns="negative").assign(label=1.0)
    negative = frame.drop(columns=["sentence2", "id2", "category2"], errors="ignore")
    negative = negative.rename(columns={"negative": "sentence2"}).assign(label=0.0)
    notes.append("Each row is a triplet: it becomes a positive pair and a negative pair.")
    return with_pair_columns(pd.concat([positive, negative]).sort_index(kind="stable"))
