"""Tests of simtune_core.curriculum.config and .phases: by hand, by property."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simtune_core.candidates.counting import CandidateCounts
from simtune_core.curriculum.config import CurriculumConfig, preset
from simtune_core.curriculum.phases import preview, share_out, split_negatives, supply_of
from simtune_core.difficulty.bins import N_BINS, bin_index
from simtune_core.errors import ConfigError


def counts_of(pairs, rule="category", n_strata=1):
    """Build counts from (similarity, same_category, same_group, number) or with a stratum as fifth."""
    counts = np.zeros((n_strata, 2, 2, N_BINS), dtype=np.int64)
    for similarity, same_category, same_group, number, *stratum in pairs:
        counts[stratum[0] if stratum else 0, same_category, same_group, bin_index(similarity)] += number
    return CandidateCounts(counts, tuple(map(str, range(n_strata))), 0, rule, "random")


def phases_of(pairs, rule="category", n_strata=1, **settings):
    return preview(supply_of(counts_of(pairs, rule, n_strata)), CurriculumConfig(**settings))


def test_the_preset_is_the_cumulative_one_of_the_story():
    easy, medium, hard = CurriculumConfig().phases

    assert (easy.pos_min, medium.pos_min, hard.pos_min) == (0.52, 0.40, 0.30)
    assert (easy.neg_max, medium.neg_max, hard.neg_max) == (0.36, 0.45, 0.50)
    assert {phase.pos_max for phase in (easy, medium, hard)} == {1.0}
    assert all(phase.reachable for phase in (easy, medium, hard))


def test_the_literal_bands_cannot_reach_the_separabilities_wanted():
    _, medium, hard = CurriculumConfig(cumulative=False).phases

    assert (medium.pos_max, medium.neg_min, medium.separability_max) == (0.52, 0.36, pytest.approx(0.16))
    assert (hard.pos_max, hard.neg_min, hard.separability_max) == (0.40, 0.45, pytest.approx(-0.05))
    assert not medium.reachable
    assert not hard.reachable


def test_same_category_negatives_are_wanted_only_where_a_group_labels():
    assert preset("duplicate_group").same_category_share == 0.7
    assert preset("category").same_category_share == 0.0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"easy_pos_min": 0.3, "medium_pos_min": 0.4}, r"positives must get harder: .*got 0.3, 0.4, 0.3"),
        ({"hard_neg_max": 0.4}, r"negatives must get harder: .*got 0.36, 0.45, 0.4"),
        ({"neg_min": 0.4}, r"neg_min must be below easy_neg_max, got 0.4 and 0.36"),
        ({"easy_pos_min": 0.525}, r"multiples of 0.01, got 0.525"),
        ({"pairs_per_phase": 1}, r"pairs_per_phase: input should be greater than or equal to 2, got 1"),
    ],
)
def test_rejects_contradictory_settings_and_says_what_it_got(settings, message):
    with pytest.raises(ConfigError, match=message):
        CurriculumConfig(**settings)


def test_a_hand_made_supply_gives_the_phases_worked_out_by_hand():
    pairs = [(0.6005, 1, 0, 10), (0.4505, 1, 0, 10), (0.3005, 0, 0, 40), (0.1005, 0, 0, 1000)]

    easy, medium, hard = phases_of(pairs, pairs_per_phase=8)

    # easy: 4 of the 10 positives at .6005, 4 of the 40 negatives at .3005; .1005 is below neg_min
    assert (easy.n_positive_available, easy.n_negative_available) == (10, 40)
    assert (easy.n_positive, easy.n_negative, easy.shortage) == (4, 4, 0)
    assert easy.separability == pytest.approx(0.3)
    assert easy.overlap == 0.0
    # medium: 6 are left at .6005 and 10 at .4505
    assert medium.n_positive_available == 20
    assert medium.positive_mean == pytest.approx((6 * 0.6005 + 10 * 0.4505) / 16)
    assert hard.positive_mean == pytest.approx(medium.positive_mean)  # taken evenly, the rest keeps its mean


def test_a_later_phase_does_not_get_what_an_earlier_one_took():
    pairs = [(0.6005, 1, 0, 6), (0.3005, 0, 0, 6)]

    easy, medium, hard = phases_of(pairs, pairs_per_phase=8)

    assert [phase.n_positive for phase in (easy, medium, hard)] == [4, 2, 0]
    assert [phase.n_negative for phase in (easy, medium, hard)] == [4, 2, 0]
    assert [phase.shortage for phase in (easy, medium, hard)] == [0, 4, 8]
    assert (hard.separability, hard.overlap) == (None, None)


def test_with_groups_a_pair_of_one_category_may_be_either():
    pairs = [(0.6005, 1, 1, 5), (0.6005, 1, 0, 5), (0.3005, 1, 0, 70), (0.3005, 0, 0, 70), (0.3005, 0, 1, 3)]

    easy, *_ = phases_of(pairs, rule="duplicate_group", pairs_per_phase=10, same_category_share=0.6)

    assert easy.n_positive_available == 5  # same group alone; .3005 with the same group is no negative either
    assert easy.n_negative_available == 140
    assert (easy.n_positive, easy.n_negative, easy.n_same_category, easy.n_conflicting) == (5, 5, 3, 0)


def test_without_groups_a_pair_that_fits_both_bands_is_left_out_and_counted():
    pairs = [(0.6005, 1, 0, 9), (0.4205, 1, 0, 7), (0.3005, 1, 0, 8), (0.3005, 0, 0, 9)]

    _, medium, _ = phases_of(pairs, pairs_per_phase=2, same_category_share=0.5)
    _, pure, _ = phases_of(pairs, pairs_per_phase=2)

    assert (medium.n_conflicting, medium.n_positive_available, medium.n_negative_available) == (7, 9, 17)
    assert (pure.n_conflicting, pure.n_positive_available, pure.n_negative_available) == (0, 16, 9)


def test_categories_get_equal_numbers_as_far_as_they_have_them():
    pairs = [(0.6005, 1, 0, 90, 0), (0.8005, 1, 0, 10, 1), (0.3005, 0, 0, 50, 0)]

    easy, *_ = phases_of(pairs, n_strata=2, pairs_per_phase=16)
    as_they_come, *_ = phases_of(pairs, n_strata=2, pairs_per_phase=16, balance_categories=False)

    assert easy.positive_mean == pytest.approx((4 * 0.6005 + 4 * 0.8005) / 8)
    assert as_they_come.positive_mean == pytest.approx(0.9 * 0.6005 + 0.1 * 0.8005)


def test_one_kind_of_negatives_makes_up_for_the_other():
    assert split_negatives(7, 10, 100, 100) == (7, 3)
    assert split_negatives(7, 10, 4, 100) == (4, 6)
    assert split_negatives(7, 10, 100, 1) == (9, 1)
    assert split_negatives(7, 10, 2, 3) == (2, 3)


@given(st.lists(st.integers(0, 30), min_size=1, max_size=12), st.integers(0, 120))
def test_sharing_out_is_even_complete_and_never_more_than_there_is(available, wanted):
    taken = share_out(np.array(available), wanted)

    assert taken.sum() == min(wanted, sum(available))
    assert (taken <= available).all()
    short = taken < np.array(available)  # whoever has some left got as much as anyone, but for one
    if short.any():
        assert taken[short].min() >= taken.max() - 1


def test_a_slider_move_takes_milliseconds_with_many_categories():
    rng = np.random.default_rng(0)
    counts = CandidateCounts(rng.integers(0, 50, (150, 2, 2, N_BINS)), ("x",) * 150, 0, "category", "random")
    supply = supply_of(counts)
    preview(supply, CurriculumConfig())
    spans = []
    for hard_pos_min in (0.2, 0.21, 0.22, 0.23, 0.24):
        started = time.perf_counter()
        preview(supply, CurriculumConfig(hard_pos_min=hard_pos_min))
        spans.append(time.perf_counter() - started)

    assert min(spans) < 0.05  # 150 categories; with 8 it is one to two milliseconds
