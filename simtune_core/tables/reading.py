"""Foreign files as tables of text: every value a string, nothing interpreted, nothing shifted, sizes limited.

Reads CSV, TSV and Parquet; other formats have their place in `_READERS`. Knows nothing of records or pairs.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from simtune_core.errors import DataFaultError
from simtune_core.files import printable
from simtune_core.tables.table import (
    MAX_BYTES,
    MAX_TEXT,
    Progress,
    ReadingOptions,
    Table,
    require_once,
    require_rows,
    require_size,
)

if TYPE_CHECKING:
    import _csv

    import pyarrow as pa
    import pyarrow.parquet as pq

_BATCH_ROWS = 20_000
_INDEX = re.compile(r"__index_level_\d+__")  # pandas' own row numbers, no column of the file


def read_table(
    source: Path | bytes,
    name: str,
    options: ReadingOptions | None = None,
    *,
    limit: int | None = None,
    progress: Progress | None = None,
) -> Table:
    """Read a CSV, TSV or Parquet file as text.

    Args:
        source: A path, or the content of an upload.
        name: The file's name; only its ending decides the format, it is never used as a path.
        options: How to read it; what is not set is detected.
        limit: Only so many rows, from the head.
        progress: Told of what was read, in bytes or rows.

    Raises:
        DataFaultError: If the file is empty, unreadable, ragged, too large or of another format.
    """
    name = printable(name)
    suffix = Path(name).suffix.lower()
    if suffix not in _READERS:
        raise DataFaultError(f"A file must be one of {', '.join(_READERS)}, got {name[-60:]!r}.")
    content = source if isinstance(source, bytes) else _read_bytes(source, name)
    if not content:
        raise DataFaultError(f"{name} is empty; choose a file with a header and rows.")
    table = _READERS[suffix](content, name)
    if table.frame.empty:
        raise DataFaultError(f"{name} has no rows (columns: {', '.join(map(str, table.frame.columns)) or 'none'}).")
    return table


def _read_bytes(path: Path, name: str) -> bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            size = path.stat().st_size / 1e9
            raise DataFaultError(f"{name} must be at most {MAX_BYTES / 1e9:.0f} GB, got {size:.1f} GB.")
        return path.read_bytes()
    except OSError as error:
        raise DataFaultError(f"{name} cannot be read: {error.strerror or error}.") from error


def _read_delimited(content: bytes, name: str) -> Table:
    """Read CSV or TSV strictly: a row with another number of fields than the header is named, never shifted."""
    text, notes = _decode(content, name)
    header = text.lstrip("\r\n").partition("\n")[0]
    delimiter = max((",", "\t", ";", "|"), key=header.count)
    csv.field_size_limit(10 * MAX_TEXT)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        numbered = list(_numbered(reader))
    except csv.Error as error:
        raise DataFaultError(f"{name}, line {reader.line_num}: not a valid CSV file ({error}).") from error
    columns = [column.strip() for column in numbered[0][1]] if numbered else []
    require_once(columns, name)
    ragged = [(number, len(row)) for number, row in numbered if len(row) != len(columns)]
    if ragged:
        shown = ", ".join(f"row {number} has {found}" for number, found in ragged[:5])
        raise DataFaultError(
            f"Every row of {name} must have the header's {len(columns)} fields (delimiter {delimiter!r}); {shown}"
            f"{f' and {len(ragged) - 5:,} more' if len(ragged) > 5 else ''}. Check quotes and delimiter."
        )
    require_rows(len(numbered) - 1, name)
    frame = pd.DataFrame([row for _, row in numbered[1:]], columns=columns, dtype="str")
    return Table(frame.where(frame != "", None), name, np.array([number for number, _ in numbered[1:]]), notes)


def _numbered(reader: _csv.Reader) -> Iterator[tuple[int, list[str]]]:
    """Yield every row that is not blank with the line on which it begins."""
    begins = 1
    for row in reader:
        if row:
            yield begins, row
        begins = reader.line_num + 1


def _decode(content: bytes, name: str) -> tuple[str, tuple[str, ...]]:
    encoding = "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise DataFaultError(
            f"{name} must be UTF-8 text; line {line} holds the byte 0x{content[error.start]:02x}. "
            "Save the file as UTF-8 and try again."
        ) from error
    n_removed = text.count("\x00")
    removed = (f"{n_removed:,} NUL character{'s were' if n_removed > 1 else ' was'} removed from the file.",)
    return text.replace("\x00", ""), removed if n_removed else ()


def _read_parquet(content: bytes, name: str) -> Table:
    """Read Parquet, refused before it is decoded where it would not fit; numbers become text as Python writes them."""
    import pyarrow as pa

    try:
        file, columns, notes = _open_parquet(content, name)
        batches, expanded = [], 0
        for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=columns):
            expanded += sum(map(_decoded_bytes, batch.columns))
            require_size(expanded, name)
            batches.append(batch)
        table = pa.Table.from_batches(batches) if batches else file.read(columns=columns)
        text = {column: _as_text(table[column]) for column in table.column_names}
    except (pa.ArrowException, OSError, ValueError) as error:
        raise DataFaultError(f"{name} cannot be read as Parquet: {str(error).splitlines()[0][:200]}.") from error
    return Table(pd.DataFrame(text), name, np.arange(1, len(table) + 1), notes)


def _open_parquet(content: bytes, name: str) -> tuple[pq.ParquetFile, list[str], tuple[str, ...]]:
    """Open a Parquet file whose footer promises a size that fits; texts stay coded by their dictionaries.

    Returns:
        The file, the columns that hold plain values, and a note on those that do not.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = pq.ParquetFile(io.BytesIO(content))
    schema, meta = file.schema_arrow, file.metadata
    require_rows(meta.num_rows, name)
    require_once(schema.names, name)
    require_size(sum(meta.row_group(i).total_byte_size for i in range(meta.num_row_groups)), name)
    plain = [field for field in schema if not _is_nested(field.type) and not _INDEX.fullmatch(field.name)]
    widths = [field.type.bit_width // 8 for field in plain if pa.types.is_fixed_size_binary(field.type)]
    require_size(sum(widths) * meta.num_rows, name)
    coded = [field.name for field in plain if _is_text(field.type)]
    nested = [field.name for field in schema if _is_nested(field.type)]
    left_out = f"Left out, since they hold lists or structures and not plain values: {', '.join(nested)}."
    file = pq.ParquetFile(io.BytesIO(content), read_dictionary=coded)
    return file, [field.name for field in plain], (left_out,) if nested else ()


def _decoded_bytes(values: pa.Array) -> int:
    """Return how many bytes values take once each stands for itself, without decoding them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_dictionary(values.type) or not _is_text(values.type.value_type):
        return int(values.nbytes)
    lengths = pc.binary_length(values.dictionary).cast(pa.int64())
    return int(pc.sum(lengths.take(values.indices)).as_py() or 0)


def _is_text(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return any(test(kind) for test in (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary))


def _is_nested(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_nested(kind.value_type if pa.types.is_dictionary(kind) else kind))


def _as_text(values: pa.ChunkedArray) -> pd.Series:
    """Return values as strings; integers beside nulls keep every digit, truth is 1 or 0."""
    import pyarrow as pa

    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    if pa.types.is_boolean(values.type):
        values = values.cast(pa.int8())
    if pa.types.is_integer(values.type) or _is_text(values.type):
        values = values.cast(pa.string())
    column = values.to_pandas()
    return column.astype(object).where(column.notna(), None).astype("str")


_READERS: dict[str, Callable[[bytes, str], Table]] = {
    ".csv": _read_delimited,
    ".tsv": _read_delimited,
    ".parquet": _read_parquet,
}
