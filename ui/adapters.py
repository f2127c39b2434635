"""Adapter checks on screen: the status in one line, the checks one by one, and the size of every layer's update."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import streamlit as st

from simtune_core.figures.bars import LayerNorm, layer_norms
from simtune_core.workflows.models import CheckReport
from ui.keys import key
from ui.text import as_label

STATUSES = {
    "applied": ("Applied: the tuned part is in the forward pass.", "success", ":material/check_circle:"),
    "not applied": ("NOT APPLIED: this model is not what was trained.", "error", ":material/extension_off:"),
    "not trained": ("NOT TRAINED: this model computes what its base computes.", "error", ":material/block:"),
}
OUTCOMES = {"passed": "✓ passed", "failed": "✗ FAILED", "not applicable": "- not applicable", "not run": "? not run"}
_LAYER = re.compile(r"layers?\.(\d+)\.")


def status_banner(report: CheckReport) -> None:
    """Draw the status as symbol, words and colour, with the first reason."""
    words, kind, icon = STATUSES[report.status]
    reason = next((f"{item.code}: {item.message}" for item in report.failed if item.message), "")
    getattr(st, kind)(f"{words} {as_label(reason, longest=400)}".strip(), icon=icon)


def checks_table(report: CheckReport) -> None:
    """Draw every check with its outcome; passed, failed, not applicable and not run are four words."""
    rows = [
        {"check": item.code, "what holds": item.title, "outcome": OUTCOMES[item.outcome], "why": item.message or ""}
        for item in report.results
    ]
    widths = {"check": "small", "outcome": "small", "what holds": 330, "why": "large"}
    columns = {name: st.column_config.TextColumn(width=width) for name, width in widths.items()}  # type: ignore[arg-type]
    alt = f"{len(rows)} checks of {report.model_id} with their outcomes"
    st.dataframe(rows, hide_index=True, height="content", column_config=columns, alt=alt)


def measurements(report: CheckReport) -> None:
    """Draw every number of the inspection that is there; the differences are between embeddings of probe texts."""
    shown = {
        name.replace("_", " "): value
        for name, value in report.inspection.items()
        if isinstance(value, int | float | str) and not isinstance(value, bool) and name not in ("model_id", "kind")
    }
    st.table({name: f"{value:.6g}" if isinstance(value, float) else str(value) for name, value in shown.items()})


def layer_figure(report: CheckReport) -> None:
    """Draw the norm of lora_B of every adapted layer; nothing for a model without an adapter."""
    layers = layers_of(report.inspection.get("layers") or [])
    if not layers:
        return
    alive = sum(layer.norm > 0 for layer in layers)
    st.header(f"{alive} of {len(layers)} adapted layers changed")
    st.plotly_chart(
        layer_norms(layers),
        key=key("adapters", "layers"),
        alt=f"Norm of lora_B per layer: {alive} of {len(layers)} are above 0",
    )


def layers_of(entries: Sequence[dict[str, Any]]) -> list[LayerNorm]:
    """Turn an inspection's layers into the figure's: number of the layer, name of the module, norm of B."""
    found = []
    for entry in entries:
        number = _LAYER.search(entry["name"])
        module = entry["name"][number.end() :] if number else entry["name"]
        found.append(LayerNorm(int(number.group(1)) if number else 0, module, float(entry["lora_b"])))
    return found
