"""The commands that divide a dataset, write it to a file, and take vectors or scores made elsewhere as an encoder."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

import typer

from simtune_core.commands.options import Detach, FailOn, Json, Where
from simtune_core.commands.running import run_request
from simtune_core.console import reported, table
from simtune_core.curriculum.formats import FormatConfig, OutputFormat
from simtune_core.preparing.splitting import SplitConfig
from simtune_core.settings import with_overrides
from simtune_core.workflows import preparing
from simtune_core.workspace import open_workspace

_SPLIT = SplitConfig()
_HELP = {name: field.description for name, field in SplitConfig.model_fields.items()}


def add_to(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command()(split)
    app.command()(export)
    app.command("import-encoder")(import_encoder)


def split(
    dataset: Annotated[str, typer.Argument(metavar="SET", help="A whole dataset.")],
    name: Annotated[str | None, typer.Option(help="The dataset to make; default: a new version of this one.")] = None,
    train: Annotated[float, typer.Option(help=_HELP["train"])] = _SPLIT.train,
    dev: Annotated[float, typer.Option(help=_HELP["dev"])] = _SPLIT.dev,
    test: Annotated[float, typer.Option(help=_HELP["test"])] = _SPLIT.test,
    by: Annotated[Literal["components", "time"], typer.Option(help=_HELP["by"])] = _SPLIT.by,
    stratify: Annotated[bool, typer.Option(help=_HELP["stratify"])] = _SPLIT.stratify,
    near_duplicates: Annotated[bool, typer.Option(help=_HELP["near_duplicates"])] = _SPLIT.near_duplicates,
    threshold: Annotated[float, typer.Option(help=_HELP["threshold"])] = _SPLIT.threshold,
    seed: Annotated[int, typer.Option(help=_HELP["seed"])] = _SPLIT.seed,
    replace: Annotated[bool, typer.Option("--replace", help="Replace the splits that are there.")] = False,
    detach: Detach = False,
    fail_on: FailOn = None,
    workspace: Where = None,
    as_json: Json = False,
) -> None:
    """Divide a dataset into train, dev and test so that no record and no text is in two of them."""
    with reported("split", as_json=as_json, fail_on=fail_on) as report:
        where = open_workspace(workspace)
        config = SplitConfig(
            train=train, dev=dev, test=test, by=by, stratify=stratify, near_duplicates=near_duplicates,
            threshold=threshold, seed=seed,
        )  # fmt: skip
        request = preparing.split_request(where, dataset, config, name=name, replace=replace)
        if result := run_request(where, request, report, detach=detach):
            rows = preparing.split_rows(result["report"])
            report.say(table(list(rows[0]), [list(row.values()) for row in rows], title=result["dataset"]))
            report.say(preparing.largest_component(result["report"]))


def export(
    dataset: Annotated[str, typer.Argument(metavar="SET", help="A dataset, or one of its splits.")],
    to: Annotated[Path, typer.Option(help="A file that ends in .csv, .parquet or .jsonl, or a folder.")],
    form: Annotated[
        preparing.ExportFormat | None,
        typer.Option("--format", help="Default: by the ending; a folder: huggingface."),
    ] = None,
    rows: Annotated[
        OutputFormat | None, typer.Option("--as", help="Pairs as a loss takes them. Default: as they are stored.")
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="key=value of --as, such as num_negatives=3.")
    ] = None,
    workspace: Where = None,
    as_json: Json = False,
) -> None:
    """Write a dataset for other programs; nothing is overwritten. A CSV marks what spreadsheets would run."""
    if settings and rows is None:
        raise typer.BadParameter("--set belongs to --as: say which rows a loss takes")
    with reported("export", as_json=as_json) as report:
        asked = with_overrides(FormatConfig(output_format=rows), settings or []) if rows else None
        made = preparing.export(open_workspace(workspace), dataset, to, form=form, rows=asked)
        report.result = {
            "file": str(made.path), "format": made.format, "n_rows": made.n_rows, "n_marked": made.n_marked,
            "rows": asked.model_dump(mode="json") if asked else None,
            "left_out": [asdict(left) for left in made.left_out], "notes": list(made.notes),
        }  # fmt: skip
        report.say(f"{made.path}: {made.n_rows:,} rows as {made.format}.", *made.notes)
        report.say(*(f"Left out, {left.n:,}: {left.words}" for left in made.left_out))
        if made.n_marked:
            report.say(
                f"{made.n_marked:,} texts that a spreadsheet would run as a formula got an apostrophe in front; "
                "parquet and jsonl hold every text exactly."
            )


def import_encoder(
    file: Annotated[str, typer.Argument(help="Vectors: .parquet, .npz, .safetensors. Scores: any table of pairs.")],
    name: Annotated[str, typer.Option(help="Name of the encoder to make.")],
    vectors: Annotated[str | None, typer.Option(help="Column or array of vectors; default: the only one.")] = None,
    text: Annotated[str | None, typer.Option(help="Column or array of texts; default: guessed.")] = None,
    ids: Annotated[str | None, typer.Option("--id", help="Column or array of record ids in place of texts.")] = None,
    records: Annotated[str | None, typer.Option("--set", help="The dataset whose records have the ids.")] = None,
    scores: Annotated[str | None, typer.Option(help="A column of scores of pairs, in place of vectors.")] = None,
    columns: Annotated[str, typer.Option(help="sentence1=column,sentence2=column where the guess is wrong.")] = "",
    detach: Detach = False,
    fail_on: FailOn = None,
    workspace: Where = None,
    as_json: Json = False,
) -> None:
    """Take vectors of texts, or scores of pairs, that were computed elsewhere as an encoder of their own."""
    with reported("import-encoder", as_json=as_json, fail_on=fail_on) as report:
        where = open_workspace(workspace)
        sides = dict(part.split("=", 1) for part in columns.split(",") if "=" in part)
        told = {"vectors": vectors, "text": text, "id": ids, "scores": scores, **sides}
        roles = {role.strip(): column.strip() for role, column in told.items() if column}
        source = preparing.anywhere(file)
        request = preparing.import_encoder_request(where, source, name, columns=roles, dataset=records)
        if result := run_request(where, request, report, detach=detach):
            report.say(preparing.encoder_line(result))
