"""Every way to die becomes a state and a sentence: what happened, how far it was, what is safe, what can be done."""

import json
import re
import resource
import signal
from pathlib import Path

import psutil
import pytest

from simtune_core.jobs.causes import Ending, judge
from simtune_core.jobs.checkpoints import save_checkpoint
from simtune_core.jobs.context import Job
from simtune_core.jobs.launcher import follow, launch, list_jobs, read_job, request_stop
from simtune_core.jobs.worker import _disk_is_full, _worded

LONG = {"seconds": 600, "rate": 50}
UNSAVED = "Its curves and log are kept; what it had not saved, such as weights in training, is lost. Start it again."


def ending(**changes):
    usual = {"code": None, "signal": None, "stopped": None, "forced": False, "grace_seconds": 20.0}
    return Ending(**(usual | {"out_of_memory": False, "peak_rss_bytes": 3_210_000_000} | changes))


@pytest.fixture
def at_340(workspace):
    """The folder of a training that came to step 340."""
    with Job(workspace.job("job-1"), workspace) as job:
        job.metric("loss", 0.5, step=340)
        job.progress(340, 1000, "training")
    params = {"config": {"per_device_train_batch_size": 64, "max_seq_length": 256, "learning_rate": 1e-4}}
    spec = {"id": "job-1", "kind": "train", "title": "t", "params": params, "created": 1.0, "spec_hash": "x"}
    (job.folder / "spec.json").write_text(json.dumps(spec))
    (job.folder / "log.txt").write_text("one\ntwo\n")
    return job.folder


def checkpoint(folder, step=300):
    with save_checkpoint(folder, step) as inside:
        (inside / "weights").write_bytes(b"w")


@pytest.mark.parametrize(
    ("how", "state", "begins", "advice"),
    [
        (
            {"signal": signal.SIGKILL, "out_of_memory": True},
            "failed",
            "Killed by signal 9 (out of memory, peak 3.21 GB) after step 340; 340 of 1000 done.",
            " If it happens again, lower the batch size or the maximum length (now per_device_train_batch_size 64, "
            "max_seq_length 256).",
        ),
        (
            {"signal": signal.SIGSEGV},
            "failed",
            "Killed by signal 11 after step 340; 340 of 1000 done.",
            " See the log.",
        ),
        (
            {"signal": signal.SIGKILL, "stopped": "user", "forced": True},
            "stopped",
            "Stopped by you at step 340; 340 of 1000 done. It did not stop by itself within 20 s and was killed.",
            "",
        ),
        (
            {"code": 28},
            "failed",
            "The disk is full: what the job wanted to write did not find room.",
            " Free some space first.",
        ),
    ],
)
def test_a_cause_names_the_step_and_what_can_be_gone_on_from(at_340, how, state, begins, advice):
    verdict = judge(at_340, ending(**how))
    assert (verdict.state, verdict.cause) == (state, f"{begins} {UNSAVED}{advice}")
    checkpoint(at_340)
    verdict = judge(at_340, ending(**how))
    assert verdict.cause == f"{begins} Checkpoint 300 is complete: continue from it.{advice}"


@pytest.mark.parametrize(
    ("how", "state", "cause"),
    [
        (
            {"code": 3},
            "failed",
            "Ended with exit code 3 after step 340; 340 of 1000 done. Last line of its log: two",
        ),
        (
            {"code": 0},
            "failed",
            "Ended without a result after step 340; 340 of 1000 done. Last line of its log: two",
        ),
        ({"code": 143, "stopped": "user"}, "stopped", "Stopped by you at step 340; 340 of 1000 done."),
        (
            {"code": 143, "stopped": "system"},
            "stopped",
            "Stopped because the session or the machine is shutting down at step 340; 340 of 1000 done.",
        ),
    ],
)
def test_an_exit_is_told_with_its_code_and_the_last_line_of_the_log(at_340, how, state, cause):
    assert (judge(at_340, ending(**how)).state, judge(at_340, ending(**how)).cause) == (state, cause)
    checkpoint(at_340)
    assert judge(at_340, ending(**how)).cause == f"{cause} Checkpoint 300 is complete: continue from it."


def test_a_result_that_was_written_before_the_stop_came_is_a_job_that_is_done(at_340):
    (at_340 / "result.json").write_text("{}")
    assert judge(at_340, ending(code=0, stopped="user")).state == "done"
    assert judge(at_340, ending(code=143, stopped="user")).state == "stopped"


def test_memory_that_ran_out_is_named_with_the_sizes_to_lower(at_340):
    params = json.loads((at_340 / "spec.json").read_text())["params"]
    said = _worded(at_340, MemoryError("Unable to allocate 12.0 GiB for an array"), params, full=False)
    assert said["code"] == "out_of_memory"
    assert said["message"] == (
        "Out of memory: Unable to allocate 12.0 GiB for an array. To go on, lower the batch size or the maximum length "
        "(now per_device_train_batch_size 64, max_seq_length 256), then start it again."
    )


def test_an_error_of_the_gpu_is_out_of_memory_too(at_340):
    import torch

    error = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.\nGPU 0 has 79 GiB in total")
    said = _worded(at_340, error, {}, full=False)
    assert said["code"] == "out_of_memory"
    assert said["message"].startswith("Out of memory: CUDA out of memory. Tried to allocate 2.00 GiB. To go on, lower ")


def test_a_full_disk_is_known_by_its_number_and_by_what_a_library_says_of_it(at_340):
    try:
        Path("/dev/full").write_bytes(b"what is written here finds no room")
    except OSError as error:
        full = error
    wrapped = RuntimeError("could not save")
    wrapped.__cause__ = full
    assert _disk_is_full(full)
    assert _disk_is_full(wrapped)
    assert _disk_is_full(RuntimeError("I/O error: No space left on device (os error 28)"))
    assert not _disk_is_full(RuntimeError("another"))
    said = _worded(at_340, wrapped, {}, full=True)
    assert said["code"] == "disk_full"
    assert re.match(r"Disk full while writing job-1 \(.* GB free\)", said["message"])


def test_a_job_that_cannot_write_any_more_fails_and_its_checkpoint_stays(workspace, processes, wait_until):
    """A limit on the size of files stands for the disk: the events find no room, the small error.json does."""
    job = launch(workspace, "sleep", LONG | {"checkpoint_every": 5}, title="t")
    wait_until(lambda: read_job(workspace, job).checkpoint, seconds=30)
    size = (workspace.job(job) / "events.jsonl").stat().st_size
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    processes("worker")[0].rlimit(psutil.RLIMIT_FSIZE, (size + 2000, hard))
    status = follow(workspace, job, poll_seconds=0.05)
    assert status.state == "failed"
    assert status.cause == (
        "events.jsonl cannot be written: File too large. Nothing half-written was kept. "
        f"Checkpoint {status.checkpoint} is complete: continue from it."
    )


def test_a_runner_that_finds_no_room_for_the_end_writes_it_as_soon_as_there_is_some(workspace, processes, wait_until):
    job = launch(workspace, "sleep", LONG, title="t")
    wait_until(lambda: read_job(workspace, job).last_step)
    (runner,), (worker,) = processes("runner"), processes("worker")
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    runner.rlimit(psutil.RLIMIT_FSIZE, (0, hard))
    before = workspace.job(job).stat().st_mtime_ns
    worker.kill()
    wait_until(lambda: workspace.job(job).stat().st_mtime_ns > before)  # the runner has tried
    assert not processes("worker")
    assert read_job(workspace, job).state == "running"
    runner.rlimit(psutil.RLIMIT_FSIZE, (hard, hard))
    status = wait_until(lambda: (found := read_job(workspace, job)).finished and found, seconds=20)
    assert status.state == "failed"
    assert status.cause.startswith("Killed by signal 9 (possibly out of memory, peak ")


def test_the_end_of_the_log_is_kept_with_the_end_of_the_job(workspace, processes, wait_until):
    job = launch(workspace, "sleep", {"seconds": 0.1, "fail": "bug"}, title="t")
    status = follow(workspace, job, poll_seconds=0.05)
    tail = json.loads((status.folder / "exit.json").read_text())["log_tail"]
    assert tail[0] == "Traceback (most recent call last):"
    assert tail[-1] == "TypeError: a bug, as it was told"
    assert len(tail) <= 20


def test_a_missing_model_is_a_failed_job_within_seconds_that_says_what_is_missing(workspace, processes):
    job = launch(workspace, "diagnose", {"model": "not-there"}, title="t")
    status = follow(workspace, job, poll_seconds=0.05)
    assert status.state == "failed"
    assert "not-there" in status.cause
    assert json.loads((status.folder / "exit.json").read_text())["log_tail"]


def test_every_open_job_of_a_machine_that_restarted_is_lost_and_says_so(workspace, processes, wait_until):
    """Beside a live job, which is not touched: the runners are gone and proc.json carries the mark of another boot."""
    alive = launch(workspace, "sleep", LONG, title="alive")
    for n in range(2):
        folder = workspace.job(f"before-{n}")
        folder.mkdir()
        spec = json.loads((workspace.job(alive) / "spec.json").read_text()) | {"id": folder.name}
        (folder / "spec.json").write_text(json.dumps(spec))
        proc = {"v": 1, "time": 1.0, "pid": 1, "create_time": 1.0, "boot": "another", "device": "cpu-0"}
        (folder / "proc.json").write_text(json.dumps(proc))
        (folder / "alive.lock").touch()
    checkpoint(workspace.job("before-1"), 40)
    causes = {job.id: job.cause for job in list_jobs(workspace) if job.state == "lost"}
    assert causes == {
        "before-0": f"Lost: the machine was restarted. {UNSAVED}",
        "before-1": "Lost: the machine was restarted. Checkpoint 40 is complete: continue from it.",
    }
    request_stop(workspace, alive)
    assert follow(workspace, alive, poll_seconds=0.05).state == "stopped"
