"""Difficulty: are the training pairs as hard as the test pairs, and can training on them help, before a GPU is used?"""

import streamlit as st

from simtune_core.difficulty.config import DifficultyConfig
from simtune_core.encoders.config import EncodingConfig
from simtune_core.workflows import data
from simtune_core.workflows.hardness import number_rows
from simtune_core.workflows.preflight import preflight_view
from simtune_core.workflows.verdicts import ask_difficulty
from ui.ask import answer_to, show_findings
from ui.audits import audits_panel, in_one_line
from ui.distributions import distributions_panel, grey_zone
from ui.empty import stop_without_data
from ui.errors import shown_as_message
from ui.frame import ensure_frame
from ui.hardness import difficulty_cards, difficulty_table, phase_table, spread_table
from ui.keys import key
from ui.map_view import map_section
from ui.menu import link_to
from ui.preflight import preflight_panel, verdict_banner
from ui.report import report_row
from ui.session import current_workspace
from ui.spaces import pick_encoder
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
measured = answer_to(
    asked.difficulty,
    key=key("difficulty", "ask"),
    button="Measure",
    why="Embeds every text once and fits a small head: a minute or two for some thousand texts on a CPU.",
    also=asked.requests[1:],
)

if measured:
    flight = answer_to(
        asked.preflight, key=key("difficulty", "ask_verdict"), button="Ask for the verdict", why="Takes a minute."
    )
    if flight:
        verdict_banner(flight.result)
    else:
        show_findings(measured.result["findings"])
    cards = st.container()
    st.header("Where the pairs lie")
    distributions_panel(measured, grey=zone)
    if flight:
        if asked.mismatch:
            st.header("Why this verdict")
            preflight_panel(flight.result)
        audits = preflight_view(flight.result).audits
        st.header(f"Checks of the pairs: {in_one_line(audits)}")
        audits_panel(audits)
    st.header("All numbers")
    table = st.container()
    mismatch = None
    if asked.mismatch:
        mismatch = answer_to(
            asked.mismatch, key=key("difficulty", "ask_intervals"), button="Compute the intervals",
            why="Resamples the records of both sets a thousand times.",
        )  # fmt: skip
    rows = number_rows(measured.result, grey=zone, mismatch=mismatch.result if mismatch else None)
    with cards:
        difficulty_cards(rows)
    with table:
        difficulty_table(rows, measured.result, mismatch=mismatch.result if mismatch else None)
    with st.expander("Means and quantiles of each class", icon=":material/table_rows:"):
        spread_table(measured.result)
        phase_table(measured.result, grey=zone)
    report_row(measured, mismatch, flight)

st.header("Map")
map_section(workspace, first, second if second != first else None, encoder, precision)
link_to("curriculum", "Cut a curriculum as hard as the test pairs")
