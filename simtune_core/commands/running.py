"""How a command starts the job that answers it and shows its progress."""

from __future__ import annotations

from typing import Any

from simtune_core.console import Report, progress_bar
from simtune_core.workflows import requests, running
from simtune_core.workspace import Workspace


def run_request(
    workspace: Workspace, request: requests.Request, report: Report, *, detach: bool = False, reuse: bool = True
) -> dict[str, Any] | None:
    """Start a job; follow it to its end and return its result, or return None when detached."""
    report.findings += running.foreseen(workspace, request, reuse=reuse)
    if detach:
        job_id = running.start(workspace, request, reuse=reuse)
        report.result = {"job": job_id}
        report.say(job_id)
        return None
    with progress_bar(hidden=report.as_json) as draw:
        status, result = running.run_to_end(workspace, request, on_update=draw, reuse=reuse)
    report.take({"job": status.id, "state": status.state, **result})
    return result
