"""Folds share no record, whatever ties the records together."""

import numpy as np

from simtune_core.difficulty.preflight.folds import record_folds


def test_pairs_that_share_a_record_are_in_one_fold():
    first = np.array([f"a{row // 3}" for row in range(300)])  # three pairs a record
    second = np.array([f"b{row}" for row in range(300)])

    folds = record_folds(first, second, n_folds=5, seed=0)

    assert folds.whole
    assert np.array_equal(folds.first, folds.second)
    assert len(np.unique(folds.first.reshape(100, 3), axis=1)[0]) >= 1
    assert (folds.first.reshape(100, 3).min(axis=1) == folds.first.reshape(100, 3).max(axis=1)).all()
    assert [len(folds.held_out(fold)) for fold in range(5)] == [60] * 5


def test_one_large_component_is_dealt_out_by_record_and_pairs_across_are_tried_nowhere():
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, 200, (2, 1000)).astype(str)  # five pairs a record: one component

    folds = record_folds(first, second, n_folds=4, seed=0)

    assert not folds.whole
    for fold in range(4):
        held_out, kept = folds.held_out(fold), folds.kept(fold)
        of_held_out = {*first[held_out], *second[held_out]}
        assert len(held_out) > 20
        assert not of_held_out & {*first[kept], *second[kept]}


def test_the_same_seed_deals_the_same_folds():
    first, second = np.random.default_rng(1).integers(0, 50, (2, 100)).astype(str)

    one, again = (record_folds(first, second, n_folds=3, seed=4) for _ in range(2))

    assert np.array_equal(one.first, again.first)
    assert np.array_equal(one.second, again.second)


def test_a_small_set_that_is_one_component_is_dealt_out_too():
    rng = np.random.default_rng(2)
    large = rng.integers(0, 300, (2, 400)).astype(str)
    small = np.char.add("b", rng.integers(0, 30, (2, 60)).astype(str))
    first, second = np.concatenate([large, small], axis=1)
    is_small = np.arange(460) >= 400

    folds = record_folds(first, second, n_folds=3, seed=0, smallest=60)

    for fold in range(3):
        assert is_small[folds.held_out(fold)].any()
        assert is_small[folds.kept(fold)].any()
