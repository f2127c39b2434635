"""The threshold explorer: one to four models' histograms, metrics and confusion matrices that follow a slider live.

The counts of every threshold travel once, about 5 KB a model for any number of pairs; a drag sends nothing to the
server, its end sends one small message.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, cast, get_args

import numpy as np
import streamlit as st

from simtune_core.evaluation.thresholds import ConfusionCurve
from simtune_core.figures.histograms import ScoreBins, shown_range
from ui.live_chart import COMPONENTS

Cell = Literal["tn", "fp", "fn", "tp"]
MODELS_AT_MOST = 4
_JS = "".join((COMPONENTS / name).read_text(encoding="utf-8") for name in ("plotly.js", "threshold_explorer.js"))
_CSS = (COMPONENTS / "threshold_explorer.css").read_text(encoding="utf-8")
_HTML = """
<div class="simtune-explorer"></div>
"""
_mount = st.components.v2.component("simtune_threshold_explorer", html=_HTML, css=_CSS, js=_JS, isolate_styles=False)


@dataclass(frozen=True, slots=True)
class ExplorerModel:
    """One model of the explorer.

    Attributes:
        name: Its name, unique among the models shown.
        curve: Confusion counts at the explorer's thresholds, the same thresholds for all models.
        bins: Histogram of its scores.
        chosen: The threshold chosen on the dev set, marked by a dotted line; None if there is none.
        baseline: Whether the others' numbers are compared with this model's.
        failed_check: Why its numbers cannot be trusted, as a sentence; None if nothing is wrong.
    """

    name: str
    curve: ConfusionCurve
    bins: ScoreBins
    chosen: float | None = None
    baseline: bool = False
    failed_check: str | None = None


@dataclass(frozen=True, slots=True)
class ExplorerState:
    """What the reader has chosen.

    Attributes:
        index: Place of the shared threshold among the thresholds; that of the first model if each has its own.
        cell: The cell of the confusion matrix clicked last; None before the first click.
        model: The model of that cell.
        indices: Place of every model's threshold, by name.
    """

    index: int
    cell: Cell | None = None
    model: str | None = None
    indices: dict[str, int] = field(default_factory=dict)


def threshold_explorer(
    models: Sequence[ExplorerModel],
    *,
    index: int,
    key: str,
    height: int = 300,
    shared: bool = True,
    space: str = "cosine similarity",
) -> ExplorerState:
    """Draw the explorer.

    Args:
        models: One to four models with equal thresholds, in the order of the workspace.
        index: Place of the threshold shown at first. When this argument changes, the explorer moves there; until then
            it stays where the reader left it, after a visit to other pages too.
        key: Identity of the explorer on the page.
        height: Pixels of a histogram.
        shared: Whether all models follow one threshold. Otherwise each has a slider of its own, which begins at its
            `chosen` threshold where there is one.
        space: Title of the x axis: whose cosine it is.

    Returns:
        The reader's threshold and the cell clicked last.

    Raises:
        ValueError: If there are no models, more than four, two of one name, or unequal thresholds.
    """
    _check(models)
    start = _start(models, index, shared)
    state = _remembered(key, models, start)
    _mount(
        key=key,
        data=_data(models, state, key, height, shared, space),
        default={"index": None, "cell": None},
        on_index_change=_nothing,
        on_cell_change=_nothing,
    )
    return state  # read from the session before the component was drawn: what it draws is what the page gets


def _check(models: Sequence[ExplorerModel]) -> None:
    names = [model.name for model in models]
    if not 1 <= len(models) <= MODELS_AT_MOST or len(set(names)) != len(names):
        raise ValueError(f"The explorer shows one to {MODELS_AT_MOST} models of different names, got {names}.")
    first = models[0].curve.thresholds
    if any(not np.array_equal(model.curve.thresholds, first) for model in models):
        raise ValueError("All models of one explorer must have their counts at the same thresholds.")


def _start(models: Sequence[ExplorerModel], index: int, shared: bool) -> dict[str, int]:
    places = {}
    for model in models:
        own = None if shared else model.chosen
        places[model.name] = index if own is None else int(np.abs(model.curve.thresholds - own).argmin())
    return places


def _remembered(key: str, models: Sequence[ExplorerModel], start: dict[str, int]) -> ExplorerState:
    """Return what the explorer shows: the reader's last choice, kept across pages, unless the page asks for another."""
    memory: dict[str, Any] = st.session_state.get(f"{key}.memory", {})
    told: dict[str, Any] = dict(st.session_state.get(key) or {})
    indices = memory["indices"] if memory.get("asked") == start else start
    if told.get("index") not in (None, memory.get("index")):
        indices = _moved(told["index"], indices)
    last = len(models[0].curve.thresholds) - 1
    indices = {name: min(max(place, 0), last) for name, place in indices.items()}
    clicked = told.get("cell") or memory.get("cell")
    kept = {"asked": start, "indices": indices, "index": told.get("index"), "cell": clicked}
    st.session_state[f"{key}.memory"] = kept
    cell, model = _clicked(clicked, indices)
    return ExplorerState(next(iter(indices.values())), cell, model, indices)


def _moved(index: Any, indices: dict[str, int]) -> dict[str, int]:
    """Return the places after a move; `index` is `{"of": {model: place}, "at": ms}`, or one place for all models."""
    places = dict.fromkeys(indices, index) if isinstance(index, int) else index["of"]
    return {name: int(places.get(name, held)) for name, held in indices.items()}


def _clicked(clicked: dict[str, Any] | None, indices: dict[str, int]) -> tuple[Cell | None, str | None]:
    if not clicked or clicked.get("model") not in indices or clicked.get("cell") not in get_args(Cell):
        return None, None
    return cast(Cell, clicked["cell"]), str(clicked["model"])


def _data(
    models: Sequence[ExplorerModel], state: ExplorerState, key: str, height: int, shared: bool, space: str
) -> dict[str, Any]:
    cell = None if state.cell is None else {"model": state.model, "cell": state.cell}
    return {
        "id": key.replace(".", "-"),
        "thresholds": np.round(models[0].curve.thresholds, 6).tolist(),
        "indices": [state.indices[model.name] for model in models],
        "cell": cell,
        "shared": shared,
        "height": height,
        "space": space,
        "range": shown_range(*(model.bins for model in models)),
        "models": [_model_data(model) for model in models],
    }


def _model_data(model: ExplorerModel) -> dict[str, Any]:
    edges = model.bins.edges
    return {
        "name": model.name,
        "baseline": model.baseline,
        "chosen": model.chosen,
        "failed": model.failed_check,
        "table": {name: getattr(model.curve, name).tolist() for name in get_args(Cell)},
        "histogram": {
            "centres": np.round((edges[1:] + edges[:-1]) / 2, 6).tolist(),
            "width": float(edges[1] - edges[0]),
            "negative": model.bins.negative.tolist(),
            "positive": model.bins.positive.tolist(),
        },
    }


def _nothing() -> None:
    """Streamlit asks for a callback for each state that has a default."""
