"""The commands `curriculum` and `recipe`: pairs in phases with every setting of the page, and how they were made."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from simtune_core import wording
from simtune_core.candidates.config import CandidatesConfig
from simtune_core.commands.options import FailOn, Json, PrecisionName, Where
from simtune_core.commands.running import run_request
from simtune_core.console import Report, progress_bar, reported
from simtune_core.curriculum.config import CurriculumConfig
from simtune_core.curriculum.presets import PresetName
from simtune_core.encoders.config import EncodingConfig
from simtune_core.settings import with_overrides
from simtune_core.workflows import curricula, cutting, recipes, requests, running
from simtune_core.workspace import Workspace, open_workspace

_ENCODING = EncodingConfig()
_SETTING = "key=value of the settings; of phases: key=value for all, phase.key=value for one. As often as needed."


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command()(curriculum)
    app.command()(recipe)


def curriculum(
    records: Annotated[
        str | None, typer.Argument(help="Records, or a pair set whose own pairs are drawn from.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name of the pair set to make.")] = None,
    config: Annotated[Path | None, typer.Option(help="YAML or JSON of curriculum settings.")] = None,
    preset: Annotated[PresetName | None, typer.Option(help="The phases; default: cumulative, or the file's.")] = None,
    settings: Annotated[list[str] | None, typer.Option("--set", help=_SETTING)] = None,
    encoder: Annotated[str, typer.Option("--encoder", help="The space of the candidates.")] = "tfidf",
    precision: PrecisionName = _ENCODING.precision,
    test: Annotated[str | None, typer.Option(help="The pairs to resemble; their records are kept out.")] = None,
    apart: Annotated[
        list[str] | None, typer.Option(help="Pairs whose records and near-duplicates are kept out; default: --test.")
    ] = None,
    count: Annotated[list[str] | None, typer.Option(help="key=value of counting: seed, cap, exact_up_to.")] = None,
    new_version: Annotated[
        bool, typer.Option("--new-version", help="Save as the next version of a taken name.")
    ] = False,
    plan_only: Annotated[bool, typer.Option("--plan", help="Say what each phase will hold, and draw nothing.")] = False,
    recipe_file: Annotated[
        Path | None, typer.Option("--recipe", help="Run the steps of a recipe instead; needs --name alone.")
    ] = None,
    fail_on: FailOn = None,
    workspace: Where = None,
    as_json: Json = False,
) -> None:
    """Count all candidate pairs of a record set, then draw a pair set in phases: two jobs, so not to be detached."""
    if recipe_file is not None:
        _require_alone(records, config, preset, settings, test, apart, count, plan_only, new_version)
    elif records is None:
        raise typer.BadParameter("name the records to draw pairs from, or a --recipe to run")
    if name is None and not plan_only:
        raise typer.BadParameter("--name is missing: what the pair set is to be called")
    with reported("curriculum", as_json=as_json, fail_on=fail_on) as report:
        where = open_workspace(workspace)
        if recipe_file is not None:
            _run_recipe(where, recipe_file, name or "", report)
            return
        given = CurriculumConfig.from_file(config) if config else None
        counting = requests.candidates_request(
            where,
            records or "",
            EncodingConfig(encoder=encoder, precision=precision),
            config=with_overrides(CandidatesConfig(), count or []),
            test=test,
            apart=apart,
        )
        with progress_bar(hidden=as_json) as draw:
            counted, found = running.run_to_end(where, counting, on_update=draw)
        report.findings += found.get("findings", [])
        pool = curricula.load_pool(where, counted.id)
        chosen = cutting.settings_for(pool, given, preset, settings or [])
        if plan_only:
            _say_plan(pool, chosen, report)
            report.result["candidates"] = counted.id
            return
        request = requests.curriculum_request(
            where, counted.id, chosen.model_dump(mode="json"), name or "", new_version=new_version
        )
        if result := run_request(where, request, report):
            report.say(*wording.curriculum_lines(result))


def recipe(
    dataset: Annotated[str, typer.Argument(metavar="SET", help="A pair set that was made here.")],
    workspace: Where = None,
    as_json: Json = False,
) -> None:
    """Print every step from the imported data to a pair set as YAML; `curriculum --recipe` runs it again."""
    with reported("recipe", as_json=as_json) as report:
        found = recipes.recipe_of(open_workspace(workspace), dataset)
        report.result = {"recipe": found.model_dump(mode="json"), "yaml": found.to_yaml()}
        report.say(found.to_yaml().rstrip("\n"))


def _say_plan(pool: curricula.Pool, config: CurriculumConfig, report: Report) -> None:
    made = pool.plan(config)
    report.result = {**cutting.plan_json(made), "config": config.model_dump(mode="json")}
    report.findings += cutting.plan_findings(made)
    report.say(wording.plan_table(curricula.plan_rows(pool, made), made), curricula.table_words(pool), made.rule.words)


def _run_recipe(workspace: Workspace, file: Path, name: str, report: Report) -> None:
    asked = recipes.Recipe.from_file(file)
    with progress_bar(hidden=report.as_json) as draw:
        run = recipes.run_recipe(workspace, asked, name, draw)
    report.findings += run.findings
    report.result = {"dataset": run.dataset, "steps": [asdict(made) for made in run.made]}
    report.say(wording.recipe_table(run))


def _require_alone(*others: object) -> None:
    if any(others):
        raise typer.BadParameter("--recipe holds every setting; give --name alone beside it")
