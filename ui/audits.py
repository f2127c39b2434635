"""Audits on screen: what was found by severity, with its rows and its fix; what was not, in one line."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from simtune_core.findings import EVIDENCE_ROWS, Audit
from ui.keys import key
from ui.menu import PAGES, button_to, link_to
from ui.text import as_label

SEVERITIES = {  # severity, worst first -> word, symbol, colour: never colour alone
    "error": ("Error", ":material/error:", "red"),
    "warning": ("Warning", ":material/warning:", "orange"),
    "info": ("Note", ":material/info:", "blue"),
}
_SILENT = {"clear": ("found nothing", ":material/check:"), "not_applicable": ("does not apply", ":material/remove:")}
_TITLES = {entry.stem: entry.title for entry in PAGES}
_LONGEST = 1500  # characters of a sentence
_ROWS_SHOWN = 8  # rows of evidence that are shown without scrolling
_HEIGHT = 320


@st.fragment
def audits_panel(audits: Sequence[Audit]) -> None:
    """Draw audits: a card for each find, the worst first, and one line that opens to all others.

    Args:
        audits: Every audit that was made, in their own order.
    """
    order = list(SEVERITIES)
    found = sorted((audit for audit in audits if audit.status == "found"), key=lambda each: order.index(each.severity))
    silent = [audit for audit in audits if audit.status != "found"]
    if audits and not found:
        st.success("No audit found anything.", icon=":material/check_circle:")
    for place, audit in enumerate(found):
        with st.container(border=True, gap="xsmall"):
            _card(audit, f"{audit.code}.{place}")
    if silent:
        _others(silent)


def in_one_line(audits: Sequence[Audit]) -> str:
    """Count what the audits found: `2 errors, 1 warning`, or that they found nothing."""
    parts = []
    for severity, (word, _, _) in SEVERITIES.items():
        n = sum(audit.status == "found" and audit.severity == severity for audit in audits)
        if n:
            parts.append(f"{n} {word.lower()}{'s' if n > 1 else ''}")
    return ", ".join(parts) or "nothing found"


def _card(audit: Audit, name: str) -> None:
    word, icon, colour = SEVERITIES[audit.severity]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.badge(word, icon=icon, color=colour)  # type: ignore[arg-type]
        st.markdown(f"**{as_label(audit.title)}**")
    st.markdown(as_label(audit.message, longest=_LONGEST))
    if audit.fix is not None:
        _fix(audit, name)
    if audit.evidence:
        _evidence(audit, name)


def _fix(audit: Audit, name: str) -> None:
    """Draw what would mend a find, and the way to the page that does it; on a phone a link does not wrap, words do."""
    assert audit.fix is not None
    fix = audit.fix
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(as_label(fix.text), width="content")
        if fix.page is None:
            return
        words = f"Open {_TITLES[fix.page]}"
        if fix.holds:
            where, icon = key("difficulty", f"fix.{name}"), ":material/arrow_forward:"
            button_to(fix.page, words, key=where, holds=dict(fix.holds), icon=icon)
        else:
            link_to(fix.page, words)


def _evidence(audit: Audit, name: str) -> None:
    n = len(audit.evidence)
    words = "Show the row" if n == 1 else f"Show {'the first ' if n == EVIDENCE_ROWS else ''}{n} rows"
    rows = st.expander(words, icon=":material/table_rows:", key=key("difficulty", f"rows.{name}"), on_change="rerun")
    if not rows.open:
        return
    with rows:
        st.dataframe(
            [dict(row) for row in audit.evidence],
            hide_index=True,
            height="content" if n <= _ROWS_SHOWN else _HEIGHT,
            alt=f"{audit.title}: {n} rows that show it",
        )


def _others(audits: Sequence[Audit]) -> None:
    """Draw the audits that found nothing or do not apply as one line that opens to their sentences."""
    n_clear = sum(audit.status == "clear" for audit in audits)
    n_not = len(audits) - n_clear
    parts = [f"{n_clear} {'check' if n_clear == 1 else 'checks'} found nothing"] if n_clear else []
    parts += [f"{n_not} {'does' if n_not == 1 else 'do'} not apply"] if n_not else []
    opened = st.expander(
        "; ".join(parts), icon=":material/checklist:", key=key("difficulty", "audits_silent"), on_change="rerun"
    )
    if not opened.open:
        return
    with opened:
        for status, (word, icon) in _SILENT.items():
            lines = [
                f"- {icon} {as_label(audit.title)} ({word}): {as_label(audit.message, longest=_LONGEST)}"
                for audit in audits
                if audit.status == status
            ]
            if lines:
                st.markdown("\n".join(lines))
