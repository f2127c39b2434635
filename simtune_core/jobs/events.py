"""The event file of a job: what a line is, how lines are read while they are being written, what the last ones say.

Writes nothing; the writer is `context.Job`.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal
from zlib import crc32

import msgspec

VERSION: Literal[1] = 1
BATCH_BYTES = 1 << 18  # what fits a processor's cache: nearly twice as fast as some megabytes
TAIL_BYTES = 64 << 10
EventKind = Literal["metric", "progress", "log", "phase", "ledger", "alert"]
_Count = Annotated[int, msgspec.Meta(ge=0, lt=2**53)]
_SUM = b',"c":'


class Event(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One line of an event file; what is None is left out of the line.

    Attributes:
        v: Version of the contract.
        seq: Number of the event in its job; the order of events.
        time: Unix time.
        kind: What it reports.
        name: Metric, phase, ledger entry or code of an alert.
        step: Optimizer step.
        epoch: Epochs trained so far.
        phase: Phase of the training.
        value: A finite number or None for a metric; anything JSON can hold for the others.
        value_text: The value of a metric that is not a finite number.
        c: CRC-32 of the line before this key; a line whose sum is wrong is not an event. None in a line without a sum.
    """

    v: Literal[1]
    seq: _Count
    time: float
    kind: EventKind
    name: str
    step: _Count | None = None
    epoch: float | None = None
    phase: str | None = None
    value: Any = None
    value_text: str | None = None
    c: int | None = None


@dataclass(frozen=True, slots=True)
class EventBatch:
    """Events read from one place of an event file on.

    Attributes:
        events: The events in the order of the file.
        offset: Byte after the last complete line read; where the next look begins.
        n_bad: Complete lines that are not events.
    """

    events: tuple[Event, ...]
    offset: int
    n_bad: int


@dataclass(frozen=True, slots=True)
class Latest:
    """What the end of an event file says.

    Attributes:
        done: Items done, None before the first progress.
        total: Items to do.
        rate: Items per second.
        eta_seconds: Seconds left at that rate.
        text: What is being done.
        last_step: Newest step of any event.
        time: Unix time of the newest event.
        findings: Alerts, oldest first: `code, severity, message, step`.
    """

    done: float | None = None
    total: float | None = None
    rate: float | None = None
    eta_seconds: float | None = None
    text: str = ""
    last_step: int | None = None
    time: float | None = None
    findings: tuple[dict[str, Any], ...] = field(default=())


def read_events(path: Path, offset: int = 0, *, max_bytes: int = BATCH_BYTES) -> EventBatch:
    """Read the complete lines of an event file from a byte offset on.

    A last line without its line feed is left for the next look. A line that is not an event is counted, never fatal.

    Args:
        path: The event file; a missing one has no events.
        offset: Byte to begin at, 0 or the `offset` of an earlier batch.
        max_bytes: Read about this much at most; call again with the new offset until it no longer grows.

    Returns:
        The events, the offset after them and the number of bad lines.
    """
    try:
        with path.open("rb") as file:
            file.seek(offset)
            block = file.read(max_bytes)
            if len(block) == max_bytes:
                block += file.readline()
    except FileNotFoundError:
        return EventBatch((), offset, 0)
    end = block.rfind(b"\n") + 1
    lines = [line for line in block[:end].split(b"\n") if line]
    events = _parse_lines(lines)
    return EventBatch(tuple(events), offset + end, len(lines) - len(events))


def parse_event(line: bytes) -> Event | None:
    """Return the event of one line, or None if the line is not an event of this contract or its sum is wrong."""
    try:
        event = _DECODER.decode(line)
    except _NO_EVENT:
        return None
    return event if _is_sound(line, event) else None


def event_line(event: Event) -> bytes:
    """Return the line of an event, its sum and its line feed included; the value must be plain JSON."""
    body = _ENCODER.encode(event)[:-1]
    return b"%b%b%d}\n" % (body, _SUM, crc32(body))


def read_latest(path: Path, *, n_bytes: int = TAIL_BYTES) -> Latest:
    """Read from the last `n_bytes` of an event file how far the job is; alerts further back are not seen."""
    progress: dict[str, Any] | None = None
    newest: float | None = None
    step: int | None = None
    alerts: list[dict[str, Any]] = []
    for line in _last_lines(path, n_bytes):
        if progress is not None and step is not None and b'"alert"' not in line:
            continue
        event = parse_event(line)
        if event is None:
            continue
        newest = event.time if newest is None else newest
        step = event.step if step is None else step
        if event.kind == "progress" and progress is None and isinstance(event.value, dict):
            progress = event.value
        if event.kind == "alert":
            alerts.append(finding_of(event))
    return _latest(progress or {}, step, newest, tuple(reversed(alerts)))


def finding_of(event: Event) -> dict[str, Any]:
    """Return an alert as a finding: `code, severity, message, step`."""
    value = event.value if isinstance(event.value, dict) else {}
    return {
        "code": event.name,
        "severity": str(value.get("severity", "warning")),
        "message": str(value.get("message", "")),
        "step": event.step,
    }


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it: arrays as lists, numbers not finite as None, lone surrogates as `?`."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return plain(value.tolist()) if hasattr(value, "tolist") else value


def _latest(
    progress: dict[str, Any], step: int | None, newest: float | None, findings: tuple[dict[str, Any], ...]
) -> Latest:
    return Latest(
        done=_number(progress.get("done")),
        total=_number(progress.get("total")),
        rate=_number(progress.get("rate")),
        eta_seconds=_number(progress.get("eta_seconds")),
        text=str(progress.get("text") or ""),
        last_step=step,
        time=newest,
        findings=findings,
    )


def _last_lines(path: Path, n_bytes: int) -> Iterator[bytes]:
    """Yield the complete lines among the last bytes of a file, newest first."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            start = max(0, size - n_bytes)
            file.seek(start)
            block = file.read(size - start)
    except FileNotFoundError:
        return
    lines = block.split(b"\n")[:-1]
    yield from reversed(lines[1:] if start else lines)


def _number(value: Any) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _parse_lines(lines: list[bytes]) -> list[Event]:
    """Return the events among lines; all are decoded at once unless one of them is no event."""
    try:
        events = list(map(_DECODER.decode, lines))
    except _NO_EVENT:
        return [event for line in lines if (event := parse_event(line)) is not None]
    return [
        event
        for line, event in zip(lines, events, strict=True)
        # the test of nearly every line stands here, which saves a call
        if (type(event.value) is float and event.c == crc32(line[: line.rfind(_SUM)])) or _is_sound(line, event)
    ]


def _is_sound(line: bytes, event: Event) -> bool:
    """Tell whether the sum of a line, if it has one, is right, and the value of a metric a finite number or None."""
    if event.c is not None and event.c != crc32(line[: line.rfind(_SUM)]):
        return False
    if event.kind != "metric" or event.value is None or type(event.value) is float:
        return True
    return type(event.value) is int and abs(event.value) < 1e308


_NO_EVENT = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_DECODER = msgspec.json.Decoder(Event)
_ENCODER = msgspec.json.Encoder()
