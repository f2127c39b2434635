"""The measures of difficulty on a resample of records: a pair weighs the product of how often its records were drawn.

A set is sorted once into levels of similarity; every resample is then a few passes over weights. The levels are the
distinct similarities, which makes every measure that of the set with its rows replicated, or for large sets bins of
0.001. Pure numpy; intervals are made in mismatch.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simtune_core.difficulty.bins import bin_centres, bin_index, edge_index
from simtune_core.difficulty.config import DifficultyConfig
from simtune_core.difficulty.overlap import COEFFICIENT_FACTOR, ROBUST
from simtune_core.difficulty.scored import UNKNOWN, ScoredSet
from simtune_core.pairs import PairSet

MEASURES = (
    "separability", "overlap", "overlap_robust", "overlap_coefficient", "roc_auc", "spearman_cosine", "prevalence",
    "grey_share", "same_category_share",
)  # fmt: skip
EXACT_UP_TO = 100_000  # pairs; a larger set is resampled in bins
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class RecordCodes:
    """Which records the pairs of several sets hold, numbered over all sets in order of appearance.

    Attributes:
        first: For each set the record of each first side; shapes (n_pairs,).
        second: The same of the second sides.
        n_records: Different records of each set.
        n_all: Different records of all sets together.
    """

    first: list[NDArray[np.intp]]
    second: list[NDArray[np.intp]]
    n_records: list[int]
    n_all: int

    @property
    def n_shared(self) -> int:
        """Return how many records occur in more than one set; for two sets."""
        return sum(self.n_records) - self.n_all


@dataclass(frozen=True, slots=True, eq=False)
class Levels:
    """A set sorted by class, negatives first, and similarity.

    Attributes:
        first: Record of the first side of each pair; shape (n_pairs,).
        second: Record of the second side.
        alone: Places of the pairs of a record with itself.
        scores: Similarities; shape (n_pairs,).
        n_negative: How many pairs, from the first on, are negative.
        starts: Where the runs of one class and level begin; shape (n_runs,).
        levels: The level of each run; shape (n_runs,).
        n_negative_runs: How many runs, from the first on, are negative.
        values: Similarity of each level, ascending; shape (n_levels,).
        grey: The levels in the grey zone: first one, and first one beyond.
        wide_starts: Level at which each bin of the overlapping coefficient begins; shape (n_wide,).
        same: 1 where the categories are the same, 0 elsewhere; shape (n_pairs,).
        known: 1 where both categories are known; shape (n_pairs,).
        targets: The place of each pair's graded score among the distinct ones; None for 0 / 1 labels.
    """

    first: NDArray[np.intp]
    second: NDArray[np.intp]
    alone: NDArray[np.intp]
    scores: Floats
    n_negative: int
    starts: NDArray[np.intp]
    levels: NDArray[np.intp]
    n_negative_runs: int
    values: Floats
    grey: tuple[int, int]
    wide_starts: NDArray[np.intp]
    same: Floats
    known: Floats
    targets: NDArray[np.intp] | None

    def weights(self, times: NDArray[np.float32]) -> Floats:
        """Return how often each pair occurs when each record was drawn so many times; shape (n_pairs,)."""
        drawn = times[self.first] * times[self.second]
        drawn[self.alone] = times[self.first[self.alone]]
        return drawn.astype(np.float64)

    def measure(self, weights: Floats) -> Floats:
        """Return `MEASURES` of the set with each pair so many times, NaN where not defined; shape (9,)."""
        runs = np.add.reduceat(weights, self.starts)
        below, above = np.zeros(len(self.values)), np.zeros(len(self.values))
        cut = self.n_negative_runs
        below[self.levels[:cut]], above[self.levels[cut:]] = runs[:cut], runs[cut:]
        n_negative, n_positive = float(below.sum()), float(above.sum())
        whole = n_negative + n_positive
        both = bool(n_negative and n_positive)
        cumulative = _cumulative(below + above)
        found = {
            "prevalence": _ratio(n_positive, whole),
            "grey_share": _ratio(cumulative[self.grey[1]] - cumulative[self.grey[0]], whole),
            "same_category_share": _ratio(float(weights @ self.same), float(weights @ self.known)),
            "spearman_cosine": self._spearman(weights, below, above),
        }
        if both:
            found |= {
                "separability": self._separability(weights, n_negative, n_positive),
                "overlap": self._overlap(cumulative, *_extremes(self.values, below, above)),
                "overlap_robust": self._overlap(
                    cumulative, _quantile(self.values, above, ROBUST), _quantile(self.values, below, 1.0 - ROBUST)
                ),
                "overlap_coefficient": self._coefficient(below / n_negative, above / n_positive),
                "roc_auc": float(above @ (_cumulative(below)[:-1] + below / 2)) / (n_negative * n_positive),
            }
        return np.array([found.get(name, np.nan) for name in MEASURES])

    def _separability(self, weights: Floats, n_negative: float, n_positive: float) -> float:
        cut = self.n_negative
        of_negatives, of_positives = weights[:cut] @ self.scores[:cut], weights[cut:] @ self.scores[cut:]
        return float(of_positives / n_positive - of_negatives / n_negative)

    def _overlap(self, cumulative: Floats, low: float, high: float) -> float:
        begin, end = np.searchsorted(self.values, low, "left"), np.searchsorted(self.values, high, "right")
        return max(0.0, float(cumulative[end] - cumulative[begin])) / float(cumulative[-1])

    def _coefficient(self, below: Floats, above: Floats) -> float:
        shares = (np.add.reduceat(each, self.wide_starts) for each in (below, above))
        return float(np.minimum(*shares).sum())

    def _spearman(self, weights: Floats, below: Floats, above: Floats) -> float:
        """Return the weighted Spearman: Pearson's of mid-ranks, both less their weighted mean."""
        at_level = below + above
        whole = float(at_level.sum())
        ranks = _cumulative(at_level)[:-1] + at_level / 2 - whole / 2
        spread = float(at_level @ ranks**2)
        if self.targets is None:
            n_negative, n_positive = float(below.sum()), float(above.sum())
            common = (float(above @ ranks) * n_negative - float(below @ ranks) * n_positive) / 2
            return _ratio(common, float(np.sqrt(spread * n_negative * n_positive * whole / 4)))
        at_target: Floats = np.bincount(self.targets, weights=weights).astype(np.float64, copy=False)
        wanted = _cumulative(at_target)[:-1] + at_target / 2 - whole / 2
        along = np.add.reduceat(weights * wanted[self.targets], self.starts)
        common = float(along @ ranks[self.levels])
        return _ratio(common, float(np.sqrt(spread * float(at_target @ wanted**2))))


def code_records(pairs: Sequence[PairSet]) -> RecordCodes:
    """Number the records of several sets: equal ids, or equal texts where ids are missing, are one record."""
    sides = [_names(each, *columns) for each in pairs for columns in (("id1", "sentence1"), ("id2", "sentence2"))]
    codes, records = pd.factorize(pd.concat(sides, ignore_index=True))
    parts = np.split(codes, np.cumsum([len(side) for side in sides])[:-1])
    first, second = parts[0::2], parts[1::2]
    n_records = [
        int(np.count_nonzero(np.bincount(np.concatenate(both), minlength=len(records))))
        for both in zip(first, second, strict=True)
    ]
    return RecordCodes(first, second, n_records, len(records))


def draw_records(rng: np.random.Generator, codes: RecordCodes) -> NDArray[np.float32]:
    """Draw records with replacement, as many as there are; shape (n_all,): how often each was drawn.

    The records of two sets that share none are drawn set by set, so that the sets are resampled independently. Where
    they share some, the records of both are one pool: a shared record then has one count, in both sets the same.
    """
    pools = [codes.n_all] if codes.n_shared else codes.n_records
    drawn = [np.bincount(rng.integers(n, size=n), minlength=n) for n in pools]
    return np.concatenate(drawn).astype(np.float32)


def sort_into_levels(
    scored: ScoredSet, first: NDArray[np.intp], second: NDArray[np.intp], grey: DifficultyConfig, *, exact: bool
) -> Levels:
    """Sort a set for resampling.

    Args:
        scored: The set.
        first: Record of the first side of each pair; shape (n_pairs,).
        second: Record of the second side.
        grey: The settings that name the grey zone.
        exact: Whether each distinct similarity is a level; else each bin of 0.001.
    """
    scores = scored.cosines.astype(np.float64)
    bins = bin_index(scored.cosines)
    if exact:
        values, level = np.unique(scores, return_inverse=True)
        bin_of = np.sort(bins[np.unique(scores, return_index=True)[1]])
    else:
        bin_of, level = np.unique(bins, return_inverse=True)
        values = bin_centres()[bin_of]
    positive = scored.labels == 1
    key = level + len(values) * positive
    order = np.argsort(key, kind="stable")
    starts = np.flatnonzero(np.diff(key[order], prepend=-1))
    runs = key[order][starts]
    same = scored.same_category[order]
    return Levels(
        first=first[order],
        second=second[order],
        alone=np.flatnonzero(first[order] == second[order]),
        scores=scores[order],
        n_negative=int((~positive).sum()),
        starts=starts,
        levels=runs % len(values),
        n_negative_runs=int((runs < len(values)).sum()),
        values=values,
        grey=tuple(np.searchsorted(bin_of, [edge_index(grey.grey_low), edge_index(grey.grey_high)]).tolist()),
        wide_starts=np.flatnonzero(np.diff(bin_of // COEFFICIENT_FACTOR, prepend=-1)),
        same=(same == 1).astype(np.float64),
        known=(same != UNKNOWN).astype(np.float64),
        targets=_target_codes(scored.pairs)[order] if scored.pairs.graded else None,
    )


def _names(pairs: PairSet, ids: str, texts: str) -> pd.Series:
    """Return the name of each record of one side: its id, or its text, marked so that it is no other's id."""
    named = pairs.frame[ids]
    return named if named.notna().all() else named.where(named.notna(), "text:" + pairs.frame[texts])


def _target_codes(pairs: PairSet) -> NDArray[np.intp]:
    return np.unique(pairs.targets(), return_inverse=True)[1]


def _extremes(values: Floats, below: Floats, above: Floats) -> tuple[float, float]:
    """Return the similarity of the lowest positive and of the highest negative."""
    return float(values[np.flatnonzero(above)[0]]), float(values[np.flatnonzero(below)[-1]])


def _quantile(values: Floats, counts: Floats, share: float) -> float:
    """Return a quantile of replicated values, linear between neighbours, as numpy's default."""
    upto = np.cumsum(counts)
    place = share * (upto[-1] - 1)
    lower = np.floor(place)
    ends = values[np.searchsorted(upto, [lower, min(lower + 1, upto[-1] - 1)], "right")]
    return float(ends[0] + (place - lower) * (ends[1] - ends[0]))


def _cumulative(counts: Floats) -> Floats:
    """Return the sum of the first k counts for k = 0 .. n; shape (n + 1,)."""
    return np.concatenate(([0.0], np.cumsum(counts)))


def _ratio(above: float, below: float) -> float:
    return float(above / below) if below > 0 else np.nan
