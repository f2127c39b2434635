"""The queue: jobs without a runner, started in order as soon as what they need is free.

Whoever looks may advance it: the launcher, a runner at its end, the app's thread, `python -m simtune_core worker`.
One at a time does, under a lock, and waits until the started job has its runner, so nothing is started twice.
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from simtune_core.errors import JobError
from simtune_core.files import NAME_PATTERN, disk_error
from simtune_core.jobs.causes import last_log_line
from simtune_core.jobs.kernel import lock_held
from simtune_core.jobs.kinds import KINDS
from simtune_core.jobs.marks import write_exit
from simtune_core.jobs.runner import slot_path
from simtune_core.jobs.states import EXIT, LOG, PROC, SPEC, read_spec
from simtune_core.workspace import CHECKOUT, Workspace

_LOCK_SECONDS = 60.0
_START_SECONDS = 15.0


def advance_queue(workspace: Workspace) -> list[str]:
    """Start every queued job whose device is free, oldest first.

    Returns:
        The ids of the jobs started.

    Raises:
        JobError: If another process has held the launcher's lock for a minute.
        WorkspaceError: If the disk is full or the workspace cannot be written.
    """
    if not any(is_queued(folder) for folder in job_folders(workspace)):
        return []
    with launcher_lock(workspace):
        return start_queued(workspace)


@contextmanager
def launcher_lock(workspace: Workspace) -> Iterator[None]:
    """Hold the lock under which jobs are made, started and taken out of the queue."""
    path = workspace.jobs / ".launcher.lock"
    lock = FileLock(path, timeout=_LOCK_SECONDS)
    try:
        lock.acquire()
    except Timeout as error:
        raise JobError("Another process has been starting jobs for a minute; try again.") from error
    except OSError as error:
        raise disk_error(path, error) from error
    try:
        yield
    finally:
        lock.release()


def start_queued(workspace: Workspace) -> list[str]:
    """Start what can start; the caller holds the launcher's lock."""
    started: list[str] = []
    device_free = not lock_held(slot_path(workspace))
    for folder in filter(is_queued, job_folders(workspace)):
        spec = read_spec(folder)
        needs_device = spec is not None and spec["kind"] in KINDS and KINDS[spec["kind"]].device
        if spec is None or (needs_device and not device_free):
            continue
        device_free = device_free and not needs_device
        _start_runner(folder)
        started.append(folder.name)
    return started


def job_folders(workspace: Workspace) -> list[Path]:
    """Return the folders of all jobs, oldest first."""
    if not workspace.jobs.is_dir():
        return []
    return sorted(folder for folder in workspace.jobs.iterdir() if NAME_PATTERN.fullmatch(folder.name))


def is_queued(folder: Path) -> bool:
    """Tell whether a job waits for its runner."""
    return (folder / SPEC).exists() and not (folder / PROC).exists() and not (folder / EXIT).exists()


def _start_runner(folder: Path) -> None:
    """Start the runner in a session of its own, its output straight to the log, and wait until it has the job.

    The runner holds the writing end of a pipe until it has the job or has ended, whichever comes first.
    """
    settled, held = os.pipe()
    try:
        with (folder / LOG).open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "simtune_core.jobs.runner", str(folder), str(held)],
                cwd=CHECKOUT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=(held,),
            )
        os.close(held)
        held = -1
        _wait_for(process, settled, folder)
    except OSError as error:
        raise disk_error(folder / LOG, error) from error
    finally:
        os.close(settled)
        if held >= 0:
            os.close(held)


def _wait_for(process: subprocess.Popen[bytes], settled: int, folder: Path) -> None:
    """Wait until the pipe is closed; a starter that hangs is ended, one that failed is the job's failure."""
    ready, _, _ = select.select([settled], [], [], _START_SECONDS)
    if not ready:
        process.kill()
    if process.wait():
        write_exit(folder, "failed", f"The job could not be started. Last line of its log: {last_log_line(folder)}")
