"""XLSX workbooks as columns of text: a sheet chosen, dates, numbers and truth written without loss."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import IO, TYPE_CHECKING, Any

from simtune_core.errors import DataFaultError
from simtune_core.tables.columns import BATCH_ROWS, Columns, header_names
from simtune_core.tables.sources import DAMAGED, Source, require_expansion, require_unpackable
from simtune_core.tables.table import MAX_COLUMNS, Progress, Reading, ReadingOptions, Table

if TYPE_CHECKING:
    from python_calamine import CalamineSheet, CalamineWorkbook

_CELL = re.compile(rb"r=[\"']([A-Z]{1,3})([0-9]{1,7})[\"']")
_BLOCK = 1 << 20
_OVERLAP = 32  # bytes; longer than any reference of a cell
MAX_CELLS = 20_000_000  # of the rectangle that a sheet spans: what a reader makes room for
_EXACT = 2**53


def read_workbook(source: Source, options: ReadingOptions, limit: int | None, progress: Progress | None) -> Table:
    """Read a sheet: the one asked for, else the first that holds rows; its first row names the columns.

    Raises:
        DataFaultError: If the workbook is damaged, has a password or no such sheet, or would not fit.
    """
    import python_calamine as calamine

    with source.seekable() as content:
        try:
            expanded = _require_room(content, source)
            content.seek(0)
            book = calamine.CalamineWorkbook.from_filelike(content)
            sheet = _sheet_of(book, options.sheet or None, source.name)
            collected, notes = _collect(sheet, source.name, limit, progress)
        except (calamine.CalamineError, OSError, *DAMAGED) as error:
            raise DataFaultError(
                f"{source.name} cannot be read as an XLSX workbook: {_reason(error)}. Workbooks with a password "
                "and old .xls files must be saved as .xlsx without one."
            ) from error
    reading = Reading("xlsx", sheet=sheet.name, sheets=tuple(book.sheet_names), expanded_bytes=expanded)
    more = [f"The sheet {sheet.name!r} was read, of {len(book.sheet_names)}."] if len(book.sheet_names) > 1 else []
    return Table(
        collected.frame(), source.name, collected.places(), (*more, *notes, *collected.notes()), reading
    )  # fmt: skip


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:200].rstrip(".") or type(error).__name__


def _sheet_of(book: CalamineWorkbook, asked: str | None, name: str) -> CalamineSheet:
    names = book.sheet_names
    if asked is not None and asked not in names:
        raise DataFaultError(f"{name} has no sheet {asked[:60]!r}; it has: {', '.join(names)}.")
    sheets = (book.get_sheet_by_name(each) for each in ([asked] if asked is not None else names))
    chosen = next((sheet for sheet in sheets if sheet.height), None)
    if chosen is None:
        where = f"{name} has" if asked is None else f"The sheet {asked!r} of {name} has"
        raise DataFaultError(f"{where} no rows (sheets: {', '.join(names) or 'none'}).")
    return chosen


def _collect(
    sheet: CalamineSheet, name: str, limit: int | None, progress: Progress | None
) -> tuple[Columns, tuple[str, ...]]:
    """Return the rows of a sheet below the first that is not blank, which names the columns."""
    rows = ((number, [_text(value) for value in row]) for number, row in enumerate(sheet.iter_rows(), start=1))
    filled = ((number, row) for number, row in rows if any(value is not None for value in row))
    _, header = next(filled, (0, []))
    width = max((place for place, cell in enumerate(header, start=1) if cell is not None), default=0)
    columns, notes = header_names([cell or "" for cell in header], name) if width else ([], ())
    collected = Columns(name, columns)
    for batch in _batches(islice(filled, limit)):
        values = zip(*(row for _, row in batch), strict=True)
        collected.add(dict(zip(columns, values, strict=True)))
        collected.numbers.extend(number for number, _ in batch)
        if progress:
            progress(len(collected.numbers), sheet.height - 1, "rows")
    return collected, notes


def _batches(rows: Iterator[tuple[int, list[str | None]]]) -> Iterator[list[tuple[int, list[str | None]]]]:
    while batch := list(islice(rows, BATCH_ROWS)):
        yield batch


def _text(value: Any) -> str | None:
    """Return a cell as text: whole numbers without a point, dates in ISO 8601, truth as 1 or 0; "" is no value."""
    if isinstance(value, str):
        return value or None
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        return str(int(value))
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(sep=" ")
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value) if isinstance(value, timedelta) else repr(value)


def _require_room(content: IO[bytes], source: Source) -> int:
    """Refuse a workbook that would expand too far or spans too large a rectangle; return its expanded bytes.

    Every part is unpacked once, in blocks: sizes that an archive states of itself may be wrong.
    """
    n_bytes = 0
    with zipfile.ZipFile(content) as archive:
        parts = archive.infolist()
        for part in parts:
            require_unpackable(part, source.name)
        require_expansion(sum(part.file_size for part in parts), source.size, source.name)
        for part in parts:
            sheet = part.filename.startswith("xl/worksheets/")
            rightmost, lowest, before = 0, 0, b""
            with archive.open(part) as unpacked:
                while block := unpacked.read(_BLOCK):
                    n_bytes += len(block)
                    require_expansion(n_bytes, source.size, source.name)
                    cells = _CELL.findall(before + block) if sheet else []
                    rightmost = max([rightmost, *(_column_number(letters) for letters in {c for c, _ in cells})])
                    lowest = max([lowest, *(int(row) for _, row in cells[-1:])])
                    before = block[-_OVERLAP:]
            _require_rectangle(lowest, rightmost, source.name)
    return n_bytes


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = 26 * number + letter - 64
    return number


def _require_rectangle(n_rows: int, n_columns: int, name: str) -> None:
    if n_columns > MAX_COLUMNS:
        raise DataFaultError(f"{name} must have at most {MAX_COLUMNS:,} columns, got cells in column {n_columns:,}.")
    if n_rows * n_columns > MAX_CELLS:
        raise DataFaultError(
            f"A sheet of {name} must span at most {MAX_CELLS:,} cells, got {n_rows:,} rows of {n_columns:,} columns."
        )
