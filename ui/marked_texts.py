"""Texts side by side, whole, with the words that both hold marked, or what was changed from one to the other.

The marks are made by a component of ours that sets every part as text: Markdown or HTML made from data would be read by
the browser.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

import streamlit as st

from ui.live_chart import COMPONENTS

Part = tuple[str, bool]  # a piece of text, and whether it is marked
_WORD = re.compile(r"\w+")
_TOKEN = re.compile(r"\w+|\s+|[^\w\s]")
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


def changed_texts(titles: Sequence[str], texts: tuple[str, str], *, key: str) -> None:
    """Draw a text beside its changed copy, with what is only in the one or the other marked; as `marked_texts`."""
    panes = [{"title": title, "parts": parts} for title, parts in zip(titles, changed_parts(*texts), strict=True)]
    _mount(key=key, data={"panes": panes, "alt": "A text and its changed copy; what was changed is marked"})


def changed_parts(before: str, after: str) -> tuple[list[Part], list[Part]]:
    """Cut a text and its copy into parts that both have in the same order and parts that are changed, which are marked.

    Returns:
        The parts of either; joined they are the text.
    """
    old, new = _TOKEN.findall(before), _TOKEN.findall(after)
    first: list[Part] = []
    second: list[Part] = []
    for kind, start, stop, new_start, new_stop in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        for parts, content in ((first, old[start:stop]), (second, new[new_start:new_stop])):
            if content:
                parts.append(("".join(content), kind != "equal"))
    return first, second


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
