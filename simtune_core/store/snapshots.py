"""Copies of the store that anybody may read at any time, and questions in SQL that may read nothing but such a copy.

Never opens the store itself for a question typed by a person.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
from pydantic import Field

from simtune_core.errors import StoreError
from simtune_core.files import new_id, whole_file
from simtune_core.settings import Settings
from simtune_core.store.access import ask
from simtune_core.store.database import Database, StoreSettings, open_database
from simtune_core.store.faults import sentence_for
from simtune_core.store.upkeep import catch_up
from simtune_core.workspace import Workspace

_CELL_CHARACTERS = 10_000
_PLAIN = ("BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "FLOAT", "DOUBLE")
_TORN_SECONDS = 3600.0  # a copy that is still in the making after an hour belonged to a process that was killed
_ONE_AT_A_TIME = threading.Lock()  # two sessions of one process with one file would share their settings


class QuerySettings(Settings):
    """What a question in SQL may take."""

    rows: int = Field(default=1000, ge=1, le=1_000_000, description="Most rows of an answer.")
    timeout_seconds: float = Field(default=60.0, gt=0.0, le=3600.0, description="Most seconds a question may take.")


@dataclass(frozen=True, slots=True)
class QueryAnswer:
    """What a question in SQL found.

    Attributes:
        columns: Names of the columns.
        rows: Numbers, texts, booleans and None; everything else as text, and no text longer than 10,000 characters.
        cut: Whether there were more rows than may be shown.
        snapshot: The copy that was asked.
        age_seconds: How old that copy is.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    cut: bool
    snapshot: Path
    age_seconds: float


def snapshot(workspace: Workspace, path: Path | None = None, settings: StoreSettings | None = None) -> Path:
    """Take in what is new, then copy the store as it is at one moment.

    Args:
        workspace: Whose store.
        path: Where to; without it into `data/snapshots/`, of which only the newest is kept.
        settings: Memory, threads and patience.

    Returns:
        The copy, a DuckDB file; opened read-only it disturbs nobody.

    Raises:
        StoreError: If the path is taken, or the store cannot be opened.
        WorkspaceError: If the disk is full or the folder cannot be written.
    """
    target = path or _folder(workspace) / f"simtune-{new_id()}.duckdb"
    if target.exists():
        raise StoreError(f"{target.name} exists already and nothing is overwritten; choose another name.")
    if not workspace.read_only:
        catch_up(workspace, settings or StoreSettings())
    with whole_file(target) as beside:
        ask(workspace, lambda database: _copy(database, beside), settings)
    if path is None:
        torn = (part for part in target.parent.glob(".simtune-*.part*") if _age(part) > _TORN_SECONDS)
        for older in (*_snapshots(workspace)[:-1], *torn):
            older.unlink(missing_ok=True)
    return target


def newest_snapshot(workspace: Workspace) -> Path | None:
    """Return the newest copy in `data/snapshots/`; None if there is none."""
    found = _snapshots(workspace)
    return found[-1] if found else None


def query(
    workspace: Workspace,
    sql: str,
    limits: QuerySettings | None = None,
    settings: StoreSettings | None = None,
) -> QueryAnswer:
    """Answer one SELECT from the newest snapshot; one is taken if there is none.

    The question sees the tables of the copy and nothing else: no file, no other database, no extension, no setting.

    Args:
        workspace: Whose store.
        sql: One SELECT.
        limits: Most rows and seconds.
        settings: Memory and threads.

    Raises:
        StoreError: If it is not one SELECT, asks for what is not allowed, or needs more memory or time than it may.
        WorkspaceError: If the disk is full or the folder cannot be written.
    """
    chosen, held = limits or QuerySettings(), settings or StoreSettings()
    path = newest_snapshot(workspace) or snapshot(workspace, settings=held)
    try:
        with _ONE_AT_A_TIME, open_database(path, held, spill=None, read_only=True) as database:
            columns, rows = _ask(database, sql, chosen)
    except duckdb.PermissionException as error:
        raise StoreError(_not_allowed(str(error).splitlines()[0])) from error
    except duckdb.Error as error:
        raise StoreError(sentence_for(error, workspace, memory_limit_mb=held.memory_limit_mb)) from error
    return QueryAnswer(columns, tuple(rows[: chosen.rows]), len(rows) > chosen.rows, path, _age(path))


def _ask(database: Database, sql: str, limits: QuerySettings) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
    statements = database.connection.extract_statements(sql)
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        kinds = ", ".join(statement.type.name for statement in statements) or "nothing"
        raise StoreError(_not_allowed(f"it must be one SELECT, got {kinds[:200]}"))
    database.run("SET enable_external_access = false")
    database.limit(limits.timeout_seconds)
    database.run("SET lock_configuration = true")
    found = database.connection.sql(sql).limit(limits.rows + 1)
    shown = [
        f"#{number}" if str(kind) in _PLAIN else f"left(CAST(#{number} AS VARCHAR), {_CELL_CHARACTERS})"
        for number, kind in enumerate(found.types, start=1)
    ]
    return tuple(found.columns), found.project(", ".join(shown)).fetchall()


def _not_allowed(why: str) -> str:
    return (
        f"This question is not allowed and nothing was read: {why}. It may only read the tables of the results store."
    )


def _copy(database: Database, path: Path) -> None:
    """Copy the open database into a new file."""
    ((name,),) = database.rows("SELECT current_database()")
    database.run(f"ATTACH {_quoted(str(path), chr(39))} AS simtune_copy")
    database.run(f"COPY FROM DATABASE {_quoted(name, chr(34))} TO simtune_copy")
    database.run("DETACH simtune_copy")


def _quoted(text: str, quote: str) -> str:
    return f"{quote}{text.replace(quote, 2 * quote)}{quote}"


def _age(path: Path) -> float:
    """Return how many seconds ago a file was written; 0 if it has just been removed."""
    return max(0.0, time.time() - path.stat().st_mtime) if path.exists() else 0.0


def _folder(workspace: Workspace) -> Path:
    return workspace.data / "snapshots"


def _snapshots(workspace: Workspace) -> list[Path]:
    """Return the copies, oldest first: their names sort by time."""
    return sorted(_folder(workspace).glob("simtune-*.duckdb"))
