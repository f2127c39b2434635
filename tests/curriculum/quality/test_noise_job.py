"""The noise job with the real encoder: planted flips are estimated and ranked, a clean set is called clean."""

import json

import numpy as np
import pandas as pd
import pytest

from simtune_core.curriculum.quality.noise_job import NOISE, run
from simtune_core.datasets import save_pairs
from simtune_core.errors import DataFaultError
from simtune_core.jobs.context import Job
from simtune_core.pairs import with_pair_columns
from simtune_core.workspace import SAMPLE, open_workspace

N = 300
SETTINGS = {"encoder": "minilm", "precision": "auto", "n_folds": 3, "penalties": [0.01], "n_resamples": 100}
WEAK = {"labels": {"weak": True, "words": "same category, or not"}}


@pytest.fixture(scope="module")
def judged(tmp_path_factory, minilm):
    """Return results and rankings of pairs of the sample that the encoder can tell apart, clean and with flips."""
    workspace = open_workspace(tmp_path_factory.mktemp("noise"))
    clean = pd.read_parquet(SAMPLE / "easy_pairs.parquet").sample(N, random_state=0).reset_index(drop=True)
    wrong = np.random.default_rng(1).random(N) < 0.1
    flipped = clean.assign(label=np.where(wrong, 1 - clean["label"], clean["label"]))
    save_pairs(workspace, "clean", clean, provenance={})
    save_pairs(workspace, "flipped", flipped, provenance=WEAK)
    found = {}
    for name in ("clean", "flipped"):
        with Job(workspace.jobs / name, workspace) as job:
            found[name] = run({"set": name, **SETTINGS}, job)
    rankings = {name: pd.read_parquet(workspace.jobs / name / NOISE) for name in found}
    return found, rankings, with_pair_columns(flipped)["label"].to_numpy(), wrong


def test_planted_flips_are_estimated_near_their_share_and_a_clean_set_near_none(judged):
    found, _, labels, wrong = judged

    for each in found["clean"]["classes"]:
        assert each["rate"]["estimate"] < 0.03
    for each in found["flipped"]["classes"]:
        truth = wrong[labels == each["label"]].mean()
        assert each["rate"]["estimate"] == pytest.approx(truth, abs=0.05)
        assert each["rate"]["low"] <= truth <= each["rate"]["high"]


def test_planted_flips_rank_first_and_are_marked(judged):
    from sklearn.metrics import average_precision_score

    _, rankings, _, wrong = judged
    ranking = rankings["flipped"]

    assert average_precision_score(wrong, -ranking["self_confidence"]) > 0.8  # by chance 0.1
    assert ranking["issue"].to_numpy()[wrong].mean() > 0.8
    assert rankings["clean"]["issue"].mean() < 0.1


def test_a_result_is_json_and_says_what_weak_labels_make_of_it(judged):
    found, rankings, labels, _ = judged
    result = found["flipped"]

    assert json.loads(json.dumps(result, allow_nan=False)) == result
    assert (result["set"], result["n_pairs"], result["n_judged"], result["reason"]) == ("flipped@v0001", N, N, "")
    assert result["labels"] == WEAK["labels"]
    assert "not how often a person would" in next(
        each["message"] for each in result["findings"] if each["code"] == "weak_labels"
    )
    assert found["clean"]["findings"] == []
    expected = np.where(labels == 1, rankings["flipped"]["probability"], 1 - rankings["flipped"]["probability"])
    assert rankings["flipped"]["self_confidence"].to_numpy() == pytest.approx(expected)


def test_too_few_pairs_are_a_finding_and_pairs_without_a_label_an_error(workspace):
    few = pd.read_parquet(SAMPLE / "easy_pairs.parquet").head(20)
    save_pairs(workspace, "few", few, provenance={})
    save_pairs(workspace, "unlabelled", few.assign(label=[1.0] * 18 + [None] * 2), provenance={})

    with Job(workspace.jobs / "few", workspace) as job:
        result = run({"set": "few", **SETTINGS}, job)
    assert (result["classes"], [each["code"] for each in result["findings"]]) == (None, ["noise_not_estimated"])
    assert result["reason"] == result["findings"][0]["message"]
    with (
        Job(workspace.jobs / "unlabelled", workspace) as job,
        pytest.raises(DataFaultError, match="2 of 20 pairs of unlabelled@v0001 have none"),
    ):
        run({"set": "unlabelled", **SETTINGS}, job)
