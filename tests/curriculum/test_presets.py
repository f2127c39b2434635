"""Tests of simtune_core.curriculum.presets: what each begins with."""

import pytest

from simtune_core.curriculum.config import PhaseConfig, cumulative_phases
from simtune_core.curriculum.presets import PRESETS, phases_like_test, preset_phases
from simtune_core.errors import ConfigError
from tests.curriculum.counted import counts_of, test_pairs_of

TEST = test_pairs_of([0.305, 0.455, 0.599, 0.50], [0.15, 0.30, 0.449, 0.25], same_negative=0.75)


def test_where_groups_label_most_negatives_share_a_category():
    by_group, by_category = counts_of([], has_known=True), counts_of([])

    assert preset_phases("cumulative", by_group) == cumulative_phases(same_category_share=0.7)
    assert preset_phases("cumulative", by_category) == cumulative_phases()
    assert preset_phases("hard_only", by_category) == cumulative_phases()[2:]
    assert [phase.reachable for phase in preset_phases("literal", by_category)] == [True, False, False]


def test_a_test_matched_phase_has_the_tests_bands_shares_and_separability():
    (phase,) = preset_phases("test_matched", counts_of([], test=TEST))

    # means (0.305 + 0.455 + 0.599 + 0.5) / 4 - (0.15 + 0.3 + 0.449 + 0.25) / 4 = 0.46475 - 0.28725
    assert phase == PhaseConfig(
        name="test-matched", pos_min=0.30, pos_max=0.60, neg_min=0.15, neg_max=0.45, n_positives=5000,
        n_negatives=5000, same_category_share=0.75, separability=0.1775, shape="test",
    )  # fmt: skip


def test_numbers_are_balanced_as_the_test_is():
    (phase,) = phases_like_test(test_pairs_of([0.5], [0.3, 0.2]), 1000)

    assert (phase.n_positives, phase.n_negatives) == (333, 667)


def test_what_cannot_be_matched_is_refused():
    with pytest.raises(ConfigError, match="count the candidates with a test set"):
        preset_phases("test_matched", counts_of([]))
    with pytest.raises(ConfigError, match="test@v0001 has 2 positive and 0 negative ones"):
        phases_like_test(test_pairs_of([0.5, 0.6], []))
    with pytest.raises(ConfigError, match="A preset is one of cumulative, literal"):
        preset_phases("easy", counts_of([]))


def test_every_preset_is_described():
    assert all(words.endswith(".") for words in PRESETS.values())
