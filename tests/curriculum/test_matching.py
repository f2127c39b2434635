"""Tests of simtune_core.curriculum.matching: by hand, and the distance against scipy."""

import numpy as np
import pytest
from scipy.stats import wasserstein_distance

from simtune_core.curriculum.config import CurriculumConfig, PhaseConfig
from simtune_core.curriculum.drawing import draw
from simtune_core.curriculum.planning import plan
from simtune_core.curriculum.presets import phases_like_test
from simtune_core.curriculum.supply import supply_of
from tests.curriculum.counted import counts_of, test_pairs_of, tickets

EVEN = test_pairs_of([0.455, 0.555, 0.655, 0.755], [0.255, 0.255, 0.255, 0.355])
PHASE = {"pos_min": 0.40, "pos_max": 0.80, "neg_min": 0.20, "neg_max": 0.40, "shape": "test"}


def matched(pairs, phase, test=EVEN, **config):
    counts = counts_of(pairs, test=test, n_strata=3)
    (made,) = plan(supply_of(counts), CurriculumConfig(phases=(phase,), **config)).phases
    return made


def cells_of(numbers):
    return {int(cell): int(numbers[cell]) for cell in np.flatnonzero(numbers)}


PLENTY = [(similarity, same, 0, 500, stratum) for similarity, same in (
    (0.455, 1), (0.465, 1), (0.555, 1), (0.655, 1), (0.755, 1), (0.255, 0), (0.255, 1), (0.355, 0), (0.355, 1),
) for stratum in range(3)]  # fmt: skip


def test_every_cell_gets_the_tests_share():
    phase = matched(PLENTY, PhaseConfig(**PHASE, n_positives=200, n_negatives=100))

    assert cells_of(phase.positive_cells) == {145: 50, 155: 50, 165: 50, 175: 50}
    assert cells_of(phase.negative_cells) == {125: 75, 135: 25}
    assert [distance.after for distance in phase.distances] == [pytest.approx(0, abs=1e-12)] * 2
    assert phase.losses == ()


def test_what_a_cell_lacks_its_neighbour_gives():
    scarce = [row for row in PLENTY if row[0] != 0.455] + [(0.455, 1, 0, 10, 0)]

    phase = matched(scarce, PhaseConfig(**PHASE, n_positives=200, n_negatives=100))

    # 50 wanted of cell 145 and 10 there: 40 come from 146, 0.01 away, of 200: a distance of 0.002
    assert cells_of(phase.positive_cells) == {145: 10, 146: 40, 155: 50, 165: 50, 175: 50}
    assert phase.distances[1].after == pytest.approx(0.002)


def test_what_only_far_cells_could_give_is_left_out_and_said():
    test = test_pairs_of([0.455] * 49 + [0.795], [0.255] * 10)
    pairs = [(0.455, 1, 0, 300, 0), (0.405, 1, 0, 300, 0), (0.255, 0, 0, 300, 0)]

    phase = matched(pairs, PhaseConfig(**PHASE, n_positives=100, n_negatives=100), test=test)

    # two of 0.795 are wanted and none is there: two more of 0.455 are as near as leaving them out, and keep the number
    assert cells_of(phase.positive_cells) == {145: 100}
    short = [row for row in pairs if row[0] != 0.455] + [(0.455, 1, 0, 98, 0)]
    phase = matched(short, PhaseConfig(**PHASE, n_positives=100, n_negatives=100), test=test)
    # now only 0.405 could give them, farther from the test than leaving them out
    assert cells_of(phase.positive_cells) == {145: 98}
    assert [loss.words for loss in phase.losses] == [
        "2 positives lost where the test's shape needs more than there are"
    ]


def test_kinds_mix_as_in_the_test_and_shift_where_one_is_missing():
    test = test_pairs_of([0.655] * 5, [0.255] * 10 + [0.355] * 10, same_negative=0.5)  # the same ten are all of 0.255
    share = {"same_category_share": 0.5, "n_positives": 10, "n_negatives": 100}

    phase = matched(PLENTY, PhaseConfig(**PHASE | {"pos_min": 0.6}, **share), test=test)
    by_kind = phase.negative.sum(axis=(0, 2))
    assert (cells_of(by_kind[1]), cells_of(by_kind[0])) == ({125: 50}, {135: 50})

    without = [row for row in PLENTY if row[:2] != (0.255, 1)]  # none of one category where the test has them
    phase = matched(without, PhaseConfig(**PHASE | {"pos_min": 0.6}, **share), test=test)
    by_kind = phase.negative.sum(axis=(0, 2))
    assert (cells_of(by_kind[1]), cells_of(by_kind[0])) == ({135: 50}, {125: 50})


@pytest.mark.parametrize("balance", ["equal", "capped", "as_found"])
def test_categories_are_balanced_as_far_as_the_cells_allow(balance):
    uneven = [(*row[:3], 900 if row[4] == 0 else 300, row[4]) for row in PLENTY]
    phase = PhaseConfig(**PHASE, n_positives=300, n_negatives=300)

    made = matched(uneven, phase, balance=balance, category_cap=0.4).balance[:, 0]

    expected = {"equal": [100, 100, 100], "capped": [117, 91, 91], "as_found": [180, 60, 60]}[balance]
    assert made == pytest.approx(expected, abs=4)
    assert made.sum() == 300
    assert balance != "capped" or made.max() <= 120


def test_the_distance_foretold_is_scipys_of_the_pairs_drawn():
    rng = np.random.default_rng(2)
    test = test_pairs_of(rng.normal(0.5, 0.1, 300).clip(0.2, 0.9), rng.normal(0.2, 0.1, 300).clip(-0.2, 0.5), 0.3)
    made = tickets(test=test)
    config = CurriculumConfig(phases=phases_like_test(test, 1000))
    planned = plan(supply_of(made.counts), config)

    drawn = draw(made.sample, made.records, planned, config)

    for told in planned.phases[0].distances:
        ours = drawn.details["similarity"][drawn.frame["label"] == told.label]
        theirs = test.similarities[test.labels == told.label]
        assert told.after == pytest.approx(wasserstein_distance(ours, theirs), abs=1e-3)
        assert told.after < 0.005 < told.before
