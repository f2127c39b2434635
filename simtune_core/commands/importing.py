"""The command that brings a file, a folder or a hub data set of records or pairs into the workspace."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from simtune_core import wording
from simtune_core.commands.options import Detach, FailOn, Json, Where
from simtune_core.commands.running import run_request
from simtune_core.console import Report, reported
from simtune_core.datasets import DatasetVersion
from simtune_core.errors import DataFaultError
from simtune_core.importing.options import ImportOptions
from simtune_core.workflows import data, importing
from simtune_core.workflows.requests import Request
from simtune_core.workspace import Workspace, open_workspace

_FAULTS_SHOWN = 20  # for a person; --json lists all that are kept
_CHOICES = ImportOptions.model_fields
_READING = type(ImportOptions().reading).model_fields


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("import")(import_)


def import_(
    file: Annotated[str | None, typer.Argument(help="A file, a folder or a hub data set OWNER/NAME.")] = None,
    name: Annotated[str | None, typer.Option(help="Name of the dataset; default the file's.")] = None,
    kind: Annotated[Literal["records", "pairs"] | None, typer.Option("--as", help="Default: guessed.")] = None,
    columns: Annotated[
        str, typer.Option(help="role=column,... where the guess is wrong; a text may be column+column.")
    ] = "",
    label: Annotated[str, typer.Option(help="value=1,... - what the labels mean where they are not 0 and 1.")] = "",
    score_range: Annotated[str, typer.Option(help="LOW:HIGH, the scale of the scores, such as 0:5.")] = "",
    mask: Annotated[str, typer.Option(help="email,phone,ip,url,user: personal data to be masked.")] = "",
    repair_mojibake: Annotated[
        bool, typer.Option("--repair-mojibake", help=_CHOICES["repair_mojibake"].description)
    ] = False,
    unmark_formulas: Annotated[
        bool, typer.Option("--unmark-formulas", help=_CHOICES["unmark_formulas"].description)
    ] = False,
    day_first: Annotated[
        bool | None, typer.Option("--day-first/--month-first", help=_CHOICES["day_first"].description)
    ] = None,
    duplicates: Annotated[
        Literal["stop", "keep-first"] | None, typer.Option(help=_CHOICES["on_duplicate_id"].description)
    ] = None,
    weak_labels: Annotated[
        bool | None, typer.Option("--weak-labels/--own-labels", help=_CHOICES["weak_labels"].description)
    ] = None,
    labels_from: Annotated[str | None, typer.Option(help=_CHOICES["labels_from"].description)] = None,
    encoding: Annotated[str | None, typer.Option(help=_READING["encoding"].description)] = None,
    delimiter: Annotated[str | None, typer.Option(help=_READING["delimiter"].description)] = None,
    quotes: Annotated[str | None, typer.Option(help=_READING["quotes"].description)] = None,
    sheet: Annotated[str | None, typer.Option(help=_READING["sheet"].description)] = None,
    options: Annotated[Path | None, typer.Option(help="YAML or JSON of import options.")] = None,
    drop_faulty: Annotated[bool, typer.Option("--drop-faulty", help=_CHOICES["drop_faulty"].description)] = False,
    new_version: Annotated[bool, typer.Option("--new-version", help="Add a version to a taken name.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be imported, and save nothing.")] = False,
    sample: Annotated[bool, typer.Option("--sample", help="Load the bundled sample instead of a file.")] = False,
    if_empty: Annotated[bool, typer.Option("--if-empty", help="Only into a workspace without datasets.")] = False,
    detach: Detach = False,
    fail_on: FailOn = None,
    workspace: Where = None,
    as_json: Json = False,
) -> None:
    """Bring records or pairs, or the bundled sample, into the workspace; a large file is read by a job."""
    if sample == (file is not None):
        raise typer.BadParameter("give either a FILE or --sample")
    with reported("import", as_json=as_json, fail_on=fail_on) as report:
        where = open_workspace(workspace)
        if if_empty and data.list_datasets(where):
            report.say("The workspace has datasets already; nothing was imported.")
            report.result = {"datasets": []}
            return
        if file is None:
            _say_datasets(report, data.load_sample(where))
            return
        told = _told(
            options, label=label, score_range=score_range, mask=mask, duplicates=duplicates, day_first=day_first,
            repair_mojibake=repair_mojibake or None, unmark_formulas=unmark_formulas or None,
            drop_faulty=drop_faulty or None, weak_labels=weak_labels, labels_from=labels_from,
            reading={"encoding": encoding, "delimiter": delimiter, "quotes": quotes, "sheet": sheet},
        )  # fmt: skip
        source = importing.anywhere(file)
        checked = importing.draft_source(source, kind=kind, columns=columns, choices=told)
        chosen = name or importing.dataset_name(source.name)
        how = {"new_version": new_version, "dry_run": dry_run}
        if source.large:
            request = importing.import_request(where, source, checked.options, chosen, **how)
            _by_job(report, where, request, detach=detach)
        else:
            _at_once(report, where, chosen, source, checked, **how)


def _told(options: Path | None, *, reading: dict[str, Any], **said: Any) -> dict[str, Any]:
    """Return the choices that were made, those of the command line before those of the file."""
    told: dict[str, Any] = {}
    if options is not None:
        told = ImportOptions.from_file(options).model_dump(mode="json", exclude_unset=True)
    if said["label"]:
        told["labels"] = importing.parse_labels(said["label"])
    if said["score_range"]:
        told["score_range"] = importing.parse_range(said["score_range"])
    if said["mask"]:
        told["mask"] = [part.strip() for part in said["mask"].split(",") if part.strip()]
    if said["duplicates"]:
        told["on_duplicate_id"] = said["duplicates"].replace("-", "_")
    plain = ("day_first", "repair_mojibake", "unmark_formulas", "drop_faulty", "weak_labels", "labels_from")
    told |= {key: said[key] for key in plain if said[key] is not None}
    asked = {key: value for key, value in reading.items() if value is not None}
    if asked:
        told["reading"] = {**told.get("reading", {}), **asked}
    return told


def _at_once(
    report: Report,
    workspace: Workspace,
    name: str,
    source: importing.ImportSource,
    checked: importing.Draft,
    *,
    new_version: bool,
    dry_run: bool,
) -> None:
    """Save a small source, or say what would be saved."""
    drop = checked.options.drop_faulty
    report.findings += checked.findings(drop_faulty=drop) + importing.languages_found(workspace, checked)
    if dry_run:
        _say_draft(report, checked.as_json())
        return
    if not drop:
        _list_faults(report, checked.as_json())
    since = time.time()
    saved = importing.save_draft(workspace, name, checked, source=source, new_version=new_version)
    _say_datasets(report, [saved], {**checked.as_json(), "existed": importing.was_there(saved, since)})


def _by_job(report: Report, workspace: Workspace, request: Request, *, detach: bool) -> None:
    """Let a job import a large source, and say what came of it."""
    result = run_request(workspace, request, report, detach=detach, reuse=False)
    if result is None:
        return
    if request.params["dry_run"]:
        _say_draft(report, result)
        return
    if result["dataset"] is None:
        _list_faults(report, result)
        raise DataFaultError(importing.refusal(result))
    made = [each for each in data.list_datasets(workspace) if each.ref == result["dataset"]]
    _say_datasets(report, made)


def _list_faults(report: Report, told: dict[str, Any]) -> None:
    """Put the faults among the findings, each with its row and column."""
    faults = importing.faults_of(told)
    for fault in faults if report.as_json else faults[:_FAULTS_SHOWN]:
        place = {"row": fault.row, "column": fault.column}
        report.findings.append({"code": "fault", "severity": "error", "message": fault.sentence, **place})


def _say_draft(report: Report, told: dict[str, Any]) -> None:
    """Say what would be imported."""
    report.result |= told
    _list_faults(report, told)
    left_out = told["n_faulty_rows"] + told["n_repeated"]
    report.say(
        f"{told['n_whole']:,} {told['kind']} of {told['n_rows']:,} rows can be imported"
        + (f"; {left_out:,} rows cannot" if left_out else "")
        + ". Nothing was saved (--dry-run)."
    )


def _say_datasets(report: Report, made: list[DatasetVersion], told: dict[str, Any] | None = None) -> None:
    report.result |= {"datasets": [{"ref": each.ref, **each.manifest} for each in made], **(told or {})}
    report.say(*(wording.dataset_line(each) for each in made))
    if report.result.get("existed"):
        report.say("The workspace held exactly this already; nothing was written.")
