"""The command `curriculum`: pairs in phases from counted candidates, with every setting of the page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from simtune_core import wording
from simtune_core.candidates.config import CandidatesConfig
from simtune_core.commands.options import FailOn, Json, PrecisionName, Where
from simtune_core.commands.running import run_request
from simtune_core.console import progress_bar, reported
from simtune_core.curriculum.config import CurriculumConfig
from simtune_core.encoders.config import EncodingConfig
from simtune_core.workflows import requests, running
from simtune_core.workspace import open_workspace

_ENCODING = EncodingConfig()


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command()(curriculum)


def curriculum(
    records: str,
    name: Annotated[str, typer.Option(help="Name of the pair set to make.")],
    config: Annotated[Path | None, typer.Option(help="YAML or JSON of curriculum settings.")] = None,
    encoder: Annotated[str, typer.Option("--encoder", help="The space of the candidates.")] = "tfidf",
    precision: PrecisionName = _ENCODING.precision,
    fail_on: FailOn = None,
    workspace: Where = None,
    as_json: Json = False,
) -> None:
    """Count all candidate pairs of a record set, then draw a pair set in phases: two jobs, so not to be detached."""
    with reported("curriculum", as_json=as_json, fail_on=fail_on) as report:
        where = open_workspace(workspace)
        settings = CurriculumConfig.from_file(config) if config else CurriculumConfig()
        encoding = EncodingConfig(encoder=encoder, precision=precision)
        counting = requests.candidates_request(where, records, encoding, config=CandidatesConfig())
        with progress_bar(hidden=as_json) as draw:
            counted, found = running.run_to_end(where, counting, on_update=draw)
        report.findings += found.get("findings", [])
        request = requests.curriculum_request(where, counted.id, settings.model_dump(mode="json"), name)
        if result := run_request(where, request, report):
            report.say(wording.curriculum_table(result))
