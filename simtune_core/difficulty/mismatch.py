"""How much two pair sets differ: each measure of difficulty of A minus that of B, with a bootstrap interval.

Records are resampled, not pairs, because pairs share them (Owen 2007, as evaluation/uncertainty.py, whose intervals
these are). No model, no file, no plotting.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

import numpy as np

from simtune_core.difficulty.config import DifficultyConfig, MismatchConfig
from simtune_core.difficulty.resampling import (
    EXACT_UP_TO,
    MEASURES,
    Floats,
    Levels,
    RecordCodes,
    code_records,
    draw_records,
    sort_into_levels,
)
from simtune_core.difficulty.scored import ScoredSet
from simtune_core.difficulty.separability import Side
from simtune_core.evaluation.uncertainty import Interval, Resampled

Method = Literal["exact", "bins"]
_THREADS = 4  # at most; numpy lets go of the interpreter's lock, and each holds some 40 bytes a pair
_REPORTS = 50  # how often progress is told


@dataclass(frozen=True, slots=True, eq=False)
class Mismatch:
    """The measures of two sets and their differences, with intervals.

    Attributes:
        method: `exact`: every measure is that of replicated rows; `bins`: similarities were taken in bins of 0.001,
            because a set has more than `EXACT_UP_TO` pairs. Means and the estimates themselves are exact in both.
        codes: Which records were resampled.
        differences: First set minus second set, by measure; None where it is not defined.
        intervals: The measures of each set, by measure.
    """

    method: Method
    codes: RecordCodes
    differences: dict[str, Interval | None]
    intervals: tuple[dict[str, Interval | None], dict[str, Interval | None]]


def compare_sets(
    scored: Sequence[ScoredSet],
    sides: Sequence[Side],
    config: MismatchConfig,
    *,
    grey: DifficultyConfig,
    progress: Callable[[int, int, str], None] | None = None,
) -> Mismatch:
    """Compare two scored sets.

    Args:
        scored: The two sets.
        sides: What was measured of each; the estimates.
        config: Number of resamples, coverage, seed.
        grey: The settings that name the grey zone.
        progress: Called with (resamples done, resamples to do, what is being done).
    """
    codes = code_records([each.pairs for each in scored])
    method: Method = "bins" if max(len(each.pairs) for each in scored) > EXACT_UP_TO else "exact"
    levels = [
        sort_into_levels(each, first, second, grey, exact=method == "exact")
        for each, first, second in zip(scored, codes.first, codes.second, strict=True)
    ]
    values = _resample(levels, codes, config, progress)
    resampled = {
        name: Resampled(
            estimates=np.array([_estimate(side, name, grey) for side in sides]),
            values=values[:, :, place],
            n_records=codes.n_all,
        )
        for place, name in enumerate(MEASURES)
    }
    own: tuple[dict[str, Interval | None], ...] = tuple(
        {name: each.interval(place, level=config.level) for name, each in resampled.items()} for place in (0, 1)
    )
    return Mismatch(
        method=method,
        codes=codes,
        differences={name: each.difference(0, 1, level=config.level) for name, each in resampled.items()},
        intervals=(own[0], own[1]),
    )


def _resample(
    levels: Sequence[Levels],
    codes: RecordCodes,
    config: MismatchConfig,
    progress: Callable[[int, int, str], None] | None,
) -> Floats:
    """Return every measure of each set on each resample, NaN where undefined; shape (n_sets, n_resamples, 9).

    Every resample has a generator of its own, so that the numbers do not depend on how many threads there are.
    """
    seeds = np.random.SeedSequence(config.seed).spawn(config.n_resamples)
    values = np.empty((len(levels), config.n_resamples, len(MEASURES)))

    def draw(place: int) -> None:
        times = draw_records(np.random.default_rng(seeds[place]), codes)
        for row, each in enumerate(levels):
            values[row, place] = each.measure(each.weights(times))

    step = max(1, config.n_resamples // _REPORTS)
    with ThreadPoolExecutor(min(_THREADS, os.cpu_count() or 1)) as threads:
        for done, _ in enumerate(threads.map(draw, range(config.n_resamples)), start=1):
            if progress and (done % step == 0 or done == config.n_resamples):
                progress(done, config.n_resamples, "resampling the records")
    return values


def _estimate(side: Side, name: str, grey: DifficultyConfig) -> float:
    value = side.grey_share(grey.grey_low, grey.grey_high) if name == "grey_share" else getattr(side, name)
    return np.nan if value is None else float(value)
