"""The difficulty page's answer: the verdict above, what the eye can check below, and each part as it comes in."""

from __future__ import annotations

import streamlit as st

from simtune_core.workflows.hardness import number_rows
from simtune_core.workflows.preflight import preflight_view
from simtune_core.workflows.verdicts import Asked
from ui.ask import Answer, answer_to, show_findings
from ui.audits import audits_panel, in_one_line
from ui.distributions import distributions_panel
from ui.hardness import difficulty_cards, difficulty_table, phase_table, spread_table
from ui.keys import key
from ui.preflight import preflight_panel, verdict_banner
from ui.report import report_row
from ui.weak import other_findings

Zone = tuple[float, float]


def difficulty_answer(asked: Asked, zone: Zone) -> None:
    """Draw the button that asks, or what is known so far; one press asks for numbers, verdict and intervals.

    Args:
        asked: The three questions about the sets and the space that are chosen.
        zone: The grey zone, two cosines.
    """
    measured = answer_to(
        asked.difficulty,
        key=key("difficulty", "ask"),
        button="Measure",
        why="Embeds every text once and fits a small head: a minute or two for some thousand texts on a CPU.",
        also=asked.requests[1:],
    )
    if measured is None:
        return
    flight = answer_to(
        asked.preflight, key=key("difficulty", "ask_verdict"), button="Ask for the verdict", why="Takes a minute."
    )
    if flight:
        verdict_banner(flight.result)
    else:
        show_findings(other_findings(measured.result["findings"]))
    cards = st.container()
    st.header("Where the pairs lie")
    distributions_panel(measured, grey=zone)
    if flight:
        _reasons(flight, compared=asked.mismatch is not None)
    st.header("All numbers")
    mismatch = _numbers(asked, measured, zone, cards)
    report_row(measured, mismatch, flight)


def _reasons(flight: Answer, *, compared: bool) -> None:
    """Draw why the verdict is what it is, and what the checks of the pairs found."""
    if compared:
        st.header("Why this verdict")
        preflight_panel(flight.result)
    audits = preflight_view(flight.result).audits
    st.header(f"Checks of the pairs: {in_one_line(audits)}")
    audits_panel(audits)


def _numbers(asked: Asked, measured: Answer, zone: Zone, cards: st.delta_generator.DeltaGenerator) -> Answer | None:
    """Draw the cards and the tables, with intervals where they are known, else the way to them."""
    table = st.container()
    mismatch = None
    if asked.mismatch:
        mismatch = answer_to(
            asked.mismatch,
            key=key("difficulty", "ask_intervals"),
            button="Compute the intervals",
            why="Resamples the records of both sets a thousand times.",
        )
    found = mismatch.result if mismatch else None
    rows = number_rows(measured.result, grey=zone, mismatch=found)
    with cards:
        difficulty_cards(rows)
    with table:
        difficulty_table(rows, measured.result, mismatch=found)
    with st.expander("Means and quantiles of each class", icon=":material/table_rows:"):
        spread_table(measured.result)
        phase_table(measured.result, grey=zone)
    return mismatch
