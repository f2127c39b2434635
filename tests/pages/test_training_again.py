"""The training page before a long run and after a stopped one: a tick for the time, a button to go on."""

import time

import pandas as pd
import pytest

from simtune_core.datasets import save_pairs
from simtune_core.jobs.events import read_events
from simtune_core.jobs.launcher import list_jobs, read_job, request_stop
from simtune_core.pairs import with_pair_columns
from simtune_core.workflows.requests import train_request
from simtune_core.workflows.running import start
from tests.pages.screen import ended, words
from tests.workflows.frames import pairs_frame

SECONDS = 180.0


@pytest.fixture
def pairs(workspace):
    frames = [pairs_frame(60, split="train"), pairs_frame(24, split="dev")]
    save_pairs(workspace, "small", with_pair_columns(pd.concat(frames, ignore_index=True)), provenance={})
    return workspace


def test_a_long_run_on_a_cpu_starts_only_after_a_tick(open_app, pairs, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    app = open_app("training")
    assert "CPU only: less than a minute estimated for 60 pairs." in words(app)
    assert not app.button(key="training.start").disabled

    app.button_group(key="training.TrainingConfig.method").set_value("lora").run()
    app.number_input(key="training.TrainingConfig.evaluations").set_value(200).run()
    app.number_input(key="training.TrainingConfig.max_seq_length").set_value(8192).run()
    assert "estimated for 60 pairs. The head, fewer pairs" in words(app)
    assert app.button(key="training.start").disabled
    app.checkbox(key="training.sure").check().run()
    assert not app.button(key="training.start").disabled
    assert list_jobs(pairs) == []


@pytest.mark.timeout(600)
def test_a_stopped_run_goes_on_from_its_checkpoint_at_a_press(open_app, pairs):
    config = {"method": "lora", "per_device_train_batch_size": 2, "epochs": 50, "max_seq_length": 16, "evaluations": 1}
    request = train_request(pairs, "small:train", "small:dev", base="minilm", config=config, name=None)
    first = start(pairs, request)
    stop_in_training(pairs, first)
    app = open_app("training")
    (button,) = [button for button in app.main.button if button.key == f"training.continue.{first}"]
    assert button.label == f"Continue from step {read_job(pairs, first).checkpoint:,}"
    button.click().run()

    assert not app.exception
    second = app.selectbox(key="training.run").value
    assert read_job(pairs, second).continues == first
    stop_in_training(pairs, second)
    steps = [event.step for event in events(pairs, second) if event.kind == "metric"]
    assert steps[0] > read_job(pairs, first).checkpoint


def events(workspace, job_id):
    return read_events(workspace.job(job_id) / "events.jsonl").events


def stop_in_training(workspace, job_id):
    deadline = time.monotonic() + SECONDS
    while not any(event.name == "learning_rate" for event in events(workspace, job_id)):
        assert time.monotonic() < deadline, f"no step within {SECONDS:g} s: {read_job(workspace, job_id)}"
        time.sleep(0.05)
    request_stop(workspace, job_id)
    ended(workspace)
    assert read_job(workspace, job_id).state == "stopped"
