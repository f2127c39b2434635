"""An edited set is another set that tells how it was made, and the same edits make the same set again."""

import json

import pandas as pd
import pytest

from simtune_core.curriculum.quality.drafts import add_edits, read_draft
from simtune_core.curriculum.quality.edit_job import run
from simtune_core.curriculum.quality.editing import Target, save_edited
from simtune_core.curriculum.quality.edits import Edit, edit_from_json, pair_keys
from simtune_core.datasets import content_id, find_dataset, load_details, load_pairs, save_pairs
from simtune_core.errors import DataFaultError, WorkspaceError
from simtune_core.jobs.context import Job
from simtune_core.labels import label_origin

FRAME = pd.DataFrame(
    {
        "sentence1": list("abcde"),
        "sentence2": list("vwxyz"),
        "label": [1, 0, 1, 0, 1],
        "phase": ["easy", "easy", "hard", "hard", "hard"],
        "split": ["train", "test", "train", "train", "train"],
    }
)
PROVENANCE = {"licence": "CC0", "labels": {"weak": True, "words": "same category"}}


@pytest.fixture
def names(workspace):
    """Save a set whose last pair is a child of its first; return the keys of its pairs."""
    details = pd.DataFrame({"similarity": 0.5, "role": "positive", "parent": [None] * 4 + [0], "change": None})
    save_pairs(workspace, "some", FRAME, provenance=PROVENANCE, details=details)
    return pair_keys(load_pairs(workspace, "some").frame).tolist()


def test_an_edited_set_tells_what_was_done_to_which_version_and_stays_weak(workspace, names):
    edits = [Edit(names[0], "keep"), Edit(names[2], "drop"), Edit(names[1], "relabel", 1)]

    saved = save_edited(workspace, "some:train", edits, Target("some", new_version=True))

    assert saved.version.ref == "some@v0002"
    assert load_pairs(workspace, "some").frame["label"].tolist() == [1.0, 1.0, 0.0, 1.0]
    assert load_details(workspace, "some")["parent"].fillna(-1).tolist() == [-1, -1, -1, 0]
    provenance = find_dataset(workspace, "some")[0].manifest["provenance"]
    assert provenance == {
        "made_by": "edit",
        "source": "some@v0001",
        "licence": "CC0",
        "job": None,
        "labels": {"weak": True, "words": "same category; 1 label changed by hand"},
        "step": {
            "do": "edit",
            "pairs": "some@v0001",
            "edits": [
                {"pair": names[2], "action": "drop"},
                {"pair": names[1], "action": "relabel", "label": 1},
            ],
        },
    }
    assert label_origin(workspace, "some").weak is True
    assert content_id(load_pairs(workspace, "some@v0001").frame) == find_dataset(workspace, "some@v0001")[0].content_id


def test_the_same_edits_on_equal_pairs_in_another_place_make_the_same_set(workspace, names):
    saved = save_edited(workspace, "some", [Edit(names[0], "drop")], Target("first"))
    turned = FRAME.rename(columns={"sentence1": "sentence2", "sentence2": "sentence1"})
    save_pairs(workspace, "copy", FRAME, provenance={})
    save_pairs(workspace, "turned", turned, provenance={})
    told = saved.version.manifest["provenance"]["step"]["edits"]

    again = save_edited(workspace, "copy", [edit_from_json(edit) for edit in told], Target("second"))
    other = save_edited(workspace, "turned", [edit_from_json(edit) for edit in told], Target("third"))

    assert again.version.n_rows == other.version.n_rows == 4  # there the last pair is nobody's child
    assert saved.version.n_rows == 3
    assert again.edited.frame["label"].tolist() == other.edited.frame["label"].tolist()


def test_the_job_makes_the_same_set_and_empties_the_draft_that_it_saved(workspace, names):
    draft = add_edits(workspace, "some", [Edit(names[1], "drop"), Edit(names[0], "relabel", 0)])
    params = {"pairs": "some", "edits": [edit.as_json() for edit in draft.edits], "name": "by_job", "draft": True}

    with Job(workspace.jobs / "edit", workspace) as job:
        result = run(params, job)

    here = save_edited(workspace, "some", draft.edits, Target("by_hand"))
    assert json.loads(json.dumps(result)) == {
        "dataset": "by_job@v0001",
        "content_id": here.version.content_id,
        "pairs": "some@v0001",
        "n_pairs": 4,
        "n_dropped": 1,
        "n_relabelled": 2,
        "n_children": 1,
        "findings": [],
    }
    assert read_draft(workspace, "some").presses == ()


def test_a_job_leaves_a_draft_alone_that_went_on_meanwhile(workspace, names):
    add_edits(workspace, "some", [Edit(names[1], "drop")])
    params = {"pairs": "some", "edits": [{"pair": names[2], "action": "drop"}], "name": "by_job", "draft": True}

    with Job(workspace.jobs / "edit", workspace) as job:
        run(params, job)

    assert read_draft(workspace, "some").edits == (Edit(names[1], "drop"),)


def test_nothing_to_save_and_a_taken_name_are_sentences_and_save_nothing(workspace, names):
    with pytest.raises(DataFaultError, match="there is nothing to save"):
        save_edited(workspace, "some", [Edit(names[0], "keep")], Target("other"))
    with pytest.raises(WorkspaceError, match="is taken by some@v0001"):
        save_edited(workspace, "some", [Edit(names[0], "drop")], Target("some"))
    assert not (workspace.datasets / "other").exists()
    assert find_dataset(workspace, "some")[0].version == "v0001"
