"""What rests on what in a workspace: jobs on datasets and models, models on datasets, datasets on datasets.

Read from the params of jobs and from manifests; changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

from simtune_core.curriculum.recipe import references_in
from simtune_core.datasets import find_dataset
from simtune_core.errors import WorkspaceError
from simtune_core.files import NAME_PATTERN, read_json, valid_name
from simtune_core.jobs.kernel import lock_held
from simtune_core.jobs.launcher import list_jobs
from simtune_core.jobs.queueing import job_folders
from simtune_core.jobs.states import LOCK, JobStatus
from simtune_core.preferences import preferences_of
from simtune_core.workspace import Workspace

ThingKind = Literal["job", "dataset", "model"]
_SET_KEYS = {
    "set": "reads", "against": "compares with", "threshold_from": "chooses its threshold on",
    "records": "counts pairs of", "train": "trains on", "dev": "chooses its best step on", "pairs": "works on",
    "test": "compares with",
}  # fmt: skip
_MODEL_KEYS = {
    "encoder": "encodes with",
    "base": "starts from",
    "baseline": "compares with",
    "model": "checks",
    "veto": "asks",
}
_LOST = {"model": "the curves and the log of its training go", "dataset": "the log of its making goes"}
_FROM_OUTSIDE = ("import", "sample")  # the source of such a dataset is a file


class Thing(NamedTuple):
    """A job, one version of a dataset (`name@v0001`) or a model."""

    kind: ThingKind
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Lineage:
    """The things of a workspace and what rests on each.

    Attributes:
        folders: Where each thing lies.
        jobs: The readable jobs by id.
        resting: For each thing, what rests on it and why.
        products: The datasets and models that a job has made, by job id.
        default_encoder: The encoder that the workspace's settings name.
    """

    folders: dict[Thing, Path]
    jobs: dict[str, JobStatus]
    default_encoder: str
    resting: dict[Thing, dict[Thing, str]] = field(default_factory=dict)
    products: dict[str, list[Thing]] = field(default_factory=dict)

    def find(self, kind: str, name: str) -> list[Thing]:
        """Return the things that a name means: one, or all versions of a dataset, oldest first.

        Raises:
            WorkspaceError: If the kind or the name is not allowed, or there is no such thing.
        """
        if kind not in get_args(ThingKind):
            raise WorkspaceError(f"What can be deleted is a {', a '.join(get_args(ThingKind))}; got {kind[:80]!r}.")
        dataset, versioned, version = name.partition("@") if kind == "dataset" else (name, "", "")
        valid_name(dataset, f"{kind} name")
        if versioned:
            valid_name(version, "version")
        found = [
            thing
            for thing in self.folders
            if thing.kind == kind
            and (thing.name == name or (kind == "dataset" and not versioned and thing.name.startswith(f"{name}@")))
        ]
        if not found:
            raise WorkspaceError(
                f"There is no {kind} {name!r} in this workspace; the command `size` lists what there is."
            )
        return found

    def title(self, thing: Thing) -> str:
        """Return what a person calls a thing; plain text."""
        if thing.kind != "job":
            return thing.name
        job = self.jobs.get(thing.name)
        return "a damaged job" if job is None else job.title

    def dependents_of(self, targets: Iterable[Thing]) -> dict[Thing, str]:
        """Return all that rests on the targets, directly or not, and why; what rests on another stands before it."""
        chosen = list(targets)
        reasons: dict[Thing, str] = {}
        ordered: dict[Thing, str] = {}

        def visit(thing: Thing) -> None:
            for other, why in self.resting.get(thing, {}).items():
                if other not in chosen and other not in reasons:
                    reasons[other] = why
                    visit(other)
                    ordered[other] = why

        for target in chosen:
            visit(target)
        return ordered

    def in_use(self, doomed: Iterable[Thing]) -> tuple[str, ...]:
        """Say why things cannot be deleted now: a job among them, or one that makes them, waits or runs."""
        chosen = set(doomed)
        names = {thing.name.partition("@")[0] for thing in chosen if thing.kind != "job"}
        blocking = [
            f"The job {job.title!r} ({job.id}) is {job.state}; stop it or wait for its end."
            for job in self.jobs.values()
            if job.active and (Thing("job", job.id) in chosen or job.params.get("name") in names)
        ]
        damaged = [
            f"The job {thing.name} cannot be read, but its runner is alive; wait for its end."
            for thing in sorted(chosen)
            if thing.kind == "job" and thing.name not in self.jobs and lock_held(self.folders[thing] / LOCK)
        ]
        return (*blocking, *damaged)

    def what_stays(self, doomed: Iterable[Thing]) -> tuple[str, ...]:
        """Say what stays although it has to do with what goes."""
        chosen = set(doomed)
        sentences = []
        for thing in sorted(chosen):
            made = self.products.get(thing.name, []) if thing.kind == "job" else []
            sentences += [
                f"The {each.kind} {each.name} stays; {_LOST[each.kind]}." for each in made if each not in chosen
            ]
        sentences += [
            f"The job {job.title!r} ({job.id}) stays; the part of its curves before it went on goes."
            for job in self.jobs.values()
            if Thing("job", job.continues or "") in chosen and Thing("job", job.id) not in chosen
        ]
        if Thing("model", self.default_encoder) in chosen:
            sentences.append(f"The setting default_encoder names {self.default_encoder}; choose another one there.")
        return tuple(sentences)


def read_lineage(workspace: Workspace) -> Lineage:
    """Read what rests on what from job params and manifests; what cannot be read rests on nothing."""
    jobs = {job.id: job for job in list_jobs(workspace)}
    lineage = Lineage(_folders(workspace), jobs, preferences_of(workspace).default_encoder)
    needs = _Needs(workspace, lineage)
    for job in jobs.values():
        for needed, why in needs.of_job(job):
            _rest(lineage, needed, Thing("job", job.id), why)
    for thing, folder in lineage.folders.items():
        for needed, why in needs.of_manifest(thing, _manifest(folder)):
            _rest(lineage, needed, thing, why)
    return lineage


@dataclass(frozen=True, slots=True, eq=False)
class _Needs:
    """Finds the things that a job or a manifest names."""

    workspace: Workspace
    lineage: Lineage

    def of_job(self, job: JobStatus) -> Iterator[tuple[Thing, str]]:
        for key, verb in _SET_KEYS.items():
            yield from self._dataset(job.params.get(key), verb)
        for key, verb in _MODEL_KEYS.items():
            yield from self._model(job.params.get(key), verb)
        for name in job.params.get("encoders") or []:
            yield from self._model(name, "judges")
        for ref in job.params.get("apart") or []:
            yield from self._dataset(ref, "keeps apart from")
        candidates = job.params.get("candidates")
        if isinstance(candidates, str):
            yield Thing("job", candidates), "draws its pairs from that count"
        if job.continues is not None and job.state != "done":
            yield Thing("job", job.continues), "goes on from its checkpoint"

    def of_manifest(self, thing: Thing, manifest: dict[str, Any]) -> Iterator[tuple[Thing, str]]:
        """Yield what a dataset or model rests on; the job that made it rests on it and is noted, too."""
        origin = manifest if thing.kind == "model" else manifest.get("provenance") or {}
        maker = origin.get("job") if isinstance(origin, dict) else None
        if isinstance(maker, str) and Thing("job", maker) in self.lineage.folders:
            self.lineage.products.setdefault(maker, []).append(thing)
            _rest(self.lineage, thing, Thing("job", maker), f"made {thing.name}, which is all its result is about")
        if thing.kind == "model":
            yield from self._dataset(origin.get("train"), "was trained on")
            yield from self._dataset(origin.get("dev"), "was chosen on")
            yield from self._model(origin.get("base"), "was tuned from")
        elif thing.kind == "dataset" and isinstance(origin, dict) and origin.get("made_by") not in _FROM_OUTSIDE:
            yield from self._dataset(origin.get("source"), "was made from")
            step = origin.get("step")
            for ref in references_in(step) if isinstance(step, dict) else []:
                yield from self._dataset(ref, "needs for its recipe")

    def _dataset(self, ref: Any, verb: str) -> Iterator[tuple[Thing, str]]:
        name = ref.partition(":")[0] if isinstance(ref, str) else ""
        if name and Thing("dataset", name) not in self.lineage.folders:  # a version that is gone, or the newest one
            try:
                name = find_dataset(self.workspace, name)[0].ref
            except WorkspaceError:
                return
        if name:
            yield Thing("dataset", name), f"{verb} {name}"

    def _model(self, name: Any, verb: str) -> Iterator[tuple[Thing, str]]:
        if isinstance(name, str) and Thing("model", name) in self.lineage.folders:
            yield Thing("model", name), f"{verb} {name}"


def _rest(lineage: Lineage, needed: Thing, thing: Thing, why: str) -> None:
    if needed != thing and needed in lineage.folders:
        lineage.resting.setdefault(needed, {}).setdefault(thing, why)


def _folders(workspace: Workspace) -> dict[Thing, Path]:
    """Return where every thing lies; a dataset that is itself a link has no versions of ours."""
    found = {Thing("job", folder.name): folder for folder in job_folders(workspace)}
    for dataset in _named(workspace.datasets):
        if not dataset.is_symlink():
            for folder in _named(dataset):
                found[Thing("dataset", f"{dataset.name}@{folder.name.partition('-')[0]}")] = folder
    return found | {Thing("model", folder.name): folder for folder in _named(workspace.models)}


def _named(area: Path) -> list[Path]:
    named = (path for path in area.iterdir() if NAME_PATTERN.fullmatch(path.name))
    return sorted(path for path in named if path.is_dir() or path.is_symlink())


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest = read_json(folder / "manifest.json")
    except WorkspaceError:
        return {}
    return manifest if isinstance(manifest, dict) else {}
