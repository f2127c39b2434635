"""The command `mine`: hard pairs by one of three methods, and what a model makes of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from simtune_core.candidates.config import CandidatesConfig
from simtune_core.commands.options import EncoderName, FailOn, Json, PrecisionName, Where
from simtune_core.commands.running import run_request
from simtune_core.console import progress_bar, reported, table
from simtune_core.curriculum.mining.config import CONFIGS, Method
from simtune_core.encoders.config import EncodingConfig
from simtune_core.preferences import preferences_of
from simtune_core.settings import with_overrides
from simtune_core.workflows import mining
from simtune_core.workflows.requests import Request, candidates_request
from simtune_core.workspace import Workspace, open_workspace

_PRECISION = EncodingConfig().precision


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command()(mine)


def mine(
    source: Annotated[str, typer.Argument(metavar="SET", help="Anchored: a pair set. Else: records, or a pair set.")],
    name: Annotated[str, typer.Option(help="Name of the pair set to make.")],
    method: Annotated[Method, typer.Option(help="Negatives near anchors, a model's errors, or across categories.")],
    records: Annotated[str | None, typer.Option(help="Anchored: where negatives come from; default: SET.")] = None,
    encoder: EncoderName = None,
    precision: PrecisionName = _PRECISION,
    baseline: Annotated[str | None, typer.Option(help="The model to be hard for; default: the setting.")] = None,
    test: Annotated[str | None, typer.Option(help="The pairs to compare with; their records are kept out.")] = None,
    apart: Annotated[list[str] | None, typer.Option(help="More pairs whose records are kept out.")] = None,
    veto: Annotated[str | None, typer.Option(help="A second model or cross-encoder that drops negatives.")] = None,
    config: Annotated[Path | None, typer.Option(help="YAML or JSON of the method's settings.")] = None,
    settings: Annotated[list[str] | None, typer.Option("--set", help="key=value of the method's settings.")] = None,
    count: Annotated[list[str] | None, typer.Option(help="key=value of counting: seed, cap, exact_up_to.")] = None,
    new_version: Annotated[
        bool, typer.Option("--new-version", help="Save as the next version of a taken name.")
    ] = False,
    fail_on: FailOn = None,
    workspace: Where = None,
    as_json: Json = False,
) -> None:
    """Mine hard pairs, and say whether they can teach the model anything: its ROC-AUC, class share, warnings."""
    with reported("mine", as_json=as_json, fail_on=fail_on) as report:
        where = open_workspace(workspace)
        kind = CONFIGS[method]
        chosen: Any = with_overrides(kind.from_file(config) if config else kind(), settings or [])
        usual = preferences_of(where).default_encoder
        space = EncodingConfig(encoder=encoder or (usual if method == "anchored" else "tfidf"), precision=precision)
        model = EncodingConfig(encoder=baseline or usual, precision=precision)
        if method == "anchored":
            sources = mining.AnchoredSources(source, records, space, model.encoder, test, tuple(apart or ()), veto)
            request = mining.anchored_request(where, sources, chosen, name, new_version=new_version)
        else:
            kept = [*(apart or []), *([test] if test else [])]
            counting = candidates_request(
                where, source, space, config=with_overrides(CandidatesConfig(), count or []), test=test, apart=kept
            )
            read = _read(where, counting, model, hidden=as_json)
            found = mining.CountedSources(read.candidates, read.readings, veto, precision)
            request = mining.counted_request(where, found, chosen, name, new_version=new_version)
        if result := run_request(where, request, report):
            rows = mining.number_rows(result)
            title = f"{result['dataset']}, cosine of {result['baseline']['title']}"
            report.say(table(list(rows[0]), [list(row.values()) for row in rows], title=title))
            report.say(*_words(result))


def _read(workspace: Workspace, counting: Request, model: EncodingConfig, *, hidden: bool) -> mining.CountedSources:
    with progress_bar(hidden=hidden) as draw:
        return mining.count_and_read(workspace, counting, model, draw)


def _words(result: dict[str, Any]) -> list[str]:
    estimate = result["baseline"]["false_negatives"]
    told = [estimate["words"]] if estimate else []
    return [*told, *(f"{loss['n']:,} left out: {loss['words']}" for loss in result["losses"])]
