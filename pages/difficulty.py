"""Difficulty: are the training pairs as hard as the test pairs, and can training on them help, before a GPU is used?"""

import streamlit as st

from simtune_core.difficulty.config import DifficultyConfig
from simtune_core.encoders.config import EncodingConfig
from simtune_core.workflows import data
from simtune_core.workflows.verdicts import ask_difficulty
from ui.difficulty import difficulty_answer
from ui.distributions import grey_zone
from ui.empty import stop_without_data
from ui.errors import shown_as_message
from ui.frame import ensure_frame
from ui.keys import key
from ui.map_view import map_section
from ui.menu import link_to
from ui.session import current_workspace
from ui.spaces import pick_encoder
from ui.weak import weak_marks
from ui.widgets import field_for, pick_one, select_for

ensure_frame()
st.title("Difficulty")
st.markdown(
    "Can training on these pairs help on those? What the untouched encoder already tells apart teaches nothing."
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
        zone = grey_zone()

with shown_as_message():
    asked = ask_difficulty(
        workspace, first, second, EncodingConfig(encoder=encoder, precision=precision), score_cut=cut
    )
weak_marks(workspace, first, second)
difficulty_answer(asked, zone)

st.header("Map")
map_section(workspace, first, second if second != first else None, encoder, precision)
link_to("curriculum", "Cut a curriculum as hard as the test pairs")
