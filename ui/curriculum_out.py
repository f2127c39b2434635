"""What becomes of a finished pair set: rows as a loss takes them, the recipe that makes it again, and its training."""

from __future__ import annotations

from typing import get_args

import streamlit as st

from simtune_core.curriculum.formats import FormatConfig, Formatted, OutputFormat
from simtune_core.datasets import canonical_ref
from simtune_core.workflows.data import set_refs
from simtune_core.workflows.formats import lay_out, losses_of, settings_of
from simtune_core.workflows.preparing import DOWNLOAD_BYTES
from simtune_core.workflows.recipes import recipe_text
from simtune_core.workspace import Workspace, open_workspace
from ui.errors import shown_as_message
from ui.exporting import export_panel
from ui.keys import key
from ui.menu import button_to
from ui.session import current_workspace
from ui.text import as_label, count
from ui.widgets import field_for

_ROWS = 5
_WIDTH, _NARROWEST = 720, 140  # pixels of all texts of a row together, and of one
_SCOPE = "curriculum"
_TITLES: dict[OutputFormat, str] = {
    "pairs": "Labelled pairs", "positives": "Positives", "scored": "Scored pairs", "triplets": "Triplets",
    "tuples": "Tuples",
}  # fmt: skip

_LABELS = {"num_negatives": "Negatives of a positive", "score": "Score"}


@st.fragment
def out_panel(ref: str) -> None:
    """Draw the way out of a pair set: into files for a loss, into a recipe, into a training.

    Args:
        ref: The pair set or one of its splits, as chosen in a list.
    """
    workspace = current_workspace()
    with shown_as_message("This pair set cannot be read.", stop=False):
        exact = canonical_ref(workspace, ref, "pairs")
        _formats(workspace, exact)
        _recipe(workspace, exact)
        _training(workspace, ref, exact)


def _formats(workspace: Workspace, ref: str) -> None:
    st.subheader("As a loss takes them")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="large"):
        output_format = st.segmented_control(
            "Rows", get_args(OutputFormat), default="pairs", required=True, format_func=lambda name: _TITLES[name],
            key=key("curriculum", "out_format"), persist_state="session",
        )  # fmt: skip
        chosen = {
            name: field_for(FormatConfig, name, label=_LABELS[name], scope=_SCOPE)
            for name in settings_of(output_format)
        }
    st.caption(f"For {', '.join(losses_of(output_format))}, and MatryoshkaLoss over each.")
    with shown_as_message("These rows cannot be made of this set.", stop=False):
        config = FormatConfig(output_format=output_format, **chosen)
        made = _laid_out(str(workspace.root), ref, config.model_dump_json())
        _preview(made)
        large = int(made.frame.memory_usage(deep=True).sum()) > DOWNLOAD_BYTES
        export_panel(workspace, ref, config, large=large, owner="curriculum")


@st.cache_resource(max_entries=4, show_spinner="Laying the rows out")
def _laid_out(root: str, ref: str, config: str) -> Formatted:
    """Lay a version out once for each workspace and settings; versions never change."""
    return lay_out(open_workspace(root), ref, FormatConfig.from_text(config))


def _preview(made: Formatted) -> None:
    title = f"**{count(made.n_rows)} rows** of {count(made.n_pairs)} pairs, {count(made.n_positives)} of them similar"
    st.markdown(f"{title}; the first {min(_ROWS, made.n_rows)}:")
    head = made.frame.head(_ROWS).dropna(axis=1, how="all")
    width = max(_NARROWEST, _WIDTH // len(made.texts))
    st.dataframe(
        head, hide_index=True, height="content", alt=f"The first {len(head)} rows as a loss takes them",
        column_config={name: st.column_config.TextColumn(width=width) for name in made.texts},
    )  # fmt: skip
    for note in made.notes:
        st.markdown(as_label(note, longest=400))
    if made.left_out:
        st.markdown("Left out:\n" + "\n".join(f"- **{count(left.n)}** · {left.words}" for left in made.left_out))


def _recipe(workspace: Workspace, ref: str) -> None:
    st.subheader("The recipe")
    with shown_as_message("This set cannot be made again from a recipe.", stop=False):
        text = _recipe_text(str(workspace.root), ref)
        name = ref.partition("@")[0]
        st.markdown("Every step from the imported data to this set; the same seed gives the same bytes.")
        st.download_button(
            "Recipe (YAML)", text, file_name=f"{name}-recipe.yaml", mime="application/yaml",
            key=key("curriculum", "out_recipe"), on_click="ignore", icon=":material/download:",
        )  # fmt: skip
        box = st.expander(
            "Read it", icon=":material/receipt_long:", key=key("curriculum", "out_read"), on_change="rerun"
        )
        if box.open:
            box.code(text, language="yaml", height=420)


@st.cache_data(max_entries=16, show_spinner=False)
def _recipe_text(root: str, ref: str) -> str:
    """Read a recipe once for each workspace and version; neither changes."""
    return recipe_text(open_workspace(root), ref)


def _training(workspace: Workspace, ref: str, exact: str) -> None:
    st.subheader("Train on it")
    if ref not in set_refs(workspace):
        st.markdown("A training takes the newest version of a set; this is an older one.")
        return
    st.markdown(f"The form on the page Training begins with {as_label(ref)} ({as_label(exact)}) as training pairs.")
    button_to(
        "training", "Use in training", key=key("curriculum", "out_train"), holds={"training.train": ref},
        icon=":material/arrow_forward:",
    )  # fmt: skip
