"""Tests of simtune_core.curriculum.drawing: the plan and nothing else, whatever the settings; and what seeds decide."""

import hashlib

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simtune_core.candidates.counted import FINE_PER_CELL, N_CELLS
from simtune_core.curriculum.config import CurriculumConfig, PhaseConfig, cumulative_phases
from simtune_core.curriculum.drawing import draw
from simtune_core.curriculum.planning import plan
from simtune_core.curriculum.supply import supply_of
from simtune_core.difficulty.bins import bin_index
from simtune_core.errors import DataFaultError
from simtune_core.pairs import PAIR_COLUMNS
from tests.curriculum.counted import test_pairs_of, tickets

TEST = test_pairs_of(np.linspace(0.2, 0.7, 40), np.linspace(-0.1, 0.4, 40), same_negative=0.6)
POOLS = {groups: tickets(groups=groups, cap=60, n=300, test=TEST) for groups in (False, True)}
SMALL = CurriculumConfig(
    phases=tuple(phase.model_copy(update={"n_positives": 150, "n_negatives": 150}) for phase in cumulative_phases()),
    seed=5,
)


def drawn_of(made, config):
    planned = plan(supply_of(made.counts), config)
    return planned, draw(made.sample, made.records, planned, config)


def pair_keys(frame):
    return set(zip(frame[["id1", "id2"]].min(axis=1), frame[["id1", "id2"]].max(axis=1), strict=True))


def bands():
    edges = st.lists(st.integers(-20, 90), min_size=2, max_size=2, unique=True).map(sorted)
    return edges.map(lambda pair: tuple(round(edge / 100, 2) for edge in pair))


@st.composite
def phases(draw_from, name):
    (pos_min, pos_max), (neg_min, neg_max) = draw_from(bands()), draw_from(bands())
    share = st.sampled_from([0.0, 0.3, 0.7, 1.0])
    return PhaseConfig(
        name=name, pos_min=pos_min, pos_max=pos_max, neg_min=neg_min, neg_max=neg_max,
        n_positives=draw_from(st.integers(1, 400)), n_negatives=draw_from(st.integers(0, 400)),
        same_category_share=draw_from(share), cross_category_share=draw_from(share),
        separability=draw_from(st.none() | st.floats(-0.5, 1.0)),
        shape=draw_from(st.sampled_from(["as_found", "target", "test"])),
    )  # fmt: skip


@st.composite
def configs(draw_from, groups):
    return CurriculumConfig(
        rule=draw_from(st.sampled_from(["auto", "category", "band"] if groups else ["auto", "band"])),
        phases=tuple(draw_from(phases(f"phase {number}")) for number in range(draw_from(st.integers(1, 3)))),
        balance=draw_from(st.sampled_from(["equal", "capped", "as_found"])),
        category_cap=draw_from(st.sampled_from([0.2, 0.4, 1.0])),
        seed=draw_from(st.integers(0, 3)),
    )  # fmt: skip


@settings(max_examples=60)
@given(st.data())
def test_what_is_drawn_is_what_was_planned_whatever_the_settings(data):
    groups = data.draw(st.booleans())
    made, config = POOLS[groups], data.draw(configs(groups))
    planned = plan(supply_of(made.counts), config)
    if not planned.n_pairs:
        with pytest.raises(DataFaultError, match="No pair lies in the bands of any phase"):
            draw(made.sample, made.records, planned, config)
        return

    result = draw(made.sample, made.records, planned, config)

    frame, details = result.frame, result.details
    assert len(pair_keys(frame)) == len(frame) == len(details) == planned.n_pairs  # no pair twice
    assert (frame["id1"] != frame["id2"]).all()
    cells = bin_index(details["similarity"].to_numpy()) // FINE_PER_CELL
    for told, found in zip(planned.phases, result.phases, strict=True):
        mine, like = (frame["phase"] == told.phase.name).to_numpy(), (frame["label"] == 1).to_numpy()
        for label, numbers in ((like, told.positive_cells), (~like, told.negative_cells)):
            assert np.array_equal(np.bincount(cells[mine & label], minlength=N_CELLS), numbers)
        assert (found.n_cross_category, found.n_same_category) == (told.n_cross_category, told.n_same_category)
        similarity = details["similarity"].to_numpy()
        for label, low, high in (
            (like, told.phase.pos_min, told.phase.pos_max), (~like, told.phase.neg_min, told.phase.neg_max),
        ):  # fmt: skip
            assert ((similarity[mine & label] >= low - 1e-6) & (similarity[mine & label] <= high + 1e-6)).all()
        if told.separability is not None:
            assert found.side.separability == pytest.approx(told.separability, abs=0.02)  # two cells' width
        strata = shares_of(made, frame[mine])
        assert told.balance.sum(axis=1).tolist() == strata


def shares_of(made, frame):
    """Count the pairs of each stratum: the first category where the positions' sum is odd, else the second."""
    place = dict(zip(made.records["id"], range(len(made.records)), strict=True))
    ends = zip(frame["id1"], frame["id2"], frame["category1"], frame["category2"], strict=True)
    names = [first if (place[i] + place[j]) % 2 else second for i, j, first, second in ends]
    return [names.count(name) for name in made.counts.strata]


@settings(max_examples=25)
@given(st.sampled_from([False, True]), st.sampled_from([0.0, 0.25, 0.6]), st.integers(20, 80))
def test_shares_are_kept_within_one_pair_where_there_are_enough(groups, share, n):
    made = POOLS[groups]
    phase = PhaseConfig(
        name="mixed", pos_min=0.0, pos_max=0.9, neg_min=-0.2, neg_max=0.3, n_positives=n, n_negatives=n,
        same_category_share=share if groups else 0.0,
    )  # fmt: skip

    planned, result = drawn_of(made, CurriculumConfig(phases=(phase,)))

    negatives = result.frame[result.frame["label"] == 0]
    assert abs((negatives["category1"] == negatives["category2"]).sum() - share * n * groups) <= 1
    assert np.ptp(planned.phases[0].balance.sum(axis=0)) == 0
    assert all(np.ptp(numbers) <= 1 for numbers in planned.phases[0].balance.T)


def test_a_draw_is_a_table_of_pairs_with_details_and_roles():
    made = POOLS[True]
    config = SMALL.model_copy(
        update={"phases": tuple(p.model_copy(update={"same_category_share": 0.5}) for p in SMALL.phases)}
    )

    _, result = drawn_of(made, config)

    frame, details = result.frame, result.details
    assert tuple(frame.columns) == PAIR_COLUMNS
    assert tuple(details.columns) == ("similarity", "role", "parent", "change")
    assert frame["phase"].unique().tolist() == ["easy", "medium", "hard"]
    assert (frame["split"] == "train").all()
    assert (frame["sentence1"] == "ticket " + frame["id1"].str[1:]).all()
    same = (frame["category1"] == frame["category2"]).to_numpy()
    like = (frame["label"] == 1).to_numpy()
    roles = np.select([like & same, like, same], ["positive", "cross_category", "same_category"], "other_category")
    assert (details["role"].to_numpy(str) == roles).all()
    assert details["parent"].isna().all()
    assert 0.2 < (frame["label"].head(100) == 1).mean() < 0.8  # shuffled within the phase


def test_the_same_seed_draws_the_same_bytes_and_another_draws_other_pairs(tmp_path):
    made = POOLS[False]

    def digest(seed):
        frame = drawn_of(made, SMALL.model_copy(update={"seed": seed}))[1].frame
        frame.to_parquet(tmp_path / "pairs.parquet", compression="zstd", index=False)
        return hashlib.sha256((tmp_path / "pairs.parquet").read_bytes()).hexdigest(), pair_keys(frame)

    assert digest(5) == digest(5)
    assert len(digest(5)[1] - digest(6)[1]) > 100


def test_neither_the_order_of_the_sample_nor_that_of_a_pairs_records_matters():
    made = POOLS[False]
    planned = plan(supply_of(made.counts), SMALL)
    expected = draw(made.sample, made.records, planned, SMALL)
    rng = np.random.default_rng(0)
    shuffled = made.sample.iloc[rng.permutation(len(made.sample))].reset_index(drop=True)
    swapped = shuffled.assign(i=shuffled["j"], j=shuffled["i"])

    for sample in (shuffled, swapped):
        result = draw(sample, made.records, planned, SMALL)
        assert result.frame.equals(expected.frame)
        assert result.details.equals(expected.details)


def test_records_in_another_order_give_the_same_pairs():
    made = POOLS[False]
    planned = plan(supply_of(made.counts), SMALL)
    order = np.random.default_rng(1).permutation(len(made.records))
    place = np.argsort(order).astype(np.int32)
    moved = made.sample.assign(i=place[made.sample["i"]], j=place[made.sample["j"]])

    result = draw(moved, made.records.iloc[order].reset_index(drop=True), planned, SMALL)

    assert pair_keys(result.frame) == pair_keys(draw(made.sample, made.records, planned, SMALL).frame)


def test_a_limit_per_record_is_kept_and_what_it_costs_is_said():
    made = POOLS[False]
    config = SMALL.model_copy(update={"max_per_record": 4})

    planned, result = drawn_of(made, config)

    ends = pd.concat([result.frame["id1"], result.frame["id2"]]).value_counts()
    assert ends.max() == 4
    # 300 records of 4 ends each: 600 pairs at most of the 900 planned
    assert 500 < len(result.frame) <= 600
    lost = [loss for phase in result.phases for loss in phase.losses if loss.reason == "max_per_record"]
    assert sum(loss.n for loss in lost) == planned.n_pairs - len(result.frame)
    assert lost[-1].words.endswith("lost to the limit of 4 pairs per record")
    assert len(pair_keys(result.frame)) == len(result.frame)


def test_a_loose_limit_changes_nothing():
    made = POOLS[False]

    _, free = drawn_of(made, SMALL)
    _, limited = drawn_of(made, SMALL.model_copy(update={"max_per_record": 5000}))

    assert pair_keys(free.frame) == pair_keys(limited.frame)


def test_a_sample_of_other_candidates_is_refused():
    made = POOLS[False]
    planned = plan(supply_of(made.counts), SMALL)

    with pytest.raises(DataFaultError, match="The sample counts other records than the 10 given"):
        draw(made.sample, made.records.head(10), planned, SMALL)
    with pytest.raises(DataFaultError, match="not those that were counted"):
        draw(made.sample.head(2000), made.records, planned, SMALL)
