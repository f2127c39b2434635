"""Cumulative distributions of similarity: the share of each class of pair sets at or below every similarity."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from simtune_core.figures.histograms import SetBins, shown_range
from simtune_core.figures.style import NEGATIVE, POSITIVE, finish, plain, theme_colour, threshold_line

_DASHES = ("solid", "dash", "dot", "dashdot")


def cumulative_shares(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the share of pairs below each edge of the bins, in per cent from 0 to 100; shape (n_bins + 1,).

    All are 0 where there is no pair.
    """
    return np.append(0.0, 100.0 * np.cumsum(counts) / max(1, int(counts.sum())))


def cumulative_figure(
    sets: Sequence[SetBins],
    *,
    space: str = "cosine similarity",
    threshold: float | None = None,
    height: int = 420,
) -> go.Figure:
    """Show how fast the classes of pair sets fill up along the similarity; a set is a dash, a class a colour.

    Args:
        sets: One to four sets on the same bins.
        space: Title of the x axis: whose cosine it is.
        threshold: A dashed line; None for none.
        height: Pixels.

    Returns:
        A figure with two line traces a set: negative, then positive pairs. Classes without pairs have none.
    """
    figure = go.Figure()
    for place, each in enumerate(sets):
        for kind, colour, counts in (
            ("negative", NEGATIVE, each.bins.negative),
            ("positive", POSITIVE, each.bins.positive),
        ):
            if not counts.any():
                continue
            figure.add_scatter(
                x=each.bins.edges,
                y=cumulative_shares(counts),
                mode="lines",
                name=f"{plain(each.name)} · {kind} pairs",
                line={"color": theme_colour(colour), "dash": _DASHES[place % len(_DASHES)], "width": 2},
                hovertemplate="%{y:.1f} %",
            )
    if threshold is not None:
        threshold_line(figure, threshold)
    figure.update_layout(hovermode="x unified", xaxis_range=shown_range(*(each.bins for each in sets)))
    return finish(figure, x=space, y="% of the class at or below", height=height)
