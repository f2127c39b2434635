"""`python -m simtune_core store ...`: look after the results store."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from simtune_core import wording
from simtune_core.commands.options import FailOn, Json, Where
from simtune_core.console import reported
from simtune_core.workflows import upkeep
from simtune_core.workspace import open_workspace

app = typer.Typer(no_args_is_help=True, help="The results store: an index over the workspace's files.")


@app.command()
def rebuild(workspace: Where = None, as_json: Json = False) -> None:
    """Make the results store again from datasets, jobs and models."""
    with reported("store rebuild", as_json=as_json) as report:
        report.result = upkeep.rebuild_store(open_workspace(workspace))
        report.say(wording.counts_table(report.result["counts"]))


@app.command()
def check(fail_on: FailOn = None, workspace: Where = None, as_json: Json = False) -> None:
    """Compare every line of every file with the rows of the store."""
    with reported("store check", as_json=as_json, fail_on=fail_on) as report:
        report.take(upkeep.check_store(open_workspace(workspace)))
        report.say("The store agrees with the files." if not report.findings else "The store differs from the files.")


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(help="A folder for one Parquet file a table.")],
    workspace: Where = None,
    as_json: Json = False,
) -> None:
    """Write every table of the store as Parquet; nothing is overwritten."""
    with reported("store export", as_json=as_json) as report:
        report.result = {"files": upkeep.export_store(open_workspace(workspace), folder)}
        report.say(*report.result["files"])
