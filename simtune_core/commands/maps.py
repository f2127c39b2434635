"""The command that draws maps of texts or pairs."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.table import Table

from simtune_core.commands.options import Detach, EncoderName, FailOn, Json, PrecisionName, Where
from simtune_core.commands.running import run_request
from simtune_core.console import reported, table
from simtune_core.encoders.config import EncodingConfig
from simtune_core.preferences import preferences_of
from simtune_core.settings import with_overrides
from simtune_core.workflows.maps import Of, ProjectionConfig, map_request
from simtune_core.workspace import open_workspace


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("map")(map_)


def map_(
    dataset: Annotated[str, typer.Argument(metavar="SET", help="Records or pairs.")],
    against: Annotated[str | None, typer.Option(help="A second set, told apart by colour.")] = None,
    encoder: EncoderName = None,
    against_encoder: Annotated[
        str | None, typer.Option(help="A second encoder, whose map begins where the first one's ended.")
    ] = None,
    of: Annotated[Of, typer.Option(help="Each different text, or each pair.")] = "records",
    precision: PrecisionName = EncodingConfig.model_fields["precision"].default,
    settings: Annotated[list[str] | None, typer.Option("--set", help="key=value of the map's settings.")] = None,
    detach: Detach = False,
    fail_on: FailOn = None,
    workspace: Where = None,
    as_json: Json = False,
) -> None:
    """Lay texts or pairs out in the plane (UMAP), and say how far neighbourhoods differ between two encoders."""
    with reported("map", as_json=as_json, fail_on=fail_on) as report:
        where = open_workspace(workspace)
        first = encoder or preferences_of(where).default_encoder
        names = [first, *([against_encoder] if against_encoder else [])]
        config = with_overrides(ProjectionConfig(), settings or [])
        refs = [dataset, *([against] if against else [])]
        request = map_request(where, refs, names, of=of, precision=precision, config=config)
        result: dict[str, Any] | None = run_request(where, request, report, detach=detach)
        if result:
            report.say(*_lines(result))


def _lines(result: dict[str, Any]) -> list[str | Table]:
    """Lay out what a map's numbers say; the points themselves lie in the job's folder."""
    what = "pairs" if result["of"] == "pairs" else "texts"
    refs = " and ".join(each["ref"] for each in result["sets"])
    rows = [
        [each["title"], each["trustworthiness"], each["threshold"], *(each["outcomes"] or {}).values()]
        for each in result["maps"]
    ]
    columns = ["space", "trustworthiness", "threshold", *(result["maps"][0]["outcomes"] or {})]
    columns, rows = (columns, rows) if result["of"] == "pairs" else (columns[:2], [row[:2] for row in rows])
    lines: list[str | Table] = [
        f"{result['n_points']:,} of {result['n_all']:,} {what} of {refs} are drawn.",
        table(columns, rows),
    ]
    change = result["change"]
    if change:
        lines.append(
            f"Of the {change['k']} nearest neighbours {change['mean_kept']:.2f} are the same in both spaces on "
            f"average; mean neighbourhood change (1 - Jaccard) {change['mean']:.3f}."
        )
    return lines
