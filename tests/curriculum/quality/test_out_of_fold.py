"""Probabilities by probes that saw neither record: in a world where the answer is known."""

import numpy as np
import pytest

from simtune_core.curriculum.quality.config import NoiseConfig
from simtune_core.curriculum.quality.noise import estimate_noise
from simtune_core.curriculum.quality.out_of_fold import score_out_of_fold
from simtune_core.difficulty.preflight.folds import record_codes
from simtune_core.evaluation.metrics import roc_auc
from simtune_core.training.head import IndexedPairs, indexed_pairs
from tests.difficulty.preflight.world import pairs_of, records

CONFIG = NoiseConfig(n_folds=3, penalties=(1e-2,), n_resamples=100)


@pytest.fixture(scope="module")
def world():
    """Return vectors, 400 pairs drawn at random among 200 records, their labels, and those with one in ten flipped."""
    vectors, topics = records(0, 200, signal=2.0)
    pairs = pairs_of(topics, 400, seed=1, ref="some@v0001")
    wrong = np.random.default_rng(3).random(400) < 0.1
    return vectors, pairs, pairs.labels(), np.where(wrong, 1 - pairs.labels(), pairs.labels()).astype(np.int8), wrong


def scored(vectors, pairs, labels):
    rows = indexed_pairs(pairs, {f"text {row}": row for row in range(len(vectors))})
    given = IndexedPairs(rows.first, rows.second, labels.astype(float))
    return score_out_of_fold(vectors, given, pairs.record_ids(), CONFIG)


def test_planted_flips_are_found_by_probes_that_learnt_from_flipped_labels(world):
    from sklearn.metrics import average_precision_score

    vectors, pairs, truth, given, wrong = world

    found = scored(vectors, pairs, given)

    assert found.judged.all()  # pairs across folds, too: one component holds nearly all of them
    assert found.n_fits == 6  # 3 folds alone and 3 pairs of folds
    assert roc_auc(found.probabilities, truth) > 0.85
    codes = record_codes(*pairs.record_ids())[:2]
    noise = estimate_noise(given, found.probabilities, codes, CONFIG)
    assert average_precision_score(wrong, -noise.self_confidence) > 0.5  # by chance 0.1
    for each in noise.classes:
        assert each.rate.low <= wrong[given == each.label].mean() <= each.rate.high


def test_a_label_has_no_part_in_the_cosines_of_its_own_records_and_next_to_none_in_their_curve(world):
    vectors, pairs, truth, _, _ = world
    ids = pairs.record_ids()
    shared = (ids[0] == ids[0][0]) | (ids[1] == ids[0][0]) | (ids[0] == ids[1][0]) | (ids[1] == ids[1][0])

    before = scored(vectors, pairs, truth)
    after = scored(vectors, pairs, np.where(np.arange(400) == 0, 1 - truth, truth))

    assert shared.sum() > 1
    assert np.array_equal(after.cosines[shared], before.cosines[shared])
    assert after.probabilities[shared] == pytest.approx(before.probabilities[shared], abs=0.01)
    assert not np.array_equal(after.cosines, before.cosines)  # it teaches the probes of other records


def test_a_record_that_is_in_every_pair_leaves_nothing_to_learn_from(world):
    vectors, pairs, truth, _, _ = world
    frame = pairs.frame.assign(id1="r0", sentence1="text 0")
    star = type(pairs)(frame, pairs.ref, "star")

    found = scored(vectors, star, truth)

    assert (found.n_fits, found.judged.any()) == (0, False)
