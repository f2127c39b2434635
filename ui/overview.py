"""The overview on screen: the next step, counts, champion against baseline, models and jobs."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import pandas as pd
import streamlit as st

from simtune_core.jobs.states import JobStatus
from simtune_core.workflows.models import ModelManifest
from simtune_core.workflows.overview import Lead, Overview, Step
from ui.job_table import job_columns, job_rows
from ui.keys import key
from ui.menu import link_to
from ui.text import as_label
from ui.verdicts import METRIC_WORDS, VERDICTS, in_red

_JOBS_SHOWN, _ROWS_AT_MOST = 20, 6


def next_step(step: Step) -> None:
    """Draw the next sensible step as a card with its reason and a link."""
    with st.container(border=True, key=key("overview", "step")):
        st.caption("Next step")
        st.markdown(as_label(step.why))
        link_to(step.page, step.label)


def counts_row(overview: Overview) -> None:
    """Draw how many datasets, models and jobs there are."""
    active = sum(job.active for job in overview.jobs)
    with st.grid(4, min_column_width=140):
        st.metric("Datasets", len(overview.datasets), border=True)
        st.metric("Tuned models", len(overview.models), border=True)
        st.metric("Jobs running or waiting", active, border=True)
        st.metric("Failed adapter checks", len(overview.failed), border=True)


def lead_cards(lead: Lead) -> None:
    """Draw the champion's and the baseline's metric on the same pairs, and the verdict with its interval."""
    name = METRIC_WORDS[lead.metric]
    with st.grid(3, min_column_width=200):
        with st.container(border=True, gap="xsmall", height="stretch"):
            st.caption("Baseline")
            st.markdown(f"**{as_label(lead.baseline)}**")
            st.markdown(f"### {_number(lead.baseline_value)}")
        with st.container(border=True, gap="xsmall", height="stretch"):
            st.caption("Champion")
            st.markdown(f"**{as_label(lead.champion)}**" if lead.champion else "No tuned model was judged yet.")
            st.markdown(f"### {_number(lead.champion_value)}")
        with st.container(border=True, gap="xsmall", height="stretch"):
            st.caption("Verdict")
            if lead.verdict and lead.difference:
                icon, colour = VERDICTS[lead.verdict]
                st.badge(lead.verdict, icon=icon, color=colour)  # type: ignore[arg-type]
                estimate, low, high = lead.difference
                st.markdown(f"{estimate:+.4f} points, {100 * lead.level:.0f} % interval {low:+.4f} to {high:+.4f}")
            else:
                st.markdown("Evaluate a tuned model to get one.")
    st.caption(as_label(f"{name} on the {lead.n_pairs:,} pairs of {lead.set_ref}; the newest evaluation."))
    link_to("evaluation", "Where is it wrong?")


def model_table(models: Sequence[ModelManifest], failed: Mapping[str, str], unchecked: Collection[str]) -> None:
    """Draw the tuned models, newest first; one that failed its check is red, marked and says why."""
    rows = [
        {
            "model": ("⚠ " if model.model_id in failed else "") + model.model_id,
            "kind": model.kind,
            "base": model.base,
            "trained on": model.train,
            "made": datetime.fromtimestamp(int(model.created)),
            "adapter check": failed.get(model.model_id, "not checked" if model.model_id in unchecked else "applied"),
        }
        for model in reversed(models)
    ]
    red = [model.model_id in failed for model in reversed(models)]
    frame = pd.DataFrame(rows)
    styled = in_red(frame, red)
    st.dataframe(styled, hide_index=True, alt=f"{len(rows)} tuned models with their adapter checks")


def job_table(jobs: Sequence[JobStatus]) -> None:
    """Draw the newest jobs as the page Jobs does, and the way there."""
    rows = job_rows(jobs[:_JOBS_SHOWN], time.time())
    alt = f"The newest {len(rows)} jobs with their states"
    st.dataframe(
        rows,
        hide_index=True,
        height="content" if len(rows) <= _ROWS_AT_MOST else 260,
        column_config=job_columns(),
        alt=alt,
    )
    link_to("jobs", "All jobs, their logs and what can be done next")


def _number(value: float | None) -> str:
    return "not defined" if value is None else f"{value:.4f}"
