"""Counts and samples of all pairs: against every pair counted one by one, by property, on real records."""

import itertools

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2

from simtune_core.candidates import products
from simtune_core.candidates.codes import MAX_STRATA, record_codes
from simtune_core.candidates.config import CandidatesConfig
from simtune_core.candidates.counted import FINE_PER_CELL, N_CELLS, SAMPLE_COLUMNS
from simtune_core.candidates.counting import Means, count_from_anchors, count_given, count_pairs
from simtune_core.difficulty.bins import N_BINS, bin_index
from simtune_core.encoders.tfidf import tfidf_matrix
from simtune_core.errors import DataFaultError
from simtune_core.records import with_record_columns

TEXTS = [
    "mail server down", "mail server is down again", "printer jam", "printer paper jam on floor two", "vpn access",
    "vpn access denied", "new laptop", "mail quota",
]  # fmt: skip
FEW = CandidatesConfig(cap=100)


def frame_of(categories, groups=None):
    return pd.DataFrame(
        {"category": categories, "duplicate_group": groups or [None] * len(categories)}, dtype="object"
    ).astype("str")


def exact_vectors(n, dim=3, seed=0):
    """Return vectors whose products are multiples of 2^-10 below 1: no order of adding up rounds them."""
    return np.random.default_rng(seed).integers(-18, 19, (n, dim)).astype(np.float32) / 32


def one_by_one(similarities, frame):
    """Count pairs in a loop, the stratum of a pair being that of its first record where i + j is odd."""
    codes = record_codes(frame)
    expected = np.zeros((len(codes.strata), 2, 2, N_BINS), dtype=np.int64)
    category, group = (frame[name].where(frame[name].notna(), None).tolist() for name in frame)
    bins = bin_index(similarities)
    for i, j in itertools.combinations(range(len(frame)), 2):
        same, known = (int(each[i] is not None and each[i] == each[j]) for each in (category, group))
        expected[codes.stratum[i] if (i + j) % 2 else codes.stratum[j], same, known, bins[i, j]] += 1
    return expected


def by_cell(counts):
    return counts.reshape(*counts.shape[:3], N_CELLS, FINE_PER_CELL).sum(axis=-1)


def assert_sound(counted, similarities, frame):
    """Check that every row of a sample is a pair of its cell, none twice, in order, and that cells are counted."""
    sample, codes = counted.sample, record_codes(frame)
    assert tuple(sample.columns) == SAMPLE_COLUMNS
    i, j = sample["i"].to_numpy(), sample["j"].to_numpy()
    assert (i < j).all()
    assert not sample.duplicated(["i", "j"]).any()
    np.testing.assert_array_equal(sample["similarity"], similarities[i, j])
    np.testing.assert_array_equal(sample["same_category"], codes.category[i] == codes.category[j])
    np.testing.assert_array_equal(sample["known"], codes.group[i] == codes.group[j])
    np.testing.assert_array_equal(sample["stratum"], np.where((i + j) % 2, codes.stratum[i], codes.stratum[j]))
    cell = bin_index(sample["similarity"]) // FINE_PER_CELL
    place = (sample["stratum"], sample["same_category"].astype(int), sample["known"].astype(int), cell)
    expected = np.zeros(counted.sampled.shape, dtype=np.int64)
    np.add.at(expected, tuple(map(np.asarray, place)), 1)
    np.testing.assert_array_equal(counted.sampled, expected)
    order = np.lexsort((j, i, *reversed([np.asarray(axis) for axis in place])))
    np.testing.assert_array_equal(order, np.arange(len(sample)))


@settings(max_examples=25)
@given(
    st.lists(st.tuples(st.sampled_from(["a", "b", None]), st.sampled_from(["g", "h", None])), min_size=2, max_size=14)
)
def test_every_pair_is_counted_once_where_it_belongs_and_a_small_sample_is_all_of_them(rows):
    frame, vectors = frame_of(*map(list, zip(*rows, strict=True))), exact_vectors(len(rows))
    similarities = vectors @ vectors.T

    counted = count_pairs(vectors, record_codes(frame), FEW)

    np.testing.assert_array_equal(counted.counts, one_by_one(similarities, frame))
    np.testing.assert_array_equal(counted.sampled, by_cell(counted.counts))
    assert_sound(counted, similarities, frame)
    assert (counted.n_anchors, counted.error) == (None, None)


def test_sparse_vectors_count_pairs_without_a_common_word_too():
    matrix = tfidf_matrix(TEXTS)
    frame = frame_of(["mail", "mail", "print", "print", "net", "net", "kit", "mail"])
    similarities = (matrix @ matrix.T).toarray()

    counted = count_pairs(matrix, record_codes(frame), FEW)

    np.testing.assert_array_equal(counted.counts, one_by_one(similarities, frame))
    assert_sound(counted, similarities, frame)
    unlike = sum(similarities[pair] == 0 for pair in itertools.combinations(range(8), 2))
    assert (
        counted.counts[..., bin_index(0.0)].sum() == unlike == 23
    )  # of 28: (0, 1), (0, 7), (1, 7), (2, 3) and (4, 5) share a word


def test_every_similarity_falls_into_the_bin_that_bin_index_says():
    edges = np.arange(-1000, 1001, 3, dtype=np.float32) / np.float32(1000)
    near = [edges, np.nextafter(edges, np.float32(-2)), np.nextafter(edges, np.float32(2))]
    vectors = np.concatenate([[np.float32(1)], *near])[:, None]  # the first record's pairs are these very numbers
    frame = frame_of(["a"] * len(vectors))

    counted = count_pairs(vectors, record_codes(frame), FEW)

    expected = np.bincount(bin_index((vectors @ vectors.T)[np.triu_indices(len(vectors), 1)]), minlength=N_BINS)
    np.testing.assert_array_equal(counted.counts[0, 1, 0], expected)


@pytest.mark.parametrize("sparse", [False, True])
def test_blocks_and_threads_change_neither_counts_nor_sample(monkeypatch, sparse):
    frame, vectors = frame_of(list("aab") * 60, ["g", None, "h"] * 60), np.abs(exact_vectors(180))
    if sparse:
        vectors = tfidf_matrix([" ".join(f"w{word}" for word in row) for row in np.argsort(vectors @ vectors.T)[:, :7]])
    found = []
    for strip, tile, threads in ((512, 4096, 1), (7, 16, 2), (16, 7, 3), (1, 180, 8)):
        monkeypatch.setattr(products, "STRIP", strip)
        monkeypatch.setattr(products, "TILE", tile)
        found.append(count_pairs(vectors, record_codes(frame), FEW, Means(threads=threads)))

    similarities = vectors @ vectors.T
    assert_sound(found[0], similarities.toarray() if sparse else similarities, frame)
    for other in found[1:]:
        np.testing.assert_array_equal(other.counts, found[0].counts)
        pd.testing.assert_frame_equal(other.sample, found[0].sample)


def test_a_sample_holds_as_many_of_a_cell_as_its_share_of_the_cap():
    frame, vectors = frame_of(list("aab") * 100), exact_vectors(300)
    codes = record_codes(frame)

    counted = count_pairs(vectors, codes, FEW)

    np.testing.assert_array_equal(counted.counts, one_by_one(vectors @ vectors.T, frame))
    np.testing.assert_array_equal(counted.sampled, np.minimum(by_cell(counted.counts), 50))  # 100 / 2 strata
    assert_sound(counted, vectors @ vectors.T, frame)


def test_the_same_seed_samples_the_same_pairs_and_another_seed_others():
    frame, vectors = frame_of(list("ab") * 100), exact_vectors(200)
    codes = record_codes(frame)
    samples = [count_pairs(vectors, codes, CandidatesConfig(cap=100, seed=seed)).sample for seed in (3, 3, 4)]

    pd.testing.assert_frame_equal(samples[0], samples[1])
    assert not samples[0].equals(samples[2])


def test_every_pair_of_a_cell_is_sampled_equally_often():
    """40 equal vectors make 780 pairs of one cell, of which 100 are kept, for each of 200 seeds.

    A pair is kept 200 * 100 / 780 = 25.6 times on average with variance 25.6 * (1 - 100 / 780); one of 780 follows
    from the others, so the sum of squared deviations over that variance * 780 / 779 is chi-square with 779 degrees.
    """
    vectors, codes = np.full((40, 1), 0.5, dtype=np.float32), record_codes(frame_of(["a"] * 40))
    kept = np.zeros((40, 40))
    for seed in range(200):
        sample = count_pairs(vectors, codes, CandidatesConfig(cap=100, seed=seed), Means(threads=1)).sample
        kept[sample["i"], sample["j"]] += 1

    times, share = kept[np.triu_indices(40, 1)], 100 / 780
    statistic = ((times - 200 * share) ** 2).sum() / (200 * share * (1 - share)) * 779 / 780
    assert times.sum() == 20_000
    assert 0.001 < chi2.sf(statistic, 779) < 0.999


def test_given_pairs_are_counted_by_their_labels():
    frame = frame_of(["a", "a", "b", None])
    pairs = np.array([[0, 1], [0, 2], [1, 3]], dtype=np.int32)

    counted = count_given(
        np.float32([0.5004, 0.31, -0.2]), pairs, np.array([True, False, True]), record_codes(frame), FEW
    )

    # strata: a (2 records), then b and none; (0, 1) is odd: a. (0, 2) is even: its second, b. (1, 3) even: none.
    strata = record_codes(frame).strata
    found = {tuple(map(int, place)): int(counted.counts[tuple(place)]) for place in np.argwhere(counted.counts)}
    assert found == {
        (strata.index("a"), 1, 1, 1500): 1,
        (strata.index("b"), 0, 0, 1310): 1,
        (strata.index("(no category)"), 0, 1, 800): 1,
    }
    rows = counted.sample.sort_values(["i", "j"])[["i", "j", "same_category", "known"]].to_numpy().tolist()
    assert rows == [[0, 1, True, True], [0, 2, False, False], [1, 3, False, True]]


def test_counts_from_anchors_are_right_on_average_and_their_error_is_the_one_that_is_told():
    frame, vectors = frame_of(list("aab") * 50, ["g", None, "h"] * 50), exact_vectors(150, dim=2)
    codes, similarities = record_codes(frame), vectors @ vectors.T
    exact = count_pairs(vectors, codes, FEW)
    truth = by_cell(exact.counts).sum(axis=0)
    estimates, errors = [], []
    for seed in range(200):
        counted = count_from_anchors(vectors, codes, CandidatesConfig(exact_up_to=100, cap=100, seed=seed))
        assert (counted.counts.sum(), counted.n_anchors) == (150 * 149 // 2, 100)
        estimates.append(by_cell(counted.counts).sum(axis=0))
        errors.append(counted.error)
    assert_sound(counted, similarities, frame)

    told = np.sqrt(np.mean(np.square(errors), axis=0))
    filled = truth >= 30
    assert filled.sum() > 50
    deviations = (np.mean(estimates, axis=0) - truth)[filled] / (told[filled] / np.sqrt(200))
    assert np.abs(deviations).max() < 5  # 0.1 of rounding beside it
    np.testing.assert_allclose(np.std(estimates, axis=0)[filled], told[filled], rtol=0.35)
    covered = np.abs(np.array(estimates) - truth)[:, filled] <= 1.96 * np.array(errors)[:, filled]
    assert 0.90 < covered.mean() < 0.98


def test_pairs_of_anchors_are_sampled_as_often_as_pairs_with_one_anchor():
    vectors, codes = np.full((110, 1), 0.5, dtype=np.float32), record_codes(frame_of(["a"] * 110))

    counted = count_from_anchors(vectors, codes, CandidatesConfig(exact_up_to=100, cap=10_000))

    # 110 * 109 / 2 pairs but the 10 * 9 / 2 of two records that are no anchors: each once
    assert len(counted.sample) == 5995 - 45
    assert not counted.sample.duplicated(["i", "j"]).any()


def test_a_record_without_group_or_category_is_alone():
    codes = record_codes(frame_of(["a", None, None], ["g", None, None]))

    assert len(set(codes.group.tolist())) == len(set(codes.category.tolist())) == 3
    assert codes.strata == ("(no category)", "a")


def test_rare_categories_share_a_stratum():
    names = [f"c{number:03}" for number in range(MAX_STRATA + 1)]

    codes = record_codes(frame_of([*names[:-2], *names]))  # the last two are the rarest

    assert codes.strata == (*names[: MAX_STRATA - 1], "(other categories)")
    assert codes.stratum.tolist() == [*range(MAX_STRATA - 1), *range(MAX_STRATA), MAX_STRATA - 1]


def test_pairs_need_two_records():
    with pytest.raises(DataFaultError, match="at least two records, got 1"):
        record_codes(frame_of(["a"]))


@pytest.mark.slow
def test_fifty_million_pairs_of_real_tickets_are_counted(real_data):
    records = with_record_columns(pd.read_parquet(real_data("itsm10k_records")))

    counted = count_pairs(tfidf_matrix(records["text"].tolist()), record_codes(records), CandidatesConfig())

    assert counted.counts.sum() == 49_995_000
    assert counted.counts[:, 1, :, 1520:].sum() == 37_699  # same category, TF-IDF cosine of 0.52 and more
    np.testing.assert_array_equal(counted.sampled, np.minimum(by_cell(counted.counts), 625))  # 5,000 / 8 categories


@pytest.mark.gpu
def test_products_on_a_gpu_are_those_of_the_cpu():
    if not torch.cuda.is_available():
        pytest.skip("no GPU here (CUDA)")
    vectors, codes = exact_vectors(3000, dim=8), record_codes(frame_of(list("abc") * 1000))

    on_cpu, on_gpu = (count_pairs(vectors, codes, FEW, Means(on_gpu=gpu)) for gpu in (False, True))

    np.testing.assert_array_equal(on_gpu.counts, on_cpu.counts)  # products of these vectors are exact
    pd.testing.assert_frame_equal(on_gpu.sample, on_cpu.sample)
