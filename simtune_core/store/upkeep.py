"""Looking after the store: ingest what is new, make it again from the files, export it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from simtune_core.errors import StoreError
from simtune_core.files import whole_file
from simtune_core.store.access import PAUSE_SECONDS, ask, fill_slice, is_ours, require_writable
from simtune_core.store.database import Database, StoreSettings, log_of, set_aside, store_lock
from simtune_core.store.ingesting import Ingested
from simtune_core.store.schema import TABLES
from simtune_core.store.seen import forget_seen
from simtune_core.workspace import Workspace

Take = Callable[[Database, Workspace, StoreSettings], Ingested]


def ingest(workspace: Workspace, settings: StoreSettings | None = None) -> Ingested:
    """Take whatever is new in jobs, datasets and models into the store; a second call adds nothing.

    Works in slices of about `slice_seconds`; between them the store is free for others.

    Returns:
        What was new, and the notices left by repairs since the last ingest.

    Raises:
        StoreError: If another process holds the store, it is newer than this program, or the disk is full.
        WorkspaceError: If the disk is full or the folder cannot be written.
    """
    return catch_up(workspace, settings or StoreSettings(), _slice)


def catch_up(workspace: Workspace, settings: StoreSettings, take: Take = fill_slice) -> Ingested:
    """Ingest as `ingest` does, but leave the notices for whoever shows them."""
    require_writable(workspace)
    total = Ingested()
    while True:
        found = ask(workspace, lambda database: take(database, workspace, settings), settings, needs="nothing")
        total = _both(total, found)
        if not found.more:
            return total
        time.sleep(PAUSE_SECONDS)


def rebuild(workspace: Workspace, settings: StoreSettings | None = None) -> Ingested:
    """Make the store again from the files, whatever is wrong with it; a file that is no store of ours is kept aside.

    Raises:
        StoreError: If another process holds the store, or the disk is full.
        WorkspaceError: If the disk is full or the folder cannot be written.
    """
    require_writable(workspace)
    chosen = settings or StoreSettings()
    with store_lock(workspace, chosen):
        if workspace.store.exists() and not is_ours(workspace, chosen):
            set_aside(workspace.store)
        workspace.store.unlink(missing_ok=True)
        log_of(workspace.store).unlink(missing_ok=True)
        forget_seen(workspace)
    return ingest(workspace, chosen)


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
        for path in paths:
            with whole_file(path) as beside:
                database.connection.table(path.stem).order("ALL").write_parquet(str(beside))
        return paths

    if not workspace.read_only:
        catch_up(workspace, settings or StoreSettings())
    return ask(workspace, write, settings)


def _slice(database: Database, workspace: Workspace, settings: StoreSettings) -> Ingested:
    ingested = fill_slice(database, workspace, settings)
    notices = tuple(message for (message,) in database.rows("SELECT message FROM notices ORDER BY time"))
    if notices:
        database.run("DELETE FROM notices")
    return replace(ingested, notices=notices)


def _both(first: Ingested, second: Ingested) -> Ingested:
    """Add up two slices of one ingest."""
    return Ingested(
        n_jobs=first.n_jobs + second.n_jobs,
        n_events=first.n_events + second.n_events,
        n_bad=first.n_bad + second.n_bad,
        n_datasets=first.n_datasets + second.n_datasets,
        n_models=first.n_models + second.n_models,
        notices=first.notices + second.notices,
    )
