"""What the workbench has to say for itself in the sidebar: what is wrong now, and what happened once.

A sentence may name a user's files and programs: plain text, never Markdown.
"""

from __future__ import annotations

import streamlit as st

from simtune_core.pairs import text_id
from ui.background import background
from ui.keys import key


def notice_area() -> None:
    """Draw the notices of the newest look, which go by themselves, and the news, each until it is dismissed."""
    keeper = background()
    for notice in keeper.notices:
        with st.container(border=True, gap="xxsmall"):
            st.badge("notice", icon=":material/warning:", color="orange")
            st.text(notice)
    for news in keeper.news:
        with st.container(border=True, gap="xxsmall"):
            st.badge("news", icon=":material/info:", color="blue")
            st.text(news)
            st.button(
                "Dismiss",
                key=key("frame", f"news.{text_id(news)}"),
                type="tertiary",
                icon=":material/close:",
                on_click=keeper.dismiss,
                args=(news,),
            )
