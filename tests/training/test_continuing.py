"""A training in a real worker that is killed or stopped, and the run that goes on from its checkpoint."""

import os
import shutil
import signal
import time

import numpy as np
import pandas as pd
import psutil
import pytest
from safetensors.numpy import load_file

from simtune_core.datasets import save_pairs
from simtune_core.errors import JobError
from simtune_core.files import read_json
from simtune_core.jobs.checkpoints import COMPLETE, newest_checkpoint
from simtune_core.jobs.events import read_events
from simtune_core.jobs.launcher import read_job, read_result, request_stop
from simtune_core.workflows.requests import train_request
from simtune_core.workflows.running import resume, start
from simtune_core.workspace import open_workspace
from tests.training.conftest import save_sets

CONFIG = {
    "method": "lora", "r": 2, "target_modules": ["query"], "lora_dropout": 0.2, "per_device_train_batch_size": 4,
    "evaluations": 12, "max_dev_pairs": 1000, "max_seq_length": 32, "precision": "fp32", "logging_steps": 1,
    "checkpoint_every": 2,
}  # fmt: skip
SECONDS = 240.0  # for a run that takes about ten on an idle machine
pytestmark = pytest.mark.timeout(900)


def slow_dev_pairs(n_pairs=1000):
    """Return dev pairs whose scoring takes most of the time of a step, so that there is time to kill it."""
    rows = range(n_pairs)
    return pd.DataFrame(
        {
            "sentence1": [f"request {row} about the printer on floor {row % 7}" for row in rows],
            "sentence2": [f"report {row} of {'a paper jam' if row % 2 else 'a vpn that drops'}" for row in rows],
            "label": [row % 2 for row in rows],
        }
    )


def points(workspace, job_id, name="loss"):
    events = read_events(workspace.job(job_id) / "events.jsonl").events
    return [(event.step, event.value) for event in events if event.kind == "metric" and event.name == name]


def wait_for(condition, what):
    deadline = time.monotonic() + SECONDS
    while not (value := condition()):
        assert time.monotonic() < deadline, f"{what}: not within {SECONDS:g} s"
        time.sleep(0.02)
    return value


def ended(workspace, job_id):
    status = wait_for(lambda: (job := read_job(workspace, job_id)).finished and job, f"the end of {job_id}")
    wait_for(lambda: not processes_of(workspace), "the end of every process")
    return status


def processes_of(workspace):
    found = psutil.process_iter(["pid", "cmdline", "status"])
    ours = (each for each in found if str(workspace.jobs) in " ".join(each.info["cmdline"] or []))
    return [each for each in ours if each.info["status"] != psutil.STATUS_ZOMBIE and each.pid != os.getpid()]


def worker_of(workspace, job_id):
    runner = psutil.Process(read_json(workspace.job(job_id) / "proc.json")["pid"])
    (worker,) = (child for child in runner.children() if "simtune_core.jobs.worker" in child.cmdline())
    return worker


def launch(workspace, base, name, **config):
    return start(workspace, train_request(workspace, "train", "dev", base=base, config=CONFIG | config, name=name))


@pytest.fixture(scope="module")
def chain(tmp_path_factory, tiny_base):
    """Return a workspace, the id of a run that nobody disturbed and of one that was killed at about step 5."""
    workspace = open_workspace(tmp_path_factory.mktemp("chain"))
    save_sets(workspace)
    save_pairs(workspace, "dev", slow_dev_pairs(), provenance={"source": "invented"}, new_version=True)
    whole = launch(workspace, tiny_base, "whole")
    assert ended(workspace, whole).state == "done"
    killed = launch(workspace, tiny_base, "killed")
    wait_for(lambda: (steps := points(workspace, killed)) and steps[-1][0] >= 5, "step 5")
    worker_of(workspace, killed).send_signal(signal.SIGKILL)
    assert ended(workspace, killed).state == "failed"
    return workspace, whole, killed


@pytest.fixture
def copied(chain, tmp_path):
    workspace, whole, killed = chain
    shutil.copytree(workspace.root, tmp_path / "copy")
    return open_workspace(tmp_path / "copy"), whole, killed


def test_a_killed_run_that_is_continued_ends_as_if_nothing_had_happened(copied):
    workspace, whole, killed = copied
    status = read_job(workspace, killed)
    checkpoint = newest_checkpoint(workspace.job(killed), hashes=True)
    assert checkpoint.step >= 4
    assert "signal 9" in status.cause

    again = resume(workspace, killed, confirm=True)
    assert ended(workspace, again).state == "done"
    chained = [point for point in points(workspace, killed) if point[0] <= checkpoint.step] + points(workspace, again)
    assert [step for step, _ in chained] == list(range(1, 13))
    np.testing.assert_allclose(
        [value for _, value in chained], [value for _, value in points(workspace, whole)], rtol=1e-5
    )

    expected, result = read_result(workspace, whole), read_result(workspace, again)
    assert result["dev"] == pytest.approx(expected["dev"])
    weights, found = (
        load_file(workspace.model(each["model_id"]) / "adapter" / "adapter_model.safetensors")
        for each in (expected, result)
    )
    assert set(weights) == set(found)
    for name in weights:
        np.testing.assert_allclose(found[name], weights[name], rtol=1e-5, atol=1e-7, err_msg=name)

    before, after = ({line["name"]: line for line in each["ledger"]} for each in (expected, result))
    assert after.pop("continued_from")["ran"] == {"job": killed, "step": checkpoint.step}
    for timed in ("wall_seconds", "pairs_per_second"):
        before.pop(timed), after.pop(timed)
    assert after == before


def test_a_damaged_newest_checkpoint_is_passed_over_and_the_run_says_so(copied):
    """One byte of the optimizer's state is turned: sizes are right, the sum is not."""
    workspace, _, killed = copied
    newest = newest_checkpoint(workspace.job(killed))
    file = newest.folder / "optimizer.pt"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0xFF
    file.write_bytes(content)
    before = newest_checkpoint(workspace.job(killed), hashes=True)
    assert before.step == newest.step - 2

    again = resume(workspace, killed, confirm=True)
    assert ended(workspace, again).state == "done"
    messages = [finding["message"] for finding in read_result(workspace, again)["findings"]]
    assert f"The checkpoint of step {newest.step} is skipped: optimizer.pt was changed or damaged." in messages
    assert f"Continued from step {before.step} of job {killed}." in messages
    assert points(workspace, again)[0][0] == before.step + 1


def test_a_run_without_a_whole_checkpoint_is_not_continued(copied):
    workspace, _, killed = copied
    for folder in (workspace.job(killed) / "checkpoints").iterdir():
        (folder / COMPLETE).unlink(missing_ok=True)
    with pytest.raises(JobError, match="has no complete checkpoint to continue from"):
        resume(workspace, killed, confirm=True)


def test_a_stop_saves_a_checkpoint_and_a_model_and_the_run_can_go_on(copied, tiny_base):
    """Without a number of steps a checkpoint is made every two minutes: this one is the stop's."""
    workspace, whole, _ = copied
    job_id = launch(workspace, tiny_base, "stopped", checkpoint_every=None)
    wait_for(lambda: points(workspace, job_id), "the first step")
    request_stop(workspace, job_id)
    assert ended(workspace, job_id).state == "stopped"
    result = read_result(workspace, job_id)
    assert (result["stopped"], workspace.model("stopped").exists()) == (True, True)
    (folder,) = (workspace.job(job_id) / "checkpoints").iterdir()

    again = resume(workspace, job_id, confirm=True)
    assert ended(workspace, again).state == "done"
    assert read_result(workspace, again)["model_id"] == "stopped-2"
    assert points(workspace, again)[0][0] == newest_checkpoint(workspace.job(job_id)).step + 1
    assert folder.exists()
    assert [value for _, value in points(workspace, job_id) + points(workspace, again)] == pytest.approx(
        [value for _, value in points(workspace, whole)], rel=1e-5
    )
