"""Jobs: what runs, what waits, what came of it, and what can be done next."""

import streamlit as st

from ui.frame import ensure_frame
from ui.job_table import job_list
from ui.job_view import job_picker, job_view
from ui.jobs import jobs_now
from ui.menu import link_to
from ui.session import current_workspace

ensure_frame()
st.title("Jobs")
st.markdown("What runs, what waits, what came of it, and what can be done next.")
workspace = current_workspace()

if not jobs_now(workspace):
    st.info("This workspace has no job yet: everything that takes longer than a glance becomes one.")
    link_to("difficulty", "Measure a difficulty")
    link_to("training", "Train a model")
    st.stop()

above, below = st.container(), st.container()
with below:
    st.header("Job")
    chosen = job_picker()
with above:
    job_list(workspace, chosen)
with below:
    job_view(workspace, chosen)
