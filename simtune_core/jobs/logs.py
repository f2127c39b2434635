"""The log of a job, read from its end or from where the last look ended, a piece at a time; each line has a level.

A log is what programs happened to write: levels are told by the usual beginnings of lines. Changes no file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

Level = Literal["debug", "info", "warning", "error"]
LEVELS: tuple[Level, ...] = get_args(Level)
PIECE_BYTES = 1 << 20
_STAMP = r"[\[(]?\d[\d:.,TZ/ +-]*[\])]?[\s|-]*"
_NAMED = re.compile(
    rf"(?:{_STAMP})?(?:[\w.]+ - )?[\[(]?(DEBUG|INFO|WARNING|WARN|ERROR|CRITICAL|FATAL)[\])]?(?=[:\s|-]|$)"
    r"|(?i:(debug|info|warning|error|fatal)):\s"
)
_PYTHON_WARNING = re.compile(r"\S+:\d+: \w*Warning: ")
_RAISED = re.compile(r"(?:[A-Za-z_]\w*\.)*[A-Z]\w*(?:Error|Exception|Interrupt|Exit)(?::|$)")
_TRACEBACK = (
    "Traceback (most recent call last):",
    "During handling of the above",
    "The above exception was the direct",
)
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f]")
_LEVEL_OF: dict[str, Level] = {level: level for level in LEVELS}
_LEVEL_OF |= {"warn": "warning", "critical": "error", "fatal": "error"}


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a log.

    Attributes:
        level: What its beginning says, or the line that it belongs to; "info" where nothing says.
        text: The line without control characters; of a progress bar the last state.
    """

    level: Level
    text: str


@dataclass(frozen=True, slots=True)
class LogPart:
    """A piece of a log.

    Attributes:
        lines: Whole lines; a line longer than a piece comes in several.
        offset: Byte after the last of them.
        unfinished: What stands behind them without a line feed, such as a progress bar; comes again once it is whole.
        skipped: Bytes before the first of them that were not read, when the piece is the end of a log.
        in_error: Whether a traceback goes on behind it.
    """

    lines: tuple[LogLine, ...] = ()
    offset: int = 0
    unfinished: LogLine | None = None
    skipped: int = 0
    in_error: bool = False


def read_tail(path: Path, *, max_bytes: int = PIECE_BYTES, ended: bool = False) -> LogPart:
    """Read the end of a log, however long it is: at most `max_bytes`, from the beginning of a line.

    Args:
        path: The log; a missing one has no lines.
        max_bytes: Most bytes read.
        ended: Whether nothing more will be written, so that a last line without a line feed is whole.
    """
    block, start = _read(path, None, max_bytes)
    if start and b"\n" in block:
        cut = block.index(b"\n") + 1
        block, start = block[cut:], start + cut
    return _part(block, start, whole=ended, skipped=start)


def read_on(path: Path, before: LogPart, *, max_bytes: int = PIECE_BYTES, ended: bool = False) -> LogPart:
    """Read what follows a piece; a log that was cut short is read from its beginning.

    Args:
        path: The log.
        before: The piece before.
        max_bytes: Most bytes read; call again until a piece has no lines.
        ended: Whether nothing more will be written, so that a last line without a line feed is whole.
    """
    block, start = _read(path, before.offset, max_bytes)
    full = len(block) == max_bytes
    whole = (b"\n" not in block) if full else ended
    return _part(block, start, whole=whole, in_error=before.in_error and start == before.offset)


def filter_levels(lines: Iterable[LogLine], lowest: Level) -> list[LogLine]:
    """Return the lines of a level or a graver one."""
    wanted = LEVELS[LEVELS.index(lowest) :]
    return [line for line in lines if line.level in wanted]


def _read(path: Path, offset: int | None, max_bytes: int) -> tuple[bytes, int]:
    """Return at most `max_bytes` from an offset, or from the end on for None, and the byte at which they begin."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            start = max(0, size - max_bytes) if offset is None else offset if offset <= size else 0
            file.seek(start)
            return file.read(max_bytes), start
    except FileNotFoundError:
        return b"", offset or 0


def _part(block: bytes, start: int, *, whole: bool, skipped: int = 0, in_error: bool = False) -> LogPart:
    """Return the lines of a block; what stands behind its last line feed is a line only if it is `whole`."""
    end = len(block) if whole else block.rfind(b"\n") + 1
    lines: list[LogLine] = []
    level: Level = "error" if in_error else "info"
    for text in _texts(block[:end]):
        level, in_error = _level(text, level, in_error)
        lines.append(LogLine(level, text))
    rest = "".join(_texts(block[end:]))
    unfinished = LogLine(_level(rest, level, in_error)[0], rest) if rest else None
    return LogPart(tuple(lines), start + end, unfinished, skipped, in_error)


def _texts(block: bytes) -> list[str]:
    lines = block.decode("utf-8", "replace").split("\n")
    return [_clean(line) for line in (lines if lines[-1] else lines[:-1])]


def _clean(line: str) -> str:
    """Return what a terminal would leave of a line."""
    states = [state for state in line.split("\r") if state]
    return _CONTROL.sub("", states[-1]) if states else ""


def _level(text: str, before: Level, in_error: bool) -> tuple[Level, bool]:
    """Return the level of a line, and whether a traceback goes on behind it."""
    if text.lstrip(" +|").startswith(_TRACEBACK):
        return "error", True
    if in_error:
        return "error", text[:1] in ("", " ", "\t")  # the first line that is not indented is the exception
    named = _NAMED.match(text)
    if named:
        word = (named[1] or named[2]).lower()
        return _LEVEL_OF[word], False
    if _PYTHON_WARNING.match(text):
        return "warning", False
    if _RAISED.match(text):
        return "error", False
    if text[:1] in (" ", "\t"):
        return before, False  # it belongs to the line above
    return "info", False
