"""A list of many jobs reads what cannot change once, and is never wrong about a folder that was made anew."""

import shutil

import pytest

from simtune_core.files import write_json
from simtune_core.jobs.checkpoints import save_checkpoint
from simtune_core.jobs.launcher import list_jobs, read_job


@pytest.fixture
def make(workspace):
    """Return a function that makes the folder of a job that has ended."""

    def finished(job_id="one", title="first", state="done"):
        folder = workspace.job(job_id)
        spec = {"v": 1, "id": job_id, "kind": "sleep", "title": title, "params": {}, "spec_hash": "x", "created": 1.0}
        write_json(folder / "spec.json", spec)
        write_json(folder / "exit.json", {"v": 1, "state": state, "cause": "", "ended": 2.0, "latest": {}})
        return folder

    return finished


def test_a_job_that_has_ended_is_read_once(workspace, make):
    make("one")
    make("two")
    first, second = list_jobs(workspace), list_jobs(workspace)
    assert [status.id for status in first] == ["two", "one"]
    assert all(before is now for before, now in zip(first, second, strict=True))


def test_a_folder_that_was_deleted_and_made_again_is_shown_as_it_is_now(workspace, make):
    folder = make(title="first", state="failed")
    assert read_job(workspace, "one").state == "failed"
    shutil.rmtree(folder)
    assert list_jobs(workspace) == []
    make(title="made again", state="done")
    (status,) = list_jobs(workspace)
    assert (status.title, status.state) == ("made again", "done")


def test_a_checkpoint_that_is_removed_later_is_no_longer_offered(workspace, make):
    folder = make(state="failed")
    with save_checkpoint(folder, 3) as checkpoint:
        (checkpoint / "weights").write_bytes(b"x")
    assert read_job(workspace, "one").checkpoint == 3
    shutil.rmtree(folder / "checkpoints" / "step-00000003")
    assert read_job(workspace, "one").checkpoint is None


def test_an_exit_that_was_damaged_when_first_seen_is_read_again(workspace, make):
    folder = make()
    whole = (folder / "exit.json").read_bytes()
    (folder / "exit.json").write_bytes(whole[:20])
    assert read_job(workspace, "one").state != "done"
    (folder / "exit.json").write_bytes(whole)
    assert read_job(workspace, "one").state == "done"


def test_a_job_that_ends_between_two_looks_has_ended(workspace, make):
    folder = make()
    (folder / "exit.json").rename(folder / "kept.json")
    assert read_job(workspace, "one").state == "queued"
    (folder / "kept.json").rename(folder / "exit.json")
    assert read_job(workspace, "one").state == "done"
