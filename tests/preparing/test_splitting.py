"""Tests of splitting: what never happens (a component in two splits), what holds as well as it can, what is said."""

import hashlib

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simtune_core.errors import ConfigError, DataFaultError
from simtune_core.pairs import PairSet, with_pair_columns
from simtune_core.preparing.splitting import SplitConfig, split_pairs, split_records
from simtune_core.records import Records, with_record_columns

PLAIN = SplitConfig(near_duplicates=False)


def pair_set(rows, columns=("id1", "id2", "label", "category1", "category2")):
    frame = pd.DataFrame(rows, columns=columns)
    for side in ("1", "2"):
        frame[f"sentence{side}"] = "text of " + frame[f"id{side}"]
    return PairSet(with_pair_columns(frame), "some@v0001", "content")


def record_set(n, **columns):
    """Return n records whose texts have nothing in common."""
    texts = [hashlib.sha256(str(i).encode()).hexdigest() for i in range(n)]
    frame = pd.DataFrame({"id": [f"r{i}" for i in range(n)], "text": texts, **columns})
    return Records(with_record_columns(frame), "some@v0001", "content")


def random_pairs(seed, n, n_records, n_categories=3):
    """Return n pairs of n_records records, the fewer records the larger the components."""
    generator = np.random.default_rng(seed)
    first, second = generator.integers(0, n_records, (2, n))
    rows = [
        (f"r{a}", f"r{b}", float(generator.random() < 0.4), f"c{a % n_categories}", f"c{b % n_categories}")
        for a, b in zip(first, second, strict=True)
    ]
    return pair_set(rows)


def parts(split):
    return {part.name: part for part in split.report.parts}


def test_a_split_has_the_wanted_sizes_and_the_same_shares_of_labels_and_categories():
    generator = np.random.default_rng(1)
    rows = [(f"a{i}", f"b{i}", i % 10 < 3, f"c{generator.integers(5)}", None) for i in range(1000)]

    split = split_pairs(pair_set(rows), PLAIN)

    assert {name: part.n_rows for name, part in parts(split).items()} == {"train": 800, "dev": 100, "test": 100}
    assert all(part.positive_share == pytest.approx(0.3, abs=0.01) for part in split.report.parts)
    for each in split.report.classes:
        assert all(share == pytest.approx(each.wanted, abs=0.01) for share in each.shares.values()), each
    assert split.report.findings == ()


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    n=st.integers(40, 200),
    density=st.sampled_from([4.0, 2.5, 1.5]),
    stratify=st.booleans(),
    shares=st.sampled_from([(0.8, 0.1, 0.1), (0.5, 0.25, 0.25), (0.7, 0.3, 0.0), (0.0, 0.4, 0.6)]),
)
def test_every_row_is_in_one_split_and_no_component_in_two_and_sizes_are_within_a_component(
    seed, n, density, stratify, shares
):
    pairs = random_pairs(seed, n, int(n * density))
    train, dev, test = shares
    config = SplitConfig(near_duplicates=False, stratify=stratify, train=train, dev=dev, test=test, seed=seed)
    try:
        split = split_pairs(pairs, config)
    except DataFaultError as error:  # the largest component leaves nothing for a split, or a label is too rare
        assert "would stay empty" in str(error) or "label" in str(error)
        return
    names = [name for name, share in config.shares.items() if share > 0]
    assert len(split.splits) == n
    assert set(split.splits) == set(names)
    of_record = {}
    for first, second, name in zip(*pairs.record_ids(), split.splits, strict=True):
        assert of_record.setdefault(first, name) == name
        assert of_record.setdefault(second, name) == name
    assert pd.Series(split.splits).groupby(split.components).nunique().max() == 1
    off = [abs(part.n_rows - part.wanted * n) for part in split.report.parts]
    assert max(off) <= split.report.largest_rows * (len(names) - 1)
    assert sum(part.n_rows for part in split.report.parts) == n
    assert sum(part.n_components for part in split.report.parts) == split.report.n_components


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000), by=st.sampled_from(["components", "time"]))
def test_the_order_of_the_rows_decides_nothing(seed, by):
    generator = np.random.default_rng(seed)
    n = 120
    times = pd.to_datetime("2024-01-01") + pd.to_timedelta(generator.integers(0, 60, n), unit="D")
    records = record_set(
        n,
        category=generator.choice(["x", "y", "z"], n),
        duplicate_group=[f"g{i}" for i in generator.integers(0, n // 2, n)],
        time=times.astype(str),
    )
    shuffled = Records(records.frame.sample(frac=1, random_state=seed).reset_index(drop=True), "other", "other")
    config = SplitConfig(by=by, seed=seed)

    one, other = (
        dict(zip(each.frame["id"], split_records(each, config).splits, strict=True)) for each in (records, shuffled)
    )
    assert one == other


def test_a_seed_gives_one_split_and_another_seed_another():
    records = record_set(200, category=["x", "y"] * 100)
    first, again, other = (split_records(records, SplitConfig(seed=seed)).splits.tolist() for seed in (1, 1, 2))

    assert first == again
    assert first != other


def test_texts_that_are_nearly_the_same_join_and_equal_ones_always_do():
    texts = ["The printer on floor 3 does not print.", "the printer on floor 3 does not print", "VPN is slow"]
    rows = [(f"{stem} number {i} {'abc'[i % 3] * 7}", i) for i in range(40) for stem in ("mail", "screen")]
    frame = pd.DataFrame({"text": [*texts, "VPN is slow", *(text for text, _ in rows)]})
    frame["id"] = [f"r{i}" for i in range(len(frame))]
    records = Records(with_record_columns(frame), "some", "c")

    near, plain = (split_records(records, SplitConfig(near_duplicates=on, stratify=False)) for on in (True, False))

    assert near.components[0] == near.components[1]
    assert plain.components[0] != plain.components[1]
    assert near.components[2] == near.components[3]
    assert plain.components[2] == plain.components[3]


def test_pairs_without_ids_are_joined_by_their_texts():
    frame = pd.DataFrame({"sentence1": ["a b c", "x y z"] * 20, "sentence2": [f"word{i} {i}" for i in range(40)]})
    frame["label"] = [1.0, 0.0, 0.0, 1.0] * 10
    split = split_pairs(
        PairSet(with_pair_columns(frame), "some", "c"), SplitConfig(near_duplicates=False, train=0.5, dev=0, test=0.5)
    )
    assert split.report.n_components == 2
    assert len({*split.splits[::2]}) == len({*split.splits[1::2]}) == 1


def test_records_of_one_duplicate_group_stay_together():
    groups = [f"g{i // 4}" for i in range(80)] + [None] * 20
    split = split_records(record_set(100, duplicate_group=groups), PLAIN)

    assert split.report.n_components == 40
    assert pd.Series(split.splits[:80]).groupby(groups[:80]).nunique().max() == 1


def test_by_time_train_is_before_dev_and_dev_before_test_and_equal_times_stay_together():
    days = [f"2024-01-{1 + i // 10:02d}" for i in range(100)]
    records = record_set(100, time=days, category=["x"] * 100)
    split = split_records(records, SplitConfig(by="time", train=0.75, dev=0.15, test=0.1, near_duplicates=False))

    last, first = (pd.Series(days).groupby(split.splits).agg(how) for how in ("max", "min"))
    assert last["train"] < first["dev"] <= last["dev"] < first["test"]
    assert {name: part.n_rows for name, part in parts(split).items()} == {"train": 70, "dev": 20, "test": 10}
    assert split.report.findings[0]["code"] == "split_sizes_off"


def test_by_time_a_component_goes_where_its_newest_row_belongs_and_that_is_said():
    groups = ["long", *(f"g{i}" for i in range(1, 19)), "long"]
    records = record_set(20, time=[str(i) for i in range(20)], duplicate_group=groups)
    split = split_records(records, SplitConfig(by="time", near_duplicates=False))

    assert split.splits[0] == split.splits[19] == "test"
    assert [found["code"] for found in split.report.findings] == ["split_older_rows"]
    assert split.report.findings[0]["message"].startswith("1 row of a later split is no newer")


def test_a_split_by_time_without_times_or_with_a_bad_one_is_refused():
    config = SplitConfig(by="time")
    with pytest.raises(DataFaultError, match="needs the column 'time', and some@v0001 has none"):
        split_records(record_set(10), config)
    with pytest.raises(DataFaultError, match="Pairs keep no time"):
        split_pairs(random_pairs(0, 20, 60), config)
    with pytest.raises(DataFaultError, match=r"2 of the 10 records of some@v0001 have none, row 4 first"):
        split_records(record_set(10, time=["2024-01-01"] * 3 + ["soon", None] + ["2024-01-02"] * 5), config)


def test_one_label_only_or_a_label_too_rare_for_every_split_is_refused_by_its_name():
    rows = [(f"a{i}", f"b{i}", 1.0, None, None) for i in range(50)]
    with pytest.raises(DataFaultError, match="Every pair of some@v0001 has label 1"):
        split_pairs(pair_set(rows), PLAIN)
    rows[7] = ("a7", "b7", 0.0, None, None)
    with pytest.raises(DataFaultError, match="Label 0 of some@v0001 has 1 pair in 1 connected component, too few"):
        split_pairs(pair_set(rows), PLAIN)

    split = split_pairs(pair_set(rows), SplitConfig(near_duplicates=False, stratify=False))
    assert {found["code"] for found in split.report.findings} == {"label_missing"}
    assert any("Label 0 (1 pair) is absent from" in found["message"] for found in split.report.findings)


def test_categories_too_rare_for_every_split_are_named():
    records = record_set(100, category=["big"] * 98 + ["solo", None])
    (found,) = split_records(records, PLAIN).report.findings

    assert found["code"] == "categories_missing"
    assert "1 of 2 categories are not in every split" in found["message"]
    assert "'solo' (1)" in found["message"]


def test_a_component_larger_than_its_share_is_said_with_its_size():
    rows = [("hub", f"b{i}", i % 2, None, None) for i in range(90)]
    rows += [(f"x{i}", f"y{i}", i % 2, None, None) for i in range(10)]
    split = split_pairs(pair_set(rows), PLAIN)

    assert (split.report.largest_rows, split.report.largest_split) == (90, "train")
    (found,) = split.report.findings
    assert found["code"] == "split_sizes_off"
    assert "train has 90.0 % (wanted 80.0 %)" in found["message"]
    assert "the largest has 90 pairs, 90.0 % of all" in found["message"]


def test_one_component_alone_cannot_be_divided():
    rows = [("hub", f"b{i}", i % 2, None, None) for i in range(50)]
    with pytest.raises(DataFaultError, match=r"the largest with 50 pairs \(100 %\)"):
        split_pairs(pair_set(rows), SplitConfig(near_duplicates=False, stratify=False))
    with pytest.raises(DataFaultError, match="must have rows"):
        split_pairs(pair_set([]), PLAIN)


def test_shares_must_add_up_to_one_and_make_two_splits_at_least():
    with pytest.raises(ConfigError, match=r"must add up to 1, got 1\.1"):
        SplitConfig(train=0.9)
    with pytest.raises(ConfigError, match="At least two"):
        SplitConfig(train=1.0, dev=0.0, test=0.0)


def test_a_graded_set_is_stratified_by_its_cut_scores():
    frame = pd.DataFrame({"sentence1": [f"one {i}" for i in range(200)], "sentence2": [f"two {i}" for i in range(200)]})
    frame["score"] = np.tile([0.0, 0.2, 0.59, 0.9], 50)
    split = split_pairs(PairSet(with_pair_columns(frame), "graded", "c"), PLAIN)

    assert [part.positive_share for part in split.report.parts] == pytest.approx([0.25] * 3, abs=0.02)


def test_a_real_pair_set_is_split_without_a_shared_text(real_data):
    names = {"text_a": "sentence1", "text_b": "sentence2", "id_a": "id1", "id_b": "id2"}
    frame = pd.read_parquet(real_data("clinc150_category_pairs")).rename(columns=names).head(4000)
    split = split_pairs(PairSet(with_pair_columns(frame), "clinc", "c"), SplitConfig())

    assert [part.share for part in split.report.parts] == pytest.approx([0.8, 0.1, 0.1], abs=0.005)
    texts = {
        name: set(frame.loc[split.splits == name, "sentence1"]) | set(frame.loc[split.splits == name, "sentence2"])
        for name in ("train", "dev", "test")
    }
    assert not texts["train"] & texts["test"]
    assert not texts["train"] & texts["dev"]
