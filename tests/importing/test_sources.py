"""What an import reads from: uploads under their hash, paths inside the workspace, folders, hub ids."""

import hashlib
import os
import time

import pandas as pd
import pytest

from simtune_core.errors import DataFaultError, WorkspaceError
from simtune_core.importing import sources
from simtune_core.importing.sources import (
    ImportSource,
    anywhere,
    dataset_name,
    forget_upload,
    in_workspace,
    source_from,
    uploaded,
    uploads,
)
from simtune_core.tables.table import ReadingOptions

CONTENT = b"id,text\n1,printer\n2,vpn\n"


def test_a_small_upload_stays_in_memory_and_a_large_one_lies_under_its_hash(workspace, monkeypatch):
    assert uploaded(workspace, CONTENT, "a.csv").path is None
    assert not uploads(workspace).exists()

    monkeypatch.setattr(sources, "LARGE_BYTES", 10)
    source = uploaded(workspace, CONTENT, "..\\..\\pass wd.CSV.gz")
    assert source.name == "pass wd.CSV.gz"
    assert source.path == uploads(workspace) / f"{hashlib.sha256(CONTENT).hexdigest()}.csv.gz"
    assert source.path.read_bytes() == CONTENT
    assert uploaded(workspace, CONTENT, "b.x;y").path.name == hashlib.sha256(CONTENT).hexdigest()


def test_only_stored_uploads_are_removed_after_an_import_and_old_ones_by_the_next(workspace, monkeypatch):
    monkeypatch.setattr(sources, "LARGE_BYTES", 10)
    mine = workspace.data / "mine.csv"
    mine.write_bytes(CONTENT)
    forget_upload(workspace, ImportSource("mine.csv", path=mine))
    stray = uploads(workspace) / "notes.txt"
    old = uploaded(workspace, CONTENT, "old.csv").path
    stray.write_text("not an upload")
    week_ago = time.time() - 8 * 24 * 3600
    for path in (old, stray):
        os.utime(path, (week_ago, week_ago))

    new = uploaded(workspace, CONTENT + b"3,mail\n", "new.csv")
    assert sorted(path.name for path in uploads(workspace).iterdir()) == sorted([new.path.name, "notes.txt"])
    forget_upload(workspace, new)
    assert not new.path.exists() and mine.exists() and stray.exists()


@pytest.mark.parametrize(
    "path", ["../x.csv", "/etc/passwd", "data/../../x.csv", "~/../../..", "data/link.csv", "data/set"]
)
def test_a_path_outside_the_workspace_is_refused_links_resolved(workspace, tmp_path, path):
    (tmp_path / "x.csv").write_bytes(CONTENT)
    (workspace.data / "set").mkdir()
    for link in ("link.csv", "set/train.csv"):
        (workspace.data / link).symlink_to(tmp_path / "x.csv")
    with pytest.raises(WorkspaceError, match="lies outside the workspace"):
        in_workspace(workspace, path)


@pytest.mark.parametrize("path", ["data/none.csv", "a\x00b", "x" * 5000])
def test_a_path_that_is_none_is_a_sentence(workspace, path):
    with pytest.raises(WorkspaceError, match=r"no path of the workspace|has no file or folder"):
        in_workspace(workspace, path)


def test_a_source_comes_back_from_the_params_of_a_job(workspace, tmp_path):
    inside, outside = workspace.data / "in.csv", tmp_path / "out.csv"
    for path in (inside, outside):
        path.write_bytes(CONTENT)

    told = ImportSource("in.csv", path=inside).as_params(workspace)
    assert told == {"file": "data/in.csv", "source": "in.csv"}
    assert source_from(told, workspace).path == inside
    assert source_from(ImportSource("o", path=outside).as_params(workspace), workspace).path == outside
    hub = ImportSource("owner/name", hub="owner/name")
    assert source_from(hub.as_params(workspace), workspace) == hub


def test_a_folder_is_read_and_hashed_as_a_whole(workspace):
    folder = workspace.data / "set"
    folder.mkdir()
    for split in ("train", "test"):
        pd.DataFrame({"text": [f"{split} text"]}).to_csv(folder / f"{split}.csv", index=False)
    source = in_workspace(workspace, "data/set")
    before = source.sha256()

    assert source.read(ReadingOptions()).frame.to_numpy().tolist() == [["train text", "train"], ["test text", "test"]]
    assert source.n_bytes == sum(file.stat().st_size for file in folder.iterdir())
    (folder / "test.csv").write_text("text\nother\n")
    assert source.sha256() != before


def test_the_command_line_names_a_file_a_folder_or_a_hub_data_set(tmp_path):
    (tmp_path / "a.csv").write_bytes(CONTENT)
    assert anywhere(str(tmp_path / "a.csv")).path == (tmp_path / "a.csv").resolve()
    assert anywhere("owner/name:config@main").hub == "owner/name:config@main"
    for wrong in ("owner/name.csv", "nowhere", "a/b/c"):
        with pytest.raises(DataFaultError, match="There is no file or folder"):
            anywhere(wrong)


def test_a_hub_data_set_that_was_never_fetched_is_a_sentence():
    with pytest.raises(DataFaultError, match="never fetched"):
        ImportSource("owner/nothing-here", hub="owner/nothing-here").read(ReadingOptions())


@pytest.mark.parametrize(
    ("file", "name"),
    [("pairs.csv.gz", "pairs"), ("my data (1).xlsx", "my_data_1"), ("owner/name", "name"), ("..csv", "data")],
)
def test_the_name_offered_is_one_that_is_allowed(file, name):
    assert dataset_name(file) == name


def test_a_stamp_changes_with_the_file_and_not_with_the_way_it_is_named(workspace):
    path = workspace.data / "mine.csv"
    path.write_bytes(CONTENT)
    stamp = ImportSource("mine.csv", path=path).stamp()

    assert (
        source_from(in_workspace(workspace, "data/../data/mine.csv").as_params(workspace), workspace).stamp() == stamp
    )
    path.write_bytes(CONTENT + b"3,mail\n")
    assert ImportSource("mine.csv", path=path).stamp() != stamp
    assert ImportSource("a", content=CONTENT).stamp() != ImportSource("a", content=CONTENT + b"3,x\n").stamp()
