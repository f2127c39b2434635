"""What the store has held, in a small file beside it: how rows that vanished without an error are noticed.

DuckDB drops a write-ahead log that is cut or missing without a word. Then the store knows less of a job than this file
says. The file may be lost at any time; it never holds more than was committed.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from simtune_core.errors import WorkspaceError
from simtune_core.files import read_json, write_json
from simtune_core.jobs.context import EVENTS
from simtune_core.jobs.events import BATCH_BYTES, EventBatch, read_events
from simtune_core.store.database import Database
from simtune_core.workspace import Workspace


def remember(database: Database, workspace: Workspace) -> None:
    """Write down how far the events of each job have been read; to be called after a commit.

    Raises:
        WorkspaceError: If the disk is full or the folder cannot be written.
    """
    offsets = _offsets(database)
    if offsets != _seen(workspace):
        write_json(_path(workspace), {"v": 1, "offsets": offsets})


def forget_seen(workspace: Workspace) -> None:
    """Take the file away, because the store is to know less on purpose."""
    _path(workspace).unlink(missing_ok=True)


def vanished(database: Database, workspace: Workspace) -> dict[str, int]:
    """Return how many events of which job the store once held and holds no more; jobs without a folder are left out."""
    known = _offsets(database)
    lost = {job_id: (known.get(job_id, 0), end) for job_id, end in _seen(workspace).items()}
    counted = {
        job_id: sum(len(batch.events) for batch in batches_between(workspace.jobs / job_id / EVENTS, start, end))
        for job_id, (start, end) in lost.items()
        if start < end
    }
    return {job_id: n for job_id, n in counted.items() if n}


def batches_between(path: Path, start: int, end: int) -> Iterator[EventBatch]:
    """Yield the events of a file from one byte to another, both of them ends of lines."""
    while start < end:
        # A block that is filled is completed to the end of its line: one byte less never goes past the end asked for.
        batch = read_events(path, start, max_bytes=min(BATCH_BYTES, end - start - 1))
        if batch.offset <= start:
            return
        yield batch
        start = batch.offset


def _offsets(database: Database) -> dict[str, int]:
    return dict(database.rows("SELECT job_id, byte_offset FROM jobs WHERE byte_offset > 0 ORDER BY job_id"))


def _seen(workspace: Workspace) -> dict[str, int]:
    try:
        found = read_json(_path(workspace))["offsets"]
        return {str(job_id): int(offset) for job_id, offset in found.items()}
    except (WorkspaceError, KeyError, TypeError, ValueError, AttributeError):
        return {}


def _path(workspace: Workspace) -> Path:
    return workspace.store.with_name(f".{workspace.store.name}.seen")
