"""Store soak: an app that ingests and three readers on a million rows, and the race of processes that take turns.

Budgets: an answer within 1 s at the 95th percentile, no error, no acknowledged row lost. The same race with DuckDB
alone is a canary: rows it loses are told, not judged; when it loses none for good, the file lock may go.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.support import write_result
from benchmarks.support.agents import PATIENT
from benchmarks.support.faults import agent, end_all
from benchmarks.support.points import finished_job
from simtune_core import store
from simtune_core.jobs.launcher import launch
from simtune_core.store.access import ask
from simtune_core.workspace import Workspace, open_workspace

N_POINTS, N_JOBS, N_READERS, N_WRITERS, N_TURNS = 1_000_000, 10, 3, 4, 60
INGEST_EVERY_SECONDS, BUDGET_P95_SECONDS = 0.5, 1.0
_TABLE = "CREATE TABLE race (writer INTEGER, number INTEGER)"
_DISTINCT = "SELECT count(*) FROM (SELECT DISTINCT writer, number FROM race)"
_ALL = "SELECT count(*) FROM race"


def main() -> int:
    """Run both parts; the exit code is 1 if a budget is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30.0)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = crowded(open_workspace(Path(folder) / "crowd" / "workspace"), chosen.seconds)
    with tempfile.TemporaryDirectory() as folder:
        figures |= raced(open_workspace(Path(folder) / "race" / "workspace"))
    write_result("soak_store", figures)
    late = max(figures["reader_p95_seconds"], figures["ingest_p95_seconds"]) > BUDGET_P95_SECONDS
    return 1 if late or figures["errors"] or figures["rows_lost"] or figures["rows_doubled"] else 0


def crowded(workspace: Workspace, seconds: float) -> dict[str, Any]:
    """Ingest every half second what a live job writes while three readers ask; return how long they waited."""
    for number in range(N_JOBS):
        finished_job(workspace, f"20260101-{number:06d}-x", N_POINTS // N_JOBS)
    store.ingest(workspace)
    live = launch(workspace, "sleep", {"seconds": seconds + 60, "rate": 200.0}, title="live", reuse=False)
    ingests: list[float] = []
    with ExitStack() as stack:
        readers = [stack.enter_context(agent(workspace, "read", str(seconds))) for _ in range(N_READERS)]
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            began = time.monotonic()
            store.ingest(workspace)
            ingests.append(time.monotonic() - began)
            time.sleep(max(0.0, INGEST_EVERY_SECONDS - ingests[-1]))
        said = [result_of(reader) for reader in readers]
    n_live = len(store.metric_series(workspace, live, "value"))
    end_all(workspace)
    taken = sorted(each for one in said for each in one["taken"])
    return {
        "n_rows": N_POINTS, "n_readers": N_READERS, "live_points": n_live,
        "answers": len(taken), "reader_p50_seconds": round(statistics.median(taken), 3),
        "reader_p95_seconds": round(percentile(taken, 95), 3), "reader_slowest_seconds": round(taken[-1], 3),
        "ingests": len(ingests), "ingest_p50_seconds": round(statistics.median(ingests), 3),
        "ingest_p95_seconds": round(percentile(sorted(ingests), 95), 3),
        "errors": sum(len(one["errors"]) for one in said), "budget_p95_seconds": BUDGET_P95_SECONDS,
    }  # fmt: skip


def raced(workspace: Workspace, n_turns: int = N_TURNS) -> dict[str, Any]:
    """Let processes open, insert and close in turn, through the store and with DuckDB alone; return what was lost."""
    ask(workspace, lambda database: database.run(_TABLE), PATIENT)
    told = took_turns(workspace, "insert", n_turns)
    ((kept,),) = ask(workspace, lambda database: database.rows(_DISTINCT), PATIENT)
    ((rows,),) = ask(workspace, lambda database: database.rows(_ALL), PATIENT)
    bare = workspace.data / "bare.duckdb"
    with duckdb.connect(str(bare)) as connection:
        connection.execute(_TABLE)
    told_bare = took_turns(workspace, "insert_bare", n_turns)
    with duckdb.connect(str(bare)) as connection:
        ((kept_bare,),) = connection.execute(_ALL).fetchall()
    return {
        "rows_acknowledged": told, "rows_lost": told - kept, "rows_doubled": rows - kept,
        "canary_acknowledged": told_bare, "canary_lost": told_bare - kept_bare,
    }  # fmt: skip


def took_turns(workspace: Workspace, role: str, n_turns: int) -> int:
    """Let `N_WRITERS` processes insert `n_turns` rows each at the same time; return how many were acknowledged."""
    with ExitStack() as stack:
        writers = [stack.enter_context(agent(workspace, role, str(n), str(n_turns))) for n in range(N_WRITERS)]
        return sum(int(result_of(writer)["done"]) for writer in writers)


def result_of(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    """Wait for the end of an agent and return what it printed.

    Raises:
        RuntimeError: If it failed; its complaint is in agents.log.
    """
    said, _ = process.communicate()
    if process.returncode:
        raise RuntimeError(f"An agent ended with {process.returncode}; see agents.log.")
    result: dict[str, Any] = json.loads(said)
    return result


def percentile(values: list[float], percent: int) -> float:
    """Return a percentile of sorted values: the smallest that so many percent do not exceed."""
    return values[max(0, -(-len(values) * percent // 100) - 1)]


if __name__ == "__main__":
    sys.exit(main())
