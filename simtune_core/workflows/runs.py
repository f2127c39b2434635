"""What a training is doing and what it did: curves, phases, ledger and alerts, read from its events as they grow."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simtune_core.jobs.context import EVENTS
from simtune_core.jobs.events import Event, finding_of, read_events
from simtune_core.jobs.launcher import list_jobs, read_job
from simtune_core.jobs.states import JobStatus
from simtune_core.workspace import Workspace


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One curve.

    Attributes:
        steps: Optimizer steps; shape (n_points,).
        values: Finite values; shape (n_points,).
        n_not_finite: Points that were NaN or infinite and are not drawn.
    """

    steps: NDArray[np.int64]
    values: NDArray[np.float64]
    n_not_finite: int


@dataclass(frozen=True, slots=True, eq=False)
class RunView:
    """A run at the moment somebody looked.

    Attributes:
        series: Curves by metric name.
        phases: Name and first step of each phase, in order.
        ledger: Entries by name, the newest of each.
        alerts: `code, severity, message, step` each.
        n_bad: Damaged lines of the event file, left out.
    """

    series: dict[str, Series]
    phases: tuple[tuple[str, int], ...]
    ledger: dict[str, Any]
    alerts: tuple[dict[str, Any], ...]
    n_bad: int


@dataclass(slots=True)
class RunReader:
    """Reads a run's events from where the last look ended; one per session and run, kept between reruns."""

    job: str
    offset: int = 0
    n_bad: int = 0
    points: dict[str, list[tuple[int, float]]] = field(default_factory=dict)
    not_finite: dict[str, int] = field(default_factory=dict)
    phases: list[tuple[str, int]] = field(default_factory=list)
    ledger: dict[str, Any] = field(default_factory=dict)
    alerts: list[dict[str, Any]] = field(default_factory=list)

    def look(self, workspace: Workspace) -> RunView:
        """Read what is new and return the whole view."""
        path = workspace.job(self.job) / EVENTS
        while True:
            batch = read_events(path, self.offset)
            for event in batch.events:
                self._take(event)
            self.n_bad += batch.n_bad
            if batch.offset == self.offset:
                break
            self.offset = batch.offset
        series = {name: self._series(name) for name in self.points}
        return RunView(series, tuple(self.phases), dict(self.ledger), tuple(self.alerts), self.n_bad)

    def _take(self, event: Event) -> None:
        kind, name, step = event.kind, event.name, event.step
        if kind == "metric":
            points = self.points.setdefault(name, [])
            if event.value is None:
                self.not_finite[name] = self.not_finite.get(name, 0) + 1
            else:
                points.append((len(points) if step is None else step, float(event.value)))
        elif kind == "phase":
            self.phases.append((name, step or 0))
        elif kind == "ledger":
            self.ledger[name] = event.value
        elif kind == "alert":
            self.alerts.append(finding_of(event))

    def _series(self, name: str) -> Series:
        points = self.points[name]
        steps = np.array([step for step, _ in points], dtype=np.int64)
        values = np.array([value for _, value in points], dtype=np.float64)
        return Series(steps, values, self.not_finite.get(name, 0))


def list_runs(workspace: Workspace) -> list[JobStatus]:
    """Return every training, newest first."""
    return [status for status in list_jobs(workspace) if status.kind == "train"]


def read_run(workspace: Workspace, job_id: str) -> tuple[JobStatus, RunView]:
    """Return a run's status and everything its events say, read from the beginning."""
    return read_job(workspace, job_id), RunReader(job_id).look(workspace)
