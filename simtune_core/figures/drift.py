"""What augmentation did to the similarities: the children of each label beside the outline of what was there."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from simtune_core.figures.histograms import ScoreBins, shown_range
from simtune_core.figures.style import NEGATIVE, NEUTRAL, POSITIVE, finish, theme_colour

_HATCH = {"shape": "/", "solidity": 0.25, "fillmode": "overlay"}


def drift_histogram(
    before: ScoreBins, children: ScoreBins, *, space: str = "cosine similarity", height: int = 420
) -> go.Figure:
    """Show where the children of each label lie, as shares of them, behind the outline of the pairs before.

    Args:
        before: The pairs that were there.
        children: The new ones, on the same edges.
        space: Title of the x axis: whose cosine it is.
        height: Pixels.

    Returns:
        A figure of two rows, negatives above positives; the traces of each are the bars of the children and the line
        "before".
    """
    labels = (
        ("negative", before.negative, children.negative, NEGATIVE),
        ("positive", before.positive, children.positive, POSITIVE),
    )
    figure = make_subplots(
        rows=2,
        cols=1,
        shared_xaxes=True,
        vertical_spacing=0.16,
        subplot_titles=[f"{name} · {old.sum():,} before, {new.sum():,} children" for name, old, new, _ in labels],
    )
    for row, (name, old, new, colour) in enumerate(labels, start=1):
        bars = go.Bar(
            x=children.centres, y=_shares(new), width=float(children.edges[1] - children.edges[0]), opacity=0.7,
            name=f"{name} children", hovertemplate="%{y:.2f} %",
            marker={"color": theme_colour(colour), **({"pattern": _HATCH} if colour == POSITIVE else {})},
        )  # fmt: skip
        outline = go.Scatter(
            x=before.centres, y=_shares(old), name="before", legendgroup="before", showlegend=row == 1, mode="lines",
            line={"color": NEUTRAL, "width": 2, "shape": "hvh"}, hovertemplate="%{y:.2f} %",
        )  # fmt: skip
        figure.add_traces([bars, outline], rows=row, cols=1)
    finish(figure, height=height)
    figure.update_xaxes(title_text="", range=shown_range(before, children))
    figure.update_xaxes(title_text=space, row=2, col=1)
    figure.update_yaxes(title_text="% of each", rangemode="tozero")
    figure.update_annotations(selector={"yanchor": "bottom"}, x=0, xanchor="left")
    return figure.update_layout(
        bargap=0, hovermode="x unified", margin={"t": 64}, legend={"y": 1.1, "x": 1, "xanchor": "right"}
    )


def _shares(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return counts as per cent of their sum; zeros without any."""
    return 100.0 * counts / max(1, int(counts.sum()))
