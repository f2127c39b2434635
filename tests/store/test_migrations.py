"""A store of an older schema is copied, upgraded in one transaction, and holds what the files say; it may be killed."""

import os
import random
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import duckdb
import pytest

from simtune_core import store
from simtune_core.store import schema
from simtune_core.store.access import ask
from simtune_core.workspace import open_workspace

WRITTEN_BY_SCHEMA_1 = Path(__file__).parent / "schema-1.tar.gz"  # by the code of that time: a store and its job folders
UPGRADE_AND_DIE = """
import os, signal, sys
from simtune_core.store.access import ask
from simtune_core.store.database import Database
from simtune_core.workspace import open_workspace
workspace, deadly = open_workspace(sys.argv[1]), sys.argv[2]
run = Database.run
def run_or_die(database, sql, values=()):
    if sql.startswith(deadly):
        os.kill(os.getpid(), signal.SIGKILL)
    run(database, sql, values)
Database.run = run_or_die
ask(workspace, lambda database: None)
"""
UPGRADE = """
import sys
from simtune_core.store.access import ask
from simtune_core.workspace import open_workspace
workspace = open_workspace(sys.argv[1])
sys.stdout.write("ready"); sys.stdout.flush()
ask(workspace, lambda database: None)
"""


@pytest.fixture
def old(tmp_path):
    with tarfile.open(WRITTEN_BY_SCHEMA_1) as archive:
        archive.extractall(tmp_path, filter="data")
    return open_workspace(tmp_path)


def copies(workspace):
    return sorted(workspace.data.glob("simtune.duckdb.schema-*"))


def tables(workspace):
    """Return every row of every table; what is kept in `notices` and `meta` is no part of it."""
    return ask(
        workspace,
        lambda database: {table: database.rows(f"SELECT * FROM {table} ORDER BY ALL") for table in schema.TABLES},
    )


def test_a_store_of_schema_1_is_copied_upgraded_and_complete(old):
    found = store.counts(old)
    assert (found.n_jobs, found.n_events, found.n_metrics, found.n_runs, found.n_evaluations) == (3, 53, 50, 1, 1)
    (copy,) = copies(old)
    newest = len(schema.MIGRATIONS)
    assert store.ingest(old).notices == (
        f"The results store was brought from schema 1 to {newest}; the old file is kept as {copy.name}.",
    )
    with duckdb.connect(str(copy), read_only=True) as connection:
        assert connection.execute("SELECT value FROM meta WHERE key = 'schema_version'").fetchone() == ("1",)
        assert connection.execute("SELECT count(*) FROM events").fetchone() == (53,)
    upgraded = tables(old)
    assert {row[-3] for row in upgraded["jobs"]} == {1}  # the attempt, a column that schema 1 did not have
    assert store.check(old).clean
    store.rebuild(old)
    assert tables(old) == upgraded
    assert store.evaluations(old)["value"].tolist() == [0.59, 0.78]


def test_an_upgrade_happens_once_and_keeps_only_the_newest_copy(old):
    content = old.store.read_bytes()
    store.counts(old)
    (first,) = copies(old)
    store.counts(old)
    assert copies(old) == [first]
    old.store.write_bytes(content)  # somebody put the old file back
    store.counts(old)
    (second,) = copies(old)
    assert second.name > first.name
    assert second.stat().st_size == len(content)


@pytest.mark.parametrize("deadly", ["ALTER TABLE jobs ADD COLUMN device", "UPDATE jobs SET settled", "CHECKPOINT"])
def test_killed_in_the_middle_of_a_schema_change_the_store_opens_with_every_row(old, deadly):
    done = subprocess.run([sys.executable, "-c", UPGRADE_AND_DIE, str(old.root), deadly])
    assert done.returncode == -signal.SIGKILL
    assert store.counts(old).n_events == 53
    assert store.check(old).clean
    assert len(copies(old)) == 1


@pytest.mark.slow
def test_killed_at_any_moment_of_a_schema_change_the_store_opens_with_every_row(old):
    content = old.store.read_bytes()
    seed = int(os.environ.get("SIMTUNE_SEED", "20260731"))
    rng, n_killed = random.Random(seed), 0
    for _ in range(8):
        old.store.write_bytes(content)
        upgrader = subprocess.Popen([sys.executable, "-c", UPGRADE, str(old.root)], stdout=subprocess.PIPE)
        assert upgrader.stdout.read(5) == b"ready"
        time.sleep(rng.uniform(0.0, 0.12))
        upgrader.kill()
        n_killed += upgrader.wait() == -signal.SIGKILL
        upgrader.stdout.close()
        assert store.counts(old).n_events == 53, f"seed {seed}"
    assert n_killed >= 2, f"seed {seed}: the upgrader was too fast to be killed"
    assert store.check(old).clean
    assert len(copies(old)) == 1
    assert not list(old.data.glob("simtune.duckdb.damaged-*"))
