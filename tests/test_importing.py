"""Tests of importing: what is guessed, what is refused, and that every fault names its row."""

import io
import shutil
from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import pytest

from simtune_core.datasets import list_datasets, list_versions, load_pairs, load_records
from simtune_core.errors import DataFaultError, WorkspaceError
from simtune_core.importing import draft, guess_columns, guess_kind, parse_columns, save_draft
from simtune_core.tables.reading import read_table


def drafted(content, name="x.csv"):
    table = read_table(content.encode() if isinstance(content, str) else content, name)
    columns = list(table.frame.columns)
    kind = guess_kind(columns)
    return draft(table, kind, guess_columns(columns, kind))


def parquet(frame):
    buffer = io.BytesIO()
    frame.to_parquet(buffer)
    return buffer.getvalue()


def test_guesses_the_columns_of_foreign_pair_files():
    assert guess_columns(["qid1", "qid2", "question1", "question2", "is_duplicate"], "pairs") == {
        "sentence1": "question1", "sentence2": "question2", "label": "is_duplicate", "id1": "qid1", "id2": "qid2",
    }  # fmt: skip
    assert guess_kind(["number", "short_description", "category"]) == "records"


def test_ids_and_texts_that_look_like_numbers_or_nulls_are_kept(workspace):
    checked = drafted('id,text\n007,NA\n1e5,"null, really"\n')
    save_draft(workspace, "r", checked, source="x.csv")

    frame = load_records(workspace, "r").frame
    assert frame[["id", "text"]].to_numpy().tolist() == [["007", "NA"], ["1e5", "null, really"]]


def test_further_columns_of_records_are_kept():
    assert drafted("id,text,site\na,printer,Ulm\n").frame["site"].tolist() == ["Ulm"]


@pytest.mark.parametrize(
    ("content", "row", "column", "message"),
    [
        ("id,text\na,x\na,y\n", 3, "id", "the id 'a' stands in an earlier row too"),
        ("id,text\na,x\nb,\u200b \n", 3, "text", "the text is empty"),
        ("sentence1,sentence2,label\na,b,1\nc,d,maybe\n", 3, "label",
         "a label must be 0 or 1 (or the column a score in [0, 1]), got 'maybe'"),
        ("sentence1,sentence2,score\na,b,0.5\nc,d,4.5\n", 3, "score",
         "a score must be in [0, 1], got '4.5' (the column runs from 0.5 to 4.5)"),
        ("id,text,split\na,x,dev set\nb,y,a:b\n", 3, "split", "a split must be a name without ':' and '@', got 'a:b'"),
        ("sentence1,sentence2,label,split\na,b,1,dev\nc,d,1,x@1\n", 3, "split",
         "a split must be a name without ':' and '@', got 'x@1'"),
    ],
)  # fmt: skip
def test_every_fault_is_listed_with_its_row(workspace, content, row, column, message):
    checked = drafted(content)

    assert [(fault.row, fault.column, fault.message) for fault in checked.faults] == [(row, column, message)]
    with pytest.raises(DataFaultError, match=r"1 of 2 rows have a fault: row 3"):
        save_draft(workspace, "x", checked, source="x.csv")
    assert list_datasets(workspace) == []
    assert save_draft(workspace, "x", checked, source="x.csv", drop_faulty=True).n_rows == 1


def test_a_missing_column_names_what_the_file_has(workspace):
    checked = drafted("text1,text2\na,b\n")
    assert [(fault.row, fault.column) for fault in checked.faults] == [(None, "label or score")]
    with pytest.raises(DataFaultError, match="the file has: text1, text2"):
        save_draft(workspace, "x", checked, source="x.csv", drop_faulty=True)


def test_a_fault_names_the_line_of_the_file_where_its_row_begins():
    checked = drafted('id,text\n\na,"two\nlines"\n\nb,\nb,"also\ntwo"\nb,z\n')
    assert [fault.row for fault in checked.faults] == [6, 7, 9]
    with pytest.raises(DataFaultError, match="row 5 has 1"):
        drafted('id,text\n\na,"two\nlines"\nb\n')


def test_the_empty_one_of_a_label_and_a_score_column_is_no_fault_and_an_empty_label_among_others_is():
    graded = drafted("sentence1,sentence2,label,score\na,b,,0.25\nc,d,,1\n")
    assert (graded.faults, graded.frame["score"].tolist()) == ((), [0.25, 1.0])
    labelled = drafted("sentence1,sentence2,label,score\na,b,1,\nc,d,0,\n")
    assert (labelled.faults, labelled.frame["label"].tolist()) == ((), [1.0, 0.0])
    mixed = drafted("sentence1,sentence2,label,score\na,b,1,0.5\nc,d,,1\n")
    assert [(fault.row, fault.column) for fault in mixed.faults] == [(3, "label")]


def test_one_class_only_is_said_at_import():
    assert "not defined" in drafted("sentence1,sentence2,label\na,b,1\nc,d,1.0\n").notes[0]


def test_a_label_column_of_graded_numbers_is_taken_as_the_score():
    checked = drafted("sentence1,sentence2,label\na,b,0.25\nc,d,1\n")
    assert checked.frame["score"].tolist() == [0.25, 1.0]
    assert checked.frame["label"].isna().all()


def test_parquet_numbers_bools_and_nulls_arrive(workspace):
    frame = pd.DataFrame({"text_a": ["x", "y"], "text_b": ["z", "w"], "label": [True, False], "id_a": [7, 8]})
    save_draft(workspace, "p", drafted(parquet(frame), "p.parquet"), source="p.parquet")

    pairs = load_pairs(workspace, "p")
    assert pairs.labels().tolist() == [1, 0]
    assert pairs.frame["id1"].tolist() == ["7", "8"]


def test_a_taken_name_is_refused_equal_content_is_the_same_version_and_a_new_version_is_explicit(workspace):
    first, other = drafted("id,text\na,x\n"), drafted("id,text\na,y\n")
    one = save_draft(workspace, "r", first, source="x.csv")
    assert save_draft(workspace, "r", first, source="x.csv") == one
    with pytest.raises(WorkspaceError, match="'r' is taken by r@v0001"):
        save_draft(workspace, "r", other, source="x.csv")
    assert save_draft(workspace, "r", other, source="x.csv", new_version=True).version == "v0002"
    assert load_records(workspace, "r@v0001").frame["text"].tolist() == ["x"]


def test_versions_saved_at_the_same_time_are_numbered_one_after_the_other(workspace):
    contents = [drafted(f"id,text\na,{word}\n") for word in ("x", "y", "z", "u", "v", "w")]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda each: save_draft(workspace, "r", each, source="x.csv", new_version=True), contents))
    assert [version.version for version in list_versions(workspace, "r")] == [f"v{i:04d}" for i in range(1, 7)]


def test_a_stray_or_damaged_folder_is_passed_over_in_lists_and_a_sentence_by_name(workspace):
    made = save_draft(workspace, "r", drafted("id,text\na,x\n"), source="x.csv")
    shutil.copytree(workspace.dataset("r"), workspace.datasets / "backup copy")
    damaged = shutil.copytree(workspace.dataset("r"), workspace.dataset("damaged"))
    (next(damaged.iterdir()) / "manifest.json").write_text("{}")

    assert list_datasets(workspace) == list_versions(workspace, "r") == [made]
    assert list_versions(workspace, "damaged") == []
    with pytest.raises(WorkspaceError, match=r"manifest of damaged@v0001 must tell .* does not tell version"):
        load_records(workspace, "damaged")
    with pytest.raises(WorkspaceError, match="'damaged' is taken by a dataset that cannot be read"):
        save_draft(workspace, "damaged", drafted("id,text\na,y\n"), source="x.csv")


def test_a_split_is_named_by_a_reference_and_an_unknown_one_is_refused(workspace):
    save_draft(workspace, "r", drafted("id,text,split\na,x,train\nb,y,test\n"), source="x.csv")
    assert load_records(workspace, "r:test").frame["id"].tolist() == ["b"]
    with pytest.raises(WorkspaceError, match="has no split 'dev'; it has: test, train"):
        load_records(workspace, "r:dev")


def test_a_changed_file_is_never_mistaken_for_the_old_one(workspace):
    version = save_draft(workspace, "r", drafted("id,text\na,x\n"), source="x.csv")
    version.table.write_bytes(parquet(pd.DataFrame({"id": ["a"], "text": ["changed"]})))
    with pytest.raises(WorkspaceError, match="sha256 differs from the manifest"):
        load_records(workspace, "r")


def test_a_full_disk_leaves_nothing_half_written(workspace, monkeypatch):
    import errno

    def full(*_args, **_kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_parquet", full)
    with pytest.raises(WorkspaceError, match=r"Disk full while writing v0001-.* GB free"):
        save_draft(workspace, "r", drafted("id,text\na,x\n"), source="x.csv")
    assert list(workspace.datasets.rglob("*.parquet")) == []
    assert [path.name for path in workspace.dataset("r").iterdir()] == []


def test_columns_are_parsed_from_the_command_line():
    assert parse_columns("sentence1=a, label=b", "pairs") == {"sentence1": "a", "label": "b"}
    with pytest.raises(DataFaultError, match="role=column"):
        parse_columns("nonsense", "records")


def test_a_real_file_arrives_whole(real_data, workspace):
    checked = drafted(real_data("itsm10k_category_pairs").read_bytes(), "itsm.parquet")
    saved = save_draft(workspace, "itsm", checked, source="itsm.parquet")
    assert saved.splits == {"dev": 1000, "test": 2000, "train": 8000}
    assert checked.faults == ()
