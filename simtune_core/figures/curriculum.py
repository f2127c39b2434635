"""The candidates and, below on the same axis, what every phase takes of them, beside the test pairs.

Drawn anew at every move of a slider, so it is made as the plain content of a figure: a `go.Figure` checks every value
of every trace, which costs several times as much as everything else that a move does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simtune_core.figures.histograms import ScoreBins, shown_range
from simtune_core.figures.style import NEGATIVE, NEUTRAL, POSITIVE, house_layout, plain, theme_colour

_POOL, _ROW, _GAP, _AROUND = 150, 104, 34, 96  # pixels: of the top row, of a phase, between rows, above and below
_NAMES = {NEGATIVE: "negative", POSITIVE: "positive"}
_PATTERNS = {NEGATIVE: "", POSITIVE: "/"}
LINES_PER_PHASE = 4  # shapes of a phase, in this order: pos_min, pos_max, neg_min, neg_max


@dataclass(frozen=True, slots=True, eq=False)
class PhaseBars:
    """What one phase takes.

    Attributes:
        name: The phase.
        bins: Its planned pairs, with the edges of the candidates' bins.
        positive_band: Least and greatest similarity of its positives.
        negative_band: Of its negatives.
        note: What stands beside its name, such as the number of pairs.
    """

    name: str
    bins: ScoreBins
    positive_band: tuple[float, float]
    negative_band: tuple[float, float]
    note: str = ""


def curriculum_figure(
    pool: ScoreBins, phases: Sequence[PhaseBars], test: ScoreBins | None = None, *, space: str, revision: str = "keep"
) -> dict[str, Any]:
    """Show what there is to choose from, what each phase chooses, and how the test pairs are spread.

    Args:
        pool: All candidates; on a logarithmic axis.
        phases: In order; each a row of shares of its pairs, with its bands' ends as lines that can be dragged.
        test: The test pairs, drawn into every row as outlines of shares of the test pairs; same edges as the pool's.
        space: Title of the similarity axis: whose cosine it is.
        revision: Zoom and hidden curves are kept while this stays the same.

    Returns:
        Traces and layout of a Plotly figure: two traces of candidates, then two of each phase and two of the test
        pairs beside them; `LINES_PER_PHASE` shapes a phase.
    """
    heights = [_POOL, *[_ROW] * len(phases)]
    total = sum(heights) + _GAP * len(phases)
    tops = total - np.cumsum([0, *(height + _GAP for height in heights[:-1])])
    domains = [((top - height) / total, top / total) for top, height in zip(tops, heights, strict=True)]
    traces = _pool_traces(pool)
    layout = house_layout(height=total + _AROUND, revision=revision) | {
        "xaxis": _shared_axis(pool, test, len(heights), space),
        "yaxis": _height_axis(domains[0], "candidates (log)") | {"type": "log", "dtick": 1, "exponentformat": "power"},
        "hovermode": "x unified",
        "hoversubplots": "axis",
        "margin": {"l": 56, "r": 12, "t": 46, "b": 48},
        "legend": {"orientation": "h", "x": 0, "y": 1.0, "xanchor": "left", "yanchor": "bottom"},
        "annotations": [],
        "shapes": [],
    }
    for row, (phase, domain) in enumerate(zip(phases, domains[1:], strict=True), start=2):
        traces += _phase_traces(phase, test, row)
        layout[f"yaxis{row}"] = _height_axis(domain, "% of pairs") | {"rangemode": "tozero"}
        layout["annotations"].append(_row_title(phase, domain))
        layout["shapes"] += _band_lines(phase, row)
    return {"data": traces, "layout": layout}


def _pool_traces(pool: ScoreBins) -> list[dict[str, Any]]:
    return [
        _step(pool, np.where(counts > 0, counts, np.nan), f"{_NAMES[kind]} candidates", kind, 1)
        | {"hovertemplate": "%{y:,} pairs"}
        for kind, counts in ((NEGATIVE, pool.negative), (POSITIVE, pool.positive))
    ]


def _phase_traces(phase: PhaseBars, test: ScoreBins | None, row: int) -> list[dict[str, Any]]:
    first = row == 2
    drawn = []
    for kind, name in _NAMES.items():
        drawn.append(
            _step(phase.bins, _shares(phase.bins, kind), f"planned {name}", kind, row, shown=first)
            | {"fill": "tozeroy", "fillcolor": theme_colour(kind), "fillpattern": _pattern(kind)}
        )
    if test is not None:
        for kind, name in _NAMES.items():
            outline = _step(test, _shares(test, kind), f"test {name}", kind, row, shown=first)
            drawn.append(outline | {"line": outline["line"] | {"dash": "dot", "width": 2}})
    return drawn


def _step(
    bins: ScoreBins, heights: NDArray[Any], name: str, kind: int, row: int, *, shown: bool = True
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "legendgroup": name,
        "showlegend": shown,
        "x0": round(float(bins.centres[0]), 6),
        "dx": round(float(bins.edges[1] - bins.edges[0]), 6),
        "y": _without_ends(heights.tolist()),
        "xaxis": "x",
        "yaxis": "y" if row == 1 else f"y{row}",
        "line": {"color": theme_colour(kind), "shape": "linear", "width": 1.5},
        "hovertemplate": "%{y:.2f} %",
    }


def _without_ends(heights: list[float]) -> list[float | None]:
    """Return heights with None before the bin left of the first pair and after the bin right of the last one."""
    held = [place for place, value in enumerate(heights) if value > 0]
    if not held:
        return [None] * len(heights)
    first, last = held[0] - 1, held[-1] + 1
    return [value if first <= place <= last and value == value else None for place, value in enumerate(heights)]


def _pattern(kind: int) -> dict[str, Any]:
    solid = {"shape": _PATTERNS[kind], "fillmode": "replace", "solidity": 0.35, "size": 6}
    return solid | {"fgcolor": theme_colour(kind)}


def _shares(bins: ScoreBins, kind: int) -> NDArray[np.float64]:
    counts = bins.positive if kind == POSITIVE else bins.negative
    return np.round(100.0 * counts / max(1, bins.n), 3)


def _shared_axis(pool: ScoreBins, test: ScoreBins | None, n_rows: int, space: str) -> dict[str, Any]:
    low, high = shown_range(pool, *([test] if test else []))
    return {
        "title": {"text": plain(space)},
        "anchor": "y" if n_rows == 1 else f"y{n_rows}",
        "range": [low, high],
        "showspikes": True,
        "spikemode": "across",
        "spikethickness": 1,
        "spikecolor": NEUTRAL,
        "spikedash": "dot",
        "automargin": False,
    }


def _height_axis(domain: tuple[float, float], title: str) -> dict[str, Any]:
    return {
        "domain": list(domain),
        "anchor": "x",
        "title": {"text": title},
        "fixedrange": True,
        "nticks": 4,
        "automargin": False,
    }


def _row_title(phase: PhaseBars, domain: tuple[float, float]) -> dict[str, Any]:
    return {
        "text": f"<b>{plain(phase.name)}</b> {plain(phase.note)}",
        "x": 0, "xref": "paper", "xanchor": "left", "y": domain[1], "yref": "paper", "yanchor": "bottom",
        "showarrow": False,
    }  # fmt: skip


def _band_lines(phase: PhaseBars, row: int) -> list[dict[str, Any]]:
    return [
        {
            "type": "line", "x0": x, "x1": x, "xref": "x", "y0": 0, "y1": 1, "yref": f"y{row} domain",
            "line": {"color": theme_colour(kind), "width": 2, "dash": ("solid", "dash")[kind]},
            "editable": True,
        }
        for kind, ends in ((POSITIVE, phase.positive_band), (NEGATIVE, phase.negative_band))
        for x in ends
    ]  # fmt: skip
