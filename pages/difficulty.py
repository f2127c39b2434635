"""Difficulty: are the training pairs as hard as the test pairs, before anything is trained?"""

import streamlit as st

from simtune_core.difficulty.config import DifficultyConfig
from simtune_core.encoders.config import EncodingConfig
from simtune_core.figures.histograms import score_histogram, two_set_histogram
from simtune_core.workflows import data
from simtune_core.workflows.hardness import number_rows, set_bins
from simtune_core.workflows.requests import difficulty_request
from ui.ask import answer_to, show_findings
from ui.empty import stop_without_data
from ui.errors import shown_as_message
from ui.frame import ensure_frame
from ui.hardness import difficulty_cards, difficulty_table
from ui.keys import key
from ui.menu import link_to
from ui.session import current_workspace
from ui.spaces import pick_encoder
from ui.widgets import field_for, pick_one, select_for

ensure_frame()
st.title("Difficulty")
st.markdown(
    "Are the training pairs as hard as the test pairs? If the baseline solves them already, they teach nothing."
)
workspace = current_workspace()
stop_without_data(workspace)

refs = data.set_refs(workspace)
usual = data.usual_sets(refs, "train", "test")
with st.container(horizontal=True, vertical_alignment="bottom"):
    first = pick_one("Pairs to train on", refs, key=key("difficulty", "set"), default=usual["train"])
    second = pick_one("Pairs to test on", refs, key=key("difficulty", "against"), default=usual["test"])
    encoder = pick_encoder(workspace, key=key("difficulty", "encoder"))
    with st.popover("More", icon=":material/tune:"):
        precision = select_for(EncodingConfig, "precision", scope="difficulty")
        cut = field_for(DifficultyConfig, "score_cut", scope="difficulty")

with shown_as_message():
    encoding = EncodingConfig(encoder=encoder, precision=precision)
    against = second if second != first else None
    request = difficulty_request(workspace, first, against, encoding, score_cut=cut)
answer = answer_to(
    request, key=key("difficulty", "ask"), button="Measure", why="Embeds the texts once, then takes seconds."
)

if answer:
    rows, sets = number_rows(answer.result), set_bins(answer.result)
    difficulty_cards(rows)
    show_findings(answer.result["findings"])
    space = f"cosine similarity, {answer.result['title']}"
    figure = two_set_histogram(*sets, space=space) if len(sets) == 2 else score_histogram(sets[0].bins, space=space)
    alt = f"Similarity of positive and negative pairs of {' and '.join(each.name for each in sets)}"
    st.plotly_chart(figure, key=key("difficulty", "histogram"), alt=alt)
    st.header("All numbers")
    difficulty_table(rows, answer.result)
    link_to("curriculum", "Cut a curriculum as hard as the test pairs")
