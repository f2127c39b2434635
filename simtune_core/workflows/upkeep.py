"""Looking after a workspace: its queue and its results store."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from simtune_core import store
from simtune_core.jobs.events import plain
from simtune_core.jobs.launcher import advance_queue, list_jobs
from simtune_core.store import QuerySettings
from simtune_core.workspace import Workspace

_LOOK_SECONDS = 1.0


def work_off_queue(workspace: Workspace) -> list[str]:
    """Start queued jobs as their devices become free, until none waits or runs; return the ids of those started."""
    started = list(advance_queue(workspace))
    while any(status.active for status in list_jobs(workspace)):
        time.sleep(_LOOK_SECONDS)
        started += advance_queue(workspace)
    return started


def rebuild_store(workspace: Workspace) -> dict[str, Any]:
    """Make the store again from the files; return what it then holds."""
    store.rebuild(workspace)
    return {"counts": asdict(store.counts(workspace))}


def check_store(workspace: Workspace, *, repair: bool = True) -> dict[str, Any]:
    """Take in what is new, then compare every line, manifest and hash with what it should be.

    Args:
        workspace: Whose store.
        repair: Whether rows that are not what the files say are read again.

    Returns:
        The counts of `StoreCheck`, `repaired` and `notices` as sentences; what is wrong still is among `findings`.
    """
    checked = store.check(workspace, repair=repair)
    advice = "run `store rebuild`." if repair else "run `store check`, which repairs it."
    findings = [
        {
            "code": fault.code,
            "severity": "error",
            "message": f"{fault.message} To repair it, {advice}" if fault.in_store else fault.message,
        }
        for fault in checked.faults
    ]
    counts = {name: value for name, value in asdict(checked).items() if name.startswith("n_")}
    repaired = [fault.message for fault in checked.repaired]
    return {**counts, "repaired": repaired, "notices": list(checked.notices), "findings": findings}


def export_store(workspace: Workspace, folder: Path) -> list[str]:
    """Take in what is new, then write every table as Parquet into a folder; return the names of the files."""
    return [path.name for path in store.export(workspace, folder)]


def snapshot_store(workspace: Workspace, path: Path | None = None) -> Path:
    """Copy the store as it is at one moment, for notebooks and questions; return the copy."""
    return store.snapshot(workspace, path)


def query_store(
    workspace: Workspace, sql: str, *, rows: int, timeout_seconds: float, fresh: bool = False
) -> dict[str, Any]:
    """Answer one SELECT from a snapshot.

    Args:
        workspace: Whose store.
        sql: The question.
        rows: Most rows of the answer.
        timeout_seconds: Most seconds it may take.
        fresh: Whether to take a new snapshot first.

    Returns:
        `columns`, `rows` (JSON: a number that is not finite is null), `cut`, `snapshot` and `age_seconds`.
    """
    if fresh:
        store.snapshot(workspace)
    answer = store.query(workspace, sql, QuerySettings(rows=rows, timeout_seconds=timeout_seconds))
    return {
        "columns": list(answer.columns),
        "rows": plain(answer.rows),
        "cut": answer.cut,
        "snapshot": answer.snapshot.name,
        "age_seconds": answer.age_seconds,
    }
