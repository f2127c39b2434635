"""The adapters page: what is applied says so; an adapter without effect is red, marked and named on every page."""

import re
import shutil

import pytest

from simtune_core.jobs.launcher import list_jobs, request_stop
from tests.pages.conftest import DEAD
from tests.pages.screen import ended, live_charts, table, words
from ui.verdicts import FAILED_COLOUR


def red_rows(drawn):
    """Return the rows of a styled table whose cells have the colour of a failed check."""
    rules = drawn.proto.arrow_data.styler.styles.split("}")
    return {int(row) for rule in rules if FAILED_COLOUR in rule for row in re.findall(r"row(\d+)_col", rule)}


def test_both_walked_models_are_applied(open_app, walked):
    app = open_app("adapters", on=walked.workspace)
    for model in ("walk-lora", "walk-head"):
        app.selectbox(key="adapters.model").set_value(model).run()
        assert [success.value for success in app.success] == ["Applied: the tuned part is in the forward pass."]
        assert not app.error
        assert set(table(app, f"checks of {model}")["outcome"]) <= {"✓ passed", "- not applicable"}


def test_the_layers_are_those_the_command_measured(open_app, walked):
    layers = walked.said["diagnose"]["result"]["layers"]
    app = open_app("adapters", on=walked.workspace)

    alive = sum(layer["lora_b"] > 0 for layer in layers)
    assert [header.value for header in app.header] == [f"{alive} of {len(layers)} adapted layers changed"]
    assert not live_charts(app)  # a finished check does not move


def test_a_zero_adapter_is_not_trained_and_says_why(open_app, with_dead_adapter):
    assert with_dead_adapter.said["diagnose dead"]["status"] == "not trained"
    app = open_app("adapters", on=with_dead_adapter.workspace, query={"adapters.model": f"{DEAD} (lora)"})

    assert not app.exception and not app.success
    (error,) = [error.value.replace("\\", "") for error in app.error]
    assert error.startswith("NOT TRAINED: this model computes what its base computes. A003: All 36 lora_B matrices")
    outcomes = table(app, f"checks of {DEAD}").set_index("check")["outcome"]
    assert outcomes[["A003", "A004"]].tolist() == ["✗ FAILED", "✗ FAILED"]
    assert outcomes["A007"] == "✓ passed"  # its files are as they were saved: it is dead, not damaged
    assert [header.value for header in app.header] == ["0 of 36 adapted layers changed"]


def test_a_zero_adapter_is_red_marked_and_named_on_the_evaluation_page(open_app, with_dead_adapter):
    query = {"evaluation.models": ["walk-head", "walk-lora", DEAD]}
    app = open_app("evaluation", on=with_dead_adapter.workspace, query=query)
    assert not app.exception
    result = with_dead_adapter.said["evaluate dead"]["result"]
    value = next(model for model in result["models"] if model["encoder"] == DEAD)["test"]["roc_auc"]

    said = words(app)
    assert f":red[:material/warning: **{DEAD}** · adapter check failed]" in said
    assert f"### :red[{value:.4f}]" in said
    assert said.count("### :red[") == 1  # the others keep their colour
    assert any(DEAD in error.value.replace("\\", "") and "not trained" in error.value for error in app.error)

    metrics = table(app, "Metrics of 4 models")
    assert metrics["model"].tolist() == ["minilm", "walk-head", "walk-lora", f"⚠ {DEAD}"]
    (drawn,) = [element for element in app.dataframe if "Metrics of" in element.proto.alt]
    assert red_rows(drawn) == {3}


def test_a_zero_adapter_is_red_and_marked_on_the_overview_and_never_champion(open_app, with_dead_adapter):
    app = open_app(on=with_dead_adapter.workspace)
    models = table(app, "tuned models with their adapter checks")

    assert models["model"].tolist() == [f"⚠ {DEAD}", "walk-lora", "walk-head"]
    assert models["adapter check"].tolist()[1:] == ["applied", "applied"]
    assert models["adapter check"].iloc[0].startswith("not trained. A003 All 36 lora_B matrices are zero")
    (drawn,) = [element for element in app.dataframe if "tuned models" in element.proto.alt]
    assert red_rows(drawn) == {0}
    assert {metric.label: metric.value for metric in app.metric}["Failed adapter checks"] == "1"
    assert "Look at the failed adapter check" in words(app)


def test_a_model_that_was_never_checked_is_not_called_applied(open_app, own_walk):
    shutil.rmtree(own_walk.workspace.model("walk-lora") / "checks")
    app = open_app("adapters", on=own_walk.workspace)
    assert [warning.value for warning in app.warning] == [
        "This model was never checked; check it before you believe its numbers."
    ]
    assert not app.success

    models = table(open_app(on=own_walk.workspace), "tuned models").set_index("model")["adapter check"]
    assert models.to_dict() == {"walk-lora": "not checked", "walk-head": "applied"}


def test_check_again_is_one_job_that_the_page_follows(open_app, own_walk):
    n_before = len(list_jobs(own_walk.workspace))
    app = open_app("adapters", on=own_walk.workspace, query={"adapters.model": "walk-head (head)"})
    app.button(key="adapters.check").click().run()
    job = list_jobs(own_walk.workspace)[0]

    assert not app.exception and not app.error
    assert (job.kind, job.params) == ("diagnose", {"model": "walk-head"})
    assert "Diagnose walk-head" in [text.value for text in app.main.text]  # the panel follows it
    request_stop(own_walk.workspace, job.id)
    ended(own_walk.workspace, n_before + 1)


@pytest.mark.parametrize("content", [b"{", b"[]"])
def test_a_model_with_a_damaged_manifest_leaves_the_other_models_on_every_page(open_app, own_walk, content):
    (own_walk.workspace.model("walk-lora") / "manifest.json").write_bytes(content)
    for page in ("adapters", "overview", "evaluation", "training"):
        app = open_app(page, on=own_walk.workspace)
        assert not app.exception, page
        assert not app.error, page
        assert "walk-head" in words(app) + str([box.options for box in app.selectbox]), page
