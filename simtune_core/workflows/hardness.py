"""What the difficulty page and command show of a measurement: its numbers in groups, in words, and its histograms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from simtune_core.difficulty.bins import coarsen
from simtune_core.difficulty.config import DifficultyConfig
from simtune_core.difficulty.separability import QUANTILES, Side, side_from_json
from simtune_core.figures.histograms import ScoreBins, SetBins

Form = Literal["count", "share", "number"]
Value = float | int | None
_BIN_WIDTH = 0.02
UNDEFINED = "not defined"


@dataclass(frozen=True, slots=True)
class NumberRow:
    """One number of one or both sets.

    Attributes:
        label: What it is called.
        name: Its key in the result.
        values: Of each set; None where undefined.
        group: What it is about: size, similarity, separation, ranking or mix.
        form: How it is written: a count, a share in per cent, or a number of three decimals.
        interval: The ends of the interval of the first set's minus the second's; None where there is none.
    """

    label: str
    name: str
    values: tuple[Value, ...]
    group: str = ""
    form: Form = "number"
    interval: tuple[float, float] | None = None

    @property
    def difference(self) -> float | None:
        """Return the first set's value minus the second's; None for counts and where one is undefined."""
        if self.form == "count" or len(self.values) < 2 or self.values[0] is None or self.values[1] is None:
            return None
        return self.values[0] - self.values[1]


# What the table shows, in this order: group, form, label, key. docs/metrics.md defines each.
_ROWS: tuple[tuple[str, Form, str, str], ...] = (
    ("size", "count", "pairs", "n_pairs"),
    ("size", "share", "share of positives", "prevalence"),
    ("similarity", "number", "positive mean", "positive_mean"),
    ("similarity", "number", "negative mean", "negative_mean"),
    ("similarity", "number", "positives at or above", "lowest_positive"),
    ("similarity", "number", "negatives at or below", "highest_negative"),
    ("separation", "number", "separability", "separability"),
    ("separation", "share", "overlap", "overlap"),
    ("separation", "share", "overlap, 1 % to 99 %", "overlap_robust"),
    ("separation", "share", "overlapping coefficient", "overlap_coefficient"),
    ("ranking", "number", "ROC-AUC of the encoder", "roc_auc"),
    ("ranking", "number", "Spearman of the encoder", "spearman_cosine"),
    ("ranking", "number", "Spearman's ceiling here", "spearman_ceiling"),
    ("ranking", "share", "share of the ceiling", "spearman_share"),
    ("ranking", "number", "ROC-AUC of TF-IDF", "tfidf_roc_auc"),
    ("mix", "share", "in the grey zone", "grey_share"),
    ("mix", "share", "same category", "same_category_share"),
    ("mix", "share", "same category, negatives", "same_category_share_negative"),
)
# What a phase is told by: label, key, form.
_PHASE_COLUMNS: tuple[tuple[str, str, Form], ...] = (
    ("pairs", "n_pairs", "count"),
    ("share of positives", "prevalence", "share"),
    ("separability", "separability", "number"),
    ("overlap", "overlap", "share"),
    ("overlap, 1 % to 99 %", "overlap_robust", "share"),
    ("ROC-AUC of the encoder", "roc_auc", "number"),
    ("in the grey zone", "grey_share", "share"),
    ("same category", "same_category_share", "share"),
)


def number_rows(
    result: dict[str, Any],
    *,
    grey: tuple[float, float] | None = None,
    mismatch: dict[str, Any] | None = None,
) -> list[NumberRow]:
    """Return the numbers of a difficulty result row by row, one value per set.

    Args:
        result: Of a `difficulty` job.
        grey: Another grey zone than the result's, read from its bins.
        mismatch: Of a `mismatch` job on the same sets, for the intervals of the differences.
    """
    sides = [side | {"grey_share": _grey_share(side, grey)} for side in result["sides"]]
    found = mismatch["differences"] if mismatch else {}
    if mismatch and grey not in (None, grey_zone_of(mismatch)):
        found = found | {"grey_share": None}
    rows = []
    for group, form, label, name in _ROWS:
        ends = found.get(name)
        interval = (ends["low"], ends["high"]) if ends else None
        rows.append(NumberRow(label, name, tuple(side[name] for side in sides), group, form, interval))
    return rows


def grey_zone_of(result: dict[str, Any]) -> tuple[float, float]:
    """Return the grey zone of a result of a `difficulty` or `mismatch` job."""
    return result["grey_low"], result["grey_high"]


def space_of(result: dict[str, Any]) -> str:
    """Name the space of a result: whose cosine, and in which number format."""
    precision = "" if result["encoder"] == "tfidf" else f" (precision {result['precision']})"
    return f"cosine of {result['title']}{precision}"


def usual_grey_zone() -> tuple[float, float]:
    """Return the grey zone where none is chosen."""
    usual = DifficultyConfig()
    return usual.grey_low, usual.grey_high


def in_words(value: Value, form: Form) -> str:
    """Write a value: `1,000`, `54.4 %`, `0.187`, or that it is not defined."""
    if value is None:
        return UNDEFINED
    if form == "count":
        return f"{value:,}"
    return f"{100 * value:.1f} %" if form == "share" else f"{value:.3f}"


def difference_in_words(row: NumberRow) -> str:
    """Write a row's difference with its sign; shares in percentage points. Empty for counts and a single set."""
    if row.difference is None:
        return UNDEFINED if row.form != "count" and len(row.values) == 2 else ""
    return _signed(row.difference, row.form) + (" points" if row.form == "share" else "")


def interval_in_words(row: NumberRow) -> str:
    """Write the interval of a row's difference, with the difference's signs; empty where there is none."""
    if row.interval is None:
        return ""
    return " to ".join(_signed(end, row.form) for end in row.interval)


def spread_rows(result: dict[str, Any]) -> list[dict[str, str]]:
    """Return how the similarities of each class of each set are spread: mean, sd and quantiles, in words."""
    rows = []
    for side in result["sides"]:
        for kind in ("positive", "negative"):
            quantiles = side[f"{kind}_quantiles"] or [None] * len(QUANTILES)
            numbers = {"mean": side[f"{kind}_mean"], "sd": side[f"{kind}_sd"]}
            numbers |= {f"{100 * share:g} %": value for share, value in zip(QUANTILES, quantiles, strict=True)}
            rows.append(
                {"set": side["ref"], "pairs of": f"{kind}s", "n": in_words(side[f"n_{kind}"], "count")}
                | {name: in_words(value, "number") for name, value in numbers.items()}
            )
    return rows


def phase_rows(result: dict[str, Any], *, grey: tuple[float, float] | None = None) -> list[dict[str, str]]:
    """Return the main numbers of every phase of every set, in words; empty where no set has phases."""
    return [
        {"set": side["ref"], "phase": phase["phase"]}
        | {
            label: in_words(_grey_share(phase, grey) if name == "grey_share" else phase[name], form)
            for label, name, form in _PHASE_COLUMNS
        }
        for side in result["sides"]
        for phase in side["phases"]
    ]


def intervals_note(mismatch: dict[str, Any]) -> str:
    """Say what the intervals of a `mismatch` result rest on."""
    counts = " and ".join(f"{side['n_records']:,} records of {side['ref']}" for side in mismatch["sides"])
    shared = mismatch["n_shared_records"]
    how = f"; the {shared:,} they share are drawn together" if shared else ", which share none"
    bins = " Similarities were taken in bins of 0.001." if mismatch["method"] == "bins" else ""
    return (
        f"{100 * mismatch['level']:g} % intervals from {mismatch['n_resamples']:,} resamples of {counts}{how}.{bins} "
        "An interval that excludes 0 is a difference that other records of the same kind would show too."
    )


def set_bins(result: dict[str, Any]) -> list[SetBins]:
    """Return the histograms of a difficulty result on common bins, with the overlap of each set."""
    sides = [side_from_json(side) for side in result["sides"]]
    names = [side["ref"] for side in result["sides"]]
    drawn = common_bins(sides)
    return [SetBins(name, bins, _overlap(side)) for name, bins, side in zip(names, drawn, sides, strict=True)]


def common_bins(sides: list[Side]) -> list[ScoreBins]:
    """Return the histograms of several sides on the same edges, which hold every pair."""
    counts = np.stack([side.negative_counts for side in sides] + [side.positive_counts for side in sides])
    coarse = coarsen(counts, width=_BIN_WIDTH)
    half = len(sides)
    return [ScoreBins(coarse.edges, coarse.counts[place], coarse.counts[half + place]) for place in range(half)]


def _grey_share(side: dict[str, Any], grey: tuple[float, float] | None) -> float:
    return side["grey_share"] if grey is None else side_from_json(side).grey_share(*grey)


def _signed(value: float, form: Form) -> str:
    digits, shown = (1, 100 * value) if form == "share" else (3, value)
    return f"{round(shown, digits) + 0.0:+.{digits}f}"  # + 0.0: no minus before a zero


def _overlap(side: Side) -> tuple[float, float] | None:
    if side.lowest_positive is None or side.highest_negative is None or side.lowest_positive > side.highest_negative:
        return None
    return side.lowest_positive, side.highest_negative
