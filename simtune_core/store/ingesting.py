"""Files into rows: whatever is new in the folders of jobs, datasets and models, each exactly once.

The rows of a job's events and the byte up to which its file has been read are committed together, so that being killed
at any moment loses nothing and doubles nothing.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from simtune_core.errors import WorkspaceError
from simtune_core.files import read_json
from simtune_core.jobs.context import EVENTS
from simtune_core.jobs.events import EventBatch, read_events
from simtune_core.jobs.launcher import list_jobs
from simtune_core.jobs.states import RESULT, JobStatus
from simtune_core.store.database import Database
from simtune_core.workspace import Workspace

_EVENT_SCHEMA = pa.schema(
    [
        ("job_id", pa.string()),
        ("seq", pa.int64()),
        ("time", pa.float64()),
        ("kind", pa.string()),
        ("name", pa.string()),
        ("step", pa.int64()),
        ("epoch", pa.float64()),
        ("phase", pa.string()),
        ("value", pa.float64()),
        ("detail", pa.string()),
    ]
)
_NONE = type(None)
# What the tables hold of a manifest, in the order of their columns, and the types it may have.
_DATASET_FACTS: dict[str, tuple[type, ...]] = {
    "name": (str,), "version": (str,), "kind": (str,), "n_rows": (int, _NONE), "content_id": (str, _NONE),
    "created": (int, float, _NONE),
}  # fmt: skip
_MODEL_FACTS: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("kind", "base", "job", "train", "dev"), (str, _NONE)), "created": (int, float, _NONE),
}  # fmt: skip
_SETTLED = ("done", "failed", "stopped")


@dataclass(frozen=True, slots=True)
class Ingested:
    """What an ingest found new.

    Attributes:
        n_jobs: Jobs whose row is new or has changed.
        n_events: Event rows added.
        n_bad: Complete lines that are not events.
        n_datasets: Dataset versions added.
        n_models: Models added.
        notices: Sentences for the researcher, such as that the store was damaged and has been made again.
    """

    n_jobs: int = 0
    n_events: int = 0
    n_bad: int = 0
    n_datasets: int = 0
    n_models: int = 0
    notices: tuple[str, ...] = ()


def fill(database: Database, workspace: Workspace) -> Ingested:
    """Bring every table up to date with the files; one transaction per batch of a job's events."""
    before = dict(database.rows("SELECT job_id, byte_offset FROM jobs WHERE NOT settled"))
    settled = {job_id for (job_id,) in database.rows("SELECT job_id FROM jobs WHERE settled")}
    jobs = list_jobs(workspace)
    n_jobs = n_events = n_bad = 0
    for status in reversed(jobs):
        if status.id in settled:
            continue
        n_jobs += 1
        for batch in _batches(status, before.get(status.id, 0)):
            n_events += len(batch.events)
            n_bad += batch.n_bad
            with database.transaction():
                _put_job(database, status, batch)
                _put_events(database, status.id, batch)
        if status.state in _SETTLED:
            with database.transaction():
                _put_evaluation(database, status)
                database.run("UPDATE jobs SET settled = true WHERE job_id = ?", [status.id])
    _forget(database, "job_id", {status.id for status in jobs}, ("jobs", "events", "evaluation_metrics"))
    return Ingested(n_jobs, n_events, n_bad, _put_datasets(database, workspace), _put_models(database, workspace))


def flat_metrics(value: Any, name: str = "") -> Iterator[tuple[str, float]]:
    """Yield every finite number of a nested result under its dotted name; what is in lists is left out.

    `{"metrics": {"roc_auc": 0.8}, "interval": {"low": 0.7}}` gives `roc_auc` and `interval.low`.
    """
    if isinstance(value, dict):
        for key, item in value.items():
            yield from flat_metrics(item, name if key == "metrics" else f"{name}.{key}".lstrip("."))
    elif isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        yield name, float(value)


def _batches(status: JobStatus, offset: int) -> Iterator[EventBatch]:
    """Yield what a job's event file holds from an offset on: at least one batch, possibly empty."""
    path = status.folder / EVENTS
    batch = read_events(path, offset)
    yield batch
    while batch.offset > offset:
        offset = batch.offset
        batch = read_events(path, offset)
        if batch.offset > offset:
            yield batch


def _put_job(database: Database, status: JobStatus, batch: EventBatch) -> None:
    database.run(
        """INSERT INTO jobs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, false)
        ON CONFLICT (job_id) DO UPDATE SET state = excluded.state, started = excluded.started, ended = excluded.ended,
            cause = excluded.cause, last_step = excluded.last_step, result = excluded.result,
            byte_offset = excluded.byte_offset, n_bad = jobs.n_bad + excluded.n_bad""",
        [
            status.id,
            status.kind,
            status.title,
            json.dumps(status.params),
            status.state,
            status.created,
            status.started,
            status.ended,
            status.cause,
            status.last_step,
            _result_text(status),
            batch.offset,
            batch.n_bad,
        ],
    )


def _put_events(database: Database, job_id: str, batch: EventBatch) -> None:
    if not batch.events:
        return
    rows = [_row(job_id, event) for event in batch.events]
    table = pa.Table.from_pylist(rows, schema=_EVENT_SCHEMA)
    database.insert("INSERT OR IGNORE INTO events SELECT * FROM batch", table)


def _row(job_id: str, event: dict[str, Any]) -> dict[str, Any]:
    """Return the row of an event: a number is its value, anything else its detail as JSON."""
    value, numeric = event["value"], event["kind"] == "metric"
    other = event.get("value_text") if numeric else value
    return {
        **{key: event[key] for key in ("seq", "kind", "step", "phase")},
        "job_id": job_id,
        "time": float(event["time"]),
        "name": event["name"].encode("utf-8", "replace").decode(),
        "epoch": None if event["epoch"] is None else float(event["epoch"]),
        "value": float(value) if numeric and value is not None else None,
        "detail": None if other is None else json.dumps(other),
    }


def _put_evaluation(database: Database, status: JobStatus) -> None:
    result = _result(status) if status.kind == "evaluate" else {}
    models = [model for model in result.get("models") or [] if isinstance(model, dict)]
    found = [(str(model.get("encoder")), *metric) for model in models for metric in flat_metrics(model)]
    for position, (encoder, metric, value) in enumerate(found):
        database.run(
            "INSERT INTO evaluation_metrics VALUES (?, ?, ?, ?, ?, ?, ?)",
            [status.id, position, status.params.get("set"), encoder, result.get("baseline"), metric, value],
        )


def _put_datasets(database: Database, workspace: Workspace) -> int:
    """Add new versions, which never change, and forget those whose folder is gone."""
    paths = [path for path in workspace.datasets.glob("*/v*/manifest.json") if not path.parent.name.startswith(".")]
    found = {f"{path.parent.parent.name}/{path.parent.name}": path for path in paths}
    known = {folder for (folder,) in database.rows("SELECT folder FROM datasets")}
    with database.transaction():
        added = list(_manifests({key: path for key, path in found.items() if key not in known}, _DATASET_FACTS))
        for folder, named, text in added:
            database.run("INSERT INTO datasets VALUES (?, ?, ?, ?, ?, ?, ?, ?)", [folder, *named, text])
    _forget(database, "folder", found, ("datasets",))
    return len(added)


def _put_models(database: Database, workspace: Workspace) -> int:
    """Add new models, which never change, and forget those whose folder is gone."""
    paths = [path for path in workspace.models.glob("*/manifest.json") if not path.parent.name.startswith(".")]
    found = {path.parent.name: path for path in paths}
    known = {model_id for (model_id,) in database.rows("SELECT model_id FROM models")}
    with database.transaction():
        added = list(_manifests({key: path for key, path in found.items() if key not in known}, _MODEL_FACTS))
        for model_id, named, text in added:
            database.run("INSERT INTO models VALUES (?, ?, ?, ?, ?, ?, ?, ?)", [model_id, *named, text])
    _forget(database, "model_id", found, ("models",))
    return len(added)


def _manifests(found: dict[str, Path], facts: dict[str, tuple[type, ...]]) -> Iterator[tuple[str, list[Any], str]]:
    """Yield key, facts and text of each manifest; one that cannot be read or lacks a fact is passed over."""
    for key in sorted(found):
        try:
            manifest = read_json(found[key])
        except WorkspaceError:
            continue
        if isinstance(manifest, dict) and all(isinstance(manifest.get(name), types) for name, types in facts.items()):
            yield key, [manifest.get(name) for name in facts], json.dumps(manifest)


_FORGET = {
    "jobs": "DELETE FROM jobs WHERE job_id = ?",
    "events": "DELETE FROM events WHERE job_id = ?",
    "evaluation_metrics": "DELETE FROM evaluation_metrics WHERE job_id = ?",
    "datasets": "DELETE FROM datasets WHERE folder = ?",
    "models": "DELETE FROM models WHERE model_id = ?",
}
_KEYS = {
    "job_id": "SELECT job_id FROM jobs",
    "folder": "SELECT folder FROM datasets",
    "model_id": "SELECT model_id FROM models",
}


def _forget(database: Database, key: str, present: Iterable[str], tables: tuple[str, ...]) -> None:
    """Delete the rows of folders that somebody has removed."""
    gone = {value for (value,) in database.rows(_KEYS[key])} - set(present)
    for value in gone:
        with database.transaction():
            for table in tables:
                database.run(_FORGET[table], [value])


def _result(status: JobStatus) -> dict[str, Any]:
    try:
        result = read_json(status.folder / RESULT)
    except WorkspaceError:
        return {}
    return result if isinstance(result, dict) else {}


def _result_text(status: JobStatus) -> str | None:
    result = _result(status) if status.finished else {}
    return json.dumps(result) if result else None
