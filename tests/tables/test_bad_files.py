"""Bad files of every kind, each written here: every one gives a sentence that names the file, and where it is wrong."""

import gzip
import io
import json
import random
import subprocess
import sys
import time
import zipfile

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from simtune_core.errors import DataFaultError
from simtune_core.tables import table as limits
from simtune_core.tables.reading import read_table
from simtune_core.tables.table import ReadingOptions
from simtune_core.workspace import CHECKOUT


def saved(save):
    buffer = io.BytesIO()
    save(buffer)
    return buffer.getvalue()


def parquet(table):
    return saved(lambda buffer: pq.write_table(table, buffer))


def archive(members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in members.items():
            packed.writestr(name, content)
    return buffer.getvalue()


def encrypted(content):
    """Return an archive whose one file says that it is encrypted, in both of its headers."""
    changed = bytearray(content)
    changed[6] |= 1
    changed[content.index(b"PK\x01\x02") + 8] |= 1
    return bytes(changed)


def packed_by(content, method):
    """Return an archive whose one file names another method of packing, in both of its headers."""
    changed = bytearray(content)
    changed[8] = changed[content.index(b"PK\x01\x02") + 10] = method
    return bytes(changed)


def lying(content, size):
    """Return an archive whose one file states another expanded size than it has, in both of its headers."""
    changed = bytearray(content)
    changed[22:26] = size.to_bytes(4, "little")
    at = content.index(b"PK\x01\x02") + 24
    changed[at : at + 4] = size.to_bytes(4, "little")
    return bytes(changed)


def workbook(*rows, far=None):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    if far:
        book.active[far] = "x"
    return saved(book.save)


TABLE = pa.table({"id": ["a", "b"], "text": ["x", "y"]})
ZIPPED_CSV = archive({"x.csv": b"id,text\na,b\n" * 50})
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
KINDS = {
    "empty": ("x.csv", b"", r"x.csv is empty and has no rows"),
    "only a byte order mark": ("x.csv", b"\xef\xbb\xbf", "x.csv has no rows"),
    "only NUL": ("x.csv", b"\x00", "x.csv has no rows"),
    "header only": ("x.csv", b"id,text\n", r"x.csv has no rows \(columns: id, text\)"),
    "ragged row": ("x.csv", b"a,b\n1,2\n1,2,3\n", "must have the header's 2 fields .* row 3 has 3"),
    "many ragged rows": ("x.csv", b"a,b\n" + b"1\n" * 9, "row 2 has 1, .* and 4 more"),
    "unterminated quote": ("x.csv", b'a,b\n1,2\n1,"2\n3,4\n', "x.csv, line 3: .* quote that is opened .* never closed"),
    "text behind a quote": ("x.csv", b'a,b\n1,"2"3\n', "x.csv, line 2: not a valid CSV file"),
    "duplicate columns": ("x.csv", b"a,b,a\n1,2,3\n", "x.csv must name every column once, got a more than once"),
    "too many columns": (
        "x.csv", b",".join(b"c%d" % i for i in range(1001)) + b"\n",
        "at most 1,000 columns, got 1,001",
    ),
    "huge cell": ("x.csv", b"a,b\n1,2\n1," + b"x" * 10_000_000 + b"\n", "x.csv, line 3: .* longer than 1,000,000"),
    "one endless line": ("x.csv", b"x" * 17_000_000, "x.csv, line 1: longer than 16,000,000 characters"),
    "no encoding fits": ("x.csv", bytes(range(128, 256)) * 9, "x.csv must be text.*line 1 holds the byte 0x80"),
    "UTF-16 cut in a character": ("x.csv", "a,b\n1,2\n".encode("utf-16")[:-1], "begins as utf-16 but is not"),
    "Windows program": ("x.csv", b"MZ\x90\x00\x03" + bytes(99), "x.csv is not a CSV file but a Windows program"),
    "Linux program": ("x.json", b"\x7fELF" + bytes(99), "x.json is not a JSON file but a program"),
    "PDF": ("x.csv", b"%PDF-1.7\n%\xe2\xe3\n", "x.csv is not a CSV file but a PDF document"),
    "web page": ("x.csv", b"\n<!DOCTYPE html><html>", "x.csv is not a CSV file but a web page"),
    "workbook called CSV": ("x.csv", workbook(["a"], ["1"]), "is not a CSV file but a ZIP .*ending .zip or .xlsx"),
    "Parquet called CSV": ("x.tsv", parquet(TABLE), "x.tsv is not a TSV file but a Parquet file; .* ending .parquet"),
    "JSON called CSV": ("x.csv", b' [{"a": 1}]', "x.csv is not a CSV file but JSON; give it the ending .json"),
    "XML": ("x.csv", b'<?xml version="1.0"?>', "x.csv is not a CSV file but an XML document"),
    "picture": ("x.txt", b"\x89PNG\r\n\x1a\n", "x.txt is not a TXT file but a picture"),
    "program by its name": (
        "x.exe", b"MZ",
        r"must be one of .csv, .tsv, .*or one of these in a .gz or .zip, got 'x.exe'",
    ),
    "old workbook by its name": ("x.xls", OLE, "got 'x.xls'. Save the workbook as .xlsx"),
    "old workbook renamed": (
        "x.xlsx", OLE,
        "x.xlsx cannot be read as an XLSX workbook: .* old .xls files must be saved",
    ),
    "corrupt workbook": ("x.xlsx", workbook(["a"], ["1"])[:-60], "x.xlsx cannot be read as an XLSX workbook"),
    "archive that is no workbook": ("x.xlsx", ZIPPED_CSV, "x.xlsx cannot be read as an XLSX workbook"),
    "workbook without rows": ("x.xlsx", workbook(), r"x.xlsx has no rows \(sheets: Sheet\)"),
    "workbook with a header only": ("x.xlsx", workbook(["a", "b"]), r"x.xlsx has no rows \(columns: a, b\)"),
    "workbook with a column twice": ("x.xlsx", workbook(["a", "a"], [1, 2]), "x.xlsx must name every column once"),
    "workbook with a cell far below": (
        "x.xlsx", workbook(["a"], far="ZZ1048576"),
        "must span at most 20,000,000 cells",
    ),
    "workbook with a cell far right": (
        "x.xlsx", workbook(["a"], far="XFD2"),
        "at most 1,000 columns, .* column 16,384",
    ),
    "corrupt Parquet": ("x.parquet", b"not parquet", "x.parquet cannot be read as Parquet"),
    "truncated Parquet": ("x.parquet", parquet(TABLE)[:-20], "x.parquet cannot be read as Parquet"),
    "Parquet with a flipped page": ("x.parquet", b"PAR1" + b"\xff" * 40 + parquet(TABLE)[44:], "x.parquet"),
    "Parquet with lists only": (
        "x.parquet", parquet(pa.table({"a": [[1]], "b": [[2]]})),
        "no column with plain .*: a, b",
    ),
    "Parquet without rows": ("x.parquet", parquet(TABLE.slice(0, 0)), r"x.parquet has no rows \(columns: id, text\)"),
    "Parquet with a column twice": ("x.parquet", parquet(pa.table([["a"], ["b"]], ["t", "t"])), "column once, got t"),
    "Parquet with bytes": (
        "x.parquet", parquet(pa.table({"id": ["a"], "b": [b"\xff\xfe"]})),
        "x.parquet, column b: not text",
    ),
    "gzip cut short": ("x.csv.gz", gzip.compress(b"a,b\n1,2\n" * 99)[:-9], "x.csv.gz is damaged or cut short"),
    "gzip with a flipped bit": ("x.csv.gz", gzip.compress(b"a,b\n")[:-6] + b"\xff" * 6, "x.csv.gz is damaged"),
    "gzip that is none": ("x.csv.gz", b"a,b\n1,2\n", "x.csv.gz is damaged .*Not a gzipped file"),
    "gzip of a program": ("x.exe.gz", gzip.compress(b"MZ"), "got 'x.exe.gz' with '.exe' inside"),
    "archive that is none": ("x.zip", b"a,b\n", "x.zip is damaged or cut short"),
    "archive with two files": (
        "x.zip", archive({"a.csv": b"a", "b.csv": b"b"}),
        "exactly one file, got 2: a.csv, b.csv",
    ),
    "archive without a file": ("x.zip", archive({"folder/": b""}), "exactly one file, got 0: none"),
    "archive with a path outside": ("x.zip", archive({"../x.csv": b"a"}), "holds '../x.csv', a path that leads"),
    "archive with a password": ("x.zip", encrypted(ZIPPED_CSV), "x.zip is encrypted; unpack it"),
    "archive packed by an unknown method": ("x.zip", packed_by(ZIPPED_CSV, 99), "x.zip is packed by a method"),
    "archive with a flipped bit": ("x.zip", ZIPPED_CSV[:40] + b"\xff\xff\xff" + ZIPPED_CSV[43:], "x.zip is damaged"),
    "archive that states a smaller size": ("x.zip", lying(ZIPPED_CSV, 7), "x.zip is damaged"),
    "deep JSON": ("x.json", b"[" * 200_000, "x.json, line 1: cannot be read as JSON .it is nested too deeply"),
    "deep JSON Lines": ("x.jsonl", b'{"a":1}\n' + b'{"a":' * 99_999, "x.jsonl, line 2: it is nested too deeply"),
    "JSON of scalars": ("x.json", b"[1, 2]", "x.json, item 1: every item .* must be an object .* got a text or number"),
    "JSON of one scalar": ("x.json", b'"text"', "x.json must hold a list of objects or an object of columns"),
    "JSON of one object": (
        "x.json", b'{"a": 1, "b": "x"}',
        "x.json must hold a list of objects, .* got an object with a",
    ),
    "JSON of uneven columns": ("x.json", b'{"a": [1], "b": [1, 2]}', "as many values .* a has 1, b has 2"),
    "JSON with two lists": ("x.json", b'{"a": [{"x": 1}], "b": [{"x": 1}]}', "one list of objects, got 'a' and 'b'"),
    "JSON cut short": ("x.json", b'[{"a": 1},\n{"a": 2}', "x.json, line 2: cannot be read as JSON"),
    "JSON with more behind it": ("x.json", b'[{"a": 1}]\n[]', "x.json, line 2: .*more follows"),
    "JSON with NaN": ("x.json", b'[{"a": 1},\n{"a": NaN}]', "x.json, line 2: .*NaN is no number"),
    "JSON with a name twice": ("x.json", b'[{"a": 1, "a": 2}]', "x.json, line 1: .* got 'a' twice"),
    "JSON of nested values only": ("x.json", b'[{"a": [1]}]', "x.json has no column with plain values"),
    "JSON of nothing": ("x.json", b"  \n ", "x.json must hold a list of objects .* got nothing"),
    "JSON Lines with a broken line": ("x.jsonl", b'{"a": 1}\n{"a": \n', "x.jsonl, line 2: not JSON"),
    "JSON Lines with no object": (
        "x.jsonl", b'{"a": 1}\n\n[1]\n',
        "x.jsonl, line 3: every line must be an object .* a list",
    ),
    "JSON Lines with Infinity": ("x.ndjson", b'{"a": -Infinity}\n', "x.ndjson, line 1: -Infinity is no number"),
    "JSON with too many columns": (
        "x.json", json.dumps([{f"c{i}": 1 for i in range(1001)}]).encode(),
        "at most 1,000 col",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_a_bad_file_is_refused_with_a_sentence_that_says_where(kind):
    name, content, sentence = KINDS[kind]
    with pytest.raises(DataFaultError, match=sentence) as refused:
        read_table(content, name)
    message = str(refused.value)
    assert name in message
    assert "\n" not in message
    assert len(message) < 500
    assert message.endswith((".", "?"))


def test_there_are_at_least_thirty_kinds():
    assert len(KINDS) >= 30


def test_a_missing_file_and_a_folder_without_data_are_sentences(tmp_path):
    with pytest.raises(DataFaultError, match=r"x.csv cannot be read: No such file"):
        read_table(tmp_path / "x.csv", "x.csv")
    with pytest.raises(DataFaultError, match="empty holds no file of data"):
        read_table(tmp_path, "empty")


FRAME = pd.DataFrame({"id": ["a", "b"], "text": ["caf\u00e9", "x"]})
WHOLE = {
    ".csv": FRAME.to_csv(index=False).encode(), ".csv.gz": gzip.compress(FRAME.to_csv(index=False).encode()),
    ".zip": ZIPPED_CSV, ".json": FRAME.to_json(orient="records").encode(), ".parquet": parquet(TABLE),
    ".jsonl": FRAME.to_json(orient="records", lines=True).encode(), ".xlsx": workbook(["id", "text"], ["a", "x"]),
}  # fmt: skip


@pytest.mark.parametrize("suffix", WHOLE)
def test_a_file_cut_or_flipped_anywhere_is_read_or_refused_and_nothing_else(suffix):
    draws = random.Random(suffix)
    for _ in range(400):
        content = bytearray(WHOLE[suffix])
        for _ in range(draws.randint(0, 3)):
            content[draws.randrange(len(content))] = draws.randrange(256)
        cut = bytes(content[: draws.randint(0, len(content))] if draws.random() < 0.3 else content)
        try:
            table = read_table(cut, f"x{suffix}")
        except DataFaultError:
            continue
        assert len(table.frame) == len(table.numbers)


def test_a_file_of_too_many_rows_is_refused(monkeypatch):
    monkeypatch.setattr(limits, "MAX_ROWS", 3)
    for name, content in (
        ("x.csv", b"a\n" + b"1\n" * 4), ("x.jsonl", b'{"a": 1}\n' * 4),
        ("x.parquet", parquet(pa.table({"a": ["x"] * 4}))),
        ("x.json", b"[" + b",".join([b'{"a": 1}'] * 4) + b"]"), ("x.xlsx", workbook(*[["a"]] * 5)),
    ):  # fmt: skip
        with pytest.raises(DataFaultError, match="must have at most 3 rows, got 4"):
            read_table(content, name)


def repeated(n_rows):
    """Return a Parquet file that says one text of 20,000 characters again and again, in some kilobytes."""
    one = pa.DictionaryArray.from_arrays(pa.array([0] * n_rows), pa.array(["x" * 20_000]))
    return saved(lambda buffer: pq.write_table(pa.table({"text": one}), buffer, store_schema=False))


def test_a_parquet_file_that_expands_is_refused_before_it_has(monkeypatch):
    content = repeated(20_000)  # 400 MB
    monkeypatch.setattr(limits, "MAX_BYTES", 5_000_000)
    default, pool = pa.default_memory_pool(), pa.proxy_memory_pool(pa.default_memory_pool())
    pa.set_memory_pool(pool)
    try:
        with pytest.raises(DataFaultError, match=r"must expand to at most 0.005 GB, got 0.4 GB"):
            read_table(content, "bomb.parquet")
    finally:
        pa.set_memory_pool(default)
    assert 0 < pool.max_memory() < 5_000_000


def zipped_bomb():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as zipped, zipped.open("x.csv", "w") as x:
        for _ in range(90):
            x.write(b"a,b\n" * 250_000)
    return buffer.getvalue()


MEASURED = """
import resource, sys, time
from pathlib import Path
import numpy, pandas, pyarrow.parquet, pyarrow.compute, python_calamine
from simtune_core.errors import DataFaultError
from simtune_core.tables.reading import read_table
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for path in sorted(Path(sys.argv[1]).iterdir()):
    began = time.process_time()
    try:
        read_table(path, path.name)
    except DataFaultError as error:
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024
        print(path.name, grown, time.process_time() - began, error, sep="|")
"""


def test_bombs_are_refused_within_seconds_and_without_the_memory_they_ask_for(tmp_path):
    zipped = zipped_bomb()
    bombs = {
        "rows.csv.gz": gzip.compress(b"a,b\n" * 250_000) * 2000,  # 2 GB
        "spaces.json.gz": gzip.compress(b" " * 1_000_000) * 2000,
        "zeros.parquet.gz": gzip.compress(bytes(1_000_000)) * 2000,
        "rows.zip": zipped,
        "lying.zip": lying(zipped, 1000),
        "texts.parquet": repeated(120_000),  # 2.4 GB
        "cells.xlsx": workbook(["a"], far="ALL1048576"),  # a rectangle of a billion cells
    }
    for name, content in bombs.items():
        (tmp_path / name).write_bytes(content)
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, str(tmp_path)], cwd=CHECKOUT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    told = [line.split("|") for line in done.stdout.splitlines()]
    assert [name for name, *_ in told] == sorted(bombs)
    assert [name for name, grown_mb, _, _ in told if int(grown_mb) >= 200] == []
    assert [name for name, _, cpu_seconds, _ in told if float(cpu_seconds) > 5] == []
    assert [name for name, _, _, sentence in told if name not in sentence] == []


def test_an_override_that_is_wrong_is_a_sentence_too():
    with pytest.raises(DataFaultError, match=r"x.csv, line 1: longer|x.csv has no rows|is not utf-16"):
        read_table(b"a,b\n1,2", "x.csv", ReadingOptions(encoding="utf-16"))


def test_a_look_at_the_head_does_not_wait_for_what_is_wrong_below():
    content = b"a,b\n" + b"1,2\n" * 100 + b"1,2,3\n"
    began = time.monotonic()
    assert len(read_table(content, "x.csv", limit=100).frame) == 100
    assert time.monotonic() - began < 60
    with pytest.raises(DataFaultError, match="row 102 has 3"):
        read_table(content, "x.csv")
