"""Jobs into rows: one row a job, and one for each metric of an evaluation; both can be made again from its folder.

Knows nothing of events; those belong to `ingesting.py`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from simtune_core.errors import WorkspaceError
from simtune_core.files import read_json
from simtune_core.jobs.states import RESULT, JobStatus
from simtune_core.store.database import Database

SETTLED = ("done", "failed", "stopped")  # nothing more will come of such a job once its events are in
# What the table holds of a job, but for how far its events have been read.
_FACTS = pa.schema(
    [
        *((name, pa.string()) for name in ("job_id", "kind", "title", "params", "state")),
        *((name, pa.float64()) for name in ("created", "started", "ended")),
        ("cause", pa.string()),
        ("last_step", pa.int64()),
        ("result", pa.string()),
        ("attempt", pa.int32()),
        ("continues", pa.string()),
        ("device", pa.string()),
    ]
)
_EVALUATION = pa.schema(
    [
        ("job_id", pa.string()),
        ("position", pa.int32()),
        *((name, pa.string()) for name in ("set_ref", "encoder", "baseline", "metric")),
        ("value", pa.float64()),
    ]
)
FACTS = tuple(_FACTS.names)
_PUT = """INSERT INTO jobs (job_id, kind, title, params, state, created, started, ended, cause, last_step, result,
        attempt, continues, device, byte_offset, n_bad, settled)
    SELECT *, 0, 0, false FROM batch
    ON CONFLICT (job_id) DO UPDATE SET kind = excluded.kind, title = excluded.title, params = excluded.params,
        state = excluded.state, created = excluded.created, started = excluded.started, ended = excluded.ended,
        cause = excluded.cause, last_step = excluded.last_step, result = excluded.result, attempt = excluded.attempt,
        continues = excluded.continues, device = excluded.device"""
HELD = """SELECT job_id, kind, title, params, state, created, started, ended, cause, last_step, result, attempt,
        continues, device
    FROM jobs WHERE settled <= ?"""
_FORGET = (
    "DELETE FROM jobs WHERE job_id = ?",
    "DELETE FROM events WHERE job_id = ?",
    "DELETE FROM evaluation_metrics WHERE job_id = ?",
)


def put_jobs(database: Database, jobs: Sequence[JobStatus]) -> tuple[dict[str, int], int]:
    """Write the row of every job that is new or has changed, with the metrics of an evaluation, in one transaction.

    Returns:
        By id, the byte up to which the events of each job that is not settled have been read; and how many rows
        were written.
    """
    settled = {job_id for (job_id,) in database.rows("SELECT job_id FROM jobs WHERE settled")}
    before = {row[0]: row for row in database.rows(HELD, [False])}
    waiting = [status for status in reversed(jobs) if status.id not in settled]
    facts = [(status, row) for status in waiting if (row := job_facts(status)) != before.get(status.id)]
    if facts:
        evaluated = [status for status, _ in facts if status.kind == "evaluate"]
        with database.transaction():
            database.insert(_PUT, _table(_FACTS, [row for _, row in facts]))
            for status in evaluated:
                database.run("DELETE FROM evaluation_metrics WHERE job_id = ?", [status.id])
            rows = [row for status in evaluated for row in evaluation_rows(status)]
            if rows:
                database.insert("INSERT INTO evaluation_metrics SELECT * FROM batch", _table(_EVALUATION, rows))
    offsets = dict(database.rows("SELECT job_id, byte_offset FROM jobs WHERE NOT settled"))
    return {status.id: offsets[status.id] for status in waiting}, len(facts)


def settle_jobs(database: Database) -> None:
    """Mark the jobs that have ended as settled; to be called when all events of all jobs are in."""
    database.run("UPDATE jobs SET settled = true WHERE NOT settled AND state IN (?, ?, ?)", SETTLED)


def forget_jobs(database: Database, job_ids: Iterable[str]) -> None:
    """Delete everything of some jobs; an ingest reads again what has a folder."""
    for job_id in job_ids:
        with database.transaction():
            for statement in _FORGET:
                database.run(statement, [job_id])


def job_facts(status: JobStatus) -> tuple[Any, ...]:
    """Return what the row of a job should hold, in the order of `FACTS`."""
    values: Mapping[str, Any] = {
        **{name: getattr(status, name) for name in FACTS if name not in ("job_id", "params", "result")},
        "job_id": status.id,
        "params": json.dumps(status.params),
        "result": json.dumps(result) if (result := _result(status)) else None,
    }
    return tuple(values[name] for name in FACTS)


def evaluation_rows(status: JobStatus) -> list[tuple[Any, ...]]:
    """Return what the store should hold of a finished evaluation: every finite number of every model."""
    result = _result(status) if status.kind == "evaluate" and status.state in SETTLED else {}
    models = [model for model in result.get("models") or [] if isinstance(model, dict)]
    found = [(str(model.get("encoder")), *metric) for model in models for metric in flat_metrics(model)]
    common = status.params.get("set"), result.get("baseline")
    return [
        (status.id, position, common[0], encoder, common[1], metric, value)
        for position, (encoder, metric, value) in enumerate(found)
    ]


def flat_metrics(value: Any, name: str = "") -> Iterator[tuple[str, float]]:
    """Yield every finite number of a nested result under its dotted name; what is in lists is left out.

    `{"metrics": {"roc_auc": 0.8}, "interval": {"low": 0.7}}` gives `roc_auc` and `interval.low`.
    """
    if isinstance(value, dict):
        for key, item in value.items():
            yield from flat_metrics(item, name if key == "metrics" else f"{name}.{key}".lstrip("."))
    elif isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        yield name, float(value)


def _table(schema: pa.Schema, rows: Sequence[tuple[Any, ...]]) -> pa.Table:
    columns = zip(*rows, strict=True)
    return pa.table([pa.array(column, type=field.type) for column, field in zip(columns, schema, strict=True)], schema)


def _result(status: JobStatus) -> dict[str, Any]:
    try:
        result = read_json(status.folder / RESULT) if status.finished else {}
    except WorkspaceError:
        return {}
    return result if isinstance(result, dict) else {}
