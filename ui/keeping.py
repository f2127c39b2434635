"""Deleting on screen, and what takes how much room: the button with its dialog, the table of sizes, the cache.

What depends on what is found by the workflows; names and titles come from users and are shown as text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from simtune_core.datasets import DatasetVersion
from simtune_core.pairs import text_id
from simtune_core.workflows.retention import DeletionPlan, ThingKind, clean_cache, delete, deletion_plan
from simtune_core.workflows.space import cache_of, size_words, space_of
from simtune_core.workspace import Workspace
from ui.errors import shown_as_message
from ui.keys import key
from ui.session import current_workspace
from ui.text import as_label, count
from ui.widgets import pick_one

_ASKED = key("keeping", "asked")  # the plan that the dialog shows: what is deleted is what was seen
_ROWS_AT_MOST, _HEIGHT = 10, 390  # a longer table scrolls inside its height, in pixels


def delete_button(kind: ThingKind, name: str, *, on_deleted: Callable[[], None] | None = None) -> None:
    """Draw the button that opens what deleting a thing means; nothing goes before that is confirmed.

    Args:
        kind: job, dataset or model.
        name: A job id, a dataset or one version of it, or a model id.
        on_deleted: Called after it is gone, before the page runs again, to forget a choice, say.
    """
    pressed = st.button("Delete…", key=key("keeping", f"delete.{kind}.{text_id(name)}"), icon=":material/delete:")
    if pressed:
        with shown_as_message(stop=False):
            st.session_state[_ASKED] = deletion_plan(current_workspace(), kind, name)
    plan: DeletionPlan | None = st.session_state.get(_ASKED)
    if plan is not None and (plan.kind, plan.name) == (kind, name):
        dialog = st.dialog(f"Delete this {kind}?", width="medium", on_dismiss=_forget)
        dialog(_ask)(current_workspace(), plan, on_deleted)


def delete_dataset_form(versions: Sequence[DatasetVersion]) -> None:
    """Draw the choice of a dataset, or of one version of it, beside the button that deletes it."""
    names = [version.name for version in versions]
    refs = [*names, *(version.ref for version in versions)]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = pick_one(
            "Dataset or newest version", refs, key=key("data", "delete"), format_func=lambda ref: _reach(ref, names)
        )
        if chosen is not None:
            delete_button("dataset", chosen)


def sizes_table(workspace: Workspace) -> None:
    """Draw what takes how much room, largest first, with the total and what is free."""
    with shown_as_message(stop=False):
        found = space_of(workspace)
        st.caption(f"{size_words(found.n_bytes)} in all, {size_words(found.n_free)} free on the disk")
        st.dataframe(
            [{"kind": i.kind, "name": i.name, "title": i.title, "size": i.n_bytes} for i in found.items],
            hide_index=True,
            height="content" if len(found.items) <= _ROWS_AT_MOST else _HEIGHT,
            column_config={"size": st.column_config.NumberColumn(format="bytes")},
            placeholder="",
            alt=f"{len(found.items)} things with their sizes, largest first",
        )


def cache_panel(workspace: Workspace) -> None:
    """Draw what lies in the cache, its limit, and the button that brings it within it."""
    with shown_as_message(stop=False):
        held = cache_of(workspace)
        parts = ", ".join(f"{group.name} {size_words(group.n_bytes)}" for group in held.groups)
        st.text(f"The cache holds {size_words(held.n_bytes)} of at most {size_words(held.limit_bytes)}.")
        if parts:
            st.text(parts)
        st.caption("What was used longest ago goes first, by itself; everything in it can be computed again.")
        if st.button("Clean the cache", key=key("keeping", "clean"), icon=":material/cleaning_services:"):
            done = clean_cache(workspace)
            st.toast(f"{count(done.n_files)} cached files removed, {size_words(done.n_bytes)}.")
            st.rerun()


def _ask(workspace: Workspace, plan: DeletionPlan, on_deleted: Callable[[], None] | None) -> None:
    st.text(f"{plan.kind} {plan.name}\n{plan.title}, {size_words(plan.n_bytes)}")
    _show_dependents(plan)
    for sentence in plan.kept:
        st.text(sentence)
    if plan.blocked:
        st.warning("This cannot be deleted now.", icon=":material/block:")
        st.code("\n".join(plan.blocked), language=None, wrap_lines=True)
    n = len(plan.dependents)
    with st.container(horizontal=True):
        label = f"Delete it and the {n} that depend on it" if n else "Delete it"
        sure = st.button(label, key=key("keeping", "sure"), type="primary", disabled=bool(plan.blocked))
        if st.button("Keep it", key=key("keeping", "keep")):
            _forget()
            st.rerun()
    if sure:
        _delete(workspace, plan, on_deleted)


def _show_dependents(plan: DeletionPlan) -> None:
    if not plan.dependents:
        st.caption("Nothing depends on it.")
        return
    st.caption(f"All of this depends on it and goes too: {size_words(plan.n_bytes_with_dependents)} together.")
    st.dataframe(
        [
            {"kind": each.kind, "what": each.title or each.name, "why": each.why, "size": each.n_bytes}
            for each in reversed(plan.dependents)
        ],
        hide_index=True,
        height="content" if len(plan.dependents) <= _ROWS_AT_MOST else _HEIGHT,
        column_config={"size": st.column_config.NumberColumn(format="bytes")},
        alt=f"{len(plan.dependents)} things that depend on it, with the reason and the size",
    )


def _delete(workspace: Workspace, plan: DeletionPlan, on_deleted: Callable[[], None] | None) -> None:
    with shown_as_message("Nothing was deleted."):
        n_bytes = delete(workspace, plan, with_dependents=True)
    _forget()
    if on_deleted is not None:
        on_deleted()
    st.toast(f"{as_label(plan.name)} is deleted; {size_words(n_bytes)} are free again.", icon=":material/delete:")
    st.rerun()


def _forget() -> None:
    st.session_state.pop(_ASKED, None)


def _reach(ref: str, names: Sequence[str]) -> str:
    return f"{ref}, all versions" if ref in names else ref
