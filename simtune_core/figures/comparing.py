"""Two pair sets compared: outlines of both classes of both sets, phase beside phase, on one similarity axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from simtune_core.figures.histograms import ScoreBins, shown_range
from simtune_core.figures.style import NEGATIVE, POSITIVE, finish, plain, theme_colour

_DASHES = ("solid", "dot")  # of the first and of the second set
_IN_ONE_COLUMN = 3
_ROW_HEIGHT, _HEAD = 190, 144  # pixels


@dataclass(frozen=True, slots=True, eq=False)
class Facet:
    """One phase of two sets.

    Attributes:
        name: What stands above it.
        sets: The histogram of each set, on common edges; None for a set without such a phase.
    """

    name: str
    sets: tuple[ScoreBins | None, ScoreBins | None]


def comparison_figure(
    facets: Sequence[Facet], names: tuple[str, str], *, space: str = "cosine similarity"
) -> go.Figure:
    """Show how two sets differ, a small chart for each phase.

    Args:
        facets: What is drawn, from above, at least one; two columns from the fourth on.
        names: What the two sets are called; the first is drawn solid, the second dotted.
        space: Title of the x axis: whose cosine it is.

    Returns:
        A figure with one outline for each class of each set in each facet, as per cent of that set's pairs there.
    """
    columns = 1 if len(facets) <= _IN_ONE_COLUMN else 2
    rows = -(-len(facets) // columns)
    figure = make_subplots(
        rows=rows,
        cols=columns,
        shared_xaxes="all",
        shared_yaxes="all",
        horizontal_spacing=0.06,
        vertical_spacing=0.3 / rows,
        subplot_titles=[plain(facet.name) for facet in facets],
    )
    for place, facet in enumerate(facets):
        for line in _outlines(facet, names, first=place == 0):
            figure.add_trace(line, row=place // columns + 1, col=place % columns + 1)
    held = [bins for facet in facets for bins in facet.sets if bins is not None]
    finish(figure, height=_HEAD + _ROW_HEIGHT * rows)
    figure.update_xaxes(title_text="", range=shown_range(*held), showticklabels=True)
    figure.update_xaxes(title_text=space, row=rows)
    highest = max((line.y.max() for line in figure.data if line.y[0] is not None), default=1.0)
    figure.update_yaxes(title_text="", range=(0, 1.05 * highest))  # shared axes range over one of them alone
    figure.update_yaxes(title_text="% of pairs", col=1)
    legend = {"y": 1.0, "yref": "container", "yanchor": "top"}
    return figure.update_layout(hovermode="x unified", margin={"t": 110}, legend=legend)


def _outlines(facet: Facet, names: tuple[str, str], *, first: bool) -> list[go.Scatter]:
    """Return up to four step lines; those of the first facet, or of a set it lacks, stand for all in the legend."""
    lines = []
    for bins, name, dash in zip(facet.sets, names, _DASHES, strict=True):
        for kind, colour in (("negative", NEGATIVE), ("positive", POSITIVE)):
            if bins is None and not first:
                continue
            x, y = ([None], [None]) if bins is None else (bins.edges, _shares(getattr(bins, kind), bins.n))
            lines.append(
                go.Scatter(
                    x=x,
                    y=y,
                    mode="lines",
                    name=f"{kind} · {plain(name)}",
                    legendgroup=f"{kind} {name}",
                    showlegend=first,
                    line={"color": theme_colour(colour), "dash": dash, "shape": "hv", "width": 2},
                    hovertemplate="%{y:.2f} %",
                )
            )
    return lines


def _shares(counts: NDArray[np.int64], n: int) -> NDArray[np.float64]:
    """Return per cent of the pairs for each bin, and once more the last one's, so that its step is drawn."""
    shares = 100.0 * counts / max(1, n)
    return np.append(shares, shares[-1:])
