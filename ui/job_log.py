"""The log of a job on screen: its newest lines, followed while it runs, by level and by word, and the whole as a file.

Each look reads only what was written since the last one. A log is written by programs and holds users' texts: plain
text.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

import streamlit as st

from simtune_core.jobs.states import JobStatus
from simtune_core.workflows.logs import LEVELS, LogLine, LogPart, log_file, log_lines, read_log_part
from simtune_core.workflows.space import size_words
from simtune_core.workspace import Workspace
from ui.errors import shown_as_message
from ui.keys import key
from ui.refreshing import refreshed
from ui.text import count

_KEPT, _SHOWN = 5_000, 400  # lines held by a session, and lines drawn
_LINES_AT_MOST, _HEIGHT = 18, 420  # a longer log scrolls inside its height, in pixels
_LARGEST_DOWNLOAD = 200 * 1_000_000  # bytes; the server holds a file in memory while it hands it out
_PARTS_A_LOOK = 4
_SECONDS = "1s"
_READER = key("jobs", "log")


@dataclass(slots=True)
class _Reader:
    """What a session has read of one log; kept between reruns."""

    job: str
    part: LogPart | None = None
    lines: deque[LogLine] = field(default_factory=lambda: deque(maxlen=_KEPT))

    def look(self, workspace: Workspace) -> LogPart:
        """Read what is new and return everything held, as one part."""
        for _ in range(_PARTS_A_LOOK):
            before = self.part
            self.part = read_log_part(workspace, self.job, before)
            if before is not None and self.part.offset < before.offset:
                self.lines.clear()  # the log was cut short: it begins anew
            self.lines.extend(self.part.lines)
            if before is not None and not self.part.lines:
                break
        assert self.part is not None
        return LogPart(tuple(self.lines), self.part.offset, self.part.unfinished)


def job_log(workspace: Workspace, job: JobStatus) -> None:
    """Draw a job's log with its filters; it follows by itself while the job is active and nobody switched that off."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        level = st.segmented_control(
            "Level",
            LEVELS,
            default=LEVELS[0],
            required=True,
            format_func=lambda name: "all" if name == LEVELS[0] else name,
            key=key("jobs", "level"),
            persist_state="session",
        )
        word = st.text_input("Search the log", key=key("jobs", "word"), type="search", live="300ms", width=200)
        follow = job.active and st.toggle("Follow", value=True, key=key("jobs", "follow"), persist_state="session")
        _download(workspace, job)
    pace = _SECONDS if follow else None
    refreshed(_draw, workspace, job.id, level, (word or "").strip(), every=pace)


def _draw(workspace: Workspace, job_id: str, level: str, word: str) -> None:
    with shown_as_message("The log cannot be shown.", stop=False):
        part = _reader(job_id).look(workspace)
        lines = log_lines(part, level=level, word=word)  # type: ignore[arg-type]
        texts = [line.text for line in lines[-_SHOWN:]]
        if part.unfinished is not None and not word:
            texts.append(part.unfinished.text)
        if not texts:
            st.caption("No line passes the filters." if part.lines else "The log is empty.")
            return
        if len(lines) > _SHOWN:
            st.caption(f"The newest {count(_SHOWN)} of {count(len(lines))} lines read; the whole log is in the file.")
        with st.container(height=_HEIGHT if len(texts) > _LINES_AT_MOST else "content", border=False, autoscroll=True):
            st.code("\n".join(texts), language=None, wrap_lines=True)


def _download(workspace: Workspace, job: JobStatus) -> None:
    whole = log_file(workspace, job.id)
    if whole.n_bytes > _LARGEST_DOWNLOAD:
        st.text(f"The whole log, {size_words(whole.n_bytes)}, lies in data/jobs/{job.id}.")
        return
    st.download_button(
        f"Download, {size_words(whole.n_bytes)}",
        data=lambda: _whole(whole.path),
        file_name=f"{job.id}.log",
        mime="text/plain",
        key=key("jobs", f"download.{job.id}"),
        icon=":material/download:",
        on_click="ignore",
        disabled=not whole.n_bytes,
    )


def _whole(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""


def _reader(job_id: str) -> _Reader:
    held = st.session_state.get(_READER)
    if not isinstance(held, _Reader) or held.job != job_id:
        held = _Reader(job_id)
        st.session_state[_READER] = held
    return held
