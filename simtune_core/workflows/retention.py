"""Deleting a job, a dataset or a model: first a plan that names all that depends on it, then exactly that plan.

What is deleted is moved aside in one step each, dependents first, so that being killed leaves nothing half-deleted; the
store forgets the rows of folders that are gone at its next look. Nothing outside the workspace is touched: a link is
removed, never what it points to.
"""

from __future__ import annotations

import shutil
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from simtune_core.cache import YOUNG_SECONDS, Evicted, files_below, keep_within_limit
from simtune_core.datasets import save_lock
from simtune_core.errors import WorkspaceError
from simtune_core.files import disk_error, new_id
from simtune_core.jobs.queueing import launcher_lock
from simtune_core.workflows.lineage import Lineage, Thing, ThingKind, read_lineage
from simtune_core.workflows.space import TRASH, UNFINISHED, folder_bytes, job_bytes, leftovers, size_words
from simtune_core.workspace import Workspace

__all__ = ["DeletionPlan", "Dependent", "ThingKind", "clean_cache", "delete", "deletion_plan", "require_deletable"]


@dataclass(frozen=True, slots=True)
class Dependent:
    """Something that would lose its ground.

    Attributes:
        kind: job, dataset or model.
        name: Its job id, `name@v0001` or model id.
        title: What a person calls it; plain text.
        why: What it has to do with what is deleted.
        n_bytes: Its size.
    """

    kind: ThingKind
    name: str
    title: str
    why: str
    n_bytes: int


@dataclass(frozen=True, slots=True)
class DeletionPlan:
    """What deleting something means.

    Attributes:
        kind: job, dataset or model.
        name: What is to be deleted: a job id, a dataset, one version of it, or a model id.
        title: What a person calls it; plain text.
        n_bytes: Its size, without the dependents.
        dependents: All that depends on it, directly or not, in the order in which it is deleted.
        blocked: Why it cannot be deleted now, as sentences.
        kept: What stays although it has to do with it, as sentences.
    """

    kind: ThingKind
    name: str
    title: str
    n_bytes: int
    dependents: tuple[Dependent, ...]
    blocked: tuple[str, ...]
    kept: tuple[str, ...]

    @property
    def n_bytes_with_dependents(self) -> int:
        """Return the bytes that become free when the dependents go too."""
        return self.n_bytes + sum(each.n_bytes for each in self.dependents)


def deletion_plan(workspace: Workspace, kind: ThingKind, name: str) -> DeletionPlan:
    """Find out what deleting something means; changes nothing.

    Args:
        workspace: Where it lies.
        kind: job, dataset or model.
        name: A job id, a dataset `name` (all its versions), one version `name@v0001`, or a model id.

    Raises:
        WorkspaceError: If the name is not allowed or there is no such thing.
    """
    lineage = read_lineage(workspace)
    targets = lineage.find(kind, name)
    chain = lineage.dependents_of(targets)
    dependents = tuple(
        Dependent(thing.kind, thing.name, lineage.title(thing), why, _bytes(lineage, thing))
        for thing, why in chain.items()
    )
    doomed = [*chain, *targets]
    return DeletionPlan(
        kind=kind,
        name=name,
        title=lineage.title(targets[0]) if len(targets) == 1 else f"all {len(targets)} versions",
        n_bytes=sum(_bytes(lineage, thing) for thing in targets),
        dependents=dependents,
        blocked=lineage.in_use(doomed),
        kept=lineage.what_stays(doomed),
    )


def delete(workspace: Workspace, plan: DeletionPlan, *, with_dependents: bool = False) -> int:
    """Delete what a plan says, provided that nothing has changed since it was made.

    Args:
        workspace: Where everything lies.
        plan: What `deletion_plan` gave and a person has seen.
        with_dependents: Whether all that depends on it may go too.

    Returns:
        The bytes that are gone.

    Raises:
        WorkspaceError: If something depends on it and may not go, a job that runs or waits needs it, the plan is no
            longer true, or a folder cannot be moved.
        JobError: If another process has been starting jobs for a minute.
    """
    require_deletable(plan, with_dependents=with_dependents)
    with ExitStack() as held:
        held.enter_context(launcher_lock(workspace))  # no job starts meanwhile
        for dataset in sorted(_datasets_in(plan)):
            held.enter_context(save_lock(workspace, dataset))  # no version is added meanwhile
        if deletion_plan(workspace, plan.kind, plan.name) != plan:
            raise WorkspaceError(
                f"What deleting {plan.kind} {plan.name} means has changed since you saw it; nothing was deleted. "
                "Look at it again."
            )
        _move_aside(workspace, plan)
        doomed = _trash(workspace)
    for folder in doomed:
        shutil.rmtree(folder, ignore_errors=True)
    return plan.n_bytes_with_dependents


def require_deletable(plan: DeletionPlan, *, with_dependents: bool) -> None:
    """Refuse a plan that cannot be carried out as it is.

    Raises:
        WorkspaceError: If a job that runs or waits needs it, or something depends on it and may not go.
    """
    if plan.blocked:
        raise WorkspaceError(f"{plan.kind} {plan.name} cannot be deleted now. {' '.join(plan.blocked)}")
    if plan.dependents and not with_dependents:
        named = ", ".join(f"{each.kind} {each.name}" for each in plan.dependents[-3:])
        more = f" and {len(plan.dependents) - 3} more" if len(plan.dependents) > 3 else ""
        raise WorkspaceError(
            f"{plan.kind} {plan.name} is what {named}{more} rest on; nothing was deleted. Delete it with all that "
            f"depends on it ({size_words(plan.n_bytes_with_dependents)}), or keep it."
        )


def clean_cache(workspace: Workspace, *, limit_bytes: int | None = None) -> Evicted:
    """Bring the cache within its limit, and remove what killed writers and interrupted deletions have left.

    Args:
        workspace: Whose cache.
        limit_bytes: The limit; the workspace's setting by default.
    """
    with launcher_lock(workspace):  # whoever holds it is moving nothing aside
        doomed = _trash(workspace) + [path for path in leftovers(workspace) if _abandoned(path)]
    for folder in doomed:
        shutil.rmtree(folder, ignore_errors=True)
    return keep_within_limit(workspace, limit_bytes=limit_bytes)


def _datasets_in(plan: DeletionPlan) -> set[str]:
    doomed = [(plan.kind, plan.name), *((each.kind, each.name) for each in plan.dependents)]
    return {name.partition("@")[0] for kind, name in doomed if kind == "dataset"}


def _move_aside(workspace: Workspace, plan: DeletionPlan) -> None:
    """Rename every folder of a plan into a hidden folder of its area, dependents first, the target last."""
    lineage, mark = read_lineage(workspace), new_id()
    things = [Thing(each.kind, each.name) for each in plan.dependents] + lineage.find(plan.kind, plan.name)
    for number, thing in enumerate(things):
        area = {"job": workspace.jobs, "dataset": workspace.datasets, "model": workspace.models}[thing.kind]
        folder = lineage.folders[thing]
        aside = area / f"{TRASH}{mark}" / f"{number}-{folder.name}"
        try:
            aside.parent.mkdir(exist_ok=True)
            folder.rename(aside)
            if thing.kind == "dataset":
                _remove_if_empty(folder.parent)
        except OSError as error:
            raise disk_error(folder, error) from error


def _remove_if_empty(dataset: Path) -> None:
    """Remove the folder of a dataset that has lost its last version."""
    if not any(dataset.iterdir()):
        dataset.rmdir()


def _trash(workspace: Workspace) -> list[Path]:
    return [path for path in leftovers(workspace) if path.name.startswith(TRASH)]


def _abandoned(path: Path) -> bool:
    """Tell whether nobody has written to an unfinished folder for long enough to call its writer dead."""
    newest = max((held.used for held in files_below(path)), default=path.stat().st_mtime)
    return path.name.endswith(UNFINISHED) and time.time() - newest > 6 * YOUNG_SECONDS


def _bytes(lineage: Lineage, thing: Thing) -> int:
    folder = lineage.folders[thing]
    if thing.kind != "job":
        return folder_bytes(folder)
    job = lineage.jobs.get(thing.name)
    return job_bytes(folder, finished=job is not None and job.finished)
