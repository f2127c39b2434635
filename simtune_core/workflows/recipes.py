"""Recipes of pair sets: read from a set, and run again, each step as the job that a page would ask for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from simtune_core.candidates.config import CandidatesConfig
from simtune_core.curriculum.augmentation.config import AugmentConfig
from simtune_core.curriculum.config import CurriculumConfig
from simtune_core.curriculum.recipe import Recipe, recipe_of, require_inputs, with_references
from simtune_core.datasets import find_dataset, list_versions
from simtune_core.encoders.config import EncodingConfig, Precision
from simtune_core.errors import ConfigError, WorkspaceError
from simtune_core.files import valid_name
from simtune_core.findings import Finding, finding
from simtune_core.jobs.states import JobStatus
from simtune_core.preparing.splitting import SplitConfig
from simtune_core.settings import Settings
from simtune_core.workflows.augmenting import augment_request
from simtune_core.workflows.preparing import split_request
from simtune_core.workflows.requests import Request, candidates_request, curriculum_request
from simtune_core.workflows.running import run_to_end
from simtune_core.workspace import Workspace

__all__ = ["Made", "Recipe", "RecipeRun", "recipe_of", "recipe_text", "run_recipe"]

Draw = Callable[[JobStatus], None]


@dataclass(frozen=True, slots=True)
class Made:
    """What one step made.

    Attributes:
        do: The step.
        dataset: The version.
        n_pairs: Its pairs.
        as_told: Whether its content is the one that the recipe tells.
    """

    do: str
    dataset: str
    n_pairs: int
    as_told: bool


@dataclass(frozen=True, slots=True)
class RecipeRun:
    """What came of a recipe.

    Attributes:
        made: The versions, in the order of the steps; the last one is the set.
        findings: Of every step, and of the recipe itself.
    """

    made: tuple[Made, ...]
    findings: list[dict[str, Any]]

    @property
    def dataset(self) -> str:
        """Return the version that the whole recipe makes."""
        return self.made[-1].dataset


@dataclass(frozen=True, slots=True)
class _Bench:
    """Where a step is run, and under which name its set is saved."""

    workspace: Workspace
    name: str
    draw: Draw | None

    def run(self, request: Request) -> dict[str, Any]:
        return run_to_end(self.workspace, request, on_update=self.draw)[1]


def recipe_text(workspace: Workspace, ref: str) -> str:
    """Return the recipe of a pair set as YAML; see `recipe_of`."""
    return recipe_of(workspace, ref).to_yaml()


def run_recipe(workspace: Workspace, recipe: Recipe, name: str, draw: Draw | None = None) -> RecipeRun:
    """Run every step of a recipe; each saves a version of one dataset, and a version that is there is not saved again.

    Args:
        workspace: Where its inputs are.
        recipe: What to do.
        name: The dataset to make: one that is not there, or one that holds nothing but what this recipe made.
        draw: Called with the status of the job that runs.

    Raises:
        SimtuneError: Before anything runs, if an input or an encoder is not there or is another one, a step or a
            setting is unknown, or the name is taken; later, if a step fails.
    """
    for place, step in enumerate(recipe.steps, start=1):
        _typed(place, step)
    require_inputs(workspace, recipe)
    _require_name(workspace, recipe, name)
    bench = _Bench(workspace, name, draw)
    made: list[Made] = []
    findings: list[Finding] = []
    for place, step in enumerate(recipe.steps, start=1):
        earlier = {f"${number}": each.dataset for number, each in enumerate(made, start=1)}
        result = _typed(place, with_references(step, earlier)).run(bench)
        version, _ = find_dataset(workspace, result["dataset"])
        made.append(Made(step["do"], version.ref, version.n_rows, version.content_id == step.get("gives")))
        findings += result["findings"]
        if step.get("gives") and not made[-1].as_told:
            message = (
                f"Step {place} ({step['do']}) gave other pairs than when the recipe was written: {version.ref}. "
                "Programs, libraries or the precision of the hardware differ."
            )
            findings.append(finding("recipe_differs", "warning", message))
    return RecipeRun(tuple(made), findings)


def _typed(place: int, step: dict[str, Any]) -> Any:
    """Return a step as what it is; refuse one that is unknown, lacks something or has a setting out of bounds."""
    known = _STEPS.get(step["do"])
    if known is None:
        raise ConfigError(f"Step {place} must do one of {', '.join(_STEPS)}; got {step['do']!r}.")
    try:
        return known(**step)
    except ConfigError as error:
        raise ConfigError(f"Step {place} ({step['do']}) cannot be run: {error}") from error


def _require_name(workspace: Workspace, recipe: Recipe, name: str) -> None:
    told = {step.get("gives") for step in recipe.steps}
    others = [
        version
        for version in list_versions(workspace, valid_name(name, "dataset name"))
        if version.content_id not in told
    ]
    if others:
        raise WorkspaceError(
            f"The name {name!r} is taken by {others[-1].ref}, which is no step of this recipe; choose another name."
        )


class _CurriculumStep(Settings):
    """Phases drawn from counted candidates."""

    do: Literal["curriculum"]
    records: str
    encoder: str
    precision: Precision
    test: str | None = None
    apart: tuple[str, ...] = ()
    candidates: CandidatesConfig
    config: CurriculumConfig
    gives: str | None = None

    def run(self, bench: _Bench) -> dict[str, Any]:
        encoding = EncodingConfig(encoder=self.encoder, precision=self.precision)
        counting = candidates_request(
            bench.workspace, self.records, encoding, config=self.candidates, test=self.test, apart=list(self.apart)
        )
        counted, found = run_to_end(bench.workspace, counting, on_update=bench.draw)
        config = self.config.model_dump(mode="json")
        result = bench.run(curriculum_request(bench.workspace, counted.id, config, bench.name, new_version=True))
        return result | {"findings": [*found["findings"], *result["findings"]]}


class _AugmentStep(Settings):
    """Children of pairs."""

    do: Literal["augment"]
    pairs: str
    encoder: str
    precision: Precision
    config: AugmentConfig
    gives: str | None = None

    def run(self, bench: _Bench) -> dict[str, Any]:
        encoding = EncodingConfig(encoder=self.encoder, precision=self.precision)
        asked = augment_request(
            bench.workspace, self.pairs, self.config, name=bench.name, encodings=[encoding], new_version=True
        )
        return bench.run(asked)


class _SplitStep(Settings):
    """Train, dev and test."""

    do: Literal["split"]
    set: str
    config: SplitConfig
    gives: str | None = None

    def run(self, bench: _Bench) -> dict[str, Any]:
        return bench.run(split_request(bench.workspace, self.set, self.config, name=bench.name, replace=True))


_STEPS: dict[str, type[_CurriculumStep] | type[_AugmentStep] | type[_SplitStep]] = {
    "curriculum": _CurriculumStep,
    "augment": _AugmentStep,
    "split": _SplitStep,
}
