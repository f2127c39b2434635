"""Start what was asked for, once, and read what came of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simtune_core.errors import JobError
from simtune_core.jobs.launcher import (
    find_equal,
    follow,
    launch,
    list_jobs,
    read_job,
    read_log,
    read_result,
    request_stop,
)
from simtune_core.jobs.states import JobStatus
from simtune_core.workflows.requests import Request
from simtune_core.workspace import Workspace

__all__ = ["job_of", "list_jobs", "read_job", "read_log", "request_stop", "result_of", "run_to_end", "start"]


def start(workspace: Workspace, request: Request, *, token: str | None = None, reuse: bool = True) -> str:
    """Start a request and return its job id; equal work done or under way, or the same token, gives the same job."""
    return launch(workspace, request.kind, request.params, title=request.title, token=token, reuse=reuse)


def job_of(workspace: Workspace, request: Request) -> JobStatus | None:
    """Return the newest job, queued, running or done, that answers a request; None if there is none."""
    return find_equal(workspace, request.kind, request.params)


def result_of(workspace: Workspace, job_id: str) -> dict[str, Any]:
    """Return what a job found out; raises JobError with the cause where it has no result."""
    return read_result(workspace, job_id)


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
