"""Foreign files with vectors of texts or scores of pairs, checked row by row before they become an encoder.

Vectors come as a Parquet file with a column of lists, as `.npz` or as `.safetensors`; scores as a column of any table
of pairs. Nothing is repaired and nothing passed over in silence: what is wrong is refused with its rows.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simtune_core.encoders.imported import pair_key
from simtune_core.errors import DataFaultError
from simtune_core.importing.options import guess_columns, parse_columns
from simtune_core.tables.reading import read_table
from simtune_core.tables.table import require_rows, require_size

VECTOR_FILES = (".parquet", ".npz", ".safetensors")
TEXT_NAMES = ("text", "texts", "sentence", "description", "body", "content", "input")
ID_NAMES = ("id", "ids", "record_id", "number", "key")
_SAME = 1e-5  # two vectors or scores of one text or pair that differ by no more are the same
_SHOWN_ROWS = 5
_KEYED = "(the names of its arrays)"


@dataclass(frozen=True, slots=True, eq=False)
class Vectors:
    """Vectors of distinct texts.

    Attributes:
        texts: The texts.
        vectors: Finite and not zero, not yet of unit length; float32, shape (n_texts, dim).
        columns: Which column or array was taken as `vectors` and as `text` or `id`.
        notes: What was left out.
    """

    texts: list[str]
    vectors: NDArray[np.float32]
    columns: dict[str, str]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Scores of distinct pairs of texts.

    Attributes:
        pairs: The pairs.
        scores: In [-1, 1]; float32, shape (n_pairs,).
        columns: Which column was taken as what.
        notes: What was left out.
    """

    pairs: list[tuple[str, str]]
    scores: NDArray[np.float32]
    columns: dict[str, str]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns or arrays of a file that could play a role.

    Attributes:
        vectors: Those that hold vectors.
        names: Those that hold texts or ids; `_KEYED` where the arrays are named by them.
    """

    vectors: tuple[str, ...]
    names: tuple[str, ...]


def read_vectors(
    path: Path,
    name: str,
    *,
    vectors: str | None = None,
    text: str | None = None,
    record_id: str | None = None,
    texts_by_id: Mapping[str, str] | None = None,
) -> Vectors:
    """Read the vectors of texts.

    Args:
        path: The file.
        name: What it is called, for sentences; its ending decides the format.
        vectors: The column or array of vectors; the only one by default.
        text: The column or array of texts.
        record_id: The column or array of record ids, in place of texts.
        texts_by_id: The text of each record id; needed with `record_id`, and where arrays are named by ids.

    Raises:
        DataFaultError: If the file cannot be read, or a row has no text, no vector, one of another length, with a NaN
            or of length 0, or a text has two different vectors.
    """
    found = _read(path, name, vectors, text or record_id)
    by_id = texts_by_id if record_id is not None or (found.keyed and texts_by_id is not None) else None
    if record_id is not None and texts_by_id is None:
        raise DataFaultError(f"{name} names its vectors by ids: name the dataset whose records have them, too.")
    matrix = _matrix(found.rows, name)
    texts, notes = found.names, []
    _refuse([row for row, each in enumerate(texts) if not str(each).strip()], len(texts), name, "have no text")
    if by_id is not None:
        known = np.array([each in by_id for each in texts], dtype=bool)
        if not known.any():
            raise DataFaultError(f"No id of {name} is one of the dataset's, such as {next(iter(by_id), '')!r}.")
        if not known.all():
            notes.append(f"{int((~known).sum()):,} of {len(texts):,} vectors are of ids that the dataset has not.")
        texts, matrix = [by_id[each] for each in np.array(texts, dtype=object)[known]], matrix[known]
    kept = _distinct(texts, matrix, name, ("text", "vector"))
    if len(kept) < len(texts):
        notes.append(f"{len(texts) - len(kept):,} rows repeat a text with the same vector and count once.")
    columns = {"vectors": found.vectors, "id" if by_id is not None else "text": found.key}
    return Vectors([texts[row] for row in kept], matrix[kept], columns, tuple(notes))


def read_scores(path: Path | bytes, name: str, *, score: str, columns: str = "") -> Scores:
    """Read the scores of pairs.

    Args:
        path: The file, or the content of an upload.
        name: What it is called; its ending decides the format.
        score: The column of scores.
        columns: `sentence1=column,sentence2=column` where the guess is wrong.

    Raises:
        DataFaultError: If the file cannot be read, has no such columns, a row has no text, or no number in [-1, 1], or
            a pair has two different scores.
    """
    table = read_table(path, name)
    have = list(table.frame.columns)
    roles = guess_columns(have, "pairs") | parse_columns(columns, "pairs", have)
    chosen = {role: "+".join(roles.get(role, ())) for role in ("sentence1", "sentence2")} | {"scores": score}
    absent = [f"{role}={column or '?'}" for role, column in chosen.items() if column not in have]
    if absent:
        raise DataFaultError(f"{name} has no column for {', '.join(absent)}; it has: {', '.join(have)}.")
    first, second = (table.frame[chosen[role]].fillna("") for role in ("sentence1", "sentence2"))
    values = pd.to_numeric(table.frame[score], errors="coerce").to_numpy(np.float64)
    empty = ((first.str.strip() == "") | (second.str.strip() == "")).to_numpy()
    _refuse(table.numbers[empty] - 1, len(values), name, "have an empty text")
    _refuse(table.numbers[~np.isfinite(values)] - 1, len(values), name, f"have no number in {score!r}")
    outside = f"have a score outside [-1, 1] ({score!r} runs from {values.min():g} to {values.max():g}; rescale it)"
    _refuse(table.numbers[np.abs(values) > 1] - 1, len(values), name, outside)
    pairs = list(zip(first, second, strict=True))
    keys = [pair_key(*pair) for pair in pairs]
    kept = _distinct(keys, values[:, None], name, ("pair", "score"))
    notes = (f"{len(pairs) - len(kept):,} rows repeat a pair with the same score and count once.",)
    scores = values[kept].astype(np.float32)
    return Scores([pairs[row] for row in kept], scores, chosen, notes if len(kept) < len(pairs) else ())


def layout_of(path: Path, name: str) -> Layout:
    """Return what a file with vectors holds, for a form to offer.

    Raises:
        DataFaultError: If it cannot be read.
    """
    suffix = _suffix(name)
    if suffix == ".parquet":
        lists, others = _parquet_columns(path, name)
        return Layout(lists, others)
    if suffix == ".npz":
        with _opened_npz(path, name) as arrays:
            shapes = {key: arrays[key].ndim for key in arrays.files[:_SHOWN_ROWS]}
        flat = tuple(key for key, ndim in shapes.items() if ndim == 1)
        wide = tuple(key for key, ndim in shapes.items() if ndim == 2)
        return Layout(wide, flat) if wide else Layout((_KEYED,), (_KEYED,))
    return Layout((_KEYED,), (_KEYED,))


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """A file as read: its vectors row by row, and the text or id of each."""

    rows: Any
    names: list[str]
    vectors: str
    key: str

    @property
    def keyed(self) -> bool:
        return self.key == _KEYED


def _read(path: Path, name: str, vectors: str | None, key: str | None) -> _Found:
    readers = {".parquet": _read_parquet, ".npz": _read_npz, ".safetensors": _read_safetensors}
    return readers[_suffix(name)](path, name, vectors, key)


def _suffix(name: str) -> str:
    suffix = Path(name).suffix.lower()
    if suffix not in VECTOR_FILES:
        raise DataFaultError(
            f"Vectors must come as {', '.join(VECTOR_FILES)}, got {name[-60:]!r}; a column of scores may come in "
            "any table."
        )
    return suffix


def _parquet_columns(path: Path, name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the columns of lists of numbers and the other plain columns, once the file is known to fit."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise DataFaultError(f"{name} cannot be read as Parquet: {_reason(error)}.") from error
    meta, schema = file.metadata, file.schema_arrow
    require_rows(meta.num_rows, name)
    groups = [meta.row_group(index) for index in range(meta.num_row_groups)]
    n_values = sum(group.column(place).num_values for group in groups for place in range(group.num_columns))
    require_size(max(4 * n_values, sum(group.total_byte_size for group in groups)), name)
    lists = tuple(field.name for field in schema if _is_list(field.type))
    return lists, tuple(field.name for field in schema if not pa.types.is_nested(field.type))


def _is_list(kind: Any) -> bool:
    import pyarrow as pa

    of_lists = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    if not any(test(kind) for test in of_lists):
        return False
    return bool(pa.types.is_floating(kind.value_type) or pa.types.is_integer(kind.value_type))


def _read_parquet(path: Path, name: str, vectors: str | None, key: str | None) -> _Found:
    import pyarrow as pa
    import pyarrow.parquet as pq

    lists, others = _parquet_columns(path, name)
    column = _chosen(vectors, lists, name, "vectors, a list of numbers in each row")
    names = _chosen(key, others, name, "texts or ids", usual=(*TEXT_NAMES, *ID_NAMES))
    try:
        table = pq.read_table(path, columns=[column, names])
    except (pa.ArrowException, OSError, ValueError) as error:
        raise DataFaultError(f"{name} cannot be read as Parquet: {_reason(error)}.") from error
    values = table.column(column).combine_chunks()
    _refuse(np.flatnonzero(values.is_null().to_numpy(zero_copy_only=False)), len(values), name, "have no vector")
    flat = values.flatten().to_numpy(zero_copy_only=False)
    lengths = values.value_lengths().to_numpy(zero_copy_only=False)
    texts = ["" if text is None else str(text) for text in table.column(names).to_pylist()]
    return _Found(_rectangle(flat, lengths, name), texts, column, names)


def _rectangle(flat: NDArray[Any], lengths: NDArray[Any], name: str) -> NDArray[Any]:
    """Return values of lists as a matrix; lists of unequal lengths are refused."""
    if len(lengths) == 0:
        raise DataFaultError(f"{name} has no rows.")
    usual = int(np.bincount(lengths).argmax())
    others = np.flatnonzero(lengths != usual)
    told = f"have a vector of another length than the others' {usual:,} numbers"
    _refuse(others, len(lengths), name, told)
    return flat.reshape(len(lengths), usual)


def _read_npz(path: Path, name: str, vectors: str | None, key: str | None) -> _Found:
    with _opened_npz(path, name) as file:
        try:
            arrays = {each: file[each] for each in file.files}
        except (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile) as error:
            raise DataFaultError(f"{name} must hold plain arrays of numbers and texts: {_reason(error)}.") from error
    wide = tuple(each for each, array in arrays.items() if array.ndim == 2)
    if not wide and vectors is None and key is None:
        return _keyed(arrays, name)
    column = _chosen(vectors, wide, name, "vectors, of shape (n, dim)")
    flat = tuple(each for each, array in arrays.items() if array.ndim == 1)
    names = _chosen(key, flat, name, "texts or ids", usual=(*TEXT_NAMES, *ID_NAMES))
    if len(arrays[column]) != len(arrays[names]):
        raise DataFaultError(
            f"{name} must have one text or id a vector, got {len(arrays[names]):,} in {names!r} for "
            f"{len(arrays[column]):,} in {column!r}."
        )
    return _Found(arrays[column], [str(each) for each in arrays[names].tolist()], column, names)


def _opened_npz(path: Path, name: str) -> Any:
    try:
        with zipfile.ZipFile(path) as archive:
            require_size(sum(each.file_size for each in archive.infolist()), name)
        return np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise DataFaultError(f"{name} cannot be read as .npz: {_reason(error)}.") from error


def _read_safetensors(path: Path, name: str, vectors: str | None, key: str | None) -> _Found:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    if vectors or key:
        raise DataFaultError(f"{name} must name each tensor by the text or the id of its vector; it has no columns.")
    try:
        require_size(path.stat().st_size, name)
        return _keyed(load_file(path), name)
    except (OSError, SafetensorError, TypeError) as error:
        raise DataFaultError(f"{name} cannot be read as safetensors: {_reason(error)}.") from error


def _keyed(arrays: Mapping[str, NDArray[Any]], name: str) -> _Found:
    """Return arrays that are each named by the text or the id of their vector."""
    odd = [key for key, array in arrays.items() if array.ndim != 1]
    if odd:
        raise DataFaultError(
            f"{name} must hold one vector an array, named by its text or id, got {len(odd):,} of another shape, "
            f"such as {odd[0][:60]!r} {arrays[odd[0]].shape}."
        )
    lengths = np.array([len(array) for array in arrays.values()], dtype=np.int64)
    flat = np.concatenate(list(arrays.values())) if arrays else np.empty(0)
    return _Found(_rectangle(flat, lengths, name), list(arrays), _KEYED, _KEYED)


def _chosen(asked: str | None, there: Sequence[str], name: str, what: str, usual: Sequence[str] = ()) -> str:
    """Return the column asked for, else the only one, else one of a usual name."""
    known = [each for each in usual if each in there]
    if asked is None and (known or len(there) == 1):
        return known[0] if known else there[0]
    if asked in there and asked is not None:
        return asked
    have = ", ".join(there) or "none"
    if asked is None:
        raise DataFaultError(f"{name}: say which column holds the {what}; such columns are: {have}.")
    raise DataFaultError(f"{name} has no column {asked!r} of {what}; such columns are: {have}.")


def _matrix(rows: NDArray[Any], name: str) -> NDArray[np.float32]:
    """Return vectors as float32, refusing what is no direction."""
    if rows.ndim != 2 or 0 in rows.shape or not np.issubdtype(rows.dtype, np.number):
        raise DataFaultError(f"{name} must hold vectors of numbers, got {rows.dtype} of shape {rows.shape}.")
    matrix = np.ascontiguousarray(rows, dtype=np.float32)
    finite = np.isfinite(matrix).all(axis=1)
    _refuse(np.flatnonzero(~finite), len(matrix), name, "have a vector with NaN or infinity")
    _refuse(np.flatnonzero(~matrix.any(axis=1)), len(matrix), name, "have a vector of zeros, which has no direction")
    return matrix


def _distinct(keys: Sequence[Any], values: NDArray[Any], name: str, words: tuple[str, str]) -> NDArray[np.int64]:
    """Return the first row of each key; one whose rows differ is refused."""
    codes, unique = pd.factorize(np.array(keys, dtype=object))
    firsts = np.full(len(unique), -1, dtype=np.int64)
    firsts[codes[::-1]] = np.arange(len(codes))[::-1]
    apart = np.abs(values.astype(np.float64) - values[firsts[codes]]).max(axis=1) > _SAME if len(codes) else []
    differing = np.flatnonzero(apart)
    if len(differing):
        n, row = len(np.unique(codes[differing])), int(differing[0])
        raise DataFaultError(
            f"{n:,} {words[0]}{'s have' if n > 1 else ' has'} more than one {words[1]} in {name}, rows "
            f"{firsts[codes[row]] + 1:,} and {row + 1:,} first: keep one of them."
        )
    return firsts


def _refuse(rows: Any, n_rows: int, name: str, told: str) -> None:
    """Refuse rows, counted from 0, with how many there are and the first of them."""
    if len(rows) == 0:
        return
    shown = ", ".join(f"{int(row) + 1:,}" for row in rows[:_SHOWN_ROWS])
    more = f" and {len(rows) - _SHOWN_ROWS:,} more" if len(rows) > _SHOWN_ROWS else ""
    raise DataFaultError(f"{len(rows):,} of {n_rows:,} rows of {name} {told} (rows {shown}{more}); correct the file.")


def _reason(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200].rstrip(".")
