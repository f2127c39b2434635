"""Augmentation on screen: settings, one pair and its children, how many to expect, and how the set drifted."""

from __future__ import annotations

from typing import Any

import streamlit as st

from simtune_core.datasets import canonical_ref
from simtune_core.encoders.config import EncodingConfig
from simtune_core.errors import ConfigError
from simtune_core.figures.drift import drift_histogram
from simtune_core.pairs import text_id
from simtune_core.workflows.augmenting import (
    OPERATIONS,
    AugmentConfig,
    Expected,
    augment_request,
    common_bins,
    drift_from_json,
    drift_rows,
    expect,
    loss_rows,
    phases_of,
    space_behind,
)
from simtune_core.workflows.hardness import space_of
from simtune_core.workspace import Workspace, open_workspace
from ui.ask import Answer, answer_to, show_findings
from ui.errors import shown_as_message
from ui.keys import CURRICULUM_NEXT, config_key, key
from ui.live_chart import plotly_live
from ui.marked_texts import changed_texts
from ui.session import current_workspace
from ui.spaces import pick_encoder
from ui.text import as_label, count
from ui.widgets import field_for

_SCOPE = "augment"
_PLACE = key("curriculum", "augment_pair")


@st.fragment
def augment_panel(ref: str) -> None:
    """Draw the settings, an example, what to expect, the button, and the drift of what was made.

    Args:
        ref: The pair set that gets children.
    """
    workspace = current_workspace()
    st.header("Augment")
    st.caption(
        "Changed copies of pairs, each linked to its parent and kept in its split and phase. More pairs are no harder "
        "pairs: the drift report says what became of labels, phases and difficulty."
    )
    config = None
    with shown_as_message("These settings contradict each other.", stop=False):
        config = _settings(phases_of(workspace, ref))
    if config is None:
        return
    with shown_as_message("No pair of this set can get children.", stop=False):
        place = st.session_state.get(_PLACE, 0)
        expected = _expected(str(workspace.root), canonical_ref(workspace, ref), config.model_dump_json(), place)
        _example(expected, config)
        _ask(workspace, ref, config, expected)


def _settings(phases: tuple[str, ...]) -> AugmentConfig:
    """Draw the settings and return them checked."""
    chosen: dict[str, Any] = {}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        operations = st.pills(
            "Operations", OPERATIONS, selection_mode="multi", default=_default("operations"),
            format_func=str.capitalize, help=AugmentConfig.model_fields["operations"].description,
            key=config_key(AugmentConfig, "operations", _SCOPE), persist_state="session",
        )  # fmt: skip
        chosen["labels"] = field_for(AugmentConfig, "labels", label="Pairs", scope=_SCOPE)
        chosen["sides"] = field_for(AugmentConfig, "sides", label="Texts", scope=_SCOPE)
    if not operations:
        raise ConfigError("At least one operation must be chosen; choose one above.")
    chosen["operations"] = tuple(operation for operation in OPERATIONS if operation in operations)
    with st.grid(3, min_column_width=220):
        chosen["n_children"] = field_for(AugmentConfig, "n_children", label="Children of each pair", scope=_SCOPE)
        chosen["share"] = field_for(AugmentConfig, "share", label="Share of the pairs", scope=_SCOPE)
        chosen["phases"] = tuple(_phases(phases))
    with st.container(horizontal=True, vertical_alignment="center"):
        if chosen["labels"] == "all" and not chosen["phases"]:
            label = "Keep the shares of labels and phases"
            chosen["keep_shares"] = field_for(AugmentConfig, "keep_shares", label=label, scope=_SCOPE)
        else:
            chosen["keep_shares"] = False
            st.caption("Shares will drift: only some labels or phases get children.")
        with st.popover("Rates and more", icon=":material/tune:"):
            for name in (*(f"{operation}_rate" for operation in chosen["operations"]), "splits", "seed"):
                chosen[name] = field_for(AugmentConfig, name, scope=_SCOPE)
            if "swap" in operations:
                chosen["swap_neighbours"] = field_for(AugmentConfig, "swap_neighbours", scope=_SCOPE)
    return AugmentConfig(**chosen)


def _phases(phases: tuple[str, ...]) -> list[str]:
    """Draw the choice of phases where there are several; one that vanished is forgotten."""
    held = config_key(AugmentConfig, "phases", _SCOPE)
    if any(name not in phases for name in st.session_state.get(held, ())):
        del st.session_state[held]
    if len(phases) < 2:
        return []
    description = AugmentConfig.model_fields["phases"].description
    return st.multiselect("Phases", phases, placeholder="all", help=description, key=held, persist_state="session")


@st.cache_data(max_entries=64, show_spinner=False)
def _expected(root: str, ref: str, config: str, place: int) -> Expected:
    """Look at a version once for each settings; versions never change."""
    return expect(open_workspace(root), ref, AugmentConfig.from_text(config), place=place)


def _example(expected: Expected, config: AugmentConfig) -> None:
    """Draw one pair beside one of its children, as text, and the buttons for another pair and another seed."""
    parent, *children = expected.example
    with st.container(horizontal=True, vertical_alignment="bottom"):
        number = st.segmented_control(
            "Example: child", range(len(children)), default=0, required=True,
            format_func=lambda place: f"{place + 1} {children[place].change}",
            key=key("curriculum", f"augment_child.{len(children)}"), persist_state="session",
        )  # fmt: skip
        st.button("Another pair", icon=":material/skip_next:", key=key("curriculum", "augment_next"), on_click=_next)
        st.button("Roll again", icon=":material/casino:", key=key("curriculum", "augment_roll"), on_click=_roll)
    child = children[number or 0]
    for side in ("sentence1", "sentence2"):
        changed_texts(
            (f"{side} of the pair", f"{side} of the child"),
            (getattr(parent, side), getattr(child, side)),
            key=key("curriculum", f"augment_example.{side}"),
        )
    unmade = "" if child.made else " This child is not made: it would equal its pair, or its two texts each other."
    st.caption(f"Seed {config.seed}: this is what the set gets; roll again for another seed.{unmade}")


def _next() -> None:
    st.session_state[_PLACE] = st.session_state.get(_PLACE, 0) + 1


def _roll() -> None:
    """Take the next seed, so that what is shown stays what will be made."""
    held = config_key(AugmentConfig, "seed", _SCOPE)
    st.session_state[held] = int(st.session_state.get(held, _default("seed"))) + 1


def _ask(workspace: Workspace, ref: str, config: AugmentConfig, expected: Expected) -> None:
    total = expected.n_pairs + expected.n_children
    st.markdown(
        f"**{count(expected.n_pairs)} pairs → at most {count(total)}**: {count(expected.n_parents)} get up to "
        f"{config.n_children} children each."
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input(
            "Name of the new set", value=f"{ref.partition('@')[0].partition(':')[0]}_augmented", width=260,
            key=key("curriculum", f"augment_name.{text_id(ref)}"), persist_state="session",
        )  # fmt: skip
        again = st.toggle(
            "New version of it", key=key("curriculum", "augment_version"), persist_state="session",
            help="If there is a set of this name, save the next version of it.",
        )  # fmt: skip
        space = pick_encoder(workspace, key=key("curriculum", "augment_space"), default=space_behind(workspace, ref))
        names = [space]
        if st.toggle("Measure a baseline too", key=key("curriculum", "augment_two"), persist_state="session"):
            names.append(pick_encoder(workspace, key=key("curriculum", "augment_baseline"), label="Baseline"))
    request = None
    with shown_as_message("Nothing was made.", stop=False):
        encodings = [EncodingConfig(encoder=each) for each in names]
        request = augment_request(workspace, ref, config, name=name, encodings=encodings, new_version=again)
    if request is None:
        return
    answer = answer_to(
        request,
        key=key("curriculum", "augment"),
        button="Augment",
        why="Parents and children are saved together as a new set; this one stays as it is.",
    )
    if answer:
        _made(answer)


def _made(answer: Answer) -> None:
    """Draw what was made, how the set drifted, and what to do with it."""
    result = answer.result
    drift = drift_from_json(result["drift"])
    st.subheader(
        f"{as_label(result['dataset'])}: {count(result['n_pairs'])} pairs, {count(result['n_children'])} of them new"
    )
    show_findings(result["findings"])
    if not result["findings"]:
        st.success("No drift of labels, phases, separability or bands worth a word.", icon=":material/check_circle:")
    table, chart = st.columns([5, 6], gap="medium")
    with table:
        st.caption(
            f"Drift in the {as_label(space_of(result))}, one fit on parents and children; bands: {result['bands']}."
        )
        st.dataframe(
            drift_rows(result), hide_index=True, height="content",
            alt=f"Drift of {result['dataset']}: each measure before, of the children alone, after, and its change",
        )  # fmt: skip
    with chart:
        before, children = common_bins([drift.before.side, drift.children.side])
        plotly_live(
            drift_histogram(before, children, space=space_of(result)),
            key=key("curriculum", f"augment_drift.{answer.job.id}"),
            alt="Similarity of the children of each label, as shares, beside the outline of the pairs before",
        )
    with (
        st.container(horizontal=True, vertical_alignment="center"),
        st.popover("What was made", icon=":material/list:"),
    ):
        st.dataframe(loss_rows(result), hide_index=True, alt="Children made and not made, by operation and reason")
    if st.button("Go on with the new set", icon=":material/arrow_forward:", key=key("curriculum", "augment_go")):
        st.session_state[CURRICULUM_NEXT] = result["dataset"].partition("@")[0]
        st.rerun()  # the whole page: the set is picked above this panel


def _default(name: str) -> Any:
    return AugmentConfig.model_fields[name].default
