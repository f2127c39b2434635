"""The draft of edits on screen: how many there are, what they will make, and saving them as another version."""

from __future__ import annotations

import streamlit as st

from simtune_core.datasets import find_dataset
from simtune_core.workflows.quality import Draft, end_draft, foretold, save_edits
from simtune_core.workspace import Workspace
from ui.ask import launch_once
from ui.errors import shown_as_message
from ui.jobs import job_panel
from ui.keys import CURRICULUM_NEXT, key
from ui.text import as_label, count

_JOB = key("curriculum", "edit_job")
_SAVED = key("curriculum", "edit_saved")


def save_row(workspace: Workspace, ref: str, draft: Draft) -> None:
    """Draw how many edits wait, the form that saves them and the way to throw them away; what was saved last.

    Args:
        workspace: Where the set lies.
        ref: The set or split that is edited; edits belong to the whole version.
        draft: Its unsaved edits.
    """
    saved = st.session_state.get(_SAVED)
    if saved and ref.partition(":")[0] in saved.values():
        st.success(f"Saved as {as_label(saved['ref'])}.", icon=":material/check_circle:")
    if _JOB in st.session_state:
        job_panel(st.session_state[_JOB], key=f"{_JOB}.panel")
    if not draft.presses:
        st.caption("Nothing is removed or relabelled yet. What you decide is kept until you save it or throw it away.")
        return
    n_dropped = sum(edit.action == "drop" for edit in draft.edits)
    n_relabelled, kept = len(draft.edits) - n_dropped, len(draft.decided) - len(draft.edits)
    with st.container(horizontal=True, vertical_alignment="center"):
        parts = [f"{count(n)} {word}" for n, word in ((n_dropped, "removed"), (n_relabelled, "relabelled")) if n]
        parts += [f"{count(kept)} looked at and kept"] if kept else []
        st.markdown(f"**{_n(len(draft.edits), 'edit')} to save**: {', '.join(parts)}", width="content")
        popover = st.popover(
            "Save as new version", icon=":material/save:", disabled=not draft.edits, type="primary",
            key=key("curriculum", "edit_form"), on_change="rerun",
        )  # fmt: skip
        if popover.open:
            with popover:
                _form(workspace, ref, draft)
        _throw_away(workspace, ref, draft)


def _n(number: int, thing: str) -> str:
    return f"{count(number)} {thing}{'' if number == 1 else 's'}"


def _form(workspace: Workspace, ref: str, draft: Draft) -> None:
    version, _ = find_dataset(workspace, ref, kind="pairs")
    told = foretold(workspace, ref, draft)
    if told.fault:
        st.error("These edits cannot be saved.", icon=":material/error:")
        st.code(told.fault, language=None, wrap_lines=True)
        return
    st.markdown(f"{told.sentence} {_n(told.n_pairs, 'pair')} stay{'s' if told.n_pairs == 1 else ''}.")
    name = st.text_input("Name of the pair set", value=version.name, key=key("curriculum", f"edit_name.{version.name}"))
    own = name == version.name
    st.caption("Saved as its next version; nothing is overwritten." if own else "Saved as a pair set of its own.")
    if st.button("Save", type="primary", key=key("curriculum", "edit_save"), icon=":material/save:"):
        with shown_as_message("The edits were not saved.", stop=False):
            _save(workspace, ref, name, new_version=own)


def _save(workspace: Workspace, ref: str, name: str, *, new_version: bool) -> None:
    saved = save_edits(workspace, ref, name=name, new_version=new_version)
    if isinstance(saved, str):
        version, colon, split = ref.partition(":")
        st.session_state[_SAVED] = {"of": version, "ref": saved}
        st.session_state[CURRICULUM_NEXT] = name + colon + split
    else:
        st.session_state[_JOB] = launch_once(saved, key=key("curriculum", "edit"))
    st.rerun()


def _throw_away(workspace: Workspace, ref: str, draft: Draft) -> None:
    with st.popover("Throw away", icon=":material/delete_sweep:", key=key("curriculum", "edit_discard")):
        st.markdown(f"All {count(len(draft.decided))} decisions on this version, for good?")
        st.button(
            "Throw them away", key=key("curriculum", "edit_discard_yes"), icon=":material/delete_sweep:",
            on_click=_discard, args=(workspace, ref),
        )  # fmt: skip


def _discard(workspace: Workspace, ref: str) -> None:
    with shown_as_message("They could not be thrown away.", stop=False):
        end_draft(workspace, ref, saved_as=None)
