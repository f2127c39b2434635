"""The pages of the workbench: what the menu lists and what a link or a button leads to. Draws no frame and no page."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from simtune_core.workspace import CHECKOUT


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
    Entry("jobs", "Jobs", ":material/checklist:", "Workspace"),
    Entry("settings", "Settings", ":material/settings:", "Workspace"),
)


def menu() -> dict[str, list[StreamlitPage]]:
    """Return the pages by their headings, as `st.navigation` takes them; made inside a run."""
    pages: dict[str, list[StreamlitPage]] = {}
    for entry in _present():
        first = entry is PAGES[0]
        address = None if first else entry.stem
        page = st.Page(entry.file, title=entry.title, icon=entry.icon, url_path=address, default=first)
        pages.setdefault(entry.section, []).append(page)
    return pages


def link_to(stem: str, label: str) -> None:
    """Draw the link to a next step; nothing if this installation has no such page.

    Args:
        stem: The page's file name without its ending.
        label: What the link says; our own words.
    """
    entry = next((entry for entry in _present() if entry.stem == stem), None)
    if entry is not None:
        st.page_link(entry.file, label=label, icon=":material/arrow_forward:")


def button_to(stem: str, label: str, *, key: str, holds: dict[str, str], icon: str | None = None) -> None:
    """Draw a small button that leads to a page and sets widgets of it, such as the job that is shown there.

    Args:
        stem: The page's file name without its ending.
        label: What the button says; our own words.
        key: Session-state key of the button.
        holds: Values by the session-state keys of the widgets.
        icon: Symbol of the button.
    """
    if not st.button(label, key=key, type="tertiary", icon=icon, on_click=st.session_state.update, args=(holds,)):
        return
    if urlsplit(st.context.url or "").path.strip("/") == stem:
        st.rerun()  # the page's widgets stand already, and tell the address themselves
    st.switch_page(next(entry for entry in PAGES if entry.stem == stem).file, query_params=holds)


def _present() -> list[Entry]:
    return [entry for entry in PAGES if (CHECKOUT / entry.file).exists()]
