"""The command that says what a dataset holds."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.table import Table

from simtune_core.commands.options import Detach, EncoderName, FailOn, Json, Where
from simtune_core.commands.running import run_request
from simtune_core.console import reported, table
from simtune_core.preferences import preferences_of
from simtune_core.workflows.describing import describe_request, description_of
from simtune_core.workspace import open_workspace


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(describe)


def describe(
    dataset: Annotated[str, typer.Argument(metavar="SET", help="Records or pairs.")],
    encoder: EncoderName = None,
    detach: Detach = False,
    fail_on: FailOn = None,
    workspace: Where = None,
    as_json: Json = False,
) -> None:
    """Say what a dataset holds: lengths in tokens of an encoder, repeated rows, balance, texts shared by splits."""
    with reported("describe", as_json=as_json, fail_on=fail_on) as report:
        where = open_workspace(workspace)
        request = describe_request(where, dataset, encoder or preferences_of(where).default_encoder)
        if result := run_request(where, request, report, detach=detach):
            report.say(*_lines(result))


def _lines(result: dict[str, Any]) -> list[str | Table]:
    described = description_of(result)
    lengths, repeats = described.lengths, described.repeats
    rows = [
        [each.split, each.n_rows, each.n_truncated, each.n_positive, each.n_negative, each.n_graded]
        for each in described.splits
    ]
    reads = f"; {result['title']} reads {lengths.limit:,}" if lengths.limit else ""
    return [
        table(("split", "rows", "truncated", "similar", "dissimilar", "graded"), rows, title=result["set"]),
        f"{described.n_unique_texts:,} different texts in {described.n_rows:,} {described.kind}: median "
        f"{lengths.median:g} {lengths.unit}, 95 % up to {lengths.p95:g}, longest {lengths.longest:,}{reads}.",
        f"Rows that repeat an earlier one: {repeats.n_exact:,} exactly, {repeats.n_near:,} but for small edits.",
    ]
