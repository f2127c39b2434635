"""The difficulty as a file to keep, and the command that says the same."""

from __future__ import annotations

import re

import streamlit as st

from simtune_core.workflows.reports import difficulty_report
from ui.ask import Answer
from ui.keys import key

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


def report_row(measured: Answer, mismatch: Answer | None, preflight: Answer | None) -> None:
    """Draw the report's download and, in a popover, the command that gives the same numbers.

    Args:
        measured: The `difficulty` job.
        mismatch: The `mismatch` job; None while there is none.
        preflight: The `preflight` job; None while there is none.
    """
    result = measured.result
    refs = [side["ref"] for side in result["sides"]]

    def report() -> str:
        return difficulty_report(result, mismatch.result if mismatch else None, preflight.result if preflight else None)

    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            "HTML report", report, file_name=_UNSAFE.sub("_", f"difficulty_{'_'.join(refs)}") + ".html",
            mime="text/html", key=key("difficulty", "report"), icon=":material/download:", on_click="ignore",
            help="Verdict, figures, numbers and findings in one file that needs no network.",
        )  # fmt: skip
        with st.popover("Reproduce", icon=":material/terminal:"):
            against = f" --against {refs[1]}" if len(refs) == 2 else ""
            command = f"python -m simtune_core difficulty {refs[0]}{against} --encoder {result['encoder']}"
            st.code(command, language="bash", wrap_lines=True)
            st.caption("Add `--json` for every number, `--report FILE` for the HTML report.")
