"""Curriculum: which pairs go into the easy, the medium and the hard phase?"""

import streamlit as st

from simtune_core.curriculum.config import CurriculumConfig
from simtune_core.encoders.config import EncodingConfig
from simtune_core.workflows import data
from simtune_core.workflows.requests import candidates_request
from ui.ask import answer_to, show_findings
from ui.curriculum import design, generated
from ui.empty import stop_without_data
from ui.errors import shown_as_message
from ui.frame import ensure_frame
from ui.keys import key
from ui.session import current_workspace
from ui.spaces import pick_encoder
from ui.text import as_label
from ui.widgets import pick_one, select_for

ensure_frame()
st.title("Curriculum")
st.markdown("Cut easy, medium and hard pairs out of all candidate pairs of your records; every move shows the yield.")
workspace = current_workspace()
stop_without_data(workspace, "records")

refs = data.set_refs(workspace, "records")
with st.container(horizontal=True, vertical_alignment="bottom"):
    records = pick_one(
        "Records", refs, key=key("curriculum", "records"), default=data.usual_sets(refs, "train")["train"]
    )
    encoder = pick_encoder(workspace, key=key("curriculum", "encoder"), default="tfidf")
    with st.popover("More", icon=":material/tune:"):
        precision = select_for(EncodingConfig, "precision", scope="curriculum")

with shown_as_message():
    encoding = EncodingConfig(encoder=encoder, precision=precision)
    seed = CurriculumConfig().seed
    request = candidates_request(workspace, records, encoding, seed=seed)
answer = answer_to(
    request,
    key=key("curriculum", "ask"),
    button="Count candidates",
    why="Every pair of records, once; sliders are instant.",
)

if answer:
    rule = "the same duplicate group" if answer.result["rule"] == "duplicate_group" else "the same category"
    st.caption(
        f"{answer.result['n_pairs']:,} pairs of {answer.result['n_records']:,} records in "
        f"{as_label(answer.result['title'])}; positive means {rule}."
    )
    show_findings(answer.result["findings"])
    design(answer.job)
    generated()
