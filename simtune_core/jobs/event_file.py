"""The writing end of an event file: numbered lines, each one write, brought to disk every few seconds beside the work.

Decides nothing of what is reported; that is `context.Job`. Reading is `events.py`.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path

import msgspec

from simtune_core.files import disk_error
from simtune_core.jobs.events import Event, event_line, parse_event

FSYNC_SECONDS = 5.0
_TAIL_BYTES = 1 << 20


class EventFile:
    """An event file open for appending; usable from several threads of one process.

    Attributes:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seq = _next_seq(path)
        self._torn = False
        self._lock = threading.Lock()
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self._closing = threading.Event()
        self._unsynced = False
        self._syncer: threading.Thread | None = None
        self._sync_error: OSError | None = None

    @property
    def closed(self) -> bool:
        """Tell whether the file takes no more events."""
        return self._descriptor < 0

    def append(self, event: Event) -> None:
        """Append an event under the next number as a whole line; a kill tears the last line at most.

        Raises:
            WorkspaceError: If the disk is full or failing; the event is not in the file, and the next one starts a
                line of its own.
        """
        with self._lock:
            line = event_line(msgspec.structs.replace(event, seq=self._seq))
            try:
                if self._sync_error is not None:
                    raise self._sync_error
                self._write(line)
            except OSError as error:
                self._sync_error = None
                raise disk_error(self.path, error) from error
            self._seq += 1
            self._unsynced = True
        if self._syncer is None:
            self._syncer = threading.Thread(target=self._keep_synced, name="events-fsync", daemon=True)
            self._syncer.start()

    def close(self) -> None:
        """Bring the file to disk and close it; a second call does nothing."""
        if self.closed:
            return
        self._closing.set()
        if self._syncer is not None:
            self._syncer.join()
        os.fsync(self._descriptor)
        os.close(self._descriptor)
        self._descriptor = -1

    def _write(self, line: bytes) -> None:
        """Write a line; what a failure left of an earlier one is ended first, so that it spoils no other."""
        rest = b"\n" + line if self._torn else line
        while rest:
            written = os.write(self._descriptor, rest)
            rest = rest[written:]
            self._torn = bool(rest)

    def _keep_synced(self) -> None:
        """Bring the file to disk every few seconds; a thread of its own, since a busy disk takes its time."""
        while not self._closing.wait(FSYNC_SECONDS):
            if not self._unsynced:
                continue
            self._unsynced = False
            try:
                os.fsync(self._descriptor)
            except OSError as error:
                self._sync_error = error  # told by the next append


def _next_seq(path: Path) -> int:
    """Return the number after the newest of a file; a line that a kill tore is ended, to stay one bad line."""
    if not path.exists():
        return 0
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        length, newest = _TAIL_BYTES, None
        while newest is None and size > 0:
            file.seek(max(0, size - length))
            block = file.read(length)
            events = [event for line in block.split(b"\n") if (event := parse_event(line)) is not None]
            newest = max((event.seq for event in events), default=None)
            if length >= size:
                break
            length *= 8
    if size and not block.endswith(b"\n"):
        with path.open("ab") as file:
            file.write(b"\n")
    return 0 if newest is None else newest + 1
