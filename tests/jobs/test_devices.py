"""How many jobs may use the device of this machine at once, and what each of them sees of it."""

import os

import pytest

from simtune_core.jobs.devices import Slot, list_slots, slots_of, visible_gpus
from simtune_core.jobs.launcher import follow, launch, read_job, request_stop
from simtune_core.preferences import change_preferences


@pytest.mark.parametrize(
    ("gpus", "n_slots", "slots"),
    [
        ((), None, [("cpu-0", "")]),
        ((), 2, [("cpu-0", ""), ("cpu-1", "")]),
        (("0", "1"), None, [("cuda-0", "0"), ("cuda-1", "1")]),
        (("0", "1"), 1, [("cuda-0", "0")]),
        (("0", "1"), 3, [("cuda-0", "0"), ("cuda-1", "1"), ("cuda-0.1", "0")]),
        (("3",), 2, [("cuda-3", "3"), ("cuda-3.1", "3")]),
        (("MIG-GPU-8/1/0",), None, [("cuda-MIG-GPU-8_1_0", "MIG-GPU-8/1/0")]),
    ],
)
def test_a_slot_is_a_gpu_and_more_slots_share_them_in_turn(gpus, n_slots, slots):
    assert list_slots(gpus, n_slots) == tuple(Slot(*each) for each in slots)


@pytest.mark.parametrize(
    ("variable", "gpus"),
    [("", ()), ("-1", ()), ("0,2", ("0", "2")), ("0,-1,2", ("0",)), (" GPU-8a , GPU-9b", ("GPU-8a", "GPU-9b"))],
)
def test_cuda_visible_devices_says_which_gpus_there_are(monkeypatch, variable, gpus):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", variable)
    assert visible_gpus() == gpus


def test_the_number_of_slots_is_a_setting_of_the_workspace(workspace, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert [slot.name for slot in slots_of(workspace)] == ["cpu-0"]
    change_preferences(workspace, {"device_slots": 3})
    assert [slot.name for slot in slots_of(workspace)] == ["cpu-0", "cpu-1", "cpu-2"]


def test_two_slots_let_two_jobs_run_each_on_its_own_gpu_and_the_third_waits(
    workspace, processes, wait_until, monkeypatch
):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,7")
    jobs = [launch(workspace, "device_sleep", {"seconds": 600, "n": n}, title=f"job {n}") for n in range(3)]
    statuses = [read_job(workspace, job) for job in jobs]
    assert [(each.state, each.device, each.ahead) for each in statuses] == [
        ("running", "cuda-4", None),
        ("running", "cuda-7", None),
        ("queued", None, 2),
    ]
    workers = wait_until(lambda: (found := processes("worker")) and len(found) == 2 and found)
    assert sorted(worker.environ()["CUDA_VISIBLE_DEVICES"] for worker in workers) == ["4", "7"]
    request_stop(workspace, jobs[1])
    third = wait_until(lambda: (job := read_job(workspace, jobs[2])).state == "running" and job, seconds=30)
    assert third.device == "cuda-7"
    for job in (jobs[0], jobs[2]):
        request_stop(workspace, job)
        assert follow(workspace, job, poll_seconds=0.05).state == "stopped"


def test_a_job_without_a_slot_sees_no_gpu(workspace, processes, wait_until, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    job = launch(workspace, "sleep", {"seconds": 600}, title="needs none")
    (worker,) = wait_until(lambda: processes("worker"))
    assert worker.environ()["CUDA_VISIBLE_DEVICES"] == ""
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "0"
    request_stop(workspace, job)
    status = follow(workspace, job, poll_seconds=0.05)
    assert (status.state, status.device, status.ahead) == ("stopped", None, None)
