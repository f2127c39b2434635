"""A map of points as a component: one space or two side by side, coloured alike, with a lasso in either.

The points travel once, as whole numbers; what comes back is the outline of a selection (under 2 KB) or one point, and
the rows inside are found on the server.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from simtune_core.difficulty.regions import VERTICES_AT_MOST
from ui.live_chart import COMPONENTS, figure_data

_JS = "".join((COMPONENTS / name).read_text(encoding="utf-8") for name in ("plotly.js", "map_view.js"))
_CSS = (COMPONENTS / "map_view.css").read_text(encoding="utf-8")
_HTML = """
<div class="simtune-map"></div>
"""
_mount = st.components.v2.component("simtune_point_map", html=_HTML, css=_CSS, js=_JS, isolate_styles=False)


@dataclass(frozen=True, slots=True)
class Region:
    """The outline of a selection.

    Attributes:
        layer: The map it was drawn on, 0 or 1.
        corners: Its corners [x, y] in grid units, 3 to `VERTICES_AT_MOST`.
    """

    layer: int
    corners: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class MapState:
    """What the reader has chosen on a map.

    Attributes:
        region: The outline drawn last; None if there is none, or it was cleared.
        point: The point clicked last; None before the first click.
    """

    region: Region | None
    point: int | None


def point_map(
    figure: go.Figure, texts: str, *, key: str, alt: str, names: Sequence[str] = (), title: str = ""
) -> MapState:
    """Draw a map, or update the one drawn under the same key; zoom stays while its `uirevision` does.

    Args:
        figure: What `figures.maps.side_by_side` returns.
        texts: The hover text of each point, as `packed` packs them.
        key: Identity of the map on the page.
        alt: The takeaway in words, for readers who cannot see the map.
        names: The class of each trace of one layer, as plain text; empty where a number colours the points.
        title: What the number is.

    Returns:
        The outline and the point chosen last.
    """
    state, memory = _remembered(key, figure.layout.uirevision)
    n_layers = sum(1 for _ in figure.select_xaxes())
    data = {
        "figure": figure_data(figure),
        "layers": n_layers,
        "texts": texts,
        "names": list(names),
        "title": title,
        "region": memory["region"],
        "point": state.point,
        "alt": alt,
        "filename": key,
    }
    _mount(
        key=key,
        data=data,
        default={"region": None, "point": None},
        on_region_change=_nothing,
        on_point_change=_nothing,
    )
    return state


def clear_chosen(key: str) -> None:
    """Forget the outline and the point chosen on a map; for a button's `on_click`."""
    memory = st.session_state.get(f"{key}.memory")
    if memory:
        memory |= {"region": None, "point": None}


def packed(texts: Sequence[str]) -> str:
    """Return texts as the browser unpacks them: JSON, zlib, base64."""
    content = json.dumps(list(texts), ensure_ascii=False).encode("utf-8", "replace")
    return base64.b64encode(zlib.compress(content, 6)).decode()


def _remembered(key: str, subject: Any) -> tuple[MapState, dict[str, Any]]:
    """Return what was chosen on this subject's map: each message of the browser counts once, by its time."""
    memory: dict[str, Any] = st.session_state.get(f"{key}.memory", {})
    if memory.get("subject") != subject:
        memory = {"subject": subject, "region": None, "point": None, "heard": memory.get("heard", [0, 0])}
    told: dict[str, Any] = dict(st.session_state.get(key) or {})
    heard = list(memory["heard"])
    for place, name in enumerate(("region", "point")):
        said = told.get(name)
        if isinstance(said, dict) and said.get("at", 0) > heard[place]:
            heard[place] = said["at"]
            memory[name] = said if name == "point" or _is_region(said) else None
    memory["heard"] = heard
    st.session_state[f"{key}.memory"] = memory
    region, point = memory["region"], memory["point"]
    made = None if region is None else Region(int(region["layer"]), tuple((x, y) for x, y in region["corners"]))
    return MapState(made, None if point is None else int(point["place"])), memory


def _is_region(said: dict[str, Any]) -> bool:
    corners = said.get("corners")
    if said.get("layer") not in (0, 1) or not isinstance(corners, list) or not 3 <= len(corners) <= VERTICES_AT_MOST:
        return False
    shaped = all(isinstance(corner, list) and len(corner) == 2 for corner in corners)
    return shaped and bool(np.isfinite(np.array(corners, dtype=np.float64)).all())


def _nothing() -> None:
    """Streamlit asks for a callback for each state that has a default."""
