"""Tests of the command line: the whole path by commands, its JSON, its exit codes and its sentences."""

import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn.metrics import roc_auc_score

from simtune_core.datasets import list_datasets
from simtune_core.jobs.launcher import follow
from tests.walk import command, process


def test_the_envelope_is_one_object_with_schema_command_result_findings_and_error(walked):
    for verb, said in walked.said.items():
        assert list(said) == ["schema", "command", "result", "findings", "error"], verb
        assert (said["schema"], said["error"]) == (1, None)
        assert all({"code", "severity", "message"} <= set(finding) for finding in said["findings"])


def test_the_path_ends_in_verdicts_for_both_models(walked):
    models = {model["encoder"]: model for model in walked.said["evaluate"]["result"]["models"]}

    assert list(models) == ["minilm", "walk-head", "walk-lora"]
    assert models["minilm"]["verdict"] is None
    assert {models[name]["verdict"] for name in ("walk-head", "walk-lora")} <= {"WIN", "LOSS", "TIE", "CANNOT TELL"}
    assert models["walk-head"]["adapter"]["status"] == "applied"
    assert models["walk-lora"]["adapter"]["status"] == "applied"


def test_the_baselines_roc_auc_is_scikit_learns_on_the_written_scores(walked):
    result = walked.said["evaluate"]["result"]
    scores = pd.read_parquet(walked.workspace.job(result["job"]) / "scores.parquet")
    for model in result["models"]:
        expected = roc_auc_score(scores["label"], scores[model["column"]])
        assert model["test"]["roc_auc"] == pytest.approx(expected, abs=1e-9)


def test_on_dev_the_head_does_not_lose(walked):
    result = walked.said["head"]["result"]
    metric = result["dev"]["metric"]
    assert result["dev"][metric] >= result["baseline_dev"][metric]


def test_what_really_ran_is_what_was_asked(walked):
    for method in ("head", "lora"):
        lines = walked.said[method]["result"]["ledger"]
        assert all(line["equal"] for line in lines), lines
    ran = {line["name"]: line["ran"] for line in walked.said["lora"]["result"]["ledger"]}
    assert (ran["steps"], ran["loss"]) == (4, "CosineSimilarityLoss")
    assert ran["learning_rate"] == pytest.approx(5e-4, rel=0.5)  # the peak of a warm-up of one step in four


def test_equal_work_is_not_done_twice(walked):
    again = walked.run("evaluate", "small:test", "--encoders", "walk-head,walk-lora", "--threshold-from", "small:dev")
    assert again["result"]["job"] == walked.said["evaluate"]["result"]["job"]


def test_a_curriculum_of_equal_settings_and_name_is_the_one_that_is_there(walked, tmp_path):
    result = walked.said["curriculum"]["result"]
    (tmp_path / "equal.yaml").write_text(yaml.safe_dump(result["config"]))
    again = walked.run("curriculum", "tickets", "--name", "cut", "--config", str(tmp_path / "equal.yaml"))
    assert again["result"]["job"] == result["job"]


def test_the_curriculum_has_three_disjoint_phases(walked):
    result = walked.said["curriculum"]["result"]
    assert [phase["name"] for phase in result["phases"]] == ["easy", "medium", "hard"]
    (folder,) = [version.folder for version in list_datasets(walked.workspace) if version.name == "cut"]
    frame = pd.read_parquet(folder / "pairs.parquet")
    ids = np.sort(frame[["id1", "id2"]].to_numpy(dtype=str), axis=1)
    assert len({tuple(pair) for pair in ids}) == len(frame) == result["n_pairs"]


def test_the_store_agrees_with_the_files_and_can_be_rebuilt_and_exported(walked, tmp_path):
    assert walked.run("store", "check")["findings"] == []
    counts = walked.run("store", "rebuild")["result"]["counts"]
    assert (counts["n_models"], counts["n_evaluations"]) == (2, 1)
    assert walked.run("store", "check")["findings"] == []
    assert walked.run("store", "export", str(tmp_path / "out"))["result"]["files"]


def test_jobs_are_listed_with_their_states_and_logs(walked):
    jobs = walked.run("jobs")["result"]["jobs"]
    assert {job["state"] for job in jobs} == {"done"}
    assert {"train", "evaluate", "difficulty", "curriculum", "candidates", "diagnose"} <= {job["kind"] for job in jobs}
    assert "log" in walked.run("log", jobs[0]["id"])["result"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("difficulty", "nothing"), "There is no dataset 'nothing'"),
        (("difficulty", "small:nosplit"), "has no split 'nosplit'"),
        (("difficulty", "small:test", "--encoder", "no-such"), "An encoder must be one of minilm, tfidf, walk-head"),
        (("difficulty", "tickets"), "holds records, and pairs are needed"),
        (("train", "small:train", "--dev", "small:dev", "--name", "walk-head"), "'walk-head' is taken by another"),
        (("train", "small:train", "--dev", "small:dev", "--set", "lr=1"), "name=value with a name among method"),
        (("train", "small:train", "--dev", "small:dev", "--set", "learning_rate=7"), "learning_rate: input should be"),
        (("diagnose", "minilm"), "Only a model tuned in this workspace"),
        (("stop", "no-such-job"), "There is no job 'no-such-job'"),
        (("evaluate", "small:test", "--encoders", "tfidf", "--threshold-from", "small:test"), "on other pairs than"),
        (("curriculum", "tickets", "--name", "cut"), "The name 'cut' is taken"),
    ],
)  # fmt: skip
def test_a_mistake_is_a_sentence_and_exit_code_1(walked, arguments, sentence):
    said = walked.run(*arguments, fails=True)
    assert said["result"] is None
    assert sentence in said["error"]["message"]


def test_one_class_only_is_not_defined_and_said(workspace, tmp_path):
    file = tmp_path / "one.csv"
    file.write_text(
        "sentence1,sentence2,label\nprinter down,printer offline,1\nvpn slow,vpn lags,1\nno mail,mail gone,1\n"
    )
    command(workspace, "import", str(file), "--name", "one")

    said = command(workspace, "difficulty", "one", "--encoder", "tfidf")
    side = said["result"]["sides"][0]
    assert [found["code"] for found in said["findings"]].count("one_class") == 1  # numbers and audits say it, once
    assert (side["roc_auc"], side["separability"], side["spearman_cosine"]) == (None, None, None)


def test_dropped_rows_are_a_warning_with_their_count_and_a_name_that_is_no_utf8_can_be_imported(workspace, tmp_path):
    file = tmp_path / "caf\udce9.csv"
    file.write_text("id,text\na,printer\nb,\nc,\n")
    said = command(workspace, "import", str(file), "--name", "r", "--drop-faulty", "--fail-on", "finding", fails=True)
    assert said["result"]["datasets"][0]["provenance"]["source"] == "caf?.csv"
    assert said["findings"] == [
        {"code": "rows_dropped", "severity": "warning", "message": "2 of 3 rows have a fault and were left out."}
    ]


def test_a_detached_job_is_told_by_its_id_and_goes_on(own_walk):
    arguments = ("difficulty", "small:dev", "--encoder", "tfidf", "--numbers-only")
    job = own_walk.run(*arguments, "--detach")["result"]["job"]
    assert own_walk.run(*arguments)["result"]["job"] == job
    detached = own_walk.run("diagnose", "walk-head", "--detach")["result"]["job"]
    assert follow(own_walk.workspace, detached).state == "done"


def test_a_folder_that_is_no_model_is_refused(walked, tmp_path):
    said = process(walked.workspace, "difficulty", "small:test", "--encoder", str(tmp_path), fails=True)
    assert "must be a sentence-transformers or transformers model folder" in said["error"]["message"]


def test_bad_usage_is_exit_code_2(workspace):
    import subprocess
    import sys

    done = subprocess.run([sys.executable, "-m", "simtune_core", "import"], capture_output=True, timeout=60)
    assert done.returncode == 2
