"""Tests of files that are whole or absent."""

import pytest

from simtune_core.errors import WorkspaceError
from simtune_core.files import write_json


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(WorkspaceError, match=r"x\.json cannot be written: "):
        write_json(tmp_path / "file" / "x.json", {})


def test_a_failed_write_leaves_the_old_file_and_nothing_beside_it(tmp_path):
    write_json(tmp_path / "x.json", {"old": 1})
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "x.json", {"new": float("nan")})
    assert [path.name for path in tmp_path.iterdir()] == ["x.json"]
