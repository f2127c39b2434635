"""How a pair set was made, step by step, back to what was imported: enough to make the very same set again.

Read from the manifests of the set and of those it was made of; runs nothing (workflows/recipes.py does).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Literal, Self

import yaml
from pydantic import Field, model_validator

from simtune_core.datasets import DatasetKind, DatasetVersion, find_dataset
from simtune_core.encoders.catalogue import resolve_encoder
from simtune_core.errors import DataFaultError, EncoderError, SimtuneError, WorkspaceError
from simtune_core.files import read_json
from simtune_core.jobs.states import SPEC
from simtune_core.preparing.splitting_job import MADE_BY as SPLIT
from simtune_core.settings import Settings
from simtune_core.workspace import Workspace

_REF = re.compile(r"[^@:$]+@v\d{4,}(:[^@:]+)?")
_EARLIER = re.compile(r"\$(?P<step>\d+)(?P<split>:[^@:]+)?")  # what an earlier step of the recipe made
_ENCODER_KEYS = ("encoder", "encoders", "model", "baseline", "veto")


class Source(Settings):
    """A dataset that has to be there before anything runs."""

    ref: str = Field(min_length=1, description="Its reference, such as tickets@v0001.")
    kind: DatasetKind = Field("records", description="Whether it holds records or pairs.")
    content_id: str = Field(min_length=1, description="sha256 of its content.")


class Pin(Settings):
    """An encoder that a step computes with."""

    name: str = Field(min_length=1, description="Its name in the workspace.")
    fingerprint: str | None = Field(None, description="Hash of its weights and settings; null where nobody kept it.")


class Recipe(Settings):
    """The steps that make a pair set; `$1` in a step is what the first step made, `$1:train` a split of it."""

    recipe: Literal[1] = Field(1, description="The form of this file.")
    makes: str = Field(min_length=1, description="The set that it tells of.")
    inputs: tuple[Source, ...] = Field(min_length=1, description="What has to be there.")
    encoders: tuple[Pin, ...] = Field((), description="What the steps compute with.")
    steps: tuple[dict[str, Any], ...] = Field(
        min_length=1,
        description="In order: do (the kind of step), its inputs and settings, gives (sha256 of what it made).",
    )

    @model_validator(mode="after")
    def _steps_hang_together(self) -> Self:
        known = {source.ref for source in self.inputs}
        for place, step in enumerate(self.steps, start=1):
            if not isinstance(step.get("do"), str):
                raise ValueError(f"step {place} must tell what to do, such as 'do: curriculum', got {sorted(step)}")
            for told in references_in(step):
                earlier = _EARLIER.fullmatch(told)
                if earlier and not 1 <= int(earlier["step"]) < place:
                    raise ValueError(f"step {place} must rest on earlier steps, got {told}")
                if not earlier and told.partition(":")[0] not in known:
                    raise ValueError(f"step {place} must rest on what the inputs list, got {told}")
        return self

    def to_yaml(self) -> str:
        """Return the recipe as a file that says what it is and how to run it; `Recipe.from_text` reads it back."""
        body = yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True, width=100)
        return f"{_HEAD.format(makes=self.makes, steps=', '.join(step['do'] for step in self.steps))}{body}"


_HEAD = """\
# How {makes} was made: {steps}. Written by simtune.
# The same inputs, encoders and seeds give the same bytes. With the inputs under the same names:
#   python -m simtune_core curriculum --recipe THIS_FILE --name NEW_NAME
"""


@dataclass(slots=True)
class _Walk:
    """What has been found on the way back from a set."""

    workspace: Workspace
    steps: list[dict[str, Any]] = field(default_factory=list)
    made: dict[str, int] = field(default_factory=dict)  # version -> its step, counted from 1
    inputs: dict[str, Source] = field(default_factory=dict)
    pins: dict[str, str | None] = field(default_factory=dict)
    under_way: set[str] = field(default_factory=set)


def recipe_of(workspace: Workspace, ref: str) -> Recipe:
    """Return the steps that made a pair set; of a split, those that made the whole set.

    Raises:
        DataFaultError: If the set was not made here, so that there is no step.
        WorkspaceError: If the set, or one that it was made of, is not there any more.
    """
    version, _ = find_dataset(workspace, ref, kind="pairs")
    if step_of(version) is None:
        raise DataFaultError(
            f"{version.ref} was not made by a step of this workbench (made by: "
            f"{version.manifest['provenance'].get('made_by', 'unknown')}), so there is no recipe; it is its own source."
        )
    walk = _Walk(workspace)
    _visit(walk, version)
    return Recipe(
        makes=version.ref,
        inputs=tuple(walk.inputs.values()),
        encoders=tuple(Pin(name=name, fingerprint=print_) for name, print_ in sorted(walk.pins.items())),
        steps=tuple(walk.steps),
    )


def step_of(version: DatasetVersion) -> dict[str, Any] | None:
    """Return the step that made a version, as its manifest tells it; None for what was imported or cannot be told."""
    provenance = version.manifest["provenance"]
    step = provenance.get("step")
    if isinstance(step, dict) and isinstance(step.get("do"), str):
        return dict(step)
    if provenance.get("made_by") == SPLIT and version.kind == "pairs":
        return {"do": SPLIT, "set": provenance["made_from"], "config": provenance["config"]}
    return None


def references_in(step: dict[str, Any]) -> list[str]:
    """Return the datasets and earlier steps that a step names, at its top level."""
    return [told for value in step.values() for told in _texts(value) if _REF.fullmatch(told) or _EARLIER.match(told)]


def with_references(step: dict[str, Any], known: dict[str, str]) -> dict[str, Any]:
    """Return a step with the versions or earlier steps that it names exchanged; splits are kept.

    Args:
        step: The step.
        known: By name as it stands there, without its split, the name to put.
    """
    return {name: _exchanged(value, known) for name, value in step.items()}


def require_inputs(workspace: Workspace, recipe: Recipe) -> None:
    """Make sure that everything a recipe rests on is there, with the very content and weights.

    Raises:
        WorkspaceError: If an input is not there or has other content.
        EncoderError: If an encoder is not there or has another fingerprint.
    """
    for source in recipe.inputs:
        try:
            version, _ = find_dataset(workspace, source.ref, kind=source.kind)
        except WorkspaceError as error:
            raise WorkspaceError(f"The recipe of {recipe.makes} needs {source.ref}: {error}") from error
        if version.content_id != source.content_id:
            raise WorkspaceError(
                f"The recipe of {recipe.makes} needs {source.ref} with the content {source.content_id[:8]}, and "
                f"{version.ref} here has {version.content_id[:8]}; import the data that it was made of."
            )
    for pin in recipe.encoders:
        found = resolve_encoder(workspace, pin.name).fingerprint
        if pin.fingerprint is not None and found != pin.fingerprint:
            raise EncoderError(
                f"The recipe of {recipe.makes} needs the encoder {pin.name} with the fingerprint "
                f"{pin.fingerprint[:12]}, and it has {found[:12]} here; its weights or settings are others."
            )


def _visit(walk: _Walk, version: DatasetVersion) -> None:
    """Add the steps behind a version, then its own."""
    step = step_of(version)
    if step is None:
        walk.inputs[version.ref] = Source(ref=version.ref, kind=version.kind, content_id=version.content_id)
        return
    if version.ref in walk.made:
        return
    if version.ref in walk.under_way:
        raise WorkspaceError(f"The manifest of {version.ref} says that it was made of itself; it was damaged.")
    walk.under_way.add(version.ref)
    names: dict[str, str] = {}
    for told in references_in(step):
        source = _ancestor(walk.workspace, told, version)
        _visit(walk, source)
        names[told.partition(":")[0]] = f"${walk.made[source.ref]}" if source.ref in walk.made else source.ref
    for name, print_ in _pins(walk.workspace, version, step).items():
        walk.pins[name] = walk.pins.get(name) or print_
    walk.steps.append({**with_references(step, names), "gives": version.content_id})
    walk.made[version.ref] = len(walk.steps)


def _ancestor(workspace: Workspace, ref: str, of: DatasetVersion) -> DatasetVersion:
    try:
        return find_dataset(workspace, ref)[0]
    except WorkspaceError as error:
        raise WorkspaceError(f"{of.ref} was made of {ref}, which is not there any more: {error}") from error


def _pins(workspace: Workspace, version: DatasetVersion, step: dict[str, Any]) -> dict[str, str | None]:
    """Return the encoders of a step and their fingerprints, from its manifest or from its job if that is there."""
    names = [name for key in _ENCODER_KEYS for name in _texts(step.get(key))]
    provenance = version.manifest["provenance"]
    told: list[dict[str, Any]] = [*_dicts(provenance.get("fingerprints")), *_dicts(_spec(workspace, provenance))]
    known = {str(each.get("name")): each.get("fingerprint") for each in told}
    space = provenance.get("space")
    if isinstance(space, dict):
        known[str(space.get("encoder"))] = space.get("fingerprint")
    return {name: known.get(name) for name in names}


def _spec(workspace: Workspace, provenance: dict[str, Any]) -> Any:
    """Return the fingerprints that the job which made a set was given; None if it is not there any more."""
    try:
        return read_json(workspace.job(str(provenance.get("job"))) / SPEC)["params"].get("fingerprints")
    except (SimtuneError, KeyError, AttributeError, TypeError):
        return None


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _texts(value: Any) -> list[str]:
    """Return a text, or the texts of a list; nothing of anything else."""
    values = value if isinstance(value, list | tuple) else [value]
    return [each for each in values if isinstance(each, str)]


def _exchanged(value: Any, known: dict[str, str]) -> Any:
    if isinstance(value, list | tuple):
        return [_exchanged(each, known) for each in value]
    if not isinstance(value, str):
        return value
    name, colon, split = value.partition(":")
    return f"{known[name]}{colon}{split}" if name in known else value
