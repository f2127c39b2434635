"""The frame around every page: page config, menu, shared sidebar, and what a server process does once.

Works on a cold deep link too: until somebody has opened `/`, Streamlit runs the page file without app.py, so every page
begins with `ensure_frame()`.
"""

from __future__ import annotations

import atexit
import gc
import shutil
import threading
from importlib.resources import as_file, files

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from simtune_core.files import whole_file
from simtune_core.workspace import CHECKOUT, Workspace
from ui.background import background
from ui.errors import shown_as_message
from ui.job_strip import job_strip
from ui.menu import menu
from ui.session import current_workspace

_run = threading.local()
PLOTLY_COPY = CHECKOUT / "static" / "plotly.min.js"


def run_app() -> None:
    """Draw the frame and run the page that the address names; all that app.py does."""
    page = frame()
    _run.framed = True
    try:
        page.run()
    finally:
        _run.framed = False


def ensure_frame() -> None:
    """Let a page that was opened without app.py run inside the frame instead; the first line of every page.

    Run bare, its widgets would have other identities than at every later run, and the first click would be lost.
    """
    if not getattr(_run, "framed", False):
        run_app()
        st.stop()


def frame() -> StreamlitPage:
    """Draw page config, menu and sidebar, and return the page that the address names."""
    st.set_page_config(
        page_title="simtune", page_icon="🎯", layout="wide"
    )  # an emoji: no font is fetched for a favicon
    page = st.navigation(menu())
    with shown_as_message("The workspace cannot be opened."):
        _prepare_server()
        workspace = current_workspace()
        background().look_after(workspace)
        _sidebar(workspace)
    return page


def _sidebar(workspace: Workspace) -> None:
    with st.sidebar:
        st.text(
            f"Workspace {workspace.root.name}",
            help="The folder that holds data/ and models/; chosen with SIMTUNE_WORKSPACE.",
        )
        job_strip(workspace)


@st.cache_resource(show_spinner=False)
def _prepare_server() -> bool:
    """Do what a server process does once: lay plotly.js where browsers find it, and spare the imports from collection.

    A full garbage collection walks every imported module (0.5 s with the heavy ones); frozen objects are passed over.
    """
    with as_file(files("plotly") / "package_data" / "plotly.min.js") as source:
        if not PLOTLY_COPY.exists() or PLOTLY_COPY.stat().st_size != source.stat().st_size:
            with whole_file(PLOTLY_COPY) as beside:
                shutil.copyfile(source, beside)
    gc.freeze()
    atexit.register(gc.unfreeze)  # else DuckDB's binding reports everything frozen as leaked when the server ends
    return True
