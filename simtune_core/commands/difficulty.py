"""The command `difficulty`: what the page says of one or two pair sets, before anything is trained."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from simtune_core import wording
from simtune_core.commands.options import Detach, EncoderName, FailOn, Json, PrecisionName, Where
from simtune_core.commands.running import run_request
from simtune_core.console import Report, progress_bar, reported
from simtune_core.difficulty.config import DifficultyConfig
from simtune_core.encoders.config import EncodingConfig
from simtune_core.preferences import preferences_of
from simtune_core.workflows import running
from simtune_core.workflows.reports import difficulty_report, save_report
from simtune_core.workflows.verdicts import Asked, ask_difficulty
from simtune_core.workspace import Workspace, open_workspace

_PRECISION = EncodingConfig().precision
_CUT = DifficultyConfig.model_fields["score_cut"]


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command()(difficulty)


def difficulty(
    dataset: Annotated[str, typer.Argument(metavar="SET")],
    against: Annotated[str | None, typer.Option(help="The pairs to compare with, such as the test split.")] = None,
    encoder: EncoderName = None,
    precision: PrecisionName = _PRECISION,
    score_cut: Annotated[float, typer.Option(help=_CUT.description)] = _CUT.default,
    report_file: Annotated[
        Path | None, typer.Option("--report", help="Write everything as one HTML file that needs nothing else.")
    ] = None,
    numbers_only: Annotated[
        bool, typer.Option("--numbers-only", help="Only the table: no audits, no verdict, no intervals.")
    ] = False,
    detach: Detach = False,
    fail_on: FailOn = None,
    workspace: Where = None,
    as_json: Json = False,
) -> None:
    """Say how hard pairs are in a space, what is wrong with them, and whether training on them can help."""
    if report_file is not None and (detach or numbers_only):
        raise typer.BadParameter("--report needs the whole answer: leave out --detach and --numbers-only")
    with reported("difficulty", as_json=as_json, fail_on=fail_on) as report:
        where = open_workspace(workspace)
        encoding = EncodingConfig(encoder=encoder or preferences_of(where).default_encoder, precision=precision)
        asked = ask_difficulty(where, dataset, against, encoding, score_cut=score_cut)
        if detach:
            _start(where, asked, report, numbers_only=numbers_only)
            return
        measured = run_request(where, asked.difficulty, report)
        if measured is None or numbers_only:
            report.say(*(wording.difficulty_lines(measured) if measured else []))
            return
        mismatch = _follow(where, asked.mismatch, report) if asked.mismatch else None
        preflight = _follow(where, asked.preflight, report)
        verdict = preflight["verdict"]
        report.result |= {
            "mismatch": mismatch, "preflight": preflight, "verdict": verdict["verdict"] if verdict else None,
        }  # fmt: skip
        report.say(*wording.difficulty_lines(measured, mismatch), *wording.preflight_lines(preflight))
        if report_file is not None:
            save_report(report_file, difficulty_report(measured, mismatch, preflight))
            report.say(f"Written: {report_file.name}")


def _follow(workspace: Workspace, request: Any, report: Report) -> dict[str, Any]:
    """Run one more part of the answer; its findings take the place of those of the same code, so that none is twice."""
    report.findings += running.foreseen(workspace, request)
    with progress_bar(hidden=report.as_json) as draw:
        status, result = running.run_to_end(workspace, request, on_update=draw)
    told = {found["code"] for found in result["findings"]}
    report.findings = [found for found in report.findings if found["code"] not in told] + result["findings"]
    return {"job": status.id, **{name: value for name, value in result.items() if name != "findings"}}


def _start(workspace: Workspace, asked: Asked, report: Report, *, numbers_only: bool) -> None:
    wanted = [asked.difficulty] if numbers_only else asked.requests
    jobs = [running.start(workspace, request) for request in wanted]
    report.result = {"job": jobs[0], "jobs": jobs}
    report.say(*jobs)
