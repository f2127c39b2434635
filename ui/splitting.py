"""Train, dev and test on screen: what splits a dataset has, how they came out, and the form that makes them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import streamlit as st

from simtune_core.datasets import DatasetVersion, find_dataset
from simtune_core.pairs import text_id
from simtune_core.preparing.splitting import TIME, SplitConfig
from simtune_core.workflows import preparing
from simtune_core.workspace import Workspace
from ui.ask import answer_to, show_findings
from ui.errors import shown_as_message
from ui.keys import key
from ui.menu import link_to
from ui.text import as_label, count
from ui.widgets import field_for

_SCOPE = "data"
_PERCENT = ("share", "wanted", "positive pairs")


def split_form(workspace: Workspace, ref: str) -> None:
    """Draw the splits of a dataset, how they were made, and the form that divides it.

    Args:
        workspace: Where it lies.
        ref: The dataset; of a split, the dataset that it is of.
    """
    version = None
    with shown_as_message(stop=False):
        version, _ = find_dataset(workspace, ref)
        made = preparing.made_split(workspace, version.ref)
    if version is None:
        return
    if made is not None:
        told = as_label(f"{made.ref} was divided from {made.made_from}, {_settings_words(made.config)}.", longest=400)
        st.markdown(told)
        _result(made.report)
    elif version.splits:
        parts = ", ".join(f"{name} {count(version.splits[name])}" for name in _in_order(version.splits))
        st.markdown(as_label(f"The rows came with splits, and they are kept: {parts}.", longest=400))
        st.caption("Whether a record, a text or a near-duplicate is in two of them is audited on the page Difficulty.")
        link_to("difficulty", "Audit the splits")
    replace = bool(version.splits) and st.toggle("Divide anew", key=key("data", f"split_again.{text_id(version.ref)}"))
    if version.splits and not replace:
        return
    _form(workspace, version, replace=replace)


def _form(workspace: Workspace, version: DatasetVersion, *, replace: bool) -> None:
    timed = TIME in version.manifest["columns"]
    with st.grid(3, min_column_width=200):
        dev = field_for(SplitConfig, "dev", label="Dev share", scope=_SCOPE)
        test = field_for(SplitConfig, "test", label="Test share", scope=_SCOPE)
        st.metric("Train share, the rest", max(0.0, 1 - dev - test), format="percent")
    by = field_for(SplitConfig, "by", label="Divide by", scope=_SCOPE) if timed else "components"
    with st.container(horizontal=True, vertical_alignment="center"):
        chosen: dict[str, Any] = {}
        if by == "components":
            chosen["stratify"] = field_for(
                SplitConfig, "stratify", label="Stratify by label and category", scope=_SCOPE
            )
        chosen["near_duplicates"] = field_for(
            SplitConfig, "near_duplicates", label="Keep near-duplicates together", scope=_SCOPE
        )
        with st.popover("More", icon=":material/tune:"):
            if chosen["near_duplicates"]:
                chosen["threshold"] = field_for(SplitConfig, "threshold", label="Near-duplicate from", scope=_SCOPE)
            chosen["seed"] = field_for(SplitConfig, "seed", scope=_SCOPE)
            name = st.text_input(
                "Name",
                value=version.name,
                help="The dataset's own name makes a new version of it.",
                key=key("data", f"split_name.{text_id(version.name)}"),
                persist_state="session",
            )
    request = None
    with shown_as_message(stop=False):
        config = SplitConfig(train=round(1 - dev - test, 4), dev=dev, test=test, by=by, **chosen)
        request = preparing.split_request(workspace, version.ref, config, name=name, replace=replace)
    if request is None:
        return
    answer = answer_to(
        request,
        key=key("data", "split"),
        button="Divide",
        why="No record and no text will be in two splits. A new version is made; this one stays as it is.",
    )
    if answer:
        st.markdown(as_label(f"Divided: {answer.result['dataset']}."))
        _result(answer.result["report"] | {"findings": answer.result["findings"]})


def _result(report: dict[str, Any]) -> None:
    """Draw how a split came out: a row for each part, the largest component in words, and what fell short."""
    rows = preparing.split_rows(report)
    percent = {name: st.column_config.NumberColumn(format="percent") for name in _PERCENT if name in rows[0]}
    numbers = {name: st.column_config.NumberColumn(format="localized") for name in (report["what"], "components")}
    told = ", ".join(f"{row['split']} {count(row[report['what']])}" for row in rows)
    st.dataframe(
        rows,
        hide_index=True,
        height="content",
        column_config=percent | numbers,
        alt=f"Splits with rows, shares, components and categories: {told}",
    )
    st.markdown(preparing.largest_component(report))
    show_findings(list(report["findings"]))


def _in_order(splits: Iterable[str]) -> list[str]:
    """Return the names of splits, train, dev and test first."""
    usual = list(SplitConfig().shares)
    return sorted(splits, key=lambda name: (usual.index(name) if name in usual else len(usual), name))


def _settings_words(config: dict[str, Any]) -> str:
    how = "by time" if config["by"] == "time" else f"by connected component, seed {config['seed']}"
    balanced = ", stratified" if config["stratify"] and config["by"] == "components" else ""
    near = "" if config["near_duplicates"] else ", near-duplicates apart"
    return how + balanced + near
