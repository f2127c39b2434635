"""Rows of a dataset on screen: filters, search, sort, a hundred at a time, and one of them whole. Text stays text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from simtune_core.datasets import DatasetVersion
from simtune_core.pairs import TEXT_COLUMNS, text_id
from simtune_core.preparing.description import ordered_splits
from simtune_core.workflows.data import RowPage, RowQuery, row_page, sortable_columns, values_of
from simtune_core.workflows.describing import described_folder
from simtune_core.workspace import Workspace
from ui.errors import shown_as_message
from ui.keys import key
from ui.marked_texts import marked_texts, shared_words
from ui.refreshing import refreshed
from ui.text import as_label, count

PER_PAGE = 100
_IN_TABLE = 300  # characters of a text in the table; a click opens the whole
_WHOLE = 20_000  # characters of a text that a browser draws at once
_HEIGHT = 420  # of the table, in pixels
_WIDTHS = {"text": 560, **dict.fromkeys(TEXT_COLUMNS, 330)}  # so that the label or category can be seen beside them
_KEPT: dict[str, Any] = {"persist_state": "session"}
_FILE_ORDER = "as in the file"


@dataclass(frozen=True, slots=True)
class Shown:
    """Which rows are browsed.

    Attributes:
        version: The version they belong to.
        ref: The version, or a split of it.
        described: Id of the job that described the version, None if none has.
    """

    version: DatasetVersion
    ref: str
    described: str | None


def row_browser(workspace: Workspace, shown: Shown) -> None:
    """Draw the browser as a part of its own, so that a search does not draw the rest of the page again."""
    refreshed(_browse, workspace, shown, every=None)


def _browse(workspace: Workspace, shown: Shown) -> None:
    with shown_as_message(stop=False):
        query = _query(workspace, shown)
        folder = described_folder(workspace, shown.described) if shown.described else None
        found = row_page(workspace, shown.ref, query, described=folder)
        n_pages = max(1, -(-found.n_found // PER_PAGE))
        slot = st.container()
        page = 1
        if n_pages > 1:  # another query begins at its first page
            page = int(st.pagination(n_pages, key=key("data", f"page.{text_id(f'{shown.ref} {query}')}")))
        if page > 1:
            found = row_page(workspace, shown.ref, query, page=page, described=folder)
        with slot:
            st.caption(_found_words(found, shown, query))
            row = _table(found, shown, page, n_pages) if found.n_found else None
        if row is not None:
            _whole(found.frame.iloc[row], shown.version.kind, int(found.numbers[row]) + 1)


def _query(workspace: Workspace, shown: Shown) -> RowQuery:
    """Draw the filters that this dataset has columns for."""
    version = shown.version
    own = text_id(version.ref)  # values of one dataset are no choice in another
    with st.container(horizontal=True, vertical_alignment="bottom"):
        search = st.text_input(
            "Search the texts",
            key=key("data", "search"),
            type="search",
            live="300ms",
            width=260,
            bind="query-params",
            **_KEPT,
        )
        splits = _pills("Split", [] if ":" in shown.ref else ordered_splits(version.splits), f"split.{own}")
        labels = _pills("Label", _label_kinds(version), f"label.{own}")
        sort, descending = _order(version, own)
        with st.popover("More filters", icon=":material/filter_alt:"):
            more = _more_filters(workspace, shown, own)
    return RowQuery(search=search or "", splits=splits, labels=labels, sort=sort, descending=descending, **more)


def _pills(label: str, options: list[str], name: str) -> tuple[str, ...]:
    """Draw a choice of several; nothing where there is nothing to choose between."""
    if len(options) < 2:
        return ()
    chosen = st.pills(
        label, options, selection_mode="multi", key=key("data", name), format_func=as_label, **_KEPT
    )  # Streamlit reads what stands on a pill as Markdown
    return tuple(chosen or ())


def _label_kinds(version: DatasetVersion) -> list[str]:
    if version.kind != "pairs":
        return []
    n_unlabelled = version.n_rows - version.manifest["n_positive"] - version.manifest["n_negative"]
    held = {
        "similar": version.manifest["n_positive"],
        "dissimilar": version.manifest["n_negative"],
        "unlabelled": n_unlabelled,
    }
    return [kind for kind, n in held.items() if n]


def _order(version: DatasetVersion, own: str) -> tuple[str | None, bool]:
    options = [_FILE_ORDER, *sortable_columns(version)]
    chosen = st.selectbox("Sort by", options, key=key("data", f"sort.{own}"), width=170, **_KEPT)
    if chosen == _FILE_ORDER:
        return None, False
    descending = st.toggle("Greatest first", key=key("data", f"descending.{own}"), **_KEPT)
    return chosen, descending


def _more_filters(workspace: Workspace, shown: Shown, own: str) -> dict[str, Any]:
    version = shown.version
    chosen: dict[str, Any] = {}
    columns = ("category1", "category2") if version.kind == "pairs" else ("category",)
    categories = list(dict.fromkeys(name for column in columns for name in values_of(workspace, version.ref, column)))
    if categories:
        chosen["categories"] = tuple(
            st.multiselect("Category", categories, key=key("data", f"category.{own}"), placeholder="all", **_KEPT)
        )
    chosen["phases"] = _pills("Phase", list(version.manifest.get("phases", {})), f"phase.{own}")
    if version.manifest.get("graded"):
        low, high = st.slider("Score", 0.0, 1.0, (0.0, 1.0), 0.01, key=key("data", f"score.{own}"), **_KEPT)
        chosen["scores"] = None if (low, high) == (0.0, 1.0) else (low, high)
    known = shown.described is not None
    help_ = None if known else "Known once the dataset is described, above."
    for flag, label in (("duplicate", "Only repeated rows, nearly repeated too"), ("truncated", "Only truncated rows")):
        on = st.toggle(label, key=key("data", f"{flag}.{own}"), disabled=not known, help=help_, **_KEPT)
        chosen[flag] = bool(on) and known
    return chosen


def _found_words(found: RowPage, shown: Shown, query: RowQuery) -> str:
    kind, n = shown.version.kind, count(found.n_found)
    if query == RowQuery(sort=query.sort, descending=query.descending):
        return f"{n} {kind}"
    if query == RowQuery(search=query.search, sort=query.sort, descending=query.descending):
        return f"{n} {kind} contain the words searched for"
    return f"{n} of {count(found.n_rows)} {kind} pass the filters"


def _table(found: RowPage, shown: Shown, page: int, n_pages: int) -> int | None:
    """Draw the rows and return the place of the chosen one."""
    frame = found.frame.copy()
    for column in frame.columns:
        if pd.api.types.is_string_dtype(frame[column]):
            frame[column] = frame[column].map(_cut, na_action="ignore")
    frame.insert(0, "row", found.numbers + 1)
    picked = st.dataframe(
        frame,
        hide_index=True,
        height=_HEIGHT if len(frame) > 10 else "content",
        placeholder="",
        key=key("data", f"rows.{text_id(f'{shown.ref} {found.numbers.tobytes().hex()}')}"),
        on_select="rerun",
        selection_mode="single-row",
        column_config={"row": st.column_config.NumberColumn(width=70, format="localized")}
        | {column: st.column_config.TextColumn(width=width) for column, width in _WIDTHS.items()},
        alt=f"Rows of {shown.ref}, page {page} of {n_pages}",
    )
    rows = picked["selection"]["rows"]
    if not rows:
        st.caption("Select a row to read it whole.")
        return None
    return int(rows[0])


def _whole(row: pd.Series, kind: str, number: int) -> None:
    """Draw one row with its whole texts, for pairs side by side with the words that both hold marked."""
    facts = {name: value for name, value in row.items() if name not in ("text", *TEXT_COLUMNS)}
    told = " · ".join(f"{name} {_word(value)}" for name, value in facts.items() if _known(value))
    with st.container(border=True):
        st.text(f"Row {number:,}" + (f" · {told}" if told else ""))
        texts = [str(row[column]) for column in (TEXT_COLUMNS if kind == "pairs" else ("text",))]
        if kind == "pairs":
            first, second = (text[:_WHOLE] for text in texts)
            marked_texts(TEXT_COLUMNS, (first, second), key=key("data", "reader"))
            st.caption(f"{len(shared_words(first, second)):,} words stand in both and are marked.")
        else:
            st.code(texts[0][:_WHOLE], language=None, wrap_lines=True)
        beyond = sum(max(0, len(text) - _WHOLE) for text in texts)
        if beyond:
            st.caption(f"{beyond:,} more characters are not drawn; export the set to read them.")


def _known(value: Any) -> bool:
    return isinstance(value, list | np.ndarray) or not pd.isna(value)


def _word(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _cut(text: str) -> str:
    return text if len(text) <= _IN_TABLE else text[: _IN_TABLE - 1] + "…"
