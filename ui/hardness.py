"""Difficulty on screen: the four numbers that decide, and the tables of all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from simtune_core.workflows.hardness import (
    UNDEFINED,
    NumberRow,
    difference_in_words,
    in_words,
    interval_in_words,
    intervals_note,
    phase_rows,
    space_of,
    spread_rows,
)
from ui.text import as_label

_CARDS = {"separability": "%.3f", "overlap": "percent", "roc_auc": "%.3f", "spearman_cosine": "%.3f"}
_PLAIN = ("separability", "overlap")


def difficulty_cards(rows: Sequence[NumberRow]) -> None:
    """Draw separability, overlap, ROC-AUC and Spearman of the first set, with the difference to the second."""
    by_name = {row.name: row for row in rows}
    with st.grid(4, min_column_width=160):
        for name, form in _CARDS.items():
            row = by_name[name]
            first, difference = row.values[0], row.difference
            label = row.label.removesuffix(" of the encoder")
            st.metric(
                label.capitalize() if name in _PLAIN else label,
                UNDEFINED if first is None else first,
                delta=None if difference is None else round(difference, 4),
                delta_color="off",
                delta_description=None if difference is None else _against(row),
                format=form if first is not None else None,
                help=_interval_words(row),
                border=True,
                height="stretch",
            )


def difficulty_table(
    rows: Sequence[NumberRow], result: dict[str, Any], *, mismatch: dict[str, Any] | None = None
) -> None:
    """Draw every number of both sets side by side, with their difference and, where there is one, its interval.

    Args:
        rows: The numbers.
        result: Of the `difficulty` job.
        mismatch: Of the `mismatch` job; None while there is none.
    """
    refs = [side["ref"] for side in result["sides"]]
    two = len(refs) == 2
    shown = [
        {"about": row.group, "": row.label}
        | {ref: in_words(value, row.form) for ref, value in zip(refs, row.values, strict=True)}
        | ({"difference": difference_in_words(row)} if two else {})
        | ({f"{100 * mismatch['level']:g} % interval": interval_in_words(row)} if two and mismatch else {})
        for row in rows
    ]
    st.dataframe(
        shown,
        hide_index=True,
        height="content",
        alt=f"Difficulty of {' and '.join(refs)} in the space of {result['title']}",
    )
    fitted = " and ".join(result["tfidf"]["fitted_on"])
    words = (
        f"{_sentence(space_of(result))}; the grey zone is what the slider says. TF-IDF is fitted on the "
        f"{result['tfidf']['n_texts']:,} unique texts of {fitted}. {intervals_note(mismatch) if mismatch else ''} "
        "Definitions: docs/metrics.md."
    )
    st.caption(as_label(words, longest=1200))


def spread_table(result: dict[str, Any]) -> None:
    """Draw mean, standard deviation and quantiles of the similarities of each class of each set."""
    st.dataframe(
        spread_rows(result),
        hide_index=True,
        height="content",
        alt=f"Mean, standard deviation and quantiles of similarity in the space of {result['title']}",
    )


def phase_table(result: dict[str, Any], *, grey: tuple[float, float] | None = None) -> None:
    """Draw the main numbers of every phase; nothing where no set has phases."""
    rows = phase_rows(result, grey=grey)
    if rows:
        st.dataframe(rows, hide_index=True, height="content", alt=f"Difficulty by phase, {space_of(result)}")


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]


def _against(row: NumberRow) -> str:
    """Word what a card's difference is against; that of shares is in percentage points, not in per cent of anything."""
    return f"{'points ' if row.form == 'share' else ''}vs. {in_words(row.values[1], row.form)}"


def _interval_words(row: NumberRow) -> str | None:
    ends = interval_in_words(row)
    return f"Interval of the difference: {ends}." if ends else None
