"""Settings: how this workspace is run, and where every value comes from."""

import streamlit as st

from ui.frame import ensure_frame
from ui.session import current_workspace
from ui.settings_form import settings_form, versions_table, where_it_lies

ensure_frame()
st.title("Settings")
st.markdown("How this workspace is run, and where every value comes from. A change is saved at once.")
workspace = current_workspace()

where_it_lies(workspace)
settings_form(workspace)
versions_table()
