"""Looking after the store: ingest what is new, make it again, compare it with the files, export it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from simtune_core.errors import StoreError
from simtune_core.files import whole_file
from simtune_core.jobs.context import EVENTS
from simtune_core.jobs.events import read_events
from simtune_core.jobs.launcher import list_jobs
from simtune_core.jobs.states import JobStatus
from simtune_core.store.access import ask, is_ours
from simtune_core.store.database import Database, StoreSettings, set_aside, store_lock
from simtune_core.store.ingesting import Ingested, fill
from simtune_core.store.schema import TABLES
from simtune_core.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Difference:
    """One job whose rows are not what its file says.

    Attributes:
        job_id: The job.
        n_lines: Events in its file.
        n_rows: Events in the store.
    """

    job_id: str
    n_lines: int
    n_rows: int


@dataclass(frozen=True, slots=True)
class StoreCheck:
    """The store compared with the files it was made from.

    Attributes:
        n_jobs: Jobs compared.
        n_lines: Events in their files.
        n_rows: Events in the store.
        n_bad: Complete lines that are not events.
        differences: The jobs that differ; empty when all is well.
    """

    n_jobs: int
    n_lines: int
    n_rows: int
    n_bad: int
    differences: tuple[Difference, ...]

    @property
    def clean(self) -> bool:
        """Tell whether nothing differs."""
        return not self.differences


def ingest(workspace: Workspace, settings: StoreSettings | None = None) -> Ingested:
    """Take whatever is new in jobs, datasets and models into the store; a second call adds nothing.

    Returns:
        What was new, and the notices left by repairs since the last ingest.

    Raises:
        StoreError: If another process holds the store, it is newer than this program, or the disk is full.
    """
    return ask(workspace, lambda database: _ingest(database, workspace), settings)


def rebuild(workspace: Workspace, settings: StoreSettings | None = None) -> Ingested:
    """Make the store again from the files, whatever is wrong with it; a file that is no store of ours is kept aside.

    Raises:
        StoreError: If another process holds the store, or the disk is full.
    """
    chosen = settings or StoreSettings()
    with store_lock(workspace, chosen):
        if workspace.store.exists() and not is_ours(workspace, chosen):
            set_aside(workspace.store)
        workspace.store.unlink(missing_ok=True)
        workspace.store.with_name(f"{workspace.store.name}.wal").unlink(missing_ok=True)
    return ingest(workspace, settings)  # the first session makes a store that does not exist from the files


def check(workspace: Workspace, settings: StoreSettings | None = None) -> StoreCheck:
    """Ingest what is new, then compare the events of every job with its file.

    Raises:
        StoreError: If another process holds the store, it is newer than this program, or the disk is full.
    """
    return ask(workspace, lambda database: _check(database, workspace), settings)


def export(workspace: Workspace, folder: Path, settings: StoreSettings | None = None) -> list[Path]:
    """Write every table as a Parquet file of its name.

    Args:
        workspace: Whose store.
        folder: Where to write; made if missing. Nothing in it is overwritten.
        settings: Memory, threads and patience.

    Returns:
        The files written.

    Raises:
        StoreError: If one of the files exists already, or the store cannot be opened.
        WorkspaceError: If the disk is full or the folder cannot be written.
    """
    paths = [folder / f"{table}.parquet" for table in TABLES]
    taken = [path.name for path in paths if path.exists()]
    if taken:
        raise StoreError(f"{', '.join(taken)} must not exist in the folder of an export; choose another folder.")

    def write(database: Database) -> list[Path]:
        fill(database, workspace)
        for path in paths:
            with whole_file(path) as beside:
                database.connection.table(path.stem).order("ALL").write_parquet(str(beside))
        return paths

    return ask(workspace, write, settings)


def _ingest(database: Database, workspace: Workspace) -> Ingested:
    ingested = _everything(database) if database.fresh else fill(database, workspace)
    notices = tuple(message for (message,) in database.rows("SELECT message FROM notices ORDER BY time"))
    if notices:
        database.run("DELETE FROM notices")
    return replace(ingested, notices=notices)


def _everything(database: Database) -> Ingested:
    ((n_jobs, n_bad),) = database.rows("SELECT count(*), coalesce(sum(n_bad), 0) FROM jobs")
    ((n_events,),) = database.rows("SELECT count(*) FROM events")
    ((n_datasets,),) = database.rows("SELECT count(*) FROM datasets")
    ((n_models,),) = database.rows("SELECT count(*) FROM models")
    return Ingested(n_jobs, n_events, int(n_bad), n_datasets, n_models)


def _check(database: Database, workspace: Workspace) -> StoreCheck:
    fill(database, workspace)
    n_rows = dict(database.rows("SELECT job_id, count(*) FROM events GROUP BY job_id"))
    jobs = list_jobs(workspace)
    n_lines = {status.id: _count_events(status) for status in jobs}
    active = {status.id for status in jobs if status.active}  # they may have written more since they were ingested
    pairs = [(job_id, n_lines.get(job_id, 0), n_rows.get(job_id, 0)) for job_id in sorted(n_lines | n_rows)]
    ((n_bad,),) = database.rows("SELECT coalesce(sum(n_bad), 0) FROM jobs")
    return StoreCheck(
        n_jobs=len(jobs),
        n_lines=sum(n_lines.values()),
        n_rows=sum(n_rows.values()),
        n_bad=int(n_bad),
        differences=tuple(
            Difference(job_id, lines, rows)
            for job_id, lines, rows in pairs
            if rows > lines or (rows < lines and job_id not in active)
        ),
    )


def _count_events(status: JobStatus) -> int:
    """Count the events of a job's file, each number once."""
    offset, seqs = 0, set[int]()
    while (batch := read_events(status.folder / EVENTS, offset)).offset > offset:
        seqs.update(event.seq for event in batch.events)
        offset = batch.offset
    return len(seqs)
