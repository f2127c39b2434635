"""Pairs chosen by a model's errors: by hand, what a uniform draw must be, and positives across categories."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simtune_core.candidates.counted import FINE_PER_CELL, N_CELLS, CandidateCounts
from simtune_core.curriculum.mining.adversarial import (
    draw_weighted,
    label_sample,
    mine_across,
    mine_adversarial,
    population_weights,
)
from simtune_core.curriculum.mining.config import AdversarialConfig, CrossCategoryConfig
from simtune_core.curriculum.rules import resolve_rule
from simtune_core.difficulty.bins import N_BINS
from simtune_core.errors import ConfigError


def counted(sample, *, times=1, known=False):
    """Return counts of which the sample is one pair in `times` of every cell."""
    cell = np.floor(sample["similarity"].to_numpy(np.float64) * 100 + 1e-4).astype(int) + 100
    place = (0, sample["same_category"].astype(int), sample["known"].astype(int), cell)
    sampled = np.zeros((1, 2, 2, N_CELLS), dtype=np.int64)
    np.add.at(sampled, place, 1)
    counts = np.zeros((1, 2, 2, N_BINS), dtype=np.int64)
    counts[..., ::FINE_PER_CELL] = sampled * times
    return CandidateCounts(counts, sampled, ("all",), 1000, "records", known, True, "tfidf")


def sample_of(similarity, same, known=None):
    n = len(similarity)
    frame = pd.DataFrame({"i": np.arange(n), "j": np.arange(n) + n, "similarity": np.float32(similarity)})
    return frame.assign(same_category=same, known=np.zeros(n, bool) if known is None else known, stratum=0)


# Positives (same category, 0.30 and above) have the model's 0.9, 0.2, 0.6; negatives (the others) 0.8, 0.1, 0.3.
SIX = sample_of([0.35, 0.45, 0.55, 0.05, 0.15, 0.25], [True] * 3 + [False] * 3)
SCORES = np.float32([0.9, 0.2, 0.6, 0.8, 0.1, 0.3])


def mined(config, sample=SIX, scores=SCORES):
    counts = counted(sample)
    return mine_adversarial(label_sample(sample, counts, resolve_rule(counts, config.rule), config), scores, config)


def test_the_rule_labels_the_sample_inside_the_bands():
    config = AdversarialConfig(neg_max=0.20, pos_max=0.50)
    counts = counted(SIX)

    labelled = label_sample(SIX, counts, resolve_rule(counts, "category"), config)

    assert labelled.label.tolist() == [1, 1, -1, 0, 0, -1]


def test_ranked_takes_the_worst_errors_of_both_classes_in_one_ranking():
    # errors: positives 0.1, 0.8, 0.4; negatives 0.8, 0.1, 0.3. The tie at 0.8 goes to the negative, which comes first
    assert mined(AdversarialConfig(strategy="ranked", n_pairs=4)).rows.tolist() == [3, 1, 2, 5]


def test_balanced_takes_as_many_of_each_class_out_of_the_hardest_but_not_the_very_hardest():
    # of three pairs of a class the hardest fills the shares 0 to 1/3 (middle 1/6), the second 1/3 to 2/3 (middle 1/2)
    found = mined(AdversarialConfig(strategy="balanced", n_pairs=2, skip=0.2, window=0.6))

    assert sorted(found.rows.tolist()) == [2, 5]  # the second least similar positive, the second most similar negative


def test_random_takes_the_share_of_positives_that_is_wanted():
    rng = np.random.default_rng(0)
    sample = sample_of(rng.uniform(0.06, 0.6, 4000), rng.random(4000) < 0.5)

    found = mined(AdversarialConfig(strategy="random", n_pairs=200, positive_share=0.25), sample, rng.random(4000))

    assert int((sample["same_category"] & (sample["similarity"] >= 0.3)).to_numpy()[found.rows].sum()) == 50
    assert len(np.unique(found.rows)) == 200


def test_what_the_sample_lacks_is_missing_and_not_made_up():
    found = mined(AdversarialConfig(strategy="random", n_pairs=100))

    assert (len(found.rows), found.n_wanted, found.n_available) == (6, 100, (3, 3))


def test_a_row_stands_for_as_many_pairs_as_its_cell_has():
    counts = counted(SIX)
    counts.counts[0, 1, 0, 1350] = 40  # similarity 0.35

    np.testing.assert_array_equal(population_weights(SIX, counts), [40, 1, 1, 1, 1, 1])


def test_a_random_draw_is_uniform_over_the_population_not_over_the_sample():
    """One cell holds 900 of 1,000 pairs of the population and half of the sample: 90 % of what is drawn is its."""
    sample = sample_of([0.02] * 500 + [0.22] * 500 + [0.5], [False] * 1000 + [True])
    counts = counted(sample)
    counts.counts[0, 0, 0, 1020], counts.counts[0, 0, 0, 1220] = 9000, 1000
    config = AdversarialConfig(strategy="random", n_pairs=201, positive_share=0.005, neg_min=0.0)
    rule = resolve_rule(counts, "category")
    counts.counts[0, 0, 0, 1025] = 0

    found = mine_adversarial(label_sample(sample, counts, rule, config), np.zeros(1001, "f4"), config)

    assert (sample["similarity"].to_numpy()[found.rows] < 0.1).sum() == pytest.approx(180, abs=1)


def test_other_seeds_draw_other_pairs_and_the_same_seed_the_same():
    rng = np.random.default_rng(0)
    sample = sample_of(rng.uniform(0, 0.6, 500), rng.random(500) < 0.5)

    def rows(seed):
        return mined(AdversarialConfig(strategy="random", n_pairs=50, seed=seed), sample, rng.random(500)).rows.tolist()

    assert rows(1) == rows(1)
    assert rows(1) != rows(2)


@given(weights=st.lists(st.floats(0.01, 100), min_size=1, max_size=60), n=st.integers(1, 60), seed=st.integers(0, 1000))
def test_as_many_different_rows_are_drawn_as_wanted_or_all(weights, n, seed):
    rows, certain = draw_weighted(np.array(weights), n, np.random.default_rng(seed))

    assert len(rows) == len(set(rows.tolist())) == min(n, len(weights))
    assert 0 <= certain <= len(rows)


def test_each_row_is_drawn_in_proportion_to_its_weight():
    weights = np.array([1.0, 2.0, 3.0, 4.0, 30.0])  # 3 of them: 30/40 * 3 > 1 is certain, then 2 of weight 10
    rng = np.random.default_rng(0)

    hits = np.zeros(5)
    for _ in range(4000):
        hits[draw_weighted(weights, 3, rng)[0]] += 1

    np.testing.assert_allclose(hits / 4000, [0.2, 0.4, 0.6, 0.8, 1.0], atol=0.03)  # 4 standard errors


def test_a_window_that_ends_before_it_begins_and_a_band_upside_down_are_refused():
    with pytest.raises(ConfigError, match="skip must be below window"):
        AdversarialConfig(skip=0.3, window=0.2)
    with pytest.raises(ConfigError, match="pos_min must be below pos_max"):
        AdversarialConfig(pos_min=0.6, pos_max=0.5)


def test_across_categories_known_positives_need_no_second_model():
    sample = sample_of([0.5, 0.5, 0.5, 0.99], [False, True, False, False], [True, True, False, True])
    counts = counted(sample, known=True)

    found = mine_across(
        sample, counts, resolve_rule(counts, "duplicate_group"), np.zeros(4, "f4"), CrossCategoryConfig()
    )

    assert found.rows.tolist() == [0]


def test_across_categories_without_groups_both_spaces_must_agree():
    sample = sample_of([0.5, 0.5, 0.39, 0.5], [False, False, False, True])
    counts = counted(sample)

    found = mine_across(
        sample, counts, resolve_rule(counts, "category"), np.float32([0.7, 0.59, 0.7, 0.7]), CrossCategoryConfig()
    )

    assert found.rows.tolist() == [0]
