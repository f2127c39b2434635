"""The settings of a workspace on screen: each value with its source, an editor within its bounds, and a way back.

Values, bounds and help texts stand in `simtune_core.preferences`; here they are only drawn. Runs and tests nothing.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import streamlit as st

from simtune_core import __version__
from simtune_core.encoders.catalogue import list_encoders
from simtune_core.errors import SimtuneError
from simtune_core.jobs.devices import slots_of
from simtune_core.jobs.notifying import try_webhook
from simtune_core.preferences import FILE, Preference, Preferences, change_preferences, list_preferences
from simtune_core.settings import bounds
from simtune_core.workspace import VARIABLE, Workspace
from ui.errors import shown_as_message
from ui.keeping import cache_panel, sizes_table
from ui.keys import key
from ui.text import as_label

_SPACE = "Space"
_GROUPS = {
    "Work": ("default_encoder", "device_slots", "grace_seconds"),
    "Gates": ("gate_spearman", "gate_roc_auc", "gate_fpr"),
    _SPACE: ("cache_limit_gb",),
    "Notification": ("notify_webhook", "notify_command"),
}
_LABELS = {
    "device_slots": "Device slots",
    "grace_seconds": "Grace time of a stop (seconds)",
    "default_encoder": "Default encoder",
    "gate_spearman": "Spearman at least",
    "gate_roc_auc": "ROC-AUC at least",
    "gate_fpr": "False-positive rate below",
    "cache_limit_gb": "Cache limit (GB)",
    "notify_webhook": "Webhook",
    "notify_command": "Command",
}
_LIBRARIES = (
    "streamlit", "torch", "sentence-transformers", "transformers", "peft", "duckdb", "plotly", "scikit-learn", "numpy",
)  # fmt: skip
_FAULT = key("settings", "fault")  # name of the setting whose change was refused last, and why
_SIZES = key("settings", "sizes")
_FINE, _COARSE = 0.01, 1.0


def where_it_lies(workspace: Workspace) -> None:
    """Draw the workspace's folder and how another one is chosen."""
    st.text(f"Workspace  {workspace.root}")
    st.caption(f"Another one is chosen with {VARIABLE} when the server starts.")


def settings_form(workspace: Workspace) -> None:
    """Draw every setting in its group; a change is written to the workspace's file at once.

    A file or an environment variable that holds a wrong value is told in a sentence, with what to do.
    """
    held: dict[str, Preference] = {}
    with shown_as_message("The settings of this workspace cannot be used.", stop=False):
        held = {each.name: each for each in list_preferences(workspace)}
    if not held:
        st.markdown(
            f"Correct data/{FILE}, or delete it: then every value is its default. The environment wins over it."
        )
        return
    rest = tuple(name for name in held if not any(name in names for names in _GROUPS.values()))
    for title, names in {**_GROUPS, "Other": rest}.items():
        if names:
            st.header(title)
            with st.grid(3, min_column_width=260):
                for name in names:
                    _draw(workspace, held[name])
        if title == _SPACE:
            _room(workspace)


def versions_table() -> None:
    """Draw the versions of what this server runs on; nothing of it is imported for that."""
    with st.expander("Versions", icon=":material/info:"):
        found = {"simtune": __version__, "Python": platform.python_version(), **{n: version(n) for n in _LIBRARIES}}
        st.table(found, border="horizontal", width="content")


def _draw(workspace: Workspace, preference: Preference) -> None:
    name = preference.name
    with st.container(border=True, gap="xsmall", height="stretch"):
        _editor(workspace, preference)
        st.caption(_source(preference))
        fault: Mapping[str, str] = st.session_state.get(_FAULT, {})
        if name in fault:
            st.error("Not saved.", icon=":material/error:")
            st.code(fault[name], language=None, wrap_lines=True)
        if name == "device_slots":
            _slots(workspace)
        if name == "notify_webhook" and preference.value:
            _test_button(preference.value)
        if preference.source == "file" and preference.editable:
            st.button(
                "Back to the default",
                key=key("settings", f"reset.{name}"),
                type="tertiary",
                icon=":material/undo:",
                on_click=_change,
                args=(workspace, name, None),
            )


def _editor(workspace: Workspace, preference: Preference) -> None:
    name, where = preference.name, key("settings", preference.name)
    if name not in st.session_state.get(_FAULT, {}):
        st.session_state[where] = preference.value  # also what another tab, a command or a hand has changed meanwhile
    common: dict[str, Any] = {
        "label": _LABELS.get(name, name.replace("_", " ").capitalize()),
        "key": where,
        "help": preference.description,
        "disabled": not preference.editable,
        "on_change": _take,
        "args": (workspace, preference),
    }
    kind = Preferences.model_fields[name].annotation
    if name == "default_encoder":
        options = list(dict.fromkeys([*list_encoders(workspace), preference.value]))
        st.selectbox(options=options, accept_new_options=True, **common)
    elif kind is str:
        st.text_input(placeholder="none", **common)
    else:
        whole = kind is not float
        low, high = (int(bound) if whole else float(bound) for bound in bounds(Preferences, name))
        step = 1 if whole else (_FINE if high - low <= 2 else _COARSE)
        shape = "%d" if whole else "%.4g"
        st.number_input(min_value=low, max_value=high, step=step, format=shape, placeholder="automatic", **common)


def _room(workspace: Workspace) -> None:
    """Draw what the cache holds, and on demand what takes how much room."""
    cache_panel(workspace)
    sizes = st.expander("What takes how much room", icon=":material/hard_drive:", key=_SIZES, on_change="rerun")
    if sizes.open:
        with sizes:
            sizes_table(workspace)


def _slots(workspace: Workspace) -> None:
    found = slots_of(workspace)
    st.caption(as_label(f"Here now: {', '.join(slot.name for slot in found)}", longest=400))


def _test_button(address: str) -> None:
    """Draw the button that sends a made-up end of a job to the address, and what came of it as plain text."""
    if st.button("Send a test", key=key("settings", "test"), icon=":material/send:"):
        with st.spinner("Waiting for the address to answer"):
            st.text(f"A test was sent: {try_webhook(address)}.")


def _source(preference: Preference) -> str:
    """Word where a value comes from; the name of a variable and a default are our own words."""
    default = as_label(str(preference.default)) if preference.default not in (None, "") else "none"
    if preference.source == "environment":
        return f"From the environment: {as_label(preference.variable)}. It can be changed only there."
    if preference.source == "file":
        return f"Set in data/{FILE}. Default: {default}"
    if not preference.editable:
        return f"Runs a program, so no page sets it: write it into data/{FILE}, or set {as_label(preference.variable)}."
    return "Default"


def _take(workspace: Workspace, preference: Preference) -> None:
    """Take over what was entered; the default, or an emptied box, is no setting of the file's own."""
    value = st.session_state[key("settings", preference.name)]
    _change(workspace, preference.name, None if value == preference.default else value)


def _change(workspace: Workspace, name: str, value: Any) -> None:
    """Write one setting; a refusal is kept until the next change, with what was typed."""
    st.session_state.pop(_FAULT, None)
    try:
        change_preferences(workspace, {name: value})
        st.toast("Saved", icon=":material/check:")
    except SimtuneError as error:
        st.session_state[_FAULT] = {name: str(error)}
