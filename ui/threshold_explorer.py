"""The threshold explorer: one to four models' histograms, metrics and confusion matrices that follow a slider live.

A model may as well be a pair set, or a phase of one, in one model's space: whatever has similarities and labels. The
counts of every threshold travel once, about 5 KB a model for any number of pairs; a drag sends nothing to the
server, its end sends one small message.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, cast, get_args

import numpy as np
import streamlit as st

from simtune_core.evaluation.thresholds import ConfusionCurve
from simtune_core.figures.histograms import ScoreBins, shown_range
from ui.live_chart import COMPONENTS

Cell = Literal["tn", "fp", "fn", "tp"]
Form = Literal["bars", "lines"]
MODELS_AT_MOST = 4
_JS = "".join((COMPONENTS / name).read_text(encoding="utf-8") for name in ("plotly.js", "threshold_explorer.js"))
_CSS = (COMPONENTS / "threshold_explorer.css").read_text(encoding="utf-8")
_KINDS = ("negative", "positive")
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
        note: What stands below its name; plain text.
    """

    name: str
    curve: ConfusionCurve
    bins: ScoreBins
    chosen: float | None = None
    baseline: bool = False
    failed_check: str | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class ExplorerLook:
    """How the explorer draws.

    Attributes:
        space: Title of the x axis: whose cosine it is.
        height: Pixels of a histogram.
        shares: Whether bars are per cent of each model's pairs on one y axis, so that sets of different size compare.
        form: Histograms as `bars`, or as `lines` the share of each class at or below a similarity, in per cent.
        zone: A stretch of similarity to shade; None for none.
        stacked: Whether the histograms stand one below the other, so that they share the x axis.
        clickable: Whether a bar that is clicked is told.
    """

    space: str = "cosine similarity"
    height: int = 300
    shares: bool = False
    form: Form = "bars"
    zone: tuple[float, float] | None = None
    stacked: bool = False
    clickable: bool = False


@dataclass(frozen=True, slots=True)
class ClickedBar:
    """A bar of a histogram.

    Attributes:
        model: The model it belongs to.
        kind: Which of the two bars there was hit: "positive", "negative", or "all" above both.
        low: Where it begins, cosine.
        high: Where it ends.
        at: Browser time of the click in milliseconds.
    """

    model: str
    kind: Literal["all", "positive", "negative"]
    low: float
    high: float
    at: int


@dataclass(frozen=True, slots=True)
class ExplorerState:
    """What the reader has chosen.

    Attributes:
        index: Place of the shared threshold among the thresholds; that of the first model if each has its own.
        cell: The cell of the confusion matrix clicked last; None before the first click, and after that of a bar.
        model: The model of that cell.
        indices: Place of every model's threshold, by name.
        bar: The bar clicked last; None before the first click, and after that of a cell.
        clicked_at: Browser time of the last click, in milliseconds; 0 before the first.
    """

    index: int
    cell: Cell | None = None
    model: str | None = None
    indices: dict[str, int] = field(default_factory=dict)
    bar: ClickedBar | None = None
    clicked_at: int = 0


def threshold_explorer(
    models: Sequence[ExplorerModel],
    *,
    index: int,
    key: str,
    shared: bool = True,
    look: ExplorerLook = ExplorerLook(),
) -> ExplorerState:
    """Draw the explorer.

    Args:
        models: One to four models with equal thresholds, in the order of the workspace.
        index: Place of the threshold shown at first. When this argument changes, the explorer moves there; until then
            it stays where the reader left it, after a visit to other pages too.
        key: Identity of the explorer on the page.
        shared: Whether all models follow one threshold. Otherwise each has a slider of its own, which begins at its
            `chosen` threshold where there is one.
        look: How it draws.

    Returns:
        The reader's threshold, and the cell or the bar clicked last.

    Raises:
        ValueError: If there are no models, more than four, two of one name, or unequal thresholds.
    """
    _check(models)
    start = _start(models, index, shared)
    state = _remembered(key, models, start)
    _mount(
        key=key,
        data=_data(models, state, key, shared, look),
        default={"index": None, "cell": None, "bar": None},
        on_index_change=_nothing,
        on_cell_change=_nothing,
        on_bar_change=_nothing,
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
    cell, bar = (told.get(name) or memory.get(name) for name in ("cell", "bar"))
    kept = {"asked": start, "indices": indices, "index": told.get("index"), "cell": cell, "bar": bar}
    st.session_state[f"{key}.memory"] = kept
    return _clicked(cell, bar, indices)


def _moved(index: Any, indices: dict[str, int]) -> dict[str, int]:
    """Return the places after a move; `index` is `{"of": {model: place}, "at": ms}`, or one place for all models."""
    places = dict.fromkeys(indices, index) if isinstance(index, int) else index["of"]
    return {name: int(places.get(name, held)) for name, held in indices.items()}


def _clicked(cell: dict[str, Any] | None, bar: dict[str, Any] | None, indices: dict[str, int]) -> ExplorerState:
    """Return the state with what was clicked last; what belongs to a model that is gone counts for nothing."""
    shared = next(iter(indices.values()))
    cell = cell if cell and cell.get("model") in indices and cell.get("cell") in get_args(Cell) else None
    bar = bar if bar and bar.get("model") in indices and bar.get("kind") in ("all", *_KINDS) else None
    times = [int(each.get("at", 0)) if each else -1 for each in (cell, bar)]
    if bar and times[1] > times[0]:
        hit = ClickedBar(str(bar["model"]), bar["kind"], float(bar["low"]), float(bar["high"]), times[1])
        return ExplorerState(shared, indices=indices, bar=hit, clicked_at=times[1])
    if cell:
        return ExplorerState(shared, cast(Cell, cell["cell"]), str(cell["model"]), indices, clicked_at=times[0])
    return ExplorerState(shared, indices=indices)


def _data(
    models: Sequence[ExplorerModel], state: ExplorerState, key: str, shared: bool, look: ExplorerLook
) -> dict[str, Any]:
    cell = None if state.cell is None else {"model": state.model, "cell": state.cell}
    drawn = [_model_data(model, look) for model in models]
    tallest = max((max(each["histogram"][kind], default=0.0) for each in drawn for kind in _KINDS), default=0.0)
    unit = "% of each class" if look.form == "lines" else "% of pairs" if look.shares else "pairs"
    return {
        "id": key.replace(".", "-"),
        "thresholds": np.round(models[0].curve.thresholds, 6).tolist(),
        "indices": [state.indices[model.name] for model in models],
        "cell": cell,
        "band": None if state.bar is None else asdict(state.bar),
        "shared": shared,
        "unit": unit,
        "top": None if unit == "pairs" else 1.05 * tallest,
        "range": shown_range(*(model.bins for model in models)),
        "models": drawn,
        **{name: getattr(look, name) for name in ("space", "height", "form", "zone", "stacked", "clickable")},
    }


def _model_data(model: ExplorerModel, look: ExplorerLook) -> dict[str, Any]:
    return {
        "name": model.name,
        "note": model.note,
        "baseline": model.baseline,
        "chosen": model.chosen,
        "failed": model.failed_check,
        "table": {name: getattr(model.curve, name).tolist() for name in get_args(Cell)},
        "histogram": _histogram(model.bins, look),
    }


def _histogram(bins: ScoreBins, look: ExplorerLook) -> dict[str, Any]:
    edges = np.round(bins.edges, 6)
    drawn = {kind: getattr(bins, kind) for kind in _KINDS}
    if look.form == "lines":
        drawn = {kind: np.append(0.0, 100 * np.cumsum(of) / max(1, of.sum())) for kind, of in drawn.items()}
    elif look.shares:
        drawn = {kind: 100 * of / max(1, bins.n) for kind, of in drawn.items()}
    return {
        "left": float(edges[0]),
        "width": float(np.round(edges[1] - edges[0], 6)),
        "n": len(edges) - 1,
        "edges": edges.tolist() if look.form == "lines" else [],
        "centres": np.round(bins.centres, 6).tolist() if look.form == "bars" else [],
        **{kind: np.round(of, 4).tolist() for kind, of in drawn.items()},
    }


def _nothing() -> None:
    """Streamlit asks for a callback for each state that has a default."""
