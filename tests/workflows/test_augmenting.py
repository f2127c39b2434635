"""Tests of what pages and commands ask of augmentation: the request, what to expect, the example, the report."""

import json

import pytest
from typer.testing import CliRunner

from simtune_core.cli import app
from simtune_core.datasets import load_details, load_pairs, save_pairs
from simtune_core.encoders.config import EncodingConfig
from simtune_core.errors import DataFaultError, WorkspaceError
from simtune_core.workflows.augmenting import (
    AugmentConfig,
    Example,
    augment_request,
    drift_rows,
    expect,
    loss_rows,
    phases_of,
    space_behind,
)
from tests.curriculum.augmentation.sets import frame_of

CELLS = {("easy", 1): 12, ("easy", 0): 12, ("hard", 1): 12, ("hard", 0): 12}
TFIDF = [EncodingConfig(encoder="tfidf")]


@pytest.fixture
def some(workspace):
    return save_pairs(
        workspace, "some", frame_of(CELLS), provenance={"step": {"do": "curriculum", "encoder": "minilm"}}
    )


def asked(workspace, **options):
    return augment_request(workspace, "some", AugmentConfig(), **{"name": "more", "encodings": TFIDF} | options)


def test_equal_wishes_are_equal_work(workspace, some):
    request = asked(workspace)

    assert request == asked(workspace)
    assert (request.kind, request.params["pairs"], request.params["encoders"]) == ("augment", "some@v0001", ["tfidf"])
    assert AugmentConfig(**request.params["config"]) == AugmentConfig()
    both = asked(workspace, encodings=[*TFIDF, EncodingConfig(encoder="minilm")])
    assert both.params["encoders"] == ["tfidf", "minilm"]
    assert [each["name"] for each in both.params["fingerprints"]] == ["tfidf", "minilm"]


def test_a_taken_name_is_refused_unless_a_new_version_is_asked_for(workspace, some):
    with pytest.raises(WorkspaceError, match="'some' is taken"):
        asked(workspace, name="some")
    assert asked(workspace, name="some", new_version=True).params["new_version"] is True


def test_what_to_expect_is_the_most_that_can_be_made(workspace, some):
    expected = expect(workspace, "some", AugmentConfig(share=0.5, n_children=4))

    assert (expected.n_pairs, expected.n_parents, expected.n_children) == (48, 24, 96)
    assert phases_of(workspace, "some") == ("easy", "hard")
    with pytest.raises(DataFaultError, match="no phase 'late'"):
        expect(workspace, "some", AugmentConfig(phases=("late",), keep_shares=False))


def test_an_example_is_the_pair_and_its_children_and_begins_again_behind_the_last(workspace, some):
    first = expect(workspace, "some", AugmentConfig()).example
    frame = load_pairs(workspace, "some").frame

    assert first[0] == Example("", frame["sentence1"][0], frame["sentence2"][0])
    assert {each.change for each in first[1:]} == {"deletion", "swap", "duplication"}
    assert expect(workspace, "some", AugmentConfig(), place=48).example == first
    assert expect(workspace, "some", AugmentConfig(seed=1)).example != first


def test_the_space_is_the_one_the_pairs_were_cut_in(workspace, some):
    save_pairs(workspace, "own", frame_of(CELLS, seed=1), provenance={"made_by": "import", "source": "own.csv"})
    save_pairs(workspace, "dropped", frame_of(CELLS, seed=2), provenance={"source": some.ref, "step": {"do": "edit"}})

    assert [space_behind(workspace, name) for name in ("some", "own", "dropped")] == ["minilm", "tfidf", "minilm"]


def test_the_command_makes_the_set_and_reports_the_drift(workspace, some):
    said = CliRunner().invoke(
        app,
        ["augment", "some", "--name", "more", "--set", "operations=[deletion, typo]", "--set", "n_children=2",
         "--encoder", "tfidf", "--workspace", str(workspace.root), "--json"],
    )  # fmt: skip
    result = json.loads(said.stdout)["result"]

    assert said.exit_code == 0
    assert (result["dataset"], result["n_before"], result["n_children"], result["n_pairs"]) == (
        "more@v0001",
        48,
        96,
        144,
    )
    assert set(load_details(workspace, "more")["change"].dropna()) == {"deletion", "typo"}
    rows = {row["measure"]: row for row in drift_rows(result)}
    assert rows["pairs"] == {
        "measure": "pairs", "before": "48", "children alone": "96", "after": "144", "change": "+96"
    }  # fmt: skip
    assert rows["positive"]["change"] == rows["phase easy"]["change"] == "+0.0 points"
    before, after = (float(rows["separability"][part]) for part in ("before", "after"))
    assert float(rows["separability"]["change"]) == pytest.approx(after - before, abs=0.0015)
    assert sum(row["children"] for row in loss_rows(result) if row["outcome"] == "made") == 96

    again = CliRunner().invoke(app, ["augment", "some", "--name", "some", "--workspace", str(workspace.root)])
    assert again.exit_code == 1
    assert "'some' is taken" in again.stderr
