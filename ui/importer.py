"""The import form: a source, its columns as guessed and as chosen, its faults by row, a name, and the button."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from simtune_core.importing.drafting import Draft, Questions
from simtune_core.importing.options import ImportOptions
from simtune_core.workflows import importing, running
from simtune_core.workflows.importing import ImportSource
from ui.ask import launch_once
from ui.errors import shown_as_message
from ui.import_mapping import answer_questions, choose_columns, choose_kind, choose_options
from ui.import_source import begin_anew, choose_source, head_of, preview, read_head
from ui.jobs import job_panel
from ui.keys import DATASET_NEXT, key
from ui.session import current_workspace
from ui.text import as_label, count

_SHOWN = 5
_TEXT_WIDTH = 330  # of a column of texts, so that the label beside two of them is seen
_NOTES = 6
_STARTED = key("data", "import_started")  # the job that reads a large source, and what it was started for


def import_form() -> None:
    """Draw the form; a saved dataset is announced and the page runs again."""
    _announce_finished_job()
    source = choose_source()
    if source is None:
        return
    token = importing.token_of(source)
    table, reading = read_head(source, token)
    columns = list(table.frame.columns)
    kind = choose_kind(columns, token)
    named = choose_columns(columns, kind, token)
    chosen = {**choose_options(named, kind, token), "reading": reading}
    with shown_as_message("These choices do not fit together."):
        options = ImportOptions(kind=kind, columns=named, **chosen)
    told, questions = _checked(source, token, options)
    answers = answer_questions(questions, token)
    if answers:
        options = options.with_changes(**answers)
        told, _ = _checked(source, token, options)
    notes = [*told["notes"], *_language_notes(source, token, options.model_dump_json(exclude_defaults=True))]
    _show_notes(notes)
    _show_faults(told, importing.unanswered(told))
    _preview(source, token, options, table)
    _save(source, token, options, told)


def _checked(source: ImportSource, token: str, options: ImportOptions) -> tuple[dict[str, Any], Questions]:
    """Return what is known of the source under the options, as JSON, and the questions it raises.

    Of a large source this is what a finished job found in all of it, if there is one for these options; else what its
    head shows.
    """
    job_id = _job_of(token, options)
    if source.large and job_id is not None:
        with shown_as_message():
            job = running.read_job(current_workspace(), job_id)
            if job.state == "done":
                told = running.result_of(current_workspace(), job_id)
                return told | {"whole": True}, importing.questions_from(told)
    checked = _drafted(source, token, options.model_dump_json(exclude_defaults=True))
    return checked.as_json() | {"whole": not source.large}, checked.questions


def _show_notes(notes: Sequence[str]) -> None:
    """Draw what was done to the rows, and what should be known of them."""
    if notes:
        lines = [f"- {as_label(note, longest=600)}" for note in notes[:_NOTES]]
        lines += [f"- and {len(notes) - _NOTES} more"] if len(notes) > _NOTES else []
        st.info("\n".join(lines) if len(lines) > 1 else lines[0][2:], icon=":material/info:")


def _show_faults(told: Mapping[str, Any], asked: Sequence[str]) -> None:
    """Draw what stands in the way; a question that is asked above needs no second sentence."""
    faults = [fault for fault in importing.faults_of(told) if fault.row is not None or fault.column not in asked]
    if asked:
        st.warning("This can be saved once the question above is answered.", icon=":material/help:")
    if not faults:
        return
    n_faulty = told["n_faulty_rows"]
    rows = f"{count(n_faulty)} of {count(told['n_rows'])} rows {'has' if n_faulty == 1 else 'have'} a fault."
    part = "" if told["whole"] else " These are the first rows; all of them are read when you save."
    blocking = any(fault.row is None for fault in faults)
    st.warning(("The columns do not fit." if blocking else rows) + part, icon=":material/rule:")
    listed = pd.DataFrame([{"row": each.row, "column": each.column, "fault": each.message} for each in faults])
    st.dataframe(
        listed.drop(columns="row") if blocking else listed,
        hide_index=True,
        height="content" if len(listed) <= _SHOWN else 220,
        column_config={"fault": st.column_config.TextColumn(width="large")},
        alt=f"{len(listed)} faults with their rows",
    )


def _preview(source: ImportSource, token: str, options: ImportOptions, table: importing.Table) -> None:
    """Draw the first rows as they will be saved, and as they stand in the file."""
    checked = _drafted(source, token, options.model_dump_json(exclude_defaults=True))
    if checked.frame.empty:
        preview(table)
        return
    saved, found = st.tabs(["As they will be saved", "As they stand in the file"])
    with saved:
        st.dataframe(
            checked.frame.head(_SHOWN).dropna(axis=1, how="all"),
            hide_index=True,
            column_config={role: st.column_config.TextColumn(width=_TEXT_WIDTH) for role in importing.TEXT_ROLES},
            alt="The first rows to be saved",
        )
    with found:
        preview(table)


def _save(source: ImportSource, token: str, options: ImportOptions, told: Mapping[str, Any]) -> None:
    """Draw name, choices and the button; save at once, or start the job that reads all of a large source."""
    faults = importing.faults_of(told)
    blocked = any(fault.row is None for fault in faults)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input(
            "Name", value=importing.dataset_name(source.name), key=key("data", f"name.{token}"), width=280
        )
        drop = told["n_faulty_rows"] > 0 and st.toggle(
            _drop_words(told["n_faulty_rows"]) if told["whole"] else "Drop rows with a fault",
            key=key("data", f"drop.{token}"),
            disabled=blocked,
        )
        new = st.toggle("New version of a taken name", key=key("data", f"new_version.{token}"))
        ready = not blocked and (drop or not faults or not told["whole"])
        pressed = st.button("Save", type="primary", disabled=not ready, key=key("data", "save"))
    final = options.with_changes(drop_faulty=drop)
    if source.large:
        _save_by_job(source, token, final, name, new=new, pressed=pressed)
    elif pressed:
        _save_at_once(source, token, final, name, new=new)


def _save_at_once(source: ImportSource, token: str, options: ImportOptions, name: str, *, new: bool) -> None:
    with shown_as_message("This was not saved; the workspace is as it was."):
        checked = _drafted(source, token, options.model_dump_json(exclude_defaults=True))
        since = time.time()
        saved = importing.save_draft(current_workspace(), name, checked, source=source, new_version=new)
    _announce(saved.ref, saved.n_rows, saved.kind, existed=importing.was_there(saved, since))


def _save_by_job(
    source: ImportSource, token: str, options: ImportOptions, name: str, *, new: bool, pressed: bool
) -> None:
    """Start the job that imports a large source, and follow it; its end is seen at the next run of the page."""
    if pressed:
        with shown_as_message("This was not saved; the workspace is as it was."):
            request = importing.import_request(current_workspace(), source, options, name, new_version=new)
            job_id = launch_once(request, key=key("data", f"import_job.{token}"))
        st.session_state[_STARTED] = {"job": job_id, "token": token, "options": _without_drop(options)}
        st.rerun()
    started = _job_of(token, options)
    if started is not None:
        with shown_as_message():
            job_panel(started, key=key("data", f"import_panel.{token}"))


def _announce_finished_job() -> None:
    """Tell of a job of this session that has saved its dataset, and begin anew."""
    started = st.session_state.get(_STARTED)
    if started is None:
        return
    with shown_as_message(stop=False):
        job = running.read_job(current_workspace(), started["job"])
        told = running.result_of(current_workspace(), job.id) if job.state == "done" else None
        if told is not None and told["dataset"] is not None:
            del st.session_state[_STARTED]
            _announce(told["dataset"], told["n_saved"], told["kind"], existed=told["existed"])
        return
    del st.session_state[_STARTED]  # its folder is gone


def _drop_words(n_rows: int) -> str:
    return "Drop this row" if n_rows == 1 else f"Drop these {count(n_rows)} rows"


def _announce(ref: str, n_rows: int, kind: str, *, existed: bool) -> None:
    words = f"{ref} holds exactly this already" if existed else f"Saved {ref}"
    st.toast(f"{words}: {count(n_rows)} {kind}.", icon=":material/check_circle:")
    st.session_state[DATASET_NEXT] = ref.partition("@")[0]
    begin_anew()
    st.rerun()


def _job_of(token: str, options: ImportOptions) -> str | None:
    """Return the job that this session started for a source under these options, whether or not rows are dropped."""
    started = st.session_state.get(_STARTED)
    if started is None or (started["token"], started["options"]) != (token, _without_drop(options)):
        return None
    return str(started["job"])


def _without_drop(options: ImportOptions) -> str:
    return options.with_changes(drop_faulty=False).model_dump_json(exclude_defaults=True)


@st.cache_data(max_entries=6, show_spinner="Checking the rows")
def _drafted(source: ImportSource, token: str, options: str) -> Draft:
    """Check the head of a source under options once; `token` changes with its content."""
    chosen = ImportOptions.from_text(options)
    return importing.draft(head_of(source, token, chosen.reading.model_dump_json()), chosen)


@st.cache_data(max_entries=6, show_spinner=False)
def _language_notes(source: ImportSource, token: str, options: str) -> list[str]:
    """Return a sentence where the texts are in languages that the default encoder does not speak."""
    checked = _drafted(source, token, options)
    return [found["message"] for found in importing.languages_found(current_workspace(), checked)]
