"""What a head gains in a world where the answer is known."""

from dataclasses import replace

import numpy as np
import pytest

from simtune_core.difficulty.preflight.config import PreflightConfig
from simtune_core.difficulty.preflight.looking import probe_of, sampled, shared_with
from simtune_core.difficulty.preflight.probe import probe_from_json, sample_rows
from tests.difficulty.preflight.world import looked_at, pair_set, pairs_of, records

CONFIG = PreflightConfig(penalties=(0.0, 1e-2), n_folds=3)


@pytest.fixture(scope="module")
def learnable():
    vectors, topics = records(0, 900)
    train = pairs_of(topics[:700], 2000, seed=1, ref="train@v0001")
    test = pairs_of(topics[700:], 400, seed=2, ref="test@v0001", first_record=700)
    return looked_at(vectors, train, test)


def test_a_head_gains_where_a_map_can_see_what_the_cosine_does_not(learnable):
    found = probe_of(learnable, CONFIG)

    assert found.trained
    assert found.verdict == "WIN"
    assert found.difference.low > 0.0
    assert found.probe - found.baseline == pytest.approx(found.difference.estimate)
    assert found.inside.gain > 0.02
    assert (found.n_train, found.n_excluded, found.n_test) == (2000, 0, 400)
    assert probe_from_json(found.as_json()) == found


def test_training_pairs_with_a_test_record_teach_nothing(learnable):
    vectors, topics = records(0, 900)
    mixed = pairs_of(topics, 2000, seed=3, ref="train@v0001")
    looked = looked_at(vectors, mixed, learnable.sets[1].pairs)

    found = probe_of(looked, CONFIG)

    of_test = set(np.concatenate(looked.sets[1].pairs.record_ids()))
    expected = sum(a in of_test or b in of_test for a, b in zip(*mixed.record_ids(), strict=True))
    assert 0 < expected == found.n_excluded
    assert found.n_train == 2000 - expected


def test_labels_by_chance_teach_nothing_and_the_difference_is_no_win(learnable):
    train, test = (each.pairs for each in learnable.sets)
    chance = train.frame.assign(label=np.random.default_rng(5).integers(0, 2, len(train)).astype(float))
    looked = looked_at(learnable.vectors, type(train)(chance, train.ref, "by chance"), test)

    found = probe_of(looked, CONFIG)

    assert found.verdict != "WIN"


def test_a_probe_that_prefers_the_untouched_encoder_changes_nothing_at_all(learnable):
    train, test = (each.pairs for each in learnable.sets)
    # Pairs of a record with itself against pairs of two topics: the cosine has solved them, no map is better.
    solved = train.frame.copy()
    similar = solved["label"] == 1
    solved.loc[similar, ["sentence2", "id2"]] = solved.loc[similar, ["sentence1", "id1"]].to_numpy()
    looked = looked_at(learnable.vectors, type(train)(solved, train.ref, "solved"), test)

    found = probe_of(looked, CONFIG)

    assert not found.trained
    assert (found.difference.low, found.difference.high, found.verdict) == (0.0, 0.0, "TIE")


def test_too_few_pairs_one_class_and_no_vectors_are_no_probe_but_a_sentence(learnable):
    few = looked_at(learnable.vectors, *(each.pairs for each in sampled(learnable.sets, 60, 0)))
    train = learnable.sets[0].pairs
    similar = train.frame[train.frame["label"] == 1].reset_index(drop=True)
    one_class = looked_at(learnable.vectors, type(train)(similar, train.ref, "similar"), learnable.sets[1].pairs)
    no_vectors = replace(learnable, pairs=(), vectors=None)

    assert "needs 100 training pairs of two kinds; train@v0001 has 60." in probe_of(few, CONFIG)
    assert "has 1,000" in probe_of(one_class, CONFIG)
    assert "needs an encoder's vectors" in probe_of(no_vectors, CONFIG)


def test_one_set_alone_is_probed_on_its_own_records(learnable):
    alone = replace(learnable, sets=learnable.sets[:1], sizes=learnable.sizes[:1], pairs=learnable.pairs[:1])

    found = probe_of(alone, CONFIG)

    assert found.inside.gain > 0.02
    assert (found.difference, found.verdict, found.n_test) == (None, None, 0)


def test_a_pair_shares_by_record_or_by_text():
    train = pair_set("train", ["one", "two", "three", "four"], ids=["a", "b", "c", "d"])
    test = pair_set("train", ["two again", "three"], ids=["b", "q"])

    assert shared_with(train, test).tolist() == [False, True, True, False]


def test_ids_of_another_table_that_numbers_other_records_share_nothing():
    train = pair_set("train", ["one", "two", "three"], ids=["1", "2", "3"])
    other = pair_set("other", ["uno", "due", "tre"], ids=["1", "2", "3"])
    same = pair_set("other", ["one", "two", "quattro"], ids=["1", "2", "4"])

    assert not shared_with(train, other).any()
    assert shared_with(train, same).tolist() == [True, True, False]


def test_a_sample_is_seeded_and_a_small_set_is_whole():
    assert sample_rows(5, 10, 0).tolist() == [0, 1, 2, 3, 4]
    assert sample_rows(1000, 10, 0).tolist() == sample_rows(1000, 10, 0).tolist()
    assert len(set(sample_rows(1000, 10, 0).tolist())) == 10
    assert sample_rows(1000, 10, 0).tolist() != sample_rows(1000, 10, 1).tolist()
