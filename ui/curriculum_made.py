"""From a plan to a pair set: the button that draws the pairs, how to make the same elsewhere, and what was drawn."""

from __future__ import annotations

from typing import Any

import streamlit as st

from simtune_core.curriculum.config import CurriculumConfig
from simtune_core.workflows.curricula import command_for, drawn_rows, settings_text
from simtune_core.workflows.requests import curriculum_request
from simtune_core.workflows.running import result_of
from ui.ask import Answer, launch_once, show_findings
from ui.curriculum_numbers import phases_table
from ui.curriculum_sources import Sources
from ui.errors import shown_as_message
from ui.jobs import job_panel
from ui.keys import CURRICULUM_NEXT, key
from ui.menu import button_to
from ui.session import current_workspace
from ui.text import as_label
from ui.weak import other_findings, weak_marks

_JOB = key("curriculum", "job")


def generate_row(counted: Answer, sources: Sources, config: CurriculumConfig | None, *, ready: bool) -> None:
    """Draw the name, the button that draws the pairs, and the settings as a file and a command.

    Args:
        counted: The candidates.
        sources: What was chosen to be counted.
        config: The settings; None while they contradict each other.
        ready: Whether there is anything to draw.
    """
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input(
            "Name of the pair set",
            value="curriculum",
            key=key("curriculum", "name"),
            width=280,
            persist_state="session",
        )
        pressed = st.button(
            "Generate", type="primary", disabled=not ready, key=key("curriculum", "generate"), icon=":material/stairs:"
        )
        again = st.toggle(
            "As its next version", key=key("curriculum", "new_version"), persist_state="session",
            help="Where the name is taken by a pair set made here: save this one beside it, as the newest version.",
        )  # fmt: skip
        box = st.popover("Reproduce", icon=":material/terminal:", key=key("curriculum", "reproduce"), on_change="rerun")
        if box.open and config is not None:
            with box:
                _reproduce(sources, config, name)
    if pressed and config is not None:
        with shown_as_message("This was not generated; the workspace is as it was."):
            request = curriculum_request(
                current_workspace(), counted.job.id, config.model_dump(mode="json"), name, new_version=again
            )
            st.session_state[_JOB] = launch_once(request, key=key("curriculum", "launch"))
        st.rerun()


def _reproduce(sources: Sources, config: CurriculumConfig, name: str) -> None:
    text = settings_text(config)
    st.download_button(
        "Settings as YAML", text, file_name=f"{name or 'curriculum'}.yaml", mime="application/yaml",
        key=key("curriculum", "yaml"), icon=":material/download:", on_click="ignore",
    )  # fmt: skip
    st.code(
        command_for(sources.records, sources.encoding, sources.config, test=sources.test, name=name),
        language="bash",
        wrap_lines=True,
    )
    st.code(text, language="yaml", height=260)


def generated() -> None:
    """Draw the job that draws the pairs, and what it made: foretold beside drawn, findings, what comes next."""
    job_id = st.session_state.get(_JOB)
    if job_id is None:
        return
    with shown_as_message("What was generated cannot be shown any more.", stop=False):
        status = job_panel(job_id, key=key("curriculum", "panel"), on_done=_preselect)
        if status.state == "done":
            _result(result_of(current_workspace(), job_id))


def _preselect(job: Any) -> None:
    """Let the tab Refine begin with the pair set that was just made."""
    st.session_state[CURRICULUM_NEXT] = result_of(current_workspace(), job.id)["dataset"].partition("@")[0]


def _result(result: dict[str, Any]) -> None:
    st.header(f"{as_label(result['dataset'])}: {result['n_pairs']:,} pairs")
    weak_marks(current_workspace(), result["dataset"])
    show_findings([each for each in result["findings"] if each["severity"] != "info"])
    names = [phase["name"] for phase in result["phases"]]
    phases_table(names, drawn_rows(result), alt=f"The phases of {result['dataset']} as drawn and as foretold")
    remarks = [each["message"] for each in other_findings(result["findings"]) if each["severity"] == "info"]
    if remarks:
        st.caption(as_label(" ".join(remarks), longest=1200))
    with st.container(horizontal=True):
        name = result["dataset"].partition("@")[0]
        button_to(
            "curriculum", "Refine it", key=key("curriculum", "refine"), icon=":material/edit:",
            holds={key("curriculum", "tab"): "Refine"},
        )  # fmt: skip
        button_to(
            "training", "Train on it", key=key("curriculum", "train"), icon=":material/arrow_forward:",
            holds={"training.train": name},
        )  # fmt: skip
