"""What is asked about the quality of a set: edits by row, drafts saved, pairs laid out to be looked at."""

import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from simtune_core.cli import app
from simtune_core.curriculum.quality.looking import LookQuery, lay_out, places_of
from simtune_core.datasets import find_dataset, load_pairs, save_pairs
from simtune_core.encoders.config import EncodingConfig
from simtune_core.errors import DataFaultError, EncoderError, WorkspaceError
from simtune_core.workflows import quality

FRAME = pd.DataFrame(
    {
        "sentence1": ["a", "bb", "ccc", "dddd"],
        "sentence2": ["w", "x", "y", "z longest of all"],
        "label": [1, 0, 1, 0],
        "phase": ["easy", "easy", "hard", None],
        "split": ["train", "test", "train", "train"],
    }
)


@pytest.fixture
def some(workspace):
    save_pairs(workspace, "some", FRAME, provenance={})
    return workspace


def command(workspace, *arguments):
    done = CliRunner().invoke(app, [*arguments, "--workspace", str(workspace.root)])
    return done.exit_code, done.stdout, done.stderr


def test_equal_questions_about_noise_are_one_job(some):
    encoding = EncodingConfig(encoder="minilm")

    asked = quality.noise_request(some, "some", encoding)

    assert asked == quality.noise_request(some, "some@v0001", encoding, config=quality.NoiseConfig())
    assert json.loads(json.dumps(asked.params)) == asked.params
    assert asked != quality.noise_request(some, "some", encoding, config=quality.NoiseConfig(n_folds=3))
    with pytest.raises(EncoderError, match="tfidf has none; choose an encoder such as minilm"):
        quality.noise_request(some, "some", EncodingConfig(encoder="tfidf"))


def test_rows_become_edits_and_a_row_that_is_not_there_a_sentence(some):
    edits = quality.edits_of_rows(some, "some:train", drop=[2], relabel={4: 1})

    assert [(edit.action, edit.label) for edit in edits] == [("drop", None), ("relabel", 1)]
    request = quality.edit_request(some, "some", edits, name="other")
    assert request.params["pairs"] == "some@v0001"
    with pytest.raises(DataFaultError, match="are 1 to 4; got 5"):
        quality.edits_of_rows(some, "some", drop=[5])
    with pytest.raises(DataFaultError, match="not both; got 1 twice"):
        quality.edits_of_rows(some, "some", drop=[1], relabel={1: 0})
    with pytest.raises(DataFaultError, match="name rows to remove"):
        quality.edit_request(some, "some", (), name="other")
    with pytest.raises(WorkspaceError, match="taken by another dataset"):
        quality.edit_request(some, "some", edits, name="some")


def test_a_saved_draft_is_the_next_version_and_is_empty_then(some):
    quality.add_edits(some, "some", quality.edits_of_rows(some, "some", drop=[1]))
    draft = quality.read_draft(some, "some")
    told = quality.foretold(some, "some", draft)

    saved = quality.save_edits(some, "some:train", name="some", new_version=True)

    assert (told.n_pairs, told.sentence, told.fault) == (3, "1 pair removed and 0 relabelled by hand.", "")
    assert saved == "some@v0002"
    assert load_pairs(some, "some").frame["sentence1"].tolist() == ["bb", "ccc", "dddd"]
    assert quality.read_draft(some, "some@v0001").presses == ()


def test_what_cannot_be_saved_is_foretold(some):
    edits = quality.edits_of_rows(some, "some", drop=[1, 2, 3, 4])
    draft = quality.add_edits(some, "some", edits)

    assert "must stay; all 4" in quality.foretold(some, "some", draft).fault


def test_a_large_set_is_edited_by_a_job(some, monkeypatch):
    monkeypatch.setattr(quality, "BY_JOB_FROM", 4)
    quality.add_edits(some, "some", quality.edits_of_rows(some, "some", drop=[1]))

    request = quality.save_edits(some, "some", name="some", new_version=True)

    assert (request.kind, request.params["draft"], len(request.params["edits"])) == ("edit", True, 1)
    assert find_dataset(some, "some")[0].version == "v0001"


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        (LookQuery(), [1, 2, 3, 4]),
        (LookQuery(sort="suspicion", descending=True), [3, 1, 4, 2]),  # 2 was not judged
        (LookQuery(sort="suspicion"), [4, 1, 3, 2]),
        (LookQuery(sort="length", descending=True), [4, 3, 2, 1]),
        (LookQuery(labels=(0,)), [2, 4]),
        (LookQuery(phases=("easy",)), [1, 2]),
        (LookQuery(only="suspects"), [3]),
        (LookQuery(only="edited"), [2]),
        (LookQuery(only="unseen"), [1, 3, 4]),
        (LookQuery(search="LONG"), [4]),
        (LookQuery(search="(", labels=(0,)), []),
    ],
)
def test_pairs_are_filtered_and_sorted(some, query, rows):
    ranking = pd.DataFrame({"self_confidence": [0.5, np.nan, 0.1, 0.9], "issue": [False, False, True, False]})
    table = lay_out(load_pairs(some, "some"), split=None, ranking=ranking)
    decided = {edit.pair: edit for edit in quality.edits_of_rows(some, "some", drop=[2])}

    assert table.frame["row"].to_numpy()[places_of(table, query, decided)].tolist() == rows


def test_a_split_is_laid_out_with_the_rows_of_the_whole_version(some):
    table = quality.look_table(some, "some:train")

    assert (table.ref, table.sorts, table.phases) == ("some@v0001:train", ("length", "row"), ("easy", "hard"))
    assert table.frame["row"].tolist() == [1, 3, 4]
    assert table.frame["key"].tolist() == quality.look_table(some, "some").frame["key"].iloc[[0, 2, 3]].tolist()


def test_the_command_edits_rows_as_the_page_does(some):
    code, told, _ = command(some, "edit", "some", "--drop", "1, 3", "--relabel", "2=1", "--name", "less", "--json")

    assert code == 0
    result = json.loads(told)["result"]
    assert (result["dataset"], result["n_pairs"], result["n_dropped"], result["n_relabelled"]) == (
        "less@v0001", 2, 2, 1,
    )  # fmt: skip
    edits = quality.edits_of_rows(some, "some", drop=[1, 3], relabel={2: 1})
    quality.add_edits(some, "some", edits)
    saved = quality.save_edits(some, "some", name="by_page", new_version=False)
    assert find_dataset(some, saved)[0].content_id == result["content_id"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--drop", "x"], "a whole number from 1, got 'x'"),
        (["--relabel", "1=2"], "ROW=0 or ROW=1, got '1=2'"),
        ([], "name rows to remove"),
    ],
)
def test_a_wrong_row_is_a_sentence_of_the_command(some, options, words):
    code, _, said = command(some, "edit", "some", "--name", "less", *options)

    assert (code, words in said) == (1, True)


def test_an_estimate_in_rows_and_words():
    result = {
        "set": "some@v0001", "n_pairs": 4, "n_judged": 4, "n_records": 8, "title": "minilm", "roc_auc": 0.9,
        "config": {"level": 0.95}, "labels": {"weak": True, "words": "a rule"},
        "classes": [
            {
                "label": label, "n": 200, "confident": 0.2, "n_issues": 40,
                "rate": {"estimate": 0.05, "low": 0.0, "high": 0.1, "n_resamples": 9, "n_records": 8, "n_undefined": 0},
            }
            for label in (0, 1)
        ],
    }  # fmt: skip

    assert quality.noise_rows(result)[1] == {
        "labelled": "positive",
        "pairs judged": 200,
        "wrong, at most about": "5.0%",
        "95 % interval": "0.0% to 10.0%",
        "that is": "10 pairs",
        "marked by confident learning": "40 (20.0%)",
    }
    assert "marks are an order in which to look" in quality.noise_words(result)
    assert "disagree with their rule, not with a person" in quality.noise_words(result)
    assert "labels are weak" not in quality.noise_words(result | {"labels": {"weak": None, "words": ""}})
    assert quality.noise_rows(result | {"classes": None}) == []
    assert "order" not in quality.noise_words(result | {"classes": None, "roc_auc": None})
