"""Pairs of counted candidates chosen by how a model errs on them, and positives across categories.

Rows of the candidates' sample in, rows out: knows no text, no file, no encoder.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simtune_core.candidates.counted import FINE_PER_CELL, N_CELLS, CandidateCounts
from simtune_core.curriculum.mining.config import AdversarialConfig, CrossCategoryConfig
from simtune_core.curriculum.rules import (
    NEGATIVE_ROLES,
    POSITIVE_ROLES,
    ROLES,
    Role,
    Rule,
    eligible_pairs,
)
from simtune_core.difficulty.bins import bin_index

Scores = NDArray[np.float32]
_HARD_RULES = ("duplicate_group", "label")  # under these a positive is known, whatever its similarity


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """The sample as a label rule sees it.

    Attributes:
        role: Place in ROLES of each row, -1 where the rule labels it neither way; shape (n_rows,).
        weight: Pairs of the population that each row stands for; shape (n_rows,).
        n_conflicting: Pairs of the population that fit a positive and a negative role and are left out.
    """

    role: NDArray[np.int8]
    weight: NDArray[np.float64]
    n_conflicting: int

    def rows(self, *roles: Role) -> NDArray[np.int64]:
        """Return the rows of some roles, in order."""
        return np.flatnonzero(np.isin(self.role, [ROLES.index(role) for role in roles]))

    @property
    def label(self) -> NDArray[np.int8]:
        """Return 1 for a positive, 0 for a negative, -1 for neither; shape (n_rows,)."""
        positive = np.isin(self.role, [ROLES.index(role) for role in POSITIVE_ROLES])
        return np.where(self.role < 0, -1, positive).astype(np.int8)


@dataclass(frozen=True, slots=True, eq=False)
class Mined:
    """Rows of the sample that were chosen.

    Attributes:
        rows: In the order in which the pairs are saved; shape (n_pairs,).
        n_wanted: Pairs asked for.
        n_available: Rows of the sample that could have been chosen, by class: negatives, positives.
        n_scarce: Rows taken for certain because their cells hold fewer sampled pairs than a uniform draw would take.
    """

    rows: NDArray[np.int64]
    n_wanted: int
    n_available: tuple[int, int]
    n_scarce: int = 0


def label_sample(sample: pd.DataFrame, counts: CandidateCounts, rule: Rule, config: AdversarialConfig) -> Labelled:
    """Give every sampled pair its role under a rule, inside the bands.

    Args:
        sample: SAMPLE_COLUMNS.
        counts: What it was sampled from.
        rule: The label rule, resolved.
        config: The bands.
    """
    kind, cell = _axes(sample)
    eligible = eligible_pairs(rule, config.bands)
    role = np.full(len(sample), -1, dtype=np.int8)
    for place, name in enumerate(ROLES):
        role[eligible.masks[name][kind[0], kind[1], cell]] = place
    n_conflicting = int(_in_cells(counts).sum(axis=0)[eligible.conflicting].sum())
    return Labelled(role, population_weights(sample, counts), n_conflicting)


def population_weights(sample: pd.DataFrame, counts: CandidateCounts) -> NDArray[np.float64]:
    """Return how many pairs each sampled pair stands for: those of its cell over those sampled; shape (n_rows,)."""
    kind, cell = _axes(sample)
    pairs = _in_cells(counts)
    place = (sample["stratum"].to_numpy(), kind[0], kind[1], cell)
    return pairs[place] / np.maximum(counts.sampled[place], 1)


def mine_adversarial(labelled: Labelled, scores: Scores, config: AdversarialConfig) -> Mined:
    """Choose pairs by how a model errs on them.

    A negative's error is the model's cosine, a positive's is 1 minus it. `random` draws of each class uniformly from
    the population (rows count by their weight). `ranked` takes the greatest errors of the sample, whatever their class.
    `balanced` draws of each class uniformly among its hardest `window` without its hardest `skip`, as shares of the
    population.

    Args:
        labelled: The sample under the rule.
        scores: The model's cosine of each row; shape (n_rows,).
        config: Strategy, bands, shares, seed.
    """
    negative, positive = labelled.rows(*NEGATIVE_ROLES), labelled.rows(*POSITIVE_ROLES)
    available = (len(negative), len(positive))
    rng = np.random.default_rng(config.seed)
    if config.strategy == "ranked":
        rows = np.concatenate([negative, positive])
        error = np.concatenate([scores[negative], 1 - scores[positive]])
        worst = np.argsort(-error, kind="stable")[: config.n_pairs]
        return Mined(rows[worst], config.n_pairs, available)
    n_positive = round(config.n_pairs * config.positive_share)
    chosen, n_scarce = [], 0
    for rows, sign, n in ((negative, 1, config.n_pairs - n_positive), (positive, -1, n_positive)):
        inside = rows if config.strategy == "random" else _window(rows, sign * scores, labelled.weight, config)
        drawn, certain = draw_weighted(labelled.weight[inside], n, rng)
        chosen.append(inside[drawn])
        n_scarce += certain if len(inside) > len(drawn) else 0
    return Mined(rng.permutation(np.concatenate(chosen)), config.n_pairs, available, n_scarce)


def mine_across(
    sample: pd.DataFrame, counts: CandidateCounts, rule: Rule, readings: Scores, config: CrossCategoryConfig
) -> Mined:
    """Choose positives whose two records have different categories.

    Under the rules duplicate group and label these are known positives; under any other rule they are pairs that the
    candidates' space and a second model both call similar.

    Args:
        sample: SAMPLE_COLUMNS.
        counts: What it was sampled from.
        rule: The label rule, resolved.
        readings: The second model's cosine of each row; shape (n_rows,).
        config: Bounds, how many, seed.
    """
    similarity = sample["similarity"].to_numpy()
    inside = (similarity >= np.float32(config.min_score)) & (similarity < np.float32(config.max_score))
    apart = ~sample["same_category"].to_numpy(bool)
    like = (
        sample["known"].to_numpy(bool) if rule.name in _HARD_RULES else readings >= np.float32(config.model_min_score)
    )
    rows = np.flatnonzero(inside & apart & like)
    rng = np.random.default_rng(config.seed)
    drawn, certain = draw_weighted(population_weights(sample, counts)[rows], config.n_pairs, rng)
    return Mined(rng.permutation(rows[drawn]), config.n_pairs, (0, len(rows)), certain if len(rows) > len(drawn) else 0)


def draw_weighted(weights: NDArray[np.float64], n: int, rng: np.random.Generator) -> tuple[NDArray[np.int64], int]:
    """Draw rows without replacement so that each is in with a probability in proportion to its weight.

    Args:
        weights: Greater than 0; shape (n_rows,).
        n: Rows wanted; all rows are drawn where there are no more.
        rng: Where chance comes from.

    Returns:
        The rows, ascending, and how many of them are certain because n times their share of the weight is 1 or more.

    Source:
        Madow 1949, "On the theory of systematic sampling, II", on rows ordered by weight and at random among
        equals, so that each weight gets its share within one row; certain rows are taken out first (Tillé 2006,
        Sampling Algorithms, 2.10).
    """
    if n >= len(weights):
        return np.arange(len(weights)), len(weights)
    certain = np.zeros(len(weights), dtype=bool)
    while True:
        left = n - int(certain.sum())
        chance = np.where(certain, 0.0, weights)
        chance = chance * (left / chance.sum()) if left else chance * 0.0
        sure = chance >= 1.0
        if not sure.any():
            break
        certain |= sure
    order = np.lexsort((rng.random(len(weights)), weights))
    reached = np.cumsum(chance[order])
    reached[-1] = left  # free of rounding, so that exactly `left` whole numbers are passed
    steps = np.floor(reached + rng.random())
    hit = order[np.diff(steps, prepend=0.0) > 0]
    return np.sort(np.concatenate([np.flatnonzero(certain), hit])), int(certain.sum())


def _window(
    rows: NDArray[np.int64], hardness: Scores, weight: NDArray[np.float64], config: AdversarialConfig
) -> NDArray[np.int64]:
    """Return the rows of a class between its hardest `skip` and its hardest `window`, as shares of the population."""
    ordered = rows[np.argsort(-hardness[rows], kind="stable")]
    if not len(ordered):
        return ordered
    share = np.cumsum(weight[ordered])
    share = (share - weight[ordered] / 2) / share[-1]
    return np.sort(ordered[(share >= config.skip) & (share < config.window)])


def _in_cells(counts: CandidateCounts) -> NDArray[np.int64]:
    """Return the pairs by stratum, same category, known and cell of 0.01."""
    cells: NDArray[np.int64] = counts.counts.reshape(*counts.counts.shape[:-1], N_CELLS, FINE_PER_CELL).sum(axis=-1)
    return cells


def _axes(sample: pd.DataFrame) -> tuple[tuple[NDArray[np.int64], NDArray[np.int64]], NDArray[np.int64]]:
    """Return same category and known as 0 or 1, and the cell of each row."""
    kind = (sample["same_category"].to_numpy(np.int64), sample["known"].to_numpy(np.int64))
    return kind, bin_index(sample["similarity"]).astype(np.int64) // FINE_PER_CELL
