"""The list of all jobs with its filters, and the waiting ones in their order with what moves them.

Shows and asks; what a job is and what can be done with the chosen one stands in `ui.job_view`.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

import streamlit as st

from simtune_core.jobs.kinds import KINDS
from simtune_core.jobs.states import JobStatus
from simtune_core.workflows.running import move
from simtune_core.workflows.space import job_bytes
from simtune_core.workspace import Workspace
from ui.errors import shown_as_message
from ui.jobs import STATES, fraction, jobs_now, look_again, state_word, stop_button
from ui.keys import JOB, key
from ui.refreshing import refreshed
from ui.text import as_label, count, duration

PER_PAGE = 100
_WAITING_SHOWN = 10
_ROWS_AT_MOST, _HEIGHT = 10, 390  # a longer table scrolls inside its height, in pixels
_FAST, _SLOW = "2s", "10s"
_TABLE = key("jobs", "table")
_PLACES: dict[Literal["first", "up", "down", "last"], tuple[str, str]] = {
    "first": ("First", ":material/vertical_align_top:"),
    "up": ("Up", ":material/arrow_upward:"),
    "down": ("Down", ":material/arrow_downward:"),
    "last": ("Last", ":material/vertical_align_bottom:"),
}


def job_list(workspace: Workspace, chosen: str) -> None:
    """Draw the filters, the queue and the table, which follow the jobs by themselves; a row chosen is the job shown.

    Args:
        workspace: Whose jobs.
        chosen: Id of the job that the page shows, or nothing; another choice runs the whole page again.
    """
    pace = _FAST if any(job.active for job in jobs_now(workspace)) else _SLOW
    refreshed(_draw, workspace, chosen, every=pace)


def job_rows(jobs: Sequence[JobStatus], now: float) -> list[dict[str, Any]]:
    """Return one row per job: state, title, progress in percent, times, cause, kind, attempt, device, bytes.

    Args:
        jobs: The jobs, in the order shown.
        now: Unix time.
    """
    return [
        {
            "state": state_word(job.state),
            "job": job.title,
            "progress": 100.0 if job.state == "done" else 100 * fraction(job),
            "started": None if job.started is None else datetime.fromtimestamp(int(job.started)),
            "took": _took(job, now),
            "cause": job.cause,
            "kind": job.kind,
            "attempt": job.attempt,
            "device": job.device or "",
            "size": job_bytes(job.folder, finished=job.finished),
        }
        for job in jobs
    ]


def job_columns() -> dict[str, Any]:
    """Return how the columns of `job_rows` are drawn."""
    return {
        "state": st.column_config.TextColumn(width=95),
        "job": st.column_config.TextColumn(width="medium"),
        "attempt": st.column_config.NumberColumn(width=64, format="%d"),
        "progress": st.column_config.ProgressColumn(min_value=0, max_value=100, format="%.0f %%", width=115),
        "started": st.column_config.DatetimeColumn(format="D MMM HH:mm", width=110),
        "took": st.column_config.TextColumn(width=80),
        "size": st.column_config.NumberColumn(format="bytes", width=80),
        "cause": st.column_config.TextColumn(width="large"),
    }


def _draw(workspace: Workspace, chosen: str) -> None:
    if (st.session_state.get(JOB) or "").strip() != chosen:
        st.rerun()  # a row was chosen: the whole page shows another job
    jobs = jobs_now(workspace)
    _draw_waiting(workspace, [job for job in jobs if job.state == "queued"])
    found = _filtered(jobs)
    st.caption(f"{count(len(found))} of {count(len(jobs))} jobs, newest first")
    n_pages = max(1, -(-len(found) // PER_PAGE))
    slot = st.container()
    page = int(st.pagination(n_pages, key=key("jobs", f"page.{n_pages}"))) if n_pages > 1 else 1
    with slot:
        _draw_table(found[(page - 1) * PER_PAGE : page * PER_PAGE], chosen)


def _draw_table(shown: Sequence[JobStatus], chosen: str) -> None:
    if not shown:
        st.info("No job passes the filters.", icon=":material/filter_alt_off:")
        return
    ids = [job.id for job in shown]
    _mark(ids.index(chosen) if chosen in ids else None)
    st.dataframe(
        job_rows(shown, time.time()),
        key=_TABLE,
        hide_index=True,
        height="content" if len(shown) <= _ROWS_AT_MOST else _HEIGHT,
        column_config=job_columns(),
        on_select=lambda: _choose(ids),
        selection_mode="single-row",
        alt=f"{len(shown)} jobs with state, progress, times and cause",
    )


def _mark(row: int | None) -> None:
    """Select the row of the job shown: new jobs push rows down, and a selection is kept by its place."""
    wanted = [] if row is None else [row]
    held = st.session_state.get(_TABLE)
    if held is None or list(held["selection"]["rows"]) != wanted:
        st.session_state[_TABLE] = {"selection": {"rows": wanted, "columns": [], "cells": []}}


def _choose(ids: Sequence[str]) -> None:
    rows = st.session_state[_TABLE]["selection"]["rows"]
    st.session_state[JOB] = ids[rows[0]] if rows else ""


def _filtered(jobs: Sequence[JobStatus]) -> list[JobStatus]:
    """Draw the filters and return the jobs that pass them; no state or kind chosen means all."""
    bound: dict[str, Any] = {"bind": "query-params", "persist_state": "session"}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        states = st.pills("State", list(STATES), selection_mode="multi", key=key("jobs", "state"), **bound)
        kinds = st.multiselect("Kind", list(KINDS), key=key("jobs", "kind"), placeholder="all", width=190, **bound)
        words = st.text_input(
            "Search",
            key=key("jobs", "search"),
            type="search",
            live="300ms",
            width=240,
            placeholder="title, id or cause",
        )
    wanted = (words or "").casefold()
    return [
        job
        for job in jobs
        if (not states or job.state in states)
        and (not kinds or job.kind in kinds)
        and (not wanted or wanted in f"{job.title}\n{job.id}\n{job.cause}".casefold())
    ]


def _draw_waiting(workspace: Workspace, queued: Sequence[JobStatus]) -> None:
    """Draw the jobs that wait, the next one first, with what moves them or takes them out of the queue."""
    if not queued:
        return
    order = sorted(queued, key=lambda job: (job.ahead or 0, job.id))
    with st.container(border=True, gap="xxsmall"):
        st.markdown(f"**Waiting ({len(order)})**")
        for job in order[:_WAITING_SHOWN]:
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.text(job.title, width="stretch")
                st.caption(f"{job.ahead or 0} ahead", width="content")
                for place, (word, icon) in _PLACES.items():
                    where = key("jobs", f"{place}.{job.id}")
                    if st.button(word, key=where, icon=icon, type="tertiary", disabled=_there(place, job, order)):
                        _move(workspace, job.id, place)
                stop_button(workspace, job, "queue")
        if len(order) > _WAITING_SHOWN:
            st.caption(f"and {len(order) - _WAITING_SHOWN} more behind them")


def _there(place: str, job: JobStatus, order: Sequence[JobStatus]) -> bool:
    """Tell whether a job stands already where a button would move it."""
    return job is (order[0] if place in ("first", "up") else order[-1])


def _move(workspace: Workspace, job_id: str, place: Literal["first", "up", "down", "last"]) -> None:
    with shown_as_message(stop=False):
        move(workspace, job_id, place)
        look_again()
        st.rerun()


def _took(job: JobStatus, now: float) -> str:
    if job.started is None:
        return ""
    if job.active:
        return as_label(duration(max(0.0, now - job.started)))
    return "" if job.ended is None else duration(max(0.0, job.ended - job.started))
