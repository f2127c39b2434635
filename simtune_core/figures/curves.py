"""Training curves: what a run has measured so far, over its steps, with the untouched baseline and the phases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from simtune_core.figures.style import NEUTRAL, Band, house_layout, phase_bands, plain, theme_colour

POINTS_ON_SCREEN = 1500  # what other trackers draw; more only costs bytes


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """One measured quantity over the steps of a run.

    Attributes:
        name: What it is called in the legend, such as a run's title.
        steps: Ascending; shape (n_points,).
        values: Shape (n_points,); NaN leaves a gap.
        colour: Place in the palette; the run's or model's place in the workspace.
    """

    name: str
    steps: NDArray[np.float64]
    values: NDArray[np.float64]
    colour: int = 0


def training_curves(
    curves: Mapping[str, Sequence[Curve]],
    *,
    baseline: float | None = None,
    phases: Sequence[Band] = (),
    smoothing: float = 0.6,
    revision: str = "keep",
    height: int = 280,
) -> dict[str, go.Figure]:
    """Show how a training goes: one figure each for loss, dev metric, learning rate and gradient norm.

    Args:
        curves: One curve per run for each of "loss", "dev", "learning_rate", "grad_norm", or others by their title;
            quantities without a point are left out.
        baseline: The untouched model's dev metric, drawn dashed.
        phases: Shaded in every figure, in steps.
        smoothing: Weight of the past in the smoothed loss and gradient norm, in [0, 1); 0 draws the raw values alone.
        revision: The run's id: zoom is kept while it stays the same.
        height: Pixels of each figure.

    Returns:
        A figure by quantity, in the order given. Noisy quantities have the traces "NAME (raw)", faint, and "NAME"; the
        dev figure has one trace per curve and, where known, "untouched baseline".
    """
    figures = {}
    for quantity, runs in curves.items():
        drawn = [run for run in runs if len(run.steps)]
        if not drawn:
            continue
        noisy = quantity in ("loss", "grad_norm") and smoothing > 0
        lines = [_noisy(run, smoothing) if noisy else [_line(run, markers=quantity == "dev")] for run in drawn]
        figure = go.Figure(
            [line for group in lines for line in group],
            _layout(TITLES.get(quantity, plain(quantity)), len(drawn), height=height, revision=revision),
        )
        if quantity == "dev" and baseline is not None:
            _draw_baseline(figure, drawn, baseline)
        phase_bands(figure, phases)
        figures[quantity] = figure
    if "learning_rate" in figures:
        figures["learning_rate"].update_yaxes(exponentformat="e", rangemode="tozero")
    return figures


TITLES = {"loss": "loss", "dev": "dev ROC-AUC", "learning_rate": "learning rate", "grad_norm": "gradient norm"}


def smoothed(values: ArrayLike, weight: float) -> NDArray[np.float64]:
    """Return the exponential moving average, corrected for its start; a NaN stays a NaN and is passed over.

    Args:
        values: Shape (n_points,).
        weight: Weight of the past, in [0, 1).

    Source:
        Kingma and Ba, Adam, 2015, section 3 (bias correction); TensorBoard and W&B smooth their curves alike.
    """
    known = pd.Series(np.asarray(values, dtype=np.float64))
    return known.ewm(alpha=1 - weight, adjust=True, ignore_na=True).mean().where(known.notna()).to_numpy()


def thinned(curve: Curve, n_points: int = POINTS_ON_SCREEN) -> Curve:
    """Return the curve with at most `n_points` of its own points, extremes kept; for the screen, never for the store.

    Source:
        MinMaxLTTB, Van Der Donckt and others, 2023, as in tsdownsample.
    """
    if len(curve.steps) <= n_points:
        return curve
    from tsdownsample import NaNMinMaxLTTBDownsampler

    kept = NaNMinMaxLTTBDownsampler().downsample(
        np.ascontiguousarray(curve.steps, dtype=np.float64),
        np.ascontiguousarray(curve.values, dtype=np.float64),
        n_out=n_points,
    )
    return Curve(curve.name, curve.steps[kept], curve.values[kept], curve.colour)  # noqa: PD011 (a curve, no frame)


def _layout(title: str, n_runs: int, *, height: int, revision: str) -> dict[str, Any]:
    layout = house_layout(x="step", y=title, height=height, revision=revision)
    layout["margin"]["t"] = 60 if n_runs > 1 else 24
    if n_runs > 1:
        layout["legend"]["y"] = 1.11
    return layout | {"hovermode": "x unified", "showlegend": n_runs > 1}


def _noisy(run: Curve, weight: float) -> list[go.Scatter]:
    smooth = Curve(run.name, run.steps, smoothed(run.values, weight), run.colour)
    raw = _line(run).update(name=f"{plain(run.name)} (raw)", opacity=0.25, hoverinfo="skip", showlegend=False)
    return [raw, _line(smooth)]


def _line(run: Curve, *, markers: bool = False) -> go.Scatter:
    shown = thinned(run)
    return go.Scatter(
        x=shown.steps,
        y=shown.values,
        name=plain(run.name),
        mode="lines+markers" if markers else "lines",
        line={"color": theme_colour(run.colour), "width": 2},
        marker={"color": theme_colour(run.colour), "size": 6},
        hovertemplate="%{y:.4g}",
    )


def _draw_baseline(figure: go.Figure, runs: Sequence[Curve], baseline: float) -> None:
    first, last = min(float(run.steps[0]) for run in runs), max(float(run.steps[-1]) for run in runs)
    figure.add_scatter(
        x=[min(0.0, first), max(last, 1.0)],
        y=[baseline, baseline],
        name="untouched baseline",
        mode="lines",
        line={"color": NEUTRAL, "dash": "dash", "width": 2},
        hovertemplate="%{y:.4f}",
        showlegend=False,
    )
    figure.add_annotation(
        x=1,
        xref="paper",
        xanchor="right",
        y=baseline,
        yanchor="bottom",
        showarrow=False,
        text=f"untouched baseline {baseline:.4f}",
        font={"color": NEUTRAL, "size": 12},
    )
