"""How every question reaches the store: opened under the lock, brought to the newest schema, made again if damaged."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import duckdb

from simtune_core.errors import StoreError
from simtune_core.store.database import (
    Database,
    StoreSettings,
    is_damage,
    open_database,
    sentence_for,
    set_aside,
    store_lock,
)
from simtune_core.store.ingesting import fill
from simtune_core.store.schema import has_our_tables, prepare
from simtune_core.workspace import Workspace

Answer = TypeVar("Answer")


def ask(workspace: Workspace, question: Callable[[Database], Answer], settings: StoreSettings | None = None) -> Answer:
    """Open the store, put a question to it and close it.

    A missing store is made from the files first. A damaged or foreign file is set aside, kept, and made again.

    Args:
        workspace: Whose store.
        question: Given the open database; called a second time if the file turns out to be damaged.
        settings: Memory, threads and patience.

    Raises:
        StoreError: If another process holds the store, the store is newer than this program, or it cannot answer.
        WorkspaceError: If the disk is full or the folder cannot be written.
    """
    chosen = settings or StoreSettings()
    with store_lock(workspace, chosen):
        try:
            return _ask(workspace, question, chosen)
        except duckdb.Error as error:
            if not is_damage(error):
                raise StoreError(sentence_for(error)) from error
        _replace(workspace, chosen)
        try:
            return _ask(workspace, question, chosen)
        except duckdb.Error as error:
            raise StoreError(sentence_for(error)) from error


def is_ours(workspace: Workspace, settings: StoreSettings) -> bool:
    """Tell whether the file can be opened and holds our tables; the caller holds the lock."""
    try:
        with open_database(workspace, settings) as database:
            return has_our_tables(database)
    except duckdb.Error:
        return False


def _ask(workspace: Workspace, question: Callable[[Database], Answer], settings: StoreSettings) -> Answer:
    with open_database(workspace, settings) as database:
        state = prepare(database)
        if state == "fresh":
            fill(database, workspace)
            database.fresh = True
        if state != "foreign":
            return question(database)
    _replace(workspace, settings)
    return _ask(workspace, question, settings)


def _replace(workspace: Workspace, settings: StoreSettings) -> None:
    """Set the file aside, make the store again from the files, and leave a notice in it."""
    kept = set_aside(workspace.store)
    try:
        with open_database(workspace, settings) as database:
            prepare(database)
            ingested = fill(database, workspace)
            message = (
                f"The results store was damaged or not one of simtune's and has been made again from "
                f"{ingested.n_jobs} job folders; the old file is kept as {kept.name}."
            )
            database.run("INSERT INTO notices VALUES (?, ?)", [time.time(), message])
    except duckdb.Error as error:
        raise StoreError(sentence_for(error)) from error
