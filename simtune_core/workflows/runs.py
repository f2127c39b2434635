"""What a training is doing and what it did: curves, phases, ledger and alerts, read from its events as they grow."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from simtune_core.files import NAME_PATTERN
from simtune_core.jobs.context import CONTINUES, EVENTS
from simtune_core.jobs.following import Content, FollowedFile, Series
from simtune_core.jobs.launcher import list_jobs, read_job
from simtune_core.jobs.states import JobStatus
from simtune_core.workspace import Workspace


@dataclass(frozen=True, slots=True, eq=False)
class RunView:
    """A run at the moment somebody looked.

    Attributes:
        series: Curves by metric name.
        phases: Name and first step of each phase, in order.
        ledger: Entries by name, the newest of each.
        alerts: `code, severity, message, step` each.
        n_bad: Damaged lines of the event file, left out.
        removed: Whether the run's folder has been removed since it was first looked at; the view is the last one.
    """

    series: dict[str, Series]
    phases: tuple[tuple[str, int], ...]
    ledger: dict[str, Any]
    alerts: tuple[dict[str, Any], ...]
    n_bad: int
    removed: bool = False


class RunReader:
    """Reads a run's events from where the last look ended; to be kept between looks, by any number of threads.

    A run that continues an earlier one is shown as one run: what the earlier one reported up to the step of the
    checkpoint, then what this one reports, no step twice.

    Attributes:
        job: The run's job id.
    """

    def __init__(self, job: str) -> None:
        self.job = job
        self._lock = threading.Lock()
        self._file: FollowedFile | None = None
        self._earlier: RunReader | None = None
        self._before: RunView | None = None
        self._view: RunView | None = None

    def look(self, workspace: Workspace) -> RunView:
        """Read what is new and return the whole view; costs next to nothing when nothing is new.

        A file that was cut short or replaced is read from its beginning; one that was removed leaves the last view.
        """
        with self._lock:
            return self._look(workspace, frozenset())

    def _look(self, workspace: Workspace, later: frozenset[str]) -> RunView:
        """Look at this run and those before it; `later` are those that continue it, so that no circle is followed."""
        if self._file is None:
            self._file = FollowedFile(workspace.job(self.job) / EVENTS)
        changed = self._file.look()
        origin = _origin(self._file.content)
        before = self._view_before(workspace, origin, later | {self.job})
        if self._view is None or changed or before is not self._before:
            view = _view(self._file)
            self._view = view if origin is None or before is None else _joined(before, view, origin.step)
            self._before = before
        return self._view

    def _view_before(self, workspace: Workspace, origin: _Origin | None, seen: frozenset[str]) -> RunView | None:
        """Look at the run that this one continues; None if there is none."""
        if origin is None or origin.job in seen:
            return None
        if self._earlier is None or self._earlier.job != origin.job:
            self._earlier = RunReader(origin.job)
        return self._earlier._look(workspace, seen)


class RunsReader:
    """Reads many runs, such as those to compare; only what grew is read."""

    def __init__(self) -> None:
        self._readers: dict[str, RunReader] = {}

    def look(self, workspace: Workspace, jobs: Iterable[str]) -> dict[str, RunView]:
        """Return the view of each run by job id; runs no longer asked for are forgotten."""
        self._readers = {job: self._readers.get(job) or RunReader(job) for job in jobs}
        return {job: reader.look(workspace) for job, reader in self._readers.items()}


def list_runs(workspace: Workspace) -> list[JobStatus]:
    """Return every training, newest first."""
    return [status for status in list_jobs(workspace) if status.kind == "train"]


def read_run(workspace: Workspace, job_id: str) -> tuple[JobStatus, RunView]:
    """Return a run's status and everything its events say, read from the beginning."""
    return read_job(workspace, job_id), RunReader(job_id).look(workspace)


@dataclass(frozen=True, slots=True)
class _Origin:
    """Whose checkpoint a run continues from, and the step of the checkpoint."""

    job: str
    step: int


def _origin(content: Content) -> _Origin | None:
    """Return what the worker of a continued run has written down first; None for a run from the beginning."""
    told = content.entry(CONTINUES)
    if not isinstance(told, dict):
        return None
    job, step = told.get("job"), told.get("step")
    if isinstance(job, str) and NAME_PATTERN.fullmatch(job) and isinstance(step, int):
        return _Origin(job, step)
    return None


def _view(file: FollowedFile) -> RunView:
    content = file.content
    return RunView(
        series=content.series(),
        phases=tuple(content.phases()),
        ledger=content.ledger(),
        alerts=tuple(content.alerts()),
        n_bad=content.n_bad,
        removed=file.removed,
    )


def _joined(before: RunView, view: RunView, step: int) -> RunView:
    """Return a run with what came before it, up to the step of the checkpoint between them."""
    names = list(dict.fromkeys([*before.series, *view.series]))
    phases = [phase for phase in before.phases if phase[1] <= step]
    known = {name for name, _ in phases}
    return replace(
        view,
        series={name: _one_curve(before.series.get(name), view.series.get(name), step) for name in names},
        phases=(*phases, *(phase for phase in view.phases if phase[0] not in known)),
        ledger={**before.ledger, **view.ledger},
    )


def _one_curve(before: Series | None, own: Series | None, step: int) -> Series:
    kept = _until(before, step) if before is not None else None
    if kept is None or own is None:
        return kept or own or Series(np.empty(0, np.int64), np.empty(0), 0)
    last = kept.steps[-1] if len(kept.steps) else -1
    new = own.steps > last
    return Series(
        np.concatenate([kept.steps, own.steps[new]]),
        np.concatenate([kept.values, own.values[new]]),
        kept.n_not_finite + own.n_not_finite,
    )


def _until(series: Series, step: int) -> Series:
    kept = series.steps <= step
    return Series(series.steps[kept], series.values[kept], series.n_not_finite)
