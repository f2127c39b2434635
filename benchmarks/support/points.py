"""Job folders with many points, as a training would have left them, for the benchmarks of reading and ingesting."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from simtune_core.files import write_json
from simtune_core.jobs.context import EVENTS
from simtune_core.jobs.events import Event, event_line
from simtune_core.jobs.states import EXIT, RESULT, SPEC
from simtune_core.workspace import Workspace

NAMES = ("loss", "grad_norm", "learning_rate", "dev_roc_auc")


def finished_job(workspace: Workspace, job_id: str, n_points: int) -> Path:
    """Make the folder of a training that is done and has reported `n_points` values; return the folder."""
    folder = workspace.job(job_id)
    folder.mkdir(parents=True)
    spec = {"v": 1, "id": job_id, "kind": "train", "title": job_id, "params": {}, "token": None, "spec_hash": job_id}
    write_json(folder / SPEC, spec | {"created": time.time()})
    write_points(folder / EVENTS, n_points)
    write_json(folder / RESULT, {"n_points": n_points})
    ended = {"v": 1, "state": "done", "cause": "", "ended": time.time(), "started": time.time(), "latest": {}}
    write_json(folder / EXIT, ended | {"findings": []})
    return folder


def write_points(path: Path, n_points: int, *, first: int = 0) -> None:
    """Append `n_points` metric lines of four curves to an event file, numbered from `first` on."""
    values = points(n_points, first=first)
    with path.open("ab") as file:
        for seq, value in enumerate(values.tolist(), start=first):
            step = seq // len(NAMES)
            event = Event(
                1, seq, 1.7e9 + seq * 0.01, "metric", NAMES[seq % len(NAMES)], step, step / 1000, "easy", value
            )
            file.write(event_line(event))


def points(n_points: int, *, first: int = 0) -> np.ndarray:
    """Return the values that `write_points` writes: a falling loss with noise; float64, shape (n_points,)."""
    rng = np.random.default_rng(first)
    return 1 / (1 + np.arange(first, first + n_points) / 1000) + rng.normal(scale=0.05, size=n_points)
