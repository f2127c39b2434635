"""Tests of exporting: what is read back is what was there, a spreadsheet runs nothing, nothing is overwritten."""

import csv
import io
import json
import shlex
import zipfile

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from simtune_core.cli import app
from simtune_core.curriculum.formats import FormatConfig, format_pairs
from simtune_core.datasets import load_pairs, load_records, save_pairs, save_records
from simtune_core.errors import DataFaultError, WorkspaceError
from simtune_core.preparing.dataset_card import split_names
from simtune_core.preparing.exporting import export_rows
from simtune_core.tables.formulas import DANGEROUS, marked, unmarked
from simtune_core.workflows.preparing import command_for, download, too_large_to_download

HOSTILE = [
    "=HYPERLINK(\"http://evil\")", "+1 more", "-5 degrees", "@SUM(A1)", "\ttab", "\rreturn", "'=already", "''@twice",
    "plain", "two\nlines", 'a "quoted" word', "comma, semicolon; tab\t", "naïve ☃ 漢字", "NA", "null", "'quoted'",
    "007",
]  # fmt: skip


@pytest.fixture
def hostile(workspace):
    frame = pd.DataFrame({"sentence1": HOSTILE, "sentence2": HOSTILE[::-1], "label": [i % 2 for i in range(17)]})
    frame["score"] = np.random.default_rng(2).random(17)
    frame["category1"] = ["=cat", None, "a"] * 5 + ["b", "c"]
    frame["split"] = ["train"] * 9 + ["dev"] * 4 + ["test"] * 4
    save_pairs(
        workspace, "hostile", frame, provenance={"made_by": "import", "source": "`x`\n# y", "licence": "CC0-1.0"}
    )
    return load_pairs(workspace, "hostile").frame


@pytest.fixture
def tickets(workspace):
    frame = pd.DataFrame({"id": ["007", "8"], "text": ["=1+1", "vpn"], "time": ["2024-01-01T00:00:00Z", None]})
    save_records(workspace, "tickets", frame.assign(opened=[1.5, None]), provenance={})
    return load_records(workspace, "tickets").frame


def test_parquet_gives_the_very_rows(workspace, hostile, tickets, tmp_path):
    for name, frame in (("hostile", hostile), ("tickets", tickets)):
        made = export_rows(workspace, name, tmp_path / f"{name}.parquet")
        pd.testing.assert_frame_equal(pd.read_parquet(made.path), frame)
        assert (made.format, made.n_rows, made.n_marked) == ("parquet", len(frame), 0)


def test_json_lines_give_the_very_values(workspace, hostile, tickets, tmp_path):
    for name, frame in (("hostile", hostile), ("tickets", tickets)):
        made = export_rows(workspace, name, tmp_path / f"{name}.jsonl")
        rows = [json.loads(line) for line in made.path.read_text(encoding="utf-8").split("\n")[:-1]]
        assert rows == [
            {key: None if pd.isna(value) else value for key, value in row.items()} for row in frame.to_dict("records")
        ]


def test_a_csv_runs_nothing_in_a_spreadsheet_and_its_texts_can_be_had_back(workspace, hostile, tmp_path):
    made = export_rows(workspace, "hostile", tmp_path / "h.csv")
    content = made.path.read_bytes()
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))

    assert content.startswith(b"\xef\xbb\xbf")
    for row in rows:
        assert not any(value.startswith(tuple("=+-@\t\r")) for value in row.values())
    for side in ("sentence1", "sentence2"):
        assert [unmarked(row[side]) for row in rows] == hostile[side].tolist()
    assert [unmarked(row["category1"]) or None for row in rows] == [
        None if pd.isna(value) else value for value in hostile["category1"]
    ]
    assert [float(row["score"]) for row in rows] == hostile["score"].tolist()
    assert [row["label"] for row in rows] == [str(i % 2) for i in range(17)]
    assert made.n_marked == 2 * 8 + 5


def test_names_of_columns_are_marked_too(workspace, tmp_path):
    frame = pd.DataFrame({"id": ["1"], "text": ["vpn"], "=cmd": ["x"]})
    save_records(workspace, "odd", frame, provenance={})

    assert "'=cmd" in export_rows(workspace, "odd", tmp_path / "odd.csv").path.read_text("utf-8-sig").splitlines()[0]


@given(st.lists(st.text(alphabet=st.sampled_from("'=+-@\t\r a"), max_size=5) | st.none(), min_size=1, max_size=6))
def test_marking_can_always_be_undone(texts):
    import pyarrow as pa

    column, n = marked(pa.chunked_array([pa.array(texts, pa.large_string())]))
    cells = column.to_pylist()

    assert [None if cell is None else unmarked(cell) for cell in cells] == texts
    assert not any(cell and cell[0] in "=+-@\t\r" for cell in cells)
    assert n == sum(cell != text for cell, text in zip(cells, texts, strict=True))
    assert DANGEROUS.startswith("^")


def test_the_hugging_face_folder_loads_with_its_splits_and_a_card(workspace, hostile, tmp_path, monkeypatch):
    import datasets

    monkeypatch.setenv("HF_DATASETS_OFFLINE", "1")
    made = export_rows(workspace, "hostile", tmp_path / "folder")
    loaded = datasets.load_dataset(str(made.path), cache_dir=str(tmp_path / "cache"))

    assert {name: len(part) for name, part in loaded.items()} == {"train": 9, "dev": 4, "test": 4}
    assert loaded["train"].column_names == ["sentence1", "sentence2", "label", "score", "category1"]
    for name, part in loaded.items():
        own = hostile[hostile["split"] == name]
        assert part["sentence1"][:] == own["sentence1"].tolist()
        assert part["score"][:] == own["score"].tolist()
        assert part["label"][:] == own["label"].astype(int).tolist()
    card = (made.path / "README.md").read_text(encoding="utf-8")
    assert "license: cc0-1.0" in card
    assert 'select_columns(["sentence1", "sentence2", "score"])' in card
    assert "\n# y" not in card
    assert "| `score` | double | graded similarity in [0, 1] |" in card
    assert "| `label` | int64 | 1 = similar, 0 = not similar |" in card


def test_a_set_without_splits_is_called_train_and_odd_names_are_made_plain():
    assert list(split_names(pd.Series([None, None]))) == ["train"]
    names = split_names(pd.Series(["a b", "a-b", None, "all", "train"]))
    assert list(names) == ["train", "a_b", "a_b_2", "unsplit", "all_2"]
    assert [int(np.flatnonzero(rows)[0]) for rows in names.values()] == [4, 0, 1, 2, 3]


def test_one_split_is_exported_under_its_name_into_a_folder_that_is_there(workspace, hostile, tmp_path):
    made = export_rows(workspace, "hostile:dev", tmp_path, form="parquet")

    assert made.path == tmp_path / "hostile-v0001-dev.parquet"
    assert pd.read_parquet(made.path)["sentence1"].tolist() == HOSTILE[9:13]


def test_nothing_is_overwritten_and_an_unknown_ending_is_asked_about(workspace, hostile, tmp_path):
    for name in ("there.csv", "there"):
        (tmp_path / name).write_text("mine")
        with pytest.raises(WorkspaceError, match=f"{name} exists already and nothing is overwritten"):
            export_rows(workspace, "hostile", tmp_path / name)
        assert (tmp_path / name).read_text() == "mine"
    with pytest.raises(WorkspaceError, match=r"x\.doc tells no format: end it in \.csv, \.parquet, \.jsonl"):
        export_rows(workspace, "hostile", tmp_path / "x.doc")
    with pytest.raises(WorkspaceError, match="cannot be written"):
        export_rows(workspace, "hostile", tmp_path / "there" / "x.csv")


def test_a_download_is_the_file_and_the_folder_comes_as_a_zip(workspace, hostile):
    frame = pd.read_parquet(io.BytesIO(download(workspace, "hostile", "parquet")))
    pd.testing.assert_frame_equal(frame, hostile)
    packed = zipfile.ZipFile(io.BytesIO(download(workspace, "hostile:test", "huggingface")))
    assert sorted(packed.namelist()) == ["hostile-v0001-test/README.md", "hostile-v0001-test/data/test.parquet"]


def test_a_set_too_large_for_a_page_is_left_to_the_command_line(workspace, hostile):
    assert not too_large_to_download(workspace, "hostile")
    assert too_large_to_download(workspace, "hostile", limit=100)
    assert too_large_to_download(workspace, "hostile:dev", limit=100)
    assert command_for("hostile", "jsonl") == "python -m simtune_core export hostile --to hostile.jsonl"
    assert command_for("a:b", "huggingface") == "python -m simtune_core export a:b --to a-b --format huggingface"


@pytest.fixture
def mined(workspace):
    rows = [("=a", "p", 1), ("=a", "n1", 0), ("=a", "n2", 0), ("b", "q", 1), ("b", "m", 0), ("c", "r", 1)]
    frame = pd.DataFrame(rows, columns=["sentence1", "sentence2", "label"])
    frame["split"], frame["phase"] = ["train"] * 3 + ["dev"] * 3, ["easy"] * 6
    details = pd.DataFrame({"similarity": [0.9, 0.5, 0.4, 0.8, 0.3, 0.7]})
    save_pairs(workspace, "mined", frame, provenance={"licence": "MIT"}, details=details)


def test_pairs_are_written_as_a_loss_takes_them_and_what_is_left_out_is_told(workspace, mined, tmp_path):
    config = FormatConfig(output_format="triplets")
    made = export_rows(workspace, "mined", tmp_path / "t.parquet", rows=config)

    expected = format_pairs(load_pairs(workspace, "mined"), config)
    pd.testing.assert_frame_equal(pd.read_parquet(made.path), expected.frame)
    assert (made.n_rows, made.left_out, made.notes) == (3, expected.left_out, expected.notes)
    assert [left.reason for left in made.left_out] == ["no_negative"]
    content = export_rows(workspace, "mined:train", tmp_path, form="csv", rows=config)
    assert content.path.name == "mined-v0001-train-triplets.csv"
    assert content.path.read_text("utf-8-sig").splitlines()[1:] == [
        '"\'=a","p","n1","easy","train"', '"\'=a","p","n2","easy","train"',
    ]  # fmt: skip
    assert not (tmp_path / "none.csv").exists()
    with pytest.raises(DataFaultError, match="gives no tuples"):
        export_rows(workspace, "mined", tmp_path / "none.csv", rows=FormatConfig(output_format="tuples"))
    assert not (tmp_path / "none.csv").exists()


def test_a_score_may_be_the_similarity_beside_the_pairs_of_one_split(workspace, mined, tmp_path):
    config = FormatConfig(output_format="scored", score="similarity")
    made = export_rows(workspace, "mined:dev", tmp_path / "s.jsonl", rows=config)

    assert [json.loads(line)["score"] for line in made.path.read_text().splitlines()] == [0.8, 0.3, 0.7]


def test_records_are_no_pairs_to_lay_out(workspace, tickets, tmp_path):
    with pytest.raises(WorkspaceError, match="holds records, and pairs are needed here"):
        export_rows(workspace, "tickets", tmp_path / "t.csv", rows=FormatConfig())


def test_the_folder_of_tuples_loads_and_its_card_names_the_columns_that_a_loss_reads(
    workspace, mined, tmp_path, monkeypatch
):
    import datasets

    monkeypatch.setenv("HF_DATASETS_OFFLINE", "1")
    config = FormatConfig(output_format="tuples", num_negatives=1)
    made = export_rows(workspace, "mined", tmp_path / "folder", rows=config)
    loaded = datasets.load_dataset(str(made.path), cache_dir=str(tmp_path / "cache"))

    assert loaded["train"].to_list() == [{"anchor": "=a", "positive": "p", "negative_1": "n1", "phase": "easy"}]
    assert loaded["dev"]["negative_1"][:] == ["m"]
    card = (made.path / "README.md").read_text()
    assert 'select_columns(["anchor", "positive", "negative_1"])' in card
    assert "| `negative_1` | string | text not similar to the anchor |" in card


def test_the_command_lays_pairs_out_and_its_line_is_the_one_that_the_page_shows(workspace, mined, tmp_path):
    config = FormatConfig(output_format="tuples", num_negatives=2)
    line = command_for("mined", "jsonl", config)
    assert line == ("python -m simtune_core export mined --to mined-tuples.jsonl --as tuples --set num_negatives=2")
    arguments = shlex.split(line)[3:]
    arguments[arguments.index("--to") + 1] = str(tmp_path / "mined.jsonl")
    said = CliRunner().invoke(app, [*arguments, "--json", "--workspace", str(workspace.root)])

    assert said.exit_code == 0, said.output
    result = json.loads(said.stdout)["result"]
    assert (result["n_rows"], [left["reason"] for left in result["left_out"]]) == (
        1, ["no_negative", "few_negatives", "unused_negatives"],
    )  # fmt: skip
    assert result["rows"] == config.model_dump(mode="json")
    alone = CliRunner().invoke(app, ["export", "mined", "--to", str(tmp_path / "x.csv"), "--set", "num_negatives=2"])
    assert alone.exit_code == 2


def test_the_command_writes_a_file_and_says_what_it_marked(workspace, hostile, tmp_path):
    arguments = ["export", "hostile", "--to", str(tmp_path / "h.csv"), "--workspace", str(workspace.root)]
    said = CliRunner().invoke(app, arguments)

    assert said.exit_code == 0, said.output
    assert "17 rows" in said.stdout
    assert "21 texts" in said.stdout
    again = CliRunner().invoke(app, [*arguments, "--json"])
    assert again.exit_code == 1
    assert json.loads(again.stdout)["error"]["message"].startswith("h.csv exists already")
