"""Two pair sets compared on screen: outlines phase by phase, numbers, what they share, and how they were made."""

from __future__ import annotations

from typing import Any

import streamlit as st

from simtune_core.datasets import canonical_ref
from simtune_core.encoders.config import EncodingConfig
from simtune_core.figures.comparing import comparison_figure
from simtune_core.workflows.comparing import (
    Compared,
    compare,
    comparison_request,
    facets_of,
    number_lines,
    others_of,
    sentences,
    shared_lines,
    space_as_cut,
)
from simtune_core.workflows.running import result_of
from simtune_core.workspace import Workspace, open_workspace
from ui.ask import answer_to
from ui.errors import shown_as_message
from ui.keys import key
from ui.session import current_workspace
from ui.spaces import pick_encoder
from ui.text import as_label
from ui.weak import weak_marks
from ui.widgets import pick_one

_SHOWN = 12  # rows of a table before it scrolls
_SCROLLING = 440  # pixels


def compare_panel(ref: str) -> None:
    """Draw the choice of another pair set and the two side by side.

    Args:
        ref: The set that the page is about.
    """
    workspace = current_workspace()
    st.header("Compare with another set")
    with shown_as_message(stop=False):
        others = others_of(workspace, ref)
        if not others:
            st.caption("There is no other pair set in this workspace to compare with.")
            return
        other, encoder = _choices(workspace, ref, others)
        weak_marks(workspace, other)  # that of the set itself stands below its picker
        job = None
        if encoder is not None:
            answer = answer_to(
                comparison_request(workspace, ref, other, EncodingConfig(encoder=encoder)),
                key=key("curriculum", "compare_ask"),
                button="Compare",
                why="Scores both sets in this space; texts that were embedded before cost nothing.",
            )
            if answer is None:
                return
            job = answer.job.id
        left, right = (canonical_ref(workspace, each) for each in (ref, other))
        _draw(_compared(str(workspace.root), left, right, job))


def _choices(workspace: Workspace, ref: str, others: list[str]) -> tuple[str, str | None]:
    """Draw the other set and the space; the encoder is None for the similarities that both were cut by."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        other = pick_one("Other set", others, key=key("curriculum", "compare_with")) or others[0]
        cut = space_as_cut(workspace, ref, other)
        if cut is not None and st.toggle(
            "In the space both were cut in", value=True, key=key("curriculum", "compare_cut"), persist_state="session"
        ):
            return other, None
        return other, pick_encoder(workspace, key=key("curriculum", "compare_space"), default="tfidf")


@st.cache_data(max_entries=16, show_spinner="Comparing")
def _compared(root: str, left: str, right: str, job: str | None) -> Compared:
    """Compare once for each workspace, two versions and job; versions and results of jobs never change."""
    workspace = open_workspace(root)
    return compare(workspace, left, right, None if job is None else result_of(workspace, job))


def _draw(compared: Compared) -> None:
    comparison = compared.comparison
    for sentence in sentences(compared):
        st.markdown(as_label(sentence, longest=600))
    names = (comparison.left, comparison.right)
    st.plotly_chart(
        comparison_figure(facets_of(comparison), names, space=compared.space),
        key=key("curriculum", "compare_figure"),
        alt=f"Similarity of positive and negative pairs of {names[0]} and {names[1]}, phase by phase",
    )
    numbers = number_lines(comparison)
    _table(numbers, f"Difficulty of {names[0]} and {names[1]} by phase, {compared.space}")
    words = f"Similarity is {compared.space}; same category: of the negatives. Definitions: docs/metrics.md."
    st.caption(as_label(words, longest=300))
    _table(shared_lines(comparison), f"Pairs and records that {names[0]} and {names[1]} share, by phase")
    _further(compared, names)


def _further(compared: Compared, names: tuple[str, str]) -> None:
    """Draw what only some comparisons have: contradictions, settings, categories."""
    comparison = compared.comparison
    if comparison.n_disagreeing:
        with st.expander(f"Labels that differ: {comparison.n_disagreeing:,}", icon=":material/contrast:"):
            shown = comparison.disagreements.set_axis(["sentence1", "sentence2", *names], axis=1)
            _table(shown, f"{len(shown)} shared pairs whose label differs")
    if all(compared.made_here) and compared.settings:
        with st.expander(f"Settings that differ: {len(compared.settings):,}", icon=":material/tune:"):
            rows = [
                {"setting": each.field, names[0]: each.left or "", names[1]: each.right or ""}
                for each in compared.settings
            ]
            _table(rows, f"{len(rows)} settings that differ")
    if len(comparison.categories):
        with st.expander("Categories", icon=":material/category:"):
            shown = comparison.categories.set_axis(["category", *names], axis=1)
            _table(shown, f"How often a record of each of {len(shown)} categories is in a pair")


def _table(rows: Any, alt: str) -> None:
    st.dataframe(rows, hide_index=True, height="content" if len(rows) <= _SHOWN else _SCROLLING, alt=alt)
