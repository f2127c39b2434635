"""The one daemon thread of a server process: every few seconds it starts queued jobs and ingests results.

No page waits for it and none depends on it: a job runs and keeps its results without any server.
"""

from __future__ import annotations

import threading

import streamlit as st

from simtune_core.workflows.background import Tick, tick
from simtune_core.workspace import Workspace

INTERVAL_SECONDS = 3.0
NEWS_KEPT = 20
_STOPPED = "The background thread ended unexpectedly; the next page starts it again. The server's log holds the cause."


class Background:
    """A thread that looks after the workspace shown last.

    Attributes:
        notices: Sentences of the newest look; empty when all is well.
        news: What happened once since the server began, oldest first, until somebody dismisses it.
    """

    def __init__(self, interval: float = INTERVAL_SECONDS) -> None:
        self.notices: tuple[str, ...] = ()
        self.news: tuple[str, ...] = ()
        self._interval = interval
        self._workspace: Workspace | None = None
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._ended = threading.Event()

    def look_after(self, workspace: Workspace) -> None:
        """Choose the workspace, and start the thread if it does not run."""
        with self._lock:
            self._workspace = workspace
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="simtune-background", daemon=True)
                self._thread.start()

    def dismiss(self, news: str) -> None:
        """Forget one piece of news, for every session; twice is harmless."""
        with self._lock:
            self.news = tuple(each for each in self.news if each != news)

    def end(self) -> None:
        """End the thread after the look under way, and wait for it."""
        self._ended.set()
        thread = self._thread
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        whole = False
        try:
            while not self._ended.is_set():
                self._take(self._look())
                self._ended.wait(self._interval)
            whole = True
        finally:
            if not whole:  # the exception itself goes to the server's log
                self.notices = (_STOPPED,)

    def _take(self, look: Tick) -> None:
        self.notices = look.notices
        if look.news:
            with self._lock:  # the same sentence twice is one
                self.news = tuple(dict.fromkeys((*self.news, *look.news)))[-NEWS_KEPT:]

    def _look(self) -> Tick:
        workspace = self._workspace
        if workspace is None:
            return Tick()
        if not workspace.root.is_dir():
            return Tick(notices=("The workspace folder is gone; restart the server when it is back.",))
        return tick(workspace)


@st.cache_resource(show_spinner=False)
def background() -> Background:
    """Return the one background of this server process."""
    return Background()
