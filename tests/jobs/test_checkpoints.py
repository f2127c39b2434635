"""A checkpoint counts when it is complete, and what went wrong with another one is said."""

import json
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from simtune_core.errors import WorkspaceError
from simtune_core.jobs.checkpoints import newest_checkpoint, save_checkpoint, skipped_checkpoints


def save(job_folder, step, content=b"weights"):
    with save_checkpoint(job_folder, step) as folder:
        (folder / "model").mkdir()
        (folder / "model" / "weights.bin").write_bytes(content * 100)
        (folder / "state.json").write_text(json.dumps({"step": step}))


def test_the_newest_complete_checkpoint_is_the_one_and_two_are_kept(tmp_path):
    assert newest_checkpoint(tmp_path) is None
    for step in (100, 200, 1_000_000_000, 300):
        save(tmp_path, step)
    newest = newest_checkpoint(tmp_path, hashes=True)
    assert (newest.step, newest.skipped) == (1_000_000_000, ())
    assert json.loads((newest.folder / "state.json").read_text()) == {"step": 1_000_000_000}
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == ["step-00000300", "step-1000000000"]


def test_complete_names_every_file_with_size_and_hash(tmp_path):
    save(tmp_path, 7)
    complete = json.loads((newest_checkpoint(tmp_path).folder / "COMPLETE.json").read_text())
    assert (complete["v"], complete["step"]) == (1, 7)
    assert {name: file["bytes"] for name, file in complete["files"].items()} == {
        "model/weights.bin": 700,
        "state.json": 11,
    }
    assert {len(file["sha256"]) for file in complete["files"].values()} == {64}


def damage(folder, how):
    weights = folder / "model" / "weights.bin"
    if how == "cut":
        weights.write_bytes(weights.read_bytes()[:-1])
    elif how == "changed":
        weights.write_bytes(b"x" + weights.read_bytes()[1:])
    elif how == "missing":
        weights.unlink()
    elif how == "foreign":
        (folder / "optimizer.pt").write_bytes(b"not ours")
    elif how == "unmarked":
        (folder / "COMPLETE.json").unlink()
    else:
        (folder / "COMPLETE.json").write_text('{"files": {"model/weights.bin": 3}}')


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ("cut", "model/weights.bin has 699 bytes instead of 700"),
        ("changed", "model/weights.bin was changed or damaged"),
        ("missing", "model/weights.bin is missing"),
        ("foreign", "optimizer.pt does not belong to it"),
        ("unmarked", "it has no readable COMPLETE.json"),
        ("garbled", "it has no readable COMPLETE.json"),
    ],
)
def test_a_damaged_checkpoint_is_skipped_for_the_one_before_and_that_is_said(tmp_path, how, says):
    save(tmp_path, 100)
    save(tmp_path, 200)
    damage(tmp_path / "checkpoints" / "step-00000200", how)
    newest = newest_checkpoint(tmp_path, hashes=True)
    assert (newest.step, newest.skipped) == (100, (f"The checkpoint of step 200 is skipped: {says}.",))
    shutil.rmtree(newest.folder)
    assert newest_checkpoint(tmp_path, hashes=True) is None
    assert skipped_checkpoints(tmp_path, hashes=True) == newest.skipped


def test_a_damaged_checkpoint_is_written_again_and_a_complete_one_stays(tmp_path):
    save(tmp_path, 100)
    damage(tmp_path / "checkpoints" / "step-00000100", "cut")
    save(tmp_path, 100, b"second.")
    save(tmp_path, 100, b"third..")
    newest = newest_checkpoint(tmp_path, hashes=True)
    assert (newest.folder / "model" / "weights.bin").read_bytes() == b"second." * 100
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["step-00000100"]


def test_a_full_disk_leaves_the_checkpoints_before_as_they_are(tmp_path):
    save(tmp_path, 100)
    says = r"Disk full while writing step-00000200 \(.* GB free\)"
    with pytest.raises(WorkspaceError, match=says), save_checkpoint(tmp_path, 200) as folder:
        (folder / "half.bin").write_bytes(b"half")
        Path("/dev/full").write_bytes(b"what is written here finds no room")
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["step-00000100"]
    assert newest_checkpoint(tmp_path, hashes=True).step == 100


def test_a_file_that_may_not_grow_leaves_the_checkpoints_before_as_they_are(tmp_path):
    save(tmp_path, 100)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, hard))
    try:
        with pytest.raises(WorkspaceError, match="cannot be written: File too large"):
            save(tmp_path, 200)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert newest_checkpoint(tmp_path, hashes=True).step == 100
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["step-00000100"]


def test_a_kill_in_the_middle_of_writing_leaves_the_checkpoint_before(tmp_path):
    save(tmp_path, 100)
    code = (
        "import os, pathlib, signal, sys; from simtune_core.jobs.checkpoints import save_checkpoint\n"
        "with save_checkpoint(pathlib.Path(sys.argv[1]), 200) as folder:\n"
        "    (folder / 'state.json').write_text('{}')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path)]).returncode == -signal.SIGKILL
    newest = newest_checkpoint(tmp_path)
    assert newest.step == 100
    assert newest.skipped == ("The checkpoint of step 200 is skipped: its writing was interrupted.",)
    save(tmp_path, 300)
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == ["step-00000100", "step-00000300"]


def test_a_failure_of_the_kind_while_it_saves_is_its_own_and_leaves_nothing(tmp_path):
    with pytest.raises(ZeroDivisionError), save_checkpoint(tmp_path, 100) as folder:
        (folder / "state.json").write_text("{}")
        raise ZeroDivisionError
    assert list((tmp_path / "checkpoints").iterdir()) == []
