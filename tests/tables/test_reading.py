"""Tests of reading: everything is text, what was detected is told and can be overruled, nothing is lost or shifted."""

import gzip
import io
import json
import zipfile
from datetime import date, datetime

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simtune_core.errors import DataFaultError
from simtune_core.tables import table as limits
from simtune_core.tables.columns import is_blank
from simtune_core.tables.reading import read_table
from simtune_core.tables.table import MAX_TEXT, ReadingOptions


def rows_of(table):
    """Return the rows as lists, None where there is no value."""
    frame = table.frame.astype(object)
    return frame.where(table.frame.notna(), None).to_numpy().tolist()


def workbook(*sheets):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets:
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    return saved(book.save)


def saved(save):
    buffer = io.BytesIO()
    save(buffer)
    return buffer.getvalue()


TEXTS = [
    "NA",
    "null",
    "None",
    "NaN",
    "007",
    "1e5",
    "12345678901234567890",
    "2024-01-02",
    "TRUE",
    " x ",
    '"q", r',
    "a\nb",
]


def test_whatever_looks_like_a_number_a_date_or_a_null_keeps_its_characters_in_every_format():
    frame = pd.DataFrame({"id": list(map(str, range(len(TEXTS)))), "text": TEXTS})
    listed = frame.to_dict("records")
    contents = {
        "x.csv": frame.to_csv(index=False).encode(),
        "x.tsv": frame.to_csv(index=False, sep="\t").encode(),
        "x.parquet": saved(frame.to_parquet),
        "x.json": json.dumps(listed).encode(),
        "x.jsonl": "\n".join(map(json.dumps, listed)).encode(),
        "x.xlsx": workbook(("one", [["id", "text"], *([row["id"], row["text"]] for row in listed)])),
    }
    for name, content in contents.items():
        assert rows_of(read_table(content, name)) == frame.to_numpy().tolist(), name


@settings(deadline=None)
@given(
    st.lists(
        st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=6), min_size=2, max_size=2),
        min_size=1,
        max_size=8,
    ),
    st.sampled_from(["comma", "semicolon", "tab", "pipe"]),
)
def test_what_csv_was_written_is_what_is_read_with_its_delimiter(rows, delimiter):
    written = pd.DataFrame([["x", "y"], *rows], columns=["one", "two"])
    content = written.to_csv(index=False, sep=limits.DELIMITERS[delimiter]).encode()
    options = ReadingOptions(delimiter=delimiter, encoding="utf-8")
    assert rows_of(read_table(content, "x.csv", options)) == [
        [value or None for value in row] for row in written.to_numpy().tolist()
    ]


@pytest.mark.parametrize("name", ["x.csv", "x.txt", "x.tsv"])
@pytest.mark.parametrize("delimiter", ["comma", "semicolon", "tab", "pipe"])
def test_the_delimiter_is_detected_by_the_rows_and_not_by_the_header_alone(name, delimiter):
    mark = limits.DELIMITERS[delimiter]
    others = "".join(set(",;\t|") - {mark})
    content = f'id{mark}"text {others}"\n1{mark}"a, b"\n2{mark}"c; d | e"\n'
    table = read_table(content.encode(), name)
    assert (table.reading.delimiter, rows_of(table)) == (delimiter, [["1", "a, b"], ["2", "c; d | e"]])


def test_commas_in_every_row_do_not_pass_for_the_delimiter_of_a_file_with_tabs():
    table = read_table(b"id\tname, first\n1\tA, b\n2\tC, d\n3\tE\n", "x.csv")
    assert (table.reading.delimiter, list(table.frame.columns)) == ("tab", ["id", "name, first"])


def test_a_separator_told_in_the_first_line_as_excel_does_is_taken():
    table = read_table(b"sep=;\nid;text\n1;a,b\n", "x.csv")
    assert (table.reading.delimiter, rows_of(table), table.numbers.tolist()) == ("semicolon", [["1", "a,b"]], [3])


def test_quotes_of_a_file_that_encloses_nothing_are_plain_characters_and_that_is_told():
    content = b'id\ttext\n1\t"Error" on login\n2\ta 5" disk\n'
    table = read_table(content, "x.tsv")
    assert rows_of(table) == [["1", '"Error" on login'], ["2", 'a 5" disk']]
    assert (table.reading.quotes, table.notes) == (
        "plain", ("Quotes were read as plain characters of the texts (detected).",),
    )  # fmt: skip
    with pytest.raises(DataFaultError, match=r'x.tsv, line 2: .* set "quotes" to plain'):
        read_table(content, "x.tsv", ReadingOptions(quotes="enclose"))
    asked = read_table(b'id,text\n1,"a"\n', "x.csv", ReadingOptions(quotes="plain"))
    assert (rows_of(asked), asked.notes) == ([["1", '"a"']], ())
    enclosed = read_table(b'id\ttext\n1\t"a\tb"\n', "x.tsv")
    assert (rows_of(enclosed), enclosed.reading.quotes) == ([["1", "a\tb"]], None)


def test_a_wrong_separator_shows_the_columns_found_and_asks():
    table = read_table(b"id;text\n1;a\n", "x.csv", ReadingOptions(delimiter="comma"))
    assert table.notes == ("Columns found: 'id;text' only. Is the separator right?",)
    with pytest.raises(DataFaultError, match=r"row 2 has 2.*Columns found: id;text; is the separator right"):
        read_table(b"id;text\n1;a,b\n", "x.csv", ReadingOptions(delimiter="comma"))


def test_a_file_of_one_column_is_not_split_at_the_commas_of_its_texts():
    table = read_table(b"text\nhello, world\na; b\n", "x.txt")
    assert (table.reading.delimiter, rows_of(table)) == (None, [["hello, world"], ["a; b"]])


LATIN = "id,text\n1,Grüße vom Büro ça va très bien\n2,le café était fermé à midi\n"
ENCODED = [
    ("latin-1", "cp1252", LATIN), ("cp1252", "cp1252", LATIN.replace("Grüße", "“Grüße” \u2013 5 €")),
    ("cp1250", "cp1250", "id,text\n1,Nie mogę zalogować się do sieci\n2,Drukarka nie działa wciąż źle\n"),
    ("cp1251", "cp1251", "id,text\n1,Привет принтер не работает\n2,не могу войти в сеть\n"),
    ("utf-8", "utf-8", LATIN), ("utf-8-sig", "utf-8", LATIN),
    ("utf-16", "utf-16", LATIN), ("utf-16-le", "utf-16-le", LATIN), ("utf-16-be", "utf-16-be", LATIN),
    ("utf-16-le", "utf-16-le", "id,text\n1,Привет принтер не работает\n"),
    ("utf-32", "utf-32", LATIN), ("utf-32-be", "utf-32-be", LATIN),
]  # fmt: skip


@pytest.mark.parametrize(("written", "told", "text"), ENCODED)
def test_an_encoding_is_detected_told_and_exact(written, told, text):
    table = read_table(text.encode(written), "x.csv")
    assert (table.reading.encoding, rows_of(table)) == (told, [line.split(",") for line in text.splitlines()[1:]])
    guessed = not text.encode(written).startswith((b"\xef\xbb\xbf", b"\xff\xfe")) and written != "utf-8"
    assert table.notes == ((f"The file was read as {told} (detected).",) if guessed else ())


def test_an_encoding_asked_for_is_taken_and_one_that_does_not_fit_names_line_and_byte():
    content = "id,text\n1,Привет\n".encode("koi8_r")
    assert rows_of(read_table(content, "x.csv", ReadingOptions(encoding="koi8-r"))) == [["1", "Привет"]]
    with pytest.raises(DataFaultError, match=r"x.csv is not utf-8: line 2 holds the byte 0xf0. Choose another"):
        read_table(content, "x.csv", ReadingOptions(encoding="UTF8"))
    with pytest.raises(DataFaultError, match=r"must be one that Python knows.* got 'klingon'"):
        read_table(content, "x.csv", ReadingOptions(encoding="klingon"))


def test_one_late_byte_that_is_not_utf8_is_seen():
    content = b"id,text\n" + b"1,plain\n" * 20_000 + b"2,caf\xe9\n"
    table = read_table(content, "x.csv")
    assert (table.reading.encoding, table.frame["text"].iloc[-1]) == ("cp1252", "café")


def test_nul_control_and_broken_characters_are_cleaned_and_counted():
    table = read_table(b"id,text\na,x\x00\x00y\nb,w\x0bv\x07\nc,z\xed\xa0\x80\n", "caf\udce9.csv")
    assert (table.source, table.frame["text"].tolist()) == ("caf?.csv", ["xy", "w v", "z\ufffd"])
    assert table.notes == (
        "2 NUL characters were removed from the file.",
        "2 control characters were removed from the file, or made a space where they separate words.",
        "1 broken character was replaced by \ufffd (lone surrogates, half a character).",
    )
    halves = read_table(b'[{"text": "\\ud83d\\ude00 \\ud83d"}]', "x.json")
    assert halves.frame["text"].tolist() == ["\U0001f600 \ufffd"]
    parquet = saved(pd.DataFrame({"text": ["a\x00b", None]}).to_parquet)
    assert rows_of(read_table(parquet, "x.parquet")) == [["ab"], [None]]


def test_texts_that_show_nothing_are_told_from_those_that_do():
    texts = pd.Series(
        ["", None, " \t\n", "\u200b\u200d", "\ufeff\u2060 ", "\u00ad\u3164", "a\u200b", "0", "\U0001f600"]
    )
    assert is_blank(texts).tolist() == [True] * 6 + [False] * 3


def test_json_in_its_usual_forms_is_one_table():
    rows = [{"a": "x", "b": "1"}, {"a": "y", "b": "2"}]
    forms = {
        "list": rows,
        "pairs": {"made_by": "a story", "pairs": rows, "n": {"x": 1}},
        "columns": {"a": ["x", "y"], "b": [1, 2]},
        "pandas": json.loads(pd.DataFrame(rows).to_json()),
    }
    for form, value in forms.items():
        table = read_table(json.dumps(value, indent=1).encode(), "story_pairs.json")
        assert rows_of(table) == [["x", "1"], ["y", "2"]], form
        assert table.numbers.tolist() == [1, 2]
    lines = read_table(b'{"a": "x"}\n\n{"a": "y"}\n', "x.json")
    assert (rows_of(lines), lines.numbers.tolist(), lines.reading.format) == ([["x"], ["y"]], [1, 3], "jsonl")


def test_json_numbers_are_as_written_null_is_no_value_and_nested_values_are_left_out_by_name():
    content = b'[{"n": 1.50, "id": 123456789012345678901234567890, "ok": true}, {"n": null, "tags": ["x"], "e": ""}]'
    table = read_table(content, "x.json")
    assert list(table.frame.columns) == ["n", "id", "ok", "e"]
    assert rows_of(table) == [["1.50", "123456789012345678901234567890", "1", None], [None, None, None, ""]]
    assert table.notes == ("Left out, since they hold lists or structures and not plain values: tags.",)


def test_a_value_that_lies_across_the_blocks_of_a_large_json_file_is_whole():
    rows = [{"id": str(place), "text": "x" * 70_000, "n": place} for place in range(40)]
    table = read_table(json.dumps(rows).encode(), "x.json")
    assert table.frame["n"].tolist() == [str(place) for place in range(40)]
    assert set(table.frame["text"].str.len()) == {70_000}


def test_a_sheet_can_be_chosen_and_its_cells_lose_nothing():
    rows = [["id", "when", "n", "ok", None], ["007", datetime(2024, 1, 2, 3, 4), 7.0, True, None],
            [None, None, None, None, None], [8, date(2024, 1, 2), 0.1, None, None]]  # fmt: skip
    content = workbook(("notes", []), ("first", rows), ("second", [["text"], ["b"]]))
    table = read_table(content, "x.xlsx")
    assert rows_of(table) == [["007", "2024-01-02 03:04:00", "7", "1"], ["8", "2024-01-02", "0.1", None]]
    assert table.numbers.tolist() == [2, 4]
    assert (table.reading.sheet, table.reading.sheets) == ("first", ("notes", "first", "second"))
    assert rows_of(read_table(content, "x.xlsx", ReadingOptions(sheet="second"))) == [["b"]]
    with pytest.raises(DataFaultError, match="has no sheet 'third'; it has: notes, first, second"):
        read_table(content, "x.xlsx", ReadingOptions(sheet="third"))


def test_parquet_integers_beside_nulls_keep_every_digit_and_lists_are_left_out_with_a_note():
    table = pa.table({"id": [9007199254740993, None], "ok": [True, None], "text": ["a", "b"], "tags": [["x"], ["y"]]})
    read = read_table(saved(lambda buffer: pq.write_table(table, buffer)), "x.parquet")
    assert list(read.frame.columns) == ["id", "ok", "text"]
    assert rows_of(read) == [["9007199254740993", "1", "a"], [None, None, "b"]]
    assert read.notes == ("Left out, since they hold lists or structures and not plain values: tags.",)


def test_parquet_numbers_and_dates_are_written_in_the_fewest_digits_that_give_them_back():
    numbers = pa.table({
        "single": pa.array([0.1, 1e20, None], pa.float32()), "double": [0.1, float("nan"), 3.0],
        "day": [date(2024, 1, 2), None, None], "when": [datetime(2024, 1, 2, 3, 4), None, None],
    })  # fmt: skip
    read = read_table(saved(lambda buffer: pq.write_table(numbers, buffer)), "x.parquet")
    assert rows_of(read) == [
        ["0.1", "0.1", "2024-01-02", "2024-01-02 03:04:00"], ["1e+20", None, None, None], [None, "3.0", None, None],
    ]  # fmt: skip


@pytest.mark.parametrize("inside", ["x.csv", "x.jsonl", "x.parquet", "x.xlsx"])
def test_a_packed_file_is_read_as_what_is_inside_and_its_size_told(inside):
    content = {
        "x.csv": b"id,text\n007,a\n", "x.jsonl": b'{"id": "007", "text": "a"}\n',
        "x.parquet": saved(pd.DataFrame({"id": ["007"], "text": ["a"]}).to_parquet),
        "x.xlsx": workbook(("s", [["id", "text"], ["007", "a"]])),
    }[inside]  # fmt: skip
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(f"folder/{inside}", content)
        packed.writestr("__MACOSX/._x", b"clutter")
    for name, given_bytes in ((f"{inside}.gz", gzip.compress(content)), ("y.zip", archive.getvalue())):
        table = read_table(given_bytes, name)
        assert rows_of(table) == [["007", "a"]], name
        assert table.reading.expanded_bytes


@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".json", ".parquet", ".xlsx", ".csv.gz"])
def test_a_look_at_the_head_reads_only_so_many_rows(ending):
    rows = [{"id": str(place), "text": f"text {place}"} for place in range(50)]
    frame = pd.DataFrame(rows)
    content = {
        ".csv": frame.to_csv(index=False).encode(), ".json": json.dumps(rows).encode(),
        ".jsonl": "\n".join(map(json.dumps, rows)).encode(), ".parquet": saved(frame.to_parquet),
        ".xlsx": workbook(("s", [["id", "text"], *map(list, frame.to_numpy())])),
        ".csv.gz": gzip.compress(frame.to_csv(index=False).encode()),
    }[ending]  # fmt: skip
    table = read_table(content, f"x{ending}", limit=3)
    assert rows_of(table) == [["0", "text 0"], ["1", "text 1"], ["2", "text 2"]]


def test_a_look_at_the_head_of_a_large_file_reads_no_more_than_that(tmp_path):
    path = tmp_path / "large.csv"
    path.write_bytes(b"id,text\n" + b"1,abcdefgh\n" * 2_000_000)  # 22 MB, and the last line is ragged
    with path.open("ab") as file:
        file.write(b"ragged\n")
    seen = []
    assert len(read_table(path, path.name, limit=10, progress=lambda *told: seen.append(told)).frame) == 10
    assert seen[-1][0] <= 2_000_000 < seen[-1][1]


def test_progress_is_told_in_bytes_up_to_the_whole():
    told = []
    content = b"id,text\n" + b"1,abcdefgh\n" * 50_000
    read_table(content, "x.csv", progress=lambda *each: told.append(each))
    assert [done for done, _, _ in told] == sorted(done for done, _, _ in told)
    assert told[-1] == (len(content), len(content), "bytes")


def test_columns_without_a_name_are_named_by_their_place():
    table = read_table(b",text,\n0,a,\n", "x.csv")
    assert list(table.frame.columns) == ["column 1", "text", "column 3"]
    assert table.notes == ("The header leaves 2 of 3 columns without a name: column 1, column 3.",)


def test_names_of_columns_are_cleaned_as_texts_are_and_two_that_become_one_are_refused():
    table = read_table(b'[{"a\\ud800": 1, "b\\u0000\\u000b ": 2, "": 3, "n\\ud800": [1]}]', "x.json")
    assert list(table.frame.columns) == ["a\ufffd", "b", "column 3"]
    assert rows_of(table) == [["1", "2", "3"]]
    with pytest.raises(DataFaultError, match=r"x.json must name every column once, got a more than once"):
        read_table(b'[{"a": 1, "a ": 2}]', "x.json")


def test_a_text_longer_than_a_text_may_be_is_left_to_its_row():
    table = read_table(b"id,text\na," + b"x" * (MAX_TEXT + 1) + b"\n", "x.csv")
    assert table.frame["text"].str.len().tolist() == [MAX_TEXT + 1]


@pytest.mark.parametrize("ending", [".csv.gz", ".zip"])
def test_progress_of_a_packed_file_ends_at_its_whole_and_no_file_stays_open(tmp_path, ending):
    content = b"id,text\n" + b"".join(b"%d,text %d\n" % (place, place * 7919) for place in range(60_000))
    path = tmp_path / f"x{ending}"
    if ending == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
            packed.writestr("x.csv", content)
    else:
        path.write_bytes(gzip.compress(content))
    told = []
    assert len(read_table(path, path.name, progress=lambda *each: told.append(each)).frame) == 60_000
    assert [done for done, _, _ in told] == sorted(done for done, _, _ in told)
    assert 0 < told[0][0] < told[0][1]
    assert told[-1][0] == told[-1][1]
