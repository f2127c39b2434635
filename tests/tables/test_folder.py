"""Tests of dataset folders and of the hub: splits found, foreign code never run, nothing fetched unasked."""

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import unquote

import pandas as pd
import pytest

from simtune_core.errors import DataFaultError
from simtune_core.tables import table as limits
from simtune_core.tables.hub import read_hub
from simtune_core.tables.layout import splits_of
from simtune_core.tables.reading import read_table


def rows_of(table):
    return table.frame.to_numpy().tolist()


@pytest.fixture(scope="module")
def saved_by_datasets(tmp_path_factory):
    """Return a folder as `DatasetDict.save_to_disk` writes it."""
    import datasets

    datasets.disable_progress_bars()
    features = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["no", "yes"])})
    parts = {"train": {"text": ["a", "b"], "label": [0, 1]}, "validation": {"text": ["007"], "label": [1]}}
    whole = datasets.DatasetDict(
        {split: datasets.Dataset.from_dict(part, features=features) for split, part in parts.items()}
    )
    folder = tmp_path_factory.mktemp("saved")
    whole.save_to_disk(str(folder / "both"))
    whole["train"].save_to_disk(str(folder / "one"), num_shards=2)
    return folder


def test_a_folder_of_save_to_disk_is_one_table_with_its_splits_and_the_names_of_its_classes(saved_by_datasets):
    table = read_table(saved_by_datasets / "both", "both")
    assert list(table.frame.columns) == ["text", "label", "label_name", "split"]
    assert rows_of(table) == [["a", "0", "no", "train"], ["b", "1", "yes", "train"], ["007", "1", "yes", "dev"]]
    assert table.reading.format == "folder of arrow"
    assert table.notes == ("label_name holds the names of the classes in label.",)
    one = read_table(saved_by_datasets / "one", "one")
    assert rows_of(one) == [["a", "0", "no"], ["b", "1", "yes"]]
    assert rows_of(read_table(saved_by_datasets / "both", "both", limit=2)) == [rows_of(table)[0], rows_of(table)[2]]


def test_files_by_split_are_one_table_whatever_the_layout(tmp_path):
    for number, names in enumerate((
        ("train.csv", "validation.csv"), ("data/train-00000-of-00001.csv", "data/dev-00000-of-00001.csv"),
        ("train/1.csv", "val/1.csv"), ("my_train.csv", "my_valid.csv"),
    )):  # fmt: skip
        folder = tmp_path / str(number)
        for name, text in zip(names, ("a", "b"), strict=True):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(f"id,text\n007,{text}\n")
        (folder / ".hidden.csv").write_text("x")
        table = read_table(folder, "set")
        assert rows_of(table) == [["007", "a", "train"], ["007", "b", "dev"]], names


def test_parquet_is_preferred_to_the_same_rows_in_another_format_and_shards_keep_their_order(tmp_path):
    for shard, text in enumerate("abc"):
        pd.DataFrame({"text": [text]}).to_parquet(tmp_path / f"train-0000{shard}-of-00003.parquet")
    (tmp_path / "train.jsonl").write_text('{"text": "x"}\n')
    assert rows_of(read_table(tmp_path, "set")) == [["a", "train"], ["b", "train"], ["c", "train"]]


def test_a_column_split_of_the_files_themselves_is_kept(tmp_path):
    (tmp_path / "train.csv").write_text("text,split\na,fold1\n")
    table = read_table(tmp_path, "set")
    assert rows_of(table) == [["a", "fold1"]]
    assert table.notes == ("The files have a column split of their own; the splits of the folder are not used.",)


def test_files_without_a_split_are_one_table_without_one(tmp_path):
    for name in ("x.csv", "y.csv"):
        (tmp_path / name).write_text(f"text\n{name}\n")
    table = read_table(tmp_path, "set")
    assert (list(table.frame.columns), table.numbers.tolist()) == (["text"], [1, 2])


README = """---
configs:
- config_name: small
  data_files: [{split: train, path: s/*.csv}, {split: validation, path: [v/a.csv]}]
- config_name: large
  data_files: l/*.csv
  default: true
---
"""


def test_configurations_are_those_of_the_readme_or_of_the_folders_and_several_are_asked_about():
    paths = ["README.md", "s/1.csv", "s/2.csv", "v/a.csv", "l/test.csv"]
    assert splits_of(paths, README, "small", "x") == {"train": ["s/1.csv", "s/2.csv"], "dev": ["v/a.csv"]}
    assert splits_of(paths, README, None, "x") == {"test": ["l/test.csv"]}
    with pytest.raises(DataFaultError, match=r"x has several configurations: l, s, v. Choose one"):
        splits_of(paths, None, None, "x")
    with pytest.raises(DataFaultError, match="no configuration 'z'; it has: default, large, small"):
        splits_of(paths, README, "z", "x")
    with pytest.raises(DataFaultError, match="lacks the files that its README names: l"):
        splits_of(["s/1.csv"], README, "large", "x")


def test_a_dataset_made_by_a_script_is_refused_since_no_foreign_code_is_run():
    with pytest.raises(DataFaultError, match=r"made by a script, which is not run here: .* refs/convert/parquet"):
        splits_of(["owner.py", "README.md"], None, None, "owner/name")


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({}, "set holds no file of data"),
        ({"dataset_dict.json": '{"splits": ["train"]}'}, "set is not whole: train is missing"),
        ({"dataset_dict.json": '{"splits": ["../x"]}'}, "names '../x', a path that leads outside"),
        ({"dataset_dict.json": "["}, "set is not whole: .*dataset_dict.json cannot be read"),
        ({"state.json": '{"_data_files": [{"filename": "a.arrow"}]}'}, "set is not whole: a.arrow is missing"),
        ({"state.json": '{"_data_files": [{"filename": "a.arrow"}]}', "a.arrow": "x"}, "cannot be read as Arrow"),
        ({"train.csv": "text\n", "test.csv": "text\na\n"}, "set/train.csv has no rows"),
    ],
)
def test_a_folder_that_is_not_whole_is_refused_with_a_sentence(tmp_path, files, sentence):
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    with pytest.raises(DataFaultError, match=sentence):
        read_table(tmp_path, "set")


def test_a_link_that_leads_outside_is_refused(tmp_path):
    (tmp_path / "outside.csv").write_text("text\na\n")
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "train.csv").symlink_to(tmp_path / "outside.csv")
    with pytest.raises(DataFaultError, match="is a link that leads outside"):
        read_table(tmp_path / "set", "set")


COMMIT = "0" * 40
REPOS = {
    "owner/plain": {"data/train.csv": "text\na\n", "data/test.csv": "text\nb\n", "big.bin": "x" * 99},
    "owner/configs": {"one/train.csv": "text\na\n", "two/train.csv": "text\nb\n"},
    "owner/script": {"script.py": "raise SystemExit", "README.md": "# x"},
    "owner/told": {"README.md": README, "s/1.csv": "text\na\n", "v/a.csv": "text\nb\n", "l/test.csv": "text\nc\n"},
}


class _Hub(BaseHTTPRequestHandler):
    """Answers as the hub does for datasets: information, listing, files, and its own codes for what it refuses."""

    asked: ClassVar[list[str]] = []

    def log_message(self, *_):
        """Keep silent."""

    def do_HEAD(self):
        self.answer(body=False)

    def do_GET(self):
        self.answer(body=True)

    def answer(self, *, body):
        path = unquote(self.path.partition("?")[0])
        _Hub.asked.append(path)
        repo = "/".join(path.removeprefix("/api").removeprefix("/datasets").split("/")[1:3])
        refused = {"owner/gated": (403, "GatedRepo"), "owner/missing": (404, "RepoNotFound")}.get(repo)
        if "/other" in path:
            refused = (404, "RevisionNotFound")
        if refused:
            self.send(refused[0], b"", {"X-Error-Code": refused[1], "X-Error-Message": "refused"}, body=body)
        elif "/resolve/" in path:
            content = REPOS[repo][path.split(f"/resolve/{COMMIT}/")[-1].split("/resolve/main/")[-1]].encode()
            etag = hashlib.sha1(content, usedforsecurity=False).hexdigest()
            self.send(200, content, {"ETag": f'"{etag}"', "X-Repo-Commit": COMMIT}, body=body)
        else:
            files = {name: len(content) for name, content in REPOS[repo].items()}
            told = {"id": repo, "sha": COMMIT, "siblings": [{"rfilename": n, "size": m} for n, m in files.items()]}
            listed = [{"type": "file", "path": n, "size": m, "oid": f"{m:040x}"} for n, m in files.items()]
            self.send(200, json.dumps(listed if "/tree/" in path else told).encode(), {}, body=body)

    def send(self, status, content, headers, *, body):
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        if body:
            self.wfile.write(content)


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """Return a hub on this machine, and a cache that is empty."""
    from huggingface_hub import constants

    server = ThreadingHTTPServer(("127.0.0.1", 0), _Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    for name, value in {
        "HF_HUB_CACHE": str(tmp_path), "HF_HUB_OFFLINE": False, "ENDPOINT": address,
        "HF_HUB_DISABLE_PROGRESS_BARS": True,
        "HUGGINGFACE_CO_URL_TEMPLATE": address + "/{repo_id}/resolve/{revision}/{filename}", "HF_HUB_DISABLE_XET": True,
    }.items():  # fmt: skip
        monkeypatch.setattr(constants, name, value)
    _Hub.asked.clear()
    yield server
    server.shutdown()
    server.server_close()


def test_a_dataset_is_fetched_once_and_then_read_without_asking_and_only_its_data_is_fetched(hub):
    expected = [["a", "train"], ["b", "test"]]
    assert rows_of(read_hub("owner/plain")) == expected
    assert not [path for path in _Hub.asked if path.endswith("big.bin")]
    _Hub.asked.clear()
    for fetch in (False, True):
        assert rows_of(read_hub("owner/plain", fetch=fetch)) == expected
    assert _Hub.asked == []


def test_of_several_configurations_one_is_asked_for_and_only_its_files_are_fetched(hub):
    for _ in range(2):
        with pytest.raises(DataFaultError, match=r"owner/configs has several configurations: one, two\. Choose one"):
            read_hub("owner/configs")
        assert rows_of(read_hub("owner/configs:one")) == [["a", "train"]]
    assert not [path for path in _Hub.asked if "two" in path]
    assert rows_of(read_hub("owner/configs:two")) == [["b", "train"]]
    with pytest.raises(DataFaultError, match="no configuration 'three'; it has: one, two"):
        read_hub("owner/configs:three", fetch=False)
    assert rows_of(read_hub("owner/told")) == [["c", "test"]]
    assert rows_of(read_hub("owner/told:small")) == [["a", "train"], ["b", "dev"]]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("owner/gated", "owner/gated is gated: accept its terms on the hub and log in"),
        ("owner/missing", "The hub has no dataset owner/missing, or not at this revision"),
        ("owner/plain@other", "The hub has no dataset owner/plain@other, or not at this revision"),
        ("owner/script", "owner/script holds no file of data .*made by a script, which is not run here"),
    ],
)
def test_what_the_hub_refuses_is_a_sentence(hub, name, sentence):
    with pytest.raises(DataFaultError, match=sentence):
        read_hub(name)


def test_a_dataset_too_large_is_refused_before_it_is_fetched(hub, monkeypatch):
    monkeypatch.setattr(limits, "MAX_BYTES", 10)
    with pytest.raises(DataFaultError, match="owner/plain must expand to at most"):
        read_hub("owner/plain")
    assert not [path for path in _Hub.asked if "/resolve/" in path]


@pytest.fixture
def hub_cache(tmp_path, monkeypatch):
    """Return a hub cache with one dataset as huggingface_hub keeps it: a snapshot of links to blobs."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    repo, commit = tmp_path / "datasets--owner--name", "0" * 40
    snapshot = repo / "snapshots" / commit
    for place, (name, content) in enumerate({"data/train.csv": "text\na\n", "data/test.csv": "text\nb\n"}.items()):
        blob = repo / "blobs" / str(place)
        blob.parent.mkdir(parents=True, exist_ok=True)
        blob.write_text(content)
        (snapshot / name).parent.mkdir(parents=True, exist_ok=True)
        (snapshot / name).symlink_to(blob)
    (repo / "refs").mkdir()
    (repo / "refs" / "main").write_text(commit)
    return tmp_path


def test_a_dataset_fetched_once_is_read_without_a_network(hub_cache):
    for name in ("owner/name", "owner/name@main", f"owner/name@{'0' * 40}"):
        assert rows_of(read_hub(name, fetch=False)) == [["a", "train"], ["b", "test"]]


def test_a_dataset_that_was_never_fetched_says_how_to_fetch_it_and_asks_nobody(hub_cache):
    for fetch in (False, True):
        with pytest.raises(DataFaultError, match="owner/other was never fetched from the hub"):
            read_hub("owner/other", fetch=fetch)
    with pytest.raises(DataFaultError, match="was never fetched"):
        read_hub("owner/name@another", fetch=False)


@pytest.mark.parametrize("name", ["", "name", "../x", "owner/name/more", "https://x.example/owner/name", "-/@"])
def test_a_name_that_is_no_hub_id_is_refused(name):
    with pytest.raises(DataFaultError, match=r"(is named owner/name|never fetched)"):
        read_hub(name, fetch=False)


def test_an_unreachable_hub_is_a_sentence(hub_cache, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(DataFaultError, match="owner/other cannot be fetched: the hub cannot be reached"):
        read_hub("owner/other")


def test_state_files_of_other_tools_are_no_data(tmp_path):
    (tmp_path / "dataset_infos.json").write_text(json.dumps({"x": 1}))
    (tmp_path / "train.csv").write_text("text\na\n")
    assert rows_of(read_table(tmp_path, "set")) == [["a", "train"]]
