"""The only place that opens DuckDB: one process at a time, briefly, never across a fork.

DuckDB 2.0.0 reads the header of a file before it takes its own lock, so processes that take turns can lose committed
rows; the file lock held before `connect` and the `duckdb:` prefix are both needed. Knows no table.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
from filelock import FileLock, Timeout
from pydantic import Field

from simtune_core.errors import StoreError, WorkspaceError
from simtune_core.files import disk_error, new_id, read_json
from simtune_core.settings import Settings
from simtune_core.workspace import Workspace

_DAMAGE = ("not a valid duckdb database", "corrupt", "could not read enough bytes", "checksum", "deserializ")
_NEWER = ("version number", "newer version of duckdb")
_FULL = ("no space left", "disk is full", "could not write all")


class StoreSettings(Settings):
    """How the results store uses the machine."""

    memory_limit_mb: int = Field(default=1024, ge=64, description="Most memory of a query, in MB.")
    threads: int = Field(default=2, ge=1, le=64, description="Threads of a query.")
    lock_seconds: float = Field(default=10.0, ge=0.0, le=600.0, description="How long to wait for another process.")


class Database:
    """One open session with the store; refuses to work in any process but the one that opened it.

    Attributes:
        fresh: Whether this session found no store and made it from the files.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.fresh = False
        self._connection = connection
        self._pid = os.getpid()

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """Return the connection.

        Raises:
            StoreError: In a forked process, where writing through it would lose rows without a word.
        """
        if os.getpid() != self._pid:
            raise StoreError("The results store must be used by the process that opened it; open it anew after a fork.")
        return self._connection

    def run(self, sql: str, values: Sequence[Any] = ()) -> None:
        """Execute one statement."""
        self.connection.execute(sql, list(values))

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        return self.connection.execute(sql, list(values)).fetchall()

    def frame(self, sql: str, values: Sequence[Any] = ()) -> pd.DataFrame:
        """Return the answer of a query as a table."""
        return self.connection.execute(sql, list(values)).df()

    def insert(self, sql: str, table: pa.Table) -> None:
        """Execute an INSERT that selects from `batch`, the table given."""
        self.connection.register("batch", table)
        try:
            self.connection.execute(sql)
        finally:
            self.connection.unregister("batch")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit everything done inside, or nothing of it."""
        self.connection.begin()
        try:
            yield
        except BaseException:
            self.connection.rollback()
            raise
        self.connection.commit()


@contextmanager
def store_lock(workspace: Workspace, settings: StoreSettings) -> Iterator[None]:
    """Hold the right to open the store; everybody else waits, across processes and threads.

    Raises:
        StoreError: If another process holds it longer than `lock_seconds`; it is named.
        WorkspaceError: If the lock file cannot be written.
    """
    path = workspace.store.with_name(f".{workspace.store.name}.lock")
    owner = path.with_suffix(".owner")
    lock = FileLock(path, timeout=settings.lock_seconds, thread_local=False)
    try:
        lock.acquire()
        owner.write_text(json.dumps({"name": Path(sys.executable).name, "pid": os.getpid()}), encoding="utf-8")
    except Timeout as error:
        raise StoreError(f"The results store is in use by {_owner(owner)}; try again in a moment.") from error
    except OSError as error:
        raise disk_error(path, error) from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def open_database(workspace: Workspace, settings: StoreSettings) -> Iterator[Database]:
    """Open the store for one short session; the caller holds `store_lock`."""
    spill = workspace.cache / "duckdb"
    spill.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect(
        f"duckdb:{workspace.store}",
        config={
            "memory_limit": f"{settings.memory_limit_mb}MB",
            "threads": settings.threads,
            "temp_directory": str(spill),
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
        },
    )
    try:
        yield Database(connection)
    finally:
        connection.close()


def is_damage(error: duckdb.Error) -> bool:
    """Tell whether an error means that the file is not a store any more, or never was one."""
    text = str(error).lower()
    if any(mark in text for mark in _NEWER + _FULL):
        return False
    return isinstance(error, duckdb.InternalException) or any(mark in text for mark in _DAMAGE)


def sentence_for(error: duckdb.Error) -> str:
    """Word an error of the database for a researcher."""
    text = str(error)
    if any(mark in text.lower() for mark in _NEWER):
        return (
            f"The results store was written by a newer DuckDB than {duckdb.__version__}; install that version, "
            "or make it again from the files with `store rebuild`."
        )
    if any(mark in text.lower() for mark in _FULL):
        return "Disk full: results are kept in the job folders and will be imported later; free some space."
    if isinstance(error, duckdb.OutOfMemoryException):
        return "The question needs more memory than the results store may use; ask for less at once."
    return f"The results store cannot answer: {text.splitlines()[0][:300]}"


def set_aside(path: Path) -> Path:
    """Rename a damaged or foreign file and its write-ahead log, so that nothing is lost; return its new path."""
    kept = path.with_name(f"{path.name}.damaged-{new_id()}")
    path.rename(kept)
    log = path.with_name(f"{path.name}.wal")
    if log.exists():
        log.rename(kept.with_name(f"{kept.name}.wal"))
    return kept


def _owner(path: Path) -> str:
    try:
        owner = read_json(path)
        return f"{owner['name']} (PID {owner['pid']})"
    except (WorkspaceError, KeyError, TypeError):
        return "another process"
