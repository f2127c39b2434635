"""The commands that estimate the noise in the labels of a pair set, and remove or relabel pairs of it."""

from __future__ import annotations

from typing import Annotated

import typer

from simtune_core.commands.options import Detach, EncoderName, FailOn, Json, PrecisionName, Where
from simtune_core.commands.running import run_request
from simtune_core.console import reported, table
from simtune_core.encoders.config import EncodingConfig
from simtune_core.errors import ConfigError
from simtune_core.settings import with_overrides
from simtune_core.workflows import quality
from simtune_core.workflows.models import default_encoder
from simtune_core.workspace import open_workspace

_ENCODING = EncodingConfig()


def add_to(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command()(noise)
    app.command()(edit)


def noise(
    dataset: Annotated[str, typer.Argument(metavar="SET", help="Pairs with 0 / 1 labels.")],
    encoder: EncoderName = None,
    precision: PrecisionName = _ENCODING.precision,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help=f"One setting as name=value; of {', '.join(quality.NoiseConfig.model_fields)}."),
    ] = None,
    detach: Detach = False,
    fail_on: FailOn = None,
    workspace: Where = None,
    as_json: Json = False,
) -> None:
    """Estimate how many labels are wrong, and mark the pairs to look at first."""
    with reported("noise", as_json=as_json, fail_on=fail_on) as report:
        where = open_workspace(workspace)
        encoding = EncodingConfig(encoder=encoder or default_encoder(where), precision=precision)
        config = with_overrides(quality.NoiseConfig(), settings or [])
        request = quality.noise_request(where, dataset, encoding, config=config)
        if result := run_request(where, request, report, detach=detach):
            if rows := quality.noise_rows(result):
                report.say(table(list(rows[0]), [list(row.values()) for row in rows], title=result["set"]))
            report.say(quality.noise_words(result))


def edit(
    dataset: Annotated[str, typer.Argument(metavar="SET", help="The pairs to edit.")],
    name: Annotated[str, typer.Option(help="Name of the pair set to make.")],
    drop: Annotated[
        str, typer.Option(help="Rows to remove, counted from 1 as on the page Data, separated by commas.")
    ] = "",
    relabel: Annotated[
        list[str] | None, typer.Option(help="ROW=0 or ROW=1, the label that a row gets; as often as needed.")
    ] = None,
    new_version: Annotated[bool, typer.Option("--new-version", help="Save as the next version of NAME.")] = False,
    detach: Detach = False,
    fail_on: FailOn = None,
    workspace: Where = None,
    as_json: Json = False,
) -> None:
    """Remove and relabel pairs by hand and save the rest as another set; children of such pairs follow them."""
    with reported("edit", as_json=as_json, fail_on=fail_on) as report:
        where = open_workspace(workspace)
        rows = [_whole(part) for part in drop.split(",") if part.strip()]
        edits = quality.edits_of_rows(where, dataset, drop=rows, relabel=dict(map(_relabelled, relabel or [])))
        request = quality.edit_request(where, dataset, edits, name=name, new_version=new_version)
        if result := run_request(where, request, report, detach=detach):
            report.say(
                f"{result['dataset']}: {result['n_pairs']:,} pairs; {result['n_dropped']:,} removed and "
                f"{result['n_relabelled']:,} relabelled, {result['n_children']:,} of them as children of such pairs."
            )


def _whole(text: str) -> int:
    if not text.strip().isdecimal():
        raise ConfigError(f"A row must be a whole number from 1, got {text.strip()[:40]!r}.")
    return int(text)


def _relabelled(text: str) -> tuple[int, int]:
    row, _, label = text.partition("=")
    if label.strip() not in ("0", "1"):
        raise ConfigError(f"A relabelled row must be ROW=0 or ROW=1, got {text[:40]!r}.")
    return _whole(row), int(label)
