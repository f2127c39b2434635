"""What each phase of a curriculum will hold, read from counted candidates: fast enough for a slider.

Works on counts alone (numpy, about a millisecond); draws no pair. Drawing is in drawing.py, settings in config.py.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simtune_core.candidates.counting import CandidateCounts, LabelRule
from simtune_core.curriculum.config import STEP, CurriculumConfig, Phase
from simtune_core.difficulty.bins import N_BINS, bin_centres, edge_index

_FINE_PER_CELL = round(STEP * 1000)
N_CELLS = N_BINS // _FINE_PER_CELL
ROLES = ("positive", "other_category", "same_category")


@dataclass(frozen=True, slots=True, eq=False)
class Supply:
    """Candidate pairs in cells of 0.01, made once from the counts by `supply_of`.

    Attributes:
        pairs: Pairs by stratum, same category, same group and cell; shape (n_strata, 2, 2, N_CELLS).
        similarity: Sum of the similarities of the same pairs, from the middles of bins of 0.001.
        rule: What makes a pair positive.
    """

    pairs: NDArray[np.float64]
    similarity: NDArray[np.float64]
    rule: LabelRule


@dataclass(frozen=True, slots=True)
class PhasePreview:
    """What one phase can and will hold; means and what follows from them are None where there is no pair.

    Attributes:
        name: easy, medium or hard.
        n_positive_available: Positive candidates in the band, those that earlier phases will take included.
        n_negative_available: The same of negatives.
        n_positive: Positives the phase will get.
        n_negative: Negatives the phase will get.
        n_same_category: Negatives among them whose records share a category.
        n_conflicting: Same-category pairs that fit both bands, left out (only without duplicate groups).
        n_wanted: Pairs asked for.
        positive_mean: Expected mean similarity of the positives, cosine.
        negative_mean: Expected mean similarity of the negatives, cosine.
        overlap: Expected share of the pairs between the lowest positive and the highest negative, in [0, 1].
        separability_wanted: The target, in points.
        separability_max: The largest separability that the bands allow, in points.
    """

    name: str
    n_positive_available: int
    n_negative_available: int
    n_positive: int
    n_negative: int
    n_same_category: int
    n_conflicting: int
    n_wanted: int
    positive_mean: float | None
    negative_mean: float | None
    overlap: float | None
    separability_wanted: float
    separability_max: float

    @property
    def n_pairs(self) -> int:
        """Return the yield: how many pairs the phase will hold."""
        return self.n_positive + self.n_negative

    @property
    def separability(self) -> float | None:
        """Return expected positive minus negative mean similarity, in points of cosine."""
        if self.positive_mean is None or self.negative_mean is None:
            return None
        return self.positive_mean - self.negative_mean

    @property
    def shortage(self) -> int:
        """Return how many of the wanted pairs there are not."""
        return self.n_wanted - self.n_pairs


def supply_of(counts: CandidateCounts) -> Supply:
    """Add the counts up into cells of 0.01; keep the result while sliders move."""
    shape = (*counts.counts.shape[:-1], N_CELLS, _FINE_PER_CELL)
    fine = counts.counts.reshape(shape).astype(np.float64)
    centres = bin_centres().reshape(N_CELLS, _FINE_PER_CELL)
    return Supply(pairs=fine.sum(axis=-1), similarity=(fine * centres).sum(axis=-1), rule=counts.rule)


def preview(supply: Supply, config: CurriculumConfig) -> list[PhasePreview]:
    """Tell what each phase will hold, easy first; what an earlier phase takes is gone for the later ones.

    Args:
        supply: Counted candidates.
        config: Bands, numbers and shares.

    Returns:
        One preview for each phase. Numbers are exact but for the means, which expect every pair of a band and category
        to be drawn equally often.
    """
    left = supply.pairs.copy()
    mean = np.divide(supply.similarity, supply.pairs, out=np.zeros_like(left), where=supply.pairs > 0)
    previews = []
    for phase in config.phases:
        masks, conflicting = role_masks(phase, supply.rule, config)
        wanted = config.pairs_per_phase // 2
        positive = _take(left, masks["positive"], wanted, balance=config.balance_categories)
        n_same, n_other = split_negatives(
            round(wanted * config.same_category_share),
            wanted,
            round(float((left * masks["same_category"]).sum())),
            round(float((left * masks["other_category"]).sum())),
        )
        negative = _take(left, masks["same_category"], n_same, balance=config.balance_categories)
        negative = negative + _take(left, masks["other_category"], n_other, balance=config.balance_categories)
        negatives = masks["same_category"] | masks["other_category"]
        previews.append(
            PhasePreview(
                name=phase.name,
                n_positive_available=int((supply.pairs * masks["positive"]).sum()),
                n_negative_available=int((supply.pairs * negatives).sum()),
                n_positive=round(float(positive.sum())),
                n_negative=round(float(negative.sum())),
                n_same_category=n_same,
                n_conflicting=int((supply.pairs * conflicting).sum()),
                n_wanted=2 * wanted,
                positive_mean=_mean(positive, mean),
                negative_mean=_mean(negative, mean),
                overlap=_overlap(positive, negative),
                separability_wanted=phase.separability_wanted,
                separability_max=phase.separability_max,
            )
        )
    return previews


def role_masks(
    phase: Phase, rule: LabelRule, config: CurriculumConfig
) -> tuple[dict[str, NDArray[np.bool_]], NDArray[np.bool_]]:
    """Say which cells give positives and which give negatives of a phase: the default label rule.

    With duplicate groups: positive = same group, negative = other group, of the same category or of another. Without:
    positive = same category, negative = other category; a share of same-category negatives takes same-category pairs
    of the negative band, and then one that fits both bands is left out.

    Args:
        phase: The bands.
        rule: What makes a pair positive.
        config: Whether same-category negatives are wanted.

    Returns:
        A mask of shape (2, 2, N_CELLS) - same category, same group, cell - for each of ROLES, and that of the pairs
        left out.
    """
    in_positive, in_negative = _band(phase.pos_min, phase.pos_max), _band(phase.neg_min, phase.neg_max)
    masks = {role: np.zeros((2, 2, N_CELLS), dtype=bool) for role in ROLES}
    conflicting = np.zeros((2, 2, N_CELLS), dtype=bool)
    if rule == "duplicate_group":
        masks["positive"][:, 1] = in_positive
        masks["other_category"][0, 0] = in_negative
        masks["same_category"][1, 0] = in_negative
        return masks, conflicting
    both = in_positive & in_negative & (config.same_category_share > 0)
    masks["positive"][1] = in_positive & ~both
    masks["other_category"][0] = in_negative
    masks["same_category"][1] = in_negative & ~both & (config.same_category_share > 0)
    conflicting[1] = both
    return masks, conflicting


def split_negatives(n_same_wanted: int, n_wanted: int, n_same_left: int, n_other_left: int) -> tuple[int, int]:
    """Return how many negatives share a category and how many do not; one kind makes up for a shortage of the other."""
    n_same = min(n_same_wanted, n_same_left)
    n_other = min(n_wanted - n_same, n_other_left)
    return min(n_wanted - n_other, n_same_left), n_other


def share_out(available: NDArray[np.int64], wanted: int) -> NDArray[np.int64]:
    """Give each category the same number as far as it has that many; what one lacks the others share.

    Args:
        available: Pairs of each category; shape (n_categories,).
        wanted: Pairs wanted in all.

    Returns:
        Pairs to take from each; they sum to `wanted`, or to everything there is.
    """
    available = np.asarray(available, dtype=np.int64)
    taken = np.zeros_like(available)
    wanted = min(wanted, int(available.sum()))
    while (missing := wanted - int(taken.sum())) > 0:
        room = np.flatnonzero(available > taken)
        equal = max(1, missing // len(room))
        chosen = room[:missing] if missing < len(room) else room
        taken[chosen] = np.minimum(available[chosen], taken[chosen] + equal)
    return taken


def _take(left: NDArray[np.float64], mask: NDArray[np.bool_], wanted: int, *, balance: bool) -> NDArray[np.float64]:
    """Take the expected share of every cell out of `left` and return it; shape of `left`."""
    pool = left * mask
    per_stratum = pool.sum(axis=(1, 2, 3))
    if balance:
        taken = share_out(np.round(per_stratum).astype(np.int64), wanted).astype(np.float64)
    else:
        total = float(per_stratum.sum())
        taken = per_stratum * (min(1.0, wanted / total) if total else 0.0)
    share = np.divide(taken, per_stratum, out=np.zeros_like(taken), where=per_stratum > 0)
    drawn = pool * np.minimum(share, 1.0)[:, None, None, None]
    left -= drawn
    return drawn


def _band(low: float, high: float) -> NDArray[np.bool_]:
    cells = np.arange(N_CELLS)
    return (cells >= edge_index(low) // _FINE_PER_CELL) & (cells < edge_index(high) // _FINE_PER_CELL)


def _mean(drawn: NDArray[np.float64], mean: NDArray[np.float64]) -> float | None:
    total = float(drawn.sum())
    return float((drawn * mean).sum()) / total if total > 0.5 else None


def _overlap(positive: NDArray[np.float64], negative: NDArray[np.float64]) -> float | None:
    up, down = positive.sum(axis=(0, 1, 2)), negative.sum(axis=(0, 1, 2))
    if up.sum() < 0.5 or down.sum() < 0.5:
        return None
    lowest = int(np.argmax(np.cumsum(up) >= 0.5))  # where the first positive is more likely than not
    highest = N_CELLS - 1 - int(np.argmax(np.cumsum(down[::-1]) >= 0.5))
    both = up + down
    return float(both[lowest : highest + 1].sum() / both.sum())
