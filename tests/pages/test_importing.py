"""The import form: what is uploaded is saved whole, or not at all and with a sentence that names the row."""

import os
import re

import pandas as pd
import pytest

from simtune_core.datasets import list_datasets, list_versions, load_pairs, load_records
from simtune_core.importing import sources
from simtune_core.workflows import importing
from tests.pages.screen import ended, table
from tests.pages.uploading import PAIRS, labelled, save_button, saved, uploaded
from ui.text import as_label


def test_a_good_file_is_guessed_previewed_and_saved(open_app, workspace):
    app = uploaded(open_app("data"), PAIRS)

    assert table(app, "first rows to be saved").iloc[0, :3].tolist() == ["printer down", "printer offline", 1]
    save_button(app).click().run()

    assert [toast.value for toast in app.toast] == ["Saved mine@v0001: 2 pairs."]
    assert load_pairs(workspace, "mine").frame["label"].tolist() == [1, 0]
    assert table(app, "datasets with")["dataset"].tolist() == ["mine"]


@pytest.mark.parametrize(
    ("content", "rows", "sentence", "n_whole"),
    [
        (b"sentence1,sentence2,label\na,b,1\nc,d,\ne,f,0\n", [3], "the row has no label (0 or 1)", 2),
        (b"id,text\na,printer\nb,vpn\na,mail\n", [4], "the id 'a' stands in an earlier row too", 2),
        (b"id,text\na,printer\nb,\nc,\xe2\x80\x8b\n", [3, 4], "the text is empty", 1),
        (b"sentence1,sentence2,score\na,b,0.5\nc,d,inf\n", [3], "a score must be a finite number, got 'inf'", 1),
        (b"sentence1,sentence2,label\na,b,1\nc,,0\nd,e,nan\n", [3, 4], "the text is empty", 1),
    ],
)
def test_faulty_rows_are_named_nothing_is_saved_until_they_are_dropped(
    open_app, workspace, content, rows, sentence, n_whole
):
    app = uploaded(open_app("data"), content)

    faults = table(app, "faults with their rows")
    assert faults["row"].tolist() == rows
    assert sentence in faults["fault"].iloc[0]
    verb = "has" if len(rows) == 1 else "have"
    assert f"{len(rows)} of {n_whole + len(rows)} rows {verb} a fault." in [warning.value for warning in app.warning]
    assert save_button(app).disabled
    assert list_datasets(workspace) == []

    labelled(app.toggle, "Drop th").set_value(True).run()
    save_button(app).click().run()

    (saved,) = list_datasets(workspace)
    assert (saved.n_rows, saved.manifest["provenance"]["n_rows_dropped"]) == (n_whole, len(rows))


@pytest.mark.parametrize(
    ("content", "name", "sentence"),
    [
        (b"", "mine.csv", "choose a file with a header and rows."),
        (b"id,text\n", "mine.csv", "mine.csv has no rows (columns: id, text)."),
        (b"a,b\n1,2\n3,4,5\n", "mine.csv", "row 3 has 3. Check quotes and delimiter."),
        (b'id,text\na,"open\n', "mine.csv", "not a valid CSV file"),
        (b"text,text\na,b\n", "mine.csv", "must name every column once, got text more than once"),
        (b"not parquet", "mine.parquet", "mine.parquet cannot be read as Parquet"),
    ],
)
def test_an_unreadable_file_is_a_sentence_and_nothing_is_saved(open_app, workspace, content, name, sentence):
    app = uploaded(open_app("data"), content, name)

    assert [error.value for error in app.error] == ["This file cannot be read."]
    assert sentence in app.code[0].value
    assert list_datasets(workspace) == []


def test_a_missing_column_is_named_with_those_that_are_there(open_app, workspace):
    app = uploaded(open_app("data"), b"number,notes\n1,printer\n")

    assert [warning.value for warning in app.warning] == ["The columns do not fit."]
    faults = table(app, "faults with their rows")
    assert faults["column"].tolist() == ["text"]
    assert faults["fault"].tolist() == ["no column chosen for it; the file has: number, notes"]
    assert save_button(app).disabled

    labelled(app.multiselect, "Text").set_value(["notes"]).run()
    save_button(app).click().run()
    assert [version.name for version in list_datasets(workspace)] == ["mine"]


def test_one_class_only_is_said_before_it_is_saved(open_app):
    app = uploaded(open_app("data"), b"sentence1,sentence2,label\na,b,1\nc,d,1\n")

    assert [info.value for info in app.info if "label" in info.value] == [
        as_label("Every pair has label 1: metrics that need both classes are not defined here.")
    ]


def test_a_taken_name_is_refused_and_a_new_version_is_offered(open_app, workspace):
    app = saved(uploaded(open_app("data"), PAIRS))
    uploaded(app, PAIRS.replace(b"vpn", b"wifi"))
    save_button(app).click().run()

    assert [error.value for error in app.error] == ["This was not saved; the workspace is as it was."]
    assert "mine" in app.code[0].value and "taken" in app.code[0].value
    assert [version.ref for version in list_datasets(workspace)] == ["mine@v0001"]

    labelled(app.toggle, "New version of a taken name").set_value(True)
    save_button(app).click().run()
    assert [version.ref for version in list_datasets(workspace)] == ["mine@v0002"]


def test_the_name_offered_is_that_of_the_file_chosen_last(open_app):
    app = uploaded(open_app("data"), PAIRS, "first.csv")
    assert labelled(app.text_input, "Name").value == "first"
    uploaded(app, PAIRS, "second.csv")
    assert labelled(app.text_input, "Name").value == "second"


def test_a_wish_to_drop_rows_does_not_pass_on_to_the_next_file(open_app):
    faulty = b"id,text\na,printer\nb,\n"
    app = uploaded(open_app("data"), faulty, "first.csv")
    labelled(app.toggle, "Drop th").set_value(True).run()
    uploaded(app, faulty, "second.csv")

    assert labelled(app.toggle, "Drop th").value is False
    assert save_button(app).disabled


@pytest.mark.parametrize("name", ["../../outside", "a/b", ".hidden", "", "con:", "x" * 200])
def test_a_name_that_is_no_name_is_a_sentence(open_app, workspace, name):
    app = uploaded(open_app("data"), PAIRS)
    labelled(app.text_input, "Name").set_value(name).run()
    save_button(app).click().run()

    assert not app.exception
    assert [error.value for error in app.error] == ["This was not saved; the workspace is as it was."]
    assert "name" in app.code[0].value
    assert list_datasets(workspace) == []


def test_a_file_name_that_is_a_path_gives_a_name_inside_the_workspace(open_app, workspace):
    app = uploaded(open_app("data"), PAIRS, "../../etc/pass wd.csv")
    save_button(app).click().run()

    assert [version.name for version in list_datasets(workspace)] == ["pass_wd"]


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (28, r"Disk full while writing v0001.* Nothing half-written was kept; free some space and try again\."),
        (30, r"v0001.* cannot be written: Read-only file system\. Nothing half-written was kept\."),
    ],
)
def test_a_disk_that_takes_nothing_more_is_said_and_nothing_half_written_stays(
    open_app, workspace, monkeypatch, number, sentence
):
    app = uploaded(open_app("data"), PAIRS)

    def refuse(self, *_, **__):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(pd.DataFrame, "to_parquet", refuse)  # the one write that grows with the data
    save_button(app).click().run()

    assert not app.exception
    assert [error.value for error in app.error] == ["This was not saved; the workspace is as it was."]
    assert re.fullmatch(sentence, app.code[0].value)
    assert list_datasets(workspace) == []
    assert [path.name for path in workspace.datasets.rglob("*") if path.is_file()] == [".mine.lock"]


def question(app, label):
    return labelled(app.toggle, label)


def test_labels_in_words_are_shown_with_counts_and_saved_once_they_are_confirmed(open_app, workspace):
    content = b"question1,question2,is_duplicate\na,b,yes\nc,d,no\ne,f,yes\ng,h,maybe\n"
    app = uploaded(open_app("data"), content)

    assert table(app, "values of the label column").to_numpy().tolist() == [
        ["yes", 2, "1 similar"], ["no", 1, "0 not similar"], ["maybe", 1, "leave out"],
    ]  # fmt: skip
    assert "This can be saved once the question above is answered." in [each.value for each in app.warning]
    assert save_button(app).disabled

    question(app, "These meanings are right").set_value(True).run()
    assert table(app, "faults with their rows")["fault"].tolist() == ["the label 'maybe' was given no meaning (0 or 1)"]
    question(app, "Drop this row").set_value(True).run()
    save_button(app).click().run()

    assert load_pairs(workspace, "mine").frame["label"].tolist() == [1, 0, 1]


def test_the_meaning_of_a_label_can_be_turned_round(open_app, workspace):
    content = b"sentence1,sentence2,label\na,b,yes\nc,d,no\n"
    app = uploaded(open_app("data"), content)
    token = importing.token_of(importing.ImportSource("mine.csv", content=content))
    app.session_state[f"data.labels.{token}"] = {
        "edited_rows": {0: {"means": "0 not similar"}, 1: {"means": "1 similar"}}, "added_rows": [], "deleted_rows": [],
    }  # fmt: skip
    question(app, "These meanings are right").set_value(True).run()
    save_button(app).click().run()

    assert load_pairs(workspace, "mine").frame["label"].tolist() == [0, 1]


def test_scores_beyond_1_are_brought_to_the_scale_that_is_chosen(open_app, workspace):
    app = uploaded(open_app("data"), b"sentence1,sentence2,score\na,b,1\nc,d,4\n")
    scale = labelled(app.selectbox, "The scores run from 1 to 4")
    assert scale.value is None and save_button(app).disabled
    assert scale.options[:2] == ["0 to 5", "1 to 5"]

    scale.set_value((0.0, 5.0)).run()
    save_button(app).click().run()
    assert load_pairs(workspace, "mine").frame["score"].tolist() == [0.2, 0.8]


def test_several_columns_are_joined_and_personal_data_is_masked(open_app, workspace):
    content = b"number,short_description,description,opened\n7,vpn,ask ann@example.org,03/04/2026\n8,mail,,05/06/2026\n"
    app = uploaded(open_app("data"), content)
    assert labelled(app.multiselect, "Text").value == ["short_description", "description"]
    (masks,) = [each for each in app.get("button_group") if each.label == "Mask personal data"]
    masks.set_value(["email"]).run()
    (order,) = [each for each in app.get("button_group") if each.label == "First comes"]
    order.set_value("the month").run()
    save_button(app).click().run()

    frame = load_records(workspace, "mine").frame
    assert frame["text"].tolist() == ["vpn\nask [email]", "mail"]
    assert frame["time"].tolist() == ["2026-03-04T00:00:00Z", "2026-05-06T00:00:00Z"]


def test_a_file_of_the_workspace_is_imported_by_its_path_and_none_outside_it(open_app, workspace, tmp_path):
    (workspace.data / "pairs.csv").write_bytes(PAIRS)
    (tmp_path / "outside.csv").write_bytes(PAIRS)
    (workspace.data / "link.csv").symlink_to(tmp_path / "outside.csv")
    app = open_app("data")
    (ways,) = [each for each in app.get("button_group") if each.label == "Where the data comes from"]
    ways.set_value("path").run()

    for path in ("../outside.csv", str(tmp_path / "outside.csv"), "data/link.csv", "/etc/passwd"):
        labelled(app.text_input, "Path in").set_value(path).run()
        assert "lies outside the workspace" in app.code[0].value
        assert not app.exception
    labelled(app.text_input, "Path in").set_value("data/nothing.csv").run()
    assert "The workspace has no file or folder 'data/nothing.csv'" in app.code[0].value

    labelled(app.text_input, "Path in").set_value("data/pairs.csv").run()
    save_button(app).click().run()
    assert [version.ref for version in list_datasets(workspace)] == ["pairs@v0001"]
    assert (workspace.data / "pairs.csv").exists()


def test_a_large_upload_is_stored_under_its_hash_read_by_a_job_and_removed(open_app, workspace, monkeypatch):
    monkeypatch.setattr(sources, "LARGE_BYTES", 1000)
    monkeypatch.setattr(importing, "HEAD_ROWS", 20)
    rows = "".join(f"{number},text {number}\n" for number in range(200)).replace("text 150\n", "\n")
    app = uploaded(open_app("data"), f"id,text\n{rows}".encode(), "../../etc/big.csv")

    (stored,) = (workspace.data / "uploads").iterdir()
    assert re.fullmatch(r"[0-9a-f]{64}\.csv", stored.name)
    assert any("the first 20 rows" in caption.value for caption in app.caption)
    assert app.dataframe and not app.warning

    save_button(app).click().run()
    ended(workspace)
    app.run()
    assert table(app, "faults with their rows").to_numpy().tolist() == [[152, "text", "the text is empty"]]
    assert "1 of 200 rows has a fault." in [warning.value for warning in app.warning]
    assert save_button(app).disabled and list_datasets(workspace) == []

    question(app, "Drop this row").set_value(True).run()
    save_button(app).click().run()
    ended(workspace, 2)
    app.run()
    (saved_set,) = list_datasets(workspace)
    assert (saved_set.ref, saved_set.n_rows) == ("big@v0001", 199)
    assert saved_set.manifest["provenance"]["source"] == "big.csv"
    assert list((workspace.data / "uploads").iterdir()) == []


def test_how_a_file_was_read_is_told_and_can_be_changed(open_app, workspace):
    app = uploaded(open_app("data"), b"id;text\n1;a,b\n2;caf\xe9\n")
    assert any("delimiter semicolon · 2 rows · 2 columns" in caption.value for caption in app.caption)

    labelled(app.selectbox, "Delimiter").set_value("comma").run()
    assert [error.value for error in app.error] == ["This file cannot be read."]
    labelled(app.selectbox, "Delimiter").set_value("semicolon").run()
    labelled(app.selectbox, "Encoding").set_value("cp1252").run()
    save_button(app).click().run()
    assert load_records(workspace, "mine").frame["text"].tolist() == ["a,b", "café"]


def test_the_same_content_twice_is_one_version_and_that_is_said(open_app, workspace):
    app = saved(uploaded(open_app("data"), PAIRS))
    uploaded(app, PAIRS)
    save_button(app).click().run()

    assert [toast.value for toast in app.toast] == ["mine@v0001 holds exactly this already: 2 pairs."]
    assert len(list_versions(workspace, "mine")) == 1


def test_the_page_is_about_the_dataset_that_was_just_saved(open_app, workspace):
    app = uploaded(open_app("data"), PAIRS)
    save_button(app).click().run()
    app = uploaded(app, b"id,text\na,printer\nb,mail\n", "others.csv")
    save_button(app).click().run()

    assert not app.exception
    assert app.selectbox(key="data.set").value == "others"
    app.selectbox(key="data.set").set_value("mine").run()
    assert app.selectbox(key="data.set").value == "mine"
