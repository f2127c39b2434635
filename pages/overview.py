"""Overview: where the project stands, and what to do next."""

import streamlit as st

from simtune_core.workflows.overview import look_over
from ui.datasets import dataset_table
from ui.empty import sample_button
from ui.errors import shown_as_message
from ui.frame import ensure_frame
from ui.menu import link_to
from ui.overview import counts_row, job_table, lead_cards, model_table, next_step
from ui.session import current_workspace

ensure_frame()
st.title("Overview")
st.markdown("Where the project stands, and what to do next.")
workspace = current_workspace()

with shown_as_message():
    overview = look_over(workspace)

if not overview.datasets:
    st.info("This workspace is empty. Load the bundled sample of IT incidents and walk the whole path with it.")
    sample_button(workspace)
    link_to("data", "Or import your own records or pairs")
    st.stop()

if overview.notice:
    st.warning("The results store cannot be read just now; everything else is shown from the files.")
    st.text(overview.notice)
next_step(overview.step)
counts_row(overview)
if overview.lead:
    st.header("Champion against baseline")
    lead_cards(overview.lead)
if overview.models:
    st.header("Models")
    model_table(overview.models, overview.failed, overview.unchecked)
st.header("Datasets")
dataset_table(overview.datasets)
if overview.jobs:
    st.header("Jobs")
    job_table(overview.jobs)
