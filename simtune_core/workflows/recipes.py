"""Recipes of pair sets: read from a set, and run again, each step as the job that a page would ask for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field

from simtune_core.candidates.config import CandidatesConfig
from simtune_core.curriculum.augmentation.config import AugmentConfig
from simtune_core.curriculum.config import CurriculumConfig
from simtune_core.curriculum.quality.edits import edit_from_json
from simtune_core.curriculum.recipe import Recipe, recipe_of, require_inputs, with_references
from simtune_core.datasets import canonical_ref, find_dataset, list_versions
from simtune_core.encoders.config import EncodingConfig, Precision
from simtune_core.errors import ConfigError, WorkspaceError
from simtune_core.files import valid_name
from simtune_core.findings import Finding, finding
from simtune_core.jobs.states import JobStatus
from simtune_core.preparing.splitting import SplitConfig
from simtune_core.settings import Settings
from simtune_core.workflows.augmenting import augment_request
from simtune_core.workflows.mining import MineStep
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
    made: list[Made] = []
    findings: list[Finding] = []
    for place, step in enumerate(recipe.steps, start=1):
        earlier = {f"${number}": each.dataset for number, each in enumerate(made, start=1)}
        result = _typed(place, with_references(step, earlier)).again(workspace, name, draw)
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


def _typed(place: int, step: dict[str, Any]) -> _Step:
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

    def again(self, workspace: Workspace, name: str, draw: Draw | None) -> dict[str, Any]:
        counting = candidates_request(
            workspace, self.records, _encoding(self), config=self.candidates, test=self.test, apart=list(self.apart)
        )
        counted, found = run_to_end(workspace, counting, on_update=draw)
        config = self.config.model_dump(mode="json")
        asked = curriculum_request(workspace, counted.id, config, name, new_version=True)
        _, result = run_to_end(workspace, asked, on_update=draw)
        return result | {"findings": [*found["findings"], *result["findings"]]}


class _AugmentStep(Settings):
    """Children of pairs."""

    do: Literal["augment"]
    pairs: str
    encoder: str
    precision: Precision
    config: AugmentConfig
    gives: str | None = None

    def again(self, workspace: Workspace, name: str, draw: Draw | None) -> dict[str, Any]:
        asked = augment_request(
            workspace, self.pairs, self.config, name=name, encodings=[_encoding(self)], new_version=True
        )
        return run_to_end(workspace, asked, on_update=draw)[1]


class _EditStep(Settings):
    """Pairs removed or relabelled by hand."""

    do: Literal["edit"]
    pairs: str
    edits: tuple[dict[str, Any], ...] = Field(min_length=1, description="As `Edit.as_json` gives them.")
    gives: str | None = None

    def again(self, workspace: Workspace, name: str, draw: Draw | None) -> dict[str, Any]:
        edits = [edit_from_json(edit).as_json() for edit in self.edits]
        params = {
            "pairs": canonical_ref(workspace, self.pairs, "pairs"), "edits": edits, "name": name, "new_version": True,
        }  # fmt: skip
        return run_to_end(workspace, Request("edit", params, f"Edit {self.pairs} as {name}"), on_update=draw)[1]


class _SplitStep(Settings):
    """Train, dev and test."""

    do: Literal["split"]
    set: str
    config: SplitConfig
    gives: str | None = None

    def again(self, workspace: Workspace, name: str, draw: Draw | None) -> dict[str, Any]:
        asked = split_request(workspace, self.set, self.config, name=name, replace=True)
        return run_to_end(workspace, asked, on_update=draw)[1]


def _encoding(step: _CurriculumStep | _AugmentStep) -> EncodingConfig:
    return EncodingConfig(encoder=step.encoder, precision=step.precision)


_Step = _CurriculumStep | MineStep | _AugmentStep | _EditStep | _SplitStep
_STEPS: dict[str, type[_Step]] = {
    "curriculum": _CurriculumStep, "mine": MineStep, "augment": _AugmentStep, "edit": _EditStep, "split": _SplitStep,
}  # fmt: skip
