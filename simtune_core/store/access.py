"""How every question reaches the store: opened under the lock, brought to the newest schema, made again if damaged.

A store that is missing or was set aside is filled from the files in slices, between which the lock is free, so that
nobody waits for the whole of it who does not need the whole of it.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import duckdb

from simtune_core.errors import StoreError
from simtune_core.files import disk_error, new_id, whole_file
from simtune_core.jobs.launcher import list_jobs
from simtune_core.store.database import Database, StoreSettings, log_of, open_database, set_aside, store_lock
from simtune_core.store.faults import is_damage, is_damaged_log, is_taken, sentence_for
from simtune_core.store.ingesting import Ingested, fill
from simtune_core.store.schema import MIGRATIONS, Depth, State, depth, prepare, schema_version, set_depth
from simtune_core.store.seen import forget_seen, remember, vanished
from simtune_core.workspace import Workspace

Answer = TypeVar("Answer")
PAUSE_SECONDS = 0.05  # between two slices; longer than those who wait for the lock look away
_ATTEMPTS = 4  # an old store with a damaged log that turns out to be damaged itself needs them all
_REOPENED = "The results store stopped answering after an error of the disk or the database and was opened again."
_DEPTHS: tuple[Depth, ...] = ("nothing", "index", "everything")


def ask(
    workspace: Workspace,
    question: Callable[[Database], Answer],
    settings: StoreSettings | None = None,
    *,
    needs: Depth = "everything",
    timeout_seconds: float | None = None,
) -> Answer:
    """Open the store, put a question to it and close it.

    A missing store is made from the files first. A damaged or foreign file is set aside, kept, and made again. In a
    workspace that may not be written the store is asked as it is.

    Args:
        workspace: Whose store.
        question: Given the open database; called a second time if the file turns out to be damaged.
        settings: Memory, threads and patience.
        needs: What of the files the store must hold before it is asked, if it has just been made again: "index" is
            jobs, evaluations, datasets and models without the events.
        timeout_seconds: How long each statement of the question may take; then it is interrupted.

    Raises:
        StoreError: If another process holds the store, the store is newer than this program, or it cannot answer.
        WorkspaceError: If the disk is full or the folder cannot be written.
    """
    chosen = settings or StoreSettings()
    if workspace.read_only:
        return _ask_as_it_is(workspace, question, chosen, timeout_seconds)

    def answers(database: Database) -> list[Answer]:
        if not _filled(database, workspace, chosen, needs):
            return []
        database.limit(timeout_seconds)
        return [question(database)]

    while True:
        with store_lock(workspace, chosen):
            try:
                found = _in_session(workspace, chosen, answers)
            except OSError as error:
                raise disk_error(workspace.store, error) from error
        if found:
            return found[0]
        time.sleep(PAUSE_SECONDS)


def fill_slice(database: Database, workspace: Workspace, settings: StoreSettings) -> Ingested:
    """Take in what is new for about `slice_seconds`, and write down how far it came."""
    ingested = fill(database, workspace, seconds=settings.slice_seconds)
    if not ingested.more:
        set_depth(database, "everything")
    elif depth(database) == "nothing":
        set_depth(database, "index")
    remember(database, workspace)
    return ingested


def require_writable(workspace: Workspace) -> None:
    """Raise `StoreError` if the workspace may only be read."""
    if workspace.read_only:
        raise StoreError(
            "This workspace is read-only, so its results store stays as it is; what is there can be shown."
        )


def leave_notice(database: Database, message: str) -> None:
    """Leave a sentence for whoever ingests next and can show it."""
    database.run("INSERT INTO notices VALUES (?, ?)", [time.time(), message])


def is_ours(workspace: Workspace, settings: StoreSettings) -> bool:
    """Tell whether the file can be opened and holds our tables; the caller holds the lock.

    Raises:
        StoreError: If another program holds the file.
    """
    try:
        with open_database(workspace.store, settings, spill=None) as database:
            return bool(schema_version(database))
    except duckdb.Error as error:
        if is_taken(error):
            raise StoreError(sentence_for(error, workspace, memory_limit_mb=settings.memory_limit_mb)) from error
        return False


def _filled(database: Database, workspace: Workspace, settings: StoreSettings, needs: Depth) -> bool:
    """Work on a store that was made again until it holds what a question needs; tell whether it does."""
    if _DEPTHS.index(depth(database)) < _DEPTHS.index(needs):
        fill_slice(database, workspace, settings)
    return _DEPTHS.index(depth(database)) >= _DEPTHS.index(needs)


def _in_session(workspace: Workspace, settings: StoreSettings, work: Callable[[Database], Answer]) -> Answer:
    """Open the store and work with it; mend what can be mended and try again. The caller holds the lock."""
    mended: list[str] = []
    n_told, copied = 0, False
    for _ in range(_ATTEMPTS):
        try:
            with open_database(workspace.store, settings, spill=workspace.cache / "duckdb") as database:
                state, version = prepare(database, upgrade=copied), schema_version(database)
                if state in ("ready", "fresh"):
                    _begin(database, workspace, state, mended[n_told:])
                    n_told = len(mended)
                    return work(database)
        except duckdb.Error as error:
            mended.append(_mended(workspace, settings, error, mended))
            continue
        if state == "old":
            mended.append(_copied(workspace.store, version))
            copied = True
        else:
            mended.append(_replaced(workspace, "foreign", "was not one of simtune's"))
    raise StoreError(f"The results store could not be made to work: {' '.join(mended)} Try `store rebuild`.")


def _begin(database: Database, workspace: Workspace, state: State, mended: list[str]) -> None:
    """Leave notices of what was mended and of rows that vanished; let the next ingest bring those back."""
    if state == "fresh":
        forget_seen(workspace)
    lost = vanished(database, workspace)
    if mended or lost:
        with database.transaction():
            for message in mended:
                leave_notice(database, message)
            if lost:
                leave_notice(database, _restored(sum(lost.values()), len(lost)))
                set_depth(database, "nothing")
    if lost:
        forget_seen(workspace)


def _restored(n_rows: int, n_jobs: int) -> str:
    return (
        f"The results store had lost rows, as it does when its write-ahead log is cut or removed: {n_rows:,} rows "
        f"restored for {n_jobs:,} {'job' if n_jobs == 1 else 'jobs'} from their folders."
    )


def _mended(workspace: Workspace, settings: StoreSettings, error: duckdb.Error, mended: list[str]) -> str:
    """Make room for a store that works again and say what was done; opening it again is tried once.

    Raises:
        StoreError: If there is nothing to mend.
    """
    log = log_of(workspace.store)
    if is_damaged_log(error) and log.exists():
        kept = log.rename(log.with_name(f"{log.name}.damaged-{new_id()}"))
        return f"The write-ahead log of the results store was damaged; it is kept as {kept.name}."
    if is_damage(error):
        return _replaced(workspace, "damaged", "was damaged or is no database")
    if isinstance(error, duckdb.FatalException) and _REOPENED not in mended:
        return _REOPENED
    raise StoreError(sentence_for(error, workspace, memory_limit_mb=settings.memory_limit_mb)) from error


def _replaced(workspace: Workspace, why: str, what: str) -> str:
    kept = set_aside(workspace.store, why)
    return (
        f"The results store {what} and has been made again from {len(list_jobs(workspace)):,} job folders; the old "
        f"file is kept as {kept.name}."
    )


def _copied(store: Path, version: int | None) -> str:
    """Copy a store of an older schema, closed and without a log, before it is upgraded; keep the newest copy only."""
    kept = store.with_name(f"{store.name}.schema-{version}-{new_id()}")
    with whole_file(kept) as beside:
        shutil.copyfile(store, beside)
    unfinished = store.parent.glob(f".{store.name}.schema-*.part")
    for older in (*store.parent.glob(f"{store.name}.schema-*"), *unfinished):
        if older != kept:
            older.unlink(missing_ok=True)
    reached = len(MIGRATIONS)
    return f"The results store was brought from schema {version} to {reached}; the old file is kept as {kept.name}."


def _ask_as_it_is(
    workspace: Workspace,
    question: Callable[[Database], Answer],
    settings: StoreSettings,
    timeout_seconds: float | None,
) -> Answer:
    """Put a question to a store that may not be written; there is no lock, and nothing is mended."""
    if not workspace.store.exists():
        raise StoreError("This workspace is read-only and has no results store; everything is shown from the files.")
    try:
        with open_database(workspace.store, settings, spill=None, read_only=True) as database:
            if schema_version(database) != len(MIGRATIONS):
                raise StoreError(
                    "This workspace is read-only and its results store has another schema than this program; "
                    "everything is shown from the files."
                )
            database.limit(timeout_seconds)
            return question(database)
    except duckdb.Error as error:
        raise StoreError(sentence_for(error, workspace, memory_limit_mb=settings.memory_limit_mb)) from error
