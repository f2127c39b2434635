"""The store is opened by one process at a time, survives damage, and never overwrites what is not its own."""

import os
import subprocess
import sys
import threading

import duckdb
import pytest

from simtune_core import store
from simtune_core.errors import ConfigError, StoreError
from simtune_core.store.access import ask
from simtune_core.store.database import StoreSettings, is_damage, sentence_for

HOLD = """
import sys
from simtune_core.store.access import ask
from simtune_core.workspace import open_workspace
def hold(database):
    sys.stdout.write("held"); sys.stdout.flush(); sys.stdin.read()
ask(open_workspace(sys.argv[1]), hold)
"""
TAKE_TURNS = """
import sys
from simtune_core.store.access import ask
from simtune_core.store.database import StoreSettings
from simtune_core.workspace import open_workspace
workspace, name = open_workspace(sys.argv[1]), sys.argv[2]
for number in range(15):
    put = lambda database: database.run("INSERT INTO notices VALUES (?, ?)", [number, name])
    ask(workspace, put, StoreSettings(lock_seconds=60))
"""


def kept(workspace):
    return sorted(path.name for path in workspace.data.glob("simtune.duckdb.damaged-*"))


def test_a_store_in_use_by_another_process_names_it(workspace):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(workspace.root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout.read(4) == b"held"
    sentence = rf"in use by python\S* \(PID {holder.pid}\); try again"
    with pytest.raises(StoreError, match=sentence):
        store.ingest(workspace, StoreSettings(lock_seconds=0.2))
    holder.communicate(b"")
    assert holder.returncode == 0
    assert store.ingest(workspace).n_jobs == 0


def test_processes_that_take_turns_lose_no_committed_row(workspace):
    command = [sys.executable, "-c", TAKE_TURNS, str(workspace.root)]
    writers = [subprocess.Popen([*command, name]) for name in "abc"]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    rows = ask(
        workspace, lambda database: database.rows("SELECT message, count(*) FROM notices GROUP BY ALL ORDER BY 1")
    )
    assert rows == [("a", 15), ("b", 15), ("c", 15)]


def test_threads_of_one_process_take_turns_too(workspace, make_job):
    make_job("one", losses=20)
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(store.counts(workspace).n_metrics)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [20] * 6


@pytest.mark.parametrize("content", [b"", b"hello", b"a text file, no store\n" * 4000], ids=["empty", "tiny", "text"])
def test_a_file_that_is_no_store_is_kept_and_the_store_made_again(workspace, make_job, content):
    make_job("one", losses=7)
    workspace.store.write_bytes(content)
    assert store.counts(workspace).n_metrics == 7
    (name,) = kept(workspace)
    assert (workspace.data / name).read_bytes() == content
    (notice,) = store.ingest(workspace).notices
    assert notice.endswith(f"has been made again from 1 job folders; the old file is kept as {name}.")
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
    assert store.check(workspace).clean
    assert len(kept(workspace)) == 1


def test_a_database_of_somebody_else_is_not_touched(workspace, make_job):
    make_job("one", losses=2)
    with duckdb.connect(str(workspace.store)) as connection:
        connection.execute("CREATE TABLE theirs AS SELECT 42 AS answer")
    assert store.counts(workspace).n_metrics == 2
    (name,) = kept(workspace)
    with duckdb.connect(str(workspace.data / name)) as connection:
        assert connection.execute("SELECT answer FROM theirs").fetchone() == (42,)


def test_a_rebuild_keeps_a_file_that_is_not_ours(workspace, make_job):
    make_job("one", losses=2)
    workspace.store.write_bytes(b"a file of somebody else")
    assert store.rebuild(workspace).n_jobs == 1
    (name,) = kept(workspace)
    assert (workspace.data / name).read_bytes() == b"a file of somebody else"
    assert store.rebuild(workspace).n_jobs == 1
    assert kept(workspace) == [name]


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


def test_a_lost_write_ahead_log_is_made_up_for_from_the_files(workspace, make_job):
    make_job("one", losses=9)
    store.ingest(workspace)
    ask(workspace, lambda database: database.run("CHECKPOINT"))
    before = workspace.store.read_bytes()
    make_job("two", losses=5)
    store.ingest(workspace)
    workspace.store.write_bytes(before)  # what DuckDB silently goes back to when the log is gone
    workspace.store.with_name("simtune.duckdb.wal").unlink(missing_ok=True)
    assert store.counts(workspace).n_metrics == 9
    assert store.ingest(workspace).n_jobs == 1
    assert store.counts(workspace).n_metrics == 14


def test_a_check_sees_rows_that_are_missing_or_too_many(workspace, make_job):
    make_job("one", losses=5)
    make_job("two", losses=5)
    assert store.check(workspace).clean
    ask(workspace, lambda database: database.run("DELETE FROM events WHERE job_id = 'one' AND seq = 2"))
    found = store.check(workspace)
    assert [(item.job_id, item.n_lines - item.n_rows) for item in found.differences] == [("one", 1)]
    assert not found.clean
    store.rebuild(workspace)
    assert store.check(workspace).clean


def test_an_interrupted_transaction_leaves_no_row(workspace):
    def interrupted(database):
        with database.transaction():
            database.run("INSERT INTO notices VALUES (1, 'half')")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ask(workspace, interrupted)
    assert ask(workspace, lambda database: database.rows("SELECT * FROM notices")) == []


def test_a_session_is_refused_in_a_forked_process(workspace, monkeypatch):
    def use_elsewhere(database):
        with monkeypatch.context() as patch:
            patch.setattr("simtune_core.store.database.os.getpid", lambda: -1)
            database.rows("SELECT 1")

    with pytest.raises(StoreError, match="open it anew after a fork"):
        ask(workspace, use_elsewhere)


def test_extensions_are_never_fetched(workspace):
    sql = "SELECT name, value FROM duckdb_settings() WHERE name IN ('autoinstall_known_extensions', 'threads')"
    settings = dict(ask(workspace, lambda database: database.rows(sql), StoreSettings(threads=1)))
    assert settings == {"autoinstall_known_extensions": "false", "threads": "1"}


def test_errors_of_the_database_are_told_as_sentences(workspace):
    with pytest.raises(StoreError, match="The results store cannot answer: Catalog Error"):
        ask(workspace, lambda database: database.rows("SELECT * FROM nothing"))
    full = duckdb.IOException('IO Error: Could not write file "x": No space left on device')
    assert not is_damage(full)
    assert sentence_for(full).startswith("Disk full: results are kept in the job folders")
    newer = duckdb.IOException("Trying to read a database file with version number 99, but we can only read 64")
    assert not is_damage(newer)
    assert "written by a newer DuckDB than" in sentence_for(newer)
    with pytest.raises(ConfigError, match="threads"):
        StoreSettings(threads=0)
