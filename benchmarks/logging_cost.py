"""What one logged value costs a training step, beside TensorBoard's SummaryWriter in the same run.

Budget: 0.2 ms at the median.
"""

from __future__ import annotations

import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.support import write_result
from simtune_core.jobs.context import Job
from simtune_core.jobs.events import read_events
from simtune_core.workspace import open_workspace

N_CALLS, PAUSE_SECONDS, BUDGET_MS = 2000, 0.003, 0.2


def main() -> int:
    """Log with both in turn, call by call, so that what else the machine does hits both alike."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from torch.utils.tensorboard import SummaryWriter
    values = np.random.default_rng(0).normal(size=N_CALLS).tolist()
    with tempfile.TemporaryDirectory() as folder:
        workspace = open_workspace(Path(folder))
        writer = SummaryWriter(str(Path(folder) / "tensorboard"))
        ours, theirs = np.empty(N_CALLS), np.empty(N_CALLS)
        with Job(workspace.job("one"), workspace) as job:
            for step, value in enumerate(values):
                ours[step] = _seconds(lambda step=step, value=value: job.metric("loss", value, step=step))
                theirs[step] = _seconds(lambda step=step, value=value: writer.add_scalar("loss", value, step))
                time.sleep(PAUSE_SECONDS)  # a step is work in between, and several fsyncs fall into the run
        writer.close()
        whole = [event.value for event in read_events(workspace.job("one") / "events.jsonl").events] == values
    figures = {"n_calls": N_CALLS, "simtune_ms": _spread(ours), "tensorboard_ms": _spread(theirs)}
    write_result("logging_cost", {**figures, "budget_ms": BUDGET_MS})
    return 0 if whole and float(np.median(ours)) * 1e3 <= BUDGET_MS else 1


def _seconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def _spread(seconds: np.ndarray) -> dict[str, float]:
    median, high, most = np.quantile(seconds * 1e3, [0.5, 0.99, 1.0]).round(4).tolist()
    return {"median": median, "p99": high, "max": most}


if __name__ == "__main__":
    sys.exit(main())
