"""A folder that a datasets library has written as one table: its splits become the column `split`."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from simtune_core.errors import DataFaultError, WorkspaceError
from simtune_core.files import read_json
from simtune_core.tables.columns import Columns
from simtune_core.tables.layout import split_name, splits_of
from simtune_core.tables.parquet import (
    class_names_note,
    left_out_note,
    plain_columns,
    reason_of,
    texts_of,
    with_class_names,
)
from simtune_core.tables.table import Progress, Reading, ReadingOptions, Table, require_rows, require_size

if TYPE_CHECKING:
    import pyarrow as pa

SPLIT = "split"
_USUAL = ("train", "dev", "test")


def read_folder(
    folder: Path,
    name: str,
    options: ReadingOptions,
    *,
    limit: int | None = None,
    progress: Progress | None = None,
    config: str | None = None,
) -> Table:
    """Read a folder of `save_to_disk`, or one of files by split (see `layout.splits_of`).

    Args:
        folder: The folder.
        name: Its name, for sentences.
        options: How its files are to be read.
        limit: Only so many rows, the same number of each split.
        progress: Told of the files read.
        config: Which configuration, where it has several.

    Raises:
        DataFaultError: If it holds no data, is damaged, or a file of it cannot be read.
    """
    parts = _saved_parts(folder, name) or _file_parts(folder, name, config)
    each = None if limit is None else math.ceil(limit / len({split for split, _ in parts}))
    read: list[tuple[str | None, Table]] = []
    taken: dict[str | None, int] = {}
    for place, (split, path) in enumerate(parts):
        left = None if each is None else each - taken.get(split, 0)
        if left is None or left > 0:
            table = _read_part(path, f"{name}/{path.relative_to(folder).as_posix()}", options, left)
            read.append((split, table))
            taken[split] = taken.get(split, 0) + len(table.frame)
            require_rows(sum(taken.values()), name)
        if progress:
            progress(place + 1, len(parts), "files")
    return _joined(read, name, limit)


def _read_part(path: Path, name: str, options: ReadingOptions, limit: int | None) -> Table:
    if path.suffix == ".arrow":
        return _read_arrow(path, name, limit)
    from simtune_core.tables.reading import read_table

    return read_table(path, name, options, limit=limit)


def _saved_parts(folder: Path, name: str) -> list[tuple[str | None, Path]]:
    """Return the Arrow files of `save_to_disk` with their splits; none if the folder has another layout."""
    if (folder / "dataset_dict.json").is_file():
        splits = _told(folder / "dataset_dict.json", "splits", name)
        return [
            (split_name(str(split)), shard)
            for split in splits
            for shard in _shards(_within(folder, str(split), name), name)
        ]
    return [(None, shard) for shard in _shards(folder, name)] if (folder / "state.json").is_file() else []


def _shards(folder: Path, name: str) -> list[Path]:
    listed = _told(folder / "state.json", "_data_files", name)
    files = [str(item.get("filename")) for item in listed if isinstance(item, dict)]
    if not files:
        raise DataFaultError(f"{name}/{folder.name} has no rows: its state.json names no file of data.")
    return [_within(folder, file, name) for file in files]


def _told(path: Path, key: str, name: str) -> list[Any]:
    try:
        value = read_json(path)
    except WorkspaceError as error:
        raise DataFaultError(f"{name} is not whole: {error}") from error
    listed = value.get(key) if isinstance(value, dict) else None
    if not isinstance(listed, list):
        raise DataFaultError(f"{name} is not whole: {path.name} must list {key}.")
    return listed


def _within(folder: Path, file: str, name: str) -> Path:
    path = folder / file
    if PurePosixPath(file).is_absolute() or ".." in PurePosixPath(file).parts:
        raise DataFaultError(f"{name} names {file[:60]!r}, a path that leads outside of it.")
    if not path.exists():
        raise DataFaultError(f"{name} is not whole: {file[:60]} is missing.")
    return path


def _file_parts(folder: Path, name: str, config: str | None) -> list[tuple[str | None, Path]]:
    paths = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    readme = folder / "README.md"
    text = readme.read_text(encoding="utf-8", errors="replace") if readme.is_file() else None
    splits = splits_of(paths, text, config, name)
    order = sorted(splits, key=lambda split: (_USUAL.index(split) if split in _USUAL else len(_USUAL), split or ""))
    return [(split, _inside(folder, path, name)) for split in order for path in splits[split]]


def _inside(folder: Path, file: str, name: str) -> Path:
    """Return a file of the folder, refused if it is a link that leads outside; a snapshot of the hub is all links."""
    root = folder.parent.parent if folder.parent.name == "snapshots" else folder
    if not (folder / file).resolve().is_relative_to(root.resolve()):
        raise DataFaultError(f"{name}/{file[:60]} is a link that leads outside of the folder; copy the file into it.")
    return folder / file


def _read_arrow(path: Path, name: str, limit: int | None) -> Table:
    """Read one Arrow file of `save_to_disk` (a stream), or one in the file format."""
    import pyarrow as pa

    collected = Columns(name)
    notes: tuple[str, ...] = ()
    expanded = n_rows = 0
    try:
        with pa.memory_map(str(path)) as content:
            for batch in _batches(content):
                notes = (*left_out_note(batch.schema), *class_names_note(batch.schema))
                expanded += batch.nbytes
                require_size(expanded, name)
                taken = batch if limit is None else batch.slice(0, limit - n_rows)
                n_rows += taken.num_rows
                plain = taken.select([field.name for field in plain_columns(batch.schema)])
                collected.add(with_class_names(texts_of(plain, name), batch.schema))
                if limit is not None and n_rows >= limit:
                    break
    except (pa.ArrowException, OSError, ValueError) as error:
        raise DataFaultError(f"{name} cannot be read as Arrow: {reason_of(error)}.") from error
    return Table(collected.frame(), name, collected.places(), (*notes, *collected.notes()), Reading("arrow"))


def _batches(content: Any) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    head = content.read(6)
    content.seek(0)
    if head == b"ARROW1":
        file = pa.ipc.open_file(content)
        yield from (file.get_batch(place) for place in range(file.num_record_batches))
    else:
        yield from pa.ipc.open_stream(content)


def _joined(read: list[tuple[str | None, Table]], name: str, limit: int | None) -> Table:
    """Return the tables of all files as one, with the column `split` unless the files have their own."""
    frames, notes = [], dict[str, None]()
    own = any(SPLIT in table.frame.columns for _, table in read)
    for split, table in read:
        named = split is not None and not own
        column = {SPLIT: pd.Series(split, table.frame.index, dtype="str")} if named else {}
        frames.append(table.frame.assign(**column))
        notes.update(dict.fromkeys(table.notes))
    if own and any(split is not None for split, _ in read):
        notes["The files have a column split of their own; the splits of the folder are not used."] = None
    frame = pd.concat(frames, ignore_index=True).iloc[:limit]
    if frame.empty:
        raise DataFaultError(f"{name} has no rows (columns: {', '.join(map(str, frame.columns)) or 'none'}).")
    numbers = read[0][1].numbers if len(read) == 1 else np.arange(1, len(frame) + 1)
    formats = sorted({table.reading.format for _, table in read})
    first = read[0][1].reading
    reading = Reading(f"folder of {', '.join(formats)}", first.encoding, first.delimiter, first.quotes)
    return Table(frame, name, numbers[:limit], tuple(notes), reading)
