"""The cache of a workspace, `data/cache`: how much it holds, and what goes first when it holds more than it may.

Who reads an entry marks it as used, who writes one makes room. Every file in there can be computed again, so removing
one is safe at any moment. Knows nothing of what the files hold, and never follows a link.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from simtune_core.preferences import preferences_of
from simtune_core.workspace import Workspace

GB = 1_000_000_000  # bytes, as disks are sold and as every size here is worded
YOUNG_SECONDS = 600.0  # what was used more recently may be in use by a running job
_MARK_SECONDS = 60.0  # a use within a minute of the last one is not written down again
_UNFINISHED = ".part"  # ending of what a writer that was killed has left


@dataclass(frozen=True, slots=True)
class HeldFile:
    """One file of a folder.

    Attributes:
        path: Where it lies.
        n_bytes: Its size.
        used: Unix time of its last use, which is its time of modification.
    """

    path: Path
    n_bytes: int
    used: float


@dataclass(frozen=True, slots=True)
class CacheGroup:
    """What one part of the program keeps in the cache.

    Attributes:
        name: Name of its folder in `data/cache`.
        n_files: How many files.
        n_bytes: Their sizes together.
        used: Unix time of the newest use; 0 for a group without files.
    """

    name: str
    n_files: int
    n_bytes: int
    used: float


@dataclass(frozen=True, slots=True)
class Evicted:
    """What was removed from the cache.

    Attributes:
        n_files: How many files.
        n_bytes: Their sizes together.
        n_bytes_left: What the cache still holds; above the limit only by what was used a moment ago.
        limit_bytes: The limit that was kept to.
    """

    n_files: int
    n_bytes: int
    n_bytes_left: int
    limit_bytes: int


def files_below(folder: Path) -> Iterator[HeldFile]:
    """Yield every file below a folder; links are passed over, and so is what vanishes or cannot be read meanwhile."""
    waiting = [folder]
    while waiting:
        try:
            entries = list(os.scandir(waiting.pop()))
        except OSError:
            continue
        for entry in entries:
            with suppress(OSError):
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(Path(entry.path))
                elif entry.is_file(follow_symlinks=False):
                    told = entry.stat(follow_symlinks=False)
                    yield HeldFile(Path(entry.path), told.st_size, told.st_mtime)


def list_groups(workspace: Workspace) -> list[CacheGroup]:
    """Return what lies in the cache by the folder it is in, largest first."""
    if workspace.cache.is_symlink():
        return []
    groups: dict[str, list[HeldFile]] = {}
    for held in files_below(workspace.cache):
        parts = held.path.relative_to(workspace.cache).parts
        groups.setdefault(parts[0] if len(parts) > 1 else "other", []).append(held)
    made = [
        CacheGroup(name, len(held), sum(each.n_bytes for each in held), max(each.used for each in held))
        for name, held in groups.items()
    ]
    return sorted(made, key=lambda group: (-group.n_bytes, group.name))


def limit_of(workspace: Workspace) -> int:
    """Return the size in bytes up to which the cache may grow: the setting cache_limit_gb."""
    return int(preferences_of(workspace).cache_limit_gb * GB)


def mark_used(path: Path) -> None:
    """Note that a file of the cache is used now; nothing happens if it is gone or the disk is read-only."""
    with suppress(OSError):
        if time.time() - path.stat().st_mtime > _MARK_SECONDS:
            os.utime(path)


def keep_within_limit(
    workspace: Workspace, *, limit_bytes: int | None = None, young_seconds: float = YOUNG_SECONDS
) -> Evicted:
    """Remove what was used longest ago until the cache is within its limit, and what killed writers have left.

    Any number of processes may do this at once, while others read and write.

    Args:
        workspace: Whose cache.
        limit_bytes: The limit; the workspace's setting by default.
        young_seconds: What was used less than that long ago stays, whatever the limit; what is being written always
            has `YOUNG_SECONDS`.

    Raises:
        ConfigError: If the setting is out of its bounds.
    """
    limit = limit_of(workspace) if limit_bytes is None else limit_bytes
    held = [] if workspace.cache.is_symlink() else sorted(files_below(workspace.cache), key=lambda each: each.used)
    left, n_files, n_bytes = sum(each.n_bytes for each in held), 0, 0
    now = time.time()
    for each in held:
        unfinished = each.path.name.endswith(_UNFINISHED)
        if now - each.used < (YOUNG_SECONDS if unfinished else young_seconds) or (left <= limit and not unfinished):
            continue
        with suppress(OSError):  # it stays counted: what cannot be removed takes its room
            each.path.unlink(missing_ok=True)
            left, n_files, n_bytes = left - each.n_bytes, n_files + 1, n_bytes + each.n_bytes
    return Evicted(n_files, n_bytes, left, limit)
