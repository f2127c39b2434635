"""Rows of a dataset for reading: filtered, searched and sorted, a page at a time, at any size.

A large table is read from an uncompressed copy in the cache that is mapped into memory, so that a look at a hundred
rows of a million costs neither the decoding of the rest nor its room. Decides nothing about what is shown.
"""

from __future__ import annotations

import functools
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from simtune_core.cache import keep_within_limit, mark_used
from simtune_core.datasets import DatasetVersion, canonical_ref, find_dataset, require_intact
from simtune_core.errors import WorkspaceError
from simtune_core.files import whole_file
from simtune_core.pairs import TEXT_COLUMNS
from simtune_core.workspace import Workspace

COPIED_FROM = 50_000  # rows from which a table is read through a copy; a smaller one is decoded in a few hundredths
SEARCHED = {"pairs": TEXT_COLUMNS, "records": ("id", "text")}
CATEGORIES = {"pairs": ("category1", "category2"), "records": ("category",)}
Found = Literal["similar", "dissimilar", "unlabelled"]
_LABELS: dict[str, float | None] = {"similar": 1.0, "dissimilar": 0.0, "unlabelled": None}
ROWS = "rows.parquet"  # what a `describe` job leaves of every row: `duplicate` and `truncated`, in the table's order
_KEPT_ANSWERS = 16  # found rows kept in memory, four bytes a row
_KEPT_TABLES = 4  # small tables kept decoded
Places = NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class RowQuery:
    """Which rows are wanted, in which order; what is empty or None asks for nothing.

    Attributes:
        search: Text that one of the texts (or a record's id) must hold; taken literally, case ignored.
        splits: Splits to keep.
        labels: Kinds of pair to keep, by label.
        categories: Categories to keep; for pairs one of the two must be among them.
        phases: Phases to keep.
        scores: Least and greatest score to keep.
        duplicate: Whether only rows are wanted that a description calls duplicates.
        truncated: Whether only rows are wanted that an encoder does not read to their end.
        sort: Column to sort by; the order of the file if None. Rows without a value come last.
        descending: Whether the greatest come first.
    """

    search: str = ""
    splits: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    phases: tuple[str, ...] = ()
    scores: tuple[float, float] | None = None
    duplicate: bool = False
    truncated: bool = False
    sort: str | None = None
    descending: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class RowPage:
    """A part of a dataset's rows.

    Attributes:
        frame: The rows shown, columns without any value left out.
        n_found: How many rows fit the query.
        n_rows: How many rows there are.
        numbers: The rows' places in the table, counted from 0; shape (len(frame),).
    """

    frame: pd.DataFrame
    n_found: int
    n_rows: int
    numbers: NDArray[np.int64]


def row_page(
    workspace: Workspace,
    ref: str,
    query: RowQuery | None = None,
    *,
    page: int = 1,
    size: int = 100,
    described: Path | None = None,
) -> RowPage:
    """Return one page of a dataset's rows.

    Args:
        workspace: Where the dataset lies.
        ref: The dataset, a version or a split of it.
        query: Which rows in which order; all, as they stand in the file, by default.
        page: Number of the page, from 1.
        size: Rows a page.
        described: Folder of a `describe` job of this very version; needed for `duplicate` and `truncated`.

    Raises:
        WorkspaceError: If there is no such dataset, its file was changed, or the query needs a description or a column
            that is not there.
    """
    wanted = query or RowQuery()
    version, split = find_dataset(workspace, ref)
    found = _found(workspace, canonical_ref(workspace, ref), version.content_id, wanted, described)
    table = open_rows(workspace, version)
    numbers = found[(page - 1) * size : page * size]
    frame = table.take(pa.array(numbers)).to_pandas().dropna(axis=1, how="all")
    n_rows = version.n_rows if split is None else version.splits[split]
    return RowPage(frame, len(found), n_rows, numbers.astype(np.int64))


def values_of(workspace: Workspace, ref: str, column: str) -> list[str]:
    """Return the values of a text column, the most frequent first; empty if there is no such column or value."""
    version, _ = find_dataset(workspace, ref)
    require_intact(version)
    return list(_values(version.table, version.content_id, column))


def sortable_columns(version: DatasetVersion) -> list[str]:
    """Return the columns that rows can be sorted by."""
    schema = pq.read_schema(version.table)
    return [field.name for field in schema if _sortable(field.type)]


def open_rows(workspace: Workspace, version: DatasetVersion) -> pa.Table:
    """Return all rows of a version, decoded, or mapped from their copy in the cache.

    The first look at a large table makes that copy; where it cannot be written, the table is decoded each time.

    Raises:
        WorkspaceError: If the table is missing or was changed.
    """
    require_intact(version)
    if version.n_rows < COPIED_FROM:
        return _decoded(version.table, version.content_id)
    copy = workspace.cache / "tables" / f"{version.content_id}.arrow"
    mapped = _mapped(copy)
    if mapped is not None:
        return mapped
    table = pq.read_table(version.table)
    try:
        with (
            whole_file(copy) as beside,
            pa.OSFile(str(beside), "wb") as sink,
            pa.ipc.new_file(sink, table.schema) as writer,
        ):
            writer.write_table(table)
    except WorkspaceError:  # a full or read-only disk: reading goes on without the copy
        return table
    keep_within_limit(workspace)
    return _mapped(copy) or table


@functools.lru_cache(maxsize=_KEPT_TABLES)
def _decoded(table: Path, _content_id: str) -> pa.Table:
    return pq.read_table(table)


def _mapped(copy: Path) -> pa.Table | None:
    try:
        table = pa.ipc.open_file(pa.memory_map(str(copy))).read_all()
    except FileNotFoundError:
        return None
    except (OSError, pa.ArrowInvalid):  # cut off, by a disk that failed, say
        with suppress(OSError):
            copy.unlink()
        return None
    mark_used(copy)
    return table


@functools.lru_cache(maxsize=_KEPT_ANSWERS)
def _found(workspace: Workspace, ref: str, content_id: str, query: RowQuery, described: Path | None) -> Places:
    """Return the places of the rows that fit, in the order asked for; the last answers are remembered.

    The content id is part of the key alone: a version that was deleted and saved anew is another one.
    """
    version, split = find_dataset(workspace, ref)
    table = open_rows(workspace, version)
    kept = _chosen(table, version, split, query)
    if query.scores is not None:
        low, high = query.scores
        scores = _column(table, "score").to_numpy()
        kept &= (scores >= low) & (scores <= high)
    if query.search:
        kept &= _holding(table, SEARCHED[version.kind], query.search)
    for flag in ("duplicate", "truncated"):
        if getattr(query, flag):
            kept &= _flags(described, flag, table.num_rows)
    return _sorted(table, np.flatnonzero(kept), query)


def _chosen(table: pa.Table, version: DatasetVersion, split: str | None, query: RowQuery) -> NDArray[np.bool_]:
    """Return which rows have one of the values chosen, in every column where some were chosen."""
    kept = np.ones(table.num_rows, dtype=bool)
    for columns, values in (
        (("split",), () if split is None else (split,)),
        (("split",), query.splits),
        (("phase",), query.phases),
        (CATEGORIES[version.kind], query.categories),
    ):
        if values:
            kept &= _equal_to(table, columns, values)
    return kept & _labelled(table, query.labels) if query.labels else kept


def _holding(table: pa.Table, columns: tuple[str, ...], search: str) -> NDArray[np.bool_]:
    holds = np.zeros(table.num_rows, dtype=bool)
    for column in columns:
        holds |= _truth(pc.match_substring(_column(table, column), search, ignore_case=True))
    return holds


def _equal_to(table: pa.Table, columns: tuple[str, ...], values: tuple[str, ...]) -> NDArray[np.bool_]:
    equal = np.zeros(table.num_rows, dtype=bool)
    for column in columns:
        held = _column(table, column)
        equal |= _truth(pc.is_in(held, value_set=pa.array(values, type=held.type)))
    return equal


def _labelled(table: pa.Table, kinds: tuple[str, ...]) -> NDArray[np.bool_]:
    labels = _column(table, "label").to_numpy()
    kept = np.zeros(len(labels), dtype=bool)
    for kind in kinds:
        value = _LABELS[kind]
        kept |= np.isnan(labels) if value is None else labels == value
    return kept


def _flags(described: Path | None, name: str, n_rows: int) -> NDArray[np.bool_]:
    """Return one truth value per row from what a `describe` job left."""
    if described is None or not (described / ROWS).exists():
        raise WorkspaceError(f"Which rows are {name} is known once the set is described; describe it first.")
    flags: NDArray[np.bool_] = pq.read_table(described / ROWS, columns=[name])[name].to_numpy()
    if len(flags) != n_rows:
        raise WorkspaceError(
            f"The description is of {len(flags):,} rows and the set has {n_rows:,}; describe it again."
        )
    return flags


def _sorted(table: pa.Table, rows: NDArray[np.int64], query: RowQuery) -> Places:
    if query.sort is None or not len(rows):
        return rows.astype(np.uint32)
    values = _without_nan(_column(table, query.sort))
    wanted = values if len(rows) == table.num_rows else values.take(pa.array(rows))
    order = "descending" if query.descending else "ascending"
    places = pc.array_sort_indices(wanted.combine_chunks(), order=order)  # stable, rows without a value last
    return rows[places.to_numpy()].astype(np.uint32)


def _without_nan(values: pa.ChunkedArray) -> pa.ChunkedArray:
    if not pa.types.is_floating(values.type):
        return values
    return pc.if_else(pc.is_nan(values), pa.scalar(None, values.type), values)


def _column(table: pa.Table, name: str) -> pa.ChunkedArray:
    if name not in table.column_names:
        raise WorkspaceError(f"There is no column {name!r}; there are: {', '.join(table.column_names)}.")
    column = table[name]
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def _truth(values: pa.ChunkedArray) -> NDArray[np.bool_]:
    truth: NDArray[np.bool_] = pc.fill_null(values, False).to_numpy()
    return truth


def _sortable(kind: pa.DataType) -> bool:
    return not (pa.types.is_nested(kind) or pa.types.is_null(kind) or pa.types.is_binary(kind))


@functools.lru_cache(maxsize=64)
def _values(table: Path, _content_id: str, column: str) -> tuple[str, ...]:
    schema = pq.read_schema(table)
    if column not in schema.names:
        return ()
    counts = pq.read_table(table, columns=[column])[column].value_counts().to_pylist()
    known = [each for each in counts if each["values"] is not None]
    return tuple(str(each["values"]) for each in sorted(known, key=lambda each: (-each["counts"], each["values"])))
