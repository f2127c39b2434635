"""The jobs `readings` and `mine` on small sets: what is saved, what is told, what is refused."""

import json
from dataclasses import replace
from shutil import copytree

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from simtune_core.candidates.config import CandidatesConfig
from simtune_core.candidates.counted import RECORDS, SAMPLE
from simtune_core.candidates.readings import load_readings, load_scores
from simtune_core.cli import app
from simtune_core.curriculum.mining.config import AdversarialConfig, AnchoredConfig, CrossCategoryConfig
from simtune_core.datasets import find_dataset, load_details, load_pairs, save_pairs, save_records
from simtune_core.encoders.config import EncodingConfig
from simtune_core.encoders.tfidf import tfidf_matrix
from simtune_core.errors import ConfigError, JobError, WorkspaceError
from simtune_core.evaluation.metrics import roc_auc
from simtune_core.files import new_id
from simtune_core.jobs.context import Job
from simtune_core.jobs.kinds import load_kind, needs_device
from simtune_core.workflows.mining import (
    AnchoredSources,
    MineStep,
    anchored_request,
    count_and_read,
    counted_request,
    example_rows,
    readings_request,
    records_behind,
)
from simtune_core.workflows.requests import candidates_request
from simtune_core.workflows.running import run_to_end
from simtune_core.workspace import open_workspace

TFIDF = EncodingConfig(encoder="tfidf", precision="fp32")
WORDS = np.array([f"word{number}" for number in range(30)])


def ticket_records(n=120, seed=0):
    """Return records of three categories whose texts share words within the category."""
    rng = np.random.default_rng(seed)
    category = rng.integers(0, 3, n)
    texts = [" ".join(WORDS[(rng.integers(0, 16, 7) + 7 * kind) % 30]) for kind in category]
    return pd.DataFrame({"id": [f"r{row}" for row in range(n)], "text": texts, "category": [f"c{k}" for k in category]})


def positives_of(records, n=40):
    """Return pairs of one category in two phases, and a test split of other records."""
    alike = records.groupby("category").head(30).groupby("category")
    rows = [(part.iloc[k], part.iloc[k + 1]) for _, part in alike for k in range(0, len(part) - 1, 2)][:n]
    frame = pd.DataFrame(
        [{"sentence1": a.text, "sentence2": b.text, "id1": a.id, "id2": b.id, "category1": a.category,
          "category2": b.category, "label": 1} for a, b in rows]
    )  # fmt: skip
    return frame.assign(
        phase=np.where(np.arange(len(frame)) % 2, "easy", "hard"),
        split=np.where(np.arange(len(frame)) < len(frame) - 6, "train", "test"),
    )


@pytest.fixture(scope="module")
def mined_in(tmp_path_factory):
    """Return a workspace with records and pairs; every mining gets a name of its own."""
    workspace = open_workspace(tmp_path_factory.mktemp("mining") / "workspace")
    records = ticket_records()
    save_records(workspace, "tickets", records, provenance={"licence": "CC0"})
    save_pairs(workspace, "alike", positives_of(records), provenance={"licence": "CC0"})
    return workspace


def run_here(workspace, request):
    """Run a job's kind in this process, which takes no start of another one, and return its result."""
    with Job(workspace.jobs / new_id(), workspace) as job:
        return load_kind(request.kind)(request.params, job)


def sources(**changes):
    return AnchoredSources(**{"pairs": "alike:train", "records": "tickets", "space": TFIDF, "baseline": "tfidf",
                              "test": "alike:test"} | changes)  # fmt: skip


@pytest.fixture(scope="module")
def anchored(mined_in):
    config = AnchoredConfig(num_negatives=2, relative_margin=None)
    _, result = run_to_end(mined_in, anchored_request(mined_in, sources(), config, "anchored"))
    return result


@pytest.fixture(scope="module")
def counted(mined_in):
    counting = candidates_request(mined_in, "tickets", TFIDF, config=CandidatesConfig(), test="alike:test")
    return count_and_read(mined_in, counting, TFIDF)


def test_the_pairs_of_an_anchor_stand_together_with_its_positive_first(mined_in, anchored):
    frame, source = load_pairs(mined_in, anchored["dataset"]).frame, load_pairs(mined_in, "alike:train").frame

    blocks = (frame["id1"] != frame["id1"].shift()).cumsum()
    assert blocks.nunique() == frame["id1"].nunique() == anchored["n_anchors"]
    assert frame.groupby(blocks)["label"].agg(list).map(tuple).isin([(1, 0, 0), (1, 0)]).all()
    positives = frame[frame["label"] == 1].reset_index(drop=True)
    pd.testing.assert_frame_equal(positives, source, check_dtype=False)
    assert len(frame[["id1", "phase"]].drop_duplicates()) == anchored["n_anchors"]
    assert set(frame["split"]) == {"train"}


def test_no_negative_is_of_the_anchors_category_or_of_a_record_of_the_test_set(mined_in, anchored):
    frame, test = load_pairs(mined_in, anchored["dataset"]).frame, load_pairs(mined_in, "alike:test").frame
    negatives = frame[frame["label"] == 0]

    assert anchored["allowed"] == "category"
    assert (negatives["category1"] != negatives["category2"]).all()
    assert not set(negatives["id2"]) & {*test["id1"], *test["id2"]}
    assert {found["code"] for found in anchored["findings"]} >= {"kept_apart", "weak_labels"}


def test_details_and_provenance_tell_how_the_pairs_came_to_be(mined_in, anchored):
    version, _ = find_dataset(mined_in, anchored["dataset"])
    details, frame = load_details(mined_in, anchored["dataset"]), load_pairs(mined_in, anchored["dataset"]).frame
    provenance = version.manifest["provenance"]

    assert list(details["role"].unique()) == ["positive", "other_category"]
    assert details["similarity"].between(0, 1).all()
    assert set(frame["sentence2"]) <= set(ticket_records()["text"])
    assert (provenance["made_by"], provenance["source"]) == ("mine", "alike@v0001:train")
    assert provenance["licence"] == "CC0"
    assert provenance["labels"]["weak"] is True
    assert MineStep(**provenance["step"]).pairs == "alike@v0001:train"


def test_the_step_of_a_mined_set_makes_the_same_bytes_again(mined_in, anchored):
    step = find_dataset(mined_in, anchored["dataset"])[0].manifest["provenance"]["step"]

    again = MineStep(**step).again(mined_in, "again")

    assert again["content_id"] == anchored["content_id"]
    first, second = (find_dataset(mined_in, each["dataset"])[0].folder for each in (anchored, again))
    assert (first / "details.parquet").read_bytes() == (second / "details.parquet").read_bytes()


def test_the_verdict_rests_on_the_pairs_as_they_were_saved(mined_in, anchored):
    rows = example_rows(mined_in, _job(mined_in, "anchored"), worst_first=False, n=10**6)

    assert roc_auc(rows["model"].to_numpy(), (rows["label"] == "positive").to_numpy()) == pytest.approx(
        anchored["roc_auc"]
    )
    worst = example_rows(mined_in, _job(mined_in, "anchored"), worst_first=True, n=5)
    error = np.where(worst["label"] == "positive", 1 - worst["model"], worst["model"])
    assert (np.diff(error) <= 0).all()
    assert anchored["test"]["ref"] == "alike@v0001:test"


def test_readings_are_the_encoders_own_similarities(mined_in, counted):
    folder = mined_in.job(counted.candidates)
    sample, texts = pd.read_parquet(folder / SAMPLE), pd.read_parquet(folder / RECORDS)["text"]
    readings = load_readings(mined_in.job(counted.readings))
    test = load_pairs(mined_in, "alike:test").unique_texts()
    corpus = list(dict.fromkeys([*texts[sample["i"]], *texts[sample["j"]], *test]))
    vectors = tfidf_matrix(corpus)
    rows = [[corpus.index(text) for text in texts[sample[end]]] for end in ("i", "j")]

    wanted = np.asarray(vectors[rows[0]].multiply(vectors[rows[1]]).sum(axis=1)).ravel()
    np.testing.assert_allclose(load_scores(readings.path), wanted, atol=1e-6)
    assert readings.by_cell.sum() == len(sample)


@pytest.mark.parametrize("strategy", ["random", "ranked", "balanced"])
def test_errors_are_mined_inside_the_bands_and_never_twice(mined_in, counted, strategy):
    config = AdversarialConfig(strategy=strategy, n_pairs=60, neg_max=0.3, skip=0.0, window=0.5)
    result = run_here(mined_in, counted_request(mined_in, counted, config, f"errors_{strategy}"))

    frame, details = load_pairs(mined_in, result["dataset"]).frame, load_details(mined_in, result["dataset"])
    positive = frame["label"] == 1
    assert (details["similarity"][positive] >= 0.3 - 1e-6).all()
    assert (details["similarity"][~positive] < 0.3 + 1e-6).all()
    assert (frame["category1"] == frame["category2"])[positive].all()
    pairs = {frozenset(pair) for pair in zip(frame["id1"], frame["id2"], strict=True)}
    assert len(pairs) == len(frame) == result["n_pairs"] == 60
    test = load_pairs(mined_in, "alike:test").frame
    assert not {*frame["id1"], *frame["id2"]} & {*test["id1"], *test["id2"]}
    assert set(frame["phase"]) == {strategy}


def test_positives_across_categories_are_weak_where_no_group_is_known(mined_in, counted):
    config = CrossCategoryConfig(n_pairs=5, min_score=0.2, model_min_score=0.2)
    result = run_here(mined_in, counted_request(mined_in, counted, config, "across"))

    frame = load_pairs(mined_in, result["dataset"]).frame
    assert (frame["category1"] != frame["category2"]).all()
    assert set(load_details(mined_in, result["dataset"])["role"]) == {"cross_category"}
    assert result["labels"]["weak"] is True
    assert "one_class" in {found["code"] for found in result["findings"]}


def test_errors_of_counted_pairs_can_be_mined_again_from_their_step(mined_in, counted):
    config = AdversarialConfig(n_pairs=40, neg_max=0.3)
    first = run_here(mined_in, counted_request(mined_in, counted, config, "errors"))
    step = find_dataset(mined_in, first["dataset"])[0].manifest["provenance"]["step"]

    assert MineStep(**step).again(mined_in, "errors_again")["content_id"] == first["content_id"]


def test_a_veto_drops_negatives_that_the_second_model_takes_for_positives(mined_in):
    config = AnchoredConfig(num_negatives=2, relative_margin=None, veto_score=0.2)
    result = run_here(mined_in, anchored_request(mined_in, sources(veto="tfidf"), config, "vetoed"))

    details = load_details(mined_in, result["dataset"])
    assert details["similarity"][details["role"] != "positive"].max() < 0.2
    assert result["n_vetoed"] > 0


@pytest.mark.parametrize("wrong", [{"veto": "tfidf"}, {}])
def test_a_veto_needs_a_model_and_a_bound(mined_in, wrong):
    config = AnchoredConfig(veto_score=None if wrong else 0.5)

    with pytest.raises(ConfigError, match="Set both or none"):
        anchored_request(mined_in, sources(**wrong), config, "never")


def test_a_taken_name_is_refused_and_gets_a_version_on_demand(mined_in, anchored):
    config = AnchoredConfig(num_negatives=1, relative_margin=None)
    with pytest.raises(WorkspaceError, match="taken"):
        anchored_request(mined_in, sources(), config, "alike")

    result = run_here(mined_in, anchored_request(mined_in, sources(), config, "anchored", new_version=True))
    assert result["dataset"] == "anchored@v0002"


def test_readings_of_other_candidates_are_refused(mined_in, counted):
    other = mined_in.jobs / "other"
    copytree(mined_in.job(counted.candidates), other)
    request = counted_request(mined_in, replace(counted, candidates="other"), AdversarialConfig(), "never")

    with pytest.raises(JobError, match="holds no readings of the candidates other"):
        run_here(mined_in, request)
    with pytest.raises(JobError, match="must be a finished job"):
        run_here(mined_in, readings_request(mined_in, "20200101-000000-000-000000", TFIDF))


def test_only_a_mining_that_loads_a_model_waits_for_the_device(mined_in, counted):
    request = counted_request(mined_in, counted, AdversarialConfig(), "never")
    model = anchored_request(mined_in, sources(baseline="minilm"), AnchoredConfig(), "never")

    assert not needs_device("mine", request.params)
    assert needs_device("mine", model.params)
    assert [each["name"] for each in model.params["fingerprints"]] == ["tfidf", "minilm"]


def _job(workspace, name):
    return find_dataset(workspace, f"{name}@v0001")[0].manifest["provenance"]["job"]


def test_the_records_behind_a_mined_set_are_those_that_its_step_names(mined_in, anchored):
    assert records_behind(mined_in, anchored["dataset"]) == "tickets"
    assert records_behind(mined_in, "alike:train") is None  # its manifest names none


def test_the_command_asks_for_the_very_same_job(mined_in, anchored):
    told = CliRunner().invoke(
        app,
        [
            "mine", "alike:train", "--name", "anchored", "--method", "anchored", "--records", "tickets",
            "--encoder", "tfidf", "--precision", "fp32", "--baseline", "tfidf", "--test", "alike:test",
            "--set", "num_negatives=2", "--set", "relative_margin=null", "--workspace", str(mined_in.root), "--json",
        ],
    )  # fmt: skip

    answer = json.loads(told.stdout)
    assert (told.exit_code, answer["error"]) == (0, None)
    assert answer["result"]["job"] == _job(mined_in, "anchored")
    assert answer["result"]["content_id"] == anchored["content_id"]
