"""The order of batches, by hand and by property."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from simtune_core.training.batching import padding_ratio, pair_lengths, phase_pairs, plan_batches


def test_phases_come_one_after_the_other_with_their_own_passes():
    # rows 0, 2, 4 are easy and 1, 3 hard; batches of 2 -> easy 2 + 1, hard 2, each twice
    plan = plan_batches(["easy", "hard", "easy", "hard", "easy"], [1] * 5, batch_size=2, epochs=2, seed=0)
    assert [(batch.phase, batch.epoch) for batch in plan] == [
        ("easy", 1), ("easy", 1), ("easy", 2), ("easy", 2), ("hard", 1), ("hard", 2),
    ]  # fmt: skip
    assert phase_pairs(plan) == {"easy": 6, "hard": 4}
    assert sorted(row for batch in plan[:2] for row in batch.rows) == [0, 2, 4]


def test_pairs_without_a_phase_are_one_phase():
    plan = plan_batches([None, float("nan"), None], [3, 2, 1], batch_size=2, epochs=1, seed=0)
    assert phase_pairs(plan) == {"all": 3}


@settings(max_examples=40, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 500), min_size=1, max_size=300),
    batch_size=st.integers(1, 40),
    epochs=st.integers(1, 3),
    seed=st.integers(0, 99),
)
def test_every_row_occurs_once_in_every_pass(lengths, batch_size, epochs, seed):
    plan = plan_batches([None] * len(lengths), lengths, batch_size=batch_size, epochs=epochs, seed=seed)
    for epoch in range(1, epochs + 1):
        rows = [row for batch in plan if batch.epoch == epoch for row in batch.rows]
        assert sorted(rows) == list(range(len(lengths)))
    assert max(len(batch.rows) for batch in plan) <= batch_size
    assert plan == plan_batches([None] * len(lengths), lengths, batch_size=batch_size, epochs=epochs, seed=seed)


def test_a_row_that_repeats_a_text_waits_for_the_next_batch():
    # by hand: rows 0, 1, 3 share "a", rows 2 and 3 share "d"; sorted by length the order is 0, 1, 2, 3
    texts = [("a", "b"), ("c", "a"), ("d", "e"), ("a", "d")]
    plan = plan_batches([None] * 4, [1, 2, 3, 4], batch_size=2, epochs=1, seed=0, texts=texts)
    assert sorted(batch.rows for batch in plan) == [(0, 2), (1,), (3,)]


@settings(max_examples=40, deadline=None)
@given(
    pairs=st.lists(st.tuples(*[st.sampled_from("abcdefghijkl")] * 2), min_size=1, max_size=120),
    batch_size=st.integers(2, 16),
)
def test_no_text_is_its_own_negative(pairs, batch_size):
    plan = plan_batches([None] * len(pairs), [1] * len(pairs), batch_size=batch_size, epochs=2, seed=0, texts=pairs)
    for batch in plan:
        texts = [text for row in batch.rows for text in set(pairs[row])]
        assert len(texts) == len(set(texts))
        assert len(batch.rows) <= batch_size
    assert sorted(row for batch in plan for row in batch.rows) == sorted([*range(len(pairs))] * 2)


def test_bucketing_carries_far_less_padding_than_chance():
    lengths = np.random.default_rng(0).lognormal(4, 1, 4000).astype(int) + 1
    plan = plan_batches([None] * 4000, lengths, batch_size=32, epochs=1, seed=0)
    shuffled = np.random.default_rng(1).permutation(lengths)[: 125 * 32].reshape(125, 32)
    by_chance = float((shuffled.max(axis=1) * 32).sum() / shuffled.sum())
    assert padding_ratio(plan, lengths) < 1.25 < 3 < by_chance


def test_another_seed_gives_another_order():
    first, second = (plan_batches([None] * 200, range(200), batch_size=8, epochs=1, seed=seed) for seed in (0, 1))
    assert first != second


def test_the_length_of_a_pair_is_that_of_its_longer_text():
    assert pair_lengths(["ab", "a"], ["c", "abcd"]).tolist() == [2, 4]
