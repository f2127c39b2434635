"""A snapshot can be read at any time; a question in SQL sees the tables of one, and nothing else of this machine."""

import os
import subprocess
import sys
import time

import duckdb
import pytest

from simtune_core import store
from simtune_core.errors import StoreError
from simtune_core.store.database import StoreSettings
from simtune_core.store.snapshots import QuerySettings

SMALL = StoreSettings(memory_limit_mb=64)
HOLD_AND_READ = """
import duckdb, sys
connection = duckdb.connect(sys.argv[1], read_only=True)
sys.stdout.write("open"); sys.stdout.flush(); sys.stdin.read()
print(connection.execute("SELECT count(*) FROM jobs").fetchone()[0])
"""


@pytest.fixture
def filled(workspace, make_job):
    make_job("one", losses=50)
    return workspace


def test_a_notebook_reads_a_snapshot_while_the_store_goes_on(filled, make_job):
    path = store.snapshot(filled)
    assert path.parent == filled.data / "snapshots"
    notebook = subprocess.Popen(
        [sys.executable, "-c", HOLD_AND_READ, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert notebook.stdout.read(4) == b"open"
    make_job("two", losses=5)
    assert store.ingest(filled).n_jobs == 1
    newer = store.snapshot(filled)  # the notebook keeps the one it has open
    assert notebook.communicate(b"")[0].split() == [b"1"]
    assert store.newest_snapshot(filled) == newer
    assert list(newer.parent.iterdir()) == [newer]


def test_what_a_killed_snapshot_left_is_removed_and_one_in_the_making_is_not(filled):
    folder = store.snapshot(filled).parent
    torn, begun = (
        folder / f".simtune-20260101-000000-000-{name}.duckdb.0011aabb.part" for name in ("aaaaaa", "bbbbbb")
    )
    for path in (torn, begun):
        path.write_bytes(b"half")
    os.utime(torn, (time.time() - 7200,) * 2)
    newest = store.snapshot(filled)
    assert sorted(folder.iterdir()) == [begun, newest]


def test_a_snapshot_holds_every_row_of_every_table(filled, tmp_path):
    path = store.snapshot(filled, tmp_path / "here it's.duckdb")
    with duckdb.connect(str(path), read_only=True) as connection:
        found = connection.execute("SELECT count(*), sum(value) FROM events WHERE kind = 'metric'").fetchone()
    assert found == (50, pytest.approx(sum(1 / step for step in range(1, 51))))
    assert store.newest_snapshot(filled) is None  # a copy elsewhere is not the workspace's own
    with pytest.raises(StoreError, match="exists already and nothing is overwritten"):
        store.snapshot(filled, path)


def test_a_question_is_answered_from_a_snapshot_whose_age_is_told(filled):
    answer = store.query(filled, "SELECT name, count(*) AS n, max(value) AS most FROM events GROUP BY name ORDER BY 1")
    assert answer.columns == ("name", "n", "most")
    assert ("loss", 50, 1.0) in answer.rows
    assert not answer.cut
    assert 0 <= answer.age_seconds < 600
    os.utime(answer.snapshot, (time.time() - 3600,) * 2)
    assert 3600 <= store.query(filled, "SELECT 1").age_seconds < 4200


def test_an_answer_is_cut_at_the_rows_it_may_have_and_says_so(filled):
    sql = "SELECT value FROM events WHERE kind = 'metric' ORDER BY value DESC"
    answer = store.query(filled, sql, QuerySettings(rows=3))
    assert answer.rows == ((1.0,), (0.5,), (1 / 3,))
    assert answer.cut
    assert not store.query(filled, sql, QuerySettings(rows=50)).cut
    (long,) = store.query(filled, "SELECT repeat('x', 20000), [1, 2], DATE '2026-01-02'").rows
    assert long == ("x" * 10_000, "[1, 2]", "2026-01-02")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('{secret}')",
        "SELECT * FROM read_text('{secret}')",
        "SELECT * FROM glob('{folder}/*')",
        "SELECT * FROM parquet_schema('{secret}')",
        "ATTACH '{other}'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "COPY jobs TO '{folder}/out.csv'",
        "EXPORT DATABASE '{folder}/out'",
        "SET enable_external_access = true",
        "PRAGMA database_list",
        "CREATE TABLE mine AS SELECT 1",
        "DELETE FROM jobs",
        "SELECT 1; SELECT * FROM read_text('{secret}')",
        "",
    ],
)
def test_a_question_for_anything_but_the_tables_is_not_allowed(filled, tmp_path, sql):
    secret, other = tmp_path / "secret.txt", tmp_path / "other.duckdb"
    secret.write_text("a secret")
    with duckdb.connect(str(other)) as connection:
        connection.execute("CREATE TABLE t AS SELECT 42 AS answer")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(StoreError, match="is not allowed and nothing was read: ") as refused:
        store.query(filled, sql.format(secret=secret, folder=tmp_path, other=other))
    assert "a secret" not in str(refused.value)
    assert sorted(tmp_path.iterdir()) == before
    assert store.query(filled, "SELECT count(*) FROM jobs").rows == ((1,),)


@pytest.mark.parametrize("name", ["/etc/passwd", "frame"])
def test_a_file_or_a_variable_is_no_table(filled, name):
    frame = [1, 2, 3]  # DuckDB would read a variable of the caller as a table
    with pytest.raises(StoreError, match="cannot answer: Catalog Error"):
        store.query(filled, f'SELECT * FROM "{name}"')
    assert frame == [1, 2, 3]


def test_a_question_that_needs_too_much_memory_is_told_and_the_next_is_answered(filled):
    with pytest.raises(StoreError, match="needs more than 64 MB; narrow the selection"):
        store.query(filled, "SELECT list(range) FROM range(100000000)", settings=SMALL)
    assert store.query(filled, "SELECT count(*) FROM jobs", settings=SMALL).rows == ((1,),)


def test_a_question_that_takes_too_long_is_interrupted(filled):
    endless = "SELECT count(*) FROM events a, events b, events c, events d, events e, events f, events g"
    began = time.monotonic()
    with pytest.raises(StoreError, match="took longer than it may and was stopped; narrow the selection"):
        store.query(filled, endless, QuerySettings(timeout_seconds=0.3))
    assert time.monotonic() - began < 60  # without a limit it takes days
    assert store.query(filled, "SELECT 1").rows == ((1,),)


def test_a_question_that_is_no_sql_is_told_in_one_line(filled):
    with pytest.raises(StoreError, match=r"cannot answer: Parser Error: syntax error at or near \"SELEC\"") as told:
        store.query(filled, "SELEC 1")
    assert "\n" not in str(told.value)
