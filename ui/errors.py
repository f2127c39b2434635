"""How a page shows an expected error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from simtune_core.errors import SimtuneError


@contextmanager
def shown_as_message(title: str = "This cannot be done as asked.", *, stop: bool = True) -> Iterator[None]:
    """Turn a `SimtuneError` raised in the block into a message.

    The message may quote the user's data, so it is shown as plain text: `st.error` would read it as Markdown and make
    the browser fetch images named in it.

    Args:
        title: Our own sentence above the message.
        stop: Whether the page run ends here; otherwise the page goes on below the block.
    """
    try:
        yield
    except SimtuneError as error:
        st.error(title, icon=":material/error:")
        st.code(str(error), language=None, wrap_lines=True)
        if stop:
            st.stop()
