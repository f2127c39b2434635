"""A dataset as a file for other programs: CSV, Parquet, JSON Lines, or a Hugging Face dataset folder.

Parquet, JSON Lines and the folder hold every text exactly. A CSV is made for spreadsheets: UTF-8 with a byte-order
mark, and texts that a spreadsheet would run as a formula get an apostrophe in front (`tables/formulas.py`). Pairs may
be laid out as a loss takes them (`curriculum/formats.py`). Nothing is overwritten.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import pandas as pd

from simtune_core.curriculum.formats import FormatConfig, LeftOut, format_pairs
from simtune_core.datasets import DatasetVersion, find_dataset, load_details, load_pairs, load_records
from simtune_core.errors import WorkspaceError
from simtune_core.files import whole_file, whole_folder
from simtune_core.preparing.dataset_card import card_of, split_names
from simtune_core.tables.formulas import marked
from simtune_core.workspace import Workspace

ExportFormat = Literal["csv", "parquet", "jsonl", "huggingface"]
FORMATS: tuple[ExportFormat, ...] = get_args(ExportFormat)
ENDINGS: Mapping[ExportFormat, str] = {"csv": ".csv", "parquet": ".parquet", "jsonl": ".jsonl", "huggingface": ""}
_GUESSED: Mapping[str, ExportFormat] = {".csv": "csv", ".parquet": "parquet", ".jsonl": "jsonl", ".ndjson": "jsonl"}
_BATCH = 10_000  # rows of JSON Lines written at once
_BOM = b"\xef\xbb\xbf"  # without it spreadsheets read UTF-8 as something else


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written.

    Attributes:
        path: The file or folder.
        format: What it is.
        n_rows: How many rows it holds.
        n_marked: How many texts of a CSV got an apostrophe in front; 0 for the exact formats.
        left_out: What is not in it because the rows were laid out for a loss.
        notes: What else has to be known of such rows, in sentences.
    """

    path: Path
    format: ExportFormat
    n_rows: int
    n_marked: int = 0
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """What is written: a table, and what was left out of it."""

    frame: pd.DataFrame
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()


def export_rows(
    workspace: Workspace, ref: str, to: Path, *, form: ExportFormat | None = None, rows: FormatConfig | None = None
) -> Exported:
    """Write a dataset, or one of its splits, for another program.

    Args:
        workspace: Where it is.
        ref: The dataset.
        to: The file to write, or a folder: one that exists gets a file of the dataset's name, one that does not
            becomes a Hugging Face dataset.
        form: The format; guessed from the ending by default.
        rows: How pairs are laid out for a loss; None writes them as they are stored.

    Raises:
        WorkspaceError: If there is no such dataset, the file exists already, the ending tells no format, records are to
            be laid out as pairs, or the disk is full.
        DataFaultError: If pairs cannot be laid out as asked.
    """
    version, split = find_dataset(workspace, ref)
    form = form or _guessed(to)
    path = to / f"{file_stem(version, split, rows)}{ENDINGS[form]}" if to.is_dir() else to
    if path.exists() or path.is_symlink():
        raise WorkspaceError(f"{path.name} exists already and nothing is overwritten; choose another name.")
    laid_out = _rows(workspace, ref, rows)
    n_marked = 0
    if form == "huggingface":
        _write_folder(path, version, split, laid_out.frame)
    else:
        with whole_file(path) as beside:
            n_marked = _WRITERS[form](laid_out.frame, beside)
    return Exported(path, form, len(laid_out.frame), n_marked, laid_out.left_out, laid_out.notes)


def file_stem(version: DatasetVersion, split: str | None, rows: FormatConfig | None = None) -> str:
    """Return what an exported file is called: `name-v0001`, `name-v0001-split`, or either with `-triplets`."""
    kept = "".join(letter if letter.isalnum() or letter in "._-" else "_" for letter in split or "")
    laid_out = f"-{rows.output_format}" if rows else ""
    return f"{version.name}-{version.version}" + (f"-{kept}" if split else "") + laid_out


def plain_bytes(version: DatasetVersion) -> int:
    """Return about how many bytes the rows of a version take when they are not packed, from the footer of its file."""
    import pyarrow.parquet as pq

    try:
        meta = pq.ParquetFile(version.table).metadata
    except (OSError, ValueError) as error:  # ArrowInvalid is a ValueError
        raise WorkspaceError(f"{version.ref}: {version.table.name} cannot be read; import the data again.") from error
    return sum(meta.row_group(index).total_byte_size for index in range(meta.num_row_groups))


def _rows(workspace: Workspace, ref: str, rows: FormatConfig | None) -> _Rows:
    """Return the rows of records or pairs, as they are stored or laid out for a loss."""
    if rows is not None:
        made = format_pairs(load_pairs(workspace, ref), rows, load_details(workspace, ref))
        return _Rows(made.frame, made.left_out, made.notes)
    version, _ = find_dataset(workspace, ref)
    return _Rows(load_pairs(workspace, ref).frame if version.kind == "pairs" else load_records(workspace, ref).frame)


def _guessed(to: Path) -> ExportFormat:
    form: ExportFormat | None = _GUESSED.get(to.suffix.lower())
    if form is None and to.suffix == "" and not to.is_dir():
        return "huggingface"
    if form is None:
        raise WorkspaceError(
            f"{to.name} tells no format: end it in {', '.join(ending for ending in ENDINGS.values() if ending)}, or "
            f"say one of {', '.join(FORMATS)}."
        )
    return form


def _write_csv(frame: pd.DataFrame, path: Path) -> int:
    """Write a CSV for spreadsheets; texts are quoted, a null is an empty field without quotes."""
    import pyarrow as pa
    import pyarrow.csv as pa_csv

    table, n_marked = _arrow(frame), 0
    for place, column in enumerate(table.schema):
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            values, n = marked(table.column(place))
            table = table.set_column(place, column.name, values)
            n_marked += n
    names, _ = marked(pa.chunked_array([pa.array(table.column_names, pa.string())]))
    table = table.rename_columns(names.to_pylist())
    with path.open("wb") as file:
        file.write(_BOM)
        pa_csv.write_csv(table, file)
    return n_marked


def _write_parquet(frame: pd.DataFrame, path: Path) -> int:
    frame.to_parquet(path, compression="zstd", index=False)
    return 0


def _write_jsonl(frame: pd.DataFrame, path: Path) -> int:
    import msgspec

    encode = msgspec.json.Encoder().encode
    with path.open("wb") as file:
        for batch in _arrow(frame).to_batches(max_chunksize=_BATCH):
            file.writelines(encode(row) + b"\n" for row in batch.to_pylist())
    return 0


_WRITERS: Mapping[ExportFormat, Callable[[pd.DataFrame, Path], int]] = {
    "csv": _write_csv,
    "parquet": _write_parquet,
    "jsonl": _write_jsonl,
}


def _write_folder(path: Path, version: DatasetVersion, split: str | None, frame: pd.DataFrame) -> None:
    """Write one Parquet file for each split, and a card that names them for `datasets.load_dataset`."""
    import pyarrow.parquet as pq

    names = split_names(frame["split"])
    filled = frame.drop(columns="split").dropna(axis=1, how="all")
    with whole_folder(path) as beside:
        (beside / "data").mkdir()
        table = _arrow(filled)
        for name, rows in names.items():
            pq.write_table(table.filter(rows), beside / "data" / f"{name}.parquet", compression="zstd")
        counts = {name: int(rows.sum()) for name, rows in names.items()}
        columns = {field.name: str(field.type).removeprefix("large_") for field in table.schema}
        card = card_of(version, split, counts, columns)
        (beside / "README.md").write_text(card, encoding="utf-8")


def _arrow(frame: pd.DataFrame) -> Any:
    """Return the rows as an Arrow table; NaN becomes null, and a label the whole number that it is."""
    import pyarrow as pa

    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    if "label" in table.column_names and pa.types.is_floating(table.schema.field("label").type):
        place = table.column_names.index("label")
        table = table.set_column(place, "label", table.column(place).cast(pa.int64()))
    return table
