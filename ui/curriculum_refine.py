"""The tab Refine of the curriculum page: any pair set, looked over, augmented, compared, and taken on from here."""

from __future__ import annotations

import streamlit as st

from simtune_core.workflows import data
from simtune_core.workspace import Workspace
from ui.curriculum_augment import augment_panel
from ui.curriculum_compare import compare_panel
from ui.curriculum_out import out_panel
from ui.curriculum_quality import quality_panel
from ui.empty import stop_without_data
from ui.keys import CURRICULUM_NEXT, key
from ui.weak import weak_marks
from ui.widgets import pick_one

_SET = key("curriculum", "set")
_PANELS = {
    "Look over": quality_panel,
    "Augment": augment_panel,
    "Compare": compare_panel,
    "Take it on": out_panel,
}


def refine_tab(workspace: Workspace) -> None:
    """Draw the choice of a pair set and of what is done with it; only what is chosen is drawn."""
    stop_without_data(workspace, "pairs")
    refs = data.set_refs(workspace, "pairs")
    made = st.session_state.pop(CURRICULUM_NEXT, None)
    if made in refs:
        st.session_state[_SET] = made
    with st.container(horizontal=True, vertical_alignment="bottom"):
        ref = pick_one("Pair set", refs, key=_SET)
        section = st.segmented_control(
            "What to do", list(_PANELS), default=next(iter(_PANELS)), required=True, key=key("curriculum", "section"),
            bind="query-params", persist_state="session",
        )  # fmt: skip
    if ref is not None:
        weak_marks(workspace, ref)
        _PANELS[section](ref)
