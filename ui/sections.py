"""Sections of a page that are drawn only while they are open."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st


def section(title: str, draw: Callable[..., Any], *arguments: Any, key: str, icon: str) -> None:
    """Draw a heading that opens a part of the page; what is closed costs nothing.

    Args:
        title: What is inside; our own words.
        draw: Draws it.
        arguments: What it is given.
        key: Session-state key that is True while it is open, also the name in the address.
        icon: Symbol of the heading.
    """
    part = st.expander(title, icon=icon, key=key, on_change="rerun", bind="query-params")
    if part.open:
        with part:
            draw(*arguments)
