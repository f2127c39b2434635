"""Tests of simtune_core.curriculum.drawing: by property, and the forecast against what is drawn."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simtune_core.candidates.counting import count_candidates, record_codes, sample_candidates
from simtune_core.curriculum.config import CurriculumConfig
from simtune_core.curriculum.drawing import draw_weighted, generate
from simtune_core.curriculum.phases import preview, supply_of
from simtune_core.errors import DataFaultError
from simtune_core.pairs import PAIR_COLUMNS
from simtune_core.records import Records, with_record_columns

SMALL = CurriculumConfig(pairs_per_phase=400, seed=5)


@pytest.fixture(scope="module")
def tickets():
    """900 records of three categories of unequal size and 300 groups of three, in a space where groups are close."""
    rng = np.random.default_rng(0)
    categories = np.repeat(["network", "mail", "printer"], [510, 270, 120])
    centres = {name: rng.normal(size=12) for name in ("network", "mail", "printer")}
    groups = np.arange(900) // 3
    own = rng.normal(size=(300, 12))[groups]
    vectors = np.stack([0.5 * centres[name] for name in categories]) + 0.7 * own + 0.9 * rng.normal(size=(900, 12))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    frame = pd.DataFrame(
        {
            "id": [f"t{row}" for row in range(900)],
            "text": [f"ticket {row}" for row in range(900)],
            "category": categories,
        }
    )
    return with_record_columns(frame), vectors, [f"g{group}" for group in groups]


def counted(tickets, groups=False, cap=5000):
    frame, vectors, names = tickets
    if groups:
        frame = with_record_columns(frame.assign(duplicate_group=names))
    codes = record_codes(frame)
    counts = count_candidates(vectors, codes, space="random")
    return counts, sample_candidates(vectors, codes, counts, seed=0, cap=cap), Records(frame, "tickets@v0001", "x")


def test_no_pair_is_in_two_phases_and_every_pair_lies_in_its_bands(tickets):
    counts, sample, records = counted(tickets)

    made = generate(sample, counts.rule, SMALL, records)

    frame = made.frame
    assert tuple(frame.columns) == PAIR_COLUMNS
    assert not frame.duplicated(["id1", "id2"]).any()
    assert frame.groupby(["phase", "label"]).size().tolist() == [200] * 6
    similarity = sample.set_index(["i", "j"])["similarity"]
    keys = zip(frame["id1"].str[1:].astype(int), frame["id2"].str[1:].astype(int), strict=True)
    found = similarity.loc[list(keys)].to_numpy()
    for phase in SMALL.phases:
        mine, positive = (frame["phase"] == phase.name).to_numpy(), (frame["label"] == 1).to_numpy()
        assert found[mine & positive].min() >= phase.pos_min - 1e-6
        assert phase.neg_min - 1e-6 <= found[mine & ~positive].min()
        assert found[mine & ~positive].max() < phase.neg_max
    assert ((frame["category1"] == frame["category2"]) == (frame["label"] == 1)).all()
    assert (frame["sentence1"] == "ticket " + frame["id1"].str[1:]).all()


def test_what_is_drawn_is_what_was_foretold(tickets):
    for groups, settings_ in (
        (False, {}),
        (True, {"same_category_share": 0.6}),
        (False, {"balance_categories": False}),
    ):
        counts, sample, records = counted(tickets, groups=groups, cap=300)
        config = CurriculumConfig(pairs_per_phase=300, **settings_)

        drawn = generate(sample, counts.rule, config, records).phases

        for said, phase in zip(preview(supply_of(counts), config), drawn, strict=True):
            assert (phase.side.n_positive, phase.side.n_negative) == (said.n_positive, said.n_negative)
            assert phase.n_same_category == said.n_same_category
            assert phase.side.positive_mean == pytest.approx(said.positive_mean, abs=0.02)
            assert phase.side.negative_mean == pytest.approx(said.negative_mean, abs=0.02)


def test_categories_are_balanced_where_that_is_asked_for(tickets):
    counts, sample, records = counted(tickets)

    balanced = generate(sample, counts.rule, SMALL, records).frame
    as_they_come = generate(
        sample, counts.rule, CurriculumConfig(pairs_per_phase=400, balance_categories=False), records
    )

    positives = balanced[(balanced["phase"] == "hard") & (balanced["label"] == 1)]["category1"].value_counts()
    assert positives.max() - positives.min() <= 1
    found = as_they_come.frame
    shares = found[(found["phase"] == "hard") & (found["label"] == 1)]["category1"].value_counts(normalize=True)
    assert shares["network"] > 0.6


def test_the_same_seed_gives_the_same_pairs_and_another_gives_others(tickets):
    counts, sample, records = counted(tickets)
    first = generate(sample, counts.rule, SMALL, records).frame

    assert first.equals(generate(sample, counts.rule, SMALL, records).frame)
    assert not first.equals(generate(sample, counts.rule, SMALL.model_copy(update={"seed": 6}), records).frame)


def test_a_shortage_takes_what_there_is(tickets):
    counts, sample, records = counted(tickets, groups=True)

    made = generate(sample, counts.rule, CurriculumConfig(pairs_per_phase=5000), records)

    n_groups_pairs = 300 * 3
    assert (made.frame["label"] == 1).sum() <= n_groups_pairs
    assert made.phases[0].n_pairs < made.phases[0].n_wanted == 5000
    assert made.phases[0].side.n_negative == 2500


def test_bands_without_any_pair_are_refused_with_a_sentence(tickets):
    counts, sample, records = counted(tickets)
    empty = sample[sample["similarity"] < -0.5]

    with pytest.raises(DataFaultError, match="No pair of tickets@v0001 lies in the bands of any phase"):
        generate(empty, counts.rule, SMALL, records)


def test_candidates_of_other_records_are_refused(tickets):
    counts, sample, records = counted(tickets)

    with pytest.raises(DataFaultError, match="counted on other records than tickets@v0001"):
        generate(sample, counts.rule, SMALL, Records(records.frame.head(10), records.ref, "y"))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(0.01, 1000), min_size=0, max_size=60), st.integers(-1, 70), st.integers(0, 1000))
def test_a_weighted_draw_has_no_repeats_and_the_number_asked_for(weights, n, seed):
    drawn = draw_weighted(np.array(weights), n, np.random.default_rng(seed))

    assert len(set(drawn.tolist())) == len(drawn) == min(max(n, 0), len(weights))


def test_rows_are_drawn_in_proportion_to_their_weights():
    weights, rng = np.array([1.0, 2.0, 3.0, 4.0, 30.0]), np.random.default_rng(0)

    times = np.zeros(5)
    for _ in range(4000):
        times[draw_weighted(weights, 3, rng)] += 1

    # the last one is certain (3 * 30 / 40 > 1); the other two are shared as 1 : 2 : 3 : 4
    assert times / 4000 == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0], abs=0.03)
