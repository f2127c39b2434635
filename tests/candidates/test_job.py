"""The candidates job: records or pairs in, counts, sample and records out."""

import json

import numpy as np
import pandas as pd
import pytest

from simtune_core.candidates.counted import COUNTS, RECORDS, SAMPLE, load_counts
from simtune_core.candidates.job import run
from simtune_core.datasets import load_pairs, save_pairs, save_records
from simtune_core.difficulty.bins import bin_index
from simtune_core.encoders.catalogue import resolve_encoder
from simtune_core.encoders.scoring import score_pairs
from simtune_core.encoders.tfidf import tfidf_matrix
from simtune_core.errors import JobError
from simtune_core.jobs.context import Job
from simtune_core.pairs import with_pair_columns

WORDS = ["mail", "server", "printer", "paper", "vpn", "login", "laptop", "screen", "disk", "folder", "badge", "phone"]


def records_frame(n=120, seed=0):
    """Tickets of three categories, in groups of three that share most of their words."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(n):
        group = number // 3
        own = np.random.default_rng(group).choice(WORDS, 4, replace=False)
        text = " ".join([*own, *rng.choice(WORDS, 2), f"case{number}"])
        rows.append((f"r{number}", text, f"category {group % 3}", f"g{group}"))
    return pd.DataFrame(rows, columns=["id", "text", "category", "duplicate_group"])


def exam_frame():
    rows = [
        ("mail server asleep", "mail server tired", 1, "x", "x"),
        ("badge phone odd", "vpn login odd", 0, "x", "y"),
        ("badge", "vpn", 0, None, "y"),
    ]
    return with_pair_columns(pd.DataFrame(rows, columns=["sentence1", "sentence2", "label", "category1", "category2"]))


def counted(workspace, **params):
    with Job(workspace.jobs / "counted", workspace) as job:
        result = run({"encoder": "tfidf", "precision": "fp32", "cap": 100} | params, job)
    json.dumps(result, allow_nan=False)
    return result, load_counts(job.folder / COUNTS), pd.read_parquet(job.folder / SAMPLE)


def test_records_are_paired_apart_from_the_test_set_whose_pairs_lie_on_the_same_axis(workspace):
    save_records(workspace, "tickets", records_frame(), provenance={})
    exam = exam_frame()
    exam.loc[0, "id1"] = "r0"
    save_pairs(workspace, "exam", exam, provenance={})

    result, counts, sample = counted(workspace, records="tickets", test="exam@v0001", apart=["exam@v0001"])

    # categories of 41, 39 and 39 records, 39 groups of three and one of two: 820 + 2 * 741 and 39 * 3 + 1
    facts = {name: result[name] for name in result if name not in ("content_id", "fingerprint", "seconds", "findings")}
    assert facts == {
        "records": "tickets@v0001", "source": "records", "encoder": "tfidf", "title": "tfidf", "precision": "fp32",
        "test": "exam@v0001", "apart": ["exam@v0001"], "n_records": 119, "n_left_out": 1, "n_apart_records": 1,
        "n_apart_near": 0, "n_pairs": 7021, "n_same_category": 2302, "n_known": 118, "n_sampled": len(sample),
        "n_anchors": None, "has_known": True, "has_categories": True,
        "categories": ["category 0", "category 1", "category 2"], "seed": 0, "cap": 100, "exact_up_to": 50_000,
    }  # fmt: skip
    assert [each["code"] for each in result["findings"]] == ["kept_apart"]
    texts = pd.read_parquet(workspace.job("counted") / RECORDS)
    assert texts.columns.tolist() == ["id", "text", "category"] and "r0" not in set(texts["id"])
    corpus = list(dict.fromkeys([*texts["text"], *load_pairs(workspace, "exam").unique_texts()]))
    matrix = tfidf_matrix(corpus)  # fitted on the records and the test set
    similarities = (matrix @ matrix.T).toarray()
    np.testing.assert_allclose(sample["similarity"], similarities[sample["i"], sample["j"]], atol=1e-6)
    every = similarities[:119, :119][np.triu_indices(119, 1)]
    np.testing.assert_array_equal(counts.counts.sum(axis=(0, 1, 2)), np.bincount(bin_index(every), minlength=2000))
    row = {text: place for place, text in enumerate(corpus)}
    expected = [similarities[row[pair.sentence1], row[pair.sentence2]] for pair in exam.itertuples()]
    np.testing.assert_allclose(counts.test.similarities, expected, atol=1e-6)
    assert (counts.test.labels.tolist(), counts.test.same_category.tolist()) == ([1, 0, 0], [1, 0, -1])
    assert (counts.space, counts.source, counts.test.ref) == ("tfidf", "records", "exam@v0001")


def test_the_pairs_of_a_pair_set_are_counted_as_a_model_scores_them(workspace):
    save_pairs(workspace, "made", exam_frame(), provenance={})

    result, counts, sample = counted(workspace, records="made", encoder="minilm")

    assert (result["source"], result["n_records"], result["n_pairs"], result["n_known"]) == ("pairs", 6, 3, 1)
    scores = score_pairs(
        workspace, resolve_encoder(workspace, "minilm"), [load_pairs(workspace, "made")], precision="fp32"
    )[0]
    held = pd.read_parquet(workspace.job("counted") / RECORDS)["text"]
    found = {(held[row.i], held[row.j]): (row.similarity, row.known) for row in sample.itertuples()}
    pairs = exam_frame()[["sentence1", "sentence2"]].itertuples(index=False, name=None)
    assert found == {pair: (pytest.approx(score, abs=1e-6), label) for pair, score, label in zip(
        pairs, scores, [True, False, False], strict=True)}  # fmt: skip
    np.testing.assert_array_equal(counts.counts.sum(axis=(0, 1, 2)), np.bincount(bin_index(scores), minlength=2000))


def test_beyond_the_bound_the_counts_are_estimates_and_say_so(workspace):
    save_records(workspace, "tickets", records_frame(), provenance={})

    result, counts, _ = counted(workspace, records="tickets", exact_up_to=100)

    assert (result["n_anchors"], result["n_pairs"], counts.error.shape) == (100, 7140, (2, 2, 200))
    assert [each["code"] for each in result["findings"]] == ["counts_estimated"]
    message = result["findings"][0]["message"]
    assert message.startswith("Counted are the pairs of 100 randomly chosen records with all 120;")
    assert "has a standard error of" in message


def test_a_stop_is_obeyed_between_two_strips(workspace):
    save_records(workspace, "tickets", records_frame(), provenance={})

    with Job(workspace.jobs / "counted", workspace) as job:
        job._on_stop()
        with pytest.raises(JobError, match="Stopped before every pair was counted"):
            run({"records": "tickets", "encoder": "tfidf", "precision": "fp32"}, job)
    assert not (job.folder / COUNTS).exists()
