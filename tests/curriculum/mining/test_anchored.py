"""Negatives for anchors: by hand, against sentence-transformers' mine_hard_negatives, and what always holds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simtune_core.curriculum.mining.anchored import choose_negatives, rank_candidates
from simtune_core.curriculum.mining.config import AnchoredConfig
from simtune_core.encoders.embedding import unit_rows
from simtune_core.errors import ConfigError

NONE = np.zeros(0, dtype=np.int64)


def on_a_line(cosines):
    """Return an anchor and a corpus of vectors with these cosines to it."""
    cosines = np.array(cosines, dtype=np.float32)
    anchor = np.float32([[1, 0]])
    return anchor, np.stack([cosines, np.sqrt(1 - cosines**2)], axis=1).astype(np.float32)


def ranked_of(cosines, *, barred=(), floor=1.0, **settings):
    anchor, corpus = on_a_line(cosines)
    config = AnchoredConfig(**{"num_negatives": 1, "relative_margin": None, **settings})
    return rank_candidates(anchor, corpus, [np.array(barred, dtype=np.int64)], np.float32([floor]), config)


def taken(ranked):
    return [int(place) for place in ranked.positions[0] if place >= 0]


def test_candidates_are_taken_from_the_most_similar_down_and_the_barred_ones_never():
    assert taken(ranked_of([0.1, 0.9, 0.5, 0.7], barred=[1])) == [3, 2, 0]


def test_the_rank_window_skips_the_first_and_ends_at_the_last():
    assert taken(ranked_of([0.1, 0.9, 0.5, 0.7, 0.3], range_min=1, range_max=3)) == [3, 2]


def test_each_limit_leaves_out_what_breaks_it_and_counts_it_once():
    # floor 0.8: absolute margin 0.1 leaves out 0.75; relative 0.2 leaves out what is above 0.64: 0.65; max 0.5: 0.6
    ranked = ranked_of(
        [0.75, 0.65, 0.6, 0.4, 0.1], floor=0.8, absolute_margin=0.1, relative_margin=0.2, max_score=0.5, min_score=0.2
    )

    assert taken(ranked) == [3]
    assert ranked.dropped == {"absolute_margin": 1, "relative_margin": 1, "max_score": 1, "min_score": 1}


def test_a_negative_floor_asks_for_less_not_more():
    # 0.1 of |-0.5| below -0.5: -0.55, as sentence-transformers counts since its issue 3819
    assert taken(ranked_of([-0.52, -0.56], floor=-0.5, relative_margin=0.1)) == [1]


def test_skipped_ranks_count_what_the_limits_left():
    assert taken(ranked_of([0.9, 0.8, 0.7, 0.6], max_score=0.85, range_min=1)) == [2, 3]


def test_what_is_vetoed_or_repeated_makes_room_for_the_next():
    anchor, corpus = on_a_line([0.9, 0.8, 0.7, 0.6])
    config = AnchoredConfig(num_negatives=2, relative_margin=None)
    ranked = rank_candidates(anchor, corpus, [NONE], np.float32([1]), config)

    chosen = choose_negatives(
        ranked, np.array([7]), np.array([2]), {(1, 7)}, veto=lambda anchors, positions: positions == 0
    )

    assert chosen.positions.tolist() == [2, 3]
    assert (chosen.n_vetoed, chosen.n_repeated) == (1, 1)


def test_two_anchors_that_are_each_others_negative_are_one_pair():
    vectors = unit_rows(np.float32([[1, 0.1], [1, -0.1], [0.5, 0.9]]))
    config = AnchoredConfig(num_negatives=1, relative_margin=None)
    barred = [np.array([0]), np.array([1])]
    ranked = rank_candidates(vectors[:2], vectors, barred, np.float32([1, 1]), config)

    chosen = choose_negatives(ranked, np.array([0, 1]), np.array([1, 1]), set())

    assert list(zip(chosen.anchors.tolist(), chosen.positions.tolist(), strict=True)) == [(0, 1), (1, 2)]
    assert chosen.n_repeated == 1


@pytest.mark.parametrize(
    "settings",
    [{"range_min": 9, "range_max": 10, "num_negatives": 3}, {"min_score": 0.5, "max_score": 0.5}],
)
def test_settings_that_leave_no_room_are_refused(settings):
    with pytest.raises(ConfigError, match="must be"):
        AnchoredConfig(**settings)


@given(seed=st.integers(0, 10_000), strategy=st.sampled_from(["top", "random"]), data=st.data())
def test_every_negative_keeps_to_the_settings(seed, strategy, data):
    rng = np.random.default_rng(seed)
    vectors = unit_rows(rng.normal(size=(40, 4)).astype(np.float32))
    anchors = np.arange(6)
    config = AnchoredConfig(
        num_negatives=data.draw(st.integers(1, 4)),
        range_min=data.draw(st.integers(0, 3)),
        range_max=data.draw(st.integers(8, 60)),
        min_score=-0.5,
        max_score=0.9,
        relative_margin=0.05,
        sampling_strategy=strategy,
        seed=seed,
    )
    barred = [np.unique([anchor, *rng.integers(0, 40, 5)]) for anchor in anchors]
    floor = rng.uniform(0.2, 1, 6).astype(np.float32)

    ranked = rank_candidates(vectors[anchors], vectors, barred, floor, config)
    chosen = choose_negatives(ranked, anchors, np.full(6, config.num_negatives), set())

    product = vectors @ vectors.T
    for anchor, place, score in zip(chosen.anchors, chosen.positions, chosen.scores, strict=True):
        assert place not in barred[anchor]
        assert score == pytest.approx(product[anchor, place], abs=1e-6)
        assert -0.5 <= score <= min(0.9, floor[anchor] * 0.95 + 1e-6)
        others = np.delete(product[anchor], barred[anchor])
        assert (others > score + 1e-6).sum() < config.range_max
    pairs = [tuple(sorted(pair)) for pair in zip(chosen.anchors.tolist(), chosen.positions.tolist(), strict=True)]
    assert len(set(pairs)) == len(pairs)
    assert np.bincount(chosen.anchors, minlength=6).max() <= config.num_negatives


def test_blocks_of_rows_change_nothing(monkeypatch):
    rng = np.random.default_rng(0)
    vectors = unit_rows(rng.normal(size=(50, 8)).astype(np.float32))
    config = AnchoredConfig(range_max=7)

    def ranked():
        return rank_candidates(vectors[:20], vectors, [np.array([row]) for row in range(20)], np.ones(20, "f4"), config)

    whole = ranked()
    monkeypatch.setattr("simtune_core.curriculum.mining.anchored._BLOCK", 150)
    np.testing.assert_array_equal(whole.positions, ranked().positions)


TOPICS = ("printer jams", "vpn drops", "mail bounces", "disk is full", "password expired", "screen flickers")
PLACES = ("in Riga", "on floor two", "after the update", "for the sales team", "since Monday", "at night", "again")


@pytest.mark.parametrize(
    "settings",
    [
        {"relative_margin": 0.05},
        {"relative_margin": None, "absolute_margin": 0.1},
        {"relative_margin": None, "range_min": 3, "range_max": 12, "max_score": 0.7, "min_score": 0.2},
    ],
)
def test_the_negatives_are_those_of_sentence_transformers(minilm, settings):
    from datasets import Dataset
    from sentence_transformers.util import mine_hard_negatives

    from simtune_core.encoders.loading import load_model

    model = load_model(minilm)
    anchors = [f"{topic} {PLACES[0]}" for topic in TOPICS]
    positives = [f"the {topic} {PLACES[1]}" for topic in TOPICS]
    corpus = [f"{topic} {place}" for topic in TOPICS for place in PLACES[2:]] + positives
    config = AnchoredConfig(num_negatives=3, **{"range_max": 20, **settings})

    wanted = mine_hard_negatives(
        Dataset.from_dict({"anchor": anchors, "positive": positives}), model, corpus=corpus,
        output_format="labeled-pair", output_scores=False, verbose=False, num_negatives=3,
        **{name: getattr(config, name) for name in (
            "range_min", "range_max", "max_score", "min_score", "absolute_margin", "relative_margin")},
    ).to_pandas()  # fmt: skip

    queries, vectors = (model.encode(texts, normalize_embeddings=True) for texts in (anchors, corpus))
    own = np.array([corpus.index(positive) for positive in positives])
    ranked = rank_candidates(
        queries, vectors, [np.array([place]) for place in own], np.einsum("ij,ij->i", queries, vectors[own]), config
    )
    chosen = choose_negatives(ranked, np.arange(6) + len(corpus), np.full(6, 3), set())
    ours = [(anchors[row], corpus[place]) for row, place in zip(chosen.anchors, chosen.positions, strict=True)]
    theirs = wanted[wanted["label"] == 0]
    assert len(theirs) > 6
    assert ours == list(zip(theirs["anchor"], theirs["positive"], strict=True))
