"""Tests of simtune_core.curriculum.planning: by hand, where every number of a plan can be counted on paper."""

import math
from itertools import pairwise

import numpy as np
import pytest

from simtune_core.curriculum.config import CurriculumConfig, PhaseConfig, literal_phases
from simtune_core.curriculum.planning import plan
from simtune_core.curriculum.supply import supply_of
from simtune_core.errors import ConfigError
from tests.curriculum.counted import counts_of, test_pairs_of

POSITIVE, NEGATIVE = 1, 0  # same category under the rule category
BANDS = {"pos_min": 0.60, "pos_max": 0.80, "neg_min": 0.20, "neg_max": 0.40}
FOUND = BANDS | {"shape": "as_found"}


def plan_of(pairs, *phases, config=None, **facts):
    supply = supply_of(counts_of(pairs, **facts))
    return plan(supply, CurriculumConfig(phases=phases, **(config or {}))).phases


def reasons(phase):
    return [(loss.reason, loss.n) for loss in phase.losses]


def test_pairs_are_taken_as_often_as_they_occur_and_every_number_follows():
    pairs = [
        (0.655, 1, 0, 300), (0.755, 1, 0, 100),  # positives 3 : 1
        (0.255, 0, 0, 100), (0.355, 0, 0, 100),  # negatives 1 : 1
    ]  # fmt: skip

    (easy,) = plan_of(pairs, PhaseConfig(**FOUND, n_positives=40, n_negatives=20))

    assert {int(cell): int(easy.positive_cells[cell]) for cell in np.flatnonzero(easy.positive_cells)} == {
        165: 30, 175: 10,
    }  # fmt: skip
    assert (easy.n_positive, easy.n_negative, easy.n_pairs, easy.shortage) == (40, 20, 60, 0)
    # a bin of 0.001 counts at its middle: (3 * 0.6555 + 0.7555) / 4, (0.2555 + 0.3555) / 2
    assert easy.positive_mean == pytest.approx(0.6805)
    assert easy.negative_mean == pytest.approx(0.3055)
    assert easy.separability == pytest.approx(0.375)
    assert (easy.overlap, easy.roc_auc, easy.tilt, easy.losses, easy.explanations) == (0.0, 1.0, 0.0, (), ())
    assert easy.available == {"positive": 400, "cross_category": 0, "other_category": 200, "same_category": 0}
    assert easy.balance.tolist() == [[40, 20]]


def test_what_one_phase_takes_is_gone_for_the_next():
    pairs = [(0.655, 1, 0, 50), (0.255, 0, 0, 90)]
    phases = [PhaseConfig(name=name, **FOUND, n_positives=30, n_negatives=30) for name in ("one", "two")]

    first, second = plan_of(pairs, *phases)

    assert (first.n_positive, second.n_positive) == (30, 20)
    assert first.losses == ()
    assert reasons(second) == [("earlier_phases", 10)]
    assert second.losses[0].words == "10 positives lost to earlier phases, which took them"
    assert second.explanations == ("Its bands are those of one, so it gets what one leaves.",)


def test_a_band_that_holds_too_few_and_a_sample_that_does_are_told_apart():
    pairs = [(0.655, 1, 0, 15), (0.255, 0, 0, 500)]

    (phase,) = plan_of(pairs, PhaseConfig(**FOUND, n_positives=20, n_negatives=80), cap=60)

    assert (phase.n_positive, phase.n_negative, phase.shortage) == (15, 60, 25)
    assert [loss.words for loss in phase.losses] == [
        "5 positives lost to the band 0.60 to 0.80, which holds only 15",
        "20 negatives lost to the sample, which holds 60 of the 500 from 0.20 to 0.40; a larger cap of the candidates "
        "keeps more",
    ]


def test_an_empty_band_leaves_one_class_and_measures_nothing():
    (phase,) = plan_of([(0.655, 1, 0, 50)], PhaseConfig(**BANDS, n_positives=1, n_negatives=1, separability=0.4))

    assert (phase.n_positive, phase.n_negative) == (1, 0)
    assert [loss.words for loss in phase.losses] == ["1 negative lost to the band 0.20 to 0.40, which holds none"]
    assert (phase.separability, phase.overlap, phase.roc_auc, phase.reach) == (None, None, None, None)


def test_categories_are_equal_capped_or_as_found():
    # positives of three categories, 600 : 300 : 100
    pairs = [(0.655, 1, 0, n, stratum) for stratum, n in enumerate((600, 300, 100))]
    phase = PhaseConfig(**FOUND, n_positives=100, n_negatives=0)  # the negatives are shared out alike

    def balance(**config):
        (made,) = plan_of(pairs, phase, n_strata=3, config=config)
        return made.balance[:, 0].tolist(), [loss.words for loss in made.losses]

    assert balance() == ([34, 33, 33], [])
    assert balance(balance="as_found") == ([60, 30, 10], [])
    # at most 40 of 100: 20 of the first are displaced, 10 of which the second takes, 10 the third
    assert balance(balance="capped", category_cap=0.4) == (
        [40, 40, 20], ["20 positives lost to the category cap, of which other categories made up for 20"],
    )  # fmt: skip
    # at most 30 of each: 10 are missing, as 30 of the first are displaced and 20 taken by the third
    assert balance(balance="capped", category_cap=0.3) == (
        [30, 30, 30], ["30 positives lost to the category cap, of which other categories made up for 20"],
    )  # fmt: skip


def test_where_no_category_is_known_none_is_capped():
    (phase,) = plan_of(
        [(0.655, 0, 1, 100), (0.255, 0, 0, 100)],
        PhaseConfig(**FOUND, n_positives=50, n_negatives=50),
        config={"balance": "capped"}, has_known=True, has_categories=False,
    )  # fmt: skip

    assert (phase.n_pairs, phase.losses, phase.n_cross_category) == (100, (), 0)


def test_shares_of_kinds_are_kept_and_one_kind_makes_up_for_the_other():
    known = [(0.655, 1, 1, 100), (0.655, 0, 1, 100)]
    negatives = [(0.255, 1, 0, 15), (0.255, 0, 0, 200)]
    phase = PhaseConfig(
        **FOUND, n_positives=40, n_negatives=40, same_category_share=0.7, cross_category_share=0.25
    )  # fmt: skip

    (made,) = plan_of(known + negatives, phase, has_known=True)

    assert (made.n_cross_category, made.n_same_category, made.n_pairs) == (10, 15, 80)
    # 28 negatives of one category are wanted and there are 15
    assert [loss.words for loss in made.losses] == [
        "13 negatives of two categories in the place of ones of one category"
    ]


def test_the_tilt_is_the_least_that_reaches_the_target():
    rng = np.random.default_rng(0)
    pairs = [(0.605 + step / 100, 1, 0, int(rng.integers(200, 400))) for step in range(20)]
    pairs += [(0.205 + step / 100, 0, 0, int(rng.integers(200, 400))) for step in range(20)]

    def made(wanted):
        (phase,) = plan_of(pairs, PhaseConfig(**BANDS, n_positives=500, n_negatives=500, separability=wanted))
        return phase

    as_found = made(None)
    assert (as_found.tilt, as_found.phase.shape) == (0.0, "target")
    tilts = []
    for wanted in (0.30, 0.36, as_found.separability, 0.44, 0.50):
        phase = made(wanted)
        assert phase.separability == pytest.approx(wanted, abs=5e-4)
        assert (phase.n_positive, phase.n_negative, phase.explanations) == (500, 500, ())
        tilts.append(phase.tilt)
    assert all(first < second for first, second in pairwise(tilts))
    assert tilts[2] == pytest.approx(0, abs=0.01)
    assert tilts[0] < -1 < 1 < tilts[4]


def test_a_target_that_the_candidates_cannot_reach_is_approached_and_said():
    pairs = [(0.605, 1, 0, 50), (0.755, 1, 0, 10), (0.255, 0, 0, 50), (0.355, 0, 0, 50)]

    (phase,) = plan_of(pairs, PhaseConfig(**BANDS, n_positives=20, n_negatives=40, separability=0.5))

    # at most: ten of 0.7555 and ten of 0.6055, above forty of 0.2555; at least: twenty of 0.6055 above forty of 0.3555
    assert phase.reach == pytest.approx((0.25, 0.425))
    assert (phase.tilt, phase.separability) == (math.inf, pytest.approx(0.425))
    assert phase.explanations == (
        "Separability 0.500 is out of reach: in these numbers, shares and balance of categories, the candidates left "
        "allow 0.250 to 0.425. Want fewer pairs, wider bands or another target.",
    )


def test_literal_bands_are_said_to_be_out_of_reach_before_anything_is_drawn():
    pairs = [(low / 100 + 0.005, same, 0, 9000) for low in range(20, 100) for same in (0, 1)]

    phases = plan_of(pairs, *literal_phases())

    assert phases[0].explanations == ()
    assert phases[1].explanations == (
        "The bands overlap from 0.40 to 0.45: similarity alone cannot tell positives from negatives there.",
        "Separability 0.27 is out of reach: positives of 0.40 to 0.52 and negatives of 0.36 to 0.45 allow at most "
        "0.16. Want wider bands or another target.",
    )
    assert "negatives of 0.45 to 0.50 allow at most -0.05" in phases[2].explanations[-1]
    assert [phase.n_pairs for phase in phases] == [5000, 5000, 5000]


def test_pairs_taken_as_found_say_by_how_much_they_miss_a_target():
    pairs = [(0.655, 1, 0, 50), (0.755, 1, 0, 50), (0.255, 0, 0, 50)]

    (phase,) = plan_of(pairs, PhaseConfig(**FOUND, n_positives=20, n_negatives=20, separability=0.48))

    assert phase.explanations == (
        "Separability is 0.450, not the 0.480 wanted: its pairs are taken as found; the shape target would tilt them.",
    )


def test_pairs_that_fit_both_bands_are_left_out_and_counted_under_the_band_rule():
    pairs = [(0.355, 0, 0, 7), (0.455, 0, 0, 5), (0.255, 0, 0, 4)]
    phase = PhaseConfig(
        pos_min=0.30, pos_max=0.50, neg_min=0.20, neg_max=0.40, n_positives=20, n_negatives=20, shape="as_found"
    )

    (made,) = plan_of(pairs, phase, config={"rule": "band"})

    assert (made.n_positive, made.n_negative, made.n_conflicting) == (5, 4, 7)
    assert made.explanations == (
        "The bands overlap from 0.30 to 0.40: 7 pairs could be positive as well as negative and are left out.",
    )


def test_the_tests_shape_needs_a_test_set():
    with pytest.raises(ConfigError, match="phase: the shape test needs test pairs to resemble"):
        plan_of([(0.655, 1, 0, 50)], PhaseConfig(**BANDS, shape="test"))


def test_every_phase_tells_how_far_it_is_from_the_test():
    test = test_pairs_of([0.6555] * 10, [0.2555] * 10)
    pairs = [(0.655, 1, 0, 60), (0.755, 1, 0, 60), (0.255, 0, 0, 60)]

    (phase,) = plan_of(pairs, PhaseConfig(**FOUND, n_positives=20, n_negatives=20), test=test)

    # candidates of the test's range lie where the test does; half of the positives allotted lie 0.1 higher
    negative, positive = phase.distances
    assert (negative.label, negative.before, negative.after) == (0, 0.0, 0.0)
    assert (positive.label, positive.before, positive.after) == (1, 0.0, pytest.approx(0.05))


def test_a_full_band_without_a_pair_of_the_class_says_what_none_is():
    pairs = [(0.655, 1, 0, 50), (0.255, 1, 0, 900)]  # all records are of one category

    (phase,) = plan_of(pairs, PhaseConfig(**FOUND, n_positives=20, n_negatives=20))

    assert [loss.words for loss in phase.losses] == [
        "20 negatives lost to the band 0.20 to 0.40, where none of 900 pairs is of two categories (want a share of "
        "same-category negatives, or the rule band)"
    ]


def test_a_plan_says_when_the_category_alone_is_the_label():
    pairs = [(0.655, same, 0, 90) for same in (0, 1)] + [(0.255, same, 0, 90) for same in (0, 1)]

    def shortcut(phase=None, **facts):
        config = CurriculumConfig(phases=(PhaseConfig(**FOUND, n_positives=20, n_negatives=20, **(phase or {})),))
        return plan(supply_of(counts_of(facts.pop("pairs", pairs), **facts)), config).shortcut

    assert "the category alone is the label" in shortcut()
    assert "No negative shares a category" in shortcut({"cross_category_share": 0.3})
    assert shortcut({"same_category_share": 0.3}) is None
    known = [(0.655, 0, 1, 90), (0.255, 0, 0, 90)]
    assert shortcut(pairs=known, has_known=True, has_categories=False) is None


def test_bands_turned_round_and_phases_of_one_class_are_explained():
    pairs = [(0.655, 0, 0, 90), (0.255, 1, 0, 90)]
    turned = {"pos_min": 0.20, "pos_max": 0.40, "neg_min": 0.60, "neg_max": 0.80, "shape": "as_found"}

    (round_,) = plan_of(pairs, PhaseConfig(**turned, n_positives=20, n_negatives=20))
    (alone,) = plan_of(pairs, PhaseConfig(**turned, n_positives=20, n_negatives=0))

    assert (round_.roc_auc, round_.explanations) == (
        0.0, ("Every positive is less similar than every negative: whoever scores like this space ranks all wrong.",),
    )  # fmt: skip
    assert alone.explanations == ("It wants positives alone; only a loss that needs no negatives can learn from it.",)
