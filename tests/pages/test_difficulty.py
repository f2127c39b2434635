"""The difficulty page: its numbers are those of the command, and bad input is a sentence."""

import pytest

from simtune_core.datasets import save_pairs
from simtune_core.pairs import with_pair_columns
from tests.pages.screen import ended, table, words
from tests.workflows.frames import pairs_frame

EVIL = "![x](//evil/x.png)"


def test_the_cards_show_the_numbers_of_the_command(open_app, walked):
    train, test = walked.said["difficulty"]["result"]["sides"]
    cards = {metric.label: metric for metric in open_app("difficulty", on=walked.workspace).metric}

    names = {
        "Separability": "separability", "Overlap": "overlap", "ROC-AUC": "roc_auc", "Spearman": "spearman_cosine",
    }  # fmt: skip
    assert list(cards) == list(names)
    for label, name in names.items():
        assert float(cards[label].value) == train[name]
        assert float(cards[label].delta) == pytest.approx(train[name] - test[name], abs=5e-5)


def test_the_table_has_every_number_of_both_sets(open_app, walked):
    sides = walked.said["difficulty"]["result"]["sides"]
    app = open_app("difficulty", on=walked.workspace)
    shown = table(app, "Difficulty of").set_index("")

    for side in sides:
        column = shown[side["ref"]]
        assert column["pairs"] == f"{side['n_pairs']:,}"
        assert column["overlap"] == f"{100 * side['overlap']:.1f} %"
        assert column["ROC-AUC of TF-IDF"] == f"{side['tfidf_roc_auc']:.3f}"
        assert column["separability"] == f"{side['separability']:.3f}"


def test_the_verdict_of_the_command_stands_on_the_page_with_its_reasons_and_checks(open_app, walked):
    said = walked.said["difficulty"]["result"]
    shown = words(open_app("difficulty", on=walked.workspace))

    assert said["verdict"] in ("GO", "FIX DATA", "KEEP BASELINE")
    assert said["verdict"] in shown and said["preflight"]["verdict"]["headline"] in shown
    found = [audit for audit in said["preflight"]["audits"] if audit["status"] == "found"]
    assert found and all(audit["title"] in shown for audit in found)


def test_the_interval_of_each_difference_is_that_of_the_command(open_app, walked):
    result = walked.said["difficulty"]["result"]
    column = table(open_app("difficulty", on=walked.workspace), "Difficulty of").set_index("")["95 % interval"]

    for label, name in (("separability", "separability"), ("ROC-AUC of the encoder", "roc_auc")):
        ends = result["mismatch"]["differences"][name]
        assert column[label] == f"{ends['low']:+.3f} to {ends['high']:+.3f}"


def test_what_was_measured_by_a_command_is_there_at_once_and_another_set_is_not(open_app, walked):
    app = open_app("difficulty", on=walked.workspace)
    assert "Measure" not in [button.label for button in app.main.button]

    app.selectbox(key="difficulty.set").set_value("small:dev").run()
    assert "Measure" in [button.label for button in app.main.button]
    assert not app.metric


def test_two_equal_sets_are_measured_as_one(open_app, walked):
    app = open_app("difficulty", on=walked.workspace, query={"difficulty.against": "small:train"})
    assert not app.exception and not app.error
    assert [button.label for button in app.main.button] == ["Measure", "Draw the map"]


def test_an_encoder_that_does_not_exist_is_a_sentence(open_app, walked):
    app = open_app("difficulty", on=walked.workspace, state={"difficulty.encoder": "no/such-model"})

    assert not app.exception
    assert [error.value for error in app.error] == ["This cannot be done as asked."]
    assert "no/such-model" in app.code[0].value


def test_a_question_asked_in_two_sessions_is_answered_once_and_one_class_is_not_defined(open_app, workspace):
    save_pairs(workspace, "one", with_pair_columns(pairs_frame(12, label=1)), provenance={})
    sessions = [open_app("difficulty", query={"difficulty.encoder": "tfidf"}) for _ in range(2)]
    for app in sessions:
        app.button(key="difficulty.ask.start").click().run()
    jobs = ended(workspace)

    assert sorted((job.kind, job.state) for job in jobs) == [("difficulty", "done"), ("preflight", "done")]
    for app in sessions:
        app.run()
        assert not app.exception
        assert {metric.label for metric in app.metric} == {"Separability", "Overlap", "ROC-AUC", "Spearman"}
        assert {metric.value for metric in app.metric} == {"not defined"}
        assert "One class only" in words(app)


def test_a_hostile_split_name_stays_text(open_app, workspace):
    save_pairs(workspace, "odd", with_pair_columns(pairs_frame(12, split=EVIL)), provenance={})
    app = open_app("difficulty", query={"difficulty.encoder": "tfidf", "difficulty.set": f"odd:{EVIL}"})
    app.button(key="difficulty.ask.start").click().run()
    ended(workspace)
    app.run()

    assert f"odd@v0001:{EVIL}" in words(app)
    markdown = [str(element.value) for kind in ("markdown", "caption", "info", "warning") for element in app.get(kind)]
    assert [text for text in markdown if "](" in text] == []
