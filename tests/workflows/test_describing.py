"""What is asked of a description, how versions are said to have come to be, and the command that says it all."""

import json

import pandas as pd
import pytest

from simtune_core.datasets import find_dataset, save_pairs, save_records
from simtune_core.errors import WorkspaceError
from simtune_core.jobs.kinds import needs_device
from simtune_core.jobs.launcher import launch
from simtune_core.pairs import with_pair_columns
from simtune_core.records import with_record_columns
from simtune_core.workflows.describing import describe_request, made_words, version_rows
from simtune_core.workflows.foresight import estimate
from tests.walk import command
from tests.workflows.frames import pairs_frame


def records(n=3):
    return with_record_columns(pd.DataFrame({"id": map(str, range(n)), "text": [f"case {k}" for k in range(n)]}))


def test_equal_wishes_are_one_request_and_need_no_device(workspace):
    save_records(workspace, "tickets", records(), provenance={})

    request = describe_request(workspace, "tickets", "minilm")
    assert request == describe_request(workspace, "tickets@v0001", "minilm")
    assert not needs_device(request.kind, request.params)
    assert estimate(workspace, request) < 10_000_000
    save_records(workspace, "tickets", records(4), provenance={}, new_version=True)
    assert describe_request(workspace, "tickets", "minilm") != request


@pytest.mark.parametrize(
    ("provenance", "words"),
    [
        ({"made_by": "import", "source": "a.csv"}, "imported from a.csv"),
        ({"made_by": "sample", "source": "data/a.parquet"}, "copied from data/a.parquet, the bundled sample"),
        (
            {"made_by": "curriculum", "source": "tickets@v0001", "config": {"seed": 3}},
            "made from tickets@v0001 by curriculum (seed 3)",
        ),
        (
            {"made_by": "split", "source": ["a@v0001", "b@v0002"], "seed": 0},
            "made from a@v0001 and b@v0002 by split (seed 0)",
        ),
        ({"made_by": "curriculum"}, "made by curriculum"),
        ({}, "of unknown origin"),
    ],
)
def test_a_version_says_how_it_came_to_be(workspace, provenance, words):
    assert made_words(save_records(workspace, "tickets", records(), provenance=provenance)) == words


def test_versions_stand_newest_first_with_their_maker_and_what_rests_on_them(workspace):
    save_records(workspace, "tickets", records(), provenance={"made_by": "import", "source": "a.csv"})
    maker = launch(workspace, "sleep", {"seconds": 0, "steps": 1}, title="Curriculum mine")
    made = {"made_by": "curriculum", "source": "tickets@v0001", "job": maker}
    save_pairs(workspace, "mine", with_pair_columns(pairs_frame(4)), provenance=made)
    save_pairs(workspace, "mine", with_pair_columns(pairs_frame(6)), provenance={}, new_version=True)

    newest, oldest = version_rows(workspace, "mine")
    assert [(row.ref, row.n_rows, row.job) for row in (newest, oldest)] == [
        ("mine@v0002", 6, None),
        ("mine@v0001", 4, maker),
    ]
    assert oldest.used_by == ()  # its maker, whose result is about it, is no use of it
    (tickets,) = version_rows(workspace, "tickets")
    assert [(use.kind, use.name, use.why) for use in tickets.used_by] == [
        ("dataset", "mine@v0001", "was made from tickets@v0001")
    ]
    assert newest.content_id == find_dataset(workspace, "mine")[0].content_id
    with pytest.raises(WorkspaceError, match="There is no dataset 'gone'"):
        version_rows(workspace, "gone")


def test_the_command_says_the_same_as_the_page(workspace):
    save_pairs(workspace, "mine", with_pair_columns(pairs_frame(8, label=1)), provenance={})

    said = command(workspace, "describe", "mine", "--encoder", "tfidf")
    assert (said["command"], said["error"]) == ("describe", None)
    assert (said["result"]["n_rows"], said["result"]["lengths"]["unit"]) == (8, "words")
    assert {"empty_class", "few_rows"} <= {finding["code"] for finding in said["findings"]}
    assert json.dumps(said, allow_nan=False)
