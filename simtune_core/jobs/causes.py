"""How a worker's end becomes a state and a sentence for a researcher. Starts, stops and writes nothing."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from simtune_core.errors import WorkspaceError
from simtune_core.files import read_json
from simtune_core.jobs.context import EVENTS
from simtune_core.jobs.events import Latest, read_latest
from simtune_core.jobs.states import ERROR, LOG, RESULT, UNSAVED, State, where_it_was

_ADVICE = "Start it again; if it happens again, lower the batch size or the maximum length."
_LINE = 200


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
    if ending.stopped is not None:
        return Verdict("stopped", _stopped(ending, latest))
    if ending.signal is not None:
        return Verdict("failed", _killed(ending, latest))
    if ending.code == 0 and (folder / RESULT).exists():
        return Verdict("done", "")
    return Verdict("failed", _error(folder) or _exited(folder, ending, latest))


def last_log_line(folder: Path) -> str:
    """Return the last line of a job's log that is not blank, cut at 200 characters."""
    try:
        with (folder / LOG).open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - 4096))
            lines = file.read().decode("utf-8", "replace").split("\n")
    except FileNotFoundError:
        return ""
    return next((line.strip()[:_LINE] for line in reversed(lines) if line.strip()), "")


def _stopped(ending: Ending, latest: Latest) -> str:
    who = "by you" if ending.stopped == "user" else "because the session or the machine is shutting down"
    forced = f" It did not stop by itself within {ending.grace_seconds:g} s and was killed. {UNSAVED}"
    return f"Stopped {who}{where_it_was(latest)}.{forced if ending.forced else ''}"


def _killed(ending: Ending, latest: Latest) -> str:
    why = ""
    if ending.signal == signal.SIGKILL:
        peak = f"peak {ending.peak_rss_bytes / 1e9:.2f} GB"
        why = f" (out of memory, {peak})" if ending.out_of_memory else f" (possibly out of memory, {peak})"
    advice = _ADVICE if why else "See the log, and start it again."
    return f"Killed by signal {ending.signal}{why}{where_it_was(latest, 'after')}. {UNSAVED} {advice}"


def _exited(folder: Path, ending: Ending, latest: Latest) -> str:
    how = "without a result" if ending.code == 0 else f"with exit code {ending.code}"
    line = last_log_line(folder)
    tail = f" Last line of its log: {line}" if line else " Its log is empty."
    return f"Ended {how}{where_it_was(latest, 'after')}.{tail}"


def _error(folder: Path) -> str:
    try:
        return str(read_json(folder / ERROR)["message"])
    except (WorkspaceError, KeyError, TypeError):
        return ""
