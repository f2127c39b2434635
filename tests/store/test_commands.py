"""`simtune store ...`: every sentence and number of the store without a browser."""

import json

import pytest
from typer.testing import CliRunner

from simtune_core import store
from simtune_core.cli import app
from simtune_core.store.access import ask


@pytest.fixture
def run(workspace):
    def run(*arguments, as_json=True):
        options = ["--workspace", str(workspace.root), *(["--json"] if as_json else [])]
        done = CliRunner().invoke(app, ["store", *arguments, *options])
        assert done.exception is None or isinstance(done.exception, SystemExit)
        return (json.loads(done.stdout) if as_json else done.stdout), done.exit_code

    return run


def test_a_check_tells_what_it_repaired_and_what_it_cannot(workspace, make_job, run):
    (make_job("one", losses=5) / "result.json").unlink()
    store.ingest(workspace)
    ask(workspace, lambda database: database.run("DELETE FROM events WHERE seq = 2"))
    found, _ = run("check", "--no-repair")
    assert found["result"]["repaired"] == []
    assert [finding["code"] for finding in found["findings"]] == ["job_rows", "result_missing"]
    assert found["findings"][0]["message"].endswith("To repair it, run `store check`, which repairs it.")
    found, exit_code = run("check", "--fail-on", "finding")
    assert exit_code == 1
    assert [each.partition(":")[0] for each in found["result"]["repaired"]] == ["Job one"]
    assert [finding["code"] for finding in found["findings"]] == ["result_missing"]
    assert found["result"]["n_rows"] == found["result"]["n_lines"] > 5


def test_a_check_shows_notices_of_earlier_repairs_to_a_person(workspace, make_job, run):
    make_job("one", losses=5)
    workspace.store.write_bytes(b"no store")
    said, exit_code = run("check", as_json=False)
    assert exit_code == 0
    assert "has been made again from 1 job folders; the old file is kept as simtune.duckdb.damaged-" in said
    assert "The store agrees with the files." in said


def test_a_question_shows_its_rows_where_they_come_from_and_that_there_are_more(make_job, run):
    make_job("one", losses=5)
    sql = "SELECT name, value, 'nan'::DOUBLE AS no FROM events WHERE kind = 'metric' ORDER BY value"
    found, _ = run("query", sql, "--rows", "2")
    assert found["result"]["columns"] == ["name", "value", "no"]
    assert found["result"]["rows"] == [["loss", 0.2, None], ["loss", 0.25, None]]
    assert found["result"]["cut"] is True
    said, _ = run("query", sql, "--rows", "2", as_json=False)
    assert "Only the first 2 rows are shown" in said
    assert f"From {found['result']['snapshot']}, taken " in said


def test_a_question_sees_what_is_new_only_in_a_fresh_snapshot(make_job, run):
    make_job("one")
    count = ("query", "SELECT count(*) FROM jobs")
    assert run(*count)[0]["result"]["rows"] == [[1]]
    make_job("two")
    assert run(*count)[0]["result"]["rows"] == [[1]]
    assert run(*count, "--fresh")[0]["result"]["rows"] == [[2]]


def test_a_question_that_is_not_allowed_is_a_sentence_and_exit_code_1(run):
    found, exit_code = run("query", "ATTACH 'other.duckdb'")
    assert exit_code == 1
    assert found["error"]["code"] == "store"
    assert "is not allowed and nothing was read: it must be one SELECT, got ATTACH" in found["error"]["message"]


def test_a_snapshot_is_named_and_goes_where_it_is_told(make_job, run, tmp_path):
    make_job("one")
    found, _ = run("snapshot", str(tmp_path / "mine.duckdb"))
    assert found["result"]["file"] == str(tmp_path / "mine.duckdb")
    assert (tmp_path / "mine.duckdb").exists()
    found, exit_code = run("snapshot", str(tmp_path / "mine.duckdb"))
    assert (exit_code, "nothing is overwritten" in found["error"]["message"]) == (1, True)
