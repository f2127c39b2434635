"""The command `import`: its options, its faults with rows in JSON, and large files by a job."""

import json

import pandas as pd
import pytest
from typer.testing import CliRunner

from simtune_core.cli import app
from simtune_core.datasets import list_datasets, load_pairs, load_records
from simtune_core.importing import sources
from simtune_core.jobs.launcher import list_jobs

PAIRS = "first;second;same\nprinter down;printer offline;ja\nvpn slow;mail gone;nein\n"


@pytest.fixture
def run(workspace):
    """Return a function that runs `import` in this process and returns exit code and envelope."""

    def ran(*arguments):
        done = CliRunner().invoke(app, ["import", *map(str, arguments), "--workspace", str(workspace.root), "--json"])
        return done.exit_code, json.loads(done.stdout)

    return ran


@pytest.fixture
def written(tmp_path):
    def write(content, name="mine.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def test_every_choice_of_the_command_line_is_taken_and_told_in_the_manifest(workspace, run, written):
    file = written("a;b;c;score\nWrite to ann@example.org;now;x;4\nvpn;;y;5\n")
    code, said = run(
        file, "--name", "p", "--as", "pairs", "--columns", "sentence1=a,sentence2=b+c", "--score-range", "0:5",
        "--mask", "email,phone", "--repair-mojibake", "--delimiter", "semicolon", "--encoding", "utf-8",
    )  # fmt: skip

    assert code == 0, said
    frame = load_pairs(workspace, "p").frame
    assert frame[["sentence1", "sentence2", "score"]].to_numpy().tolist() == [
        ["Write to [email]", "now\nx", 0.8], ["vpn", "y", 1.0],
    ]  # fmt: skip
    told = said["result"]["datasets"][0]["provenance"]
    assert told["options"] == {
        "kind": "pairs", "columns": {"sentence1": ["a"], "sentence2": ["b", "c"], "score": ["score"]},
        "score_range": [0.0, 5.0], "mask": ["email", "phone"], "repair_mojibake": True,
        "reading": {"encoding": "utf-8", "delimiter": "semicolon"},
    }  # fmt: skip
    assert told["masked"] == {"email": 1, "phone": 0}


def test_faults_are_told_with_their_rows_and_columns_in_json(workspace, run, written):
    file = written("id,text\n1,a\n2,\n3,\n")
    code, said = run(file)

    assert (code, said["error"]["code"]) == (1, "data")
    found = [(each["row"], each["column"]) for each in said["findings"] if each["code"] == "fault"]
    assert found == [(3, "text"), (4, "text")]
    code, said = run(file, "--dry-run")
    assert (code, said["result"]["n_whole"], [fault["row"] for fault in said["result"]["faults"]]) == (0, 1, [3, 4])
    assert list_datasets(workspace) == []
    code, said = run(file, "--drop-faulty")
    assert (code, said["result"]["datasets"][0]["n_rows"]) == (0, 1)


def test_labels_in_words_are_refused_until_their_meanings_are_said(workspace, run, written):
    file = written(PAIRS)
    columns = ("--as", "pairs", "--columns", "sentence1=first,sentence2=second,label=same")
    code, said = run(file, *columns)
    assert code == 1 and "'ja' (1), 'nein' (1): say which values mean 1" in said["error"]["message"]

    assert run(file, *columns, "--label", "ja=1,nein=0")[0] == 0
    assert load_pairs(workspace, "mine").labels().tolist() == [1, 0]


def test_repeated_ids_and_the_order_of_day_and_month_are_choices(workspace, run, written):
    file = written("number,text,opened\n1,a,03/04/2026\n1,b,04/04/2026\n")
    assert "day or the month first" in run(file, "--duplicates", "keep-first")[1]["error"]["message"]
    assert run(file, "--duplicates", "keep-first", "--month-first")[0] == 0
    assert load_records(workspace, "mine").frame[["id", "time"]].to_numpy().tolist() == [["1", "2026-03-04T00:00:00Z"]]


def test_options_come_from_a_file_and_the_command_line_goes_before_it(workspace, run, written):
    options = written(
        "kind: pairs\ncolumns: {sentence1: first, sentence2: second, label: same}\nlabels: {ja: 0, nein: 1}\n", "o.yaml"
    )
    code, said = run(written(PAIRS), "--options", options, "--label", "ja=1,nein=0")
    assert code == 0, said
    assert load_pairs(workspace, "mine").labels().tolist() == [1, 0]

    bad = written("kind: pairs\nlabel: {}\n", "bad.yaml")
    assert "label is not a setting here" in run(written(PAIRS), "--options", bad)[1]["error"]["message"]


def test_a_folder_by_splits_and_a_sheet_are_imported(workspace, run, tmp_path):
    folder = tmp_path / "set"
    folder.mkdir()
    for split in ("train", "test"):
        pd.DataFrame({"text": [f"{split} text"]}).to_csv(folder / f"{split}.csv", index=False)
    assert run(folder)[1]["result"]["datasets"][0]["splits"] == {"test": 1, "train": 1}

    said = run("nobody/was-here")[1]
    assert said["error"]["code"] == "data"
    assert "nobody/was-here" in said["error"]["message"]


def test_a_large_file_is_followed_as_a_job_and_equal_content_is_the_same_version(workspace, run, written, monkeypatch):
    monkeypatch.setattr(sources, "LARGE_BYTES", 100)
    file = written("id,text\n" + "".join(f"{number},text {number}\n" for number in range(50)) + "x,\n")
    code, said = run(file, "--name", "big", "--drop-faulty")
    assert (code, said["result"]["state"], said["result"]["dataset"]) == (0, "done", "big@v0001")
    assert said["result"]["datasets"][0]["n_rows"] == 50
    assert len(list_jobs(workspace)) == 1
    monkeypatch.undo()
    assert run(file, "--name", "big", "--drop-faulty")[1]["result"]["datasets"][0]["ref"] == "big@v0001"


@pytest.mark.parametrize(
    ("said", "labels"),
    [
        (["--weak-labels", "--labels-from", "same category"], {"weak": True, "words": "same category"}),
        (["--own-labels"], {"weak": False, "words": ""}),
        (["--labels-from", "links of the help desk"], {"weak": None, "words": "links of the help desk"}),
        ([], None),
    ],
)
def test_who_made_the_labels_is_kept_as_it_is_said(workspace, run, written, said, labels):
    code, told = run(written(PAIRS), "--name", "p", "--columns", "sentence1=first,sentence2=second,label=same",
                     "--label", "ja=1,nein=0", "--as", "pairs", *said)  # fmt: skip

    assert code == 0, told
    assert list_datasets(workspace)[0].manifest["provenance"].get("labels") == labels


def test_records_have_no_labels_that_could_be_weak(run, written):
    code, told = run(written("id,text\na,x\n"), "--weak-labels")

    assert code == 1
    assert "Records have no labels of pairs" in told["error"]["message"]
