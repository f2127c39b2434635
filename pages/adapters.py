"""Adapters: is what was trained really in the forward pass?"""

import streamlit as st

from simtune_core.workflows.models import latest_checks, list_models
from simtune_core.workflows.requests import diagnose_request
from ui.adapters import checks_table, layer_figure, measurements, status_banner
from ui.ask import launch_once
from ui.errors import shown_as_message
from ui.frame import ensure_frame
from ui.jobs import job_panel
from ui.keeping import delete_button
from ui.keys import key
from ui.menu import link_to
from ui.session import current_workspace
from ui.widgets import pick_one

ensure_frame()
st.title("Adapters")
st.markdown("Is what was trained really in the forward pass? A model that fails here is red on every page.")
workspace = current_workspace()

with shown_as_message():
    models = list_models(workspace)
if not models:
    st.info("No model was tuned in this workspace yet.", icon=":material/extension:")
    link_to("training", "Train a first model: the head takes seconds")
    st.stop()

kinds = {model.model_id: model.kind for model in reversed(models)}
held = key("adapters", "job")
with st.container(horizontal=True, vertical_alignment="bottom"):
    model_id = pick_one(
        "Model", list(kinds), key=key("adapters", "model"), format_func=lambda name: f"{name} ({kinds[name]})"
    )
    if st.button("Check again", key=key("adapters", "check"), icon=":material/refresh:"):
        with shown_as_message():
            job_id = launch_once(diagnose_request(workspace, model_id), key=key("adapters", "launch"))
        st.session_state[held] = {"job": job_id, "model": model_id}
    delete_button("model", model_id)

checking = st.session_state.get(held)
if checking and checking["model"] == model_id:
    with shown_as_message(stop=False):
        job_panel(checking["job"], key=key("adapters", "panel"))

with shown_as_message():
    report = latest_checks(workspace, model_id)
if report is None:
    st.warning("This model was never checked; check it before you believe its numbers.", icon=":material/help:")
    st.stop()

status_banner(report)
checks_table(report)
layer_figure(report)
with st.expander("What was measured", icon=":material/straighten:"):
    measurements(report)
link_to("evaluation", "Compare it with the baseline")
