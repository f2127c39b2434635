"""The draft of edits: it survives reloads, undo, a line that was cut off, and writers side by side."""

import subprocess
import sys

import pandas as pd
import pytest

from simtune_core.curriculum.quality.drafts import add_edits, draft_file, end_draft, read_draft, undo
from simtune_core.curriculum.quality.edits import Edit
from simtune_core.datasets import save_pairs
from simtune_core.errors import WorkspaceError
from simtune_core.workspace import CHECKOUT

ONE, TWO, THREE = Edit("one", "drop"), Edit("two", "relabel", 0), Edit("three", "keep")


@pytest.fixture
def some(workspace):
    frame = pd.DataFrame({"sentence1": ["a", "b"], "sentence2": ["c", "d"], "label": [0, 1], "split": "train"})
    return save_pairs(workspace, "some", frame, provenance={}).ref


def test_a_draft_begins_empty_and_keeps_what_was_decided(workspace, some):
    assert read_draft(workspace, some).presses == ()

    add_edits(workspace, some, [ONE, TWO])
    found = add_edits(workspace, "some:train", [THREE])

    assert found == read_draft(workspace, "some")
    assert found.presses == ((ONE, TWO), (THREE,))
    assert found.decided == (ONE, TWO, THREE)
    assert found.edits == (ONE, TWO)
    assert add_edits(workspace, some, []) == found


def test_undo_takes_back_a_whole_press_and_then_nothing_more(workspace, some):
    add_edits(workspace, some, [ONE, TWO])
    add_edits(workspace, some, [Edit("one", "keep")])

    assert undo(workspace, some).edits == (ONE, TWO)
    assert undo(workspace, some).presses == ()
    assert undo(workspace, some).presses == ()
    assert add_edits(workspace, some, [THREE]).presses == ((THREE,),)


def test_saved_or_thrown_away_edits_do_not_come_back(workspace, some):
    add_edits(workspace, some, [ONE])
    assert end_draft(workspace, some, saved_as="some@v0002").presses == ()
    assert undo(workspace, some).presses == ()
    assert add_edits(workspace, some, [TWO]).edits == (TWO,)


def test_a_line_that_was_cut_off_is_lost_alone(workspace, some):
    add_edits(workspace, some, [ONE])
    path = draft_file(workspace, some)
    path.write_bytes(path.read_bytes() + b'{"v": 1, "do": "edit", "edits": [{"pa')

    assert read_draft(workspace, some).edits == (ONE,)
    assert add_edits(workspace, some, [TWO]).edits == (ONE, TWO)


def test_what_is_no_edit_is_said_and_not_passed_over(workspace, some):
    add_edits(workspace, some, [ONE])
    path = draft_file(workspace, some)
    path.write_bytes(path.read_bytes() + b'{"do": "edit", "edits": [{"pair": 3}]}\n')

    with pytest.raises(WorkspaceError, match="written by another version"):
        read_draft(workspace, some)


def test_each_version_has_a_draft_of_its_own(workspace, some):
    add_edits(workspace, some, [ONE])
    frame = pd.DataFrame({"sentence1": ["x"], "sentence2": ["y"], "label": [1]})
    save_pairs(workspace, "some", frame, provenance={}, new_version=True)

    assert read_draft(workspace, "some").presses == ()
    assert read_draft(workspace, "some@v0001").edits == (ONE,)


def test_processes_side_by_side_lose_no_line(workspace, some):
    script = (
        "import sys\n"
        "from simtune_core.curriculum.quality.drafts import add_edits\n"
        "from simtune_core.curriculum.quality.edits import Edit\n"
        "from simtune_core.workspace import open_workspace\n"
        "for place in range(20):\n"
        "    add_edits(open_workspace(sys.argv[1]), 'some', [Edit(f'{sys.argv[2]}-{place}', 'drop')])\n"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", script, str(workspace.root), name], cwd=CHECKOUT) for name in "ab"
    ]

    assert [process.wait() for process in processes] == [0, 0]
    found = {edit.pair for edit in read_draft(workspace, some).edits}
    assert found == {f"{name}-{place}" for name in "ab" for place in range(20)}
