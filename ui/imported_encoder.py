"""The form that takes vectors of texts, or scores of pairs, computed elsewhere as an encoder of the workspace."""

from __future__ import annotations

from typing import Any

import streamlit as st

from simtune_core.encoders.imported import list_imported
from simtune_core.workflows import data, preparing, running
from simtune_core.workflows.preparing import ImportSource
from ui.ask import launch_once, show_findings
from ui.errors import shown_as_message
from ui.jobs import job_panel
from ui.keys import key
from ui.menu import link_to
from ui.session import current_workspace
from ui.text import as_label
from ui.widgets import pick_one

_STARTED = key("data", "encoder_started")  # the job that takes an upload in, and the upload's id
_STORED = key("data", "encoder_stored")
_KINDS = {"vectors": "Vectors of texts", "scores": "Scores of pairs"}
_NAMED = {"text": "the texts", "id": "record ids"}


def imported_encoder_form() -> None:
    """Draw the form; a job takes the file in, and the encoder is then offered wherever encoders are."""
    st.markdown(
        "A model that is not here, such as one behind an API: bring its vectors or its scores, and compare it on every "
        "page that scores pairs. It needs no device and knows only the texts it came with."
    )
    _there()
    upload = st.file_uploader(
        "Vectors as Parquet, .npz or .safetensors; scores as any table of pairs",
        type=[ending[1:] for ending in preparing.ENCODER_FILES],
        key=key("data", "encoder_upload"),
    )
    if upload is None:
        return
    started = st.session_state.get(_STARTED)
    if started and started["upload"] == upload.file_id:
        _follow(started["job"])
        return
    source = _stored(upload)
    kinds: dict[str, dict[str, list[str]]] = {}
    with shown_as_message("This file cannot be read.", stop=False):
        kinds = _columns(source, str(source.path))
    if not kinds:
        return
    kind = st.segmented_control(
        "It holds",
        list(_KINDS),
        default=next(iter(kinds)),
        required=True,
        format_func=lambda name: _KINDS[name],
        key=key("data", f"encoder_kind.{upload.file_id}"),
    )
    if kind not in kinds:
        st.warning(as_label(f"{source.name} has no column of {_KINDS[kind].lower()}."), icon=":material/rule:")
        return
    choose = _choose_vectors if kind == "vectors" else _choose_scores
    columns, dataset = choose(kinds[kind], upload.file_id)
    _save(source, columns, dataset, upload.file_id)


def _there() -> None:
    """Draw the encoders that were brought in before, and what each covers."""
    held = list_imported(current_workspace())
    if not held:
        return
    rows = [
        {
            "encoder": each.model_id,
            "holds": _KINDS[each.kind].lower(),
            "covers": each.n,
            "numbers each": each.dim,
            "scale": each.scale,
            "from": each.source,
        }
        for each in held
    ]
    st.dataframe(
        rows,
        hide_index=True,
        height="content",
        column_config={name: st.column_config.NumberColumn(format="localized") for name in ("covers", "numbers each")},
        alt=f"{len(rows)} encoders that were computed elsewhere: {', '.join(each.model_id for each in held)}",
    )


def _choose_vectors(names: dict[str, list[str]], token: str) -> tuple[dict[str, str], str | None]:
    """Draw which column holds the vectors and which names them."""
    keyed = names["vectors"] == names["names"]
    columns: dict[str, str] = {}
    with st.grid(3, min_column_width=200):
        if not keyed:
            columns["vectors"] = st.selectbox("Vectors", names["vectors"], key=key("data", f"encoder_vectors.{token}"))
            named = st.selectbox("Named by", names["names"], key=key("data", f"encoder_names.{token}"))
        told = st.segmented_control(
            "Which are",
            list(_NAMED),
            default="text",
            required=True,
            format_func=lambda name: _NAMED[name],
            key=key("data", f"encoder_named.{token}"),
        )
        refs = [*data.set_refs(current_workspace(), "records"), *data.set_refs(current_workspace())]
        dataset = None
        if told == "id":
            dataset = pick_one("Of the dataset", refs, key=key("data", "encoder_set"))
    if not keyed:
        columns[told] = named
    return columns, dataset


def _choose_scores(names: dict[str, list[str]], token: str) -> tuple[dict[str, str], None]:
    """Draw which columns hold the scores and the two texts."""
    columns = {}
    with st.grid(3, min_column_width=200):
        for role, label in (("sentence1", "First text"), ("sentence2", "Second text"), ("scores", "Scores")):
            columns[role] = st.selectbox(label, names[role], key=key("data", f"encoder_{role}.{token}"))
    return columns, None


def _save(source: ImportSource, columns: dict[str, str], dataset: str | None, token: str) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input("Name of the encoder", key=key("data", f"encoder_name.{token}"), width=280)
        pressed = st.button(
            "Take it in",
            type="primary",
            disabled=not name.strip(),
            key=key("data", "encoder_save"),
            icon=":material/add:",
        )
    if pressed:
        with shown_as_message("This was not taken in; the workspace is as it was."):
            request = preparing.import_encoder_request(
                current_workspace(), source, name.strip(), columns=columns, dataset=dataset
            )
            job_id = launch_once(request, key=key("data", "encoder_launch"))
        st.session_state[_STARTED] = {"job": job_id, "upload": token}
        st.rerun()


def _follow(job_id: str) -> None:
    """Draw the job, then what came of it."""
    with shown_as_message():
        job = running.read_job(current_workspace(), job_id)
        if job.state != "done":
            job_panel(job_id, key=key("data", "encoder_panel"))
            if job.finished and st.button("Choose again", key=key("data", "encoder_again"), icon=":material/undo:"):
                del st.session_state[_STARTED]
                st.rerun()
            return
        result = running.result_of(current_workspace(), job_id)
    st.success(as_label(preparing.encoder_line(result), longest=400), icon=":material/check_circle:")
    show_findings(result["findings"])
    link_to("difficulty", "Measure pairs with it")


def _stored(upload: Any) -> ImportSource:
    """Keep an upload where a job can read it, once."""
    held = st.session_state.get(_STORED)
    if held and held["upload"] == upload.file_id and held["source"].path.exists():
        source: ImportSource = held["source"]
        return source
    with shown_as_message("This upload cannot be kept."), st.spinner("Taking the file in"):
        source = preparing.stored_upload(current_workspace(), upload.getvalue(), upload.name)
    st.session_state[_STORED] = {"upload": upload.file_id, "source": source}
    return source


@st.cache_data(max_entries=8, show_spinner="Looking at the file")
def _columns(source: ImportSource, path: str) -> dict[str, dict[str, list[str]]]:
    """Return the columns that could play each role, by kind; a stored upload never changes, its name is its hash."""
    return preparing.encoder_columns(source)
