"""Data: what records and pair sets there are, whether they are clean and balanced, and where they come from."""

import streamlit as st

from simtune_core.workflows import data
from ui.data_rows import Shown, row_browser
from ui.data_statistics import statistics
from ui.data_versions import version_panel
from ui.datasets import pick_dataset
from ui.errors import shown_as_message
from ui.exporting import export_panel
from ui.frame import ensure_frame
from ui.imported_encoder import imported_encoder_form
from ui.importer import import_form
from ui.keeping import delete_dataset_form
from ui.keys import key
from ui.menu import link_to
from ui.sections import section
from ui.session import current_workspace
from ui.spaces import pick_encoder
from ui.splitting import split_form
from ui.text import as_label
from ui.weak import label_line

ensure_frame()
st.title("Data")
st.markdown("Is the data loaded, clean and balanced? Every version is kept; nothing is changed in place.")
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
    table = st.container()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        ref = pick_dataset(workspace, versions, table)
        encoder = pick_encoder(workspace, key=key("data", "encoder"), label="Lengths in tokens of")

with st.expander("Import a file", icon=":material/upload:", expanded=not versions):
    import_form()

if versions:
    with shown_as_message():
        version, _ = data.find_dataset(workspace, ref)
    st.header(as_label(version.name))
    if version.kind == "pairs":
        label_line(workspace, version.ref)
    described = statistics(workspace, version, encoder)
    st.header("Rows")
    row_browser(workspace, Shown(version, ref, described))
    for title, draw, arguments, name, icon in (
        ("Versions and lineage", version_panel, (workspace, version.name, version.ref), "versions", "account_tree"),
        ("Divide into train, dev and test", split_form, (workspace, version.ref), "splitting", "call_split"),
        ("Export", export_panel, (workspace, ref), "export", "download"),
        ("Bring vectors or scores made elsewhere", imported_encoder_form, (), "vectors", "data_array"),
    ):
        section(title, draw, *arguments, key=key("data", name), icon=f":material/{icon}:")
    with st.expander("Delete a dataset", icon=":material/delete:"):
        delete_dataset_form(versions)
    link_to("difficulty", "See how hard the pairs are")
