"""The tab Mine: contradictions are sentences, a press is one job, the verdict stands beside the test set's figures."""

import numpy as np
import pandas as pd
import pytest

from simtune_core.datasets import load_pairs, save_pairs, save_records
from simtune_core.workspace import open_workspace
from tests.pages.screen import alts, ended, table, words

WORDS = np.array([f"word{number}" for number in range(30)])
MINE = {"curriculum.tab": "Mine"}
ANCHORED = MINE | {
    "curriculum.mine_pairs": "alike:train", "curriculum.mine_records": "tickets", "curriculum.mine_space": "tfidf",
    "curriculum.mine_test": "alike:test", "curriculum.mine_baseline": "tfidf",
}  # fmt: skip
ERRORS = MINE | {
    "curriculum.method": "A model's errors", "curriculum.records": "tickets", "curriculum.test": "alike:test",
    "curriculum.encoder": "tfidf", "curriculum.baseline": "tfidf",
}  # fmt: skip


@pytest.fixture(scope="module")
def tickets(tmp_path_factory):
    """Return a workspace with records of two categories and pairs of them in two splits."""
    workspace = open_workspace(tmp_path_factory.mktemp("page") / "workspace")
    rng = np.random.default_rng(0)
    kinds = rng.integers(0, 2, 80)
    texts = [" ".join(WORDS[(rng.integers(0, 18, 6) + 12 * kind) % 30]) for kind in kinds]
    ids, categories = [f"r{row}" for row in range(80)], [f"c{kind}" for kind in kinds]
    records = pd.DataFrame({"id": ids, "text": texts, "category": categories})
    save_records(workspace, "tickets", records, provenance={})
    first, second = records.iloc[:40:2].reset_index(drop=True), records.iloc[1:40:2].reset_index(drop=True)
    pairs = pd.DataFrame({"sentence1": first["text"], "sentence2": second["text"], "id1": first["id"]})
    pairs["id2"], pairs["category1"] = second["id"], first["category"]
    pairs = pairs.assign(label=np.r_[np.ones(18), 0, 0], split=["train"] * 15 + ["test"] * 5)
    save_pairs(workspace, "alike", pairs, provenance={})
    return workspace


def press(app, label):
    (button,) = [button for button in app.button if button.label == label]
    return button.click().run()


def test_without_pairs_the_tab_says_where_to_get_some(open_app):
    app = open_app("curriculum", query=MINE)

    assert not app.exception
    assert "Mine" not in [button.label for button in app.button]


def test_settings_that_contradict_each_other_are_a_sentence_and_nothing_can_be_mined(open_app, tickets):
    app = open_app("curriculum", on=tickets, query=ANCHORED, state={"mining.AnchoredConfig.range_max": 2})

    assert "range_max must be at least range_min + num_negatives" in words(app)
    assert "Mine" not in [button.label for button in app.button]


def test_a_veto_without_a_bound_is_told_before_anything_runs(open_app, tickets):
    app = open_app("curriculum", on=tickets, query=ANCHORED, state={"curriculum.mine_second.AnchoredConfig": True})
    app = press(app, "Mine")

    assert "Nothing was mined" in words(app)
    assert "veto_score or veto_margin; only the model is set" in words(app)


def test_negatives_near_anchors_are_mined_and_their_verdict_is_shown(open_app, tickets):
    app = press(open_app("curriculum", on=tickets, query=ANCHORED), "Mine")
    job = ended(tickets)[0]
    app = app.run()

    frame = load_pairs(tickets, "alike_mined").frame
    assert job.kind == "mine"
    assert f"alike_mined@v0001: {len(frame)} pairs" in words(app)
    numbers = table(app, "What tfidf makes of the mined pairs").set_index("measure")
    assert numbers.loc["pairs"].tolist() == [f"{len(frame)}", "5"]
    shown = table(app, "mined pairs with the model's cosine")
    assert set(shown["sentence1"]) <= set(frame["sentence1"])
    assert "weak labels" in words(app)
    assert all(alts(app))


def test_a_models_errors_are_mined_after_counting_and_reading(open_app, tickets):
    app = press(open_app("curriculum", on=tickets, query=ERRORS), "Count candidates")
    ended(tickets, 2)
    app = press(app.run(), "Read the sample with the model")
    ended(tickets, 3)
    app = press(app.run(), "Mine")
    ended(tickets, 4)
    app = app.run()

    found = load_pairs(tickets, "tickets_errors").frame
    assert f"tickets_errors@v0001: {len(found)} pairs" in words(app)
    assert (found.loc[found["label"] == 1, "category1"] == found.loc[found["label"] == 1, "category2"]).all()
