"""Jobs on screen: the strip in the sidebar, and the panel that follows one job inside a page.

Reads job folders through the launcher. Titles, texts and logs come from users and programs: plain text, never Markdown.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import streamlit as st

from simtune_core.jobs.launcher import list_jobs, read_job, read_log, request_stop
from simtune_core.jobs.states import JobStatus
from simtune_core.workspace import Workspace
from ui.errors import shown_as_message
from ui.keys import JOBS_ENDED, JOBS_SEEN, key
from ui.session import current_workspace
from ui.text import as_label, count, duration

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
_SHOWN = 4
_FAST, _SLOW, _PANEL = "2s", "5s", "1s"


def job_strip(workspace: Workspace) -> None:
    """Draw the jobs that wait or run, with progress and a stop button, and tell by a toast when one ends."""
    pace = _FAST if any(job.active for job in list_jobs(workspace)) else _SLOW
    st.fragment(_draw_strip, run_every=pace)(workspace)


def job_panel(job_id: str, *, key: str, on_done: Callable[[JobStatus], None] | None = None) -> JobStatus:
    """Follow one job inside a page: progress, time left, stop button; the cause and the log if it failed.

    While the job is active the panel refreshes itself each second; when it ends, the whole page runs again once.

    Args:
        job_id: The job.
        key: Key of the panel, unique on the page.
        on_done: Called once per session with a job that ended as "done".

    Returns:
        The job's status now; a page shows its results if `state == "done"`.

    Raises:
        JobError: If there is no such job.
    """
    workspace = current_workspace()
    job = read_job(workspace, job_id)
    if job.active:
        st.fragment(_follow, run_every=_PANEL)(workspace, job_id, key)
        return job
    if job.state == "done" and on_done is not None and _first_time(job):
        on_done(job)
    _draw_ended(workspace, job)
    return job


def state_badge(state: str) -> None:
    """Draw a job's state as symbol, word and colour."""
    icon, word, colour = STATES[state]
    st.badge(word, icon=icon, color=colour)  # type: ignore[arg-type]


def progress_words(job: JobStatus) -> str:
    """Word how far a job is: `620 of 1,872 · 33 % · 6 min left`; our own words and numbers only."""
    if job.state == "queued":
        return "waiting for its turn"
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


def _draw_strip(workspace: Workspace) -> None:
    jobs = list_jobs(workspace)
    _announce_changes(jobs)
    # at work before waiting; among the waiting the next one first
    active = sorted((job for job in jobs if job.active), key=lambda job: (job.state == "queued", job.created))
    st.caption(f"Jobs ({len(active)} active)" if active else "No job is waiting or running.")
    for job in active[:_SHOWN]:
        with st.container(border=True, gap="xxsmall"):
            st.text(job.title)
            if job.state == "queued":
                st.caption(progress_words(job))
            else:
                st.progress(fraction(job), text=progress_words(job))
            _stop_button(workspace, job, "strip")
    if len(active) > _SHOWN:
        st.caption(f"and {len(active) - _SHOWN} more")


def _follow(workspace: Workspace, job_id: str, name: str) -> None:
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
        _warn_if_silent(workspace, job)
        _stop_button(workspace, job, "panel")


def _draw_ended(workspace: Workspace, job: JobStatus) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        state_badge(job.state)
        st.text(job.title)
        if job.started is not None and job.ended is not None:
            st.caption(f"took {duration(job.ended - job.started)}")
    if job.state == "done":
        return
    if job.cause:
        st.code(job.cause, language=None, wrap_lines=True)
    _log(workspace, job)


def _warn_if_silent(workspace: Workspace, job: JobStatus) -> None:
    silent = silent_seconds(job, time.time())
    if silent > SILENT_AFTER_SECONDS:
        st.warning(
            f"No sign of life for {duration(silent)}: it is loading a large model, or it hangs.",
            icon=":material/heart_broken:",
        )
        _log(workspace, job)


def _log(workspace: Workspace, job: JobStatus) -> None:
    opened = st.expander(
        "End of the log", icon=":material/article:", key=key("jobs", f"log.{job.id}"), on_change="rerun"
    )
    if opened.open:
        with opened:
            st.code(read_log(workspace, job.id) or "The log is empty.", language=None, wrap_lines=True)


def _stop_button(workspace: Workspace, job: JobStatus, place: str) -> None:
    pressed = st.button(
        "Stop",
        key=key("jobs", f"{place}.{job.id}"),
        icon=":material/stop_circle:",
        type="tertiary" if place == "strip" else "secondary",
        disabled=job.state == "stopping",
        help="Ends the job at its next safe point; what it has saved is kept.",
    )
    if pressed:
        with shown_as_message(stop=False):
            request_stop(workspace, job.id)


def _announce_changes(jobs: list[JobStatus]) -> None:
    states = {job.id: job.state for job in jobs}
    seen: dict[str, str] = st.session_state.get(JOBS_SEEN, states)  # the first look of a session tells nothing
    for job in jobs:
        if job.finished and seen.get(job.id) != job.state:
            _announce(job)
    st.session_state[JOBS_SEEN] = states


def _announce(job: JobStatus) -> None:
    icon, word, _ = STATES[job.state]
    trouble = job.state in ("failed", "lost")
    st.toast(f"{as_label(job.title)}: {word}", icon=icon, duration="infinite" if trouble else "long")


def _first_time(job: JobStatus) -> bool:
    ended: list[str] = st.session_state.setdefault(JOBS_ENDED, [])
    if job.id in ended:
        return False
    ended.append(job.id)
    return True
