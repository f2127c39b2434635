"""Looking after a workspace: its queue and its results store."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from simtune_core import store
from simtune_core.jobs.launcher import advance_queue, list_jobs
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


def check_store(workspace: Workspace) -> dict[str, Any]:
    """Take in what is new, then compare every line of every file with the rows; differences are findings."""
    checked = store.check(workspace)
    findings = [
        {
            "code": "store_differs",
            "severity": "error",
            "message": f"Job {each.job_id} has {each.n_lines:,} complete lines in its file and {each.n_rows:,} rows in "
            "the store; run `store rebuild`.",
        }
        for each in checked.differences
    ]
    return {**asdict(checked), "findings": findings}


def export_store(workspace: Workspace, folder: Path) -> list[str]:
    """Take in what is new, then write every table as Parquet into a folder; return the names of the files."""
    return [path.name for path in store.export(workspace, folder)]
