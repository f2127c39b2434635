"""The cache keeps to its limit, gives up first what was used longest ago, and may lose a file at any moment."""

import json
import os
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest

from simtune_core.cache import keep_within_limit, list_groups, mark_used
from simtune_core.encoders.embedding import cache_folder, embed
from simtune_core.preferences import change_preferences
from simtune_core.workspace import CHECKOUT

HOUR = 3600.0
TEXTS = [f"ticket {number}: printer on floor {number} is offline" for number in range(40)]
READER = """
import json, sys
from pathlib import Path
import numpy as np
from simtune_core.encoders.catalogue import resolve_encoder
from simtune_core.encoders.embedding import embed
from simtune_core.workspace import open_workspace
workspace, texts = open_workspace(sys.argv[1]), json.loads(sys.argv[2])
encoder = resolve_encoder(workspace, "minilm")
print("ready", flush=True)
sys.stdin.readline()
made = [embed(workspace, encoder, texts, precision="fp32") for _ in range(6)]
worst = max(float(np.abs(each.vectors - made[0].vectors).max()) for each in made)
print(json.dumps({"computed": [each.n_computed for each in made], "worst": worst}))
"""


def held(workspace, name, n_bytes, *, hours_ago):
    path = workspace.cache / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * n_bytes)
    at = time.time() - hours_ago * HOUR
    os.utime(path, (at, at))
    return path


def test_what_was_used_longest_ago_goes_first_and_no_more_than_needed(workspace):
    oldest = held(workspace, "embeddings/a/part-1.npz", 400, hours_ago=9)
    older = held(workspace, "scores/b.npz", 400, hours_ago=5)
    newer = held(workspace, "embeddings/a/part-2.npz", 400, hours_ago=2)

    done = keep_within_limit(workspace, limit_bytes=1000)

    assert (done.n_files, done.n_bytes, done.n_bytes_left, done.limit_bytes) == (1, 400, 800, 1000)
    assert [path.exists() for path in (oldest, older, newer)] == [False, True, True]


def test_a_use_is_marked_and_saves_from_being_the_next(workspace):
    first, second = held(workspace, "x/first", 100, hours_ago=9), held(workspace, "x/second", 100, hours_ago=5)
    mark_used(first)
    mark_used(workspace.cache / "x" / "gone")

    keep_within_limit(workspace, limit_bytes=100)

    assert (first.exists(), second.exists()) == (True, False)


def test_what_a_running_job_has_just_used_stays_whatever_the_limit(workspace):
    young = held(workspace, "x/young", 100, hours_ago=0.1)
    held(workspace, "x/old", 100, hours_ago=0.3)

    done = keep_within_limit(workspace, limit_bytes=0)

    assert young.exists()
    assert (done.n_files, done.n_bytes_left) == (1, 100)


def test_what_a_killed_writer_left_goes_even_below_the_limit(workspace):
    left, fresh = held(workspace, "x/.a.12ab.part", 50, hours_ago=1), held(workspace, "x/.b.34cd.part", 50, hours_ago=0)
    whole = held(workspace, "x/a", 50, hours_ago=9)

    assert keep_within_limit(workspace, limit_bytes=10_000).n_files == 1
    assert [path.exists() for path in (left, fresh, whole)] == [False, True, True]


def test_a_link_is_neither_followed_nor_removed(workspace, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_bytes(b"x" * 500)
    os.utime(outside / "precious", (1, 1))
    (workspace.cache / "folder").symlink_to(outside)
    (workspace.cache / "file").symlink_to(outside / "precious")

    done = keep_within_limit(workspace, limit_bytes=0, young_seconds=0)

    assert (done.n_files, done.n_bytes_left, list_groups(workspace)) == (0, 0, [])
    assert (outside / "precious").read_bytes() == b"x" * 500

    workspace.cache.rename(tmp_path / "moved")
    workspace.cache.symlink_to(outside)
    assert keep_within_limit(workspace, limit_bytes=0, young_seconds=0).n_files == 0
    assert (outside / "precious").exists()


def test_groups_tell_what_takes_the_room(workspace):
    held(workspace, "embeddings/a/part-1.npz", 300, hours_ago=2)
    held(workspace, "embeddings/b/part-1.npz", 200, hours_ago=1)
    held(workspace, "duckdb/spill", 100, hours_ago=3)
    held(workspace, "stray", 5, hours_ago=3)

    groups = list_groups(workspace)

    assert [(group.name, group.n_files, group.n_bytes) for group in groups] == [
        ("embeddings", 2, 500), ("duckdb", 1, 100), ("other", 1, 5),
    ]  # fmt: skip
    assert time.time() - groups[0].used == pytest.approx(HOUR, abs=60)


def test_embedding_marks_what_it_reads_and_makes_room_for_what_it_writes(workspace, minilm):
    folder = cache_folder(workspace, minilm, "fp32")
    embed(workspace, minilm, TEXTS[:3], precision="fp32")
    (used,) = folder.iterdir()
    embed(workspace, minilm, ["never asked for again"], precision="fp32")
    (unused,) = set(folder.iterdir()) - {used}
    for path in (used, unused):
        os.utime(path, (time.time() - 9 * HOUR,) * 2)
    stranger = held(workspace, "scores/large", 11_000_000, hours_ago=1)
    change_preferences(workspace, {"cache_limit_gb": 0.01})

    made = embed(workspace, minilm, TEXTS[:4], precision="fp32")

    assert made.n_computed == 1
    assert used.exists(), "its vectors were read just now"
    assert not unused.exists()
    assert not stranger.exists(), "with it the cache is larger than its limit of 10 MB"


def test_a_reader_in_another_process_computes_again_what_vanishes_under_it(workspace, minilm):
    embed(workspace, minilm, TEXTS, precision="fp32")
    shatter(cache_folder(workspace, minilm, "fp32"))
    command = [sys.executable, "-c", READER, str(workspace.root), json.dumps(TEXTS)]
    with subprocess.Popen(command, cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as reader:
        assert reader.stdout.readline() == "ready\n"
        reader.stdin.write("go\n")
        reader.stdin.flush()
        n_removed = 0
        while reader.poll() is None:
            held_bytes = sum(group.n_bytes for group in list_groups(workspace))
            n_removed += keep_within_limit(workspace, limit_bytes=held_bytes // 2, young_seconds=0).n_files
            if n_removed >= len(TEXTS) // 2:
                shutil.rmtree(workspace.cache, ignore_errors=True)
            time.sleep(0.01)
        said = json.loads(reader.stdout.read())

    assert reader.returncode == 0
    assert n_removed >= len(TEXTS) // 2
    assert sum(said["computed"]) > 0
    assert said["worst"] < 1e-4


def shatter(folder):
    """Write the vectors of the one cache file as one file each, so that there is much to lose."""
    (whole,) = folder.iterdir()
    with np.load(whole) as part:
        keys, vectors = part["keys"], part["vectors"]
    for row in range(len(keys)):
        np.savez(folder / f"part-{row:03d}.npz", keys=keys[row : row + 1], vectors=vectors[row : row + 1])
    whole.unlink()
