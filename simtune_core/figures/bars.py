"""How large the update of every adapted layer is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from simtune_core.figures.style import HEIGHT, NEUTRAL, finish, plain, theme_colour

_SHAPES = ("", "/", "x", ".", "\\", "+")  # kinds of module differ by more than colour
_HATCH = {"solidity": 0.25, "fillmode": "overlay"}


@dataclass(frozen=True, slots=True)
class LayerNorm:
    """The size of one layer's update.

    Attributes:
        layer: Number of the transformer layer, counted from 0.
        module: What is adapted in it, such as `query`.
        norm: Frobenius norm of lora_B, or of the whole update; 0 means that the adapter changes nothing here.
    """

    layer: int
    module: str
    norm: float


def layer_norms(layers: Sequence[LayerNorm], *, quantity: str = "norm of lora_B", height: int = HEIGHT) -> go.Figure:
    """Show which layers an adapter changes, and by how much; a layer of norm 0 is marked by a cross on the axis.

    Args:
        layers: One entry per adapted module.
        quantity: Title of the y axis.
        height: Pixels.

    Returns:
        A figure with one bar trace per kind of module, in order of appearance, and, only where there are such layers,
        the trace "no change at all".
    """
    figure = go.Figure()
    modules = list(dict.fromkeys(item.module for item in layers))
    for place, module in enumerate(modules):
        mine = [item for item in layers if item.module == module]
        figure.add_bar(
            x=[item.layer for item in mine],
            y=[item.norm for item in mine],
            name=plain(module),
            marker={"color": theme_colour(place), "pattern": {**_HATCH, "shape": _SHAPES[place % len(_SHAPES)]}},
            hovertemplate="%{y:.4g}",
        )
    untouched = sorted({item.layer for item in layers if item.norm == 0})
    if untouched:
        figure.add_scatter(
            x=untouched,
            y=[0.0] * len(untouched),
            name="no change at all",
            mode="markers",
            marker={"symbol": "x", "size": 11, "color": NEUTRAL},
            hovertemplate="0 in at least one module",
        )
    finish(figure, x="transformer layer", y=quantity, height=height)
    return figure.update_layout(barmode="group", bargap=0.25, hovermode="x unified", xaxis_dtick=1, showlegend=True)
