"""Parquet and Arrow columns as text: refused before they are decoded where they would not fit."""

from __future__ import annotations

import json
import re
from typing import IO, TYPE_CHECKING

from simtune_core.errors import DataFaultError
from simtune_core.files import printable
from simtune_core.tables.columns import BATCH_ROWS, Columns
from simtune_core.tables.sources import Source
from simtune_core.tables.table import (
    Progress,
    Reading,
    ReadingOptions,
    Table,
    require_once,
    require_rows,
    require_size,
)

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

_INDEX = re.compile(r"__index_level_\d+__")  # pandas' own row numbers, no column of the file


def read_parquet(source: Source, options: ReadingOptions, limit: int | None, progress: Progress | None) -> Table:
    """Read Parquet; numbers become text as Python writes them, truth is 1 or 0.

    Raises:
        DataFaultError: If it is damaged, too large once decoded, or holds lists and structures only.
    """
    import pyarrow as pa

    try:
        with source.seekable() as content:
            file, columns, notes = _open(content, source.name)
            collected = Columns(source.name, columns)
            expanded = _expanded_bytes(file, columns, source.name) if limit is None else None
            n_rows = 0
            for batch in file.iter_batches(batch_size=min(BATCH_ROWS, limit or BATCH_ROWS), columns=columns):
                taken = batch if limit is None else batch.slice(0, limit - n_rows)
                n_rows += taken.num_rows
                collected.add(with_class_names(texts_of(taken, source.name), file.schema_arrow))
                if progress:
                    progress(n_rows, file.metadata.num_rows, "rows")
                if limit is not None and n_rows >= limit:
                    break
    except (pa.ArrowException, OSError, ValueError) as error:
        raise DataFaultError(f"{source.name} cannot be read as Parquet: {reason_of(error)}.") from error
    reading = Reading("parquet", expanded_bytes=expanded)
    return Table(collected.frame(), source.name, collected.places(), (*notes, *collected.notes()), reading)


def texts_of(batch: pa.RecordBatch | pa.Table, name: str) -> dict[str, pa.Array]:
    """Return the columns of an Arrow batch as text.

    Raises:
        DataFaultError: If a column of bytes is not UTF-8.
    """
    import pyarrow as pa

    columns = {}
    for column in batch.schema.names:
        try:
            texts = _as_text(batch.column(column))
            texts.validate(full=True)
        except pa.ArrowException as error:
            raise DataFaultError(f"{name}, column {column[:60]}: not text ({reason_of(error)}).") from error
        columns[column] = texts
    return columns


def with_class_names(texts: dict[str, pa.Array], schema: pa.Schema) -> dict[str, pa.Array]:
    """Return columns of text with a column of names beside each whose numbers stand for classes."""
    import pyarrow as pa

    named = dict(texts)
    for column, names in _class_names(schema).items():
        by_number = {str(number): name for number, name in enumerate(names)}
        values = texts[column].to_pylist()
        named[f"{column}_name"] = pa.array([by_number.get(value) for value in values], pa.large_string())
    return named


def class_names_note(schema: pa.Schema) -> tuple[str, ...]:
    """Return a note on the columns of names that `with_class_names` adds."""
    return tuple(f"{column}_name holds the names of the classes in {column}." for column in _class_names(schema))


def _class_names(schema: pa.Schema) -> dict[str, list[str]]:
    """Return the names of classes that a datasets library has written beside a table, by column."""
    try:
        told = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
        features = told["info"]["features"]
        named = {
            column: [str(name) for name in feature["names"]]
            for column, feature in features.items()
            if feature.get("_type") == "ClassLabel"
        }
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):  # what others wrote there
        return {}
    plain = {field.name for field in plain_columns(schema)}
    return {column: names for column, names in named.items() if column in plain and f"{column}_name" not in plain}


def plain_columns(schema: pa.Schema) -> list[pa.Field]:
    """Return the fields that hold plain values, pandas' own row numbers left out."""
    return [field for field in schema if not _is_nested(field.type) and not _INDEX.fullmatch(field.name)]


def left_out_note(schema: pa.Schema) -> tuple[str, ...]:
    """Return a note on the columns that hold no plain values."""
    nested = [field.name for field in schema if _is_nested(field.type)]
    return (nested_note(nested),) if nested else ()


def nested_note(columns: list[str]) -> str:
    """Word which columns were left out since their values are not plain."""
    return f"Left out, since they hold lists or structures and not plain values: {printable(', '.join(columns))[:300]}."


def reason_of(error: Exception) -> str:
    """Return the first line of a library's message."""
    return (str(error).splitlines() or [type(error).__name__])[0][:200].rstrip(".")


def _open(content: IO[bytes], name: str) -> tuple[pq.ParquetFile, list[str], tuple[str, ...]]:
    """Open a Parquet file whose footer promises a size that fits; texts stay coded by their dictionaries.

    Returns:
        The file, the columns that hold plain values, and a note on those that do not.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = pq.ParquetFile(content)
    schema, meta = file.schema_arrow, file.metadata
    require_rows(meta.num_rows, name)
    require_once(schema.names, name)
    require_size(sum(meta.row_group(i).total_byte_size for i in range(meta.num_row_groups)), name)
    plain = plain_columns(schema)
    if not plain:
        raise DataFaultError(f"{name} has no column with plain values. {' '.join(left_out_note(schema))}".rstrip())
    widths = [field.type.bit_width // 8 for field in plain if pa.types.is_fixed_size_binary(field.type)]
    require_size(sum(widths) * meta.num_rows, name)
    coded = [field.name for field in plain if _is_text(field.type)]
    content.seek(0)
    file = pq.ParquetFile(content, read_dictionary=coded)
    return file, [field.name for field in plain], (*left_out_note(schema), *class_names_note(schema))


def _expanded_bytes(file: pq.ParquetFile, columns: list[str], name: str) -> int:
    """Return how many bytes the columns take once decoded; refused as soon as that is too much, before any is."""
    expanded = 0
    for batch in file.iter_batches(batch_size=BATCH_ROWS, columns=columns):
        expanded += sum(map(_decoded_bytes, batch.columns))
        require_size(expanded, name)
    return expanded


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


def _as_text(values: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Return values as strings; integers beside nulls keep every digit, truth is 1 or 0."""
    import pyarrow as pa

    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    if pa.types.is_boolean(values.type):
        values = values.cast(pa.int8())
    if pa.types.is_floating(values.type):
        return pa.array(_number_texts(values), pa.large_string())
    if pa.types.is_timestamp(values.type) or pa.types.is_duration(values.type) or pa.types.is_null(values.type):
        return pa.array([None if value is None else str(value) for value in values.to_pylist()], pa.large_string())
    return values.cast(pa.large_string())


def _number_texts(values: pa.Array) -> list[str | None]:
    """Return floating-point numbers in the fewest digits that give them back; not-a-number is no value."""
    import numpy as np

    numbers = values.to_numpy(zero_copy_only=False)
    texts = numbers.astype(str).tolist()
    return [None if absent else text for text, absent in zip(texts, np.isnan(numbers), strict=True)]
