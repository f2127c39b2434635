"""The evaluation page: cards, tables and pairs of a cell are those of the command; bad input is a sentence."""

import pandas as pd
import pytest
from sklearn.metrics import confusion_matrix

from simtune_core.datasets import load_pairs
from tests.pages.screen import steps, table, words

METRICS = {
    "ROC-AUC": "roc_auc", "spearman_cosine": "spearman_cosine", "cosine_ap": "cosine_ap", "F1": "cosine_f1",
    "precision": "cosine_precision", "recall": "cosine_recall", "accuracy": "cosine_accuracy", "MCC": "cosine_mcc",
    "FPR": "fpr",
}  # fmt: skip


def result_of(walked):
    return walked.said["evaluate"]["result"]


def clicked(walked, cell, model):
    """Return the session in which a reader has clicked a cell of the explorer."""
    return {f"evaluation.explorer.{result_of(walked)['job']}": {"cell": {"cell": cell, "model": model}}}


def test_the_cards_show_value_interval_difference_and_verdict_of_the_command(open_app, walked):
    said = words(open_app("evaluation", on=walked.workspace))

    for model in result_of(walked)["models"]:
        assert f"### {model['test']['roc_auc']:.4f}" in said
        interval = model["interval"]
        assert f"ROC-AUC, 95 % interval {interval['low']:.4f} to {interval['high']:.4f}" in said
        if not model["baseline"]:
            change = model["difference"]
            span = f"95 % interval {change['low']:+.4f} to {change['high']:+.4f}"
            assert f"{change['estimate']:+.4f} points, {span}" in said
            assert model["verdict"] in said


@pytest.mark.parametrize("split", ["test", "dev"])
def test_both_tables_hold_the_numbers_of_the_command_at_one_threshold(open_app, walked, split):
    app = open_app("evaluation", on=walked.workspace, state={"evaluation.split": split})
    shown = table(app, f"Metrics of 3 models on the {split} pairs")

    models = result_of(walked)["models"]
    assert shown["model"].tolist() == [model["encoder"] for model in models]
    assert shown["threshold"].tolist() == [model["threshold"] for model in models]
    for label, name in METRICS.items():
        assert shown[label].tolist() == [model[split][name] for model in models], label


@pytest.mark.parametrize("model", ["minilm", "walk-head"])
@pytest.mark.parametrize(("cell", "position"), [("tn", (0, 0)), ("fp", (0, 1)), ("fn", (1, 0)), ("tp", (1, 1))])
def test_a_clicked_cell_lists_exactly_its_pairs(open_app, walked, cell, position, model):
    app = open_app("evaluation", on=walked.workspace, state=clicked(walked, cell, model))
    assert not app.exception

    result = result_of(walked)
    scores = pd.read_parquet(walked.workspace.job(result["job"]) / "scores.parquet")
    (entry,) = [each for each in result["models"] if each["encoder"] == model]
    called = scores[entry["column"]] >= entry["threshold"]
    expected = int(confusion_matrix(scores["label"], called)[position])
    assert expected == entry["test"][cell]

    names = {"fp": "False positives", "fn": "False negatives", "tp": "True positives", "tn": "True negatives"}
    assert f"{names[cell]} ({expected})" in [header.value for header in app.header]
    shown = table(app, f"{names[cell].lower()} of {model}")
    assert len(shown) == expected
    inside = (scores["label"] == position[0]) & (called == bool(position[1]))
    wanted = load_pairs(walked.workspace, "small:test").frame.loc[inside.to_numpy(), "sentence1"]
    assert sorted(shown["sentence1"]) == sorted(wanted)


def test_the_basis_of_the_numbers_stands_above_them(open_app, walked):
    result = result_of(walked)
    said = words(open_app("evaluation", on=walked.workspace))

    assert f"{result['n']:,} pairs of {result['n_records']:,} records in small@v0001:test" in said
    assert f"TF-IDF alone has ROC-AUC {result['tfidf_roc_auc']:.3f}" in said
    findings = walked.said["evaluate"]["findings"]
    assert findings and all(finding["message"] in said for finding in findings)


def test_another_question_is_asked_not_answered_with_old_numbers(open_app, walked):
    app = open_app("evaluation", on=walked.workspace, query={"evaluation.baseline": "tfidf"})

    assert not app.exception and not app.error
    assert "Evaluate" in steps(app)
    assert "###" not in words(app)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("gone", "'gone'"),
        ("no/such-model", "no/such-model"),
        ("../../etc", "That folder is outside the workspace"),
        ("../../no-such-folder", "That folder is outside the workspace"),
        ("/etc", "That folder is outside the workspace"),
        ("/no/such/folder", "That folder is outside the workspace"),
    ],
)
def test_a_model_that_does_not_exist_is_a_sentence(open_app, walked, name, sentence):
    app = open_app("evaluation", on=walked.workspace, state={"evaluation.models": [name]})

    assert not app.exception
    assert sentence in app.code[0].value


def test_a_deleted_score_file_is_a_sentence_and_the_cards_stay(open_app, own_walk):
    from ui.mistakes import judged

    judged.clear()
    (own_walk.workspace.job(result_of(own_walk)["job"]) / "scores.parquet").unlink()
    app = open_app("evaluation", on=own_walk.workspace)

    assert not app.exception
    assert "### 0." in words(app)
    assert app.code[0].value == f"The scores of {result_of(own_walk)['job']} are gone; evaluate again."
