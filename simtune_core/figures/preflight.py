"""What a preflight rests on, at a glance: the room above the baseline, the empty bands, and the probe's difference."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from simtune_core.difficulty.preflight.coverage import Cell, Coverage
from simtune_core.difficulty.preflight.detectable import Detectable
from simtune_core.difficulty.preflight.headroom import Standing
from simtune_core.difficulty.preflight.probe import Probe
from simtune_core.difficulty.preflight.reasons import METRIC_WORDS
from simtune_core.figures.style import NEGATIVE, NEUTRAL, POSITIVE, finish, theme_colour

SMALL = 270  # pixels
_WORST = {"roc_auc": 0.5, "spearman_cosine": 0.0}  # what a coin gets
_TOO_FEW = "not covered"
_HATCH = {"shape": "/", "solidity": 0.25, "fillmode": "overlay"}
_EMPTY = {"shape": "x", "solidity": 0.4, "fillmode": "overlay"}


def headroom_bars(train: Standing, test: Standing, *, height: int = SMALL) -> go.Figure:
    """Show how much of the way from a coin to perfection the untouched baseline has gone on either set.

    Args:
        train: The baseline on the training pairs.
        test: The baseline on the test pairs.
        height: Pixels.

    Returns:
        A figure with the bar traces "baseline" and "room above it", one bar for each set whose metric is defined.
    """
    shown = [(name, each) for name, each in (("test pairs", test), ("training pairs", train)) if each.value is not None]
    names = [f"{name}<br>{METRIC_WORDS[each.metric]} <b>{each.value:.3f}</b>" for name, each in shown]
    starts = [_WORST[each.metric] for _, each in shown]
    values = [each.value or 0.0 for _, each in shown]
    figure = go.Figure()
    figure.add_bar(
        y=names, x=[value - start for value, start in zip(values, starts, strict=True)], base=starts, name="baseline",
        orientation="h", marker={"color": theme_colour(0)}, customdata=values, hovertemplate="%{customdata:.4f}",
    )  # fmt: skip
    figure.add_bar(
        y=names, x=[max(0.0, 1.0 - value) for value in values], base=values, name="room above it", orientation="h",
        marker={"color": NEUTRAL, "opacity": 0.25}, hovertemplate="%{x:.4f}",
    )  # fmt: skip
    finish(figure, height=height)
    return figure.update_layout(
        barmode="overlay", bargap=0.35, xaxis_range=(min(starts, default=0.0), 1.0), yaxis_automargin=True,
        margin={"l": 8, "b": 32},
    )  # fmt: skip


def coverage_bars(coverage: Coverage, *, space: str = "cosine", height: int = SMALL) -> go.Figure:
    """Show where the test pairs lie, and in which of these bands there are too few training pairs of their label.

    Args:
        coverage: The counts.
        space: Title of the x axis: whose cosine it is.
        height: Pixels.

    Returns:
        Two rows, dissimilar pairs above similar ones, with the traces "negative pairs", "positive pairs", and, only
        where there are such bands, "not covered" (once in either row).
    """
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.08)
    for row, (label, name) in enumerate(((0, "negative pairs"), (1, "positive pairs")), start=1):
        own = [cell for cell in coverage.cells if cell.label == label and cell.n_test]
        n_test = sum(cell.n_test for cell in own)
        colour = theme_colour(POSITIVE if label else NEGATIVE)
        marker = {"color": colour, "pattern": _HATCH} if label else {"color": colour}
        bar = _bars([cell for cell in own if cell.covered], n_test, coverage.width)
        figure.add_trace(bar.update(name=name, marker=marker), row=row, col=1)
        empty = [cell for cell in own if not cell.covered]
        if empty:
            first = not any(trace.name == _TOO_FEW for trace in figure.data)
            bar = _bars(empty, n_test, coverage.width)
            bar.update(name=_TOO_FEW, legendgroup=_TOO_FEW, showlegend=first)
            figure.add_trace(bar.update(marker={"color": NEUTRAL, "pattern": _EMPTY}), row=row, col=1)
        figure.update_yaxes(title_text="% of test", row=row, col=1)
    finish(figure, height=height)
    figure.update_xaxes(title_text="")
    figure.update_xaxes(title_text=space, row=2, col=1)
    return figure.update_layout(barmode="overlay", bargap=0.05, hovermode="closest", showlegend=True)


def probe_difference(probe: Probe, detectable: Detectable | None, *, height: int = SMALL) -> go.Figure:
    """Show what the probe gains on the test pairs, with its interval against 0 and what the test pairs can show at all.

    Args:
        probe: The probe.
        detectable: What the test pairs can show; the band of differences that they cannot is shaded.
        height: Pixels.

    Returns:
        A figure with the traces "training records it never saw" and "test pairs" (with error bars), where defined.
    """
    figure = go.Figure()
    if probe.inside is not None:
        figure.add_scatter(
            x=[probe.inside.gain], y=["training<br>records<br>held out"], name="training records it never saw",
            mode="markers",
            marker={"size": 10, "symbol": "circle-open", "color": theme_colour(0), "line": {"width": 2}},
            hovertemplate="%{x:+.4f}",
        )  # fmt: skip
    if probe.difference is not None:
        change = probe.difference
        figure.add_scatter(
            x=[change.estimate], y=["test<br>pairs"], name="test pairs", mode="markers",
            marker={"size": 11, "symbol": "diamond", "color": theme_colour(1)},
            error_x={
                "array": [change.high - change.estimate], "arrayminus": [change.estimate - change.low],
                "symmetric": False, "thickness": 2, "width": 6,
            },
            hovertemplate="%{x:+.4f}",
        )  # fmt: skip
    figure.add_vline(x=0, line={"color": NEUTRAL, "width": 2})
    if detectable is not None:
        figure.add_vrect(
            x0=-detectable.difference, x1=detectable.difference, fillcolor=NEUTRAL, opacity=0.14, line_width=0,
            layer="below", annotation={"text": "too small to show", "yanchor": "bottom", "y": 1, "font_color": NEUTRAL},
        )  # fmt: skip
    finish(figure, x=f"difference in {METRIC_WORDS[probe.metric]} to the baseline, points", height=height)
    return figure.update_layout(showlegend=False, hovermode="closest", yaxis_automargin=True, margin={"l": 8})


def _bars(cells: Sequence[Cell], n_test: int, width: float) -> go.Bar:
    return go.Bar(
        x=[(cell.low + cell.high) / 2 for cell in cells],
        y=[100.0 * cell.n_test / max(1, n_test) for cell in cells],
        width=width,
        customdata=[[cell.low, cell.high, cell.n_test, cell.n_train] for cell in cells],
        hovertemplate=(
            "%{customdata[0]:.2f} to %{customdata[1]:.2f}: %{customdata[2]:,} test, %{customdata[3]:,} training pairs"
        ),
    )
