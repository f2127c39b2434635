"""Histograms of similarity: negative pairs in the first theme colour, positive pairs hatched in the second."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from simtune_core.figures.style import HEIGHT, NEGATIVE, NEUTRAL, POSITIVE, finish, plain, theme_colour, threshold_line


@dataclass(frozen=True, slots=True, eq=False)
class ScoreBins:
    """Counts of pairs per similarity bin.

    Attributes:
        edges: Ascending, equally spaced similarities; shape (n_bins + 1,). Bins are half-open [a, b), the last closed.
        negative: Dissimilar pairs in each bin; shape (n_bins,).
        positive: Similar pairs in each bin; shape (n_bins,).
    """

    edges: NDArray[np.float64]
    negative: NDArray[np.int64]
    positive: NDArray[np.int64]

    @property
    def centres(self) -> NDArray[np.float64]:
        """Return the middle of each bin, shape (n_bins,)."""
        return (self.edges[1:] + self.edges[:-1]) / 2

    @property
    def n(self) -> int:
        """Return the number of pairs."""
        return int(self.negative.sum() + self.positive.sum())


@dataclass(frozen=True, slots=True, eq=False)
class SetBins:
    """One pair set of a comparison.

    Attributes:
        name: What it is called, such as `train` or a reference.
        bins: Its histogram, with the same edges as the other set's.
        overlap: Lowest positive and highest negative similarity, shaded between; None if the classes are apart.
    """

    name: str
    bins: ScoreBins
    overlap: tuple[float, float] | None = None


def score_histogram(
    bins: ScoreBins,
    *,
    space: str = "cosine similarity",
    thresholds: Mapping[str, float] | None = None,
    height: int = HEIGHT,
) -> go.Figure:
    """Show how the similarities of negative and positive pairs are spread, and where thresholds cut them.

    Args:
        bins: The counts.
        space: Title of the x axis: whose cosine it is.
        thresholds: Dashed lines by name.
        height: Pixels.

    Returns:
        A figure with the bar traces "negative pairs" and "positive pairs", in that order on every page.
    """
    figure = go.Figure(_bars(bins, 1.0, "%{y:,} pairs"))
    for name, threshold in (thresholds or {}).items():
        threshold_line(figure, threshold, name)
    figure.update_layout(barmode="overlay", bargap=0, hovermode="x unified", xaxis_range=shown_range(bins))
    return finish(figure, x=space, y="pairs", height=height)


def shown_range(*histograms: ScoreBins) -> tuple[float, float]:
    """Return the stretch of the axis that holds every pair, with a margin of 2 %; (0, 1) if there is no pair."""
    held = [(bins.edges, np.flatnonzero(bins.negative + bins.positive)) for bins in histograms]
    lows = [edges[places[0]] for edges, places in held if len(places)]
    highs = [edges[places[-1] + 1] for edges, places in held if len(places)]
    if not lows:
        return 0.0, 1.0
    margin = 0.02 * (max(highs) - min(lows))
    return float(min(lows) - margin), float(max(highs) + margin)


def two_set_histogram(
    first: SetBins, second: SetBins, *, space: str = "cosine similarity", height: int = 480
) -> go.Figure:
    """Show whether two pair sets are equally hard: `faceted_histogram` of the two."""
    return faceted_histogram([first, second], space=space, height=height)


def faceted_histogram(
    sets: Sequence[SetBins], *, space: str = "cosine similarity", height: int | None = None
) -> go.Figure:
    """Show pair sets, or phases of one, one above the other on one similarity axis, as shares of each.

    Bars are per cent of the set's pairs, so that sets of different size compare; the grey area is the overlap, where
    similarity alone cannot tell the classes apart.

    Args:
        sets: What is drawn, from above.
        space: Title of the x axis: whose cosine it is.
        height: Pixels; by default as much as the number of sets takes.

    Returns:
        A figure with two bar traces a set: negative, then positive pairs.
    """
    n = len(sets)
    figure = make_subplots(
        rows=n,
        cols=1,
        shared_xaxes=True,
        shared_yaxes="all",
        vertical_spacing=0.24 / n,
        subplot_titles=[f"{plain(side.name)} · {side.bins.n:,} pairs" for side in sets],
    )
    for row, side in enumerate(sets, start=1):
        share = 100.0 / max(1, side.bins.n)
        for bar in _bars(side.bins, share, "%{y:.2f} % of pairs"):
            figure.add_trace(bar.update(showlegend=row == 1), row=row, col=1)
        if side.overlap is not None:
            _shade_overlap(figure, side.overlap, row)
    finish(figure, height=height or 100 + 190 * n)
    figure.update_xaxes(title_text="", range=shown_range(*(side.bins for side in sets)))
    figure.update_xaxes(title_text=space, row=n, col=1)
    highest = max(100 * _tallest(side.bins) / max(1, side.bins.n) for side in sets)
    figure.update_yaxes(title_text="% of pairs", range=(0, 1.05 * highest))  # shared axes range over one row alone
    figure.update_annotations(selector={"yanchor": "bottom"}, x=0, xanchor="left")
    return figure.update_layout(
        barmode="overlay",
        bargap=0,
        hovermode="x unified",
        margin={"t": 64},
        legend={"y": 1.07, "x": 1, "xanchor": "right"},
    )


def _bars(bins: ScoreBins, scale: float, hover: str) -> list[go.Bar]:
    width = float(bins.edges[1] - bins.edges[0])
    common = {"x": bins.centres, "width": width, "opacity": 0.7, "hovertemplate": hover}
    hatched = {"shape": "/", "solidity": 0.25, "fillmode": "overlay"}
    return [
        go.Bar(
            y=bins.negative * scale,
            name="negative pairs",
            legendgroup="negative",
            marker={"color": theme_colour(NEGATIVE)},
            **common,
        ),
        go.Bar(
            y=bins.positive * scale,
            name="positive pairs",
            legendgroup="positive",
            marker={"color": theme_colour(POSITIVE), "pattern": hatched},
            **common,
        ),
    ]


def _shade_overlap(figure: go.Figure, overlap: tuple[float, float], row: int) -> None:
    figure.add_vrect(
        x0=overlap[0],
        x1=overlap[1],
        row=row,
        col=1,
        fillcolor=NEUTRAL,
        opacity=0.14,
        line_width=0,
        layer="below",
        annotation={"text": "overlap", "yanchor": "top", "font_color": NEUTRAL},
    )


def _tallest(bins: ScoreBins) -> int:
    return int(max(bins.negative.max(initial=0), bins.positive.max(initial=0)))
