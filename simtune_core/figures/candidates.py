"""How many candidate pairs a table of records holds at every similarity, and where the phases cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from simtune_core.figures.histograms import ScoreBins, shown_range
from simtune_core.figures.style import NEGATIVE, POSITIVE, finish, plain, theme_colour

_DASHES = ("solid", "dash", "dot")


@dataclass(frozen=True, slots=True)
class PhaseLines:
    """Where one phase takes its pairs from, in cosine similarity.

    Attributes:
        name: The phase.
        positive_from: Least similarity of its positive pairs.
        negative_to: Similarity below which its negative pairs lie.
    """

    name: str
    positive_from: float
    negative_to: float


def candidate_histogram(
    bins: ScoreBins, phases: Sequence[PhaseLines] = (), *, space: str = "TF-IDF cosine", height: int = 420
) -> go.Figure:
    """Show how many pairs there are to choose from, on a logarithmic axis, and every phase's two thresholds.

    Args:
        bins: Exact counts of all candidate pairs; empty bins leave gaps.
        phases: In order; solid, dashed and dotted lines in the colour of the kind of pair they bound.
        space: Title of the x axis: whose cosine it is.
        height: Pixels.

    Returns:
        A figure with the traces "negative candidates" and "positive candidates", and two lines per phase.
    """
    figure = go.Figure()
    for name, counts, colour in (
        ("negative candidates", bins.negative, NEGATIVE),
        ("positive candidates", bins.positive, POSITIVE),
    ):
        figure.add_scatter(
            x=bins.centres,
            y=np.where(counts > 0, counts, np.nan),
            name=name,
            mode="lines",
            line={"color": theme_colour(colour), "shape": "hvh", "width": 2, "dash": ("solid", "dot")[colour]},
            hovertemplate="%{y:,} pairs",
        )
    for place, phase in enumerate(phases):
        _phase_line(figure, phase.negative_to, f"{phase.name} <", NEGATIVE, place)
        _phase_line(figure, phase.positive_from, f"{phase.name} ≥", POSITIVE, place)
    finish(figure, x=space, y="pairs in bin (log)", height=height)
    figure.update_yaxes(type="log", dtick=1, exponentformat="power")
    return figure.update_layout(
        hovermode="x unified", margin={"t": 124}, legend={"y": -0.24, "yanchor": "top"}, xaxis_range=shown_range(bins)
    )


def _phase_line(figure: go.Figure, x: float, label: str, colour: int, place: int) -> None:
    """Draw one threshold; every label has a line of its own, so that near thresholds stay readable."""
    figure.add_vline(x=x, line={"color": theme_colour(colour), "dash": _DASHES[place % 3], "width": 1.5})
    figure.add_annotation(
        x=x,
        y=1.0,
        yref="paper",
        yshift=4 + 17 * (place % 3) + 51 * colour,
        yanchor="bottom",
        showarrow=False,
        text=f"{plain(label)} {x:.2f}",
        font={"size": 12, "color": theme_colour(colour)},
    )
