"""Two texts side by side, whole, with the words that both hold marked.

The marks are made by a component of ours that sets every part as text: Markdown or HTML made from data would be read by
the browser.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import streamlit as st

from ui.live_chart import COMPONENTS

Part = tuple[str, bool]  # a piece of text, and whether it is marked
_WORD = re.compile(r"\w+")
_mount = st.components.v2.component(
    "simtune_marked_texts",
    html='<div class="simtune-texts" role="group"></div>',
    css=(COMPONENTS / "marked_texts.css").read_text(encoding="utf-8"),
    js=(COMPONENTS / "marked_texts.js").read_text(encoding="utf-8"),
)


def marked_texts(titles: Sequence[str], texts: tuple[str, str], *, key: str) -> None:
    """Draw two texts beside each other, or below each other where there is no room.

    Args:
        titles: What stands above each; our own words.
        texts: The texts; line breaks are kept.
        key: Identity of the part on the page.
    """
    shared = shared_words(*texts)
    panes = [{"title": title, "parts": marked_parts(text, shared)} for title, text in zip(titles, texts, strict=True)]
    _mount(key=key, data={"panes": panes, "alt": f"Two texts that share {len(shared)} words, which are marked"})


def shared_words(first: str, second: str) -> set[str]:
    """Return the words that stand in both texts, case folded."""
    words, others = ({word.casefold() for word in _WORD.findall(text)} for text in (first, second))
    return words & others


def marked_parts(text: str, words: set[str]) -> list[Part]:
    """Cut a text into parts that are words to be marked and parts that are not; joined they are the text."""
    parts: list[Part] = []
    start = 0
    for found in _WORD.finditer(text):
        if found.group().casefold() in words:
            if found.start() > start:
                parts.append((text[start : found.start()], False))
            parts.append((found.group(), True))
            start = found.end()
    return [*parts, (text[start:], False)] if start < len(text) else parts
