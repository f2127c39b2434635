"""Data: what records and pair sets there are, bring more in, and read them."""

import streamlit as st

from simtune_core.workflows import data
from ui.datasets import dataset_table, row_browser
from ui.errors import shown_as_message
from ui.frame import ensure_frame
from ui.importer import import_form
from ui.keeping import delete_dataset_form
from ui.keys import key
from ui.menu import link_to
from ui.session import current_workspace

ensure_frame()
st.title("Data")
st.markdown("The records and pair sets of this workspace. Every version is kept; nothing is changed in place.")
workspace = current_workspace()

with shown_as_message():
    versions = data.list_datasets(workspace)

if not versions:
    st.info(
        "This workspace holds no data yet: load the bundled sample, or import a file.", icon=":material/table_rows:"
    )
    if st.button("Load the sample", type="primary", key=key("data", "sample"), icon=":material/download:"):
        with shown_as_message():
            data.load_sample(workspace)
        st.rerun()
else:
    dataset_table(versions)

with st.expander("Import a file", icon=":material/upload:", expanded=not versions):
    import_form()

if versions:
    st.header("Rows")
    with shown_as_message():
        row_browser(workspace, versions)
    with st.expander("Delete a dataset", icon=":material/delete:"):
        delete_dataset_form(versions)
    link_to("difficulty", "See how hard the pairs are")
