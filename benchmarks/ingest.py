"""A million metric points of ten jobs from their files into the results store, listing and commits included.

Budget: 20 seconds on two cores.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from benchmarks.support import write_result
from benchmarks.support.points import finished_job
from simtune_core import store
from simtune_core.workspace import open_workspace

N_JOBS, N_POINTS, BUDGET_SECONDS = 10, 1_000_000, 20.0


def main() -> int:
    """Write the points, ingest them once, and tell how long it took and that nothing is missing."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = open_workspace(Path(folder))
        for number in range(N_JOBS):
            finished_job(workspace, f"20260101-{number:06d}-x", N_POINTS // N_JOBS)
        began, cpu = time.perf_counter(), time.process_time()
        ingested = store.ingest(workspace)
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
        began = time.perf_counter()
        again = store.ingest(workspace)
        idle = time.perf_counter() - began
        clean = store.check(workspace).clean
        bytes_stored = workspace.store.stat().st_size
    figures = {
        "n_points": N_POINTS, "n_jobs": N_JOBS, "seconds": round(seconds, 2), "cpu_seconds": round(cpu, 2),
        "points_per_second": round(N_POINTS / seconds), "seconds_when_nothing_is_new": round(idle, 3),
        "store_mb": round(bytes_stored / 1e6, 1), "budget_seconds": BUDGET_SECONDS,
    }  # fmt: skip
    write_result("ingest", figures)
    whole = ingested.n_events == N_POINTS and again.n_events == 0 and clean
    return 0 if whole and seconds <= BUDGET_SECONDS else 1


if __name__ == "__main__":
    sys.exit(main())
