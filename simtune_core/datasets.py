"""Datasets of a workspace: versions that never change, their manifests, and the references that name them.

`data/datasets/<name>/v0001-<hash8>/` holds `records.parquet` or `pairs.parquet` and `manifest.json`. Reads and writes
only what importing/ or a job has made sure is valid.
"""

from __future__ import annotations

import functools
import hashlib
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from filelock import FileLock, Timeout

from simtune_core.errors import WorkspaceError
from simtune_core.files import NAME_PATTERN, disk_error, read_json, sha256_file, whole_folder, write_json
from simtune_core.pairs import PairSet, with_pair_columns
from simtune_core.records import Records, with_record_columns
from simtune_core.workspace import Workspace

DatasetKind = Literal["records", "pairs"]
DETAILS = "details.parquet"  # beside the pairs: how each came to be
# cosine in the space it was cut in; its kind (curriculum.roles); row of the pair it was made of; how it was changed
DETAIL_COLUMNS = ("similarity", "role", "parent", "change")
_VERSION = re.compile(r"v(\d{4,})-([0-9a-f]{8})")
_LOCK_SECONDS = 60.0
_FACTS: dict[str, tuple[type, ...]] = {
    "version": (str,), "kind": (str,), "content_id": (str,), "sha256": (str,), "n_rows": (int,), "splits": (dict,),
    "columns": (list,), "created": (int, float), "provenance": (dict,),
}  # fmt: skip
_REF = re.compile(r"(?P<name>[^@:]+)(?:@(?P<version>v\d{4,}))?(?::(?P<split>[^@:]+))?")


@dataclass(frozen=True, slots=True)
class DatasetVersion:
    """One version of a dataset, as its manifest tells it.

    Attributes:
        name: The dataset's name.
        version: Its version, such as `v0001`.
        kind: Whether it holds records or pairs.
        content_id: sha256 of the content.
        folder: Where it lies.
        manifest: Columns, counts, splits, source, licence, how it was made.
    """

    name: str
    version: str
    kind: DatasetKind
    content_id: str
    folder: Path
    manifest: dict[str, Any]

    @property
    def ref(self) -> str:
        """Return the reference that names exactly this version."""
        return f"{self.name}@{self.version}"

    @property
    def splits(self) -> dict[str, int]:
        """Return the number of rows per split, empty where the dataset has none."""
        return dict(self.manifest["splits"])

    @property
    def n_rows(self) -> int:
        """Return the number of records or pairs."""
        return int(self.manifest["n_rows"])

    @property
    def table(self) -> Path:
        """Return the file that holds the rows."""
        return self.folder / f"{self.kind}.parquet"


def save_records(
    workspace: Workspace, name: str, frame: pd.DataFrame, *, provenance: dict[str, Any], new_version: bool = False
) -> DatasetVersion:
    """Save a valid table of records; equal content under the same name returns the version that is there.

    Args:
        workspace: Where to save.
        name: The dataset's name.
        frame: The records.
        provenance: Source, licence, how it was made; JSON.
        new_version: Whether a taken name gets a new version; otherwise it is refused.

    Raises:
        WorkspaceError: If the name is not allowed, is taken by other content, or the disk is full.
    """
    return _save(workspace, name, "records", {"records": with_record_columns(frame)}, provenance, new_version)


def save_pairs(
    workspace: Workspace,
    name: str,
    frame: pd.DataFrame,
    *,
    provenance: dict[str, Any],
    new_version: bool = False,
    details: pd.DataFrame | None = None,
) -> DatasetVersion:
    """Save a valid table of pairs; as `save_records`.

    Args:
        workspace: Where to save.
        name: The dataset's name.
        frame: The pairs.
        provenance: Source, licence, how it was made; JSON.
        new_version: As for `save_records`.
        details: How each pair came to be, in the same order, any of DETAIL_COLUMNS; no part of the content id.
    """
    tables = {"pairs": with_pair_columns(frame)} | ({} if details is None else {"details": details})
    return _save(workspace, name, "pairs", tables, provenance, new_version)


def load_records(workspace: Workspace, ref: str) -> Records:
    """Load records by reference; `content_id` is that of the rows chosen.

    Raises:
        WorkspaceError: If there is no such dataset, version or split, it holds pairs, or its file was changed.
    """
    version, split = find_dataset(workspace, ref, kind="records")
    frame, content_id = _load(version, split)
    return Records(frame, _join(version, split), content_id)


def load_pairs(workspace: Workspace, ref: str) -> PairSet:
    """Load a pair set by reference; as `load_records`."""
    version, split = find_dataset(workspace, ref, kind="pairs")
    frame, content_id = _load(version, split)
    return PairSet(frame, _join(version, split), content_id)


def load_details(workspace: Workspace, ref: str) -> pd.DataFrame | None:
    """Return how the pairs of a set came to be, row by row; None where nothing is known.

    Returns:
        Columns DETAIL_COLUMNS, in the order of `load_pairs(workspace, ref)`; with a split, its rows alone, and `parent`
        still counts the rows of the whole version.

    Raises:
        WorkspaceError: If the set is not there, or its details tell of another number of pairs.
    """
    version, split = find_dataset(workspace, ref, kind="pairs")
    path = version.folder / DETAILS
    if not path.exists():
        return None
    details = pd.read_parquet(path)
    if len(details) != version.n_rows:
        raise WorkspaceError(f"{version.ref}: {DETAILS} tells of {len(details):,} pairs, not of {version.n_rows:,}.")
    details = details.reindex(columns=list(DETAIL_COLUMNS))
    if split is None:
        return details
    inside = pd.read_parquet(version.table, columns=["split"])["split"].eq(split).fillna(value=False)
    return details[inside.to_numpy(bool)].reset_index(drop=True)


def list_datasets(workspace: Workspace, kind: DatasetKind | None = None) -> list[DatasetVersion]:
    """Return the newest version of every dataset, by name; a dataset whose newest cannot be read is passed over."""
    names = sorted(path.name for path in workspace.datasets.iterdir() if NAME_PATTERN.fullmatch(path.name))
    newest = [_readable(name, folders[-1]) for name in names if (folders := _version_folders(workspace, name))]
    return [version for version in newest if version is not None and kind in (None, version.kind)]


def list_versions(workspace: Workspace, name: str) -> list[DatasetVersion]:
    """Return all versions of a dataset, oldest first; a version that cannot be read is passed over."""
    found = (_readable(name, folder) for folder in _version_folders(workspace, name))
    return [version for version in found if version is not None]


def canonical_ref(workspace: Workspace, ref: str, kind: DatasetKind | None = None) -> str:
    """Return `name@v0001` or `name@v0001:split` for any form of reference."""
    return _join(*find_dataset(workspace, ref, kind=kind))


def find_dataset(
    workspace: Workspace, ref: str, *, kind: DatasetKind | None = None
) -> tuple[DatasetVersion, str | None]:
    """Find the version and the split that a reference names.

    Raises:
        WorkspaceError: If the reference is malformed, there is no such dataset, version, split or kind, or the manifest
            cannot be read.
    """
    parts = _REF.fullmatch(ref)
    if not parts:
        raise WorkspaceError(f"A dataset is named name, name@v0001, name:split or name@v0001:split, got {ref[:80]!r}.")
    folders = _version_folders(workspace, parts["name"])
    if not folders:
        known = ", ".join(version.name for version in list_datasets(workspace, kind)) or "none yet"
        raise WorkspaceError(f"There is no dataset {parts['name']!r} in this workspace; there are: {known}.")
    chosen = [folder for folder in folders if parts["version"] in (None, _version_of(folder))]
    if not chosen:
        known = ", ".join(_version_of(folder) for folder in folders)
        raise WorkspaceError(f"{parts['name']} has no version {parts['version']}; it has: {known}.")
    version, split = _read_version(parts["name"], chosen[-1]), parts["split"]
    if kind and version.kind != kind:
        raise WorkspaceError(f"{version.ref} holds {version.kind}, and {kind} are needed here.")
    if split and split not in version.splits:
        known = ", ".join(version.splits) or "no splits"
        raise WorkspaceError(f"{version.ref} has no split {split!r}; it has: {known}.")
    return version, split


def content_id(frame: pd.DataFrame) -> str:
    """Return the sha256 of a table's column names and values, in order; independent of the file format."""
    digest = hashlib.sha256()
    for column in frame.columns:
        digest.update(f"{column}\x00".encode())
        values = frame[column]
        if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
            digest.update(values.to_numpy(np.float64).tobytes())
            continue
        for part in _hashed(values):
            digest.update(part)
    return digest.hexdigest()


def _hashed(values: pd.Series) -> Iterator[bytes | memoryview]:
    """Yield the lengths of the texts of a column in bytes, -1 where one is missing, and the texts one after another."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kept: Any = values
    if not isinstance(values.dtype, pd.StringDtype):
        kept = [None if absent else str(value) for value, absent in zip(values, values.isna(), strict=True)]
    texts: Any = pa.array(kept, type=pa.large_string(), from_pandas=True)
    if isinstance(texts, pa.ChunkedArray):
        texts = texts.combine_chunks()
    yield pc.fill_null(pc.binary_length(texts), -1).to_numpy().astype(np.int64).tobytes()
    _, offsets, content = texts.buffers()
    if content is not None:
        first, last = np.frombuffer(offsets, dtype=np.int64)[[texts.offset, texts.offset + len(texts)]]
        yield memoryview(content)[first:last]


def _save(
    workspace: Workspace,
    name: str,
    kind: DatasetKind,
    tables: dict[str, pd.DataFrame],
    provenance: dict[str, Any],
    new: bool,
) -> DatasetVersion:
    """Save the table of a kind, and others of its length beside it, under the next version number."""
    frame = tables[kind]
    uneven = {title: len(table) for title, table in tables.items() if len(table) != len(frame)}
    if uneven:
        raise WorkspaceError(f"What lies beside the {kind} must be one row each, {len(frame):,}; got {uneven}.")
    digest = content_id(frame)
    with save_lock(workspace, name):
        versions, folders = list_versions(workspace, name), _version_folders(workspace, name)
        for version in versions:
            if version.content_id == digest and version.kind == kind:
                return version
        _require_allowed(name, kind, versions, folders, new=new)
        number = f"v{int(_version_of(folders[-1])[1:]) + 1 if folders else 1:04d}"
        folder = workspace.dataset(name) / f"{number}-{digest[:8]}"
        with whole_folder(folder) as beside:
            for title, table in tables.items():
                table.to_parquet(beside / f"{title}.parquet", compression="zstd", index=False)
            manifest = _manifest(frame, name, number, kind, digest, provenance)
            manifest["sha256"] = sha256_file(beside / f"{kind}.parquet")
            write_json(beside / "manifest.json", manifest)
        return _read_version(name, folder)


@contextmanager
def save_lock(workspace: Workspace, name: str) -> Iterator[None]:
    """Hold the lock under which the versions of one dataset are numbered."""
    path = workspace.datasets / f".{workspace.dataset(name).name}.lock"
    lock = FileLock(path, timeout=_LOCK_SECONDS)
    try:
        lock.acquire()
    except Timeout as error:
        raise WorkspaceError(f"Another process has been saving {name} for a minute; try again.") from error
    except OSError as error:
        raise disk_error(path, error) from error
    try:
        yield
    finally:
        lock.release()


def _require_allowed(
    name: str, kind: DatasetKind, versions: list[DatasetVersion], folders: list[Path], *, new: bool
) -> None:
    """Refuse a name that is taken by other content, unless a new version of the same kind is asked for."""
    if folders and not versions:
        raise WorkspaceError(f"The name {name!r} is taken by a dataset that cannot be read; choose another name.")
    if versions and (not new or versions[-1].kind != kind):
        hint = "choose another name" if versions[-1].kind != kind else "choose another name or ask for a new version"
        raise WorkspaceError(
            f"The name {name!r} is taken by {versions[-1].ref} ({versions[-1].n_rows:,} {versions[-1].kind}) with "
            f"other content; {hint}."
        )


def _manifest(
    frame: pd.DataFrame, name: str, version: str, kind: DatasetKind, digest: str, provenance: dict[str, Any]
) -> dict[str, Any]:
    splits = frame["split"].dropna().value_counts().sort_index()
    manifest: dict[str, Any] = {
        "v": 1, "name": name, "version": version, "kind": kind, "content_id": digest, "n_rows": len(frame),
        "columns": list(frame.columns), "splits": {str(split): int(n) for split, n in splits.items()},
        "created": time.time(), "provenance": provenance,
    }  # fmt: skip
    if kind == "pairs":
        phases = frame["phase"].dropna().value_counts(sort=False)
        manifest |= {
            "n_positive": int((frame["label"] == 1).sum()),
            "n_negative": int((frame["label"] == 0).sum()),
            "graded": bool(frame["score"].notna().all()),
            "phases": {str(phase): int(n) for phase, n in phases.items()},
        }
    else:
        manifest |= {
            "n_categories": int(frame["category"].nunique()),
            "n_groups": int(frame["duplicate_group"].nunique()),
        }
    return manifest


def _version_folders(workspace: Workspace, name: str) -> list[Path]:
    """Return the folders of a dataset's versions, oldest first, whether or not they can be read."""
    folder = workspace.dataset(name)
    found = [path for path in folder.iterdir() if _VERSION.fullmatch(path.name)] if folder.is_dir() else []
    return sorted(
        (path for path in found if (path / "manifest.json").exists()), key=lambda path: int(_version_of(path)[1:])
    )


def _version_of(folder: Path) -> str:
    return folder.name.partition("-")[0]


def _readable(name: str, folder: Path) -> DatasetVersion | None:
    try:
        return _read_version(name, folder)
    except WorkspaceError:
        return None


def _read_version(name: str, folder: Path) -> DatasetVersion:
    manifest = read_json(folder / "manifest.json")
    told = manifest if isinstance(manifest, dict) else {}
    wrong = [key for key, types in _FACTS.items() if not isinstance(told.get(key), types)]
    if wrong or told["version"] != _version_of(folder) or told["kind"] not in get_args(DatasetKind):
        raise WorkspaceError(
            f"The manifest of {name}@{_version_of(folder)} must tell {', '.join(_FACTS)}, and does not tell "
            f"{', '.join(wrong) or 'a version and kind that fit its folder'}; it was damaged or written by another "
            "version. Import the data again, or restore the file."
        )
    return DatasetVersion(name, manifest["version"], manifest["kind"], manifest["content_id"], folder, manifest)


def require_intact(version: DatasetVersion) -> None:
    """Refuse a version whose table is not the file that was saved; a file is hashed once per process and change.

    Raises:
        WorkspaceError: If the table is missing, cannot be read, or its sha256 differs from the manifest's.
    """
    try:
        told = version.table.stat()
        digest = _sha256_of(version.table, told.st_size, told.st_mtime_ns, told.st_ctime_ns, told.st_ino)
    except FileNotFoundError as error:
        raise WorkspaceError(f"{version.ref}: {version.table.name} is missing; import the data again.") from error
    except OSError as error:
        raise WorkspaceError(f"{version.ref}: {version.table.name} cannot be read: {error.strerror}.") from error
    if digest != version.manifest["sha256"]:
        raise WorkspaceError(
            f"{version.ref}: {version.table.name} is not the file that was saved (its sha256 differs from the "
            "manifest); import the data again as a new version."
        )


@functools.lru_cache(maxsize=1024)
def _sha256_of(path: Path, *_: int) -> str:
    """Hash a file once per process and state of it: size, times and inode are only part of the key."""
    return sha256_file(path)


def _load(version: DatasetVersion, split: str | None) -> tuple[pd.DataFrame, str]:
    require_intact(version)
    frame = pd.read_parquet(version.table)
    if split is None:
        return frame, version.content_id
    return frame[frame["split"] == split].reset_index(drop=True), f"{version.content_id}:{split}"


def _join(version: DatasetVersion, split: str | None) -> str:
    return version.ref + (f":{split}" if split else "")
