"""Choosing encoders: those of the workspace, and any folder or hub id typed in."""

from __future__ import annotations

import streamlit as st

from simtune_core.encoders.catalogue import list_encoders, require_local
from simtune_core.workflows.models import default_encoder
from simtune_core.workspace import Workspace
from ui.errors import shown_as_message

_HELP = (
    "minilm is the bundled all-MiniLM-L6-v2, tfidf the lexical baseline, the rest were tuned here. A folder with a "
    "sentence-transformers model, or a hub id such as owner/name, can be typed in."
)


def pick_encoder(
    workspace: Workspace, *, key: str, label: str = "Space", tuned_too: bool = True, default: str | None = None
) -> str:
    """Draw the list of encoders, to which a folder or a hub id can be added by typing.

    Args:
        workspace: Whose tuned models are listed.
        key: Session-state key, also the name in the address.
        label: Text above the list.
        tuned_too: Whether tuned models and TF-IDF are offered; a training starts from neither.
        default: What is chosen at first; the workspace's default encoder unless said otherwise.
    """
    with shown_as_message():
        names = list_encoders(workspace)
    wanted = default or default_encoder(workspace)
    options = names if tuned_too else names[:1]
    if wanted not in names:
        options = [*options, wanted]  # a folder or a hub id
    elif wanted not in options:
        wanted = options[0]  # a tuned model, where only what is not tuned will do
    chosen = st.selectbox(
        label,
        options,
        index=options.index(wanted),
        key=key,
        accept_new_options=True,
        help=_HELP,
        bind="query-params",
        persist_state="session",
    )
    with shown_as_message():
        require_local(workspace, chosen or options[0])
    return chosen or options[0]


def pick_encoders(workspace: Workspace, *, key: str, label: str, default: list[str], most: int = 4) -> list[str]:
    """Draw the list of encoders to compare, in workspace order; typed-in folders and hub ids come last."""
    with shown_as_message():
        names = list_encoders(workspace)
    chosen = st.multiselect(
        label,
        names,
        default=[name for name in default if name in names][:most],
        key=key,
        max_selections=most,
        accept_new_options=True,
        help=_HELP,
        bind="query-params",
        persist_state="session",
    )
    with shown_as_message():
        for name in chosen:
            require_local(workspace, name)
    return [*(name for name in names if name in chosen), *(name for name in chosen if name not in names)]
