"""Jobs on screen: their words, the one look that all sessions share, and the panel that follows one job in a page.

The strip, the list and the page Jobs build on it. Titles, texts and logs come from users and programs: plain text.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import streamlit as st

from simtune_core.jobs.states import JobStatus
from simtune_core.workflows.logs import log_lines, read_log_part
from simtune_core.workflows.running import list_jobs, read_job, request_stop
from simtune_core.workspace import Workspace
from ui.errors import shown_as_message
from ui.keys import JOB, JOBS_ENDED, key
from ui.menu import button_to
from ui.refreshing import refreshed
from ui.session import current_workspace
from ui.text import count, duration

STATES = {  # state -> symbol, word and colour: never colour alone
    "queued": (":material/schedule:", "queued", "gray"),
    "running": (":material/play_circle:", "running", "blue"),
    "stopping": (":material/pending:", "stopping", "orange"),
    "done": (":material/check_circle:", "done", "green"),
    "failed": (":material/error:", "failed", "red"),
    "stopped": (":material/stop_circle:", "stopped", "orange"),
    "lost": (":material/help:", "lost", "red"),
}
SILENT_AFTER_SECONDS = 30
_LOG_LINES = 200
SIGNS = {"queued": "◷", "running": "▶", "stopping": "◌", "done": "✓", "failed": "✕", "stopped": "■", "lost": "?"}
TROUBLE = ("failed", "lost")  # ends that nobody asked for
LOOK_SECONDS = 1.0  # for how long all sessions share one look at the job folders
_PANEL = "1s"


def jobs_now(workspace: Workspace) -> tuple[JobStatus, ...]:
    """Return every job, newest first, as the last look saw them; all sessions share a look for a second."""
    return _look(str(workspace.root))


def look_again() -> None:
    """Forget the shared look, after this session has changed something, so that the next one sees it."""
    _look.clear()


def job_panel(
    job_id: str, *, key: str, on_done: Callable[[JobStatus], None] | None = None, whole: bool = True
) -> JobStatus:
    """Follow one job inside a page: progress, time left, stop button; the cause and the log if it failed.

    While the job is active the panel refreshes itself each second; when it ends, the whole page runs again once.

    Args:
        job_id: The job.
        key: Key of the panel, unique on the page.
        on_done: Called once per session with a job that ended as "done".
        whole: Whether the end of the log and the way to the page Jobs are drawn too; that page has a place for them.

    Returns:
        The job's status now; a page shows its results if `state == "done"`.

    Raises:
        JobError: If there is no such job.
    """
    workspace = current_workspace()
    job = read_job(workspace, job_id)
    if job.active:
        refreshed(_follow, workspace, job_id, key, whole, every=_PANEL)
        return job
    if job.state == "done" and on_done is not None and _first_time(job):
        on_done(job)
    _draw_ended(workspace, job, whole)
    return job


def state_word(state: str) -> str:
    """Return a job's state as sign and word, for places that can draw no icon, such as tables."""
    return f"{SIGNS[state]} {STATES[state][1]}"


def state_badge(state: str) -> None:
    """Draw a job's state as symbol, word and colour."""
    icon, word, colour = STATES[state]
    st.badge(word, icon=icon, color=colour)  # type: ignore[arg-type]


def progress_words(job: JobStatus) -> str:
    """Word how far a job is: `620 of 1,872 · 33 % · 6 min left`; our own words and numbers only."""
    if job.state == "queued":
        return "waiting for its turn" if job.ahead is None else f"queued ({job.ahead} ahead)"
    if job.state == "stopping":
        return "stopping; what is done so far is kept"
    parts = []
    if job.done is not None and job.total:
        parts += [f"{count(job.done)} of {count(job.total)}", f"{100 * fraction(job):.0f} %"]
    if job.eta_seconds is not None:
        parts.append(f"{duration(job.eta_seconds)} left")
    return " · ".join(parts) or "starting"


def fraction(job: JobStatus) -> float:
    """Return the share of a job that is done, in [0, 1]; 0 where unknown."""
    if job.done is None or not job.total:
        return 0.0
    return min(1.0, max(0.0, job.done / job.total))


def silent_seconds(job: JobStatus, now: float) -> float:
    """Return for how many seconds a running job has written nothing; 0 for any other job.

    Args:
        job: The job.
        now: Unix time.
    """
    if job.state != "running" or job.started is None:
        return 0.0
    written = [path.stat().st_mtime for path in (job.folder / "events.jsonl", job.folder / "log.txt") if path.exists()]
    return max(0.0, now - max([job.started, *written]))


def stop_button(workspace: Workspace, job: JobStatus, place: str) -> None:
    """Draw the button that stops a running job or takes a waiting one out of the queue; pressed twice it is one stop.

    Args:
        workspace: Where the job lies.
        job: The job, active.
        place: Tells the buttons of one job in several places apart; in the strip it is small.
    """
    waiting = job.state == "queued"
    pressed = st.button(
        "Cancel" if waiting else "Stop",
        key=key("jobs", f"{place}.{job.id}"),
        icon=":material/cancel:" if waiting else ":material/stop_circle:",
        type="tertiary" if place == "strip" else "secondary",
        disabled=job.state == "stopping",
        help="Leaves the queue." if waiting else "Ends the job at its next safe point; what it has saved is kept.",
    )
    if pressed:
        with shown_as_message(stop=False):
            request_stop(workspace, job.id)
            look_again()
            st.rerun()


def open_button(job: JobStatus, place: str) -> None:
    """Draw the button that leads to a job on the page Jobs, with its log, its parameters and what can be done next."""
    button_to(
        "jobs", "Open", key=key("jobs", f"open.{place}.{job.id}"), holds={JOB: job.id}, icon=":material/open_in_new:"
    )


def _follow(workspace: Workspace, job_id: str, name: str, whole: bool) -> None:
    with shown_as_message():
        job = read_job(workspace, job_id)
    if job.finished:
        st.rerun()
    with st.container(border=True, key=name):
        with st.container(horizontal=True, vertical_alignment="center"):
            state_badge(job.state)
            st.text(job.title)
        st.progress(fraction(job), text=progress_words(job))
        if job.text:
            st.text(job.text)
        _warn_if_silent(job)
        with st.container(horizontal=True):
            stop_button(workspace, job, "panel")
            if whole:
                open_button(job, "panel")


def _draw_ended(workspace: Workspace, job: JobStatus, whole: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        state_badge(job.state)
        st.text(job.title)
        if job.started is not None and job.ended is not None:
            st.caption(f"took {duration(job.ended - job.started)}")
    if job.state == "done":
        return
    if job.cause:
        st.code(job.cause, language=None, wrap_lines=True)
    if whole:
        _log(workspace, job)
        open_button(job, "panel")


def _warn_if_silent(job: JobStatus) -> None:
    silent = silent_seconds(job, time.time())
    if silent > SILENT_AFTER_SECONDS:
        st.warning(
            f"No sign of life for {duration(silent)}: it is loading a large model, or it hangs.",
            icon=":material/heart_broken:",
        )


def _log(workspace: Workspace, job: JobStatus) -> None:
    opened = st.expander(
        "End of the log", icon=":material/article:", key=key("jobs", f"log.{job.id}"), on_change="rerun"
    )
    if opened.open:
        with opened:
            lines = log_lines(read_log_part(workspace, job.id), newest=_LOG_LINES)
            st.code("\n".join(line.text for line in lines) or "The log is empty.", language=None, wrap_lines=True)


@st.cache_resource(ttl=LOOK_SECONDS, max_entries=4, show_spinner=False)
def _look(root: str) -> tuple[JobStatus, ...]:
    return tuple(list_jobs(Workspace(Path(root))))


def _first_time(job: JobStatus) -> bool:
    ended: list[str] = st.session_state.setdefault(JOBS_ENDED, [])
    if job.id in ended:
        return False
    ended.append(job.id)
    return True
