"""Checkpoints of a training: what a continued run is, and what is refused; on a tiny random encoder."""

import itertools
import json
import re
import resource
import shutil
import subprocess

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from simtune_core.datasets import save_pairs
from simtune_core.errors import TrainingError, WorkspaceError
from simtune_core.jobs.checkpoints import newest_checkpoint
from simtune_core.jobs.context import Job
from simtune_core.jobs.events import read_events
from simtune_core.training import recipe, resuming
from simtune_core.training.dev import DevSample
from simtune_core.training.job import run
from tests.training.conftest import invented_pairs

TWELVE_STEPS = {
    "per_device_train_batch_size": 4, "evaluations": 3, "max_dev_pairs": 20, "max_seq_length": 16, "precision": "fp32",
    "logging_steps": 1, "checkpoint_every": 5,
}  # fmt: skip
METHODS = {
    "lora": {**TWELVE_STEPS, "method": "lora", "r": 2, "target_modules": ["query"], "lora_dropout": 0.2},
    "full": {**TWELVE_STEPS, "method": "full", "learning_rate": 1e-3},
}
WEIGHTS = {"lora": "adapter/adapter_model.safetensors", "full": "model/model.safetensors"}


class StopAfter(Job):
    """A job that is asked to stop as soon as a given step is reported."""

    step = 7

    def progress(self, done, total, text=""):
        """Ask for the stop that the worker asks for on SIGTERM."""
        super().progress(done, total, text)
        if done >= self.step:
            self._on_stop()


def train(workspace, base, config, job_id, job_type=Job, continues=None, **params):
    asked = {"train": "train", "dev": "dev", "base": base, "config": config, "name": job_id} | params
    with job_type(workspace.job(job_id), workspace, continues=continues) as job:
        return run(asked, job)


def newest(workspace, job_id):
    return newest_checkpoint(workspace.job(job_id), hashes=True)


def points(workspace, name, *job_ids):
    """Return step and value of every point of a curve over a chain of jobs, in the order of the files."""
    batches = [read_events(workspace.job(job_id) / "events.jsonl") for job_id in job_ids]
    metrics = [event for batch in batches for event in batch.events if event.kind == "metric"]
    return [(event.step, event.value) for event in metrics if event.name == name]


def ledger_of(result):
    return {entry["name"]: entry for entry in result["ledger"]}


@pytest.mark.parametrize("method", ["lora", "full"])
def test_a_stopped_run_that_is_continued_ends_as_if_it_had_never_stopped(sets, tiny_base, method):
    """Dropout, optimizer, schedule, the order of pairs and the curve all go on; logging falls beside the stop."""
    config = METHODS[method] | {"logging_steps": 3}
    whole = train(sets, tiny_base, config, "whole")
    stopped = train(sets, tiny_base, config, "stopped", StopAfter)
    checkpoint = newest(sets, "stopped")
    assert (stopped["stopped"], checkpoint.step) == (True, 7)
    again = train(sets, tiny_base, config, "again", continues=checkpoint.folder)

    assert points(sets, "loss", "stopped", "again") == points(sets, "loss", "whole")
    assert [step for step, _ in points(sets, "loss", "whole")] == [3, 6, 9, 12]
    expected, got = (load_file(sets.model(name) / WEIGHTS[method]) for name in ("whole", "again"))
    assert set(expected) == set(got)
    for name, weights in expected.items():
        np.testing.assert_array_equal(got[name], weights, err_msg=name)
    assert again["dev"] == whole["dev"]
    assert again["baseline_dev"] == whole["baseline_dev"]

    before, after = ledger_of(whole), ledger_of(again)
    assert after.pop("continued_from")["ran"] == {"job": "stopped", "step": 7}
    for timed in ("wall_seconds", "pairs_per_second"):
        assert after.pop(timed)["ran"] > 0 < before.pop(timed)["ran"]
    assert after == before
    (told,) = [item["message"] for item in again["findings"] if item["code"] == "T009"]
    assert told == "Continued from step 7 of job stopped."


def test_a_run_that_is_continued_twice_is_still_one_run(sets, tiny_base):
    """Each attempt goes on from the one before it: steps 1 to 3, 4 to 9, 10 to 12."""

    class StopAfterThree(StopAfter):
        step = 3

    class StopAfterNine(StopAfter):
        step = 9

    config = METHODS["lora"]
    whole = train(sets, tiny_base, config, "whole")
    train(sets, tiny_base, config, "first", StopAfterThree)
    train(sets, tiny_base, config, "second", StopAfterNine, continues=newest(sets, "first").folder)
    third = train(sets, tiny_base, config, "third", continues=newest(sets, "second").folder)
    assert points(sets, "loss", "first", "second", "third") == points(sets, "loss", "whole")
    assert third["dev"] == whole["dev"]
    assert ledger_of(third)["continued_from"]["ran"] == {"job": "second", "step": 9}
    assert ledger_of(third)["pairs"] == {"name": "pairs", "asked": 48, "ran": 48, "equal": True}
    assert points(sets, "dev_roc_auc", "first", "second", "third") == points(sets, "dev_roc_auc", "whole")


def test_a_score_that_was_due_when_the_stop_came_is_made_up_for(sets, tiny_base):
    class StopAtTheScore(StopAfter):
        step = 8

    config = METHODS["lora"]
    whole = train(sets, tiny_base, config, "whole")
    train(sets, tiny_base, config, "stopped", StopAtTheScore)
    again = train(sets, tiny_base, config, "again", continues=newest(sets, "stopped").folder)
    assert again["dev"] == whole["dev"]
    assert [step for step, _ in points(sets, "dev_roc_auc", "stopped")] == [0, 4]
    assert [step for step, _ in points(sets, "dev_roc_auc", "again")] == [8, 12]


def test_checkpoints_are_made_at_the_steps_asked_for_and_at_a_stop(sets, tiny_base):
    train(sets, tiny_base, METHODS["lora"], "stopped", StopAfter)
    folders = (sets.job("stopped") / "checkpoints").iterdir()
    assert sorted(path.name for path in folders) == ["step-00000005", "step-00000007"]
    held = json.loads((newest(sets, "stopped").folder / "COMPLETE.json").read_text())
    assert {"weights.safetensors", "optimizer.pt", "scheduler.pt", "rng_state.pth", "run.json"} < set(held["files"])


def test_a_run_that_is_done_keeps_its_model_and_no_checkpoint(sets, tiny_base):
    train(sets, tiny_base, METHODS["lora"], "done")
    assert (sets.model("done") / "manifest.json").exists()
    assert not (sets.job("done") / "checkpoints").exists()


def test_without_a_number_of_steps_a_checkpoint_is_due_after_a_time_that_grows_with_what_saving_takes(monkeypatch):
    monkeypatch.setattr(resuming, "CHECKPOINT_SECONDS", 0.0)
    pace = resuming.Pace(None, step=2)
    assert not pace.due(2, stopping=True)  # it stands already
    assert pace.due(3, stopping=False)
    pace.saved(3, seconds=1e6)
    assert not pace.due(4, stopping=False)
    assert pace.due(4, stopping=True)
    monkeypatch.undo()
    assert not resuming.Pace(None).due(1, stopping=False)


def test_without_checkpoints_a_stop_saves_none(sets, tiny_base):
    train(sets, tiny_base, METHODS["lora"] | {"checkpoint_every": 0}, "none", StopAfter)
    assert newest(sets, "none") is None


def test_a_checkpoint_takes_about_the_room_that_was_foreseen(sets, tiny_base, monkeypatch):
    foreseen = []
    honest = recipe.require_room
    monkeypatch.setattr(recipe, "require_room", lambda *inputs: foreseen.append(honest(*inputs)))
    train(sets, tiny_base, METHODS["full"], "full", StopAfter)
    taken = sum(path.stat().st_size for path in newest(sets, "full").folder.iterdir())
    assert 0.7 * foreseen[0] < taken <= foreseen[0]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"learning_rate": 0.01}, "learning_rate: 0.0005 then, 0.01 now"),
        ({"seed": 7}, "seed: 42 then, 7 now; order of batches: "),
        ({"per_device_train_batch_size": 6}, "number of batches: 12 then, 8 now"),
    ],
)
def test_a_checkpoint_of_other_settings_is_refused_with_what_differs(sets, tiny_base, change, sentence):
    train(sets, tiny_base, METHODS["lora"], "first", StopAfter)
    with pytest.raises(TrainingError, match="continued with the data and the settings it began with") as refused:
        train(sets, tiny_base, METHODS["lora"] | change, "other", continues=newest(sets, "first").folder)
    assert sentence in str(refused.value)
    assert "The checkpoint of step 7 of job first differs" in str(refused.value)


def test_a_checkpoint_of_other_data_is_refused_and_how_often_it_is_saved_may_change(sets, tiny_base):
    train(sets, tiny_base, METHODS["lora"], "first", StopAfter)
    folder = newest(sets, "first").folder
    save_pairs(sets, "other", invented_pairs("case:", 48), provenance={"source": "invented"})
    with pytest.raises(TrainingError, match=r"training pairs: \w+\.\.\. then, \w+\.\.\. now"):
        train(sets, tiny_base, METHODS["lora"], "other", continues=folder, train="other")
    again = train(sets, tiny_base, METHODS["lora"] | {"checkpoint_every": 0}, "again", continues=folder)
    assert ledger_of(again)["steps"]["ran"] == 12


def test_a_checkpoint_whose_weights_do_not_fit_names_them(sets, tiny_base):
    train(sets, tiny_base, METHODS["lora"], "first", StopAfter)
    folder = newest(sets, "first").folder
    weights = load_file(folder / "weights.safetensors")
    missing = sorted(weights)[0]
    del weights[missing]
    save_file(weights, folder / "weights.safetensors")
    with pytest.raises(TrainingError, match="1 do not fit: " + re.escape(missing)):
        train(sets, tiny_base, METHODS["lora"], "again", continues=folder)


def test_a_continued_run_takes_the_next_free_name_of_a_model(sets, tiny_base):
    train(sets, tiny_base, METHODS["lora"], "first", StopAfter)
    folder = newest(sets, "first").folder
    names = [
        train(sets, tiny_base, METHODS["lora"], job_id, continues=folder, name="first")["model_id"]
        for job_id in ("second", "third")
    ]
    assert names == ["first-2", "first-3"]


def test_a_run_whose_checkpoints_no_disk_holds_is_refused_before_its_first_step(workspace):
    """10**14 trained parameters of 4 bytes in 4 copies; the layer is described, not allocated."""
    import torch

    layer = torch.nn.Linear(10**7, 10**7, bias=False, device="meta")
    with (
        Job(workspace.job("huge"), workspace) as job,
        pytest.raises(WorkspaceError, match=r"room for 3 checkpoints of about 1,600,000,001 MB each, and .* are free"),
    ):
        recipe.require_room(layer, job)


@pytest.fixture
def small_disk():
    """Return a function that puts a disk of some megabytes at a folder, or returns False where nobody may mount one."""
    mounted = []

    def mount(folder, megabytes):
        folder.mkdir(parents=True)
        command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
        if shutil.which("mount") and subprocess.run(command, capture_output=True, check=False).returncode == 0:
            mounted.append(folder)
        return bool(mounted)

    yield mount
    for folder in mounted:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_ends_the_run_and_leaves_the_checkpoint_before_whole(sets, tiny_base, small_disk):
    """The disk fills up between step 5 and 10; where no small disk can be had, files may no longer grow."""
    disk = sets.job("fills-up") / "checkpoints"
    real = small_disk(disk, megabytes=30)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    class FillsTheDisk(Job):
        def progress(self, done, total, text=""):
            super().progress(done, total, text)
            if done == 6 and real:
                (disk / "other.bin").write_bytes(bytes(shutil.disk_usage(disk).free - 16384))
            elif done == 6:
                resource.setrlimit(resource.RLIMIT_FSIZE, (16384, limits[1]))

    why = "Disk full" if real else "File too large"
    try:
        with pytest.raises(WorkspaceError, match=f"checkpoint of step 10 was not saved.*{why}") as full:
            train(sets, tiny_base, METHODS["full"], "fills-up", FillsTheDisk)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        (disk / "other.bin").unlink(missing_ok=True)
    assert str(full.value).endswith("The checkpoint of step 5 is whole.")
    assert newest(sets, "fills-up").step == 5
    again = train(sets, tiny_base, METHODS["full"], "again", continues=newest(sets, "fills-up").folder)
    assert ledger_of(again)["steps"] == {"name": "steps", "asked": 12, "ran": 12, "equal": True}


def spoiled(monkeypatch, spoil, step):
    """Let the loss of one step be what `spoil` makes of it."""
    honest = recipe.build_loss

    def build(name, model):
        loss = honest(name, model)
        forward, calls = loss.forward, itertools.count(1)

        def spoiled_forward(*inputs):
            value = forward(*inputs)
            return spoil(value) if next(calls) == step else value

        loss.forward = spoiled_forward
        return loss

    monkeypatch.setattr(recipe, "build_loss", build)


def test_a_loss_that_is_no_number_marks_its_step_and_keeps_the_checkpoint_before(sets, tiny_base, monkeypatch):
    spoiled(monkeypatch, lambda value: value * float("nan"), step=7)
    with pytest.raises(TrainingError, match=r"finite, got nan at step 7;.* the checkpoint of step 5 is kept"):
        train(sets, tiny_base, METHODS["lora"], "nan")
    assert points(sets, "loss", "nan")[-2:] == [(6, pytest.approx(0.5, abs=0.5)), (7, None)]
    events = read_events(sets.job("nan") / "events.jsonl").events
    (alert,) = (event for event in events if event.name == "T010")
    assert (alert.step, alert.value["severity"]) == (7, "error")
    kept = newest(sets, "nan")
    assert kept.step == 5
    assert all(np.isfinite(weights).all() for weights in load_file(kept.folder / "weights.safetensors").values())


def test_weights_that_are_no_numbers_never_get_into_a_checkpoint(sets, tiny_base, monkeypatch):
    """The root's slope at zero is infinite: the loss of step 10 is a number, the weights after it are none."""
    spoiled(monkeypatch, lambda value: value + (value - value.detach()).sqrt(), step=10)
    with pytest.raises(TrainingError, match="weights must stay finite, got nan at step 10"):
        train(sets, tiny_base, METHODS["lora"], "nan")
    assert newest(sets, "nan").step == 5


def test_a_stop_does_not_wait_for_a_score_to_end(sets, tiny_base, monkeypatch):
    """The stop comes when dev is being scored at step 4: the score is given up, the checkpoint is of step 4."""
    jobs = []

    class Listed(Job):
        def __init__(self, *inputs, **named):
            super().__init__(*inputs, **named)
            jobs.append(self)

    honest = DevSample.score

    def score(sample, model, *, step):
        if step == 4:
            model.register_forward_pre_hook(lambda *_: jobs[0]._on_stop(), prepend=True)
        return honest(sample, model, step=step)

    monkeypatch.setattr(DevSample, "score", score)
    result = train(sets, tiny_base, METHODS["lora"], "stopped", Listed)
    assert result["stopped"]
    assert [step for step, _ in points(sets, "dev_roc_auc", "stopped")] == [0]
    assert newest(sets, "stopped").step == 4
