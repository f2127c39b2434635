"""The strip in the sidebar of every page: what runs and waits, what failed while this session looked, notices.

Refreshes itself; one look at the job folders serves it and all other sessions for a second. Titles and causes come
from users and programs: plain text, never Markdown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from simtune_core.jobs.states import JobStatus
from simtune_core.workspace import Workspace
from ui.jobs import STATES, TROUBLE, fraction, jobs_now, open_button, progress_words, state_badge, stop_button
from ui.keys import JOBS_FAILED, JOBS_SEEN, key
from ui.notices import notice_area
from ui.refreshing import refreshed
from ui.text import as_label

_SHOWN = 4
_FAST, _SLOW = "2s", "5s"
_CAUSE_LETTERS = 160


def job_strip(workspace: Workspace) -> None:
    """Draw notices, the jobs that wait or run with progress and stop, and what failed; a toast tells of every end."""
    pace = _FAST if any(job.active for job in jobs_now(workspace)) else _SLOW
    refreshed(_draw, workspace, every=pace)


def _draw(workspace: Workspace) -> None:
    notice_area()
    jobs = jobs_now(workspace)
    _announce_changes(jobs)
    # at work before waiting; among the waiting the next one first
    active = [job for job in jobs if job.active]
    active.sort(key=lambda job: (job.state == "queued", job.ahead or 0, job.id))
    st.caption(f"Jobs ({len(active)} active)" if active else "No job is waiting or running.")
    for job in active[:_SHOWN]:
        with st.container(border=True, gap="xxsmall"):
            st.text(job.title)
            if job.state == "queued":
                st.caption(progress_words(job))
            else:
                st.progress(fraction(job), text=progress_words(job))
            with st.container(horizontal=True):
                stop_button(workspace, job, "strip")
                open_button(job, "strip")
    if len(active) > _SHOWN:
        st.caption(f"and {len(active) - _SHOWN} more on the page Jobs")
    _draw_failures({job.id: job for job in jobs})


def _draw_failures(jobs: Mapping[str, JobStatus]) -> None:
    """Draw what failed while this session looked, newest first, until it is dismissed or its folder is gone."""
    failed: list[str] = [job_id for job_id in st.session_state.get(JOBS_FAILED, []) if job_id in jobs]
    for job_id in failed[-_SHOWN:][::-1]:
        job = jobs[job_id]
        with st.container(border=True, gap="xxsmall"):
            state_badge(job.state)
            st.text(job.title)
            st.caption(as_label(job.cause, longest=_CAUSE_LETTERS))
            with st.container(horizontal=True):
                open_button(job, "strip")
                st.button(
                    "Dismiss",
                    key=key("jobs", f"dismiss.{job.id}"),
                    type="tertiary",
                    icon=":material/close:",
                    on_click=_dismiss,
                    args=(job_id,),
                )
    if len(failed) > _SHOWN:
        st.caption(f"and {len(failed) - _SHOWN} more that failed")
    st.session_state[JOBS_FAILED] = failed


def _dismiss(job_id: str) -> None:
    st.session_state[JOBS_FAILED] = [each for each in st.session_state.get(JOBS_FAILED, []) if each != job_id]


def _announce_changes(jobs: Sequence[JobStatus]) -> None:
    states = {job.id: job.state for job in jobs}
    seen: dict[str, str] = st.session_state.get(JOBS_SEEN, states)  # the first look of a session tells nothing
    failed: list[str] = st.session_state.setdefault(JOBS_FAILED, [])
    for job in reversed(jobs):
        if job.finished and seen.get(job.id) != job.state:
            icon, word, _ = STATES[job.state]
            trouble = job.state in TROUBLE
            st.toast(f"{as_label(job.title)}: {word}", icon=icon, duration="infinite" if trouble else "long")
            failed += [job.id] if trouble else []
    st.session_state[JOBS_SEEN] = states
