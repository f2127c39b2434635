"""Weak labels marked: one line beside every set whose labels a rule made, wherever its numbers are shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from simtune_core.datasets import DatasetVersion
from simtune_core.labels import WEAK_LABELS, LabelOrigin, label_origin, origin_of
from simtune_core.workspace import Workspace
from ui.errors import shown_as_message
from ui.text import as_label

_BADGE = ":orange-badge[:material/rule: weak labels]"  # symbol and word: never colour alone
_LONGEST = 400


def weak_marks(workspace: Workspace, *refs: str | None) -> None:
    """Draw a line for each of several pair sets whose labels are weak; nothing for the others.

    Args:
        workspace: Where they lie.
        refs: The sets whose numbers stand below, in any form of reference; None is passed over.
    """
    with shown_as_message(stop=False):
        origins = {origin.ref: origin for origin in (label_origin(workspace, ref) for ref in refs if ref)}
        for origin in origins.values():
            if origin.weak:
                _mark(origin)


def label_line(workspace: Workspace, ref: str) -> None:
    """Draw where the labels of a pair set come from, weak or not."""
    with shown_as_message(stop=False):
        origin = label_origin(workspace, ref)
        if origin.weak:
            _mark(origin)
        else:
            st.caption(as_label(f"Labels: {origin.words}.", longest=_LONGEST))


def weak_word(workspace: Workspace, version: DatasetVersion) -> str:
    """Return what a table says of a dataset's labels: `weak`, or nothing where they are not, or it is not known."""
    return "weak" if version.kind == "pairs" and origin_of(workspace, version).weak else ""


def other_findings(findings: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return findings without those that `weak_marks` already tells on the same page."""
    return [finding for finding in findings if finding["code"] != WEAK_LABELS]


def _mark(origin: LabelOrigin) -> None:
    words = f"{origin.ref}: {origin.words.rstrip(' .')}; made by a rule, by no person"
    st.markdown(f"{_BADGE} :small[{as_label(words, longest=_LONGEST)}]")
