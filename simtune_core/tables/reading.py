"""A foreign file as a table of text: its format by its ending, everything else detected and told.

Every value is a string, nothing is interpreted, nothing shifted, sizes are limited. Knows nothing of records or pairs.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from simtune_core.errors import DataFaultError
from simtune_core.files import printable
from simtune_core.tables.delimited import read_delimited
from simtune_core.tables.json_text import read_json_text
from simtune_core.tables.parquet import read_parquet
from simtune_core.tables.sources import Source, source_of
from simtune_core.tables.table import Progress, ReadingOptions, Table
from simtune_core.tables.workbook import read_workbook

_READERS: dict[str, Callable[[Source, ReadingOptions, int | None, Progress | None], Table]] = {
    ".csv": read_delimited,
    ".tsv": read_delimited,
    ".txt": read_delimited,
    ".parquet": read_parquet,
    ".json": read_json_text,
    ".jsonl": read_json_text,
    ".ndjson": read_json_text,
    ".xlsx": read_workbook,
}
PACKED = (".gz", ".zip")
FORMATS = (*_READERS, *PACKED)  # the endings that can be read

_ADVICE = {
    ".xls": " Save the workbook as .xlsx.",
    ".xlsb": " Save the workbook as .xlsx.",
    ".xlsm": " Save the workbook as .xlsx.",
    ".ods": " Save the sheet as .xlsx or .csv.",
    ".arrow": " Give the folder in which it lies, or save it as .parquet.",
}


def read_table(
    source: Path | bytes,
    name: str,
    options: ReadingOptions | None = None,
    *,
    limit: int | None = None,
    progress: Progress | None = None,
) -> Table:
    """Read a file, or a folder that a datasets library has written, as text.

    Args:
        source: A path, or the content of an upload.
        name: The file's name; only its ending decides the format, it is never used as a path.
        options: How to read it; what is not set is detected.
        limit: Only so many rows, from the head: a look at a large file. Faults further down are not seen.
        progress: Told now and then `done, total, what` while rows are read.

    Raises:
        DataFaultError: If the file is empty, unreadable, ragged, too large or of another format.
    """
    options = options or ReadingOptions()
    name = printable(name)
    if isinstance(source, Path) and source.is_dir():
        from simtune_core.tables.folder import read_folder

        return read_folder(source, name, options, limit=limit, progress=progress)
    opened = source_of(source, name) if Path(name).suffix.lower() in FORMATS else None
    if opened is None or opened.suffix not in _READERS:
        ending = Path(name).suffix.lower() if opened is None else opened.suffix
        raise DataFaultError(
            f"A file must be one of {', '.join(_READERS)}, or one of these in a {' or '.join(PACKED)}, got "
            f"{name[-60:]!r}{f' with {ending!r} inside' if opened else ''}.{_ADVICE.get(ending, '')}"
        )
    table = _READERS[opened.suffix](opened, options, limit, progress)
    if table.frame.empty:
        shown = ", ".join(column[:40] for column in table.frame.columns[:20]) or "none"
        raise DataFaultError(f"{name} has no rows (columns: {shown}).")
    return table
