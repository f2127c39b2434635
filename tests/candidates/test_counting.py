"""Tests of simtune_core.candidates: against every pair counted one by one, by property, on real records."""

import itertools
import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simtune_core import candidates
from simtune_core.candidates.counting import (
    SAMPLE_COLUMNS,
    count_candidates,
    load_counts,
    paired_records,
    record_codes,
    sample_candidates,
    save_counts,
)
from simtune_core.difficulty.bins import N_BINS, bin_index
from simtune_core.encoders.tfidf import tfidf_matrix
from simtune_core.errors import DataFaultError, WorkspaceError
from simtune_core.records import Records, with_record_columns

TEXTS = [
    "mail server down", "mail server is down again", "printer jam", "printer paper jam on floor two", "vpn access",
    "vpn access denied", "new laptop", "mail quota",
]  # fmt: skip


def frame_of(categories, groups=None, texts=None):
    n = len(categories)
    columns = {"id": [f"r{row}" for row in range(n)], "text": texts or [f"text {row}" for row in range(n)]}
    return with_record_columns(
        pd.DataFrame(columns | {"category": categories, "duplicate_group": groups or [None] * n})
    )


def unit_vectors(n, dim=5, seed=0):
    vectors = np.random.default_rng(seed).normal(size=(n, dim)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def counted_one_by_one(vectors, frame, similarities):
    expected = np.zeros((2, 2, N_BINS), dtype=np.int64)
    for i, j in itertools.combinations(range(len(frame)), 2):
        category, group = ((frame[name][i], frame[name][j]) for name in ("category", "duplicate_group"))
        same = [int(not pd.isna(pair[0]) and pair[0] == pair[1]) for pair in (category, group)]
        expected[same[0], same[1], bin_index(similarities[i, j])] += 1
    return expected


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(candidates, "_BLOCK_PAIRS", 20)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["a", "b", None]), st.sampled_from(["g", "h", None])), min_size=2, max_size=14)
)
def test_every_pair_is_counted_once_in_its_bin_and_label_cell(rows):
    categories, groups = map(list, zip(*rows, strict=True))
    groups[0] = "g"
    frame, vectors = frame_of(categories, groups), unit_vectors(len(rows))

    counts = count_candidates(vectors, record_codes(frame), space="random")

    assert counts.counts.sum() == counts.n_pairs
    assert np.array_equal(counts.counts.sum(axis=0), counted_one_by_one(vectors, frame, vectors @ vectors.T))


def test_sparse_vectors_in_small_blocks_count_pairs_without_a_common_word_too(small_blocks):
    matrix = tfidf_matrix(TEXTS)
    frame = frame_of(["mail", "mail", "print", "print", "net", "net", "kit", "mail"], texts=TEXTS)

    counts = count_candidates(matrix, record_codes(frame), space="tfidf")

    dense = (matrix @ matrix.T).toarray()
    assert np.array_equal(counts.counts.sum(axis=0), counted_one_by_one(matrix, frame, dense))
    assert counts.counts[..., bin_index(0.0)].sum() == sum(
        dense[i, j] == 0 for i, j in itertools.combinations(range(8), 2)
    )


def test_a_record_without_group_or_category_is_alone():
    codes = record_codes(frame_of(["a", None, None], ["g", None, None]))

    assert codes.rule == "duplicate_group"
    assert len(set(codes.group.tolist())) == len(set(codes.category.tolist())) == 3
    assert codes.strata == ("(no category)", "a")


def test_without_groups_the_category_labels_and_must_be_there():
    assert record_codes(frame_of(["a", "b"])).rule == "category"
    with pytest.raises(DataFaultError, match="every record must have a category to label its pairs; 1 of 2 have none"):
        record_codes(frame_of(["a", None]))
    with pytest.raises(DataFaultError, match="at least two records, got 1"):
        record_codes(frame_of(["a"]))


def test_records_without_a_category_are_left_out_only_where_it_labels():
    by_category = Records(frame_of(["a", None, "b"]), "r", "x")
    by_group = Records(frame_of(["a", None, "b"], ["g", "g", None]), "r", "x")

    assert paired_records(by_category).frame["id"].tolist() == ["r0", "r2"]
    assert len(paired_records(by_group)) == 3


def test_rare_categories_share_a_stratum(monkeypatch):
    monkeypatch.setattr(candidates, "MAX_STRATA", 3)

    codes = record_codes(frame_of(["a"] * 4 + ["b"] * 3 + ["c"] * 2 + ["d"]))

    assert codes.strata == ("a", "b", "(other categories)")
    assert codes.stratum.tolist() == [0] * 4 + [1] * 3 + [2] * 3


def test_a_sample_below_the_cap_is_every_pair(small_blocks):
    frame, vectors = frame_of(list("aabbccab")), unit_vectors(8)
    codes = record_codes(frame)
    counts = count_candidates(vectors, codes, space="random")

    sample = sample_candidates(vectors, codes, counts, seed=0)

    assert tuple(sample.columns) == SAMPLE_COLUMNS
    assert set(zip(sample["i"], sample["j"], strict=True)) == set(itertools.combinations(range(8), 2))
    assert (sample["weight"] == 1.0).all()
    similarities = np.einsum("ij,ij->i", vectors[sample["i"]], vectors[sample["j"]])
    assert np.allclose(sample["similarity"], similarities, atol=1e-6)
    categories = frame["category"].to_numpy()
    assert (sample["same_category"] == (categories[sample["i"]] == categories[sample["j"]])).all()


def test_the_weights_of_a_sample_give_back_the_exact_counts():
    frame, vectors = frame_of(list("aab") * 200), unit_vectors(600, dim=8)
    codes = record_codes(frame)
    counts = count_candidates(vectors, codes, space="random")

    sample = sample_candidates(vectors, codes, counts, seed=1, cap=40)

    assert len(sample) < 16_500 < counts.n_pairs
    cells = bin_index(sample["similarity"]) // 10
    weighed = np.bincount(cells, weights=sample["weight"], minlength=N_BINS // 10)
    exact = counts.counts.sum(axis=(0, 1, 2)).reshape(-1, 10).sum(axis=1)
    assert np.allclose(weighed, exact)  # no cell of this sample is empty
    per_cell = sample.groupby([cells, sample["same_category"]]).size()
    assert per_cell.max() < 40 + 5 * np.sqrt(40)


def test_the_same_seed_samples_the_same_pairs():
    frame, vectors = frame_of(list("ab") * 100), unit_vectors(200)
    codes = record_codes(frame)
    counts = count_candidates(vectors, codes, space="random")
    first, again, other = (sample_candidates(vectors, codes, counts, seed=seed, cap=20) for seed in (3, 3, 4))

    assert first.equals(again)
    assert not first.equals(other)


def test_counts_survive_the_disk(tmp_path):
    counts = count_candidates(unit_vectors(6), record_codes(frame_of(list("aabbcc"))), space="random")
    save_counts(counts, tmp_path / "counts.npz")

    back = load_counts(tmp_path / "counts.npz")

    assert np.array_equal(back.counts, counts.counts)
    assert (back.strata, back.n_records, back.rule, back.space) == (("a", "b", "c"), 6, "category", "random")


def test_a_file_that_holds_no_counts_is_refused_with_a_sentence(tmp_path):
    (tmp_path / "counts.npz").write_text("nothing")

    with pytest.raises(WorkspaceError, match=r"pair counts counts\.npz cannot be read"):
        load_counts(tmp_path / "counts.npz")


@pytest.mark.slow
def test_fifty_million_pairs_of_real_tickets_are_counted_in_well_under_a_minute(real_data):
    records = with_record_columns(pd.read_parquet(real_data("itsm10k_records")))
    matrix = tfidf_matrix(records["text"].tolist())
    started = time.perf_counter()

    counts = count_candidates(matrix, record_codes(records), space="tfidf")

    assert time.perf_counter() - started < 30
    assert counts.counts.sum() == counts.n_pairs == 49_995_000
    easy = counts.counts[:, 1, :, 1520:].sum()  # same category, TF-IDF cosine of 0.52 and more
    assert easy == 37_699
