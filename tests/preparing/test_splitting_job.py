"""Tests of the split job, its request and its command: what is saved, what is kept, what is refused."""

import json

import pandas as pd
import pytest
from typer.testing import CliRunner

from simtune_core.cli import app
from simtune_core.datasets import find_dataset, load_pairs, load_records, save_pairs, save_records
from simtune_core.errors import DataFaultError, WorkspaceError
from simtune_core.jobs.context import Job
from simtune_core.preparing.splitting import SplitConfig
from simtune_core.preparing.splitting_job import run
from simtune_core.workflows.lineage import Thing, read_lineage
from simtune_core.workflows.preparing import largest_component, made_split, split_request, split_rows
from tests.workflows.frames import pairs_frame

PLAIN = SplitConfig(near_duplicates=False)


@pytest.fixture
def pairs(workspace):
    return save_pairs(workspace, "some", pairs_frame(100), provenance={"made_by": "import", "licence": "CC0-1.0"})


def answer(workspace, request):
    with Job(workspace.jobs / "split", workspace) as job:
        return json.loads(json.dumps(run(request.params, job), allow_nan=False))


def test_a_split_is_a_new_version_that_tells_how_it_was_made(workspace, pairs):
    result = answer(workspace, split_request(workspace, "some", PLAIN))

    made, _ = find_dataset(workspace, result["dataset"])
    assert (result["set"], made.ref) == ("some@v0001", "some@v0002")
    assert made.splits == {"train": 80, "dev": 10, "test": 10}
    told = made.manifest["provenance"]
    assert (told["made_by"], told["made_from"], told["licence"]) == ("split", "some@v0001", "CC0-1.0")
    assert SplitConfig(**told["config"]) == PLAIN
    assert told["report"]["n_dropped"] == 0
    assert result["report"]["parts"] == told["report"]["parts"]
    before, after = (load_pairs(workspace, f"some@v000{number}").frame.drop(columns="split") for number in (1, 2))
    assert after.equals(before)
    assert find_dataset(workspace, "some@v0001")[0].splits == {}


def test_the_version_that_was_divided_is_what_the_split_rests_on(workspace, pairs):
    answer(workspace, split_request(workspace, "some", PLAIN))

    resting = read_lineage(workspace).resting[Thing("dataset", "some@v0001")]
    assert resting[Thing("dataset", "some@v0002")] == "was made from some@v0001"


def test_records_may_be_divided_under_another_name(workspace):
    frame = pd.DataFrame({"id": [str(i) for i in range(50)], "text": [f"{i * 7919:x} ticket" for i in range(50)]})
    save_records(workspace, "tickets", frame.assign(opened=range(50)), provenance={})
    result = answer(workspace, split_request(workspace, "tickets", PLAIN, name="parts"))

    made = load_records(workspace, result["dataset"]).frame
    assert result["dataset"] == "parts@v0001"
    assert made["split"].value_counts().to_dict() == {"train": 40, "dev": 5, "test": 5}
    assert made["opened"].tolist() == list(range(50))


def test_a_taken_name_and_a_part_are_refused(workspace, pairs):
    save_pairs(workspace, "other", pairs_frame(10, split="train"), provenance={})
    with pytest.raises(WorkspaceError, match="'other' is taken"):
        split_request(workspace, "some", PLAIN, name="other")
    with pytest.raises(DataFaultError, match="name other@v0001 without 'train'"):
        split_request(workspace, "other:train", PLAIN)


def test_imported_splits_are_kept_unless_they_are_to_be_replaced(workspace):
    frame = pd.concat([pairs_frame(60, split="train"), pairs_frame(100, split="test").tail(40)])
    save_pairs(workspace, "own", frame, provenance={})
    with pytest.raises(DataFaultError, match=r"splits already \(test 40, train 60\).*audited on the page Difficulty"):
        split_request(workspace, "own", PLAIN)

    result = answer(workspace, split_request(workspace, "own", PLAIN, replace=True))
    assert find_dataset(workspace, result["dataset"])[0].splits == {"train": 80, "dev": 10, "test": 10}


def test_a_split_that_was_made_here_is_told_from_an_imported_one(workspace, pairs):
    assert made_split(workspace, "some") is None
    answer(workspace, split_request(workspace, "some", PLAIN))
    made = made_split(workspace, "some")

    assert (made.ref, made.made_from, made.config["seed"]) == ("some@v0002", "some@v0001", PLAIN.seed)
    assert [row["pairs"] for row in split_rows(made.report)] == [80, 10, 10]
    assert all(row["positive pairs"] == pytest.approx(0.5, abs=0.1) for row in split_rows(made.report))
    assert "whole in train" in largest_component(made.report)


def test_the_command_divides_and_says_what_came_out(workspace, pairs):
    said = CliRunner().invoke(
        app, ["split", "some", "--no-near-duplicates", "--seed", "7", "--workspace", str(workspace.root), "--json"]
    )
    result = json.loads(said.stdout)["result"]

    assert said.exit_code == 0
    assert (result["dataset"], result["config"]["seed"]) == ("some@v0002", 7)
    again = CliRunner().invoke(app, ["split", "some", "--workspace", str(workspace.root)])
    assert again.exit_code == 1
    assert "has splits already" in again.stderr
