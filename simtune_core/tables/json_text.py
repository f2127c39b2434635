"""JSON and JSON Lines as columns of text, an object at a time: numbers as written, null is no value, truth is 1 or 0.

A list of objects, an object of columns, an object that holds one list of objects, or an object a line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import chain, islice
from typing import Any, NoReturn

from simtune_core.errors import DataFaultError
from simtune_core.tables.columns import BATCH_ROWS, Columns
from simtune_core.tables.decoding import MAX_LINE, find_encoding, lines_of
from simtune_core.tables.parquet import nested_note
from simtune_core.tables.sources import Source, require_text
from simtune_core.tables.table import Progress, Reading, ReadingOptions, Table

_BLOCK = 1 << 20  # characters
_SPACE = re.compile(r"[ \t\r\n\ufeff]*")
_NOT_JSON = re.compile(r"[:\[,]\s*(NaN|-?Infinity)\b")
Row = dict[str, Any]


def read_json_text(source: Source, options: ReadingOptions, limit: int | None, progress: Progress | None) -> Table:
    """Read JSON or JSON Lines; a `.json` file with an object a line is read as JSON Lines.

    Raises:
        DataFaultError: If it is not JSON (with its line), or holds no objects.
    """
    require_text(source)
    encoding = find_encoding(source, options.encoding, whole=limit is None)
    collected, nested = Columns(source.name), set[str]()
    with source.stream() as stream:
        lines = lines_of(stream, encoding, source.name)
        by_line = source.suffix in (".jsonl", ".ndjson")
        if not by_line:
            lines, by_line = _looks_like_lines(lines)
        rows = _line_rows(lines, source.name) if by_line else _document_rows(lines, source.name)
        taken = islice(rows, limit)
        while batch := list(islice(taken, BATCH_ROWS)):
            if by_line:
                collected.numbers.extend(number for number, _ in batch)
            collected.add(_texts_of([row for _, row in batch], collected.names, nested))
            if progress:
                progress(*stream.done, "bytes")
        expanded = stream.n_bytes if source.packed and limit is None else None
    left_out = [nested_note(sorted(nested))] if nested else []
    if nested and nested >= set(collected.names):
        raise DataFaultError(f"{source.name} has no column with plain values. {' '.join(left_out)}")
    collected.leave_out(nested)
    frame = collected.frame()
    reading = Reading("jsonl" if by_line else "json", encoding.name.removesuffix("-sig"), expanded_bytes=expanded)
    notes = (*encoding.notes, *left_out, *collected.notes())
    return Table(frame, source.name, collected.places(), notes, reading)


def _texts_of(rows: list[Row], known: list[str], nested: set[str]) -> dict[str, list[str | None]]:
    """Return rows as columns of text; columns that hold a list or an object are added to `nested`."""
    names = dict.fromkeys(chain(known, *rows))
    columns: dict[str, list[str | None]] = {name: [None] * len(rows) for name in names}
    for place, row in enumerate(rows):
        for name, value in row.items():
            if value is None or isinstance(value, str):
                columns[name][place] = value
            elif isinstance(value, bool):
                columns[name][place] = "1" if value else "0"
            else:
                nested.add(name)
    return columns


def _looks_like_lines(lines: Iterator[str]) -> tuple[Iterator[str], bool]:
    """Tell whether a text holds an object a line, by its first two lines that are not blank."""
    head: list[str] = []
    for line in lines:
        head.append(line)
        if len([line for line in head if line.strip()]) == 2:
            break
    full = [line for line in head if line.strip()]
    each = len(full) == 2 and all(_is_object(line) for line in full)
    return chain(head, lines), each


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line.lstrip("\ufeff")), dict)
    except (ValueError, RecursionError):
        return False


def _line_rows(lines: Iterator[str], name: str) -> Iterator[tuple[int, Row]]:
    """Yield the object of each line with the line's number."""
    decoder = _decoder()
    for number, line in enumerate(lines, start=1):
        text = line.strip("\ufeff \t\r\n")
        if not text:
            continue
        try:
            value = decoder.decode(text)
        except json.JSONDecodeError as error:
            raise DataFaultError(f"{name}, line {number}: not JSON ({error.msg}, column {error.colno}).") from error
        except (_RefusedError, RecursionError) as error:
            raise DataFaultError(f"{name}, line {number}: {_refusal(error)}.") from error
        if not isinstance(value, dict):
            raise DataFaultError(
                f'{name}, line {number}: every line must be an object such as {{"text": ...}}, got {_kind(value)}.'
            )
        yield number, value


def _document_rows(lines: Iterator[str], name: str) -> Iterator[tuple[int, Row]]:
    """Yield the objects of a JSON document with their places, from 1."""
    text = _Text(lines, name)
    first = text.peek()
    if first == "[":
        yield from enumerate(_objects(text, name), start=1)
    elif first == "{":
        yield from _rows_of_object(text, name)
    else:
        raise DataFaultError(f"{name} must hold a list of objects or an object of columns, got {_begin(text)}.")
    if text.peek():
        text.refuse("more follows after the end of the document")


def _rows_of_object(text: _Text, name: str) -> Iterator[tuple[int, Row]]:
    """Yield the rows of the one list of objects in an object; or of its columns, if that is what it holds."""
    columns: dict[str, list[Any]] = {}
    others: list[str] = []
    found: str | None = None
    text.take("{")
    while text.peek() != "}":
        key = text.value()
        if not isinstance(key, str):
            text.refuse("a name in quotes is expected here")
        text.take(":")
        if text.peek() == "[" and text.second() == "{":
            if found is not None:
                raise DataFaultError(f"{name} must hold one list of objects, got {found!r} and {key!r}.")
            found = key
            yield from enumerate(_objects(text, name), start=1)
        else:
            value = text.value()
            listed = list(value.values()) if isinstance(value, dict) and _is_column(value) else value
            if isinstance(listed, list):
                columns[key] = listed
            else:
                others.append(key)
        if text.peek() == ",":
            text.take(",")
    text.take("}")
    if found is None:
        yield from _rows_of_columns(columns, others, name)


def _is_column(value: dict[str, Any]) -> bool:
    """Tell whether an object is a column as pandas writes it: {"0": ..., "1": ...}."""
    return bool(value) and all(key.isdigit() for key in value)


def _rows_of_columns(columns: dict[str, list[Any]], others: list[str], name: str) -> Iterator[tuple[int, Row]]:
    lengths = {column: len(values) for column, values in columns.items()}
    if others or not columns:
        shown = ", ".join((others or ["nothing"])[:5])
        raise DataFaultError(
            f"{name} must hold a list of objects, an object of columns, or an object with one list of objects; "
            f"got an object with {shown[:200]}."
        )
    if len(set(lengths.values())) > 1:
        shown = ", ".join(f"{column[:40]} has {n:,}" for column, n in list(lengths.items())[:5])
        raise DataFaultError(f"Every column of {name} must have as many values as the others; {shown}.")
    for place, values in enumerate(zip(*columns.values(), strict=True), start=1):
        yield place, dict(zip(columns, values, strict=True))


def _objects(text: _Text, name: str) -> Iterator[Row]:
    """Yield the objects of a list, one at a time."""
    text.take("[")
    place = 0
    while text.peek() != "]":
        place += 1
        value = text.value()
        if not isinstance(value, dict):
            raise DataFaultError(
                f'{name}, item {place}: every item of the list must be an object such as {{"text": ...}}, '
                f"got {_kind(value)}."
            )
        yield value
        if text.peek() != "]":
            text.take(",")
    text.take("]")


class _Text:
    """A JSON text read from the left, no more of it in memory than the value at hand needs."""

    def __init__(self, lines: Iterator[str], name: str) -> None:
        self.lines = lines
        self.name = name
        self.decoder = _decoder()
        self.held = ""
        self.place = 0
        self.line = 1  # of the beginning of what is held

    def peek(self) -> str:
        """Return the next character that is no space; empty at the end."""
        while True:
            self.place = _end_of_space(self.held, self.place)
            if self.place < len(self.held):
                return self.held[self.place]
            if not self._more(_BLOCK):
                return ""

    def second(self) -> str:
        """Return the character after the next one, spaces left out."""
        self.peek()
        while True:
            place = _end_of_space(self.held, self.place + 1)
            if place < len(self.held):
                return self.held[place]
            if not self._more(_BLOCK):
                return ""

    def take(self, expected: str) -> None:
        """Go past one character."""
        if self.peek() != expected:
            self.refuse(f"{expected!r} is expected here")
        self.place += 1

    def value(self) -> Any:
        """Return the value that begins here and go past it."""
        self.peek()
        wanted = _BLOCK
        while True:
            try:
                value, end = self.decoder.raw_decode(self.held, self.place)
            except json.JSONDecodeError as error:
                if len(self.held) - self.place > MAX_LINE or not self._more(wanted):
                    self.refuse(error.msg, error.pos)
                wanted *= 2
            except (_RefusedError, RecursionError) as error:
                self.refuse(_refusal(error))
            else:
                if end < len(self.held) or not self._more(wanted):  # a number may go on in the next block
                    self.place = end
                    return value

    def refuse(self, reason: str, place: int | None = None) -> NoReturn:
        """Raise what is wrong here, with the line."""
        at = self.place if place is None else place
        wrong = _NOT_JSON.search(self.held, max(0, self.place - 1)) if "NaN" in reason else None
        line = self.line + self.held.count("\n", 0, wrong.end() if wrong else at)
        raise DataFaultError(f"{self.name}, line {line}: cannot be read as JSON ({reason}).")

    def _more(self, n_characters: int) -> bool:
        """Take in more of the text and let go of what lies behind; False at its end."""
        taken: list[str] = []
        n_taken = 0
        while n_taken < n_characters and (line := next(self.lines, "")):
            taken.append(line)
            n_taken += len(line)
        self.line += self.held.count("\n", 0, self.place)
        self.held = self.held[self.place :] + "".join(taken)
        self.place = 0
        return bool(taken)


class _RefusedError(Exception):
    """A value that JSON does not know, or that would hide another."""


def _decoder() -> json.JSONDecoder:
    return json.JSONDecoder(
        parse_float=str, parse_int=str, parse_constant=_no_constant, object_pairs_hook=_object, strict=False
    )


def _no_constant(constant: str) -> NoReturn:
    raise _RefusedError(f"{constant} is no number that JSON knows (NaN and Infinity are not); write null")


def _object(pairs: list[tuple[str, Any]]) -> Row:
    row = dict(pairs)
    if len(row) != len(pairs):
        repeated = next(key for place, (key, _) in enumerate(pairs) if key in dict(pairs[:place]))
        raise _RefusedError(f"an object must name everything once, got {repeated[:60]!r} twice")
    return row


def _refusal(error: Exception) -> str:
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)


def _end_of_space(text: str, place: int) -> int:
    found = _SPACE.match(text, place)
    return found.end() if found else place


def _kind(value: Any) -> str:
    return {list: "a list", str: "a text or number", bool: "true or false"}.get(type(value), "null")


def _begin(text: _Text) -> str:
    return repr(text.held[text.place : text.place + 20]) if text.held.strip() else "nothing"
