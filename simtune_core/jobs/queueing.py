"""The queue: jobs without a runner, started in order as soon as what they need is free.

Whoever looks may advance it: the launcher, a runner at its end, the app's thread, `python -m simtune_core worker`.
One at a time does, under a lock, and waits until the started job has its runner, so nothing is started twice.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from functools import lru_cache
from operator import attrgetter
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock, Timeout

from simtune_core.errors import JobError, WorkspaceError
from simtune_core.files import NAME_PATTERN, disk_error, read_json, write_json
from simtune_core.jobs.causes import last_log_line
from simtune_core.jobs.devices import Slot, slots_of
from simtune_core.jobs.kernel import MARK, boot_mark, kill_marked, lock_held
from simtune_core.jobs.kinds import needs_device
from simtune_core.jobs.marks import write_exit
from simtune_core.jobs.runner import slot_path
from simtune_core.jobs.states import EXIT, LOCK, LOG, PROC, SPEC, JobStatus, read_spec
from simtune_core.workspace import CHECKOUT, Workspace

Place = Literal["first", "up", "down", "last"]
QUEUE = ".queue.json"
RETRY_SECONDS = 30.0  # a job whose runner could not take it, as on a full disk, is tried again after this time
_LOCK_SECONDS = 60.0
_START_SECONDS = 30.0


def advance_queue(workspace: Workspace) -> list[str]:
    """Start every queued job whose device is free, in the order of the queue; end what lost jobs have left running.

    Returns:
        The ids of the jobs started.

    Raises:
        JobError: If another process has held the launcher's lock for a minute.
        WorkspaceError: If the disk is full or the workspace cannot be written.
    """
    folders = job_folders(workspace)
    _end_leftovers(frozenset(str(folder) for folder in folders if _is_lost(folder)))
    if not any(is_queued(folder) for folder in folders):
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
    free: list[Slot] | None = None
    for job_id in waiting(workspace):
        folder = workspace.job(job_id)
        if _tried_just_now(folder):
            continue
        on_device = _on_device(folder)
        if on_device and free is None:
            free = free_slots(workspace)
        if on_device and not free:
            continue
        _start_runner(folder, (free or []) if on_device else [])
        if not is_queued(folder):
            started.append(job_id)
        free = None
    return started


def free_slots(workspace: Workspace) -> list[Slot]:
    """Return the slots of the device that no job has."""
    return [slot for slot in slots_of(workspace) if not lock_held(slot_path(workspace, slot.name))]


def waiting(workspace: Workspace) -> list[str]:
    """Return the ids of the queued jobs in the order of the queue: as it was arranged, then by age."""
    queued = [folder.name for folder in job_folders(workspace) if is_queued(folder)]
    if len(queued) < 2:
        return queued
    places = {job_id: place for place, job_id in enumerate(_arranged(workspace))}
    return sorted(queued, key=lambda job_id: (places.get(job_id, len(places)), job_id))


def move(workspace: Workspace, job_id: str, place: Place) -> list[str]:
    """Give a queued job another place in the queue.

    Args:
        workspace: The workspace the job belongs to.
        job_id: A queued job.
        place: Where to.

    Returns:
        The ids of the queued jobs in their new order.

    Raises:
        JobError: If the job does not wait any more.
    """
    with launcher_lock(workspace):
        order = waiting(workspace)
        if job_id not in order:
            raise JobError(f"Only a job that waits can be moved in the queue, and {job_id[:80]!r} does not wait now.")
        at = order.index(job_id)
        order.remove(job_id)
        order.insert({"first": 0, "up": max(0, at - 1), "down": at + 1, "last": len(order)}[place], job_id)
        write_json(workspace.jobs / QUEUE, {"v": 1, "order": order})
    return order


def with_places(workspace: Workspace, statuses: Sequence[JobStatus]) -> list[JobStatus]:
    """Return all jobs of a workspace with `ahead` filled in for those that wait for the device."""
    for_device = {status.id for status in statuses if needs_device(status.kind, status.params)}
    if not any(status.state == "queued" and status.id in for_device for status in statuses):
        return list(statuses)
    n_at_work = sum(status.state in ("running", "stopping") and status.id in for_device for status in statuses)
    line = [job_id for job_id in waiting(workspace) if job_id in for_device]
    ahead = {job_id: n_at_work + place for place, job_id in enumerate(line)}
    return [replace(each, ahead=ahead.get(each.id)) if each.state == "queued" else each for each in statuses]


def job_folders(workspace: Workspace) -> list[Path]:
    """Return the folders of all jobs, oldest first."""
    if not workspace.jobs.is_dir():
        return []
    found = (folder for folder in workspace.jobs.iterdir() if NAME_PATTERN.fullmatch(folder.name))
    return sorted(found, key=attrgetter("name"))


def is_queued(folder: Path) -> bool:
    """Tell whether a job waits for its runner."""
    return (folder / SPEC).exists() and not (folder / PROC).exists() and not (folder / EXIT).exists()


def _arranged(workspace: Workspace) -> list[str]:
    """Return the order somebody gave the queue; a file that is missing or damaged gives none."""
    try:
        order = read_json(workspace.jobs / QUEUE)["order"]
    except (WorkspaceError, KeyError, TypeError):
        return []
    return [job_id for job_id in order if isinstance(job_id, str)] if isinstance(order, list) else []


def _is_lost(folder: Path) -> bool:
    """Tell whether a job's runner was killed since the machine was started."""
    if not (folder / PROC).exists() or (folder / EXIT).exists() or lock_held(folder / LOCK):
        return False
    try:
        return bool(read_json(folder / PROC).get("boot") == boot_mark())
    except (WorkspaceError, AttributeError):
        return False


@lru_cache(maxsize=4)
def _end_leftovers(lost: frozenset[str]) -> int:
    """End the processes of jobs whose runner was killed and could not do it; once for the same jobs is enough."""
    return kill_marked(lost) if lost else 0


def _on_device(folder: Path) -> bool:
    spec: dict[str, Any] = read_spec(folder) or {"kind": "", "params": {}}
    return needs_device(spec["kind"], spec["params"])


def _tried_just_now(folder: Path) -> bool:
    """Tell whether a runner was started for the job that could not take it, too short a time ago to try again."""
    try:
        return 0 <= time.time() - (folder / LOG).stat().st_mtime < RETRY_SECONDS
    except OSError:
        return False


def _start_runner(folder: Path, slots: list[Slot]) -> None:
    """Start the runner in a session of its own, its output straight to the log, and wait until it has the job.

    The runner takes the first slot it can lock, and none if none is given. It holds the writing end of a pipe until it
    has the job or has ended, whichever comes first.
    """
    settled, held = os.pipe()
    given = json.dumps([asdict(slot) for slot in slots])
    try:
        with (folder / LOG).open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "simtune_core.jobs.runner", str(folder), str(held), given],
                cwd=CHECKOUT,
                env={name: value for name, value in os.environ.items() if name != MARK},
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
    hangs = not ready and is_queued(folder)
    if hangs:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    if process.wait() and not hangs:
        write_exit(folder, "failed", f"The job could not be started. Last line of its log: {last_log_line(folder)}")
    elif is_queued(folder):
        os.utime(folder / LOG)
