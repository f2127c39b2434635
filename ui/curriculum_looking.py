"""Pairs to look at: a table in which several are removed or relabelled at once, or one pair after the other.

Every press is kept in the draft of the set at once, so that a reload or a second tab loses nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, get_args

import numpy as np
import pandas as pd
import streamlit as st

from simtune_core.curriculum.quality.looking import Only, Sort
from simtune_core.datasets import find_dataset
from simtune_core.pairs import TEXT_COLUMNS, text_id
from simtune_core.workflows.quality import (
    Draft,
    Edit,
    LookQuery,
    LookTable,
    add_edits,
    look_table,
    places_of,
    read_draft,
    undo,
)
from simtune_core.workspace import Workspace, open_workspace
from ui.curriculum_saving import save_row
from ui.errors import shown_as_message
from ui.keys import key
from ui.marked_texts import marked_texts
from ui.refreshing import refreshed
from ui.text import as_label, count

PER_PAGE = 100
_IN_TABLE = 300  # characters of a text in the table
_WHOLE = 20_000  # characters of a text that a browser draws at once
_HEIGHT = 420
_KEPT: dict[str, Any] = {"persist_state": "session"}
_LABELS = {1: "similar", 0: "dissimilar"}
_SORTS: dict[Sort, str] = {
    "suspicion": "suspicion", "similarity": "similarity", "length": "length of the texts", "row": "as in the file",
}  # fmt: skip
_ONLY: dict[Only, str] = {
    "all": "all pairs", "suspects": "suspects", "unseen": "not decided yet", "edited": "decided",
}  # fmt: skip
_VIEWS = ("Table", "One by one")


def look_part(workspace: Workspace, ref: str, noise_job: str | None) -> None:
    """Draw the pairs as a part of its own, so that a press does not draw the rest of the page again.

    Args:
        workspace: Where the set lies.
        ref: The set or split, canonical.
        noise_job: The finished noise job that ranks its pairs; None without one.
    """
    st.subheader("Look, and remove or relabel")
    refreshed(_look, workspace, ref, noise_job, every=None)


def laid_out(workspace: Workspace, ref: str, noise_job: str | None) -> LookTable:
    """Lay a set out once per server process; versions and finished jobs never change."""
    version, split = find_dataset(workspace, ref, kind="pairs")
    return _laid_out(str(workspace.root), version.content_id, version.ref + (f":{split}" if split else ""), noise_job)


@st.cache_resource(max_entries=3, show_spinner="Laying the pairs out")
def _laid_out(root: str, content: str, ref: str, noise_job: str | None) -> LookTable:
    """The content is part of the key alone: a version that was deleted and saved anew is another one."""
    return look_table(open_workspace(root), ref, noise_job)


def _look(workspace: Workspace, ref: str, noise_job: str | None) -> None:
    with shown_as_message("These pairs cannot be shown.", stop=False):
        table = laid_out(workspace, ref, noise_job)
        draft = read_draft(workspace, ref)
        decided = {edit.pair: edit for edit in draft.decided}
        save_row(workspace, ref, draft)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            view = st.segmented_control(
                "View", _VIEWS, default=_VIEWS[0], required=True, key=key("curriculum", "look_view"), **_KEPT
            )
            query = _query(table, one_by_one=view == _VIEWS[1])
        places = places_of(table, query, decided)
        if view == _VIEWS[0]:
            _table(workspace, table, query, places, draft)
        else:
            _one_by_one(workspace, table, places, draft)


def _query(table: LookTable, *, one_by_one: bool) -> LookQuery:
    search = st.text_input(
        "Search the texts", key=key("curriculum", "look_search"), type="search", live="300ms", width=220, **_KEPT
    )
    sort = st.selectbox(
        "Sort by", table.sorts, format_func=lambda name: _SORTS[name], width=190,
        key=key("curriculum", f"look_sort.{len(table.sorts)}"), **_KEPT,
    )  # fmt: skip
    descending = st.toggle("Greatest first", value=True, key=key("curriculum", "look_descending"), **_KEPT)
    labels = st.pills(
        "Label", list(_LABELS), selection_mode="multi", format_func=lambda label: _LABELS[label],
        key=key("curriculum", "look_labels"), **_KEPT,
    )  # fmt: skip
    phases: Sequence[str] = ()
    if len(table.phases) > 1:
        phases = st.pills(
            "Phase", table.phases, selection_mode="multi", format_func=as_label,
            key=key("curriculum", f"look_phases.{text_id(table.ref)}"), **_KEPT,
        )  # fmt: skip
    only: Only = "unseen"
    if not one_by_one:
        kinds = [kind for kind in get_args(Only) if kind != "suspects" or table.frame["suspect"].any()]
        only = st.selectbox(
            "Show", kinds, format_func=lambda kind: _ONLY[kind], width=170,
            key=key("curriculum", f"look_only.{len(kinds)}"), **_KEPT,
        )  # fmt: skip
    return LookQuery(
        sort=sort, descending=bool(descending), labels=tuple(labels or ()), phases=tuple(phases or ()), only=only,
        search=search or "",
    )  # fmt: skip


def _table(workspace: Workspace, table: LookTable, query: LookQuery, places: np.ndarray, draft: Draft) -> None:
    n_pages = max(1, -(-len(places) // PER_PAGE))
    st.caption(f"{count(len(places))} of {count(len(table.frame))} pairs; select rows, then decide.")
    bar, slot, pair = st.container(horizontal=True, vertical_alignment="center"), st.container(), st.container()
    page = 1
    if n_pages > 1:
        page = int(st.pagination(n_pages, key=key("curriculum", f"look_page.{text_id(f'{table.ref} {query}')}")))
    shown = table.frame.iloc[places[(page - 1) * PER_PAGE : page * PER_PAGE]]
    with slot:
        rows = _rows(shown, draft, f"{table.ref} {query} {page}") if len(shown) else []
    chosen = shown.iloc[rows]
    with bar:
        _decide(workspace, table.ref, chosen)
        _undo_button(workspace, table.ref, draft)
    if len(chosen) == 1:
        with pair:
            _side_by_side(chosen.iloc[0], "look_pair")


def _rows(shown: pd.DataFrame, draft: Draft, asked: str) -> list[int]:
    """Draw a page of pairs and return the places of the selected ones; a press begins with nothing selected."""
    decided = {edit.pair: edit for edit in draft.decided}
    frame = pd.DataFrame(
        {
            "decided": [_word(decided.get(pair)) for pair in shown["key"]],
            "label": shown["label"].map(_LABELS).fillna("").to_numpy(),
            **{name: shown[name].to_numpy() for name in ("suspicion", "similarity", "phase")},
            **{name: shown[name].map(_cut).to_numpy() for name in TEXT_COLUMNS},
            "length": shown["length"].to_numpy(),
            "row": shown["row"].to_numpy(),
        }
    )
    frame = frame.drop(columns=[name for name in ("suspicion", "similarity", "phase") if frame[name].isna().all()])
    picked = st.dataframe(
        frame, hide_index=True, height=_HEIGHT if len(frame) > 10 else "content", placeholder="",
        key=key("curriculum", f"look_rows.{text_id(f'{asked} {draft.presses}')}"),
        on_select="rerun", selection_mode="multi-row",
        column_config={
            "decided": st.column_config.TextColumn(width=100),
            "label": st.column_config.TextColumn(width=90),
            "suspicion": st.column_config.ProgressColumn(
                min_value=0.0, max_value=1.0, format="%.2f", width=110,
                help="1 less how likely the probe finds the pair's own label",
            ),
            "similarity": st.column_config.NumberColumn(format="%.3f", width=90),
            **{name: st.column_config.TextColumn(width=330) for name in TEXT_COLUMNS},
            "length": st.column_config.NumberColumn(width=70, help="characters of both texts"),
            "row": st.column_config.NumberColumn(width=70, format="localized"),
        },
        alt=f"{len(frame)} pairs with label, suspicion, similarity, phase and texts",
    )  # fmt: skip
    return list(picked["selection"]["rows"])


def _decide(
    workspace: Workspace, ref: str, chosen: pd.DataFrame, *, name: str = "look", shortcuts: bool = False
) -> None:
    """Draw the buttons that decide on the chosen pairs."""
    keys, none = chosen["key"].tolist(), chosen.empty
    flipped = [
        Edit(pair, "relabel", 1 - int(label))
        for pair, label in zip(keys, chosen["label"], strict=True)
        if not np.isnan(label)
    ]
    graded = chosen["score"].notna().any()
    to = _LABELS[flipped[0].label or 0] if len(flipped) == 1 else "the other label"
    _button(
        "Keep", ":material/check:", "k" if shortcuts else None, name, none,
        lambda: _add(workspace, ref, [Edit(pair, "keep") for pair in keys]),
    )  # fmt: skip
    _button(
        f"Relabel: {to}" if flipped else "Relabel", ":material/swap_horiz:", "l" if shortcuts else None, name,
        not flipped or bool(graded), lambda: _add(workspace, ref, flipped),
    )  # fmt: skip
    _button(
        "Remove", ":material/delete:", "x" if shortcuts else None, name, none,
        lambda: _add(workspace, ref, [Edit(pair, "drop") for pair in keys]),
    )  # fmt: skip


def _button(
    label: str, icon: str, shortcut: str | None, name: str, disabled: bool, act: Callable[[], None]
) -> None:  # fmt: skip
    word = label.partition(":")[0].lower()
    st.button(
        label, icon=icon, shortcut=shortcut, disabled=disabled, key=key("curriculum", f"{name}_{word}"), on_click=act
    )


def _undo_button(
    workspace: Workspace, ref: str, draft: Draft, *, label: str = "Undo", shortcut: str | None = None
) -> None:
    st.button(
        label, icon=":material/undo:", shortcut=shortcut, disabled=not draft.presses,
        key=key("curriculum", f"look_{label.lower()}"), on_click=_undo, args=(workspace, ref),
        help="Takes the last press back.",
    )  # fmt: skip


def _one_by_one(workspace: Workspace, table: LookTable, places: np.ndarray, draft: Draft) -> None:
    """Draw the first pair that is not decided yet; a decision brings the next one."""
    if not len(places):
        st.success("Every pair that fits the filters is decided.", icon=":material/check_circle:")
        _undo_button(workspace, table.ref, draft, label="Back")
        return
    pair = table.frame.iloc[[int(places[0])]]
    row = pair.iloc[0]
    facts = [f"row {row['row']:,}", f"labelled {_LABELS.get(row['label'], 'not at all')}"]
    facts += [f"phase {row['phase']}"] if pd.notna(row["phase"]) else []
    facts += [f"{name} {row[name]:.2f}" for name in ("suspicion", "similarity") if pd.notna(row[name])]
    st.text(" · ".join(facts))
    _side_by_side(row, "look_one")
    with st.container(horizontal=True, vertical_alignment="center"):
        _decide(workspace, table.ref, pair, name="one", shortcuts=True)
        _undo_button(workspace, table.ref, draft, label="Back", shortcut="b")
    st.caption(f"{count(len(places))} pairs to go.")


def _side_by_side(row: pd.Series, name: str) -> None:
    first, second = (str(row[column])[:_WHOLE] for column in TEXT_COLUMNS)
    marked_texts(TEXT_COLUMNS, (first, second), key=key("curriculum", name))


def _add(workspace: Workspace, ref: str, edits: Sequence[Edit]) -> None:
    with shown_as_message("This could not be noted.", stop=False):
        add_edits(workspace, ref, edits)


def _undo(workspace: Workspace, ref: str) -> None:
    with shown_as_message("This could not be undone.", stop=False):
        undo(workspace, ref)


def _word(edit: Edit | None) -> str:
    if edit is None:
        return ""
    return {"drop": "removed", "keep": "kept"}.get(edit.action) or f"→ {_LABELS[edit.label or 0]}"


def _cut(text: str) -> str:
    return text if len(text) <= _IN_TABLE else text[: _IN_TABLE - 1] + "…"
