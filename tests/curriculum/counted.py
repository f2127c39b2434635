"""Candidates for tests: counts made by hand, and every pair of random records counted and sampled by brute force."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from simtune_core.candidates.counted import FINE_PER_CELL, N_CELLS, SAMPLE_COLUMNS, CandidateCounts, TestPairs
from simtune_core.difficulty.bins import N_BINS, bin_index


@dataclass(frozen=True)
class Counted:
    """What a candidates job would have left."""

    counts: CandidateCounts
    sample: pd.DataFrame
    records: pd.DataFrame


def counts_of(pairs, *, n_strata=1, cap=10**9, **facts):
    """Build counts from (similarity, same_category, known, number[, stratum]); up to the cap of a cell is sampled."""
    counts = np.zeros((n_strata, 2, 2, N_BINS), dtype=np.int64)
    for similarity, same_category, known, number, *stratum in pairs:
        counts[stratum[0] if stratum else 0, same_category, known, bin_index(similarity)] += number
    told = {
        "strata": tuple(f"category {number}" for number in range(n_strata)),
        "n_records": 100,
        "source": "records",
        "has_known": False,
        "has_categories": True,
        "space": "by hand",
    }
    return CandidateCounts(
        counts=counts,
        sampled=np.minimum(in_cells(counts), cap),
        **told | facts,
    )


def in_cells(counts):
    return counts.reshape(*counts.shape[:-1], N_CELLS, FINE_PER_CELL).sum(axis=-1)


def test_pairs_of(positive, negative, same_negative=0.0):
    """Return test pairs of these similarities; positives share a category, so does a share of the negatives."""
    same = np.arange(len(negative)) < round(same_negative * len(negative))
    return TestPairs(
        ref="test@v0001",
        similarities=np.array([*positive, *negative], dtype=np.float32),
        labels=np.repeat([1, 0], [len(positive), len(negative)]).astype(np.int8),
        same_category=np.concatenate([np.ones(len(positive)), same]).astype(np.int8),
    )


test_pairs_of.__test__ = False


def count_by_brute_force(vectors, categories, *, groups=None, cap=10**9, seed=0, test=None):
    """Count every pair of records, and sample up to `cap` pairs of each stratum, kind and cell at random."""
    n = len(vectors)
    i, j = np.triu_indices(n, 1)
    similarity = np.einsum("nd,nd->n", vectors[i], vectors[j]).astype(np.float32)
    strata, category = np.unique(np.asarray(categories), return_inverse=True)
    pairs = pd.DataFrame(
        {
            "i": i.astype(np.int32), "j": j.astype(np.int32), "similarity": similarity,
            "same_category": category[i] == category[j],
            "known": np.zeros(len(i), bool) if groups is None else np.asarray(groups)[i] == np.asarray(groups)[j],
            "stratum": np.where((i + j) % 2 == 1, category[i], category[j]).astype(np.int32),
        }
    )  # fmt: skip
    axes = (pairs["stratum"], pairs["same_category"].astype(int), pairs["known"].astype(int))
    counts = np.zeros((len(strata), 2, 2, N_BINS), dtype=np.int64)
    np.add.at(counts, (*axes, bin_index(similarity)), 1)
    pairs["cell"] = bin_index(similarity) // FINE_PER_CELL
    part = ["stratum", "same_category", "known", "cell"]
    shuffled = pairs.iloc[np.random.default_rng(seed).permutation(len(pairs))]
    kept = shuffled[shuffled.groupby(part).cumcount() < cap].sort_values([*part, "i", "j"])
    return Counted(
        counts=CandidateCounts(
            counts=counts,
            sampled=np.minimum(in_cells(counts), cap),
            strata=tuple(map(str, strata)),
            n_records=n,
            source="records",
            has_known=groups is not None,
            has_categories=True,
            space="random",
            test=test,
        ),
        sample=kept[list(SAMPLE_COLUMNS)].reset_index(drop=True),
        records=pd.DataFrame(
            {
                "id": [f"t{row}" for row in range(n)],
                "text": [f"ticket {row}" for row in range(n)],
                "category": categories,
            }
        ),
    )


def tickets(*, groups=False, cap=10**9, seed=0, n=600, test=None):
    """Return n records of three categories of unequal size in groups of three, in a space where groups are close."""
    rng = np.random.default_rng(seed)
    categories = np.array(["network", "mail", "printer"])[np.searchsorted([0.57, 0.87], np.arange(n) / n, side="right")]
    centres = {name: rng.normal(size=12) for name in ("network", "mail", "printer")}
    group = np.arange(n) // 3
    own = rng.normal(size=(n, 12))[group]
    vectors = np.stack([0.5 * centres[name] for name in categories]) + 0.7 * own + 0.9 * rng.normal(size=(n, 12))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return count_by_brute_force(
        vectors.astype(np.float32), categories, groups=group if groups else None, cap=cap, seed=seed, test=test
    )
