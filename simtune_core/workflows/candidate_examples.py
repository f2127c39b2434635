"""Pairs to read before anything is drawn: a few sampled candidates, chosen as a phase of the plan would choose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from simtune_core.candidates.counted import COUNTS, RECORDS, SAMPLE, load_counts
from simtune_core.curriculum.config import CurriculumConfig
from simtune_core.curriculum.planning import plan
from simtune_core.curriculum.supply import supply_of
from simtune_core.jobs.launcher import read_job
from simtune_core.workspace import Workspace

N_EXAMPLES = 20


@dataclass(frozen=True, slots=True)
class ExampleQuery:
    """Which pairs are looked at.

    Attributes:
        candidates: Id of the job that counted and sampled them.
        phase: Name of a phase.
        label: 1 for its positives, 0 for its negatives.
        seed: Another one shows other pairs.
    """

    candidates: str
    phase: str
    label: int
    seed: int


def example_pairs(workspace: Workspace, query: ExampleQuery, config: CurriculumConfig) -> pd.DataFrame:
    """Return up to `N_EXAMPLES` pairs as the phase would draw them, most similar first.

    A cell is chosen as often as the plan takes pairs from it; within a cell every sampled pair has the same chance.

    Args:
        workspace: Where the job is.
        query: Phase, class and seed.
        config: The curriculum that has the phase.

    Returns:
        Columns similarity, text 1, text 2, category 1, category 2; empty where the phase takes nothing of the class.
    """
    folder = read_job(workspace, query.candidates).folder
    counts = load_counts(folder / COUNTS)
    (phase,) = (each for each in plan(supply_of(counts), config).phases if each.phase.name == query.phase)
    quota = (phase.positive if query.label else phase.negative).ravel()
    rng = np.random.default_rng(query.seed)
    n = min(N_EXAMPLES, int(quota.sum()))
    taken = rng.multivariate_hypergeometric(quota, n, method="marginals") if n else quota
    held = counts.sampled.ravel()
    begins = np.cumsum(held) - held  # rows of the sample are sorted by stratum, same category, known, cell
    rows = [begins[cell] + rng.choice(held[cell], taken[cell], replace=False) for cell in np.flatnonzero(taken)]
    places = np.concatenate(rows) if rows else np.zeros(0, dtype=np.int64)
    sample = pd.read_parquet(folder / SAMPLE, columns=["i", "j", "similarity"]).iloc[places]
    records = pd.read_parquet(folder / RECORDS, columns=["text", "category"])
    one, other = (records.iloc[sample[side].to_numpy()].reset_index(drop=True) for side in ("i", "j"))
    shown = {
        "similarity": sample["similarity"].to_numpy(), "text 1": one["text"], "text 2": other["text"],
        "category 1": one["category"], "category 2": other["category"],
    }  # fmt: skip
    return pd.DataFrame(shown).sort_values("similarity", ascending=False, ignore_index=True)
