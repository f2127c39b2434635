"""Tests of the evaluate job: real encoders, real files, numbers recomputed from the scores it wrote."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from simtune_core.datasets import save_pairs
from simtune_core.errors import ConfigError
from simtune_core.evaluation import findings
from simtune_core.evaluation.job import run
from simtune_core.evaluation.thresholds import Confusion
from simtune_core.jobs.context import Job

SUBJECTS = ["mail server", "printer", "vpn client", "laptop battery", "shared folder", "password", "badge", "monitor"]
TROUBLES = ["is down", "does not respond", "shows an error after the update", "is very slow since monday"]


def pair_rows(split, shift):
    rows = []
    for number, subject in enumerate(SUBJECTS):
        first, second = TROUBLES[(number + shift) % 4], TROUBLES[(number + shift + 1) % 4]
        other = SUBJECTS[(number + 1 + shift) % 8]
        rows.append((f"the {subject} {first}", f"our {subject} {second}", 1, split))
        rows.append((f"the {subject} {first}", f"the {other} {first}", 0, split))
    return rows


@pytest.fixture
def dataset(workspace):
    rows = pair_rows("test", 0) + pair_rows("dev", 1)
    frame = pd.DataFrame(rows, columns=["sentence1", "sentence2", "label", "split"])
    save_pairs(workspace, "tickets", frame, provenance={"source": "written for this test"})
    return "tickets"


def evaluate(workspace, **params):
    job = Job(workspace.jobs / "evaluate", workspace)
    with job:
        result = run({"baseline": None, "threshold_from": None, "precision": "fp32", "n_resamples": 200} | params, job)
    json.dumps(result, allow_nan=False)
    return result, job.folder


def codes(result):
    return {finding["code"]: finding["severity"] for finding in result["findings"]}


def test_two_encoders_are_judged_on_test_with_thresholds_from_dev(workspace, dataset):
    result, folder = evaluate(
        workspace,
        set=f"{dataset}:test",
        threshold_from=f"{dataset}:dev",
        encoders=["minilm", "tfidf"],
        baseline="minilm",
    )

    scores, dev = pd.read_parquet(folder / "scores.parquet"), pd.read_parquet(folder / "dev_scores.parquet")
    assert list(scores.columns) == list(dev.columns) == ["row", "label", "target", "minilm", "tfidf"]
    assert scores["minilm"].dtype == np.float32
    for model in result["models"]:
        called = scores[model["column"]].to_numpy(np.float64) >= model["threshold"]
        test = model["test"]
        assert test["roc_auc"] == pytest.approx(metrics.roc_auc_score(scores["label"], scores[model["column"]]))
        assert [test[name] for name in ("tn", "fp", "fn", "tp")] == metrics.confusion_matrix(
            scores["label"], called
        ).ravel().tolist()
        assert test["cosine_mcc"] == pytest.approx(metrics.matthews_corrcoef(scores["label"], called))
        called_dev = dev[model["column"]].to_numpy(np.float64) >= model["threshold"]
        assert model["dev"]["cosine_mcc"] == pytest.approx(metrics.matthews_corrcoef(dev["label"], called_dev))
        assert model["threshold_from"] == "tickets@v0001:dev"
    baseline, other = result["models"]
    assert (baseline["baseline"], baseline["difference"], baseline["verdict"]) == (True, None, None)
    gain = other["test"]["roc_auc"] - baseline["test"]["roc_auc"]
    assert other["difference"]["estimate"] == pytest.approx(gain)
    assert other["verdict"] in ("WIN", "LOSS", "TIE", "CANNOT TELL")
    assert (result["n"], result["n_positive"], result["metric"]) == (16, 8, "roc_auc")
    assert result["tfidf_fitted_on"] == ["tickets@v0001:test", "tickets@v0001:dev"]
    assert result["tfidf_roc_auc"] == pytest.approx(other["test"]["roc_auc"])
    assert "threshold_on_test" not in codes(result)


def test_without_dev_pairs_the_threshold_is_called_optimistic(workspace, dataset):
    result, folder = evaluate(workspace, set=f"{dataset}:test", encoders=["tfidf"])

    assert codes(result)["threshold_on_test"] == "warning"
    assert result["models"][0]["dev"] is None
    assert not (folder / "dev_scores.parquet").exists()


def test_one_model_under_two_names_raises_the_identical_scores_alarm(workspace, dataset, minilm):
    result, _ = evaluate(workspace, set=f"{dataset}:test", encoders=["minilm", str(minilm.folder)])

    assert codes(result)["identical_scores"] == "error"
    assert result["models"][1]["verdict"] == "TIE"
    assert result["models"][1]["difference"]["estimate"] == 0.0


def test_one_class_gives_nulls_and_a_sentence_and_no_traceback(workspace):
    frame = pd.DataFrame(pair_rows("test", 0), columns=["sentence1", "sentence2", "label", "split"])
    save_pairs(workspace, "similar", frame[frame["label"] == 1], provenance={})

    result, _ = evaluate(workspace, set="similar", encoders=["tfidf"])

    model = result["models"][0]
    assert (model["threshold"], model["test"]["roc_auc"], model["test"]["cosine_f1"], model["interval"]) == (None,) * 4
    assert codes(result)["one_class"] == "warning"


def test_graded_pairs_are_judged_by_spearman(workspace):
    frame = pd.DataFrame(pair_rows("test", 0), columns=["sentence1", "sentence2", "label", "split"])
    frame["score"] = np.linspace(0, 1, len(frame))
    save_pairs(workspace, "graded", frame.drop(columns="label"), provenance={})

    result, folder = evaluate(workspace, set="graded", encoders=["tfidf"], score_cut=0.7)

    assert result["metric"] == "spearman_cosine"
    assert result["models"][0]["interval"]["estimate"] == pytest.approx(result["models"][0]["test"]["spearman_cosine"])
    scores = pd.read_parquet(folder / "scores.parquet")
    assert scores["label"].tolist() == (scores["target"] >= 0.7).astype(int).tolist()


def test_a_baseline_that_is_not_evaluated_is_refused(workspace, dataset):
    with pytest.raises(ConfigError, match="baseline must be one of the evaluated encoders tfidf, got 'minilm'"):
        evaluate(workspace, set=dataset, encoders=["tfidf"], baseline="minilm")
    with pytest.raises(ConfigError, match="at least one encoder"):
        evaluate(workspace, set=dataset, encoders=[])


def test_a_threshold_that_calls_most_pairs_similar_is_pointed_out():
    story = Confusion(tn=118, fp=382, fn=1, tp=499)

    (finding,) = findings.check_threshold("tuned", story)

    assert "76.4% of the dissimilar pairs" in finding["message"]
    assert "F1 of 0.723 stands beside 0.667" in finding["message"]
    assert findings.check_threshold("tuned", Confusion(tn=400, fp=100, fn=100, tp=400)) == []


def test_a_failed_diagnosis_is_an_error_and_a_missing_one_a_warning():
    failed = {"status": "not applied", "failed": True, "codes": ["keys_fit"]}
    never = {"status": "not run", "failed": False, "codes": []}
    sound = {"status": "applied", "failed": False, "codes": []}

    assert findings.check_adapter("m", failed)[0]["severity"] == "error"
    assert findings.check_adapter("m", never)[0]["code"] == "adapter_unchecked"
    assert findings.check_adapter("m", sound) == findings.check_adapter("m", None) == []


def test_conservative_intervals_are_stated_only_where_records_are_hardly_shared():
    assert findings.check_shared_records(2000, 1000)[0]["code"] == "intervals_conservative"
    assert findings.check_shared_records(1124, 1000) == []
