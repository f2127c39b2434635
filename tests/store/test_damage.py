"""Whatever happens to the file of the store: nothing of the jobs is lost, nothing is overwritten, and it is told."""

import os
import re
import signal
import struct
import subprocess
import sys

import duckdb
import pytest

from simtune_core import store
from simtune_core.errors import StoreError
from simtune_core.store.access import ask

INGEST_AND_DIE = """
import os, signal, sys
from simtune_core.store.access import ask, fill_slice
from simtune_core.store.database import StoreSettings
from simtune_core.workspace import open_workspace
workspace = open_workspace(sys.argv[1])
def work(database):
    fill_slice(database, workspace, StoreSettings(slice_seconds=60))
    os.kill(os.getpid(), signal.SIGKILL)
ask(workspace, work, needs="nothing")
"""


def kept(workspace, why="damaged"):
    return sorted(path.name for path in workspace.data.glob(f"simtune.duckdb.{why}-*"))


def die_with_a_log(workspace):
    """Ingest what is new and be killed before the write-ahead log is merged into the file; return the log."""
    done = subprocess.run([sys.executable, "-c", INGEST_AND_DIE, str(workspace.root)])
    assert done.returncode == -signal.SIGKILL
    log = workspace.data / "simtune.duckdb.wal"
    assert log.stat().st_size > 1000
    return log


def n_events(workspace, job_id):
    sql = "SELECT count(*) FROM events WHERE job_id = ?"
    return ask(workspace, lambda database: database.rows(sql, [job_id]))[0][0]


def checksum(block):
    """Return DuckDB's checksum of a block whose length is a multiple of 8."""
    total = 5381
    for (word,) in struct.iter_unpack("<Q", block):
        total ^= word * 0xBF58476D1CE4E5B9 % 2**64
    return total


@pytest.mark.parametrize("content", [b"", b"hello", b"a text file, no store\n" * 4000], ids=["empty", "tiny", "text"])
def test_a_file_that_is_no_store_is_kept_and_the_store_made_again(workspace, make_job, content):
    make_job("one", losses=7)
    workspace.store.write_bytes(content)
    assert store.counts(workspace).n_metrics == 7
    (name,) = kept(workspace)
    assert (workspace.data / name).read_bytes() == content
    (notice,) = store.ingest(workspace).notices
    assert notice == (
        "The results store was damaged or is no database and has been made again from 1 job folders; "
        f"the old file is kept as {name}."
    )
    assert store.ingest(workspace).notices == ()


@pytest.mark.parametrize("damage", ["cut", "blocks", "header"])
def test_a_damaged_store_is_made_again_with_every_row(workspace, make_job, damage):
    make_job("one", losses=[(step * 7919) % 1000 / 7 for step in range(3000)])
    live = store.counts(workspace)
    content = bytearray(workspace.store.read_bytes())
    if damage == "cut":
        content = content[: len(content) // 2]
    elif damage == "header":
        content[:4096] = bytes(4096)
    else:
        content[12288:] = os.urandom(len(content) - 12288)
    workspace.store.write_bytes(content)
    assert store.counts(workspace) == live
    assert len(kept(workspace)) == 1
    checked = store.check(workspace)
    assert checked.clean
    assert re.search(r"made again from 1 job folders; the old file is kept as simtune\.duckdb\.dam", checked.notices[0])


def test_a_database_of_somebody_else_is_not_touched(workspace, make_job):
    make_job("one", losses=2)
    with duckdb.connect(str(workspace.store)) as connection:
        connection.execute("CREATE TABLE theirs AS SELECT 42 AS answer")
    assert store.counts(workspace).n_metrics == 2
    (name,) = kept(workspace, "foreign")
    with duckdb.connect(str(workspace.data / name)) as connection:
        assert connection.execute("SELECT answer FROM theirs").fetchone() == (42,)
    assert "was not one of simtune's and has been made again" in store.ingest(workspace).notices[0]


def test_a_database_with_a_table_of_the_same_name_is_not_taken_for_ours(workspace, make_job):
    make_job("one", losses=2)
    with duckdb.connect(str(workspace.store)) as connection:
        connection.execute("CREATE TABLE meta AS SELECT 42 AS answer")
    assert store.counts(workspace).n_metrics == 2
    assert len(kept(workspace, "foreign")) == 1


def test_a_rebuild_keeps_a_file_that_is_not_ours(workspace, make_job):
    make_job("one", losses=2)
    workspace.store.write_bytes(b"a file of somebody else")
    assert store.rebuild(workspace).n_jobs == 1
    (name,) = kept(workspace)
    assert (workspace.data / name).read_bytes() == b"a file of somebody else"
    assert store.rebuild(workspace).n_jobs == 1
    assert kept(workspace) == [name]


def test_a_deleted_store_is_made_again_without_a_word(workspace, make_job):
    make_job("one", losses=5)
    live = store.counts(workspace)
    workspace.store.unlink()
    assert store.counts(workspace) == live
    assert store.ingest(workspace).notices == ()


@pytest.mark.parametrize("damage", ["deleted", "cut", "flipped", "garbage"])
def test_rows_that_vanish_with_the_write_ahead_log_are_restored_and_counted(workspace, make_job, damage):
    make_job("one", losses=9)
    store.ingest(workspace)
    make_job("two", losses=600)
    make_job("three", losses=400)
    log = die_with_a_log(workspace)
    content = bytearray(log.read_bytes())
    if damage == "deleted":
        log.unlink()
    elif damage == "garbage":
        log.write_bytes(os.urandom(len(content)))
    else:
        content[200] ^= 0xFF
        log.write_bytes(content if damage == "flipped" else content[:100])
    notices = store.ingest(workspace).notices
    (n_restored,) = [found[1] for text in notices if (found := re.search(r"([\d,]+) rows restored", text))]
    assert int(n_restored.replace(",", "")) == n_events(workspace, "two") + n_events(workspace, "three")
    assert store.counts(workspace).n_metrics == 1009
    assert "restored for 2 jobs from their folders" in notices[-1]
    assert store.check(workspace).clean
    if damage == "flipped":
        assert "write-ahead log of the results store was damaged; it is kept as simtune.duckdb.wal.dam" in notices[0]


def test_a_write_ahead_log_that_is_whole_is_read_and_nothing_is_told(workspace, make_job):
    make_job("one", losses=9)
    store.ingest(workspace)
    make_job("two", losses=600)
    die_with_a_log(workspace)
    ingested = store.ingest(workspace)
    assert (ingested.n_events, ingested.notices) == (0, ())
    assert store.counts(workspace).n_metrics == 609


def test_a_store_that_was_set_back_in_time_gets_its_rows_back(workspace, make_job):
    make_job("one", losses=9)
    store.ingest(workspace)
    before = workspace.store.read_bytes()
    make_job("two", losses=5)
    store.ingest(workspace)
    workspace.store.write_bytes(before)
    assert store.counts(workspace).n_metrics == 14  # the first question of all restores them
    (notice,) = store.ingest(workspace).notices
    assert notice.endswith("restored for 1 job from their folders.")


def test_a_store_of_a_newer_simtune_is_refused_and_left_alone(workspace, make_job):
    make_job("one")
    store.ingest(workspace)
    ask(workspace, lambda database: database.run("UPDATE meta SET value = '7' WHERE key = 'schema_version'"))
    content = workspace.store.read_bytes()
    with pytest.raises(StoreError, match=r"has schema 7, this program knows up to \d+.*`store rebuild`"):
        store.counts(workspace)
    assert workspace.store.read_bytes() == content
    assert kept(workspace) == []
    assert store.rebuild(workspace).n_jobs == 1


def test_a_file_of_a_newer_duckdb_is_refused_and_left_alone(workspace, make_job):
    make_job("one", losses=4)
    store.ingest(workspace)
    content = bytearray(workspace.store.read_bytes())
    content[12:20] = struct.pack("<Q", 1207)  # the storage version, in a header with a checksum
    content[:8] = struct.pack("<Q", checksum(bytes(content[8:4096])))
    workspace.store.write_bytes(content)
    sentence = rf"newer DuckDB \(storage version 1207\); this is DuckDB {duckdb.__version__}.*`store rebuild`"
    with pytest.raises(StoreError, match=sentence):
        store.counts(workspace)
    assert workspace.store.read_bytes() == content
    assert kept(workspace) == []
    assert store.rebuild(workspace).n_jobs == 1
    assert store.counts(workspace).n_metrics == 4
    assert (workspace.data / kept(workspace)[0]).read_bytes() == content
