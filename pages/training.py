"""Training: start a run that can be trusted, watch it, and see what really ran beside what was asked."""

import streamlit as st

from simtune_core.workflows import data
from simtune_core.workflows.runs import list_runs
from ui.empty import stop_without_data
from ui.errors import shown_as_message
from ui.frame import ensure_frame
from ui.session import current_workspace
from ui.training import run_panel, run_picker, run_result, training_form

ensure_frame()
st.title("Training")
st.markdown("Start a run that you can trust, watch it, and see what really ran beside what was asked.")
workspace = current_workspace()
stop_without_data(workspace)

with shown_as_message():
    runs = list_runs(workspace)
    refs = data.set_refs(workspace)

with st.expander("New run", icon=":material/add:", expanded=not runs):
    training_form(workspace, refs, data.usual_sets(refs, "train", "dev"))

if not runs:
    st.info("No training yet. The head takes seconds: it is the bar that every longer run has to beat.")
    st.stop()

st.header("Run")
job_id = run_picker(runs)
run_panel(workspace, job_id)
run_result(workspace, job_id)
