"""Tests of the difficulty job and its findings: real encoders, real pairs where they are there."""

import json

import pandas as pd
import pytest

from simtune_core.datasets import save_pairs
from simtune_core.difficulty import mismatch_job
from simtune_core.difficulty.banding import SCORES, read_kept
from simtune_core.difficulty.config import DifficultyConfig
from simtune_core.difficulty.findings import MeasuredSet, check_lonely_records, find_all
from simtune_core.difficulty.job import run
from simtune_core.difficulty.separability import measure_side, side_from_json
from simtune_core.jobs.context import Job
from tests.difficulty.sets import random_set, scored_set

EASY = measure_side([0.9, 0.8, 0.2, 0.1], [1, 1, 0, 0])
HARD = measure_side([0.6, 0.4, 0.5, 0.3], [1, 1, 0, 0])
SKEWED = measure_side([0.6, 0.4, 0.5, 0.3, 0.2, 0.1], [1, 1, 0, 0, 0, 0])


def measured(side, ref="train", tfidf=0.6, graded=False):
    return MeasuredSet(ref, side, tfidf, graded)


def codes(*sides):
    return [finding["code"] for finding in find_all(list(sides), "minilm", DifficultyConfig())]


def difficulty(workspace, **params):
    with Job(workspace.jobs / "difficulty", workspace) as job:
        result = run({"against": None, "precision": "fp32", "score_cut": 0.6} | params, job)
    json.dumps(result, allow_nan=False)
    return result


def test_easier_training_pairs_are_found_with_both_numbers():
    (finding,) = find_all([measured(EASY), measured(HARD, "test")], "minilm", DifficultyConfig())

    assert finding["code"] == "training_easier"
    assert "separability 0.700 against 0.100, ROC-AUC 1.000 against 0.750 (minilm cosine)" in finding["message"]


def test_equally_hard_or_harder_training_pairs_are_no_finding():
    assert codes(measured(HARD), measured(HARD, "test")) == []
    assert codes(measured(HARD), measured(EASY, "test")) == []
    assert codes(measured(EASY)) == []


def test_other_shares_of_positives_make_spearman_incomparable():
    assert codes(measured(HARD), measured(SKEWED, "test")) == ["prevalences_differ"]


def test_labels_that_word_overlap_predicts_cut_scores_and_one_class_are_said():
    assert codes(measured(HARD, tfidf=0.95)) == ["tfidf_separates"]
    assert codes(measured(HARD, graded=True)) == ["labels_cut"]
    assert codes(measured(measure_side([0.4], [1]), tfidf=None)) == ["one_class"]


def test_one_set_is_measured_in_the_encoders_space_with_tfidf_beside(workspace):
    frame = pd.DataFrame(
        {
            "sentence1": ["mail server down", "printer jam", "mail server down", "printer jam"],
            "sentence2": ["mail server broken", "paper stuck in printer", "paper stuck in printer", "new laptop"],
            "label": [1, 1, 0, 0],
        }
    )
    save_pairs(workspace, "tickets", frame, provenance={})

    result = difficulty(workspace, set="tickets", encoder="minilm")

    (side,) = result["sides"]
    assert (side["ref"], side["n_positive"], side["n_negative"]) == ("tickets@v0001", 2, 2)
    assert side["separability"] == pytest.approx(side["positive_mean"] - side["negative_mean"])
    assert side["separability"] > 0.2  # MiniLM knows what a ticket is about
    assert result["tfidf"] == {"fitted_on": ["tickets@v0001"], "n_texts": 5}
    assert side_from_json(side).n_pairs == 4


def test_each_phase_is_a_side_of_its_own_and_every_pair_is_kept(workspace):
    texts = ["mail server down", "printer jam", "mail server broken", "paper stuck in printer", "new laptop"]
    frame = pd.DataFrame({"sentence1": texts, "sentence2": [*texts[2:], *texts[:2]], "label": [1, 1, 0, 0, 1]})
    save_pairs(workspace, "phased", frame.assign(phase=["hard", "easy", "hard", "easy", None]), provenance={})

    result = difficulty(workspace, set="phased", encoder="tfidf")

    (side,) = result["sides"]
    assert [(each["phase"], each["n_pairs"], each["n_positive"]) for each in side["phases"]] == [
        ("hard", 2, 1),
        ("easy", 2, 1),
    ]
    assert (result["grey_low"], result["grey_high"]) == (0.4, 0.6)
    assert side_from_json(side).grey_share(0.4, 0.6) == side["grey_share"]
    (kept,) = read_kept(workspace.jobs / "difficulty")
    assert (kept.labels.tolist(), kept.phase_names) == ([1, 1, 0, 0, 1], ("hard", "easy"))
    assert kept.phases.tolist() == [0, 1, 0, 1, -1]
    assert kept.cosines.max() == pytest.approx(side["positive_quantiles"][-1], abs=0.1)
    assert (workspace.jobs / "difficulty" / SCORES).stat().st_size < 3000


def test_a_mismatch_says_differences_with_intervals_of_the_same_sides(workspace):
    for name, seed in (("one", 0), ("other", 1)):
        scored = random_set(seed, 80, n_records=60)
        save_pairs(workspace, name, scored.pairs.frame, provenance={})
    sides = difficulty(workspace, set="one", against="other", encoder="tfidf")["sides"]

    params = {"set": "one", "against": "other", "encoder": "tfidf", "precision": "fp32", "score_cut": 0.6}
    with Job(workspace.jobs / "mismatch", workspace) as job:
        found = mismatch_job.run(params | {"n_resamples": 100, "seed": 0}, job)

    json.dumps(found, allow_nan=False)
    for name, interval in found["differences"].items():
        assert interval["estimate"] == pytest.approx(sides[0][name] - sides[1][name], abs=1e-12)
        assert interval["low"] <= interval["high"]
    assert (found["method"], found["n_resamples"], found["level"]) == ("exact", 100, 0.95)
    assert [side["n_pairs"] for side in found["sides"]] == [80, 80]
    assert found["n_shared_records"] > 40 and found["findings"] == []


def test_pairs_that_share_no_record_have_conservative_intervals_and_that_is_said(workspace):
    pairs = [scored_set([0.5] * 4, [0, 1, 0, 1], ref=ref).pairs for ref in ("a@v0001", "b@v0001")]

    (finding,) = check_lonely_records(pairs, [8, 5])
    assert finding["code"] == "intervals_conservative"
    assert "4 pairs of a@v0001 hold 8 different records" in finding["message"] and "b@v0001" not in finding["message"]
    assert check_lonely_records(pairs, [5, 4]) == []


def test_the_stand_in_of_the_story_is_diagnosed_as_too_easy_in_tfidf_space(workspace, real_data):
    names = {"text_a": "sentence1", "text_b": "sentence2", "id_a": "id1", "id_b": "id2"}
    for name, stem in (("easy", "itsm10k_easy_train_pairs"), ("founding", "itsm10k_founding_pairs")):
        save_pairs(workspace, name, pd.read_parquet(real_data(stem)).rename(columns=names), provenance={})

    result = difficulty(workspace, set="easy", against="founding:test", encoder="tfidf")

    train, test = result["sides"]
    assert train["separability"] - test["separability"] > 0.3
    assert test["tfidf_roc_auc"] == test["roc_auc"] == pytest.approx(0.947, abs=0.005)
    assert "training_easier" in {finding["code"] for finding in result["findings"]}
