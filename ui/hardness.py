"""Difficulty on screen: the four numbers that decide, and the whole table."""

from __future__ import annotations

from typing import Any

import streamlit as st

from simtune_core.workflows.hardness import NumberRow
from ui.text import as_label

_CARDS = {"separability": "%.3f", "overlap": "percent", "roc_auc": "%.3f", "spearman_cosine": "%.3f"}
_PLAIN = ("separability", "overlap")
_SHARES = ("prevalence", "overlap", "spearman_share")


def difficulty_cards(rows: list[NumberRow]) -> None:
    """Draw separability, overlap, ROC-AUC and Spearman of the first set, with the difference to the second."""
    by_name = {row.name: row for row in rows}
    with st.grid(4, min_column_width=160):
        for name, form in _CARDS.items():
            row = by_name[name]
            first = row.values[0]
            second = row.values[1] if len(row.values) > 1 else None
            known = first is not None and second is not None
            st.metric(
                row.label.removesuffix(" of the encoder").capitalize()
                if name in _PLAIN
                else row.label.removesuffix(" of the encoder"),
                "not defined" if first is None else first,
                delta=round(first - second, 4) if known and first is not None and second is not None else None,
                delta_color="off",
                delta_description=f"vs. {_number(name, second)}" if known else None,
                format=form if first is not None else None,
                border=True,
                height="stretch",
            )


def difficulty_table(rows: list[NumberRow], result: dict[str, Any]) -> None:
    """Draw every number of both sets side by side, each with its definition's name."""
    refs = [side["ref"] for side in result["sides"]]
    shown = [
        {"": row.label} | {ref: _number(row.name, value) for ref, value in zip(refs, row.values, strict=True)}
        for row in rows
    ]
    st.dataframe(
        shown,
        hide_index=True,
        height="content",
        alt=f"Difficulty of {' and '.join(refs)} in the space of {result['title']}",
    )
    fitted = " and ".join(result["tfidf"]["fitted_on"])
    precision = "" if result["encoder"] == "tfidf" else f" (precision {result['precision']})"
    words = (
        f"Cosine of {result['title']}{precision}. TF-IDF is fitted on the {result['tfidf']['n_texts']:,} "
        f"unique texts of {fitted}. Definitions: docs/metrics.md."
    )
    st.caption(as_label(words, longest=600))


def _number(name: str, value: float | int | None) -> str:
    if value is None:
        return "not defined"
    if name == "n_pairs":
        return f"{value:,}"
    return f"{100 * value:.1f} %" if name in _SHARES else f"{value:.3f}"
