"""The log of a job as a page or a command shows it: its end, followed while it runs, by level and word, as a file."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from simtune_core.jobs.launcher import read_job
from simtune_core.jobs.logs import LEVELS, Level, LogLine, LogPart, filter_levels, read_on, read_tail
from simtune_core.jobs.states import LOG
from simtune_core.workspace import Workspace

__all__ = ["LEVELS", "Level", "LogFile", "LogLine", "LogPart", "follow_log", "log_file", "log_lines", "read_log_part"]

POLL_SECONDS = 0.3


@dataclass(frozen=True, slots=True)
class LogFile:
    """A whole log, to be handed out from the disk and never held in memory.

    Attributes:
        path: Where it lies; it need not exist yet.
        n_bytes: Its size now.
    """

    path: Path
    n_bytes: int


def log_file(workspace: Workspace, job_id: str) -> LogFile:
    """Return where the log of a job lies and how large it is.

    Raises:
        JobError: If there is no such job.
    """
    path = read_job(workspace, job_id).folder / LOG
    return LogFile(path, path.stat().st_size if path.exists() else 0)


def read_log_part(workspace: Workspace, job_id: str, after: LogPart | None = None) -> LogPart:
    """Read the end of a job's log, or what was written after an earlier part; at most a megabyte a call.

    Raises:
        JobError: If there is no such job.
    """
    job = read_job(workspace, job_id)
    path = job.folder / LOG
    return read_tail(path, ended=job.finished) if after is None else read_on(path, after, ended=job.finished)


def log_lines(part: LogPart, *, level: Level = "debug", word: str = "", newest: int | None = None) -> list[LogLine]:
    """Return the lines of a part, what is not finished left out.

    Args:
        part: What has been read.
        level: The least level shown.
        word: Shows only lines with this in them, whatever the case.
        newest: The most lines shown, from the end.
    """
    lines = [line for line in filter_levels(part.lines, level) if word.lower() in line.text.lower()]
    return lines if newest is None else lines[max(0, len(lines) - newest) :]


def follow_log(workspace: Workspace, job_id: str, after: LogPart) -> Iterator[LogPart]:
    """Yield what a job writes to its log after a part, until it has ended; the parts are not empty.

    Raises:
        JobError: If there is no such job.
    """
    while True:
        finished = read_job(workspace, job_id).finished  # before reading, so that nothing written in between is missed
        after = read_log_part(workspace, job_id, after)
        if after.lines:
            yield after
        elif finished:
            return
        else:
            time.sleep(POLL_SECONDS)
