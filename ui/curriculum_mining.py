"""The tab Mine of the curriculum page: hard pairs by one of three methods, and what a model makes of them."""

from __future__ import annotations

from itertools import takewhile
from operator import eq
from typing import Any

import streamlit as st

from simtune_core.curriculum.mining.config import (
    AdversarialConfig,
    AnchoredConfig,
    CrossCategoryConfig,
    Method,
)
from simtune_core.encoders.config import EncodingConfig
from simtune_core.pairs import text_id
from simtune_core.settings import Settings
from simtune_core.workflows import data
from simtune_core.workflows.mining import (
    AnchoredSources,
    CountedSources,
    anchored_request,
    counted_request,
    readings_request,
    records_behind,
)
from simtune_core.workflows.models import default_encoder
from simtune_core.workflows.requests import Request
from simtune_core.workspace import Workspace
from ui.ask import answer_to, launch_once
from ui.curriculum_mined import mined_panel
from ui.curriculum_sources import counted_words, counting, kindred_test, pick_sources
from ui.empty import stop_without_data
from ui.errors import shown_as_message
from ui.keys import key
from ui.session import current_workspace
from ui.spaces import pick_encoder
from ui.widgets import field_for, number_for, pick_one, range_for, select_for

_METHODS: dict[Method, tuple[str, str]] = {
    "anchored": (
        "Near anchors",
        "Each positive of a pair set gets negatives that are near its first text but not alike, so that triplets and "
        "tuples follow.",
    ),
    "adversarial": (
        "A model's errors",
        "Pairs out of all counted ones, chosen by how a model errs on them. Most ways to do so fail: the verdict below "
        "says which did.",
    ),
    "cross_category": (
        "Across categories",
        "Positives whose two records have different categories, so that the category is no shortcut.",
    ),
}
_SCOPE = "mining"
_NOWHERE = "texts of the pair set"  # holds blanks, so no dataset has this name
_NO_TEST = "no test set"
_ALIKE = 3  # letters with which two names must begin alike


def mining_panel() -> None:
    """Draw the method, what is mined from, its settings, the button, and what was mined last by this method."""
    workspace = current_workspace()
    titles: dict[str, Method] = {title: method for method, (title, _) in _METHODS.items()}
    title = st.segmented_control(
        "Method", list(titles), default=next(iter(titles)), required=True, key=key("curriculum", "method"),
        label_visibility="collapsed", bind="query-params", persist_state="session",
    )  # fmt: skip
    method = titles[title]
    st.caption(_METHODS[method][1])
    if method == "anchored":
        _anchored(workspace)
    else:
        _counted(workspace, method)
    job_id = st.session_state.get(_job(method))
    if job_id is not None:
        mined_panel(job_id)


def _anchored(workspace: Workspace) -> None:
    stop_without_data(workspace, "pairs")
    of_pairs, of_records = data.set_refs(workspace, "pairs"), data.set_refs(workspace, "records")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        pairs = pick_one(
            "Pairs with the positives", of_pairs, key=key("curriculum", "mine_pairs"),
            default=data.usual_sets(of_pairs, "train")["train"],
            help="Its positives are kept, with their phases; its first texts are the anchors. One split at a time.",
        )  # fmt: skip
        records = pick_one(
            "Negatives out of", [*of_records, _NOWHERE], key=key("curriculum", "mine_records"),
            default=_kindred(workspace, pairs, of_records) or _NOWHERE,
            help="Records near an anchor that are not alike. Records of the test set are never taken.",
        )  # fmt: skip
        space = pick_encoder(workspace, key=key("curriculum", "mine_space"))
        test = pick_one(
            "Test set", [_NO_TEST, *of_pairs], key=key("curriculum", "mine_test"),
            default=kindred_test(pairs or "", of_pairs) or _NO_TEST,
            help="What the mined pairs are compared with. Its records and their near-duplicates are kept out.",
        )  # fmt: skip
        with st.popover("More", icon=":material/tune:"):
            baseline = pick_encoder(
                workspace, key=key("curriculum", "mine_baseline"), label="Model that they are to be hard for",
                default=default_encoder(workspace),
            )  # fmt: skip
            precision = select_for(EncodingConfig, "precision", scope=_SCOPE)
    veto, config = None, None
    with shown_as_message("These settings contradict each other.", stop=False):
        veto, values = _anchored_settings(workspace)
        config = AnchoredConfig(**values)
    if config is None or pairs is None:
        return
    sources = AnchoredSources(
        pairs=pairs,
        records=None if records in (None, _NOWHERE) else records,
        space=EncodingConfig(encoder=space, precision=precision),
        baseline=baseline,
        test=None if test in (None, _NO_TEST, pairs) else test,
        veto=veto,
    )
    settings = config
    _ask("anchored", f"{pairs.partition(':')[0]}_mined", lambda name, new: anchored_request(
        workspace, sources, settings, name, new_version=new
    ))  # fmt: skip


def _anchored_settings(workspace: Workspace) -> tuple[str | None, dict[str, Any]]:
    """Draw the settings; return the second model, if one vetoes, and the values."""
    values: dict[str, Any] = {}
    with st.grid(4, min_column_width=170):
        for name in ("num_negatives", "range_min", "range_max"):
            values[name] = number_for(AnchoredConfig, name, scope=_SCOPE)
        values["sampling_strategy"] = field_for(AnchoredConfig, "sampling_strategy", scope=_SCOPE)
        for name in ("min_score", "max_score", "absolute_margin", "relative_margin"):
            values[name] = number_for(AnchoredConfig, name, scope=_SCOPE)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        values["allowed"] = select_for(AnchoredConfig, "allowed", label="May be a negative", scope=_SCOPE)
        _seed(AnchoredConfig, values)
        veto = _veto(workspace, AnchoredConfig, values, "veto_score", "veto_margin")
    return veto, values


def _seed(config: type[Settings], values: dict[str, Any], *others: str) -> None:
    """Draw the seed, and what is as rarely changed, behind a button."""
    with st.popover("More settings", icon=":material/tune:", key=key("curriculum", f"mine_more.{config.__name__}")):
        for name in (*others, "seed"):
            values[name] = field_for(config, name, scope=_SCOPE)


def _veto(workspace: Workspace, config: Any, values: dict[str, Any], *names: str) -> str | None:
    """Draw the switch of the veto and, where it is on, its model and bounds; return the model."""
    with st.popover("Veto", icon=":material/gavel:", key=key("curriculum", f"mine_veto.{config.__name__}")):
        wanted = st.toggle(
            "A second model drops likely false negatives", key=key("curriculum", f"mine_second.{config.__name__}"),
            persist_state="session",
        )  # fmt: skip
        if not wanted:
            return None
        model = pick_encoder(
            workspace, key=key("curriculum", "mine_veto_model"), label="Second model, or a cross-encoder",
            default=default_encoder(workspace),
        )  # fmt: skip
        for name in names:
            values[name] = number_for(config, name, scope=_SCOPE)
    return model


def _counted(workspace: Workspace, method: Method) -> None:
    sources = pick_sources(workspace)
    with shown_as_message():
        request = counting(workspace, sources)
    counted = answer_to(
        request, key=key("curriculum", "ask"), button="Count candidates",
        why="Every pair, once; the tab Cut uses them too.",
    )  # fmt: skip
    if counted is None:
        return
    counted_words(counted)
    model = sources.baseline or sources.encoding
    with shown_as_message():
        reading = readings_request(workspace, counted.job.id, model)
    read = answer_to(
        reading, key=key("curriculum", "readings"), button="Read the sample with the model",
        why="Its similarity of every sampled pair tells where it errs.",
    )  # fmt: skip
    if read is None:
        return
    veto = None
    config: AdversarialConfig | CrossCategoryConfig | None = None
    with shown_as_message("These settings contradict each other.", stop=False):
        values: dict[str, Any] = {}
        if method == "adversarial":
            veto = _adversarial_settings(workspace, values)
            config = AdversarialConfig(**values)
        else:
            _across_settings(values)
            config = CrossCategoryConfig(**values)
    if config is None:
        return
    found = CountedSources(counted.job.id, read.job.id, veto, sources.encoding.precision)
    name = sources.records.partition(":")[0]
    settings = config
    _ask(method, f"{name}_{'errors' if method == 'adversarial' else 'across'}", lambda name, new: counted_request(
        workspace, found, settings, name, new_version=new
    ))  # fmt: skip


def _adversarial_settings(workspace: Workspace, values: dict[str, Any]) -> str | None:
    """Draw the settings into `values`; return the second model, if one vetoes."""
    values["strategy"] = select_for(AdversarialConfig, "strategy", scope=_SCOPE)
    with st.grid(2, min_column_width=300):
        values["pos_min"], values["pos_max"] = range_for(
            AdversarialConfig, "pos_min", "pos_max", label="Positives: similarity", scope=_SCOPE, within=(0.0, 1.0)
        )
        values["neg_min"], values["neg_max"] = range_for(
            AdversarialConfig, "neg_min", "neg_max", label="Negatives: similarity", scope=_SCOPE, within=(0.0, 1.0)
        )
        if values["strategy"] == "balanced":
            values["skip"], values["window"] = range_for(
                AdversarialConfig, "skip", "window", label="Hardest share of each class", scope=_SCOPE
            )
        if values["strategy"] != "ranked":
            values["positive_share"] = field_for(AdversarialConfig, "positive_share", scope=_SCOPE)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        values["n_pairs"] = number_for(AdversarialConfig, "n_pairs", label="Pairs", scope=_SCOPE)
        values["rule"] = select_for(AdversarialConfig, "rule", label="Label rule", scope=_SCOPE)
        _seed(AdversarialConfig, values, "same_category_negatives")
        veto = _veto(workspace, AdversarialConfig, values, "veto_score")
    return veto


def _across_settings(values: dict[str, Any]) -> None:
    with st.grid(2, min_column_width=300):
        values["min_score"], values["max_score"] = range_for(
            CrossCategoryConfig, "min_score", "max_score", label="Similarity in the space", scope=_SCOPE,
            within=(0.0, 1.0),
        )  # fmt: skip
        values["model_min_score"] = field_for(
            CrossCategoryConfig, "model_min_score", label="Least similarity to the model", scope=_SCOPE
        )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        values["n_pairs"] = number_for(CrossCategoryConfig, "n_pairs", label="Pairs", scope=_SCOPE)
        values["rule"] = select_for(CrossCategoryConfig, "rule", label="Label rule", scope=_SCOPE)
        _seed(CrossCategoryConfig, values)


def _ask(method: Method, name: str, request_of: Any) -> None:
    """Draw the name and the button that mines; a press starts the job that is shown below."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.text_input(
            "Name of the pair set", value=name, key=key("curriculum", f"mine_name.{text_id(name)}"), width=280,
            persist_state="session",
        )  # fmt: skip
        pressed = st.button(
            "Mine", type="primary", key=key("curriculum", f"mine_start.{method}"), icon=":material/hardware:"
        )
        again = st.toggle(
            "As its next version", key=key("curriculum", "mine_version"), persist_state="session",
            help="Where the name is taken by a pair set made here: save this one beside it, as the newest version.",
        )  # fmt: skip
    if pressed:
        with shown_as_message("Nothing was mined; the workspace is as it was."):
            request: Request = request_of(chosen, again)
            st.session_state[_job(method)] = launch_once(request, key=key("curriculum", "mine_launch"))
        st.rerun()


def _job(method: Method) -> str:
    return key("curriculum", f"mine_job.{method}")


def _kindred(workspace: Workspace, pairs: str | None, of_records: list[str]) -> str | None:
    """Return the records that a pair set was made of; where nothing tells, the ones called most like it, or none."""
    told = None
    with shown_as_message(stop=False):
        told = records_behind(workspace, pairs) if pairs else None
    if told in of_records:
        return told
    alike = {ref: sum(takewhile(bool, map(eq, pairs or "", ref))) for ref in of_records}
    best = max(alike, key=alike.__getitem__, default=None)
    return best if best is not None and alike[best] >= _ALIKE else None
