"""The noise estimate: rates by hand, cleanlab as the authority for the suspects, planted flips that are found."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simtune_core.curriculum.quality.config import NoiseConfig
from simtune_core.curriculum.quality.noise import classes_from_json, estimate_noise, mixture_rates

CONFIG = NoiseConfig(n_resamples=100)


def flipped(share, *, n=4000, seed=0, apart=2.5):
    """Return labels of which a share is wrong, which ones, and scores of two normal classes `apart` from each other."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, n)
    wrong = rng.random(n) < np.where(truth == 1, share[1], share[0])
    scores = rng.standard_normal(n) + apart * truth
    return np.where(wrong, 1 - truth, truth).astype(np.int8), wrong, 1 / (1 + np.exp(apart * (apart / 2 - scores)))


def apart_records(n):
    """Return records of which no two pairs share one."""
    return np.arange(n), np.arange(n, 2 * n)


def test_rates_by_hand():
    # 10 of 100 negatives and 80 of 100 positives lie at the upper end: 0.10 / 0.80 = 0.125 is the ratio there;
    # 20 of 100 positives and 90 of 100 negatives at the lower end: 0.20 / 0.90 = 2 / 9. Solved for the two rates:
    # 0.125 (1 - 2/9) / (1 - 0.125 * 2/9) = 0.1 and 2/9 (1 - 0.125) / (1 - 0.125 * 2/9) = 0.2.
    labels = np.repeat([0, 0, 1, 1], [90, 10, 20, 80])
    scores = np.repeat([0.0, 1.0, 0.0, 1.0], [90, 10, 20, 80])

    assert mixture_rates(labels, scores) == pytest.approx((0.1, 0.2))


def test_labels_that_the_scores_separate_have_no_noise_and_a_single_class_has_no_rate():
    assert mixture_rates(np.array([0, 0, 1, 1]), np.array([0.1, 0.2, 0.8, 0.9])) == (0.0, 0.0)
    assert np.isnan(mixture_rates(np.zeros(3, dtype=int), np.arange(3.0))).all()


@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 9), st.integers(0, 3)), min_size=4, max_size=60).filter(
        lambda rows: {row[0] for row in rows if row[2]} == {0, 1}
    )
)
def test_a_weight_is_that_many_rows_and_the_order_of_rows_is_nothing(rows):
    labels, scores, weights = (np.array(column) for column in zip(*rows, strict=True))

    found = mixture_rates(labels, scores.astype(float), weights.astype(float))

    again = np.repeat(np.arange(len(rows)), weights)[::-1]
    assert found == pytest.approx(mixture_rates(labels[again], scores[again].astype(float)))
    assert all(0.0 <= rate <= 1.0 for rate in found)


@pytest.mark.parametrize("share", [(0.0, 0.0), (0.1, 0.1), (0.2, 0.05)])
def test_planted_flips_are_estimated_within_the_interval_where_the_classes_lie_apart(share):
    labels, wrong, likely = flipped(share)

    found = estimate_noise(labels, likely, apart_records(len(labels)), CONFIG)

    for each in found.classes:
        truth = wrong[labels == each.label].mean()
        assert each.rate.estimate == pytest.approx(truth, abs=0.03)
        assert each.rate.low <= truth <= each.rate.high
        assert each.n == (labels == each.label).sum()
        assert each.n_expected == round(each.rate.estimate * each.n)


def test_the_weaker_the_probe_the_more_confident_learning_calls_wrong_and_the_less_the_tails_do():
    labels, _, likely = flipped((0.0, 0.0), apart=1.5)

    found = estimate_noise(labels, likely, apart_records(len(labels)), CONFIG)

    assert all(each.confident > 0.1 for each in found.classes)  # no label is wrong
    assert all(each.rate.estimate < each.confident / 3 for each in found.classes)


def test_the_suspects_and_the_confident_share_are_those_of_cleanlab():
    from cleanlab.count import estimate_joint
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    labels, _, likely = flipped((0.1, 0.1))
    both = np.column_stack([1 - likely, likely])

    found = estimate_noise(labels, likely, apart_records(len(labels)), CONFIG)

    joint = estimate_joint(labels, both)
    assert np.array_equal(found.issues, find_label_issues(labels, both, n_jobs=1))
    assert np.array_equal(found.self_confidence, get_label_quality_scores(labels, both, method="self_confidence"))
    assert [each.confident for each in found.classes] == pytest.approx(
        [joint[0, 1] / joint[0].sum(), joint[1, 0] / joint[1].sum()]
    )


def test_no_wrong_label_among_few_pairs_is_not_called_none_at_all():
    labels, likely = np.repeat([0, 1], 100).astype(np.int8), np.repeat([0.01, 0.99], 100)

    found = estimate_noise(labels, likely, apart_records(200), CONFIG)

    # Equal scores make each tail the whole class: no error in 100 pairs, by a chance of 2.5 % up to -log(0.025) = 3.69.
    assert [each.rate.estimate for each in found.classes] == [0.0, 0.0]
    assert [each.rate.high for each in found.classes] == pytest.approx([0.0369, 0.0369], abs=1e-4)


def test_planted_flips_rank_before_all_others():
    from sklearn.metrics import average_precision_score

    labels, wrong, likely = flipped((0.1, 0.1), apart=4.0)

    found = estimate_noise(labels, likely, apart_records(len(labels)), CONFIG)

    assert average_precision_score(wrong, -found.self_confidence) > 0.9  # by chance 0.1


def test_wrong_labels_that_a_few_records_bring_make_the_interval_wider():
    labels, wrong, likely = flipped((0.1, 0.1))
    first, second = apart_records(len(labels))
    hubs = np.where(wrong, 10_000 + np.arange(len(labels)) % 6, first)

    alone, few = (estimate_noise(labels, likely, (each, second), CONFIG) for each in (first, hubs))

    for one, other in zip(alone.classes, few.classes, strict=True):
        assert one.rate.estimate == other.rate.estimate
        assert one.rate.high - one.rate.low < other.rate.high - other.rate.low


def test_pairs_that_no_probe_judged_are_neither_counted_nor_ranked():
    labels, _, likely = flipped((0.1, 0.1), n=1000)
    likely[:500] = np.nan

    found = estimate_noise(labels, likely, apart_records(1000), CONFIG)

    assert (found.n_judged, found.n_records) == (500, 1000)
    assert sum(each.n for each in found.classes) == 500
    assert np.isnan(found.self_confidence[:500]).all()
    assert not found.issues[:500].any()


def test_too_few_pairs_one_class_or_a_blind_probe_are_a_sentence_and_no_rate():
    labels, _, likely = flipped((0.0, 0.0), n=1000)
    few = estimate_noise(labels[:100], likely[:100], apart_records(100), CONFIG)
    one = estimate_noise(np.ones(1000, dtype=np.int8), likely, apart_records(1000), CONFIG)
    blind = estimate_noise(labels, np.random.default_rng(1).random(1000), apart_records(1000), CONFIG)
    star = estimate_noise(labels, np.full(1000, np.nan), apart_records(1000), CONFIG)

    assert {each.classes for each in (few, one, blind, star)} == {None}
    assert "from 60 pairs of either label on; there are" in few.reason
    assert "0 negative and 1,000 positive pairs" in one.reason
    assert "below 0.7: it cannot know which labels are wrong" in blind.reason
    assert "of 1,000 pairs it can judge 0 negative and 0 positive pairs" in star.reason
    assert np.isfinite(blind.self_confidence).all()


def test_the_estimate_survives_json():
    labels, _, likely = flipped((0.1, 0.1), n=600)
    found = estimate_noise(labels, likely, apart_records(600), CONFIG)

    assert classes_from_json(found.as_json()) == found.classes
    assert classes_from_json({**found.as_json(), "classes": None}) == ()
