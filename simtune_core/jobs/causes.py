"""How a worker's end becomes a state and a sentence for a researcher. Starts, stops and writes nothing."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from simtune_core.errors import WorkspaceError
from simtune_core.files import read_json
from simtune_core.jobs.checkpoints import newest_checkpoint
from simtune_core.jobs.context import EVENTS
from simtune_core.jobs.events import Latest, read_latest
from simtune_core.jobs.states import DISK_FULL_CODE, ERROR, RESULT, State, log_tail, read_spec, what_next, where_it_was

_LINE = 200
_AGAIN = "Free some space first."
_DISK_FULL = "The disk is full: what the job wanted to write did not find room."
_SIZES = ("per_device_train_batch_size", "batch_size", "max_seq_length")


@dataclass(frozen=True, slots=True)
class Ending:
    """How the worker of a job ended.

    Attributes:
        code: Exit code; None if a signal ended it.
        signal: Number of the signal that ended it; None if it exited.
        stopped: Who asked it to stop before it ended: the user, the system, or nobody.
        forced: Whether it had to be killed because it did not stop by itself.
        grace_seconds: How long it was given for that.
        out_of_memory: Whether the kernel killed a process for want of memory meanwhile.
        peak_rss_bytes: Most resident memory it had.
    """

    code: int | None
    signal: int | None
    stopped: Literal["user", "system"] | None
    forced: bool
    grace_seconds: float
    out_of_memory: bool
    peak_rss_bytes: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """The state a job ends in, and why as a sentence; the sentence is empty for done."""

    state: State
    cause: str


def judge(folder: Path, ending: Ending) -> Verdict:
    """Say in which state a job ends and why.

    Args:
        folder: The job's folder, read for its error, its result, the end of its events and of its log.
        ending: How its worker ended.
    """
    latest = read_latest(folder / EVENTS)
    if ending.code == 0 and (folder / RESULT).exists():
        return Verdict("done", "")
    if ending.stopped is not None:
        return Verdict("stopped", _stopped(folder, ending, latest))
    if ending.signal is not None:
        return Verdict("failed", _killed(folder, ending, latest))
    if ending.code == DISK_FULL_CODE:
        return Verdict("failed", f"{_error(folder) or _DISK_FULL} {what_next(folder, _AGAIN)}")
    return Verdict("failed", _own_error(folder) or _exited(folder, ending, latest))


def last_log_line(folder: Path) -> str:
    """Return the last line of a job's log that is not blank, cut at 200 characters."""
    return next((line.strip()[:_LINE] for line in log_tail(folder, 1)), "")


def less_memory(params: dict[str, Any]) -> str:
    """Say what would need less memory, with the sizes that the params state."""
    found = {name: value for name, value in _numbers(params) if name in _SIZES}
    now = f" (now {', '.join(f'{name} {value}' for name, value in found.items())})" if found else ""
    return f"lower the batch size or the maximum length{now}"


def _stopped(folder: Path, ending: Ending, latest: Latest) -> str:
    who = "by you" if ending.stopped == "user" else "because the session or the machine is shutting down"
    said = f"Stopped {who}{where_it_was(latest)}."
    if ending.forced:
        return f"{said} It did not stop by itself within {ending.grace_seconds:g} s and was killed. {what_next(folder)}"
    return f"{said} {what_next(folder)}" if newest_checkpoint(folder) else said


def _killed(folder: Path, ending: Ending, latest: Latest) -> str:
    why, advice = "", "See the log."
    if ending.signal == signal.SIGKILL:
        peak = f"peak {ending.peak_rss_bytes / 1e9:.2f} GB"
        why = f" (out of memory, {peak})" if ending.out_of_memory else f" (possibly out of memory, {peak})"
        advice = f"If it happens again, {less_memory((read_spec(folder) or {}).get('params', {}))}."
    return f"Killed by signal {ending.signal}{why}{where_it_was(latest, 'after')}. {what_next(folder, advice)}"


def _own_error(folder: Path) -> str:
    """Return what the kind said of its failure, and what can be gone on from."""
    said = _error(folder)
    return f"{said} {what_next(folder)}" if said and newest_checkpoint(folder) else said


def _exited(folder: Path, ending: Ending, latest: Latest) -> str:
    how = "without a result" if ending.code == 0 else f"with exit code {ending.code}"
    line = last_log_line(folder)
    tail = f" Last line of its log: {line}" if line else " Its log is empty."
    after = f" {what_next(folder)}" if newest_checkpoint(folder) else ""
    return f"Ended {how}{where_it_was(latest, 'after')}.{tail}{after}"


def _error(folder: Path) -> str:
    try:
        return str(read_json(folder / ERROR)["message"])
    except (WorkspaceError, KeyError, TypeError):
        return ""


def _numbers(params: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in params.items():
        if isinstance(value, dict):
            yield from _numbers(value)
        else:
            yield name, value
