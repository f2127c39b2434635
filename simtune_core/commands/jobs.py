"""The commands that list, stop, repeat, continue and reorder jobs and work off the queue; the log has its own file."""

from __future__ import annotations

from typing import Annotated

import typer

from simtune_core import wording
from simtune_core.commands.options import Json, Where
from simtune_core.console import reported
from simtune_core.jobs.queueing import Place
from simtune_core.workflows import running, upkeep
from simtune_core.workspace import open_workspace


def add_to(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    for command in (jobs, stop, retry, move, worker):
        app.command()(command)
    app.command("continue")(continue_)


def jobs(workspace: Where = None, as_json: Json = False) -> None:
    """List every job with its computed state, after starting what waits and can start."""
    with reported("jobs", as_json=as_json) as report:
        where = open_workspace(workspace)
        report.findings += running.advance(where)
        found = running.list_jobs(where)
        report.result = {"jobs": [wording.job_json(status) for status in found]}
        report.say(wording.jobs_table(found) if found else "There is no job yet.")


def stop(job: str, workspace: Where = None, as_json: Json = False) -> None:
    """Ask a job to save its work and end; one that waits leaves the queue."""
    with reported("stop", as_json=as_json) as report:
        where = open_workspace(workspace)
        running.request_stop(where, job)
        status = running.read_job(where, job)
        report.result = wording.job_json(status)
        report.say(f"{status.title}: {status.state}. {status.cause}".strip())


def retry(job: str, workspace: Where = None, as_json: Json = False) -> None:
    """Start a job again from its beginning, as a new job with the next attempt number."""
    with reported("retry", as_json=as_json) as report:
        where = open_workspace(workspace)
        status = running.read_job(where, running.retry(where, job))
        report.result = wording.job_json(status)
        report.say(f"Attempt {status.attempt} of {status.title!r} is {status.id}: {status.state}.")


def continue_(
    job: str,
    yes: Annotated[bool, typer.Option("--yes", help="Continue although program, data or settings differ.")] = False,
    workspace: Where = None,
    as_json: Json = False,
) -> None:
    """Go on with a job from its newest complete checkpoint, as a new job with the next attempt number."""
    with reported("continue", as_json=as_json) as report:
        where = open_workspace(workspace)
        status = running.read_job(where, running.resume(where, job, confirm=yes))
        step = running.checkpoint_step(where, job)
        report.result = {**wording.job_json(status), "from_step": step}
        report.say(
            f"Attempt {status.attempt} of {status.title!r} goes on from step {step} as {status.id}: {status.state}."
        )


def move(
    job: str,
    to: Annotated[Place, typer.Option("--to", help="Its new place among the jobs that wait.")],
    workspace: Where = None,
    as_json: Json = False,
) -> None:
    """Give a job that waits another place in the queue."""
    with reported("move", as_json=as_json) as report:
        order = running.move(open_workspace(workspace), job, to)
        report.result = {"waiting": order}
        report.say(*(f"{place}. {job_id}" for place, job_id in enumerate(order, start=1)))


def worker(workspace: Where = None, as_json: Json = False) -> None:
    """Start what waits in the queue and stay until nothing waits or runs (after a reboot, say)."""
    with reported("worker", as_json=as_json) as report:
        started = upkeep.work_off_queue(open_workspace(workspace))
        report.result = {"started": started}
        report.say(f"Started {len(started)} of the queued jobs; nothing waits any more.")
