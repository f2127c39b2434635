"""Manifests into rows: the versions of datasets and the models, which never change once they are there.

Reads the manifests as they are; whether the files beside them are still the ones they tell of is for `checking.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from simtune_core.errors import WorkspaceError
from simtune_core.files import read_json
from simtune_core.store.database import Database
from simtune_core.workspace import Workspace

Row = tuple[Any, ...]
_NONE = type(None)
# What the tables hold of a manifest, in the order of their columns, and the types it may have.
_DATASET_FACTS: dict[str, tuple[type, ...]] = {
    "name": (str,), "version": (str,), "kind": (str,), "n_rows": (int, _NONE), "content_id": (str, _NONE),
    "created": (int, float, _NONE),
}  # fmt: skip
_MODEL_FACTS: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("kind", "base", "job", "train", "dev"), (str, _NONE)), "created": (int, float, _NONE),
}  # fmt: skip
_KNOWN = {"datasets": "SELECT folder FROM datasets", "models": "SELECT model_id FROM models"}
_DELETE = {"datasets": "DELETE FROM datasets WHERE folder = ?", "models": "DELETE FROM models WHERE model_id = ?"}
_INSERT = {
    "datasets": "INSERT INTO datasets VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    "models": "INSERT INTO models VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
}


def put_datasets(database: Database, workspace: Workspace) -> int:
    """Add new versions and forget those whose folder is gone; return how many were added."""
    return _put(database, "datasets", dataset_manifests(workspace), _DATASET_FACTS)


def put_models(database: Database, workspace: Workspace) -> int:
    """Add new models and forget those whose folder is gone; return how many were added."""
    return _put(database, "models", model_manifests(workspace), _MODEL_FACTS)


def dataset_manifests(workspace: Workspace) -> dict[str, Path]:
    """Return the manifest of every version of every dataset by `<name>/<version folder>`."""
    paths = [path for path in workspace.datasets.glob("*/v*/manifest.json") if not path.parent.name.startswith(".")]
    return {f"{path.parent.parent.name}/{path.parent.name}": path for path in paths}


def model_manifests(workspace: Workspace) -> dict[str, Path]:
    """Return the manifest of every model by the model's id."""
    paths = [path for path in workspace.models.glob("*/manifest.json") if not path.parent.name.startswith(".")]
    return {path.parent.name: path for path in paths}


def dataset_rows(workspace: Workspace) -> dict[str, Row]:
    """Return the row that each readable dataset version should have, by its key."""
    return {row[0]: row for row in _rows(dataset_manifests(workspace), _DATASET_FACTS)}


def model_rows(workspace: Workspace) -> dict[str, Row]:
    """Return the row that each readable model should have, by its id."""
    return {row[0]: row for row in _rows(model_manifests(workspace), _MODEL_FACTS)}


def forget(database: Database, table: str, keys: Iterable[str]) -> None:
    """Delete rows of `datasets` or `models`; an ingest adds again what has a manifest."""
    with database.transaction():
        for key in keys:
            database.run(_DELETE[table], [key])


def _put(database: Database, table: str, found: Mapping[str, Path], facts: Mapping[str, tuple[type, ...]]) -> int:
    known = {key for (key,) in database.rows(_KNOWN[table])}
    added = list(_rows({key: path for key, path in found.items() if key not in known}, facts))
    gone = known - set(found)
    if added or gone:
        with database.transaction():
            for row in added:
                database.run(_INSERT[table], row)
            for key in gone:
                database.run(_DELETE[table], [key])
    return len(added)


def _rows(found: Mapping[str, Path], facts: Mapping[str, tuple[type, ...]]) -> Iterator[Row]:
    """Yield key, facts and text of each manifest; one that cannot be read or lacks a fact is passed over."""
    for key in sorted(found):
        try:
            manifest = read_json(found[key])
        except WorkspaceError:
            continue
        if isinstance(manifest, dict) and all(isinstance(manifest.get(name), types) for name, types in facts.items()):
            yield (key, *(manifest.get(name) for name in facts), json.dumps(manifest))
