"""What an import reads from: a file or folder, an upload, or a data set of the Hugging Face hub.

The name of an upload is the user's and never a path: a large one lies in `data/uploads` under its hash.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from simtune_core.errors import DataFaultError, WorkspaceError
from simtune_core.files import printable, sha256_file, sha256_json, write_bytes
from simtune_core.tables.hub import read_hub
from simtune_core.tables.reading import FORMATS, read_table
from simtune_core.tables.table import Progress, ReadingOptions, Table
from simtune_core.workspace import Workspace

LARGE_BYTES = 5_000_000  # a file above is imported by a job; below it is read at a glance
_STORED = re.compile(r"[0-9a-f]{64}(\.[a-z0-9]{1,8}){0,2}")
_KEPT_SECONDS = 7 * 24 * 3600.0  # an upload whose import was never finished
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+(:[^@]+)?(@[\w./-]+)?", re.ASCII)
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class ImportSource:
    """What an import reads from: exactly one of `path`, `content` and `hub`.

    Attributes:
        name: What the manifest calls it; a file's name, never a path.
        path: A file or a folder.
        content: A small upload.
        hub: A data set of the hub, `owner/name`.
        fetch: Whether a hub data set that is not there yet is downloaded.
    """

    name: str
    path: Path | None = None
    content: bytes | None = None
    hub: str | None = None
    fetch: bool = False

    @property
    def n_bytes(self) -> int:
        """Return its size: of a folder all files together, of a hub data set unknown and 0."""
        if self.content is not None:
            return len(self.content)
        return sum(file.stat().st_size for file in _files(self.path)) if self.path is not None else 0

    @property
    def large(self) -> bool:
        """Tell whether reading it may take longer than a glance."""
        return self.hub is not None or self.n_bytes > LARGE_BYTES

    def sha256(self) -> str | None:
        """Return the sha256 of its bytes, of a folder that of its files' names and hashes; None for the hub."""
        if self.content is not None:
            return hashlib.sha256(self.content).hexdigest()
        if self.path is None:
            return None
        if self.path.is_file():
            return sha256_file(self.path)
        folder = self.path
        return sha256_json({file.relative_to(folder).as_posix(): sha256_file(file) for file in _files(folder)})

    def stamp(self) -> str:
        """Return what changes when a file or a folder does, told by names, sizes and times, without reading it."""
        root = self.path or Path()
        told = [(file.relative_to(root).as_posix(), file.stat()) for file in _files(self.path)]
        found = [[place, facts.st_size, facts.st_mtime_ns] for place, facts in told]
        return sha256_json([self.name, found, self.sha256() if self.content is not None else None])

    def read(self, options: ReadingOptions, *, limit: int | None = None, progress: Progress | None = None) -> Table:
        """Read it as text.

        Args:
            options: Encoding, delimiter and sheet where they are not as detected.
            limit: Only so many rows, from the head.
            progress: Told of what was read.

        Raises:
            DataFaultError: If it cannot be read.
        """
        if self.hub is not None:
            return read_hub(self.hub, options, fetch=self.fetch, limit=limit, progress=progress)
        found = self.content if self.content is not None else self.path
        if found is None:
            raise DataFaultError(f"{self.name} names nothing that can be read; choose a file.")
        return read_table(found, self.name, options, limit=limit, progress=progress)

    def as_params(self, workspace: Workspace) -> dict[str, Any]:
        """Return it as the params of a job; a path inside the workspace is told from there."""
        if self.hub is not None:
            return {"hub": self.hub, "fetch": self.fetch, "source": self.name}
        path = Path() if self.path is None else self.path.resolve()
        inside = path.is_relative_to(workspace.root)
        return {"file": str(path.relative_to(workspace.root) if inside else path), "source": self.name}


def source_from(params: Mapping[str, Any], workspace: Workspace) -> ImportSource:
    """Return the source that a job's params tell of; see `ImportSource.as_params`."""
    if params.get("hub"):
        return ImportSource(params["source"], hub=params["hub"], fetch=bool(params.get("fetch")))
    return ImportSource(params["source"], path=workspace.root / params["file"])


def uploaded(workspace: Workspace, content: bytes, name: str) -> ImportSource:
    """Return an upload as a source; a large one is stored under its hash, and old ones that were left are removed.

    Args:
        workspace: Where `data/uploads` lies.
        content: The bytes.
        name: What the user's file is called; only shown, and its ending decides the format.

    Raises:
        WorkspaceError: If it cannot be stored.
    """
    shown = PurePosixPath(printable(name).replace("\\", "/")).name or "upload"
    small = ImportSource(shown, content=content)
    if not small.large:
        return small
    path = uploads(workspace) / f"{hashlib.sha256(content).hexdigest()}{_suffix(shown)}"
    if not path.exists():
        write_bytes(path, content)
    _remove_old(workspace)
    return ImportSource(shown, path=path)


def in_workspace(workspace: Workspace, text: str) -> ImportSource:
    """Return a file or a folder of the workspace as a source.

    Args:
        workspace: The workspace.
        text: A path as a user types it, from the workspace's folder or absolute.

    Raises:
        WorkspaceError: If it lies outside the workspace, links resolved, or there is nothing.
    """
    try:
        path = (workspace.root / text.strip()).resolve()
        root = workspace.root.resolve()
        inside = path.is_relative_to(root) and all(each.resolve().is_relative_to(root) for each in _files(path))
        if not inside:
            raise WorkspaceError(
                f"{text[:200]!r} lies outside the workspace; copy it into the workspace's folder, or use the command "
                "`import`, which reads what you may read."
            )
        exists = path.exists()
    except (OSError, ValueError, RuntimeError) as error:  # a name too long, a NUL, a loop of links
        raise WorkspaceError(f"{text[:200]!r} is no path of the workspace: {error}.") from error
    if not exists:
        raise WorkspaceError(f"The workspace has no file or folder {text[:200]!r}; give its path from data/ on.")
    return ImportSource(printable(path.name), path=path)


def anywhere(text: str) -> ImportSource:
    """Return what the command line names: a file or folder that this user may read, else a hub data set `owner/name`.

    Raises:
        DataFaultError: If it is neither.
    """
    path = Path(text).expanduser()
    if path.exists():
        return ImportSource(printable(path.resolve().name), path=path.resolve())
    if _HUB_ID.fullmatch(text) and path.suffix.lower() not in FORMATS:
        return ImportSource(text, hub=text, fetch=True)
    raise DataFaultError(f"There is no file or folder {text[:200]!r}, and a hub data set is named owner/name.")


def uploads(workspace: Workspace) -> Path:
    """Return the folder of large uploads whose import has not been finished."""
    return workspace.data / "uploads"


def forget_upload(workspace: Workspace, source: ImportSource) -> None:
    """Remove a stored upload, once its rows are a dataset; any other file is left as it is."""
    path = source.path
    if path is not None and path.parent == uploads(workspace) and _STORED.fullmatch(path.name):
        with suppress(OSError):  # a file that stays is removed as an old one later
            path.unlink(missing_ok=True)


def dataset_name(source_name: str) -> str:
    """Return the name offered for the dataset: that of the file without its ending, or of the hub data set."""
    stem = PurePosixPath(source_name.replace("\\", "/")).name
    while Path(stem).suffix.lower() in FORMATS:
        stem = Path(stem).stem
    return _UNSAFE.sub("_", stem).strip("._-")[:64] or "data"


def _files(path: Path | None) -> list[Path]:
    if path is None or not path.exists():
        return []
    return [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())


def _suffix(name: str) -> str:
    """Return a file's one or two endings, if they are plain letters and digits."""
    endings = "".join(PurePosixPath(name).suffixes[-2:]).lower()
    return endings if re.fullmatch(r"(\.[a-z0-9]{1,8}){1,2}", endings) else ""


def _remove_old(workspace: Workspace) -> None:
    oldest = time.time() - _KEPT_SECONDS
    for path in uploads(workspace).iterdir():
        with suppress(OSError):
            if _STORED.fullmatch(path.name) and path.stat().st_mtime < oldest:
                path.unlink()
