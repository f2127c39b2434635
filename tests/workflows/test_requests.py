"""What a page or a command asks: the same names are the same question, another model or version is another."""

import json
import shutil

import pytest

from simtune_core.candidates.config import CandidatesConfig
from simtune_core.datasets import save_pairs
from simtune_core.difficulty.config import MismatchConfig
from simtune_core.encoders.config import EncodingConfig
from simtune_core.errors import ConfigError, DataFaultError, EncoderError, WorkspaceError
from simtune_core.evaluation.config import EvaluationConfig
from simtune_core.pairs import with_pair_columns
from simtune_core.workflows.requests import (
    candidates_request,
    curriculum_request,
    diagnose_request,
    difficulty_request,
    embed_request,
    evaluate_request,
    mismatch_request,
    train_request,
)
from tests.workflows.frames import pairs_frame

CONFIG = EvaluationConfig().model_dump(mode="json")


def difficulty(workspace, *sets, encoder="minilm"):
    against = sets[1] if len(sets) > 1 else None
    return difficulty_request(workspace, sets[0], against, EncodingConfig(encoder=encoder), score_cut=0.5)


def evaluation(workspace, dataset, encoders, threshold_from):
    return evaluate_request(
        workspace, dataset, encoders, threshold_from=threshold_from, precision="auto", config=CONFIG
    )


def training(workspace, train="small:train", dev="small:dev", base="minilm", name=None, **config):
    return train_request(workspace, train, dev, base=base, config=config, name=name)


def test_equal_names_in_any_form_are_one_question(walked):
    short = difficulty(walked.workspace, "small:train", "small:test")
    long = difficulty(walked.workspace, "small@v0001:train", "small@v0001:test")

    assert short == long
    assert json.loads(json.dumps(short.params)) == short.params  # a job file holds it as it is


def test_a_page_asks_what_the_command_asked(walked):
    from simtune_core.workflows.running import job_of

    said = walked.run("evaluate", "small:test", "--encoders", "walk-head,walk-lora", "--threshold-from", "small:dev")
    request = evaluation(walked.workspace, "small:test", ["minilm", "walk-head", "walk-lora"], "small:dev")
    assert job_of(walked.workspace, request).id == said["result"]["job"]


def test_a_new_version_of_the_data_is_another_question(workspace):
    save_pairs(workspace, "some", with_pair_columns(pairs_frame(8)), provenance={})
    before = difficulty(workspace, "some", encoder="tfidf")
    save_pairs(workspace, "some", with_pair_columns(pairs_frame(10)), provenance={}, new_version=True)

    assert before.params != difficulty(workspace, "some", encoder="tfidf").params
    assert before.params == difficulty(workspace, "some@v0001", encoder="tfidf").params


def test_a_changed_model_folder_is_another_question(walked, minilm, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(minilm.folder, folder)
    before = difficulty(walked.workspace, "small:dev", encoder=str(folder))
    assert before == difficulty(walked.workspace, "small:dev", encoder=str(folder))

    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"hidden_act": "relu"}))
    after = difficulty(walked.workspace, "small:dev", encoder=str(folder))
    assert (before.params["encoder"], before.params["set"]) == (after.params["encoder"], after.params["set"])
    assert before.params["fingerprints"] != after.params["fingerprints"]


def test_repeated_encoders_are_asked_once_and_the_first_is_the_baseline(walked):
    request = evaluation(walked.workspace, "small:test", ["tfidf", "minilm", "tfidf", "minilm"], None)
    assert (request.params["encoders"], request.params["baseline"]) == (["tfidf", "minilm"], "tfidf")


@pytest.mark.parametrize(
    ("ask", "error", "sentence"),
    [
        (lambda w: evaluation(w, "small:test", ["minilm"], "small@v0001:test"), DataFaultError,
         "other pairs than it is judged on; both are small@v0001:test"),
        (lambda w: training(w, dev="small@v0001:train"), DataFaultError,
         "must be other pairs than the training pairs; both are small@v0001:train"),
        (lambda w: training(w, base="tfidf"), EncoderError, "Training starts from a transformer .* got 'tfidf'"),
        (lambda w: training(w, base="walk-head"), EncoderError, "got 'walk-head'"),
        (lambda w: training(w, name="walk-head"), WorkspaceError, "The name 'walk-head' is taken"),
        (lambda w: training(w, learning_rate=7), ConfigError, "learning_rate"),
        (lambda w: training(w, epochs=0), ConfigError, "epochs"),
        (lambda w: training(w, train="tickets"), WorkspaceError, "holds records, and pairs are needed"),
        (lambda w: candidates_request(w, "tickets", EncodingConfig(encoder="tfidf"), config=CandidatesConfig(),
                                      test="tickets"), WorkspaceError, "holds records, and pairs are needed"),
        (lambda w: curriculum_request(w, "job", {}, "cut"), WorkspaceError, "The name 'cut' is taken"),
        (lambda w: curriculum_request(w, "job", {}, "../x"), WorkspaceError, "dataset name"),
        (lambda w: diagnose_request(w, "minilm"), EncoderError, "Only a model tuned in this workspace"),
        (lambda w: embed_request(w, "small", EncodingConfig(encoder="tfidf")), EncoderError, "needs no embedding"),
        (lambda w: difficulty(w, "small:gone"), WorkspaceError, "has no split 'gone'"),
        (lambda w: difficulty(w, "small", encoder="nope"), EncoderError, "'nope'"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_a_sentence(walked, ask, error, sentence):
    with pytest.raises(error, match=sentence):
        ask(walked.workspace)


def test_a_mismatch_needs_two_sets_and_its_seed_and_resamples_make_it_another_question(workspace):
    for name, n in (("one", 8), ("other", 12)):
        save_pairs(workspace, name, with_pair_columns(pairs_frame(n)), provenance={})
    encoding = EncodingConfig(encoder="tfidf")
    asked = [
        mismatch_request(workspace, "one", "other", encoding, score_cut=0.6, config=config)
        for config in (None, MismatchConfig(), MismatchConfig(seed=1), MismatchConfig(n_resamples=200))
    ]

    assert asked[0] == asked[1]
    assert len({json.dumps(each.params) for each in asked}) == 3
    assert (asked[0].params["set"], asked[0].params["against"]) == ("one@v0001", "other@v0001")
    with pytest.raises(DataFaultError, match="two pair sets; both are one@v0001"):
        mismatch_request(workspace, "one", "one@v0001", encoding, score_cut=0.6)
