"""The command that makes children of a pair set and tells how the set drifted by it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from simtune_core.commands.options import Detach, FailOn, Json, PrecisionName, Where
from simtune_core.commands.running import run_request
from simtune_core.console import reported, table
from simtune_core.encoders.config import EncodingConfig
from simtune_core.settings import with_overrides
from simtune_core.workflows import augmenting
from simtune_core.workspace import open_workspace

_ENCODING = EncodingConfig()
_KNOWN = ", ".join(augmenting.AugmentConfig.model_fields)


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(augment)


def augment(
    dataset: Annotated[str, typer.Argument(metavar="SET", help="The pairs that get children.")],
    name: Annotated[str, typer.Option(help="Name of the set to make: parents and children.")],
    config: Annotated[Path | None, typer.Option(help="YAML or JSON of augmentation settings.")] = None,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", help=f"One setting as name=value; of {_KNOWN}.")
    ] = None,
    encoder: Annotated[
        str | None,
        typer.Option("--encoder", help="The space of the drift report; default: the one the set was cut in."),
    ] = None,
    baseline: Annotated[str | None, typer.Option(help="A second encoder whose ROC-AUC is reported.")] = None,
    precision: PrecisionName = _ENCODING.precision,
    new_version: Annotated[bool, typer.Option("--new-version", help="Save as the next version of NAME.")] = False,
    detach: Detach = False,
    fail_on: FailOn = None,
    workspace: Where = None,
    as_json: Json = False,
) -> None:
    """Make changed copies of pairs, linked to their parents, and report how the set drifted by them."""
    with reported("augment", as_json=as_json, fail_on=fail_on) as report:
        where = open_workspace(workspace)
        start = augmenting.AugmentConfig.from_file(config) if config else augmenting.AugmentConfig()
        names = [encoder or augmenting.space_behind(where, dataset), *([baseline] if baseline else [])]
        request = augmenting.augment_request(
            where,
            dataset,
            with_overrides(start, overrides or []),
            name=name,
            encodings=[EncodingConfig(encoder=each, precision=precision) for each in names],
            new_version=new_version,
        )
        if result := run_request(where, request, report, detach=detach):
            rows = augmenting.drift_rows(result)
            report.say(
                f"{result['dataset']}: {result['n_pairs']:,} pairs, {result['n_children']:,} of them children of "
                f"{result['n_parents']:,}.",
                table(list(rows[0]), [list(row.values()) for row in rows], title=f"{result['title']} cosine"),
            )
