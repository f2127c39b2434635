"""One look for every figure: the palette, margins, threshold lines, phase bands, and real colours for export.

On screen a figure holds no colours of its own: it names *theme colours*, which Streamlit and our own chart component
replace by those of `.streamlit/config.toml`, so that light and dark need no second figure. Neutral
grey is the one exception.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import plotly.graph_objects as go

Mode = Literal["light", "dark"]

NEUTRAL = "#808080"  # 3.9:1 on white, 4.6:1 on the dark background: thresholds, baselines, bands
INK: dict[Mode, str] = {"light": "#141414", "dark": "#f3f1ee"}
PAPER: dict[Mode, str] = {"light": "#ffffff", "dark": "#171614"}
GRID: dict[Mode, str] = {"light": "#e4e2df", "dark": "#383631"}
# Distinguishable under protanopia, deuteranopia and tritanopia (smallest CIEDE2000 difference 10.9), each >= 3:1 on its
# background; after Okabe and Ito. The same lists stand in .streamlit/config.toml, which a test compares.
CATEGORY: dict[Mode, tuple[str, ...]] = {
    "light": (
        "#0072B2", "#D55E00", "#009E73", "#332288", "#7A4B00", "#CC79A7", "#595959", "#222222", "#0072B2", "#D55E00",
    ),
    "dark": (
        "#56B4E9", "#E69F00", "#009E73", "#CC79A7", "#F0E442", "#D55E00", "#C9C5BF", "#FFFFFF", "#56B4E9", "#E69F00",
    ),
}  # fmt: skip
NEGATIVE, POSITIVE = 0, 1  # theme colours of the two kinds of pair, on every page
DISTINCT = 6  # curves beyond this many are grey
HEIGHT = 340  # pixels
_LONGEST_LABEL = 200


@dataclass(frozen=True, slots=True)
class Band:
    """One stretch of an axis with a name, such as a training phase.

    Attributes:
        start: Where it begins, in units of the axis.
        end: Where it ends.
        label: Its name.
    """

    start: float
    end: float
    label: str


def theme_colour(place: int) -> str:
    """Return the mark of one theme colour; from the seventh on neutral grey.

    Args:
        place: Place in the palette; for models their place in the workspace, so that a model keeps its colour.

    Source:
        streamlit/elements/lib/streamlit_plotly_theme.py: the frontend replaces `#000001` ... by the theme's colours.
    """
    return f"#00000{place + 1}" if place < DISTINCT else NEUTRAL


def finish(figure: go.Figure, *, x: str = "", y: str = "", height: int = HEIGHT, revision: str = "keep") -> go.Figure:
    """Set what Streamlit's theme would otherwise leave or override; never sets colours.

    Args:
        figure: The figure to finish, changed in place.
        x: Title of the x axis, with its unit.
        y: Title of the y axis, with its unit.
        height: Pixels.
        revision: Zoom and hidden curves are kept while this stays the same: the subject, such as a run's id.
    """
    return figure.update_layout(house_layout(x=x, y=y, height=height, revision=revision))


def house_layout(*, x: str = "", y: str = "", height: int = HEIGHT, revision: str = "keep") -> dict[str, Any]:
    """Return what `finish` sets; given to `go.Figure(traces, layout)` it costs a fifth, for live figures."""
    return {
        "height": height,
        "uirevision": revision,
        "xaxis": {"title": {"text": x}},
        "yaxis": {"title": {"text": y}},
        "margin": {"l": 56, "r": 12, "t": 36, "b": 44},
        "legend": {
            "orientation": "h", "x": 0, "y": 1.02, "xanchor": "left", "yanchor": "bottom", "title": {"text": ""},
        },
    }  # fmt: skip


def threshold_line(figure: go.Figure, threshold: float, name: str = "threshold") -> go.Figure:
    """Draw a dashed line across the whole height at a similarity, named with its value."""
    return figure.add_vline(
        x=threshold,
        line={"color": NEUTRAL, "dash": "dash", "width": 2},
        annotation={"text": f"{plain(name)} {threshold:.2f}", "font_color": NEUTRAL, "yanchor": "bottom", "y": 1},
        annotation_position="top",
    )


def phase_bands(figure: go.Figure, bands: Sequence[Band]) -> go.Figure:
    """Shade stretches of the x axis in three strengths of grey and name each at the top."""
    for place, band in enumerate(bands):
        figure.add_vrect(
            x0=band.start,
            x1=band.end,
            fillcolor=NEUTRAL,
            opacity=(0.06, 0.12, 0.18)[place % 3],
            layer="below",
            line_width=0,
            annotation={"text": plain(band.label), "yanchor": "bottom", "y": 1, "font_color": NEUTRAL},
        )
    return figure


def plain(text: str) -> str:
    """Return text so that Plotly shows it as it is: markup escaped, cut after 200 characters."""
    cut = text if len(text) <= _LONGEST_LABEL else text[: _LONGEST_LABEL - 1] + "…"
    return cut.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def for_export(figure: go.Figure, mode: Mode = "light") -> go.Figure:
    """Return a copy with real colours, to be written to a file that no theme will recolour."""
    text = figure.to_json()
    for place, colour in enumerate(CATEGORY[mode][:DISTINCT]):
        text = text.replace(f'"{theme_colour(place)}"', f'"{colour}"')
    content = json.loads(text)
    content["layout"]["template"] = template(mode).to_plotly_json()
    return go.Figure(content)


def template(mode: Mode) -> go.layout.Template:
    """Return the look of exported figures: fonts, paper, grid, colours."""
    axis = {"gridcolor": GRID[mode], "zeroline": False, "linecolor": GRID[mode], "ticks": "outside", "automargin": True}
    return go.layout.Template(
        layout={
            "font": {"family": "Source Sans 3, Source Sans, Segoe UI, sans-serif", "size": 13, "color": INK[mode]},
            "paper_bgcolor": PAPER[mode],
            "plot_bgcolor": PAPER[mode],
            "colorway": list(CATEGORY[mode]),
            "xaxis": {**axis, "showgrid": False},
            "yaxis": axis,
            "hovermode": "x unified",
        }
    )
