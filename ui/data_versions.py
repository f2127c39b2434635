"""Versions of a dataset on screen: what each was made from, and what rests on it."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from simtune_core.workflows.describing import VersionRow, version_rows
from simtune_core.workspace import Workspace
from ui.datasets import choose_row, mark_row
from ui.errors import shown_as_message
from ui.keys import JOB, key
from ui.menu import button_to
from ui.text import as_label

_TABLE = key("data", "version_table")
_ROWS_AT_MOST, _HEIGHT = 8, 320
_CONTENT_DIGITS = 12  # of the content's sha256 that are shown


def version_panel(workspace: Workspace, name: str, chosen: str) -> None:
    """Draw all versions of a dataset, and what rests on the one that the page is about.

    Args:
        workspace: Where it lies.
        name: The dataset.
        chosen: `name@v0001`, the version that the page is about and whose uses are listed.
    """
    with shown_as_message(stop=False):
        rows = version_rows(workspace, name)
        refs = [row.ref for row in rows]
        mark_row(_TABLE, refs.index(chosen))
        st.dataframe(
            [
                {
                    "version": row.ref,
                    "rows": row.n_rows,
                    "created": datetime.fromtimestamp(int(row.created)),
                    "how": row.made,
                    "used by": len(row.used_by),
                    "content": row.content_id[:_CONTENT_DIGITS],
                }
                for row in rows
            ],
            hide_index=True,
            height="content" if len(rows) <= _ROWS_AT_MOST else _HEIGHT,
            column_config={
                "rows": st.column_config.NumberColumn(format="localized"),
                "created": st.column_config.DatetimeColumn(format="D MMM YYYY HH:mm"),
                "how": st.column_config.TextColumn(width="large"),
            },
            key=_TABLE,
            on_select=lambda: choose_row(_TABLE, [name, *refs[1:]]),  # the newest goes by the name alone
            selection_mode="single-row-required",
            alt=f"{len(rows)} versions of {name} with rows, time, origin and uses",
        )
        st.caption("Select a version to read it. Versions are told apart by the sha256 of their content.")
        for row in rows:
            if row.ref == chosen:
                _uses(row)


def _uses(row: VersionRow) -> None:
    if row.job is not None:
        button_to(
            "jobs",
            "Open the job that made it",
            key=key("data", "maker"),
            holds={JOB: row.job},
            icon=":material/open_in_new:",
        )
    if not row.used_by:
        st.caption(as_label(f"Nothing rests on {row.ref}."))
        return
    st.caption(as_label(f"Resting on {row.ref}: {len(row.used_by)}"))
    st.dataframe(
        [{"kind": use.kind, "what": use.title, "why": use.why, "id": use.name} for use in row.used_by],
        hide_index=True,
        height="content" if len(row.used_by) <= _ROWS_AT_MOST else _HEIGHT,
        alt=f"{len(row.used_by)} jobs, datasets and models that rest on {row.ref}",
    )
