"""CSV, TSV and plain text, read strictly: a row with another number of fields is named, never shifted."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Literal

from simtune_core.errors import DataFaultError
from simtune_core.tables.columns import BATCH_ROWS, Columns, header_names
from simtune_core.tables.decoding import find_encoding, lines_of
from simtune_core.tables.sources import Source, require_text
from simtune_core.tables.table import DELIMITERS, MAX_TEXT, Delimiter, Progress, Quotes, Reading, ReadingOptions, Table

if TYPE_CHECKING:
    import _csv

MAX_CELL = 10 * MAX_TEXT  # characters; a cell above MAX_TEXT is a fault of its row, one above this of the file
_LOOKED_AT = 200  # rows by which the delimiter is detected
_SHOWN = 5
_NOTHING = "\x1f"  # separates the fields of a file with one column: no text holds it
_SUSPICIOUS = (*DELIMITERS.values(), ":", "~", "^", _NOTHING)  # what may separate fields in a header taken for one
_UNQUOTED = ("tab", "pipe")  # delimiters of files that are often written without quoting anything
_QUOTING: dict[Quotes, Literal[0, 3]] = {"enclose": csv.QUOTE_MINIMAL, "plain": csv.QUOTE_NONE}
_NAMES = {character: name for name, character in DELIMITERS.items()}


def read_delimited(source: Source, options: ReadingOptions, limit: int | None, progress: Progress | None) -> Table:
    """Read delimited text.

    Args:
        source: The file.
        options: Encoding and delimiter, each detected where it is not set.
        limit: Only so many rows.
        progress: Told of the bytes read.

    Raises:
        DataFaultError: If the file is no text, has ragged rows, an open quote, or a name twice in its header.
    """
    require_text(source)
    _require_no_json(source)
    encoding = find_encoding(source, options.encoding, whole=limit is None)
    with source.stream() as stream:
        head = list(islice(lines_of(stream, encoding, source.name), _LOOKED_AT))
    announced = _announced(head)
    delimiter = options.delimiter or announced or _detected(head)
    quotes = options.quotes or _quotes(head, delimiter)
    with source.stream() as stream:
        lines = lines_of(stream, encoding, source.name)
        if announced:
            next(lines)
        rows = _Rows(lines, delimiter, quotes, source.name, skipped=bool(announced))
        columns, notes = rows.header()
        collected = Columns(source.name, columns)
        for batch, numbers in rows.batches(limit):
            collected.add(dict(zip(columns, zip(*batch, strict=True), strict=True)), empty_is_null=True)
            collected.numbers.extend(numbers)
            if progress:
                progress(*stream.done, "bytes")
        rows.require_even()
        expanded = stream.n_bytes if source.packed and limit is None else None
    if len(columns) == 1 and (options.delimiter or any(mark in columns[0] for mark in _SUSPICIOUS)):
        notes = (*notes, f"Columns found: {columns[0][:80]!r} only. Is the separator right?")
    plain = quotes if quotes == "plain" else None
    if plain and not options.quotes:
        notes = (*notes, "Quotes were read as plain characters of the texts (detected).")
    name = encoding.name.removesuffix("-sig")
    reading = Reading(source.suffix[1:], name, delimiter, plain, expanded_bytes=expanded)
    table_notes = (*encoding.notes, *notes, *collected.notes())
    return Table(collected.frame(), source.name, collected.places(), table_notes, reading)


class _Rows:
    """The rows of a delimited text, each with the line on which it begins."""

    def __init__(
        self, lines: Iterator[str], delimiter: Delimiter | None, quotes: Quotes, name: str, *, skipped: bool
    ) -> None:
        csv.field_size_limit(MAX_CELL)
        character = DELIMITERS[delimiter] if delimiter else _NOTHING
        quoting = _QUOTING[quotes]
        self.reader: _csv.Reader = csv.reader(lines, delimiter=character, quoting=quoting, strict=True)
        self.delimiter = character
        self.name = name
        self.skipped = int(skipped)
        self.columns: list[str] = []
        self.ragged: list[tuple[int, int]] = []
        self.n_ragged = 0

    def header(self) -> tuple[list[str], tuple[str, ...]]:
        """Return the names of the columns and a note on those without one."""
        for _, row in self._numbered():
            row[0] = row[0].removeprefix("\ufeff")
            self.columns, notes = header_names(row, self.name)
            return self.columns, notes
        return [], ()

    def batches(self, limit: int | None) -> Iterator[tuple[list[list[str]], list[int]]]:
        """Yield rows in chunks, with the lines on which they begin; ragged ones are kept apart."""
        width = len(self.columns)
        rows: list[list[str]] = []
        numbers: list[int] = []
        for number, row in islice(self._numbered(), limit):
            if len(row) != width:
                self.n_ragged += 1
                self.ragged += [(number, len(row))] if self.n_ragged <= _SHOWN else []
                continue
            rows.append(row)
            numbers.append(number)
            if len(rows) == BATCH_ROWS:
                yield rows, numbers
                rows, numbers = [], []
        if rows:
            yield rows, numbers

    def require_even(self) -> None:
        """Refuse the file if a row had another number of fields than the header.

        Raises:
            DataFaultError: With the lines of the first ones, and the columns found.
        """
        if not self.ragged:
            return
        shown = ", ".join(f"row {number} has {found}" for number, found in self.ragged)
        more = f" and {self.n_ragged - _SHOWN:,} more" if self.n_ragged > _SHOWN else ""
        found = ", ".join(column[:40] for column in self.columns[:_SHOWN])
        raise DataFaultError(
            f"Every row of {self.name} must have the header's {len(self.columns)} fields (delimiter "
            f"{self.delimiter!r}); {shown}{more}. Check quotes and delimiter. Columns found: "
            f"{found}{', ...' if len(self.columns) > _SHOWN else ''}; is the separator right?"
        )

    def _numbered(self) -> Iterator[tuple[int, list[str]]]:
        """Yield every row that is not blank with the line on which it begins."""
        begins = self.reader.line_num + 1 + self.skipped
        try:
            for row in self.reader:
                if row:
                    yield begins, row
                begins = self.reader.line_num + 1 + self.skipped
        except csv.Error as error:
            raise DataFaultError(f"{self.name}, line {begins}: not a valid CSV file ({_worded(error)}).") from error


def _require_no_json(source: Source) -> None:
    """Refuse JSON under a name that promises rows and fields."""
    if source.head(64).removeprefix(b"\xef\xbb\xbf").lstrip().startswith((b'{"', b"[{")):
        raise DataFaultError(
            f"{source.name} is not a {source.suffix[1:].upper()} file but JSON; give it the ending .json or .jsonl."
        )


def _worded(error: csv.Error) -> str:
    text = str(error)
    if "unexpected end of data" in text:
        return "a quote that is opened in this row is never closed"
    if "expected after" in text:
        return 'text follows a closing quote; if quotes are plain characters here, set "quotes" to plain'
    if "field larger than field limit" in text:
        return f"a field longer than {MAX_CELL:,} characters, or a quote that is never closed"
    return text


def _announced(head: list[str]) -> Delimiter | None:
    """Return the delimiter of a first line `sep=;`, as Excel writes it."""
    first = head[0].lstrip("\ufeff").rstrip("\r\n") if head else ""
    return _NAMES.get(first[4:]) if first.lower().startswith("sep=") else None


def _detected(head: list[str]) -> Delimiter | None:
    """Return the delimiter under which most of the first rows have the header's fields; None for one column.

    A header that a delimiter splits is preferred over one column, and of equals the one that finds more columns.
    """
    best: tuple[bool, float, int] = (False, 0.0, 1)
    chosen: Delimiter | None = None
    for name, character in DELIMITERS.items():
        widths, quoted = _widths(head, character)
        if not widths or widths[0] < 2:
            continue
        even = sum(width == widths[0] for width in widths[1:]) / max(1, len(widths) - 1)
        if chosen is None or (quoted, even, widths[0]) > best:
            best, chosen = (quoted, even, widths[0]), name
    return chosen


def _quotes(head: list[str], delimiter: Delimiter | None) -> Quotes:
    """Tell whether quotes enclose fields: not where they end in the midst of them and all rows fit without."""
    if delimiter not in _UNQUOTED:
        return "enclose"
    widths, quoted = _widths(head, DELIMITERS[delimiter])
    plain, _ = _widths(head, DELIMITERS[delimiter], csv.QUOTE_NONE)
    return "plain" if widths and not quoted and set(plain) == {widths[0]} else "enclose"


def _widths(head: list[str], delimiter: str, quoting: Literal[0, 3] = csv.QUOTE_MINIMAL) -> tuple[list[int], bool]:
    """Return how many fields each of the first rows has, and whether quotes end where fields do.

    The last row may be cut by the end of the head and is left out.
    """
    csv.field_size_limit(MAX_CELL)
    widths: list[int] = []
    quoted = True
    rows = csv.reader(head, delimiter=delimiter, quoting=quoting, strict=True)
    try:
        widths.extend(len(row) for row in rows if row)
    except csv.Error as error:
        quoted = "unexpected end of data" in str(error)
        widths = widths or [len(row) for row in islice(csv.reader(head, delimiter=delimiter), 1)]
    return (widths[:-1] if len(head) >= _LOOKED_AT and len(widths) > 2 else widths), quoted
