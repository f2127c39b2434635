"""The verdict of a preflight on screen: the word and what to do, then its reasons, pictures and numbers."""

from __future__ import annotations

from typing import Any, Literal

import streamlit as st

from simtune_core.difficulty.preflight.reasons import METRIC_WORDS, Reason
from simtune_core.figures.preflight import coverage_bars, headroom_bars, probe_difference
from simtune_core.findings import Fix
from simtune_core.workflows.preflight import PreflightView, number_lines, preflight_view
from ui.keys import CURRICULUM_SETTINGS, key
from ui.menu import PAGES
from ui.text import as_label

# Word -> symbol and colour: never colour alone.
_WORDS: dict[str, tuple[str, str]] = {
    "GO": (":material/check_circle:", "green"),
    "FIX DATA": (":material/build:", "orange"),
    "KEEP BASELINE": (":material/flag:", "blue"),
}
_DOES = {  # page -> what the button says that leads there
    "curriculum": "Cut such pairs",
    "data": "Open the data",
    "training": "Train the head",
    "evaluation": "Compare encoders",
}
_MESSAGE = 600


def verdict_banner(result: dict[str, Any]) -> None:
    """Draw the verdict: its word, why in one sentence, and the button that leads to what mends it.

    Args:
        result: Of a `preflight` job; without a second set there is no verdict, which is said.
    """
    verdict = preflight_view(result).verdict
    if verdict is None:
        st.info("Choose pairs to test on, and a verdict tells whether training can help there.", icon=":material/info:")
        return
    icon, colour = _WORDS[verdict.verdict]
    with st.container(border=True), st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        st.markdown(f"## :{colour}[{icon} {verdict.verdict}]", width="content")
        with st.container(gap="xxsmall"):
            st.markdown(f"**{as_label(verdict.headline)}**")
            if verdict.fix is not None:
                st.markdown(as_label(verdict.fix.text, longest=_MESSAGE))
        if verdict.fix is not None:
            fix_button(verdict.fix, name="preflight_fix", kind="primary")


def preflight_panel(result: dict[str, Any]) -> None:
    """Draw what the verdict rests on: the reasons, three pictures, and every number behind them."""
    view = preflight_view(result)
    if view.verdict is None:
        return
    main = view.verdict.fix.page if view.verdict.fix else None
    with st.container(gap="xsmall"):
        for place, reason in enumerate(view.verdict.reasons):
            _reason(reason, place, skip=main)
    _pictures(view)
    with st.expander("Numbers behind the verdict", icon=":material/table_rows:"):
        lines = [{"": label, "value": value} for label, value in number_lines(view)]
        st.dataframe(lines, hide_index=True, height="content", alt=f"{len(lines)} numbers behind the verdict")


def fix_button(fix: Fix, *, name: str, kind: Literal["primary", "tertiary"] = "tertiary") -> None:
    """Draw the button that leads to a fix's page, with the widgets there set as it says; nothing if it has no page.

    Args:
        fix: What mends a finding.
        name: Tells two buttons of the page apart.
        kind: How much the button stands out.
    """
    entry = next((entry for entry in PAGES if entry.stem == fix.page), None)
    if entry is None:
        return
    holds = dict(fix.holds)
    label = _DOES.get(entry.stem, entry.title)
    pressed = st.button(
        label, key=key("difficulty", name), type=kind, icon=":material/arrow_forward:", width="content",
        on_click=st.session_state.update, args=(holds,), help=as_label(fix.text) if kind == "tertiary" else None,
    )  # fmt: skip
    if pressed:
        st.switch_page(
            entry.file, query_params={held: value for held, value in holds.items() if held != CURRICULUM_SETTINGS}
        )


def _reason(reason: Reason, place: int, *, skip: str | None) -> None:
    icon = ":material/arrow_right:" if reason.decides else ":material/more_horiz:"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        words = as_label(reason.message, longest=_MESSAGE)
        st.markdown(f"{icon} **{words}**" if reason.decides else f"{icon} {words}")
        if reason.fix is not None and reason.fix.page != skip:
            fix_button(reason.fix, name=f"preflight_fix.{place}")


def _pictures(view: PreflightView) -> None:
    if view.test is None:
        return
    with st.grid(3, min_column_width=280):
        with st.container():
            st.markdown("**Room above the baseline**")
            told = f"{_told(view.train.value)} on the training pairs, {_told(view.test.value)} on the test pairs"
            alt = f"{METRIC_WORDS[view.test.metric]} of the baseline: {told}"
            st.plotly_chart(headroom_bars(view.train, view.test), key=key("difficulty", "preflight_room"), alt=alt)
        if view.coverage is not None:
            with st.container():
                st.markdown(f"**Test pairs covered: {view.coverage.share:.0%}**")
                alt = f"{view.coverage.share:.0%} of the test pairs lie where there are training pairs of their label"
                figure = coverage_bars(view.coverage, space=f"{view.space} cosine")
                st.plotly_chart(figure, key=key("difficulty", "preflight_coverage"), alt=alt)
        with st.container():
            st.markdown("**What a head gains**")
            if view.probe is None:
                st.caption(as_label(view.not_probed, longest=_MESSAGE))
                return
            change = view.probe.difference
            told = (
                "not defined" if change is None else f"{change.estimate:+.3f}, {change.low:+.3f} to {change.high:+.3f}"
            )
            figure = probe_difference(view.probe, view.detectable)
            alt = f"Difference of the probe to the baseline on the test pairs: {told}"
            st.plotly_chart(figure, key=key("difficulty", "preflight_probe"), alt=alt)


def _told(value: float | None) -> str:
    return "not defined" if value is None else f"{value:.3f}"
