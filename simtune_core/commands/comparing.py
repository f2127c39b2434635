"""The command `compare`: two pair sets side by side, phase by phase."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from simtune_core.commands.options import FailOn, Json, PrecisionName, Where
from simtune_core.commands.running import run_request
from simtune_core.console import reported, table
from simtune_core.encoders.config import EncodingConfig
from simtune_core.workflows.comparing import (
    WHOLE,
    Compared,
    as_json,
    compare,
    comparison_request,
    phase_lines,
    sentences,
    space_as_cut,
)
from simtune_core.workspace import open_workspace

_PRECISION = EncodingConfig().precision
_USUAL_SPACE = "tfidf"


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("compare")(compare_)


def compare_(
    first: Annotated[str, typer.Argument(metavar="SET")],
    second: Annotated[str, typer.Argument(metavar="SET")],
    encoder: Annotated[
        str | None,
        typer.Option(help=f"Score both in this space. Default: the one both were cut in, else {_USUAL_SPACE}."),
    ] = None,
    precision: PrecisionName = _PRECISION,
    fail_on: FailOn = None,
    workspace: Where = None,
    as_json_: Json = False,
) -> None:
    """Compare two pair sets: difficulty by phase, what they share, contradictions, settings that differ."""
    with reported("compare", as_json=as_json_, fail_on=fail_on) as report:
        where = open_workspace(workspace)
        measured = None
        if encoder is not None or space_as_cut(where, first, second) is None:
            encoding = EncodingConfig(encoder=encoder or _USUAL_SPACE, precision=precision)
            measured = run_request(where, comparison_request(where, first, second, encoding), report)
        compared = compare(where, first, second, measured)
        report.result = as_json(compared)
        report.say(*_lines(compared))


def _lines(compared: Compared) -> list[str | Table]:
    names = (compared.comparison.left, compared.comparison.right)
    phases = [
        table(("", *names), phase_lines(phase), title=f"{phase.phase or WHOLE}, {compared.space}")
        for phase in compared.comparison.phases
    ]
    settings = [[each.field, each.left, each.right] for each in compared.settings if all(compared.made_here)]
    told = [table(("setting", *names), settings, title="Settings that differ")] if settings else []
    return [*phases, *told, *sentences(compared)]
