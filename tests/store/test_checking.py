"""A check sees every row and every file that is not as it must be, repairs the rows, and tells of the files."""

import json

import pandas as pd
import pytest

from simtune_core import store
from simtune_core.datasets import save_pairs
from simtune_core.store.access import ask
from simtune_core.training.artifacts import write_model

EVALUATION = {"baseline": "minilm", "models": [{"encoder": "minilm", "metrics": {"roc_auc": 0.59}}]}


def spoil(workspace, sql):
    ask(workspace, lambda database: database.run(sql))


def tables(workspace):
    sql = "SELECT * FROM {} ORDER BY ALL"
    names = ("jobs", "events", "evaluation_metrics", "datasets", "models")
    return ask(workspace, lambda database: [database.rows(sql.format(name)) for name in names])


@pytest.fixture
def filled(workspace, make_job):
    make_job("one", losses=5)
    make_job("two", losses=5)
    make_job("three", kind="evaluate", params={"set": "t@v0001"}, result=EVALUATION)
    pairs = pd.DataFrame({"sentence1": ["a", "b"], "sentence2": ["c", "d"], "label": [1, 0]})
    save_pairs(workspace, "pairs", pairs, provenance={})
    facts = dict.fromkeys(("base", "base_fingerprint", "train"), "x") | {"model_id": "head-1", "kind": "head"}
    facts |= {"max_seq_length": 8, "trained": True, "job": None, "dev": None, "config": {}}
    write_model(workspace, facts, lambda folder: None, texts={"ledger.md": "what ran", "config.yaml": "{}"})
    store.ingest(workspace)
    return workspace


def test_a_store_that_agrees_with_its_files_is_clean(filled):
    checked = store.check(filled)
    assert checked.clean
    assert (checked.n_jobs, checked.n_datasets, checked.n_models) == (3, 1, 1)
    assert checked.n_lines == checked.n_rows == store.counts(filled).n_events


@pytest.mark.parametrize(
    ("sql", "what", "told"),
    [
        ("DELETE FROM events WHERE job_id = 'one' AND seq = 2", "one", "rows of events in the store"),
        ("UPDATE events SET seq = 999 WHERE job_id = 'one' AND seq = 2", "one", "are not those of its file"),
        ("INSERT INTO events SELECT * REPLACE (999 AS seq) FROM events LIMIT 1", None, "rows of events in the store"),
        ("INSERT INTO events SELECT * REPLACE ('x' AS job_id) FROM events LIMIT 1", "x", "not among the jobs"),
        ("UPDATE jobs SET byte_offset = byte_offset - 3 WHERE job_id = 'one'", "one", "no line of its file ends"),
        ("UPDATE jobs SET byte_offset = byte_offset + 300 WHERE job_id = 'one'", "one", "no line of its file ends"),
        ("UPDATE jobs SET byte_offset = 0 WHERE job_id = 'one'", "one", "rows of events in the store, 0 events"),
        ("UPDATE jobs SET n_bad = 3 WHERE job_id = 'one'", "one", "counts 3 lines that are no events"),
        ("UPDATE jobs SET state = 'failed' WHERE job_id = 'two'", "two", "is not what its folder says"),
        ("UPDATE evaluation_metrics SET value = 0.99", "three", "its metrics are not those it found"),
        ("DELETE FROM evaluation_metrics", "three", "its metrics are not those it found"),
        ("UPDATE datasets SET n_rows = 3", "pairs/v0001-", "is not what its manifest says"),
        ("UPDATE models SET kind = 'full'", "head-1", "is not what its manifest says"),
    ],
)
def test_rows_that_are_not_what_the_files_say_are_found_and_repaired(filled, sql, what, told):
    before = tables(filled)
    spoil(filled, sql)
    found = store.check(filled, repair=False)
    assert not found.repaired
    (fault,) = found.faults
    assert fault.what.startswith(what or "")
    assert told in fault.message
    assert tables(filled) != before  # nothing was repaired without being asked to
    repaired = store.check(filled)
    assert (repaired.repaired, repaired.faults) == ((fault,), ())
    assert tables(filled) == before
    assert store.check(filled).clean


def test_a_repair_is_no_loss_of_rows_to_tell_of(filled):
    spoil(filled, "DELETE FROM events")
    assert len(store.check(filled).repaired) == 3
    assert store.ingest(filled).notices == ()


def one_fault(workspace, code):
    checked = store.check(workspace)
    assert not checked.repaired
    (fault,) = checked.faults
    assert fault.code == code
    return fault.message


def test_a_table_that_is_not_the_one_saved_is_told(filled):
    (table,) = filled.datasets.glob("*/*/pairs.parquet")
    content = table.read_bytes()
    table.write_bytes(content[:-1] + b"x")
    assert "pairs@v0001: pairs.parquet is not the file that was saved (its sha256" in one_fault(
        filled, "dataset_damaged"
    )
    table.unlink()
    assert "pairs.parquet is missing; import the data again" in one_fault(filled, "dataset_damaged")
    table.write_bytes(content)
    assert store.check(filled).clean


def test_a_manifest_that_tells_other_rows_than_its_table_has_is_told(filled):
    (path,) = filled.datasets.glob("*/*/manifest.json")
    path.write_text(json.dumps(json.loads(path.read_text()) | {"n_rows": 7}))
    checked = store.check(filled)
    assert [fault.code for fault in checked.repaired] == ["dataset_row"]
    assert "must tell the 2 rows of its table, and tells 7" in checked.faults[0].message
    path.write_text("{}")
    assert "The manifest of pairs@v0001 must tell" in store.check(filled).faults[-1].message


def test_a_model_whose_files_were_changed_or_lost_is_told(filled):
    folder = filled.model("head-1")
    (folder / "ledger.md").write_text("something else")
    assert "head-1: ledger.md must be as saved, and is missing or changed" in one_fault(filled, "model_damaged")
    (folder / "config.yaml").unlink()
    assert "head-1: config.yaml, ledger.md must be as saved, and are" in one_fault(filled, "model_damaged")


def test_a_job_folder_that_cannot_be_read_is_told_and_the_others_are_checked(filled):
    (filled.job("broken")).mkdir()
    (filled.job("broken") / "spec.json").write_text("{torn")
    message = one_fault(filled, "job_unreadable")
    assert message == (
        "The folder broken must hold the whole spec.json of a job, and does not; nothing of it is in the store. "
        "Restore the file, or delete the folder."
    )


def test_a_done_job_without_its_result_is_told(filled, make_job):
    (make_job("four") / "result.json").unlink()
    assert "'job four' has no result" in one_fault(filled, "result_missing")


def test_a_job_that_is_being_written_is_no_difference(workspace, make_job):
    folder = make_job("one", losses=4, state=None)
    store.ingest(workspace)
    with (folder / "events.jsonl").open("ab") as file:
        file.write(b'{"v":1,"seq":99,"torn')
    assert store.check(workspace).clean
