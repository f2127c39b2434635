"""Drafts of an import: every fault names its row, and what only the user can say is asked."""

import pandas as pd
import pytest

from simtune_core.datasets import content_id, list_datasets, save_records
from simtune_core.errors import DataFaultError
from simtune_core.preparing.exporting import export_rows
from tests.importing.drafts import drafted, faults, saved


def test_further_columns_of_records_are_kept():
    assert drafted("id,text,site\na,printer,Ulm\n").frame["site"].tolist() == ["Ulm"]


@pytest.mark.parametrize(
    ("content", "row", "column", "message"),
    [
        ("id,text\na,x\na,y\n", 3, "id", "the id 'a' stands in an earlier row too"),
        ("id,text\na,x\nb,\u200b \n", 3, "text", "the text is empty"),
        ("sentence1,sentence2,label\na,b,1\nc,d,nan\n", 3, "label", "the row has no label (0 or 1)"),
        ("sentence1,sentence2,score\na,b,0.5\nc,d,high\n", 3, "score",
         "a score must be a finite number, got 'high'"),
        ("id,text,time\na,x,2026-04-03\nb,y,soon\n", 3, "time", "not a time such as 2026-04-03 12:00: 'soon'"),
        ("id,text,split\na,x,dev set\nb,y,a:b\n", 3, "split", "a split must be a name without ':' and '@', got 'a:b'"),
        ("sentence1,sentence2,label,split\na,b,1,dev\nc,d,1,x@1\n", 3, "split",
         "a split must be a name without ':' and '@', got 'x@1'"),
    ],
)  # fmt: skip
def test_every_fault_is_listed_with_its_row(workspace, content, row, column, message):
    checked = drafted(content)

    assert faults(checked) == [(row, column, message)]
    with pytest.raises(DataFaultError, match=r"1 of 2 rows have a fault: row 3"):
        saved(workspace, "x", checked)
    assert list_datasets(workspace) == []
    assert saved(workspace, "x", checked, drop_faulty=True).n_rows == 1


def test_a_missing_column_names_what_the_file_has(workspace):
    checked = drafted("text1,text2\na,b\n")
    assert [(fault.row, fault.column) for fault in checked.faults] == [(None, "label or score")]
    with pytest.raises(DataFaultError, match="the file has: text1, text2"):
        saved(workspace, "x", checked, drop_faulty=True)


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


LABELS = "sentence1,sentence2,label\na,b,yes\nc,d,No\ne,f,yes\ng,h,1\ni,j,maybe\n"


def test_labels_that_are_not_0_and_1_are_counted_proposed_and_nothing_is_saved_until_they_are_confirmed(workspace):
    asked = drafted(LABELS)
    told = [(each.value, each.n, each.meaning) for each in asked.questions.labels]

    assert told[0] == ("yes", 2, 1)
    assert sorted(told[1:]) == [("1", 1, 1), ("No", 1, 0), ("maybe", 1, None)]
    assert [(fault.row, fault.column) for fault in asked.faults] == [(None, "label")]
    assert "'yes' (2)" in asked.faults[0].message
    with pytest.raises(DataFaultError, match="say which values mean 1"):
        saved(workspace, "x", asked, drop_faulty=True)


def test_confirmed_labels_are_taken_and_a_value_without_a_meaning_is_a_fault_of_its_rows(workspace):
    checked = drafted(LABELS, labels={"yes": 1, "No": 0, "1": 1})

    assert faults(checked) == [(6, "label", "the label 'maybe' was given no meaning (0 or 1)")]
    made = saved(workspace, "x", checked, drop_faulty=True)
    assert (made.manifest["n_positive"], made.manifest["n_negative"]) == (3, 1)
    assert made.manifest["provenance"]["options"]["labels"] == {"yes": 1, "No": 0, "1": 1}


def test_whole_numbers_beyond_0_and_1_are_asked_for_and_not_taken_for_scores():
    checked = drafted("sentence1,sentence2,label\na,b,2\nc,d,1\ne,f,0\n")
    assert checked.questions.asks_labels
    assert {each.value: each.meaning for each in checked.questions.labels} == {"2": None, "1": 1, "0": 0}


SCORES = "sentence1,sentence2,score\na,b,0\nc,d,4\ne,f,5\n"


def test_scores_beyond_1_show_their_range_and_are_rescaled_when_the_scale_is_said():
    asked = drafted(SCORES)
    assert (asked.questions.score_found, asked.questions.score_offer) == ((0.0, 5.0), (0.0, 5.0))
    assert [(fault.row, fault.column) for fault in asked.faults] == [(None, "score")]

    checked = drafted(SCORES, score_range=(0, 5))
    assert (checked.faults, checked.frame["score"].tolist()) == ((), [0.0, 0.8, 1.0])
    assert checked.notes[0] == "The scores were brought from 0 to 5 to the scale from 0 to 1."


def test_scores_outside_the_scale_that_was_said_are_faults_with_their_rows():
    said = drafted(SCORES, score_range=(0, 4))
    assert faults(said) == [(4, "score", "a score must be in [0, 4], got '5'")]
    plain = drafted(SCORES, score_range=(0, 1))
    assert [row for row, _, _ in faults(plain)] == [3, 4]


def test_graded_pairs_keep_their_score_and_the_cut_that_will_be_taken_is_said():
    graded = drafted("sentence1,sentence2,score\na,b,0.25\nc,d,1\n")
    assert graded.frame["label"].isna().all()
    assert "from a score of 0.6 on" in graded.notes[0]
    both = drafted("sentence1,sentence2,label,score\na,b,0,0.7\nc,d,1,0.9\n")
    assert (both.frame["label"].tolist(), both.frame["score"].tolist()) == ([0.0, 1.0], [0.7, 0.9])
    assert both.notes == ()


def test_several_text_columns_are_joined_in_order_and_empty_parts_are_left_out():
    content = "id,short,long\n1,vpn down,no access since noon\n2,,mail gone\n3,printer, \n4, ,\n"
    checked = drafted(content, columns={"text": ("short", "long")}, separator=". ")

    assert checked.frame["text"].tolist() == ["vpn down. no access since noon", "mail gone", "printer"]
    assert faults(checked) == [(5, "text", "the text is empty")]


def test_a_repeated_id_stops_the_import_or_only_its_first_whole_row_is_kept(workspace):
    content = "id,text\na,\na,one\na,two\nb,three\n"
    assert [row for row, _, _ in faults(drafted(content))] == [2, 3, 4]
    assert any("2 rows with the id of an earlier row, such as 'a'" in note for note in drafted(content).notes)

    kept = drafted(content, on_duplicate_id="keep_first")
    assert kept.frame["text"].tolist() == ["one", "three"]
    assert (kept.n_repeated, kept.n_faulty_rows) == (1, 1)
    assert saved(workspace, "x", kept, drop_faulty=True).manifest["provenance"]["n_rows_dropped"] == 2


def test_ids_that_differ_in_zeros_or_blanks_alone_are_kept_and_reported():
    checked = drafted("id,text\n007,a\n 7,b\n8,c\n7.0,d\n")

    assert checked.frame["id"].tolist() == ["007", "7", "8", "7.0"]
    assert any(note.startswith("3 ids differ from another one in leading zeros") for note in checked.notes)
    assert "Blanks around 1 value of id were removed." in checked.notes
    assert drafted("id,text\n007,a\n008,b\n10,c\n").notes == ()


def test_a_triplet_becomes_a_positive_and_a_negative_pair(workspace):
    checked = drafted("anchor,positive,negative,split\na,b,c,train\nd,,f,train\ng,h,i,test\n")

    assert checked.frame[["sentence1", "sentence2", "label", "split"]].to_numpy().tolist() == [
        ["a", "b", 1.0, "train"], ["a", "c", 0.0, "train"], ["g", "h", 1.0, "test"], ["g", "i", 0.0, "test"],
    ]  # fmt: skip
    assert faults(checked) == [(3, "sentence2", "the text is empty")]
    assert "Each row is a triplet: it becomes a positive pair and a negative pair." in checked.notes
    made = saved(workspace, "x", checked, drop_faulty=True)
    assert (made.n_rows, made.manifest["provenance"]["n_rows_dropped"]) == (4, 1)


def test_a_column_of_negatives_beside_a_label_is_refused():
    columns = {"sentence1": ("a",), "sentence2": ("b",), "negative": ("c",), "label": ("d",)}
    checked = drafted("a,b,c,d\nx,y,z,1\n", "pairs", columns=columns)
    assert [(fault.row, fault.column) for fault in checked.blocking] == [(None, "label, score")]


TIMES = "id,text,opened\n1,a,03/04/2026 17:06\n2,b,13/04/2026 5:06 PM\n3,c,\n"


def test_the_order_of_day_and_month_has_to_be_said():
    asked = drafted(TIMES)
    assert (asked.questions.time_example, asked.questions.day_first) == ("03/04/2026 17:06", True)
    assert [(fault.row, fault.column) for fault in asked.faults] == [(None, "time")]

    checked = drafted(TIMES, day_first=True)
    assert checked.frame["time"].fillna("-").tolist() == ["2026-04-03T17:06:00Z", "2026-04-13T17:06:00Z", "-"]
    assert checked.notes == ("2 times without a time zone, taken as UTC.",)
    wrong = drafted(TIMES, day_first=False)
    assert faults(wrong) == [(3, "time", "not a time such as 2026-04-03 12:00: '13/04/2026 5:06 PM'")]


def test_times_of_other_zones_and_unix_times_are_brought_to_utc():
    content = "id,text,time\n1,a,2026-04-03T12:00:00+02:00\n2,b,1767225600\n3,c,1767225600000\n4,d,2026-04-03 10:00Z\n"
    checked = drafted(content)

    assert checked.frame["time"].tolist() == [
        "2026-04-03T10:00:00Z", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "2026-04-03T10:00:00Z",
    ]  # fmt: skip
    assert checked.notes == ()


def test_personal_data_is_masked_in_texts_and_kept_columns_and_counted(workspace):
    content = "id,text,caller,category\n1,write to ann@example.org,bob@example.org,a@example.org\n2,plain,none,b\n"
    checked = drafted(content, mask=("email", "ip"))

    assert checked.frame["text"].tolist() == ["write to [email]", "plain"]
    assert checked.frame["caller"].tolist() == ["[email]", "none"]
    assert checked.frame["category"].tolist() == ["a@example.org", "b"]
    assert checked.masked == {"email": 2, "ip": 0}
    assert "Personal data was masked: email 2, ip 0." in checked.notes
    assert saved(workspace, "x", checked).manifest["provenance"]["masked"] == {"email": 2, "ip": 0}
    assert drafted(content).masked == {}


def test_wrongly_decoded_texts_are_counted_and_repaired_when_that_is_asked():
    content = "id,text\n1,DrÃ¼cker geht nicht\n2,Drücker geht\n"
    seen, repaired = drafted(content), drafted(content, repair_mojibake=True)

    assert (seen.n_mojibake, seen.frame["text"].iloc[0]) == (1, "DrÃ¼cker geht nicht")
    assert "an option of the import repairs them" in seen.notes[0]
    assert repaired.frame["text"].tolist() == ["Drücker geht nicht", "Drücker geht"]
    assert "repaired" in repaired.notes[0]


def test_other_columns_of_records_can_be_left_out_and_never_take_a_contract_name():
    content = "number,text,site,category\n1,a,Ulm,x\n"
    columns = {"id": ("number",), "category": ()}
    assert drafted(content, columns=columns).frame["category"].isna().all()
    assert "site" not in drafted(content, keep_columns=False).frame


def test_all_faults_are_counted_and_the_first_are_listed():
    rows = "\n".join(f"{number}," for number in range(5000))
    checked = drafted(f"id,text\n{rows}\n")
    assert (checked.n_faulty_rows, len(checked.faults), checked.faults[-1].row) == (5000, 200, 201)


def test_the_apostrophes_of_an_export_are_counted_and_removed_when_asked():
    content = "id,text\na,'=1+1\nb,''-x\nc,'quoted' word\nd,it's\n"
    seen, taken = drafted(content), drafted(content, unmark_formulas=True)

    assert seen.frame["text"].tolist() == ["'=1+1", "''-x", "'quoted' word", "it's"]
    assert any("2 values begin with an apostrophe" in note for note in seen.notes)
    assert taken.frame["text"].tolist() == ["=1+1", "'-x", "'quoted' word", "it's"]
    assert any("before 2 values was removed" in note for note in taken.notes)
    assert not any("apostrophe" in note for note in drafted("id,text\na,plain\n").notes)


def test_an_exported_csv_imported_again_is_the_very_same_dataset(workspace, tmp_path):
    texts = ["=1+1", "'=x", "+49 30", "-", "@all", "it's", "'quoted'", "plain"]
    frame = pd.DataFrame({"id": [f"r{number}" for number in range(len(texts))], "text": texts})
    first = save_records(workspace, "mine", frame, provenance={})
    export_rows(workspace, "mine", tmp_path / "mine.csv")

    again = drafted((tmp_path / "mine.csv").read_bytes(), unmark_formulas=True)
    assert content_id(again.frame) == first.content_id
