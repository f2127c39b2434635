"""Start what was asked for, once, and read what came of it; try it again, go on with it, give it another place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from simtune_core.encoders.catalogue import resolve_encoder
from simtune_core.errors import EncoderError, JobError, SimtuneError
from simtune_core.jobs import attempts
from simtune_core.jobs.attempts import checkpoint_of, retry
from simtune_core.jobs.launcher import (
    advance_queue,
    find_equal,
    follow,
    launch,
    list_jobs,
    move,
    read_job,
    read_result,
    request_stop,
    waiting,
)
from simtune_core.jobs.states import JobStatus
from simtune_core.workflows.foresight import foresee, require_room
from simtune_core.workflows.requests import Request
from simtune_core.workspace import Workspace

__all__ = [
    "advance",
    "checkpoint_step",
    "differences",
    "foreseen",
    "job_of",
    "list_jobs",
    "move",
    "read_job",
    "request_stop",
    "result_of",
    "resume",
    "retry",
    "run_to_end",
    "start",
    "waiting",
]


def start(workspace: Workspace, request: Request, *, token: str | None = None, reuse: bool = True) -> str:
    """Start a request and return its job id; equal work done or under way, or the same token, gives the same job.

    Raises:
        WorkspaceError: If what it writes cannot fit on the disk; then no job was made.
    """
    if not reuse or job_of(workspace, request) is None:
        require_room(workspace, request)
    return launch(workspace, request.kind, request.params, title=request.title, token=token, reuse=reuse)


def foreseen(workspace: Workspace, request: Request, *, reuse: bool = True) -> list[dict[str, Any]]:
    """Return as a finding why a request may fill the disk; none where there is room or an equal job answers it."""
    if reuse and job_of(workspace, request) is not None:
        return []
    found = foresee(workspace, request)
    return [] if found is None else [found]


def job_of(workspace: Workspace, request: Request) -> JobStatus | None:
    """Return the newest job, queued, running or done, that answers a request; None if there is none."""
    return find_equal(workspace, request.kind, request.params)


def result_of(workspace: Workspace, job_id: str) -> dict[str, Any]:
    """Return what a job found out; raises JobError with the cause where it has no result."""
    return read_result(workspace, job_id)


def advance(workspace: Workspace) -> list[dict[str, str]]:
    """Start what waits and can start; what hinders it is a finding, so that a look at the jobs never fails for it."""
    try:
        advance_queue(workspace)
    except SimtuneError as error:
        message = f"Queued jobs cannot be started now: {error}"
        return [{"code": "queue_held_up", "severity": "warning", "message": message}]
    return []


def checkpoint_step(workspace: Workspace, job_id: str) -> int | None:
    """Return the step from which a job can be continued; None if it has no complete checkpoint."""
    checkpoint = checkpoint_of(workspace, job_id)
    return None if checkpoint is None else checkpoint.step


def resume(
    workspace: Workspace,
    job_id: str,
    *,
    changes: Mapping[str, Any] | None = None,
    confirm: bool = False,
    token: str | None = None,
) -> str:
    """Continue a job from its newest complete checkpoint as a new job, and return that one's id.

    Args:
        workspace: The workspace the job belongs to.
        job_id: A job that has ended.
        changes: Params that are to be others than before; dictionaries inside are merged.
        confirm: Whether to continue although something differs: program, libraries, data, encoders, params.
        token: The same token always gives the same job.

    Raises:
        JobError: If it cannot be continued, or `differences` finds some and they were not confirmed.
    """
    return attempts.resume(
        workspace, job_id, changes=changes, confirm=confirm, token=token, others=_other_encoders(workspace, job_id)
    )


def differences(workspace: Workspace, job_id: str, changes: Mapping[str, Any] | None = None) -> list[str]:
    """Say in sentences what is not as it was when a job was launched; empty if it would go on exactly as it began."""
    return attempts.differences(workspace, job_id, changes) + _other_encoders(workspace, job_id)


def run_to_end(
    workspace: Workspace,
    request: Request,
    *,
    on_update: Callable[[JobStatus], None] | None = None,
    reuse: bool = True,
) -> tuple[JobStatus, dict[str, Any]]:
    """Start a request, wait for its end, and return the job and its result.

    Raises:
        JobError: If it failed, was stopped without a result, or was lost; the message is the job's own cause.
    """
    job_id = start(workspace, request, reuse=reuse)
    status = follow(workspace, job_id, on_update)
    if status.state not in ("done", "stopped"):
        raise JobError(status.cause or f"The job {status.id} ended as {status.state}.")
    return read_job(workspace, job_id), read_result(workspace, job_id)


def _other_encoders(workspace: Workspace, job_id: str) -> list[str]:
    """Say which encoders of a job are not the ones it was launched with."""
    found = []
    for encoder in read_job(workspace, job_id).params.get("fingerprints") or []:
        try:
            same = resolve_encoder(workspace, encoder["name"]).fingerprint == encoder["fingerprint"]
        except EncoderError as error:
            found.append(f"The encoder {encoder['name']} is not to be had any more: {error}")
            continue
        if not same:
            found.append(f"The encoder {encoder['name']} has other weights or settings now.")
    return found
