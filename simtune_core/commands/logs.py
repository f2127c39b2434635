"""The command that shows what a job has written to its log."""

from __future__ import annotations

import typer

from simtune_core.commands.options import Json, Where
from simtune_core.console import reported
from simtune_core.workflows import running
from simtune_core.workspace import open_workspace


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(log)


def log(job: str, workspace: Where = None, as_json: Json = False) -> None:
    """Show the end of a job's log."""
    with reported("log", as_json=as_json) as report:
        report.result = {"job": job, "log": running.read_log(open_workspace(workspace), job)}
        report.say(report.result["log"] or "The log is empty.")
