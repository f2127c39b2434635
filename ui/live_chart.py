"""A Plotly chart that is updated in place.

`st.plotly_chart` draws a changed figure anew, and the reader's zoom is lost at every tick of a live curve; this
component hands the new figure to the chart that is there (`Plotly.react`) and follows light and dark by itself.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import streamlit as st

COMPONENTS = Path(__file__).parent / "components"
_JS = "".join((COMPONENTS / name).read_text(encoding="utf-8") for name in ("plotly.js", "live_chart.js"))
_HTML = """
<div class="simtune-chart" role="img"></div>
"""
_mount = st.components.v2.component("simtune_live_chart", html=_HTML, js=_JS, isolate_styles=False)


@dataclass(frozen=True, slots=True)
class MovedLine:
    """A line that the reader dragged.

    Attributes:
        place: Its place among the figure's shapes.
        x: Where it stands now, in units of the x axis.
        at: Browser time of the drag in milliseconds; apply each only once.
    """

    place: int
    x: float
    at: int


def plotly_live(figure: go.Figure | dict[str, Any], *, key: str, alt: str) -> MovedLine | None:
    """Draw a figure, or update the one drawn under the same key.

    Args:
        figure: The figure, or its traces and layout as plain content, without explicit colours; its `uirevision` says
            how long zoom and hidden curves are kept.
        key: Identity of the chart on the page.
        alt: The takeaway in words, for readers who cannot see the chart; also the name of a saved picture.

    Returns:
        The last line dragged, for figures with shapes that are `editable`; else None.
    """
    data = {"figure": figure_data(figure), "alt": alt, "filename": key}
    state = _mount(key=key, data=data, default={"line": None}, on_line_change=_nothing)
    return _moved(state.get("line"))


def moved_line(key: str) -> MovedLine | None:
    """Return the last line dragged in the chart of a key, before the chart is drawn in this run; None without any."""
    return _moved((st.session_state.get(key) or {}).get("line"))


def figure_data(figure: go.Figure | dict[str, Any]) -> dict[str, Any]:
    """Return what the browser needs of a figure: its traces and its layout, without the template of Python's side."""
    if isinstance(figure, dict):
        return figure
    content = json.loads(figure.to_json())
    content["layout"].pop("template", None)
    return {"data": content["data"], "layout": content["layout"]}


def _moved(line: dict[str, Any] | None) -> MovedLine | None:
    return MovedLine(int(line["place"]), float(line["x"]), int(line["at"])) if line else None


def _nothing() -> None:
    """Streamlit asks for a callback for each state that has a default."""
