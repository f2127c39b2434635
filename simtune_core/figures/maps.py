"""Maps of points in one or two spaces side by side, coloured alike, and how far their neighbourhoods agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from simtune_core.figures.style import DISTINCT, HEIGHT, NEUTRAL, finish, plain, theme_colour

OTHER = "other"
_SYMBOLS = ("circle", "diamond", "square", "triangle-up", "cross", "x")  # classes differ by more than colour
_SEQUENTIAL = [[place / 9, f"#0000{place + 11}"] for place in range(10)]  # marks 11-20: the theme's sequential colours
_MAP_HEIGHT = 540  # pixels of two maps side by side
_ONE_MAP_HEIGHT = 680
_MANY = 5_000  # points from which on they are drawn smaller


@dataclass(frozen=True, slots=True, eq=False)
class MapLayer:
    """One map.

    Attributes:
        title: The encoder's name and what else stands above the map.
        places: Coordinates on a grid, whole numbers; shape (n, 2).
    """

    title: str
    places: NDArray[np.uint16]


@dataclass(frozen=True, slots=True, eq=False)
class Colouring:
    """What the points of a map are coloured by: classes, or a number.

    Attributes:
        title: What it is, such as `category`.
        names: The classes, most important first; empty for a number.
        codes: Each point's place among the names, -1 where unknown; shape (n,). Unused for a number.
        numbers: Each point's number; shape (n,). None for classes.
    """

    title: str
    names: tuple[str, ...]
    codes: NDArray[np.int32]
    numbers: NDArray[np.float32] | None = None

    @property
    def differs(self) -> bool:
        """Tell whether it is a number, or there are points of more than one class."""
        return self.numbers is not None or int((self.counts > 0).sum()) > 1

    @property
    def counts(self) -> NDArray[np.int64]:
        """Return how many points each class has; shape (n_names,)."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.names))


def side_by_side(
    layers: Sequence[MapLayer],
    colouring: Colouring,
    *,
    in_colour: Sequence[str] = (),
    height: int | None = None,
    revision: str = "keep",
) -> go.Figure:
    """Draw one map, or two beside each other whose legend is one.

    Args:
        layers: One map or two of the same points.
        colouring: What colours them.
        in_colour: The classes in colour, at most six; the first six by default. All others are grey `other` points.
        height: Pixels; by default as fits one map or two.
        revision: Zoom is kept while this stays the same.

    Returns:
        A figure with the same traces for each map, grey ones first; `customdata` of a trace holds the places of its
        points. A number gives one trace a map, with a colour bar.
    """
    titles = [plain(layer.title) for layer in layers]
    figure = make_subplots(rows=1, cols=len(layers), subplot_titles=titles, horizontal_spacing=0.03)
    groups = _groups(colouring, in_colour)
    for column, layer in enumerate(layers, start=1):
        traces = [_number_trace(layer, colouring, first=column == 1)] if colouring.numbers is not None else [
            _class_trace(layer, name, rows, colour, first=column == 1) for name, rows, colour in groups
        ]  # fmt: skip
        for trace in traces:
            figure.add_trace(trace, row=1, col=column)
    finish(figure, height=height or (_ONE_MAP_HEIGHT if len(layers) == 1 else _MAP_HEIGHT), revision=revision)
    axis = {"showticklabels": False, "ticks": "", "showgrid": False, "zeroline": False, "title": {"text": ""}}
    figure.update_xaxes(**axis, showline=True, mirror=True)
    figure.update_yaxes(**axis, showline=True, mirror=True)
    for column in range(1, len(layers) + 1):
        figure.update_yaxes(scaleanchor=f"x{column if column > 1 else ''}", row=1, col=column)
    figure.update_annotations(yanchor="bottom", font_size=14)
    return figure.update_layout(
        dragmode="lasso",
        hovermode="closest",
        margin={"l": 8, "r": 8, "t": 32, "b": 8},
        legend={"orientation": "h", "x": 0, "y": -0.02, "yanchor": "top", "itemsizing": "constant"},
    )


def shown_names(colouring: Colouring, in_colour: Sequence[str] = ()) -> list[str]:
    """Return the class of each trace of one map in `side_by_side`, in its order; empty for a number."""
    return [name for name, _, _ in _groups(colouring, in_colour)]


def kept_neighbours(n_kept: Sequence[int], *, what: str = "texts", height: int = HEIGHT) -> go.Figure:
    """Show how many of their nearest neighbours points keep from one space to the other.

    Args:
        n_kept: How many points keep 0, 1, ... k of their k neighbours.
        what: What the points are.
        height: Pixels.

    Returns:
        A figure with one bar trace.
    """
    k = len(n_kept) - 1
    figure = go.Figure(
        go.Bar(
            x=list(range(k + 1)),
            y=list(n_kept),
            name=what,
            marker={"color": theme_colour(0)},
            hovertemplate="%{y:,} " + what + " keep %{x}<extra></extra>",
        )
    )
    finish(figure, x=f"neighbours in common, of the {k} nearest", y=what, height=height)
    return figure.update_layout(bargap=0.1, xaxis_dtick=1 if k <= 20 else None, showlegend=False)


def _groups(colouring: Colouring, in_colour: Sequence[str]) -> list[tuple[str, NDArray[np.int64], str]]:
    """Return name, points and colour of each trace: what is grey first, below the others."""
    if colouring.numbers is not None:
        return []
    chosen = [name for name in colouring.names if name in in_colour][:DISTINCT] or list(colouring.names[:DISTINCT])
    codes = [colouring.names.index(name) for name in chosen]
    rest = len(colouring.names) - len(chosen)
    grey = np.flatnonzero(~np.isin(colouring.codes, codes))
    unknown = bool((colouring.codes < 0).any())
    words = [f"{OTHER} ({rest:,})"] * (rest > 0) + ["unknown"] * unknown
    groups = [(" and ".join(words), grey, NEUTRAL)] if len(grey) else []
    return groups + [
        (name, np.flatnonzero(colouring.codes == code), theme_colour(place))
        for place, (name, code) in enumerate(zip(chosen, codes, strict=True))
    ]


def _class_trace(layer: MapLayer, name: str, rows: NDArray[np.int64], colour: str, *, first: bool) -> go.Scattergl:
    place = 0 if colour == NEUTRAL else int(colour[1:]) - 1
    grey = colour == NEUTRAL
    return go.Scattergl(
        x=layer.places[rows, 0],
        y=layer.places[rows, 1],
        customdata=rows.astype(np.uint16) if first else None,
        name=plain(name),
        legendgroup=name,
        showlegend=first,
        mode="markers",
        hoverinfo="none",
        marker={"color": colour, "size": _size(layer), "opacity": 0.35 if grey else 0.7, "symbol": _SYMBOLS[place]},
        unselected={"marker": {"opacity": 0.08}},
    )


def _size(layer: MapLayer) -> int:
    return 3 if len(layer.places) > _MANY else 4


def _number_trace(layer: MapLayer, colouring: Colouring, *, first: bool) -> go.Scattergl:
    assert colouring.numbers is not None
    return go.Scattergl(
        x=layer.places[:, 0],
        y=layer.places[:, 1],
        customdata=np.arange(len(layer.places), dtype=np.uint16) if first else None,
        name=plain(colouring.title),
        showlegend=False,
        mode="markers",
        hoverinfo="none",
        marker={
            "color": np.asarray(colouring.numbers, dtype=np.float32),
            "colorscale": _SEQUENTIAL,
            "size": _size(layer),
            "opacity": 0.7,
            "showscale": first,
            "colorbar": {"title": {"text": plain(colouring.title), "side": "right"}, "thickness": 12},
        },
        unselected={"marker": {"opacity": 0.08}},
    )
