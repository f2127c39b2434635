"""What was mined, on screen: the model's verdict, the pairs beside the test's, and pairs to read."""

from __future__ import annotations

from typing import Any

import streamlit as st

from simtune_core.figures.histograms import faceted_histogram
from simtune_core.workflows.mining import example_rows, mined_bins, number_rows
from simtune_core.workflows.running import result_of
from simtune_core.workspace import Workspace, open_workspace
from ui.ask import show_findings
from ui.errors import shown_as_message
from ui.jobs import job_panel
from ui.keys import CURRICULUM_NEXT, key
from ui.live_chart import plotly_live
from ui.menu import button_to
from ui.session import current_workspace
from ui.text import as_label, count
from ui.weak import other_findings, weak_marks

_NUMBER = st.column_config.NumberColumn(format="%.3f", width="small")
_SMALL, _LARGE = (st.column_config.TextColumn(width=width) for width in ("small", "large"))


def mined_panel(job_id: str) -> None:
    """Follow a mining job, then draw what it made; one that is gone is told.

    Args:
        job_id: A job of the kind `mine`.
    """
    with shown_as_message("What was mined cannot be shown any more.", stop=False):
        status = job_panel(job_id, key=key("curriculum", "mine_panel"), on_done=_preselect)
        if status.state == "done":
            _result(current_workspace(), job_id, result_of(current_workspace(), job_id))


def _preselect(job: Any) -> None:
    """Let the tab Refine begin with the pair set that was just made."""
    st.session_state[CURRICULUM_NEXT] = result_of(current_workspace(), job.id)["dataset"].partition("@")[0]


def _result(workspace: Workspace, job_id: str, result: dict[str, Any]) -> None:
    st.header(f"{as_label(result['dataset'])}: {count(result['n_pairs'])} pairs")
    weak_marks(workspace, result["dataset"])
    show_findings(other_findings(result["findings"]))
    if result["roc_auc"] is not None and not any(each["severity"] == "warning" for each in result["findings"]):
        words = "No warning: neither too easy, nor at chance with one class, nor mostly false negatives by estimate."
        st.success(words, icon=":material/check_circle:")
    title = result["baseline"]["title"]
    table, chart = st.columns([2, 3], gap="medium")
    with table:
        st.caption(f"{as_label(title)} on the mined pairs, cosine of {as_label(title)}.")
        st.dataframe(
            number_rows(result), hide_index=True, height="content",
            alt=f"What {title} makes of the mined pairs and of the test pairs",
        )  # fmt: skip
        found = result["baseline"]["false_negatives"]
        st.caption(as_label(found["words"], longest=400) if found else "False negatives are not estimated: one class.")
        _losses(result)
    with chart:
        plotly_live(
            faceted_histogram(mined_bins(result), space=f"cosine of {title}"),
            key=key("curriculum", f"mined.{job_id}"),
            alt=f"Similarity to {title} of the negative and positive mined pairs, above those of the test set",
        )
    _examples(job_id)
    _next(result)


def _losses(result: dict[str, Any]) -> None:
    if not result["losses"]:
        return
    rows = [{"left out": loss["n"], "what": loss["words"]} for loss in result["losses"]]
    with st.popover("What was left out", icon=":material/filter_alt:"):
        st.dataframe(rows, hide_index=True, alt="What mining left out, and why")


def _examples(job_id: str) -> None:
    order = st.segmented_control(
        "Pairs to read", ["The model's worst errors", "As saved"], default="The model's worst errors", required=True,
        key=key("curriculum", "mined_order"), persist_state="session",
    )  # fmt: skip
    with shown_as_message("The pairs cannot be shown.", stop=False):
        rows = _rows(str(current_workspace().root), job_id, order != "As saved")
        columns: dict[str, Any] = {"model": _NUMBER, "similarity": _NUMBER, "label": _SMALL}
        columns |= {"sentence1": _LARGE, "sentence2": _LARGE, "category1": _SMALL, "category2": _SMALL}
        st.dataframe(
            rows, hide_index=True, height=320, column_config=columns,
            alt=f"{len(rows)} mined pairs with the model's cosine and the similarity in the space they were mined in",
        )  # fmt: skip


@st.cache_data(max_entries=16, show_spinner=False)
def _rows(root: str, job_id: str, worst_first: bool) -> Any:
    """Read the pairs of a finished job once; they never change."""
    return example_rows(open_workspace(root), job_id, worst_first=worst_first)


def _next(result: dict[str, Any]) -> None:
    with st.container(horizontal=True):
        button_to(
            "curriculum", "Refine it", key=key("curriculum", "mined_refine"), icon=":material/edit:",
            holds={key("curriculum", "tab"): "Refine"},
        )  # fmt: skip
        button_to(
            "training", "Train on it", key=key("curriculum", "mined_train"), icon=":material/arrow_forward:",
            holds={"training.train": result["dataset"].partition("@")[0]},
        )  # fmt: skip
