"""The frame around every page: page config, menu, shared sidebar, and what a server process does once.

Works on a cold deep link too: until somebody has opened `/`, Streamlit runs the page file without app.py, so every page
begins with `ensure_frame()`.
"""

from __future__ import annotations

import atexit
import gc
import shutil
import threading
from dataclasses import dataclass
from importlib.resources import as_file, files

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from simtune_core.files import whole_file
from simtune_core.workspace import CHECKOUT, Workspace
from ui.background import background
from ui.errors import shown_as_message
from ui.jobs import job_strip
from ui.session import current_workspace

_run = threading.local()
PLOTLY_COPY = CHECKOUT / "static" / "plotly.min.js"


@dataclass(frozen=True, slots=True)
class Entry:
    """One page of the menu.

    Attributes:
        stem: File name in pages/ without its ending, and the address.
        title: Its name in the menu.
        icon: Its symbol in the menu.
        section: The heading it stands under; the first page stands above all headings.
    """

    stem: str
    title: str
    icon: str
    section: str = ""

    @property
    def file(self) -> str:
        """Return the page's file, relative to app.py."""
        return f"pages/{self.stem}.py"


PAGES = (
    Entry("overview", "Overview", ":material/home:"),
    Entry("data", "Data", ":material/table_rows:", "Data"),
    Entry("difficulty", "Difficulty", ":material/bar_chart:", "Data"),
    Entry("curriculum", "Curriculum", ":material/stairs:", "Data"),
    Entry("training", "Training", ":material/model_training:", "Train"),
    Entry("adapters", "Adapters", ":material/extension:", "Train"),
    Entry("evaluation", "Evaluation", ":material/balance:", "Judge"),
)


def run_app() -> None:
    """Draw the frame and run the page that the address names; all that app.py does."""
    page = frame()
    _run.framed = True
    try:
        page.run()
    finally:
        _run.framed = False


def ensure_frame() -> None:
    """Draw the frame if this page was opened without app.py; the first line of every page."""
    if not getattr(_run, "framed", False):
        frame()


def frame() -> StreamlitPage:
    """Draw page config, menu and sidebar, and return the page that the address names."""
    st.set_page_config(
        page_title="simtune", page_icon="🎯", layout="wide"
    )  # an emoji: no font is fetched for a favicon
    page = st.navigation(_menu())
    with shown_as_message("The workspace cannot be opened."):
        _prepare_server()
        workspace = current_workspace()
        background().look_after(workspace)
        _sidebar(workspace)
    return page


def link_to(stem: str, label: str) -> None:
    """Draw the link to a next step; nothing if this installation has no such page.

    Args:
        stem: The page's file name without its ending.
        label: What the link says; our own words.
    """
    entry = next((entry for entry in _present() if entry.stem == stem), None)
    if entry is not None:
        st.page_link(entry.file, label=label, icon=":material/arrow_forward:")


def _menu() -> dict[str, list[StreamlitPage]]:
    menu: dict[str, list[StreamlitPage]] = {}
    for entry in _present():
        first = entry is PAGES[0]
        address = None if first else entry.stem
        page = st.Page(entry.file, title=entry.title, icon=entry.icon, url_path=address, default=first)
        menu.setdefault(entry.section, []).append(page)
    return menu


def _present() -> list[Entry]:
    return [entry for entry in PAGES if (CHECKOUT / entry.file).exists()]


def _sidebar(workspace: Workspace) -> None:
    with st.sidebar:
        st.text(
            f"Workspace {workspace.root.name}",
            help="The folder that holds data/ and models/; chosen with SIMTUNE_WORKSPACE.",
        )
        for notice in background().notices:
            st.caption(":material/warning: Notice")
            st.text(notice)
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
