"""Figures of a dataset's description: lengths, categories by split, labels by split, scores by split."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from simtune_core.figures.style import HEIGHT, NEGATIVE, NEUTRAL, POSITIVE, finish, plain, theme_colour
from simtune_core.preparing.description import SCORE_BINS, Categories, Lengths, SplitFacts

_FIRST = 2  # theme colours below are those of negative and positive pairs
_SHAPES = ("", "/", "x", ".")  # splits differ by more than colour
_DASHES = ("solid", "dash", "dot", "dashdot")
_HATCH = {"solidity": 0.25, "fillmode": "overlay"}
_LONGEST = 28  # characters of a category on an axis
_SHOWN = 12  # categories drawn; the rest is one bar
_BAR = 34  # pixels a category
_LINE_REACH = 1.5  # a limit further right than this many times the bars is not drawn: it would squeeze them


def length_histogram(lengths: Lengths, *, encoder: str, height: int = HEIGHT) -> go.Figure:
    """Show how long the texts are, and where the encoder stops reading.

    Args:
        lengths: What was counted, each text once.
        encoder: Whose tokens they are.
        height: Pixels.

    Returns:
        A figure with the bar trace "texts"; the limit is a dashed line where it lies near the texts. The last bar
        holds all that is longer.
    """
    edges, counts = lengths.edges, lengths.counts
    width = edges[1] - edges[0]
    last = f"{edges[-2]:,} to {lengths.longest:,}"
    spans = [f"{low:,} to {low + width - 1:,}" if width > 1 else f"{low:,}" for low in edges[:-2]] + [last]
    figure = go.Figure(
        go.Bar(
            x=[low + width / 2 for low in edges[:-1]],
            y=counts,
            width=width,
            name="texts",
            customdata=spans,
            marker={"color": theme_colour(_FIRST)},
            hovertemplate=f"%{{y:,}} texts of %{{customdata}} {lengths.unit}<extra></extra>",
        )
    )
    if lengths.limit is not None and lengths.limit <= _LINE_REACH * edges[-1]:
        figure.add_vline(
            x=lengths.limit,
            line={"color": NEUTRAL, "dash": "dash", "width": 2},
            annotation={"text": f"{plain(encoder)} reads {lengths.limit:,}", "font_color": NEUTRAL},
            annotation_position="top left",
        )
    finish(figure, x=f"{lengths.unit} of a text", y="texts", height=height)
    return figure.update_layout(bargap=0.04, showlegend=False)


def category_bars(categories: Categories, splits: Sequence[str], *, what: str = "texts") -> go.Figure:
    """Show which share of each split the categories have, largest first from the top.

    Args:
        categories: The counts.
        splits: The splits, in order.
        what: What is counted.

    Returns:
        A figure with one horizontal bar trace per split, named by it.
    """
    shown = categories.largest[:_SHOWN]
    names = [_short(each["category"]) for each in shown]
    figure = go.Figure()
    for place, split in enumerate(splits):
        total = sum(each["counts"].get(split, 0) for each in categories.largest)
        counts = [each["counts"].get(split, 0) for each in shown]
        figure.add_bar(
            y=[f"{number} {name}" for number, name in enumerate(names, start=1)],  # equal short names stay apart
            x=[100 * count / max(1, total) for count in counts],
            orientation="h",
            name=plain(split),
            customdata=counts,
            marker={
                "color": theme_colour(_FIRST + place),
                "pattern": {**_HATCH, "shape": _SHAPES[place % len(_SHAPES)]},
            },
            hovertemplate=f"%{{customdata:,}} {what}, %{{x:.1f}} %",
        )
    height = max(HEIGHT, _BAR * len(shown) + 100)
    finish(figure, x=f"% of the split's {what}", height=height)
    figure.update_yaxes(autorange="reversed", automargin=True)
    return figure.update_layout(
        barmode="group", bargap=0.25, hovermode="y unified", showlegend=len(splits) > 1, legend_traceorder="normal"
    )


def label_bars(splits: Sequence[SplitFacts], *, height: int = HEIGHT) -> go.Figure:
    """Show which share of each split's pairs is similar and which is not.

    Returns:
        A figure with the horizontal bar traces "dissimilar" and "similar", in that order.
    """
    figure = go.Figure()
    kinds = (("dissimilar", NEGATIVE, "n_negative", ""), ("similar", POSITIVE, "n_positive", "/"))
    for name, colour, field, shape in kinds:
        counts = [getattr(split, field) for split in splits]
        totals = [max(1, split.n_negative + split.n_positive) for split in splits]
        figure.add_bar(
            y=[plain(split.split) for split in splits],
            x=[100 * count / total for count, total in zip(counts, totals, strict=True)],
            orientation="h",
            name=name,
            text=[f"{count:,}" if count else "" for count in counts],
            textposition="inside",
            insidetextanchor="middle",
            marker={"color": theme_colour(colour), "pattern": {**_HATCH, "shape": shape}},
            hovertemplate="%{text} pairs, %{x:.1f} %",
        )
    finish(figure, x="% of the split's pairs", height=height)
    figure.update_yaxes(autorange="reversed", automargin=True)
    return figure.update_layout(
        barmode="stack", bargap=0.4, hovermode="y unified", xaxis_range=(0, 100), legend_traceorder="normal"
    )


def score_lines(splits: Sequence[SplitFacts], *, height: int = HEIGHT) -> go.Figure:
    """Show how the scores of graded pairs are spread in each split.

    Returns:
        A figure with one stepped line per split, named by it.
    """
    figure = go.Figure()
    width = 1 / SCORE_BINS
    for place, split in enumerate(splits):
        shares = [100 * count / max(1, split.n_graded) for count in split.score_counts]
        figure.add_scatter(
            x=[number * width for number in range(SCORE_BINS + 1)],
            y=[*shares, shares[-1]],
            mode="lines",
            name=plain(split.split),
            line={"color": theme_colour(_FIRST + place), "dash": _DASHES[place % len(_DASHES)], "shape": "hv"},
            hovertemplate="%{y:.1f} %",
        )
    finish(figure, x="score", y="% of the split's pairs", height=height)
    return figure.update_layout(showlegend=len(splits) > 1, yaxis_rangemode="tozero", hovermode="x unified")


def _short(name: str) -> str:
    return plain(name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…")
