"""What takes how much room in a workspace, and how much is free.

Measures only: what may be removed is retention.py's matter, what is going to be written foresight.py's.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from simtune_core.cache import GB, CacheGroup, files_below, limit_of, list_groups
from simtune_core.errors import WorkspaceError
from simtune_core.files import NAME_PATTERN
from simtune_core.jobs.launcher import list_jobs
from simtune_core.workspace import Workspace

TRASH = ".trash-"  # beginning of the name of a folder that a deletion has moved things into
UNFINISHED = ".part"  # ending of the name of what is being written, or was when its writer was killed
SizeKind = Literal["job", "dataset", "model", "cache", "store", "leftover"]


@dataclass(frozen=True, slots=True)
class Sized:
    """One thing that takes room.

    Attributes:
        kind: What it is; `leftover` is what killed writers and interrupted deletions have left.
        name: Its name, as `delete` takes it for jobs, dataset versions and models.
        title: What a person calls it; plain text, empty where the name says it all.
        n_bytes: The sizes of its files together; what is behind a link does not count.
    """

    kind: SizeKind
    name: str
    title: str
    n_bytes: int


@dataclass(frozen=True, slots=True)
class Space:
    """The room that a workspace takes.

    Attributes:
        items: Everything that takes room, largest first.
        n_bytes: All of it together.
        n_free: Bytes free on its disk.
    """

    items: tuple[Sized, ...]
    n_bytes: int
    n_free: int


@dataclass(frozen=True, slots=True)
class CacheSpace:
    """The room that the cache takes.

    Attributes:
        groups: What lies in it, largest first.
        n_bytes: All of it together.
        limit_bytes: What it may take: the setting cache_limit_gb.
    """

    groups: tuple[CacheGroup, ...]
    n_bytes: int
    limit_bytes: int


def space_of(workspace: Workspace) -> Space:
    """Measure every job, dataset version, model, part of the cache, the results store and what is left over."""
    items = [*_jobs(workspace), *_datasets(workspace), *_models(workspace), *_the_rest(workspace)]
    largest_first = sorted((item for item in items if item.n_bytes), key=lambda item: (-item.n_bytes, item.name))
    return Space(tuple(largest_first), sum(item.n_bytes for item in items), free_bytes(workspace))


def cache_of(workspace: Workspace) -> CacheSpace:
    """Measure the cache.

    Raises:
        ConfigError: If the setting of its limit is out of its bounds.
    """
    groups = tuple(list_groups(workspace))
    return CacheSpace(groups, sum(group.n_bytes for group in groups), limit_of(workspace))


def free_bytes(workspace: Workspace) -> int:
    """Return the bytes that are free on the disk of a workspace.

    Raises:
        WorkspaceError: If its folder is gone or cannot be asked.
    """
    try:
        return shutil.disk_usage(workspace.data).free
    except OSError as error:
        raise WorkspaceError(
            f"The free space of {workspace.root.name} cannot be read: {error.strerror or error}."
        ) from error


def folder_bytes(folder: Path) -> int:
    """Return the sizes of the files of a folder together; 0 for a link."""
    return 0 if folder.is_symlink() else sum(held.n_bytes for held in files_below(folder))


def job_bytes(folder: Path, *, finished: bool) -> int:
    """Return the size of a job; that of a finished one is measured once, until its folder changes."""
    if not finished or folder.is_symlink():
        return folder_bytes(folder)
    try:
        return _measured(folder, folder.stat().st_mtime_ns)
    except OSError:  # deleted meanwhile
        return 0


def size_words(n_bytes: float) -> str:
    """Word a size: `1.2 GB`, `614 KB`, `12 bytes`; decimal units, as disks are sold."""
    for unit, name in ((GB, "GB"), (1e6, "MB"), (1e3, "KB")):
        if n_bytes >= unit:
            value = n_bytes / unit
            return f"{value:,.0f} {name}" if value >= 100 else f"{value:.1f} {name}"
    return f"{n_bytes:.0f} bytes"


def bytes_of_gb(gigabytes: float) -> int:
    """Return GB in bytes."""
    return int(gigabytes * GB)


def leftovers(workspace: Workspace) -> list[Path]:
    """Return what killed writers and interrupted deletions have left beside jobs, datasets and models."""
    areas = [workspace.jobs, workspace.models, workspace.datasets, *_real_folders(workspace.datasets)]
    return [path for area in areas for path in _hidden_folders(area)]


@lru_cache(maxsize=8192)
def _measured(folder: Path, changed: int) -> int:
    return folder_bytes(folder)


def _jobs(workspace: Workspace) -> Iterator[Sized]:
    known = {job.id: job for job in list_jobs(workspace)}
    for folder in _named_folders(workspace.jobs):
        job = known.get(folder.name)
        title = "a damaged job" if job is None else job.title
        yield Sized("job", folder.name, title, job_bytes(folder, finished=job is not None and job.finished))


def _datasets(workspace: Workspace) -> Iterator[Sized]:
    for dataset in _real_folders(workspace.datasets):
        for folder in _named_folders(dataset):
            ref = f"{dataset.name}@{folder.name.partition('-')[0]}"
            yield Sized("dataset", ref, "", folder_bytes(folder))


def _models(workspace: Workspace) -> Iterator[Sized]:
    for folder in _named_folders(workspace.models):
        yield Sized("model", folder.name, "", folder_bytes(folder))


def _the_rest(workspace: Workspace) -> Iterator[Sized]:
    for group in list_groups(workspace):
        yield Sized("cache", group.name, f"{group.n_files:,} cached files", group.n_bytes)
    store = [path for path in workspace.data.glob(f"{workspace.store.name}*") if not path.is_symlink()]
    yield Sized("store", workspace.store.name, "results store", sum(path.stat().st_size for path in store))
    left = sum(folder_bytes(path) for path in leftovers(workspace))
    yield Sized("leftover", "leftovers", "of killed writers and interrupted deletions", left)


def _named_folders(area: Path) -> list[Path]:
    """Return the folders of an area that have an allowed name, links left out."""
    return [folder for folder in _real_folders(area) if NAME_PATTERN.fullmatch(folder.name)]


def _hidden_folders(area: Path) -> list[Path]:
    names = (folder for folder in _real_folders(area, hidden=True))
    return [folder for folder in names if folder.name.startswith(TRASH) or folder.name.endswith(UNFINISHED)]


def _real_folders(area: Path, *, hidden: bool = False) -> list[Path]:
    try:
        found = sorted(area.iterdir())
    except OSError:
        return []
    return [path for path in found if path.name.startswith(".") == hidden and path.is_dir() and not path.is_symlink()]
