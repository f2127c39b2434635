"""Start, stop and list jobs: the one door to them for pages, CLI and workflows.

Nothing here waits for a job but `follow`; a job outlives whoever launched it.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simtune_core.errors import JobError, SimtuneError, WorkspaceError
from simtune_core.files import new_id, read_json, sha256_json, whole_folder, write_json
from simtune_core.jobs.events import plain
from simtune_core.jobs.kinds import kind_named, needs_device
from simtune_core.jobs.marks import create_once, write_exit
from simtune_core.jobs.origins import code_versions, content_ids
from simtune_core.jobs.queueing import (
    advance_queue,
    is_queued,
    job_folders,
    launcher_lock,
    move,
    start_queued,
    waiting,
    with_places,
)
from simtune_core.jobs.states import RESULT, SPEC, STOP, JobStatus, read_spec, read_status
from simtune_core.preferences import preferences_of
from simtune_core.workspace import Workspace

__all__ = [
    "Wish",
    "advance_queue",
    "find_equal",
    "follow",
    "launch",
    "list_jobs",
    "make_job",
    "move",
    "read_job",
    "read_result",
    "request_stop",
    "waiting",
]
_QUEUE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Wish:
    """A job that is wanted.

    Attributes:
        kind: A name of `jobs.kinds.KINDS`.
        params: What the kind is given: JSON, every number finite.
        title: What a person calls it.
        token: Drawn by the caller once per wish; the same token always gives the same job, however often it comes.
        earlier: Keys of spec.json that tell which job it repeats or continues: `attempt, retry_of, continues`.
    """

    kind: str
    params: dict[str, Any]
    title: str
    token: str | None = None
    earlier: dict[str, Any] = field(default_factory=dict)


def launch(
    workspace: Workspace,
    kind: str,
    params: dict[str, Any],
    *,
    title: str,
    token: str | None = None,
    reuse: bool = True,
) -> str:
    """Start a job, or put it in the queue if its device is busy.

    Args:
        workspace: The workspace the job belongs to.
        kind: A name of `jobs.kinds.KINDS`.
        params: What the kind is given: JSON, every number finite.
        title: What a person calls it.
        token: Drawn by the caller once per wish; the same token always gives the same job, however often it comes.
        reuse: Give the id of an equal job (same kind and params) that is queued, running or done instead of a new one.

    Returns:
        The job's id.

    Raises:
        JobError: If there is no such kind, or the params are not JSON.
        WorkspaceError: If the disk is full or the workspace cannot be written; then no job was made.
    """

    def equal() -> str | None:
        found = find_equal(workspace, kind, params) if reuse else None
        return None if found is None else found.id

    return make_job(workspace, Wish(kind, params, title, token), equal)


def make_job(workspace: Workspace, wish: Wish, answers: Callable[[], str | None]) -> str:
    """Make the job of a wish unless it has one, and start it or put it in the queue.

    Args:
        workspace: The workspace the job belongs to.
        wish: What is wanted.
        answers: Called under the launcher's lock; gives the id of a job that answers the wish already, or None.

    Returns:
        The job's id.

    Raises:
        JobError: If there is no such kind, or the params are not JSON.
        WorkspaceError: If the disk is full or the workspace cannot be written; then no job was made.
        ConfigError: If the workspace's settings hold a value out of its bounds; then no job was made.
    """
    spec_hash = _spec_hash(wish.kind, wish.params)
    with launcher_lock(workspace):
        job_id = _job_of(workspace, wish.token)
        if job_id is None:
            job_id = answers() or new_id()
            _remember(workspace, wish.token, job_id)
        made = not workspace.job(job_id).exists()
        if made:
            _write_spec(workspace, job_id, wish, spec_hash)
        try:
            start_queued(workspace)
        except SimtuneError:
            if made and is_queued(workspace.job(job_id)):
                shutil.rmtree(workspace.job(job_id), ignore_errors=True)
            raise
    return job_id


def list_jobs(workspace: Workspace) -> list[JobStatus]:
    """Return every job of the workspace, newest first."""
    states = (read_status(folder) for folder in reversed(job_folders(workspace)))
    return with_places(workspace, [state for state in states if state is not None])


def read_job(workspace: Workspace, job_id: str) -> JobStatus:
    """Return one job as it is now.

    Raises:
        JobError: If there is no such job.
    """
    folder = workspace.job(job_id)
    status = read_status(folder) if folder.is_dir() else None
    if status is None:
        raise JobError(f"There is no job {job_id!r} in this workspace; choose one of the list of jobs.")
    if status.state == "queued" and needs_device(status.kind, status.params):
        return next((each for each in list_jobs(workspace) if each.id == job_id), status)
    return status


def read_result(workspace: Workspace, job_id: str) -> dict[str, Any]:
    """Return the result of a job that is done, or of a stopped one that left a result.

    Raises:
        JobError: If there is none, with the cause.
    """
    status = read_job(workspace, job_id)
    if status.state not in ("done", "stopped") or not (status.folder / RESULT).exists():
        raise JobError(f"The job {status.title!r} has no result: {status.cause or f'it is {status.state}.'}")
    result: dict[str, Any] = read_json(status.folder / RESULT)
    return result


def find_equal(workspace: Workspace, kind: str, params: dict[str, Any]) -> JobStatus | None:
    """Return the newest queued, running or done job of the same kind and params; None if there is none."""
    spec_hash = _spec_hash(kind, params)
    for folder in reversed(job_folders(workspace)):
        spec = read_spec(folder)
        if spec is None or spec["spec_hash"] != spec_hash:
            continue
        status = read_status(folder)
        if status is not None and status.state in ("queued", "running", "done"):
            return status
    return None


def request_stop(workspace: Workspace, job_id: str, *, grace_seconds: float | None = None) -> None:
    """Ask a job to stop; a second request, or one for a job that has ended, changes nothing.

    Args:
        workspace: The workspace the job belongs to.
        job_id: The job; a queued one leaves the queue at once.
        grace_seconds: How long it may take to save its work before it is killed; None for the workspace's setting.

    Raises:
        JobError: If there is no such job.
        ConfigError: If the workspace's settings hold a value out of its bounds.
    """
    status = read_job(workspace, job_id)
    if status.finished:
        return
    with launcher_lock(workspace):
        if is_queued(status.folder):
            write_exit(status.folder, "stopped", "Stopped by you before it started.", stopped="user")
            return
    grace = preferences_of(workspace).grace_seconds if grace_seconds is None else grace_seconds
    create_once(status.folder / STOP, {"v": 1, "time": time.time(), "grace_seconds": grace})


def follow(
    workspace: Workspace,
    job_id: str,
    on_update: Callable[[JobStatus], None] | None = None,
    poll_seconds: float = 0.3,
) -> JobStatus:
    """Wait until a job has ended, advancing the queue meanwhile; Ctrl-C leaves the job running.

    Args:
        workspace: The workspace the job belongs to.
        job_id: The job.
        on_update: Called with every look at the job, the last one included.
        poll_seconds: Seconds between two looks.

    Returns:
        The job as it ended.

    Raises:
        JobError: If there is no such job, or its folder is removed meanwhile.
    """
    look_at_queue = 0.0
    status = read_job(workspace, job_id)
    while True:
        if on_update is not None:
            on_update(status)
        if status.finished:
            return status
        if status.state == "queued" and time.monotonic() > look_at_queue:
            advance_queue(workspace)
            look_at_queue = time.monotonic() + _QUEUE_SECONDS
        time.sleep(poll_seconds)
        if not (status.folder / SPEC).exists():
            raise JobError(
                f"The folder of the job {status.title!r} was removed while it was {status.state}; what it had made is "
                "gone with it. Other jobs are not affected."
            )
        status = read_job(workspace, job_id)


def _write_spec(workspace: Workspace, job_id: str, wish: Wish, spec_hash: str) -> None:
    spec = {
        "v": 1,
        "id": job_id,
        "kind": wish.kind,
        "title": plain(wish.title),
        "params": wish.params,
        "token": wish.token,
        "attempt": 1,
        **wish.earlier,
        "spec_hash": spec_hash,
        "created": time.time(),
        "code": code_versions(wish.kind),
        "contents": content_ids(workspace, wish.params),
    }
    with whole_folder(workspace.job(job_id)) as folder:
        write_json(folder / SPEC, spec)


def _spec_hash(kind: str, params: dict[str, Any]) -> str:
    kind_named(kind)
    try:
        json.dumps(params, allow_nan=False, ensure_ascii=False).encode()
    except (TypeError, ValueError) as error:
        raise JobError(f"The params of a job must be JSON with finite numbers: {error}.") from error
    return sha256_json({"kind": kind, "params": params})


def _job_of(workspace: Workspace, token: str | None) -> str | None:
    """Return the job a token has been given, whether or not its folder was made before its launcher died."""
    if token is None:
        return None
    try:
        job_id: str = read_json(_token_path(workspace, token))["job"]
    except WorkspaceError:
        return None
    return job_id


def _remember(workspace: Workspace, token: str | None, job_id: str) -> None:
    """Write down the job of a token before its folder is made, so that a launch that dies in between is not doubled."""
    if token is not None:
        write_json(_token_path(workspace, token), {"v": 1, "job": job_id})


def _token_path(workspace: Workspace, token: str) -> Path:
    return workspace.jobs / ".tokens" / f"{sha256_json(token)[:32]}.json"
