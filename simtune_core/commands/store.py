"""`python -m simtune_core store ...`: look after the results store."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from simtune_core import wording
from simtune_core.commands.options import FailOn, Json, Where
from simtune_core.console import reported, table
from simtune_core.store import QuerySettings
from simtune_core.workflows import upkeep
from simtune_core.workspace import open_workspace

_LIMITS = QuerySettings()
app = typer.Typer(no_args_is_help=True, help="The results store: an index over the workspace's files.")


@app.command()
def rebuild(workspace: Where = None, as_json: Json = False) -> None:
    """Make the results store again from datasets, jobs and models."""
    with reported("store rebuild", as_json=as_json) as report:
        report.result = upkeep.rebuild_store(open_workspace(workspace))
        report.say(wording.counts_table(report.result["counts"]))


@app.command()
def check(
    repair: Annotated[bool, typer.Option(help="Read rows again that are not what the files say.")] = True,
    fail_on: FailOn = None,
    workspace: Where = None,
    as_json: Json = False,
) -> None:
    """Compare every line, manifest and hash with the rows of the store, and repair the store."""
    with reported("store check", as_json=as_json, fail_on=fail_on) as report:
        report.take(upkeep.check_store(open_workspace(workspace), repair=repair))
        report.say(*report.result["notices"], *(f"Repaired: {each}" for each in report.result["repaired"]))
        report.say("The store agrees with the files." if not report.findings else "Not all is as it must be:")


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


@app.command()
def snapshot(
    path: Annotated[
        Path | None, typer.Argument(help="The file to write; default: the newest of the workspace.")
    ] = None,
    workspace: Where = None,
    as_json: Json = False,
) -> None:
    """Copy the store as it is now, for notebooks: the copy can be read at any time."""
    with reported("store snapshot", as_json=as_json) as report:
        report.result = {"file": str(upkeep.snapshot_store(open_workspace(workspace), path))}
        report.say(report.result["file"])


@app.command()
def query(
    sql: Annotated[str, typer.Argument(help="One SELECT on the tables jobs, events, evaluation_metrics, ...")],
    rows: Annotated[int, typer.Option(help=QuerySettings.model_fields["rows"].description)] = _LIMITS.rows,
    timeout_seconds: Annotated[
        float, typer.Option(help=QuerySettings.model_fields["timeout_seconds"].description)
    ] = _LIMITS.timeout_seconds,
    fresh: Annotated[bool, typer.Option("--fresh", help="Take a new snapshot first.")] = False,
    workspace: Where = None,
    as_json: Json = False,
) -> None:
    """Answer a question in SQL from a snapshot; it can read the store's tables and nothing else."""
    with reported("store query", as_json=as_json) as report:
        where = open_workspace(workspace)
        found = upkeep.query_store(where, sql, rows=rows, timeout_seconds=timeout_seconds, fresh=fresh)
        report.result = found
        report.say(table(found["columns"], found["rows"]))
        if found["cut"]:
            report.say(f"Only the first {rows:,} rows are shown; ask for more with --rows.")
        report.say(f"From {found['snapshot']}, taken {found['age_seconds']:,.0f} s ago; --fresh takes a new one.")
