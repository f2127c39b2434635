"""Files into rows: whatever is new in the folders of jobs, datasets and models, each exactly once.

The rows of a job's events and the byte up to which its file has been read are committed together, so that being killed
at any moment loses nothing and doubles nothing.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from simtune_core.jobs.context import EVENTS
from simtune_core.jobs.events import Event, read_events
from simtune_core.jobs.launcher import list_jobs
from simtune_core.jobs.states import JobStatus
from simtune_core.store.database import Database
from simtune_core.store.job_rows import forget_jobs, put_jobs, settle_jobs
from simtune_core.store.manifests import put_datasets, put_models
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
_SLICE_ROWS = 100_000  # of one transaction
_PUT = "INSERT OR IGNORE INTO events SELECT * FROM batch"  # a number that the job has already is left out
_READ_UP_TO = "UPDATE jobs SET byte_offset = ?, n_bad = n_bad + ? WHERE job_id = ?"


@dataclass(frozen=True, slots=True, eq=False)
class _Slice:
    """Rows of events, the byte of the file after the last of them, and the lines among them that are not events."""

    events: pa.Table
    offset: int
    n_bad: int


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
        more: Whether there is more than could be read in the time given.
    """

    n_jobs: int = 0
    n_events: int = 0
    n_bad: int = 0
    n_datasets: int = 0
    n_models: int = 0
    notices: tuple[str, ...] = ()
    more: bool = False


def fill(database: Database, workspace: Workspace, *, seconds: float = math.inf) -> Ingested:
    """Bring every table up to date with the files; one transaction a slice of a job's events.

    Args:
        database: The open store.
        workspace: Whose files.
        seconds: After about so long it ends, with `more` set, to be called again.
    """
    end = time.monotonic() + seconds
    n_datasets, n_models = put_datasets(database, workspace), put_models(database, workspace)
    jobs = list_jobs(workspace)
    forget_jobs(database, {job_id for (job_id,) in database.rows("SELECT job_id FROM jobs")} - {job.id for job in jobs})
    offsets, n_jobs = put_jobs(database, jobs)
    n_events = n_bad = 0
    for status in reversed(jobs):
        for piece in _slices(status, offsets[status.id]) if status.id in offsets else ():
            with database.transaction():
                database.insert(_PUT, piece.events)
                database.run(_READ_UP_TO, [piece.offset, piece.n_bad, status.id])
            n_events += len(piece.events)
            n_bad += piece.n_bad
            if time.monotonic() > end:
                return Ingested(n_jobs, n_events, n_bad, n_datasets, n_models, more=True)
    settle_jobs(database)
    return Ingested(n_jobs, n_events, n_bad, n_datasets, n_models)


def _slices(status: JobStatus, offset: int) -> Iterator[_Slice]:
    """Yield what a job's event file holds from an offset on, in slices that are not empty."""
    tables: list[pa.Table] = []
    n_rows, n_bad, start = 0, 0, offset
    while True:
        batch = read_events(status.folder / EVENTS, offset)
        tables.append(_table(status.id, batch.events))
        n_rows, n_bad = n_rows + len(batch.events), n_bad + batch.n_bad
        ended = batch.offset == offset
        offset = batch.offset
        if offset > start and (ended or n_rows >= _SLICE_ROWS):
            yield _Slice(pa.concat_tables(tables), offset, n_bad)
            tables, n_rows, n_bad, start = [], 0, 0, offset
        if ended:
            return


def _table(job_id: str, events: Sequence[Event]) -> pa.Table:
    """Return events as rows, column by column: a number is a value, anything else its detail as JSON."""
    values = [float(event.value) if event.kind == "metric" and event.value is not None else None for event in events]
    columns: dict[str, Sequence[Any]] = {
        "job_id": pa.repeat(job_id, len(events)),
        "seq": [event.seq for event in events],
        "time": [event.time for event in events],
        "kind": [event.kind for event in events],
        "name": [event.name for event in events],
        "step": [event.step for event in events],
        "epoch": [event.epoch for event in events],
        "phase": [event.phase for event in events],
        "value": values,
        "detail": [_detail(event) for event in events],
    }
    return pa.table(columns, schema=_EVENT_SCHEMA)


def _detail(event: Event) -> str | None:
    other = event.value_text if event.kind == "metric" else event.value
    return None if other is None else json.dumps(other)
