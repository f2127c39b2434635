"""Curriculum: which pairs go into which phase, how hard are they, and what is made of them?"""

import streamlit as st

from ui.ask import answer_to
from ui.curriculum import cut_panel
from ui.curriculum_examples import examples_panel
from ui.curriculum_made import generated
from ui.curriculum_mining import mining_panel
from ui.curriculum_refine import refine_tab
from ui.curriculum_sources import baseline_line, counted_words, counting, pick_sources
from ui.errors import shown_as_message
from ui.frame import ensure_frame
from ui.keys import key
from ui.session import current_workspace

ensure_frame()
st.title("Curriculum")
st.markdown(
    "Cut the pairs you want out of all pairs there are; every move of a slider shows what the phases will hold."
)
workspace = current_workspace()
cut, mine, refine = st.tabs(
    ["Cut", "Mine", "Refine"], key=key("curriculum", "tab"), on_change="rerun", bind="query-params"
)

if cut.open:
    with cut:
        sources = pick_sources(workspace)
        with shown_as_message():
            request = counting(workspace, sources)
        answer = answer_to(
            request,
            key=key("curriculum", "ask"),
            button="Count candidates",
            why="Every pair, once; from then on sliders answer at once.",
        )
        if answer:
            counted_words(answer)
            sliders, below = st.container(), st.container()
            with below:
                readings = baseline_line(workspace, sources, answer.job.id)
            with sliders:
                cut_panel(answer, sources, readings)
            examples_panel(answer.job.id)
            generated()

if mine.open:
    with mine:
        mining_panel()

if refine.open:
    with refine:
        refine_tab(workspace)
