"""What a job kind is given: where it works, how it reports, and whether it has been asked to stop.

Reports into `events.jsonl` alone; result, error and exit are written by the worker and the runner.
"""

from __future__ import annotations

import math
import signal
import sys
import time
from collections import deque
from pathlib import Path
from typing import Any, Literal, Self

from simtune_core.jobs.event_file import EventFile
from simtune_core.jobs.events import VERSION, Event, EventKind, plain
from simtune_core.workspace import Workspace

EVENTS = "events.jsonl"
CONTINUES = "continues"  # ledger entry of a job that goes on from a checkpoint: whose (job) and of which step (step)
Severity = Literal["info", "warning", "error"]
_PROGRESS_SECONDS = 0.25
_RATE_POINTS = 60


class Job:
    """One running job as its kind sees it; a context manager that completes the event file at its end.

    Attributes:
        id: The job's id, the name of its folder.
        folder: Where the job may write files of its own.
        workspace: The workspace the job belongs to.
        continues: Folder of the checkpoint that the job goes on from; None when it begins at the beginning.
        alerts: Every alert so far, as findings.
    """

    def __init__(self, folder: Path, workspace: Workspace, *, continues: Path | None = None) -> None:
        self.id = folder.name
        self.folder = folder
        self.workspace = workspace
        self.continues = continues
        self.alerts: list[dict[str, Any]] = []
        self._stop = False
        self._pending: dict[str, Any] | None = None
        self._progress_due = 0.0
        self._points: deque[tuple[float, float, float]] = deque(maxlen=_RATE_POINTS)
        folder.mkdir(parents=True, exist_ok=True)
        self._file = EventFile(folder / EVENTS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def stop_requested(self) -> bool:
        """Tell whether the job has been asked to stop: save what is worth keeping and return a result."""
        return self._stop

    def catch_stop(self) -> None:
        """Take SIGTERM as the request to stop; to be called in the main thread of the worker."""
        signal.signal(signal.SIGTERM, self._on_stop)

    def progress(self, done: float, total: float, text: str = "") -> None:
        """Report that `done` of `total` items are done; the file gets four lines a second at most, the last always."""
        now = time.monotonic()
        if self._points and (done < self._points[-1][1] or total != self._points[-1][2]):
            self._points.clear()
        rate = self._rate(now, float(done))
        value = {
            "done": done,
            "total": total,
            "rate": rate,
            "eta_seconds": (total - done) / rate if rate else None,
            "text": text,
        }
        if done < total and now < self._progress_due:
            self._pending = value
            return
        self._points.append((now, float(done), float(total)))
        self._progress_due = now + _PROGRESS_SECONDS
        self._pending = None
        self._report("progress", "progress", value)

    def metric(
        self,
        name: str,
        value: float,
        *,
        step: int | None = None,
        epoch: float | None = None,
        phase: str | None = None,
    ) -> None:
        """Report one value of a curve; a value that is not finite is kept as text beside a null."""
        number = float(value)
        finite = math.isfinite(number)
        self._file.append(
            Event(
                v=VERSION,
                seq=0,
                time=_now(),
                kind="metric",
                name=plain(name),
                step=None if step is None else int(step),
                epoch=plain(None if epoch is None else float(epoch)),
                phase=plain(phase),
                value=number if finite else None,
                value_text=None if finite else repr(number),
            )
        )

    def phase(self, name: str, *, step: int | None = None) -> None:
        """Report that a phase begins."""
        self._report("phase", name, None, step=step)

    def ledger(self, name: str, value: Any) -> None:
        """Report one entry of the ledger of a run: anything JSON can hold."""
        self._report("ledger", name, value)

    def alert(self, code: str, message: str, *, severity: Severity = "warning", step: int | None = None) -> None:
        """Report something the researcher should know, as a sentence with a stable code."""
        self.alerts.append({"code": code, "severity": severity, "message": message, "step": step})
        self._report("alert", code, {"severity": severity, "message": message}, step=step)

    def log(self, text: str) -> None:
        """Write a line to the event file and to standard output, which is the job's log."""
        self._report("log", "log", text)
        sys.stdout.write(f"{plain(text)}\n")

    def close(self) -> None:
        """Write the last progress, bring the event file to disk and close it; a second call does nothing."""
        if self._pending is not None and not self._file.closed:
            self._report("progress", "progress", self._pending)
        self._file.close()

    def _rate(self, now: float, done: float) -> float | None:
        if not self._points:
            return None
        then, done_then, _ = self._points[0]
        return (done - done_then) / (now - then) if now > then and done > done_then else None

    def _report(self, kind: EventKind, name: str, value: Any, *, step: int | None = None) -> None:
        step = None if step is None else int(step)
        phase = plain(name) if kind == "phase" else None
        self._file.append(Event(VERSION, 0, _now(), kind, plain(name), step, None, phase, plain(value)))

    def _on_stop(self, *_: object) -> None:
        self._stop = True


def _now() -> float:
    return round(time.time(), 3)
