"""How long a look at running trainings takes, and the first curve of a long one, beside TensorBoard in the same run.

Budgets: a look at 50 runs of 100,000 points while 4 of them grow takes 50 ms at the median; the first curve is there at
least 10 times sooner than with TensorBoard's EventAccumulator on the same points.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from benchmarks.support import write_result
from benchmarks.support.points import NAMES, finished_job, points, write_points
from simtune_core.jobs.context import EVENTS
from simtune_core.workflows.runs import RunReader, RunsReader
from simtune_core.workspace import Workspace, open_workspace

N_RUNS, N_POINTS, N_GROWING, N_LOOKS, N_NEW = 50, 100_000, 4, 50, 20
LONG = 1_000_000
BUDGET_MS, BUDGET_RATIO = 50.0, 10.0


def main() -> int:
    """Measure both and keep the figures."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = open_workspace(Path(folder))
        looks = _many_runs(workspace)
        first = {f"{n:,} points": _first_curve(workspace, n) for n in (N_POINTS, LONG)}
    figures = {"looks": looks, "first_curve": first, "budget_ms": BUDGET_MS, "budget_ratio": BUDGET_RATIO}
    write_result("live_reading", figures)
    soon = all(row["times_sooner_than_sampled"] >= BUDGET_RATIO for row in first.values())
    return 0 if looks["median_ms"] <= BUDGET_MS and soon else 1


def _many_runs(workspace: Workspace) -> dict[str, Any]:
    """Look again and again at many runs of which some grow."""
    jobs = [f"20260101-{number:06d}-x" for number in range(N_RUNS)]
    content = finished_job(workspace, jobs[0], N_POINTS) / EVENTS
    for job in jobs[1:]:
        workspace.job(job).mkdir()
        shutil.copyfile(content, workspace.job(job) / EVENTS)
    reader, looks = RunsReader(), []
    before = psutil.Process().memory_info().rss
    first = _seconds(lambda: reader.look(workspace, jobs))
    held = psutil.Process().memory_info().rss - before
    for number in range(N_LOOKS):
        for job in jobs[:N_GROWING]:
            write_points(workspace.job(job) / EVENTS, N_NEW, first=N_POINTS + number * N_NEW)
        looks.append(_seconds(lambda: reader.look(workspace, jobs)))
    views = reader.look(workspace, jobs)
    shown = sum(len(series.steps) for view in views.values() for series in view.series.values())
    if shown != N_RUNS * N_POINTS + N_GROWING * N_LOOKS * N_NEW:
        raise SystemExit(f"The looks show {shown} points, which is not what was written.")
    return {
        "n_runs": N_RUNS, "n_points": N_POINTS, "n_growing": N_GROWING,
        "median_ms": round(statistics.median(looks) * 1e3, 2), "max_ms": round(max(looks) * 1e3, 2),
        "first_look_seconds": round(first, 2), "bytes_per_point": round(held / (N_RUNS * N_POINTS), 1),
    }  # fmt: skip


def _first_curve(workspace: Workspace, n_points: int) -> dict[str, Any]:
    """Read one long run from its beginning, with us and with TensorBoard."""
    job = f"20260102-{n_points:07d}-x"
    finished_job(workspace, job, n_points)
    records = workspace.root / f"tensorboard-{n_points}"
    _write_records(records, n_points)
    ours = statistics.median(_seconds(lambda: _our_curve(workspace, job, n_points)) for _ in range(3))
    sampled = _seconds(lambda: _their_curve(records, None))
    whole = _seconds(lambda: _their_curve(records, 0, n_points))
    return {
        "simtune_seconds": round(ours, 3),
        "tensorboard_sampled_seconds": round(sampled, 3), "tensorboard_whole_seconds": round(whole, 3),
        "times_sooner_than_sampled": round(sampled / ours, 1), "times_sooner_than_whole": round(whole / ours, 1),
    }  # fmt: skip


def _our_curve(workspace: Workspace, job: str, n_points: int) -> None:
    series = RunReader(job).look(workspace).series[NAMES[0]]
    if len(series.steps) != n_points // len(NAMES):
        raise SystemExit("Our curve is not whole.")


def _their_curve(records: Path, most: int | None, n_points: int = 0) -> None:
    """Read the curve with EventAccumulator: its default sample of 10,000 points (None), or every point (0)."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    reader = EventAccumulator(str(records), size_guidance=None if most is None else {"scalars": most})
    reader.Reload()
    if n_points and len(reader.Scalars(NAMES[0])) != n_points // len(NAMES):
        raise SystemExit("TensorBoard's curve is not whole.")


def _write_records(folder: Path, n_points: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from torch.utils.tensorboard import SummaryWriter
    writer = SummaryWriter(str(folder))
    for seq, value in enumerate(points(n_points).tolist()):
        writer.add_scalar(NAMES[seq % len(NAMES)], value, seq // len(NAMES))
    writer.close()


def _seconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
