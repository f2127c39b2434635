"""Draw the pairs of a curriculum from sampled candidates: disjoint phases, balanced, as often as their similarity is.

Pure: a sample, counts and records in, a table of pairs out. What the draw will give is foretold in phases.py.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simtune_core.candidates.counting import LabelRule
from simtune_core.curriculum.config import CurriculumConfig, Phase
from simtune_core.curriculum.phases import N_CELLS, ROLES, role_masks, share_out, split_negatives
from simtune_core.difficulty.bins import N_BINS, bin_index
from simtune_core.difficulty.separability import Side, measure_side
from simtune_core.errors import DataFaultError
from simtune_core.pairs import with_pair_columns
from simtune_core.records import Records


@dataclass(frozen=True, slots=True, eq=False)
class DrawnPhase:
    """One phase as it was drawn.

    Attributes:
        phase: Its bands and target.
        side: Difficulty of its pairs in the space of the candidates; None if it has no pair.
        n_wanted: Pairs asked for.
        n_same_category: Negatives whose records share a category.
        n_categories: Categories among its positives.
    """

    phase: Phase
    side: Side | None
    n_wanted: int
    n_same_category: int
    n_categories: int

    @property
    def n_pairs(self) -> int:
        """Return how many pairs it holds."""
        return self.side.n_pairs if self.side else 0


@dataclass(frozen=True, slots=True, eq=False)
class Curriculum:
    """Pairs in phases.

    Attributes:
        frame: Columns PAIR_COLUMNS; phases in order, shuffled within; no pair twice.
        phases: One entry for each phase.
    """

    frame: pd.DataFrame
    phases: tuple[DrawnPhase, ...]


def generate(sample: pd.DataFrame, rule: LabelRule, config: CurriculumConfig, records: Records) -> Curriculum:
    """Draw the phases, easy first; a pair drawn for one is not there for the next.

    Within a band and a category pairs are drawn in proportion to how many pairs each sampled one stands for, so that
    similarities occur as often as among all pairs of the records, not as in the sample, which is even.

    Args:
        sample: Columns SAMPLE_COLUMNS, as `candidates.sample_candidates` makes it.
        rule: What makes a pair positive.
        config: Bands, numbers, shares, seed.
        records: The records that `i` and `j` count.

    Returns:
        The pairs and what each phase turned out to be.

    Raises:
        DataFaultError: If the sample refers to other records, or no phase gets any pair.
    """
    if len(sample) and int(sample[["i", "j"]].to_numpy().max()) >= len(records):
        raise DataFaultError(f"The candidates were counted on other records than {records.ref}; count them again.")
    rng = np.random.default_rng(config.seed)
    free = np.ones(len(sample), dtype=bool)
    cells = _cells(sample)
    frames, phases = [], []
    for phase in config.phases:
        masks, _ = role_masks(phase, rule, config)
        pools = {role: np.flatnonzero(free & masks[role].reshape(-1)[cells]) for role in ROLES}
        drawn = _draw_phase(sample, pools, config, rng)
        free[drawn["positive"]] = free[drawn["negative"]] = False
        frame, found = _phase_of(sample, drawn, phase, records, config)
        frames.append(frame.iloc[rng.permutation(len(frame))])
        phases.append(found)
    pairs = pd.concat(frames, ignore_index=True)
    if pairs.empty:
        raise DataFaultError(
            f"No pair of {records.ref} lies in the bands of any phase; move the thresholds to where there are pairs."
        )
    return Curriculum(with_pair_columns(pairs), tuple(phases))


def draw_weighted(weights: NDArray[np.float64], n: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Draw positions without repeats, each with a probability in proportion to its weight.

    Args:
        weights: Positive; shape (n_rows,).
        n: How many, at most n_rows.
        rng: Randomness.

    Returns:
        Sorted positions, shape (n,). A row whose share would exceed one is certain, and the others share the rest.

    Source:
        Systematic sampling, probability proportional to size, in random order: Hartley and Rao 1962.
    """
    if n >= len(weights) or n <= 0:
        return np.arange(min(max(n, 0), len(weights)))
    probability = _inclusion(np.asarray(weights, dtype=np.float64), n)
    order = rng.permutation(len(weights))
    reached = np.cumsum(probability[order])
    reached *= n / reached[-1]  # rounding must not lose or add one
    marks = rng.random() + np.arange(n)
    return np.sort(order[np.searchsorted(reached, np.minimum(marks, np.nextafter(n, 0)), side="right")])


def _inclusion(weights: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    certain = np.zeros(len(weights), dtype=bool)
    while True:
        rest = ~certain
        probability = np.ones(len(weights))
        probability[rest] = weights[rest] * (n - certain.sum()) / weights[rest].sum()
        above = rest & (probability >= 1.0)
        if not above.any():
            return probability
        certain |= above


def _draw_phase(
    sample: pd.DataFrame, pools: dict[str, NDArray[np.intp]], config: CurriculumConfig, rng: np.random.Generator
) -> dict[str, NDArray[np.intp]]:
    wanted = config.pairs_per_phase // 2
    n_same, n_other = split_negatives(
        round(wanted * config.same_category_share),
        wanted,
        len(pools["same_category"]),
        len(pools["other_category"]),
    )
    quota = {"positive": wanted, "same_category": n_same, "other_category": n_other}
    drawn = {role: _draw_pool(sample, pools[role], quota[role], config, rng) for role in ROLES}
    return {
        "positive": drawn["positive"],
        "negative": np.concatenate([drawn["same_category"], drawn["other_category"]]),
        "same_category": drawn["same_category"],
    }


def _draw_pool(
    sample: pd.DataFrame, pool: NDArray[np.intp], wanted: int, config: CurriculumConfig, rng: np.random.Generator
) -> NDArray[np.intp]:
    weights = sample["weight"].to_numpy(np.float64)[pool]
    if not config.balance_categories:
        return pool[draw_weighted(weights, wanted, rng)]
    strata = sample["stratum"].to_numpy(np.int64)[pool]
    quotas = share_out(np.bincount(strata), wanted) if len(strata) else np.zeros(0, dtype=np.int64)
    parts = [np.zeros(0, dtype=np.intp)]
    for stratum in np.flatnonzero(quotas):
        members = np.flatnonzero(strata == stratum)
        parts.append(pool[members[draw_weighted(weights[members], int(quotas[stratum]), rng)]])
    return np.concatenate(parts)


def _phase_of(
    sample: pd.DataFrame,
    drawn: dict[str, NDArray[np.intp]],
    phase: Phase,
    records: Records,
    config: CurriculumConfig,
) -> tuple[pd.DataFrame, DrawnPhase]:
    rows = np.concatenate([drawn["positive"], drawn["negative"]])
    labels = np.repeat([1.0, 0.0], [len(drawn["positive"]), len(drawn["negative"])])
    i, j = sample["i"].to_numpy()[rows], sample["j"].to_numpy()[rows]
    texts, ids, categories = (records.frame[name].to_numpy(object) for name in ("text", "id", "category"))
    frame = pd.DataFrame(
        {
            "sentence1": texts[i], "sentence2": texts[j], "label": labels, "id1": ids[i], "id2": ids[j],
            "category1": categories[i], "category2": categories[j], "phase": phase.name, "split": "train",
        }
    )  # fmt: skip
    similarity = sample["similarity"].to_numpy()[rows]
    found = DrawnPhase(
        phase=phase,
        side=measure_side(similarity, labels) if len(rows) else None,
        n_wanted=2 * (config.pairs_per_phase // 2),
        n_same_category=len(drawn["same_category"]),
        n_categories=int(sample["stratum"].iloc[drawn["positive"]].nunique()),
    )
    return frame, found


def _cells(sample: pd.DataFrame) -> NDArray[np.int64]:
    """Return the position of each pair in a mask of shape (2, 2, N_CELLS)."""
    cell = bin_index(sample["similarity"].to_numpy()).astype(np.int64) // (N_BINS // N_CELLS)
    return (sample["same_category"].to_numpy(np.int64) * 2 + sample["same_group"].to_numpy(np.int64)) * N_CELLS + cell
