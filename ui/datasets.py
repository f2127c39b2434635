"""Datasets on screen: the table of what there is, and the choice of the one that the page is about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from simtune_core.datasets import DatasetVersion, find_dataset
from simtune_core.errors import WorkspaceError
from simtune_core.preparing.description import ordered_splits
from simtune_core.workspace import Workspace
from ui.keys import DATASET_NEXT, key
from ui.session import current_workspace
from ui.weak import weak_word
from ui.widgets import pick_one

_CHOSEN = key("data", "set")
_TABLE = key("data", "table")
_WHERE_KNOWN = ("phases", "labels")  # columns that are drawn only where one of the datasets has any
_ROWS_AT_MOST, _HEIGHT = 8, 320  # a longer table scrolls inside its height, in pixels


def dataset_table(versions: Sequence[DatasetVersion], **selection: Any) -> None:
    """Draw the newest version of every dataset with its counts.

    Args:
        versions: What is listed.
        selection: Passed on to `st.dataframe` where a row can be chosen.
    """
    workspace = current_workspace()
    rows = [
        {
            "dataset": version.name,
            "version": version.version,
            "kind": version.kind,
            "rows": version.n_rows,
            "splits": ", ".join(f"{split} {version.splits[split]:,}" for split in ordered_splits(version.splits)),
            "phases": ", ".join(f"{phase} {n:,}" for phase, n in version.manifest.get("phases", {}).items()),
            "positive pairs": _positive_share(version),
            "labels": weak_word(workspace, version),
            "made by": version.manifest["provenance"].get("made_by", ""),
        }
        for version in versions
    ]
    frame = pd.DataFrame(rows)
    told = [name for name in frame.columns if name not in _WHERE_KNOWN or (frame[name] != "").any()]
    st.dataframe(
        frame[told],
        hide_index=True,
        height="content" if len(rows) <= _ROWS_AT_MOST else _HEIGHT,
        alt=f"{len(rows)} datasets with version, kind, rows, splits and share of positive pairs",
        column_config={"rows": st.column_config.NumberColumn(format="localized")},
        **selection,
    )


def pick_dataset(workspace: Workspace, versions: Sequence[DatasetVersion], table: DeltaGenerator) -> str:
    """Draw the list of datasets here and their table elsewhere; a click on a row chooses, the address keeps the choice.

    Args:
        workspace: Where the datasets lie.
        versions: The newest version of each; at least one.
        table: Where the table is drawn.

    Returns:
        A dataset's name, or the reference to a version or a split that the address or another page names.
    """
    saved = st.session_state.pop(DATASET_NEXT, None)
    if saved in {version.name for version in versions}:
        st.session_state[_CHOSEN] = saved
    newest_first = sorted(versions, key=lambda version: -float(version.manifest["created"]))
    names = [version.name for version in newest_first]
    chosen = pick_one("Dataset", [*names, *_held(workspace, names)], key=_CHOSEN) or names[0]
    row = names.index(find_dataset(workspace, chosen)[0].name)
    with table:
        mark_row(_TABLE, row)
        dataset_table(
            newest_first,
            key=_TABLE,
            on_select=lambda: choose_row(_TABLE, names),
            selection_mode="single-row-required",
        )
    return chosen


def mark_row(table: str, row: int) -> None:
    """Select the row of what is shown: a selection is kept by its place, and new entries push rows down.

    Args:
        table: Session-state key of the table.
        row: Place of the row.
    """
    held = st.session_state.get(table)
    if held is None or list(held["selection"]["rows"]) != [row]:
        st.session_state[table] = {"selection": {"rows": [row], "columns": [], "cells": []}}


def choose_row(table: str, names: Sequence[str]) -> None:
    """Make what a reader has selected in a table the dataset or version that the page is about.

    Args:
        table: Session-state key of the table.
        names: What its rows are called.
    """
    rows = st.session_state[table]["selection"]["rows"]
    if rows:
        st.session_state[_CHOSEN] = names[rows[0]]


def _held(workspace: Workspace, names: Sequence[str]) -> list[str]:
    """Return the reference to a version or a split that was asked for, if there is such a one."""
    asked = st.session_state.get(_CHOSEN) or st.query_params.get(_CHOSEN)
    if not isinstance(asked, str) or asked in names:
        return []
    try:
        version, _ = find_dataset(workspace, asked)
    except WorkspaceError:
        return []
    return [asked] if version.name in names else []


def _positive_share(version: DatasetVersion) -> str:
    if version.manifest.get("graded"):
        return "graded"
    positive, negative = version.manifest.get("n_positive", 0), version.manifest.get("n_negative", 0)
    return f"{100 * positive / (positive + negative):.0f} %" if positive + negative else ""
