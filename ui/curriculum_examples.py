"""Twenty pairs that a phase could draw, to be read: sampled from the candidates as the plan would take them."""

from __future__ import annotations

import streamlit as st

from simtune_core.curriculum.config import CurriculumConfig
from simtune_core.workflows.candidate_examples import N_EXAMPLES, ExampleQuery, example_pairs
from ui.curriculum_settings import held_config
from ui.errors import shown_as_message
from ui.keys import key
from ui.session import current_workspace

_BOX, _ASKED = key("curriculum", "examples"), key("curriculum", "examples_asked")
_CLASSES = {"positive": 1, "negative": 0}
_FORMS = {
    "similarity": st.column_config.NumberColumn(format="%.3f", width="small"),
    "text 1": st.column_config.TextColumn(width="large"),
    "text 2": st.column_config.TextColumn(width="large"),
}


@st.fragment
def examples_panel(candidates: str) -> None:
    """Draw the choice of a phase and a class, and on demand pairs of it; a slider's move leaves them as they are.

    Args:
        candidates: Id of the job that counted the pairs.
    """
    box = st.expander("Example pairs", icon=":material/visibility:", key=_BOX, on_change="rerun")
    if not box.open:
        return
    with box, shown_as_message("There are no examples while the settings contradict each other.", stop=False):
        _drawn(candidates, held_config())


def _drawn(candidates: str, config: CurriculumConfig) -> None:
    names = [phase.name for phase in config.phases]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        phase = st.selectbox("Phase", names, key=key("curriculum", "examples_phase"), width=200)
        kind = st.segmented_control(
            "Class", list(_CLASSES), default="positive", required=True, key=key("curriculum", "examples_class")
        )
        if st.button(f"Show {N_EXAMPLES}", key=key("curriculum", "examples_show"), icon=":material/casino:"):
            seed = 1 + st.session_state.get(_ASKED, {}).get("seed", 0)
            st.session_state[_ASKED] = {
                "seed": seed,
                "candidates": candidates,
                "phase": phase,
                "kind": kind,
                "of": config,
            }
    asked = st.session_state.get(_ASKED)
    if asked is None or asked["candidates"] != candidates:
        st.caption("Drawn as the plan would draw them now; press again for others.")
        return
    query = ExampleQuery(candidates, asked["phase"], _CLASSES[asked["kind"]], asked["seed"])
    rows = example_pairs(current_workspace(), query, asked["of"])
    st.dataframe(
        rows, hide_index=True, column_config=_FORMS, height="content",
        alt=f"{len(rows)} {asked['kind']} pairs that the phase {asked['phase']} could draw",
    )  # fmt: skip
