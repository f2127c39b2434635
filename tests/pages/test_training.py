"""The training page: what will run is told, a wish is one job, a bad setting or a failed run is a sentence."""

import json
import os
import signal
import time

import psutil
import pytest

from simtune_core.datasets import save_pairs
from simtune_core.jobs.launcher import launch, list_jobs, read_job
from simtune_core.pairs import with_pair_columns
from simtune_core.training.config import TrainingConfig, fields_of
from simtune_core.workflows.requests import train_request
from tests.pages.screen import ended, live_charts, table, words
from tests.workflows.frames import pairs_frame

TOKEN = "training.launch.token"


def method_is(app, name):
    (choice,) = [group for group in app.button_group if group.key == "training.TrainingConfig.method"]
    return choice.set_value(name).run()


def setting(app, name):
    (found,) = [
        widget for kind in ("text_input", "number_input", "slider", "toggle", "button_group", "selectbox")
        for widget in app.get(kind) if widget.key == f"training.TrainingConfig.{name}"
    ]  # fmt: skip
    return found


@pytest.fixture
def pairs(workspace):
    """Save a small pair set with the splits train and dev."""
    import pandas as pd

    frames = [pairs_frame(12, split="train"), pairs_frame(24, split="dev")]
    save_pairs(workspace, "small", with_pair_columns(pd.concat(frames, ignore_index=True)), provenance={})
    return workspace


@pytest.mark.parametrize("method", ["head", "lora", "full"])
def test_what_will_run_is_every_setting_with_value_and_source(open_app, walked, method):
    app = method_is(open_app("training", on=walked.workspace), method)
    shown = table(app, "settings with value and source").set_index("setting")

    config = TrainingConfig(method=method).effective()
    assert list(shown.index) == fields_of(method)
    assert shown["value"].to_dict() == {name: str(getattr(config, name)) for name in fields_of(method)}
    assert shown.loc["learning_rate", "source"] == f"default for {method}"
    assert shown.loc["seed", "source"] == "default"


def test_a_setting_that_was_set_says_so(open_app, walked):
    app = open_app("training", on=walked.workspace)
    setting(app, "seed").set_value(7).run()
    setting(app, "learning_rate").set_value("2e-3").run()

    shown = table(app, "settings with value and source").set_index("setting")
    assert shown.loc["seed"].tolist() == ["7", "set"]
    assert shown.loc["learning_rate"].tolist() == ["0.002", "set"]


@pytest.mark.parametrize(("text", "part"), [("abc", "abc"), ("7", "7"), ("-1", "-1"), ("nan", "nan"), ("0", "0")])
def test_a_bad_learning_rate_is_a_sentence_and_nothing_can_be_started(open_app, walked, text, part):
    app = open_app("training", on=walked.workspace)
    setting(app, "learning_rate").set_value(text).run()

    assert not app.exception
    assert [error.value for error in app.error] == ["This cannot be done as asked."]
    assert "learning_rate" in app.code[0].value and part in app.code[0].value
    assert "Start training" not in [button.label for button in app.main.button]
    assert [header.value for header in app.header]  # the runs below stay readable


def test_a_wish_pressed_twice_is_one_job_and_its_run_is_shown(open_app, pairs):
    first, second = (open_app("training", state={TOKEN: "one-wish"}) for _ in range(2))
    for app in (first, second):
        app.button(key="training.start").click().run()
        assert not app.exception
    (job,) = ended(pairs)
    first.run()

    assert first.selectbox(key="training.run").value == job.id
    result = json.loads((job.folder / "result.json").read_text())
    assert f"Model {result['model_id']}" in words(first)
    ran = table(first, "what was asked, what ran")
    assert set(ran["equal"]) <= {"yes", ""}
    assert len(ran) == len(result["ledger"])

    assert first.session_state[TOKEN] != "one-wish"  # so the next press is another wish


def test_a_second_press_just_after_the_first_is_the_same_run(open_app, pairs):
    app = open_app("training")
    for _ in range(2):
        app.button(key="training.start").click().run()
        assert not app.exception

    assert len(ended(pairs)) == 1


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("walk-head", "The name 'walk-head' is taken by another model"), ("../up", "model id"), (".x", "model id")],
)
def test_a_model_name_that_cannot_be_is_a_sentence(open_app, walked, name, sentence):
    n_before = len(list_jobs(walked.workspace))
    app = open_app("training", on=walked.workspace)
    app.text_input(key="training.name").set_value(name)
    app.button(key="training.start").click().run()

    assert not app.exception
    assert sentence in app.code[0].value
    assert len(list_jobs(walked.workspace)) == n_before


def test_train_and_dev_must_be_other_pairs(open_app, walked):
    app = open_app("training", on=walked.workspace, query={"training.dev": "small:train"})
    app.button(key="training.start").click().run()

    assert not app.exception
    assert app.error and "small@v0001:train" in app.code[0].value


def test_a_finished_run_shows_its_curves_and_what_really_ran(open_app, walked):
    app = open_app("training", on=walked.workspace)
    assert "Model walk-lora" in words(app)  # the newest run

    assert len(live_charts(app)) == 4
    ran = table(app, "what was asked, what ran").set_index("")
    assert ran.loc["steps", "ran"] == "4"
    assert ran.loc["loss", "ran"] == "CosineSimilarityLoss"


def test_the_address_of_a_run_stays_right_when_the_run_ends(open_app, walked):
    app = open_app("training", on=walked.workspace)
    (older,) = [label for label in app.selectbox(key="training.run").options if "walk-head" in label]
    assert not any(state in older for state in ("queued", "running", "done"))  # a browser puts this label there

    assert "Model walk-head" in words(open_app("training", on=walked.workspace, query={"training.run": older}))


def test_a_failed_runs_cause_is_shown_as_plain_text(open_app, pairs):
    config = {"method": "head"}
    request = train_request(pairs, "small:train", "small:dev", base="minilm", config=config, name=None)
    launch(pairs, "train", request.params | {"train": "gone![x](//evil/x.png)"}, title="Train ![x](//evil/x.png)")
    (job,) = ended(pairs)
    app = open_app("training")

    assert (job.state, "gone![x](//evil/x.png)" in job.cause) == ("failed", True)
    assert not app.exception
    assert [code.value for code in app.main.code] == [job.cause]  # st.code, never Markdown
    assert "Train ![x](//evil/x.png)" in [text.value for text in app.main.text]
    assert "End of the log" in [expander.label for expander in app.main.expander]


def test_a_killed_run_names_the_signal_and_the_last_step(open_app, pairs):
    job = killed(pairs)
    app = open_app("training")

    assert not app.exception
    assert job.state == "failed"
    assert [code.value for code in app.main.code] == [job.cause]
    assert "signal 9" in job.cause
    assert "failed" in words(app)


def killed(workspace):
    """Start a training and kill its worker with signal 9; return the job as it is found afterwards."""
    request = train_request(workspace, "small:train", "small:dev", base="minilm", config={"method": "head"}, name=None)
    job_id = launch(workspace, request.kind, request.params, title=request.title)
    deadline = time.monotonic() + 30
    while not (workers := _workers(workspace, job_id)):
        assert time.monotonic() < deadline, read_job(workspace, job_id)
        time.sleep(0.02)
    os.kill(workers[0].pid, signal.SIGKILL)
    (job,) = ended(workspace)
    return job


def _workers(workspace, job_id):
    found = []
    for process in psutil.process_iter(["cmdline"]):
        line = " ".join(process.info["cmdline"] or [])
        if "simtune_core.jobs.worker" in line and str(workspace.job(job_id)) in line:
            found.append(process)
    return found
