"""The only place that opens DuckDB: one process at a time, briefly, never across a fork.

DuckDB 2.0.0 reads the header of a file before it takes its own lock, so processes that take turns can lose committed
rows; the file lock held before `connect` and the `duckdb:` prefix are both needed. Knows no table.
"""

from __future__ import annotations

import json
import os
import sys
import time
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
from simtune_core.store.faults import busy_sentence, is_taken
from simtune_core.workspace import Workspace

_POLL_SECONDS = 0.02


class StoreSettings(Settings):
    """How the results store uses the machine."""

    memory_limit_mb: int = Field(default=1024, ge=64, description="Most memory of a query, in MB.")
    threads: int = Field(default=2, ge=1, le=64, description="Threads of a query.")
    lock_seconds: float = Field(default=10.0, ge=0.0, le=600.0, description="How long to wait for another process.")
    slice_seconds: float = Field(
        default=1.0, gt=0.0, le=60.0, description="How long an import keeps the store from others at a stretch."
    )


class Database:
    """One open session with the store; refuses to work in any process but the one that opened it."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
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

    def limit(self, seconds: float | None) -> None:
        """From now on interrupt every statement that takes longer; without a number each may take what it needs."""
        milliseconds = 0 if seconds is None else max(1, round(1000 * seconds))
        self.connection.execute(f"SET max_execution_time = {milliseconds}")

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
    lock = FileLock(path, timeout=settings.lock_seconds, thread_local=False, poll_interval=_POLL_SECONDS)
    try:
        lock.acquire()
        owner.write_text(json.dumps({"name": Path(sys.executable).name, "pid": os.getpid()}), encoding="utf-8")
    except Timeout as error:
        raise StoreError(busy_sentence(_owner(owner))) from error
    except OSError as error:
        lock.release()
        raise disk_error(path, error) from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def open_database(
    path: Path, settings: StoreSettings, *, spill: Path | None, read_only: bool = False
) -> Iterator[Database]:
    """Open a database file for one short session; for the store itself the caller holds `store_lock`.

    Args:
        path: The file; made if missing, unless it is only to be read.
        settings: Memory, threads and patience with a program that holds the file past our lock.
        spill: Where a query may put what does not fit into memory; nowhere without it.
        read_only: Whether to open a file that nobody may write.
    """
    if spill is not None:
        spill.mkdir(parents=True, exist_ok=True)
    config: dict[str, Any] = {
        "memory_limit": f"{settings.memory_limit_mb}MB",
        "threads": settings.threads,
        "temp_directory": str(spill or ""),
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "python_enable_replacements": "false",
    }
    connection = _connect(path, config, settings.lock_seconds, read_only=read_only)
    try:
        yield Database(connection)
    finally:
        connection.close()


def set_aside(path: Path, why: str = "damaged") -> Path:
    """Rename a damaged or foreign file and its write-ahead log, so that nothing is lost; return its new path."""
    kept = path.with_name(f"{path.name}.{why}-{new_id()}")
    path.rename(kept)
    log = log_of(path)
    if log.exists():
        log.rename(log_of(kept))
    return kept


def log_of(path: Path) -> Path:
    """Return where DuckDB keeps the write-ahead log of a file."""
    return path.with_name(f"{path.name}.wal")


def _connect(path: Path, config: dict[str, Any], patience: float, *, read_only: bool) -> duckdb.DuckDBPyConnection:
    """Connect; wait for a program that holds the file itself, such as a notebook that opened it."""
    end = time.monotonic() + patience
    while True:
        try:
            return duckdb.connect(f"duckdb:{path}", read_only=read_only, config=config)
        except duckdb.IOException as error:
            if not is_taken(error) or time.monotonic() > end:
                raise
        time.sleep(_POLL_SECONDS)


def _owner(path: Path) -> str:
    try:
        owner = read_json(path)
        return f"{owner['name']} (PID {owner['pid']})"
    except (WorkspaceError, KeyError, TypeError):
        return "another process"
