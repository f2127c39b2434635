"""What the event file of a job says, read as it grows: only what is new is read, points are kept as numpy columns.

Knows one file; which jobs belong together is `workflows/runs.py`. Writes nothing.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simtune_core.jobs.events import Event, EventBatch, finding_of, read_events

_GROWTH = 1.5
_seq_of, _step_of, _value_of = attrgetter("seq"), attrgetter("step"), attrgetter("value")


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One curve.

    Attributes:
        steps: Optimizer steps, or the place in the curve where a point has none; shape (n_points,).
        values: Finite values; shape (n_points,).
        n_not_finite: Points that were NaN or infinite and are not drawn.
    """

    steps: NDArray[np.int64]
    values: NDArray[np.float64]
    n_not_finite: int


class FollowedFile:
    """An event file that is read from where the last look ended; not for several threads at once.

    Attributes:
        content: What has been read; a new one when the file was cut short or replaced.
        removed: Whether a file that was there has gone; what was read of it is kept.
    """

    def __init__(self, path: Path) -> None:
        self.content = Content()
        self.removed = False
        self._path = path
        self._identity: tuple[int, int] | None = None
        self._size = self._offset = self._written = 0

    def look(self) -> bool:
        """Read what is new and tell whether anything has changed; a file cut short or replaced is read from its start.

        Costs one `stat` where the file has not grown.
        """
        try:
            found = self._path.stat()
        except OSError:
            gone = self._size > 0 and not self.removed
            self.removed = self.removed or gone
            return gone
        changed, self.removed = self.removed, False
        identity = (found.st_dev, found.st_ino)
        # a file that came back may have the number of the one that went, and even its size
        anew = changed or identity != self._identity or found.st_size < self._offset
        if not anew and (found.st_size, found.st_mtime_ns) == (self._size, self._written):
            return False
        if anew or found.st_size == self._size or not self._goes_on():
            changed = changed or self._size > 0
            self.content, self._identity, self._offset = Content(), identity, 0
        self._size, self._written = found.st_size, found.st_mtime_ns
        while (batch := read_events(self._path, self._offset)).offset > self._offset:
            self.content.take(batch)
            self._offset, changed = batch.offset, True
        return changed

    def _goes_on(self) -> bool:
        """Tell whether a line ended where the last look ended: otherwise the file was written anew."""
        if self._offset == 0:
            return True
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset - 1)
                return file.read(1) == b"\n"
        except OSError:
            return False


class Content:
    """What the lines of an event file say, one event a number, in the order of the numbers.

    Attributes:
        n_bad: Complete lines that are not events.
    """

    def __init__(self) -> None:
        self.n_bad = 0
        self._numbers = _Numbers()
        self._points: dict[str, _Points] = {}
        self._phases: list[Event] = []
        self._ledger: dict[str, Event] = {}
        self._alerts: list[Event] = []

    def take(self, batch: EventBatch) -> None:
        """Add what follows in the file."""
        metrics: defaultdict[str, list[Event]] = defaultdict(list)
        for event in self._numbers.new_among(batch.events):
            if event.kind == "metric":
                metrics[event.name].append(event)
            elif event.kind == "phase":
                self._phases.append(event)
            elif event.kind == "alert":
                self._alerts.append(event)
            elif event.kind == "ledger":
                older = self._ledger.get(event.name)
                self._ledger[event.name] = event if older is None or older.seq < event.seq else older
        for name, events in metrics.items():
            self._points.setdefault(name, _Points()).extend(events)
        self.n_bad += batch.n_bad

    def entry(self, name: str) -> Any:
        """Return the newest value of one entry of the ledger; None if there is none."""
        return self._ledger[name].value if name in self._ledger else None

    def series(self) -> dict[str, Series]:
        """Return the curves by name."""
        return {name: points.series(self._numbers.disordered) for name, points in self._points.items()}

    def phases(self) -> list[tuple[str, int]]:
        """Return name and first step of each phase."""
        return [(event.name, event.step or 0) for event in sorted(self._phases, key=_seq_of)]

    def ledger(self) -> dict[str, Any]:
        """Return the newest entry of each name."""
        return {event.name: event.value for event in sorted(self._ledger.values(), key=_seq_of)}

    def alerts(self) -> list[dict[str, Any]]:
        """Return the alerts as findings."""
        return [finding_of(event) for event in sorted(self._alerts, key=_seq_of)]


class _Points:
    """The points of one curve in columns that grow."""

    def __init__(self) -> None:
        self._n = 0
        self._n_not_finite = 0
        self._seqs = np.empty(0, dtype=np.int64)
        self._steps = np.empty(0, dtype=np.int64)
        self._values = np.empty(0, dtype=np.float64)

    def extend(self, events: list[Event]) -> None:
        finite = [event for event in events if event.value is not None]
        self._n_not_finite += len(events) - len(finite)
        first, last = self._n, self._n + len(finite)
        if last > len(self._values):
            self._grow(max(last, int(len(self._values) * _GROWTH)))
        steps = list(map(_step_of, finite))
        if None in steps:
            steps = [first + place if step is None else step for place, step in enumerate(steps)]
        self._seqs[first:last] = np.fromiter(map(_seq_of, finite), np.int64, len(finite))
        self._steps[first:last] = steps
        self._values[first:last] = np.fromiter(map(_value_of, finite), np.float64, len(finite))
        self._n = last

    def series(self, disordered: bool) -> Series:
        """Return the points so far; what comes later is written behind them, never over them."""
        steps, values = self._steps[: self._n], self._values[: self._n]
        if disordered:
            order = np.argsort(self._seqs[: self._n], kind="stable")
            steps, values = steps[order], values[order]
        return Series(steps, values, self._n_not_finite)

    def _grow(self, capacity: int) -> None:
        # resize() would move what a view handed out earlier still shows
        self._seqs, self._steps, self._values = (
            np.concatenate([column[: self._n], np.empty(capacity - self._n, dtype=column.dtype)])
            for column in (self._seqs, self._steps, self._values)
        )


class _Numbers:
    """Which numbers a file has shown, as the ranges it has left out: one event a number, whatever the order."""

    def __init__(self) -> None:
        self.disordered = False
        self._next = 0
        self._gaps: list[tuple[int, int]] = []  # half-open, ascending

    def new_among(self, events: Sequence[Event]) -> Iterable[Event]:
        """Return the events whose number was not there yet."""
        if not events:
            return events
        seqs = np.fromiter(map(_seq_of, events), np.int64, len(events))
        if seqs[0] == self._next and bool((np.diff(seqs) == 1).all()):
            self._next = int(seqs[-1]) + 1
            return events
        return [event for event in events if self._is_new(event.seq)]

    def _is_new(self, seq: int) -> bool:
        if seq >= self._next:
            if seq > self._next:
                self._gaps.append((self._next, seq))
            self._next = seq + 1
            return True
        place = bisect_right(self._gaps, (seq, self._next)) - 1
        if place < 0 or seq >= self._gaps[place][1]:
            return False
        begin, end = self._gaps[place]
        self._gaps[place : place + 1] = [gap for gap in ((begin, seq), (seq + 1, end)) if gap[0] < gap[1]]
        self.disordered = True
        return True
