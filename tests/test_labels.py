"""Where labels come from: told by a set itself, else by the nearest set it was made of, through real jobs."""

import pytest

from simtune_core.datasets import find_dataset, save_pairs
from simtune_core.difficulty import job as difficulty_job
from simtune_core.errors import WorkspaceError
from simtune_core.evaluation import job as evaluation_job
from simtune_core.jobs.context import Job
from simtune_core.labels import LabelOrigin, label_origin, weak_label_findings
from simtune_core.preparing.exporting import export_rows
from simtune_core.preparing.splitting import SplitConfig
from simtune_core.preparing.splitting_job import run as run_split
from simtune_core.workflows.data import load_sample
from simtune_core.workflows.importing import anywhere, draft_source, save_draft
from simtune_core.workflows.preparing import split_request
from tests.workflows.frames import pairs_frame

WEAK = {"weak": True, "words": "positive = same category, negative = another."}


def made(workspace, name, *, n=100, **provenance):
    return save_pairs(workspace, name, pairs_frame(n), provenance={"made_by": "import", **provenance})


def ran(workspace, run, params):
    with Job(workspace.jobs / run.__module__, workspace) as job:
        return run(params, job)


def split(workspace, name):
    request = split_request(workspace, name, SplitConfig(near_duplicates=False))
    return ran(workspace, run_split, request.params)["dataset"]


def test_a_set_tells_of_its_own_labels(workspace):
    made(workspace, "p", source="p.csv", labels=WEAK)

    told = label_origin(workspace, "p")
    assert told == LabelOrigin("p@v0001", True, "positive = same category, negative = another.", "p@v0001")
    assert told.sentence == (
        "p@v0001 has weak labels, made by a rule and by no person: positive = same category, negative = another."
    )


def test_a_split_keeps_the_origin_of_what_it_divides_and_a_part_has_that_of_the_whole(workspace):
    made(workspace, "p", labels=WEAK)
    ref = split(workspace, "p")

    assert "labels" not in find_dataset(workspace, ref)[0].manifest["provenance"]
    assert label_origin(workspace, f"{ref}:train") == LabelOrigin("p@v0002", True, WEAK["words"], "p@v0001")


def test_the_nearest_set_that_says_it_is_believed(workspace):
    made(workspace, "first", n=100, labels=WEAK)
    second = made(
        workspace,
        "second",
        n=90,
        made_by="relabel",
        source="first@v0001",
        labels={"weak": False, "words": "two people"},
    )
    made(workspace, "third", n=80, made_by="augment", source=f"{second.ref}:train")

    assert label_origin(workspace, "third").told_by is None, "there is no split train to have come from"
    made(workspace, "fourth", n=70, made_by="augment", source=second.ref)
    assert label_origin(workspace, "fourth") == LabelOrigin("fourth@v0001", False, "two people", "second@v0001")


@pytest.mark.parametrize(
    ("provenance", "words"),
    [
        ({"source": "p.csv"}, "labels as imported; where they come from was not said"),
        ({"made_by": "edit"}, "where the labels come from was not said"),
        ({"made_by": "edit", "source": "p@v0001"}, "where the labels come from was not said"),
        (
            {"made_by": "edit", "source": "gone@v0007"},
            "where the labels come from was not said, and gone@v0007, which it was made of, is no pair set here",
        ),
        ({"source": "p.csv", "labels": {"weak": "yes"}}, "labels as imported; where they come from was not said"),
        ({"source": "p.csv", "labels": {"weak": None, "words": "links of the help desk"}}, "links of the help desk"),
    ],
)
def test_what_is_not_known_is_said_and_never_taken_for_either(workspace, provenance, words):
    made(workspace, "p", **provenance)

    told = label_origin(workspace, "p")
    assert (told.weak, told.words) == (None, words)
    assert told.sentence == f"p@v0001: {words}."
    assert weak_label_findings(workspace, ["p", None]) == []


def test_an_export_that_is_imported_again_has_the_labels_of_what_it_was_exported_from(workspace):
    made(workspace, "p", labels=WEAK)
    ref = split(workspace, "p")
    file = workspace.root / "out.csv"
    export_rows(workspace, ref, file)
    source = anywhere(str(file))
    again = save_draft(workspace, "again", draft_source(source), source=source)

    assert again.content_id == find_dataset(workspace, ref)[0].content_id
    assert label_origin(workspace, "again") == LabelOrigin("again@v0001", True, WEAK["words"], "p@v0001")
    made(workspace, "other", n=99, source="p.csv")
    assert label_origin(workspace, "other").weak is None


def test_labels_whose_rule_was_not_said_are_weak_all_the_same(workspace):
    made(workspace, "p", labels={"weak": True})

    assert label_origin(workspace, "p").words == "by which rule was not said"


def test_the_sample_has_true_duplicate_groups(workspace):
    load_sample(workspace)

    told = label_origin(workspace, "sample:test")
    assert (told.weak, told.told_by) == (False, "sample@v0001")
    with pytest.raises(WorkspaceError, match="holds records, and pairs are needed"):
        label_origin(workspace, "sample_records")


def test_a_set_that_is_not_there_is_refused(workspace):
    with pytest.raises(WorkspaceError, match="There is no dataset 'p'"):
        label_origin(workspace, "p")


def test_difficulty_and_evaluation_tell_of_weak_labels_once_for_each_set(workspace):
    made(workspace, "p", labels=WEAK)
    made(workspace, "q", n=60, labels={"weak": False, "words": "two people"})
    ref = split(workspace, "p")

    space = {"encoder": "tfidf", "precision": "fp32"}
    hard = ran(workspace, difficulty_job.run, {"set": f"{ref}:train", "against": f"{ref}:test", **space})
    judged = ran(
        workspace,
        evaluation_job.run,
        {"set": f"{ref}:test", "threshold_from": "q", "encoders": ["tfidf"], "precision": "fp32", "n_resamples": 100},
    )

    told = "p@v0002 has weak labels, made by a rule and by no person: positive = same category, negative = another."
    for result in (hard, judged):
        found = [finding for finding in result["findings"] if finding["code"] == "weak_labels"]
        assert [(each["severity"], each["message"].startswith(told)) for each in found] == [("info", True)]
