"""The store is opened by one process at a time, survives damage, and never overwrites what is not its own."""

import re
import subprocess
import sys
import threading

import duckdb
import pytest

from simtune_core import store
from simtune_core.errors import ConfigError, StoreError
from simtune_core.store.access import ask
from simtune_core.store.database import StoreSettings
from simtune_core.store.faults import is_damage, sentence_for

HOLD = """
import sys
from simtune_core.store.access import ask
from simtune_core.workspace import open_workspace
def hold(database):
    sys.stdout.write("held"); sys.stdout.flush(); sys.stdin.read()
ask(open_workspace(sys.argv[1]), hold)
"""
FORK = """
import os, sys
from simtune_core.errors import StoreError
from simtune_core.store.access import ask
from simtune_core.workspace import open_workspace
def use_in_a_child(database):
    child = os.fork()
    if child == 0:
        try:
            print("child:", database.rows("SELECT 1"))
        except StoreError as error:
            print("child:", error)
        sys.stdout.flush()
        os._exit(0)
    os.waitpid(child, 0)
    print("parent:", database.rows("SELECT 1"))
ask(open_workspace(sys.argv[1]), use_in_a_child)
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
    writers = [subprocess.Popen([*command, name]) for name in "abcd"]
    assert [writer.wait() for writer in writers] == [0, 0, 0, 0]
    rows = ask(
        workspace, lambda database: database.rows("SELECT message, count(*) FROM notices GROUP BY ALL ORDER BY 1")
    )
    assert rows == [("a", 15), ("b", 15), ("c", 15), ("d", 15)]


def test_threads_of_one_process_take_turns_too(workspace, make_job):
    make_job("one", losses=20)
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(store.counts(workspace).n_metrics)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [20] * 6


def test_an_interrupted_transaction_leaves_no_row(workspace):
    def interrupted(database):
        with database.transaction():
            database.run("INSERT INTO notices VALUES (1, 'half')")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ask(workspace, interrupted)
    assert ask(workspace, lambda database: database.rows("SELECT * FROM notices")) == []


def test_a_session_is_refused_in_a_forked_process(workspace):
    done = subprocess.run(
        [sys.executable, "-c", FORK, str(workspace.root)], capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout == (
        "child: The results store must be used by the process that opened it; open it anew after a fork.\n"
        "parent: [(1,)]\n"
    )


def test_extensions_are_never_fetched(workspace):
    sql = "SELECT name, value FROM duckdb_settings() WHERE name IN ('autoinstall_known_extensions', 'threads')"
    settings = dict(ask(workspace, lambda database: database.rows(sql), StoreSettings(threads=1)))
    assert settings == {"autoinstall_known_extensions": "false", "threads": "1"}


def test_errors_of_the_database_are_told_as_sentences(workspace):
    with pytest.raises(StoreError, match="The results store cannot answer: Catalog Error"):
        ask(workspace, lambda database: database.rows("SELECT * FROM nothing"))
    full = duckdb.IOException('IO Error: Could not write file "x": No space left on device')
    assert not is_damage(full)
    sentence = sentence_for(full, workspace, memory_limit_mb=1024)
    assert re.match(
        r"Disk full: results are kept in the job folders and will be imported later; \d+\.\d GB free", sentence
    )
    newer = duckdb.IOException("Trying to read a database file with storage version number 99, but we can only read")
    assert not is_damage(newer)
    assert "written by a newer DuckDB" in sentence_for(newer, workspace, memory_limit_mb=1024)
    with pytest.raises(ConfigError, match="threads"):
        StoreSettings(threads=0)
