"""The command that shows what a job has written to its log."""

from __future__ import annotations

from typing import Annotated

import typer

from simtune_core.commands.options import Json, Where
from simtune_core.console import reported
from simtune_core.workflows import logs
from simtune_core.workspace import open_workspace

_NEWEST = 200
Follow = Annotated[bool, typer.Option("--follow", "-f", help="Go on with what is written until the job has ended.")]
LowestLevel = Annotated[logs.Level, typer.Option("--level", help="Leave out lines of a lower level.")]
Newest = Annotated[int, typer.Option("--lines", min=0, help="Begin with so many of the newest lines.")]


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(log)


def log(
    job: str,
    follow: Follow = False,
    level: LowestLevel = "debug",
    lines: Newest = _NEWEST,
    workspace: Where = None,
    as_json: Json = False,
) -> None:
    """Show the end of a job's log."""
    with reported("log", as_json=as_json) as report:
        where = open_workspace(workspace)
        part = logs.read_log_part(where, job)
        shown = logs.log_lines(part, level=level, newest=lines)
        if follow and not as_json:
            _write(shown)
        for new in logs.follow_log(where, job, part) if follow else ():
            added = logs.log_lines(new, level=level)
            if not as_json:
                _write(added)
            shown = [*shown, *added]
            shown = shown[max(0, len(shown) - lines) :]
        report.result = {
            "job": job,
            "log": "\n".join(line.text for line in shown),
            "lines": [{"level": line.level, "text": line.text} for line in shown],
            "n_bytes": logs.log_file(where, job).n_bytes,
        }
        if not follow:
            report.say(report.result["log"] or "The log has no such line.")


def _write(lines: list[logs.LogLine]) -> None:
    for line in lines:
        typer.echo(line.text)
