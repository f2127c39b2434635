"""`python -m simtune_core ...`: every page action without a browser; `--json` and `--workspace` everywhere.

Parses, calls one workflow, hands its result to console.py; computes nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from simtune_core import wording
from simtune_core.commands import (
    augmenting,
    comparing,
    curriculum,
    describing,
    difficulty,
    importing,
    jobs,
    keeping,
    logs,
    maps,
    mining,
    preparing,
    quality,
    store,
)
from simtune_core.commands.options import Detach, EncoderName, FailOn, Json, PrecisionName, Where
from simtune_core.commands.running import run_request as _run
from simtune_core.console import progress_bar, reported
from simtune_core.encoders.config import EncodingConfig
from simtune_core.evaluation.config import EvaluationConfig
from simtune_core.preferences import preferences_of
from simtune_core.settings import with_overrides
from simtune_core.training.config import TrainingConfig
from simtune_core.workflows import demo, requests
from simtune_core.workspace import Workspace, open_workspace

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Know whether your pairs can teach a sentence-embedding model anything; train it; prove that it is better.",
)

_ENCODING = EncodingConfig()
_EVALUATION = EvaluationConfig()


@app.command()
def embed(
    dataset: Annotated[str, typer.Argument(metavar="SET")],
    encoder: EncoderName = None,
    precision: PrecisionName = _ENCODING.precision,
    detach: Detach = False,
    fail_on: FailOn = None,
    workspace: Where = None,
    as_json: Json = False,
) -> None:
    """Embed every text of a set once; later commands find the vectors in the cache."""
    with reported("embed", as_json=as_json, fail_on=fail_on) as report:
        where = open_workspace(workspace)
        encoding = EncodingConfig(encoder=_or_default(where, encoder), precision=precision)
        if result := _run(where, requests.embed_request(where, dataset, encoding), report, detach=detach):
            report.say(wording.embed_line(result))


@app.command()
def train(
    dataset: Annotated[str, typer.Argument(metavar="SET", help="The training pairs.")],
    dev: Annotated[str, typer.Option(help="The pairs on which epochs and weights are chosen; never the test pairs.")],
    method: Annotated[Literal["head", "lora", "full"] | None, typer.Option(help="Default: head.")] = None,
    base: Annotated[str | None, typer.Option(help="The encoder to start from; default: the setting.")] = None,
    name: Annotated[str | None, typer.Option(help="Name of the model to make.")] = None,
    config: Annotated[Path | None, typer.Option(help="YAML or JSON of training settings.")] = None,
    settings: Annotated[list[str] | None, typer.Option("--set", help="key=value, as often as needed.")] = None,
    detach: Detach = False,
    fail_on: FailOn = None,
    workspace: Where = None,
    as_json: Json = False,
) -> None:
    """Train a head, a LoRA adapter or the whole model, and show what really ran."""
    with reported("train", as_json=as_json, fail_on=fail_on) as report:
        where = open_workspace(workspace)
        chosen = TrainingConfig.from_file(config) if config else TrainingConfig()
        chosen = with_overrides(chosen, [*([f"method={method}"] if method else []), *(settings or [])])
        request = requests.train_request(
            where,
            dataset,
            dev,
            base=_or_default(where, base),
            config=chosen.model_dump(mode="json", exclude_unset=True),
            name=name,
        )
        if result := _run(where, request, report, detach=detach, reuse=False):
            report.say(*wording.train_lines(result))


@app.command()
def diagnose(
    model: str,
    base: Annotated[str | None, typer.Option(help="The base it is expected to have.")] = None,
    detach: Detach = False,
    fail_on: FailOn = None,
    workspace: Where = None,
    as_json: Json = False,
) -> None:
    """Prove that a model's adapter or head is in the forward pass."""
    with reported("diagnose", as_json=as_json, fail_on=fail_on) as report:
        where = open_workspace(workspace)
        request = requests.diagnose_request(where, model, base)
        if result := _run(where, request, report, detach=detach, reuse=False):
            report.say(wording.checks_table(result))


@app.command()
def evaluate(
    dataset: Annotated[str, typer.Argument(metavar="SET", help="The pairs to judge on.")],
    encoders: Annotated[str, typer.Option(help="Names, separated by commas.")],
    baseline: Annotated[
        str | None, typer.Option(help="What the others are compared with; default: the setting.")
    ] = None,
    threshold_from: Annotated[str | None, typer.Option(help="The pairs to choose the threshold on.")] = None,
    precision: PrecisionName = _ENCODING.precision,
    settings: Annotated[list[str] | None, typer.Option("--set", help="key=value of the evaluation settings.")] = None,
    detach: Detach = False,
    fail_on: FailOn = None,
    workspace: Where = None,
    as_json: Json = False,
) -> None:
    """Compare encoders on one pair set, with the interval of each difference and a verdict."""
    with reported("evaluate", as_json=as_json, fail_on=fail_on) as report:
        where = open_workspace(workspace)
        names = [part.strip() for part in encoders.split(",") if part.strip()]
        request = requests.evaluate_request(
            where,
            dataset,
            [_or_default(where, baseline), *names],
            threshold_from=threshold_from,
            precision=precision,
            config=with_overrides(_EVALUATION, settings or []).model_dump(mode="json"),
        )
        if result := _run(where, request, report, detach=detach):
            report.say(*wording.evaluation_lines(result))


@app.command("demo")
def demo_(fail_on: FailOn = None, workspace: Where = None, as_json: Json = False) -> None:
    """Walk the whole path on the bundled sample: difficulty, curriculum, head, LoRA, checks, verdict; many jobs."""
    with reported("demo", as_json=as_json, fail_on=fail_on) as report:
        where = open_workspace(workspace)
        with progress_bar(hidden=as_json) as draw:
            walked = demo.run_demo(where, draw)
        report.findings += walked.findings
        report.result = walked.as_json()
        report.say(wording.difficulty_table(walked.difficulty), *wording.curriculum_lines(walked.curriculum))
        report.say(*(wording.checks_table(checks) for checks in walked.checks))
        report.say(*wording.evaluation_lines(walked.evaluation), walked.verdict)


augmenting.add_to(app)
comparing.add_to(app)
curriculum.add_to(app)
describing.add_to(app)
difficulty.add_to(app)
importing.add_to(app)
jobs.add_to(app)
logs.add_to(app)
maps.add_to(app)
mining.add_to(app)
keeping.add_to(app)
preparing.add_to(app)
quality.add_to(app)
app.add_typer(store.app, name="store")


def main() -> None:
    """Run the command line."""
    app()


def _or_default(workspace: Workspace, encoder: str | None) -> str:
    """Return the encoder asked for, else the one that the workspace's settings name."""
    return encoder or preferences_of(workspace).default_encoder
