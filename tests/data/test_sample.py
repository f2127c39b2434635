"""The bundled sample keeps its promises: sizes, true groups, no leaks, the story's mistake, reproducible."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

SAMPLE = Path(__file__).parents[2] / "data" / "sample"
NAMES = ["records", "pairs", "easy_pairs"]
PAIR_COLUMNS = ["sentence1", "sentence2", "label", "id1", "id2", "category1", "category2", "split"]


@pytest.fixture(scope="module")
def sample():
    return {name: pd.read_parquet(SAMPLE / f"{name}.parquet") for name in NAMES}


@pytest.fixture(scope="module")
def similarity(sample):
    """Return a function from a pair set to its TF-IDF cosines; fitted on all unique texts of both sets."""
    sides = [sample[name][side] for name in NAMES[1:] for side in ("sentence1", "sentence2")]
    tfidf = TfidfVectorizer(sublinear_tf=True, dtype=np.float32).fit(pd.concat(sides).unique())

    def measure(pairs):
        first, second = tfidf.transform(pairs["sentence1"]), tfidf.transform(pairs["sentence2"])
        return np.asarray(first.multiply(second).sum(axis=1)).ravel()

    return measure


def overlap(scores, labels):
    """Share of pairs between the lowest positive and the highest negative; 0 when they do not meet."""
    low, high = scores[labels == 1].min(), scores[labels == 0].max()
    return float(((scores >= low) & (scores <= high)).mean()) if low <= high else 0.0


def records_of(pairs):
    return set(pairs["id1"]) | set(pairs["id2"])


def texts_of(pairs):
    return set(pairs["sentence1"].str.casefold()) | set(pairs["sentence2"].str.casefold())


def test_records_are_many_and_complete(sample):
    records = sample["records"]
    assert list(records.columns) == ["id", "text", "category", "duplicate_group", "split"]
    assert len(records) >= 3000
    assert records["category"].nunique() >= 10
    assert records["id"].is_unique
    assert records["text"].is_unique
    assert records["id"].str.fullmatch(r"INC\d{7}").all()
    assert not records.isna().any(axis=None)
    assert (records["text"].str.strip().str.len() > 0).all()


def test_texts_are_short_and_long(sample):
    n_words = sample["records"]["text"].str.split().str.len()
    assert (n_words <= 12).sum() > 50
    assert (n_words >= 150).sum() > 20


def test_duplicate_groups_are_real(sample):
    sizes = sample["records"].groupby("duplicate_group").size()
    assert (sizes >= 2).sum() >= 400
    assert (sizes == 1).sum() >= 100
    assert sizes.max() <= 10
    assert sample["records"].drop_duplicates(["duplicate_group", "category"])["duplicate_group"].is_unique


@pytest.mark.parametrize("name", NAMES[1:])
def test_pairs_agree_with_records(sample, name):
    pairs, records = sample[name], sample["records"].set_index("id")
    first, second = records.loc[pairs["id1"]], records.loc[pairs["id2"]]
    assert list(pairs.columns) == PAIR_COLUMNS
    assert (pairs["sentence1"].to_numpy() == first["text"].to_numpy()).all()
    assert (pairs["sentence2"].to_numpy() == second["text"].to_numpy()).all()
    assert (pairs["category1"].to_numpy() == first["category"].to_numpy()).all()
    assert (pairs["category2"].to_numpy() == second["category"].to_numpy()).all()
    same_group = first["duplicate_group"].to_numpy() == second["duplicate_group"].to_numpy()
    assert (pairs["label"].to_numpy() == same_group.astype(int)).all()


@pytest.mark.parametrize("name", NAMES[1:])
def test_no_pair_stands_twice_or_joins_a_record_to_itself(sample, name):
    keys = [frozenset(ids) for ids in sample[name][["id1", "id2"]].to_numpy()]
    assert all(len(key) == 2 for key in keys)
    assert len(set(keys)) == len(keys)


def test_pair_sets_have_their_sizes_and_half_positives(sample):
    summary = sample["pairs"].groupby("split")["label"].agg(["size", "mean"])
    assert summary.loc[["train", "dev", "test"], "size"].tolist() == [4400, 1000, 1200]
    assert summary["mean"].between(0.49, 0.51).all()


def test_no_record_group_or_text_is_in_two_splits(sample):
    pairs = sample["pairs"]
    group = sample["records"].set_index("id")["duplicate_group"]
    parts = [pairs[pairs["split"] == split] for split in ("train", "dev", "test")]
    for left, right in ((0, 1), (0, 2), (1, 2)):
        assert not records_of(parts[left]) & records_of(parts[right])
        assert not set(group[list(records_of(parts[left]))]) & set(group[list(records_of(parts[right]))])
        assert not texts_of(parts[left]) & texts_of(parts[right])


def test_no_text_nearly_equals_one_of_another_split(sample):
    """Near-equal: cosine of word counts at 0.95 or above."""
    pairs = sample["pairs"]
    ids = {split: sorted(records_of(pairs[pairs["split"] == split])) for split in ("train", "dev", "test")}
    text = sample["records"].set_index("id")["text"]
    tfidf = TfidfVectorizer(use_idf=False).fit(text)
    vectors = {split: tfidf.transform(text[ids[split]]) for split in ids}
    for left, right in (("train", "dev"), ("train", "test"), ("dev", "test")):
        assert (vectors[left] @ vectors[right].T).max() < 0.95


def test_easy_set_uses_train_records_only(sample):
    pairs, easy = sample["pairs"], sample["easy_pairs"]
    held_out = records_of(pairs[pairs["split"] != "train"])
    group = sample["records"].set_index("id")["duplicate_group"]
    assert set(easy["split"]) == {"train"}
    assert not records_of(easy) & held_out
    assert not set(group[list(records_of(easy))]) & set(group[list(held_out)])


def test_easy_set_repeats_the_mistake_and_the_test_set_does_not(sample, similarity):
    easy, test = sample["easy_pairs"], sample["pairs"].query("split == 'test'")
    easy_scores, test_scores = similarity(easy), similarity(test)
    easy_labels, test_labels = easy["label"].to_numpy(), test["label"].to_numpy()
    assert len(easy) == 2000
    assert easy_labels.sum() >= 600
    assert easy_scores[easy_labels == 1].min() >= 0.52
    assert easy_scores[easy_labels == 0].max() <= 0.36
    assert overlap(easy_scores, easy_labels) == 0.0
    assert overlap(test_scores, test_labels) > 0.5


def test_the_category_alone_does_not_tell_the_label(sample):
    test = sample["pairs"].query("split == 'test' and label == 0")
    assert (test["category1"] == test["category2"]).mean() >= 0.6


def test_generator_reproduces_the_committed_files(sample, tmp_path):
    command = [sys.executable, str(SAMPLE / "generate.py"), "--out", str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, "PYTHONHASHSEED": "7"})
    for name in NAMES:
        pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / f"{name}.parquet"), sample[name])
