"""What the difficulty page shows of a finished measurement: the table of numbers and the two histograms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from simtune_core.difficulty.bins import coarsen
from simtune_core.difficulty.separability import Side, side_from_json
from simtune_core.figures.histograms import ScoreBins, SetBins

_BIN_WIDTH = 0.02


@dataclass(frozen=True, slots=True)
class NumberRow:
    """One number of both sets: what it is called, its key in the result, and its values (None where undefined)."""

    label: str
    name: str
    values: tuple[float | int | None, ...]


# What the table shows, in this order: label, key. docs/metrics.md defines each.
_ROWS = (
    ("pairs", "n_pairs"),
    ("share of positives", "prevalence"),
    ("separability", "separability"),
    ("overlap", "overlap"),
    ("positives at or above", "lowest_positive"),
    ("negatives at or below", "highest_negative"),
    ("positive mean", "positive_mean"),
    ("negative mean", "negative_mean"),
    ("ROC-AUC of the encoder", "roc_auc"),
    ("Spearman of the encoder", "spearman_cosine"),
    ("Spearman's ceiling here", "spearman_ceiling"),
    ("share of the ceiling", "spearman_share"),
    ("ROC-AUC of TF-IDF", "tfidf_roc_auc"),
)


def number_rows(result: dict[str, Any]) -> list[NumberRow]:
    """Return the numbers of a difficulty result row by row, one value per set."""
    return [NumberRow(label, name, tuple(side[name] for side in result["sides"])) for label, name in _ROWS]


def set_bins(result: dict[str, Any]) -> list[SetBins]:
    """Return the histograms of a difficulty result on common bins, with the overlap of each set."""
    sides = [(side["ref"], side_from_json(side)) for side in result["sides"]]
    counts = np.stack([side.negative_counts for _, side in sides] + [side.positive_counts for _, side in sides])
    coarse = coarsen(counts, width=_BIN_WIDTH)
    edges = np.append(coarse.left, coarse.left[-1] + coarse.width)
    half = len(sides)
    return [
        SetBins(ref, ScoreBins(edges, coarse.counts[place], coarse.counts[half + place]), _overlap(side))
        for place, (ref, side) in enumerate(sides)
    ]


def _overlap(side: Side) -> tuple[float, float] | None:
    if side.lowest_positive is None or side.highest_negative is None or side.lowest_positive > side.highest_negative:
        return None
    return side.lowest_positive, side.highest_negative
