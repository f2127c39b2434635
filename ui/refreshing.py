"""Parts of a page that refresh themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st


def refreshed(draw: Callable[..., Any], *arguments: Any, every: str | None) -> None:
    """Draw a part of the page in a place of its own, and again as often as asked without the rest of the page.

    The place matters: when a part refreshes itself just as a run of the whole page ends, Streamlit 1.67 takes its
    elements away for a moment. Without a place of their own that moves what stands below them, the next refresh down
    there writes to where nothing is, and the reader's page is white ("Cannot set a node at a delta path").

    Args:
        draw: Draws the part.
        arguments: What it is given.
        every: How often, such as "2s"; None draws it once.
    """
    with st.container():
        st.fragment(draw, run_every=every)(*arguments)
