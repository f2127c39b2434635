"""Phases to begin with, by name. Reads what was counted; every number may be changed afterwards."""

from __future__ import annotations

from typing import Literal

import numpy as np

from simtune_core.candidates.counted import FINE_PER_CELL, STEP, CandidateCounts, TestPairs
from simtune_core.curriculum.config import PhaseConfig, cumulative_phases, literal_phases
from simtune_core.difficulty.bins import bin_index
from simtune_core.errors import ConfigError

PresetName = Literal["cumulative", "literal", "test_matched", "hard_only"]
PRESETS: dict[PresetName, str] = {
    "cumulative": "Three phases of 5,000 pairs, easy to hard; a later phase may use all that an earlier one may.",
    "literal": "The same thresholds as bands beside each other; two of the three targets are out of their reach.",
    "test_matched": "One phase of 10,000 pairs that spread over similarity as the test pairs do.",
    "hard_only": "The last of the three phases alone.",
}
TEST_MATCHED_PAIRS = 10_000
_SHARE = 0.7  # of negatives whose category is no clue, where the category does not decide the label


def preset_phases(name: PresetName, counts: CandidateCounts) -> tuple[PhaseConfig, ...]:
    """Return the phases of a preset for these candidates.

    Args:
        name: One of PRESETS.
        counts: Where duplicate groups or labels make a pair positive and categories are known, 70 % of the negatives
            share a category; elsewhere a negative of one category would contradict the label, and there is none.

    Raises:
        ConfigError: If there is no such preset, or it needs a test set and the candidates were counted without one.
    """
    share = _SHARE if counts.has_known and counts.has_categories else 0.0
    if name == "cumulative":
        return cumulative_phases(same_category_share=share)
    if name == "literal":
        return literal_phases(same_category_share=share)
    if name == "hard_only":
        return cumulative_phases(same_category_share=share)[-1:]
    if name != "test_matched":
        raise ConfigError(f"A preset is one of {', '.join(PRESETS)}, got {name!r}.")
    if counts.test is None:
        raise ConfigError("The preset test_matched needs test pairs to match; count the candidates with a test set.")
    return phases_like_test(counts.test)


def phases_like_test(test: TestPairs, n_pairs: int = TEST_MATCHED_PAIRS) -> tuple[PhaseConfig, ...]:
    """Return one phase with the test's bands, its share of positives and its share of categories.

    Args:
        test: The pairs to resemble; both labels must occur.
        n_pairs: Pairs wanted in all.

    Raises:
        ConfigError: If the test pairs are of one class.
    """
    positive = test.labels == 1
    if positive.all() or not positive.any():
        raise ConfigError(
            f"A phase can only be matched to test pairs of both classes; {test.ref} has {int(positive.sum()):,} "
            f"positive and {int((~positive).sum()):,} negative ones."
        )
    pos_min, pos_max = _band(test.similarities[positive])
    neg_min, neg_max = _band(test.similarities[~positive])
    n_positives = round(n_pairs * float(positive.mean()))
    phase = PhaseConfig(
        name="test-matched", pos_min=pos_min, pos_max=pos_max, neg_min=neg_min, neg_max=neg_max,
        n_positives=n_positives, n_negatives=n_pairs - n_positives,
        same_category_share=round(_share(test.same_category[~positive], 1), 3),
        cross_category_share=round(_share(test.same_category[positive], 0), 3),
        separability=_separability(test), shape="test",
    )  # fmt: skip
    return (phase,)


def _band(similarities: np.ndarray) -> tuple[float, float]:
    """Return the edges of the lowest and of the highest cell that a similarity lies in."""
    cells = bin_index(similarities) // FINE_PER_CELL
    return round(float(cells.min()) * STEP - 1.0, 2), round(float(cells.max() + 1) * STEP - 1.0, 2)


def _share(same: np.ndarray, value: int) -> float:
    known = same[same >= 0]
    return float((known == value).mean()) if len(known) else 0.0


def _separability(test: TestPairs) -> float:
    positive = test.labels == 1
    means = (float(test.similarities[rows].mean(dtype=np.float64)) for rows in (positive, ~positive))
    return round(next(means) - next(means), 4)
