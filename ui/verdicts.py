"""Verdicts and metric tables on screen; a model that failed its adapter check is red, marked and named everywhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from ui.text import as_label

VERDICTS = {  # verdict -> symbol and colour: never colour alone
    "WIN": (":material/trending_up:", "green"),
    "LOSS": (":material/trending_down:", "red"),
    "TIE": (":material/drag_handle:", "gray"),
    "CANNOT TELL": (":material/help:", "orange"),
}
# Column of the table, key in the result, as a percentage; docs/metrics.md defines each.
METRICS = (
    ("ROC-AUC", "roc_auc", False),
    ("spearman_cosine", "spearman_cosine", False),
    ("pearson_cosine", "pearson_cosine", False),
    ("cosine_ap", "cosine_ap", False),
    ("F1", "cosine_f1", False),
    ("precision", "cosine_precision", False),
    ("recall", "cosine_recall", False),
    ("accuracy", "cosine_accuracy", False),
    ("MCC", "cosine_mcc", False),
    ("FPR", "fpr", True),
)
FAILED_COLOUR = "#d13438"  # 4.6:1 on white and 4.1:1 on the dark background
METRIC_WORDS = {"roc_auc": "ROC-AUC", "spearman_cosine": "Spearman"}


def context_line(result: dict[str, Any]) -> None:
    """Draw what the numbers rest on: pairs, records, share of similar pairs, Spearman's ceiling, TF-IDF beside them."""
    ceiling, lexical = result["spearman_ceiling"], result["tfidf_roc_auc"]
    parts = [
        f"{result['n']:,} pairs of {result['n_records']:,} records in {result['set']}, "
        f"{100 * result['prevalence']:.0f} % similar",
        "Spearman's ceiling is " + ("not defined here" if ceiling is None else f"{ceiling:.3f}"),
        f"vectors computed in {result['precision']}",
        "TF-IDF alone has ROC-AUC " + ("not defined" if lexical is None else f"{lexical:.3f}"),
        f"it is fitted on the {result['tfidf_n_texts']:,} texts of {' and '.join(result['tfidf_fitted_on'])}",
    ]
    st.caption(as_label(" · ".join(parts), longest=600))


def verdict_cards(result: dict[str, Any], failed: Mapping[str, str]) -> None:
    """Draw a card per model: the metric that decides, its difference to the baseline, the interval, the verdict."""
    models = result["models"]
    with st.grid(min(4, len(models)), min_column_width=200):
        for model in models:
            with st.container(border=True, gap="xsmall", height="stretch"):
                _card(model, result, failed.get(model["encoder"]))


def metric_table(result: dict[str, Any], split: str, failed: Mapping[str, str]) -> None:
    """Draw every metric of every model on one split, at the threshold chosen on dev; failed models are red, marked."""
    rows = []
    for model in result["models"]:
        numbers = model[split] or {}
        mark = "⚠ " if model["encoder"] in failed else ""
        row: dict[str, Any] = {"model": f"{mark}{model['title']}", "threshold": model["threshold"]}
        rows.append(row | {label: numbers.get(name) for label, name, _ in METRICS})
    frame = pd.DataFrame(rows)
    red = [model["encoder"] in failed for model in result["models"]]
    ref = result["set"] if split == "test" else result["threshold_from"]
    n_pairs = next((numbers["n"] for model in result["models"] if (numbers := model[split])), None)
    if n_pairs is None:
        st.info("No dev pairs: the thresholds were chosen on the judged pairs themselves.", icon=":material/info:")
        return
    rule = result["config"]["threshold_rule"].replace("_", " ")
    source = result["threshold_from"] or "these very pairs"
    st.caption(as_label(f"{n_pairs:,} pairs of {ref}; thresholds by {rule} on {source}"))
    styled = in_red(frame, red)
    columns = {
        label: st.column_config.NumberColumn(format="percent" if share else "%.4f") for label, _, share in METRICS
    }
    columns["threshold"] = st.column_config.NumberColumn(format="%.3f")
    st.dataframe(
        styled, hide_index=True, column_config=columns, alt=f"Metrics of {len(rows)} models on the {split} pairs"
    )


def in_red(frame: pd.DataFrame, rows: Sequence[bool]) -> Styler:
    """Return a table whose marked rows are red; the caller marks them in words too."""
    return frame.style.apply(lambda row: [f"color: {FAILED_COLOUR}" if rows[int(row.name)] else ""] * len(row), axis=1)


def failed_notes(names: Sequence[str], failed: Mapping[str, str]) -> None:
    """Draw an error for every model shown whose adapter check failed."""
    for name in names:
        if name in failed:
            st.error(f"**{as_label(name)}**: {as_label(failed[name], longest=400)}", icon=":material/extension_off:")


def _card(model: dict[str, Any], result: dict[str, Any], failure: str | None) -> None:
    metric = result["metric"]
    value = model["test"][metric]
    name = as_label(model["title"])
    st.markdown(f":red[:material/warning: **{name}** · adapter check failed]" if failure else f"**{name}**")
    number = "not defined" if value is None else f"{value:.4f}"
    st.markdown(f"### :red[{number}]" if failure else f"### {number}")
    interval = model["interval"]
    if interval:
        st.caption(f"{METRIC_WORDS[metric]}, {_range(interval, result)}")
    if model["baseline"]:
        st.badge("baseline", icon=":material/flag:", color="gray")
        return
    difference = model["difference"]
    icon, colour = VERDICTS[model["verdict"]] if model["verdict"] else (":material/help:", "gray")
    st.badge(model["verdict"] or "not defined", icon=icon, color=colour)  # type: ignore[arg-type]
    if difference:
        words = f"{difference['estimate']:+.4f} points, {_range(difference, result, sign='+')}"
        st.markdown(f":red[{words}]" if failure else words)


def _range(interval: dict[str, Any], result: dict[str, Any], sign: str = "") -> str:
    level = 100 * result["config"]["level"]
    return f"{level:.0f} % interval {interval['low']:{sign}.4f} to {interval['high']:{sign}.4f}"
