"""The threshold explorer of an evaluation and the pairs behind a cell of its confusion matrices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import streamlit as st

from simtune_core.jobs.states import JobStatus
from simtune_core.workflows.judging import CELL_NAMES, Judged, read_judged
from ui.errors import shown_as_message
from ui.keys import key
from ui.session import current_workspace
from ui.threshold_explorer import ExplorerModel, ExplorerState, threshold_explorer

_HEIGHT = 320


@st.cache_resource(max_entries=4, show_spinner="Reading the scores")
def judged(job_id: str) -> Judged:
    """Read a finished evaluation once per server process; it never changes."""
    return read_judged(current_workspace(), job_id)


@st.fragment
def explore(job: JobStatus, failed: Mapping[str, str]) -> None:
    """Draw the explorer with all models of an evaluation, and below it the pairs of the cell clicked last."""
    with shown_as_message("The scores of this evaluation cannot be read."):
        evaluation = judged(job.id)
    models = evaluation.result["models"]
    names = [model["encoder"] for model in models]
    shared = st.segmented_control(
        "Threshold", ["each model's own, chosen on dev", "one for all"], default="each model's own, chosen on dev",
        required=True, key=key("evaluation", "shared"), persist_state="session",
    )  # fmt: skip
    thresholds = evaluation.thresholds(names)
    first = models[0]["threshold"]
    state = threshold_explorer(
        [
            ExplorerModel(
                name=model["encoder"],
                curve=evaluation.curve(model["encoder"], names),
                bins=evaluation.bins(model["encoder"], names),
                chosen=model["threshold"],
                baseline=model["baseline"],
                failed_check=failed.get(model["encoder"]),
            )
            for model in models
        ],
        index=int(np.abs(thresholds - (0.5 if first is None else first)).argmin()),
        key=key("evaluation", f"explorer.{job.id}"),
        shared=shared == "one for all",
    )
    _pairs_of_cell(evaluation, state, names, thresholds)


def _pairs_of_cell(evaluation: Judged, state: ExplorerState, names: Sequence[str], thresholds: np.ndarray) -> None:
    cell, model = state.cell or "fp", state.model or names[-1]
    threshold = float(thresholds[state.indices.get(model, state.index)])
    found = evaluation.in_cell(model, cell, threshold)
    st.header(f"{CELL_NAMES[cell]} ({len(found):,})")
    rule = "at or above" if cell in ("fp", "tp") else "below"
    st.caption("Click a cell of a confusion matrix for its pairs; select a row to read both texts.")
    st.text(f"{model}: {'similar' if cell in ('tp', 'fn') else 'different'} pairs that score {rule} {threshold:.3f}")
    if found.empty:
        st.success("No pair is in this cell.", icon=":material/check_circle:")
        return
    event = st.dataframe(
        found,
        key=key("evaluation", "pairs"),
        hide_index=True,
        height=_HEIGHT,
        on_select="rerun",
        selection_mode="single-row",
        alt=f"{len(found)} {CELL_NAMES[cell].lower()} of {model} at threshold {threshold:.3f}",
        column_config={
            "row": None,
            "score": st.column_config.ProgressColumn("score", min_value=0, max_value=1, format="%.3f", width="small"),
            "sentence1": st.column_config.TextColumn(width="large"),
            "sentence2": st.column_config.TextColumn(width="large"),
        },
    )
    chosen = event.selection.rows
    if chosen and chosen[0] < len(found):
        _side_by_side(found.iloc[chosen[0]])
    st.download_button(
        f"{CELL_NAMES[cell]} (CSV)",
        data=lambda: _safe_csv(found),
        file_name=f"{cell}_{model}.csv".replace("/", "_"),
        mime="text/csv",
        on_click="ignore",
        icon=":material/download:",
        key=key("evaluation", "csv"),
    )


def _side_by_side(pair: pd.Series) -> None:
    for column, name in zip(st.columns(2), ("sentence1", "sentence2"), strict=True):
        with column.container(border=True, height="stretch"):
            st.caption(name)
            st.text(pair[name])


def _safe_csv(frame: pd.DataFrame) -> bytes:
    """Write CSV whose text cells no spreadsheet takes for a formula."""
    text = frame.select_dtypes(exclude="number")
    risky = text.apply(lambda column: column.str.match(r"[=+\-@\t\r]", na=False))
    return frame.assign(**text.where(~risky, "'" + text)).to_csv(index=False).encode()
