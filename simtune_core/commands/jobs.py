"""The commands that list and stop jobs and work off the queue."""

from __future__ import annotations

import typer

from simtune_core import wording
from simtune_core.commands.options import Json, Where
from simtune_core.console import reported
from simtune_core.workflows import running, upkeep
from simtune_core.workspace import open_workspace


def add_to(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    for command in (jobs, stop, worker):
        app.command()(command)


def jobs(workspace: Where = None, as_json: Json = False) -> None:
    """List every job with its computed state."""
    with reported("jobs", as_json=as_json) as report:
        found = running.list_jobs(open_workspace(workspace))
        report.result = {"jobs": [wording.job_json(status) for status in found]}
        report.say(wording.jobs_table(found) if found else "There is no job yet.")


def stop(job: str, workspace: Where = None, as_json: Json = False) -> None:
    """Ask a job to save its work and end."""
    with reported("stop", as_json=as_json) as report:
        where = open_workspace(workspace)
        running.request_stop(where, job)
        status = running.read_job(where, job)
        report.result = wording.job_json(status)
        report.say(f"{status.title}: {status.state}. {status.cause}".strip())


def worker(workspace: Where = None, as_json: Json = False) -> None:
    """Start what waits in the queue and stay until nothing waits or runs (after a reboot, say)."""
    with reported("worker", as_json=as_json) as report:
        started = upkeep.work_off_queue(open_workspace(workspace))
        report.result = {"started": started}
        report.say(f"Started {len(started)} of the queued jobs; nothing waits any more.")
