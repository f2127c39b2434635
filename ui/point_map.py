"""A map of points as a component: one space or two side by side, coloured alike, with a lasso in either.

The points travel once, as whole numbers; what comes back is the outline of a selection (under 2 KB) or one point, and
the rows inside are found on the server.
"""

from __future__ import annotations

import base64
import json
import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

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


@dataclass(frozen=True, slots=True, eq=False)
class MapDrawing:
    """A map to draw.

    Attributes:
        figure: What `figures.maps.side_by_side` returns.
        subject: What it shows, such as a job's id; zoom and selection are kept while it stays.
        texts: The hover text of each point, as `packed` packs them.
        names: The class of each trace of one layer, as plain text; empty where a number colours the points.
        title: What colours the points.
        what: What the points are, such as `texts`.
    """

    figure: go.Figure
    subject: str
    texts: str
    names: Sequence[str]
    title: str
    what: str


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


def point_map(drawing: MapDrawing, *, key: str, alt: str) -> MapState:
    """Draw a map, or update the one drawn under the same key; zoom and selection stay while its `subject` does.

    Args:
        drawing: What is drawn.
        key: Identity of the map on the page.
        alt: The takeaway in words, for readers who cannot see the map.

    Returns:
        The outline and the point chosen last.
    """
    state = _remembered(key, drawing.subject)
    _mount(
        key=key,
        data=map_data(drawing, key=key, alt=alt),
        default={"region": None, "point": None},
        on_region_change=_nothing,
        on_point_change=_nothing,
    )
    return state  # what was told before this run; a selection changes nothing of the data, so nothing is sent again


def map_data(drawing: MapDrawing, *, key: str, alt: str) -> dict[str, Any]:
    """Return what travels to the browser; two maps of 20,000 points are under 600 KB."""
    return {
        "key": key,
        "subject": drawing.subject,
        **_figure(drawing.figure),
        "texts": drawing.texts,
        "names": list(drawing.names),
        "title": drawing.title,
        "what": drawing.what,
        "alt": alt,
    }


def packed(texts: Sequence[str]) -> str:
    """Return texts as the browser unpacks them: JSON, zlib, base64."""
    content = json.dumps(list(texts), ensure_ascii=False).encode("utf-8", "replace")
    return base64.b64encode(zlib.compress(content, 6)).decode()


def _figure(figure: go.Figure) -> dict[str, Any]:
    """Return the figure and how many maps it has; numbers that colour both maps are sent with the first alone."""
    n_layers = sum(1 for _ in figure.select_xaxes())
    content = figure_data(figure)
    for trace in content["data"][len(content["data"]) // n_layers :]:
        if isinstance(trace["marker"]["color"], dict):
            del trace["marker"]["color"]
    return {"figure": content, "layers": n_layers}


def _remembered(key: str, subject: str) -> MapState:
    """Return what was chosen on this subject's map: each message of the browser counts once, by its time."""
    memory: dict[str, Any] = st.session_state.get(f"{key}.memory", {"subject": None, "heard": {}})
    if memory["subject"] != subject:
        memory = {"subject": subject, "heard": memory["heard"], "region": None, "point": None}
    told: dict[str, Any] = dict(st.session_state.get(key) or {})
    for name, read in (("region", _region_of), ("point", _point_of)):
        said = told.get(name)
        if isinstance(said, dict) and said.get("at", 0) > memory["heard"].get(name, 0):
            memory["heard"][name] = said["at"]
            memory[name] = read(said)
    st.session_state[f"{key}.memory"] = memory
    return MapState(memory["region"], memory["point"])


def _region_of(said: dict[str, Any]) -> Region | None:
    """Read an outline; None if it was cleared or is none."""
    layer, corners = said.get("layer"), said.get("corners")
    if layer not in (0, 1) or not isinstance(corners, list) or not 3 <= len(corners) <= VERTICES_AT_MOST:
        return None
    if not all(isinstance(corner, list) and len(corner) == 2 for corner in corners):
        return None
    if not all(isinstance(number, int | float) and math.isfinite(number) for corner in corners for number in corner):
        return None
    return Region(layer, tuple((x, y) for x, y in corners))


def _point_of(said: dict[str, Any]) -> int | None:
    place = said.get("place")
    return place if isinstance(place, int) and place >= 0 else None


def _nothing() -> None:
    """Streamlit asks for a callback for each state that has a default."""
