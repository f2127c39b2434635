"""Datasets on screen: the table of versions and the browser of rows."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from simtune_core.datasets import DatasetVersion
from simtune_core.pairs import text_id
from simtune_core.workflows import data
from simtune_core.workspace import Workspace
from ui.keys import key
from ui.widgets import pick_one

_PAGE = 100


def dataset_table(versions: Sequence[DatasetVersion]) -> None:
    """Draw the newest version of every dataset with its counts."""
    rows = [
        {
            "dataset": version.name,
            "version": version.version,
            "kind": version.kind,
            "rows": version.n_rows,
            "splits": ", ".join(f"{split} {n:,}" for split, n in version.splits.items()),
            "phases": ", ".join(f"{phase} {n:,}" for phase, n in version.manifest.get("phases", {}).items()),
            "positive pairs": _positive_share(version),
            "made by": version.manifest["provenance"].get("made_by", ""),
        }
        for version in versions
    ]
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        alt=f"{len(rows)} datasets with version, kind, rows, splits and share of positive pairs",
        column_config={"rows": st.column_config.NumberColumn(format="localized")},
    )


def row_browser(workspace: Workspace, versions: Sequence[DatasetVersion]) -> None:
    """Draw a dataset's rows page by page, with a literal search; texts are shown as text."""
    kinds = {version.name: version.kind for version in versions}
    refs = [*data.set_refs(workspace, "pairs"), *data.set_refs(workspace, "records")]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        ref = pick_one("Dataset", refs, key=key("data", "set"))
        search = st.text_input("Search the texts", key=key("data", "search"), type="search", live="300ms", width=320)
    if ref is None:
        return
    slot = st.container()
    found = data.row_page(workspace, ref, search=search)
    n_pages = max(1, -(-found.n_found // _PAGE))
    page = st.pagination(n_pages, key=key("data", f"page.{text_id(ref)}")) if n_pages > 1 else 1
    shown = found if page == 1 else data.row_page(workspace, ref, search=search, page=int(page))
    kind = kinds[ref.partition(":")[0]]
    slot.caption(f"{found.n_found:,} {kind}" + (" contain the words searched for" if search else ""))
    slot.dataframe(shown.frame, hide_index=True, height=420, alt=f"Rows of {ref}, page {page} of {n_pages}")


def _positive_share(version: DatasetVersion) -> str:
    if version.manifest.get("graded"):
        return "graded"
    positive, negative = version.manifest.get("n_positive", 0), version.manifest.get("n_negative", 0)
    return f"{100 * positive / (positive + negative):.0f} %" if positive + negative else ""
