"""A recipe runs again elsewhere to the byte, or says before it begins what is not as it was."""

import json

import pandas as pd
import pytest
import yaml

from simtune_core.candidates.config import CandidatesConfig
from simtune_core.curriculum.augmentation.config import AugmentConfig
from simtune_core.curriculum.config import CurriculumConfig, cumulative_phases
from simtune_core.curriculum.mining.config import AnchoredConfig
from simtune_core.curriculum.quality.edits import Edit, pair_keys
from simtune_core.datasets import find_dataset, list_versions, load_pairs, save_records
from simtune_core.encoders.config import EncodingConfig
from simtune_core.errors import ConfigError, WorkspaceError
from simtune_core.files import new_id, write_json
from simtune_core.jobs.context import Job
from simtune_core.jobs.kinds import load_kind
from simtune_core.jobs.states import RESULT
from simtune_core.preparing.splitting import SplitConfig
from simtune_core.workflows.augmenting import augment_request
from simtune_core.workflows.lineage import Thing, read_lineage
from simtune_core.workflows.mining import AnchoredSources, anchored_request
from simtune_core.workflows.preparing import split_request
from simtune_core.workflows.recipes import Recipe, recipe_of, recipe_text, run_recipe
from simtune_core.workflows.requests import Request, candidates_request, curriculum_request
from simtune_core.workspace import SAMPLE, open_workspace

TFIDF = EncodingConfig(encoder="tfidf")


def with_tickets(folder):
    """Return a workspace that holds a part of the sample's records."""
    workspace = open_workspace(folder)
    save_records(workspace, "tickets", pd.read_parquet(SAMPLE / "records.parquet").head(400), provenance={})
    return workspace


def done(workspace, request):
    """Do the work of a request in this process, and leave its job folder as others read it."""
    with Job(workspace.jobs / new_id(), workspace) as job:
        result = json.loads(json.dumps(load_kind(request.kind)(request.params, job)))
        write_json(job.folder / RESULT, result)
        return job.id, result


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    """Return a workspace where records were cut, divided, mined, augmented and edited: each a version of one set."""
    workspace = with_tickets(tmp_path_factory.mktemp("first") / "workspace")
    phases = tuple(
        phase.model_copy(update={"n_positives": 40, "n_negatives": 40, "same_category_share": 0.5})
        for phase in cumulative_phases()
    )
    counted, _ = done(workspace, candidates_request(workspace, "tickets", TFIDF, config=CandidatesConfig(cap=400)))
    config = CurriculumConfig(phases=phases, seed=7).model_dump(mode="json")
    done(workspace, curriculum_request(workspace, counted, config, "cut"))
    done(workspace, split_request(workspace, "cut", SplitConfig(stratify=False, near_duplicates=False), replace=True))
    near = AnchoredSources("cut:train", "tickets", TFIDF, "tfidf")
    done(workspace, anchored_request(workspace, near, AnchoredConfig(num_negatives=2), "cut", new_version=True))
    augment = AugmentConfig(seed=3)
    done(workspace, augment_request(workspace, "cut", augment, name="cut", encodings=[TFIDF], new_version=True))
    gone, other = (str(key) for key in pair_keys(load_pairs(workspace, "cut").frame)[[0, 5]])
    edits = [Edit(gone, "drop").as_json(), Edit(other, "relabel", 0).as_json()]
    done(workspace, Request("edit", {"pairs": "cut@v0004", "edits": edits, "name": "cut", "new_version": True}, ""))
    return workspace


def contents(workspace, name):
    """Return the bytes of every version's pairs and details."""
    return [
        {file: (version.folder / file).read_bytes() for file in ("pairs.parquet", "details.parquet")}
        for version in list_versions(workspace, name)
    ]


@pytest.mark.slow
def test_the_recipe_makes_every_version_again_to_the_byte_in_another_workspace(chain, tmp_path):
    recipe = Recipe.from_text(recipe_text(chain, "cut"))
    assert [step["do"] for step in recipe.steps] == ["curriculum", "split", "mine", "augment", "edit"]

    other = with_tickets(tmp_path / "workspace")
    run = run_recipe(other, recipe, "again")

    assert [made.dataset for made in run.made] == [f"again@v000{number}" for number in (1, 2, 3, 4, 5)]
    assert all(made.as_told for made in run.made)
    assert contents(other, "again") == contents(chain, "cut")
    assert recipe_of(other, "again").steps == recipe.steps
    assert not [found for found in run.findings if found["code"] == "recipe_differs"]
    once_more = run_recipe(other, recipe, "again")
    assert once_more.made == run.made
    assert len(list_versions(other, "again")) == 5


def changed(recipe, place, **values):
    steps = [dict(step) for step in recipe.steps]
    steps[place] |= values
    return Recipe(**(recipe.model_dump() | {"steps": steps}))


def test_nothing_runs_where_something_is_not_as_it_was(chain, tmp_path):
    recipe, bare = recipe_of(chain, "cut"), open_workspace(tmp_path / "bare")
    with pytest.raises(WorkspaceError, match="needs tickets@v0001: There is no dataset 'tickets'"):
        run_recipe(bare, recipe, "again")
    frame = pd.read_parquet(SAMPLE / "records.parquet").head(399)
    save_records(bare, "tickets", frame, provenance={})
    with pytest.raises(WorkspaceError, match="needs tickets@v0001 with the content"):
        run_recipe(bare, recipe, "again")
    whole = with_tickets(tmp_path / "whole")
    save_records(whole, "taken", frame, provenance={})
    with pytest.raises(WorkspaceError, match="'taken' is taken by taken@v0001, which is no step of this recipe"):
        run_recipe(whole, recipe, "taken")
    with pytest.raises(ConfigError, match=r"Step 5 must do one of curriculum, mine, augment, edit, split; got 'bake'"):
        run_recipe(whole, changed(recipe, 4, do="bake"), "again")
    phases = [{"name": "a", "pos_min": 2.0}]
    with pytest.raises(ConfigError, match=r"Step 1 \(curriculum\) cannot be run: .*pos_min"):
        run_recipe(whole, changed(recipe, 0, config={"phases": phases}), "again")
    with pytest.raises(ConfigError, match=r"Step 4 \(augment\) cannot be run: extra is not a setting here"):
        run_recipe(whole, changed(recipe, 3, extra=1), "again")
    with pytest.raises(WorkspaceError, match="dataset name"):
        run_recipe(whole, recipe, "../x")
    assert [path for workspace in (bare, whole) for path in workspace.jobs.iterdir()] == []


def test_other_content_than_told_is_said(chain, tmp_path):
    recipe = recipe_of(chain, "cut@v0001")
    workspace = with_tickets(tmp_path / "workspace")
    run = run_recipe(workspace, changed(recipe, 0, gives="0" * 64), "again")

    assert [made.as_told for made in run.made] == [False]
    assert [found["message"] for found in run.findings if found["code"] == "recipe_differs"] == [
        "Step 1 (curriculum) gave other pairs than when the recipe was written: again@v0001. Programs, libraries or "
        "the precision of the hardware differ."
    ]
    assert find_dataset(workspace, "again")[0].content_id == recipe.steps[0]["gives"]


def test_what_a_recipe_needs_is_told_before_it_is_deleted(chain):
    lineage = read_lineage(chain)
    resting = lineage.resting[Thing("dataset", "tickets@v0001")]

    assert resting[Thing("dataset", "cut@v0001")] == "was made from tickets@v0001"
    assert resting[Thing("dataset", "cut@v0003")] == "needs for its recipe tickets@v0001"  # negatives were mined there
    assert Thing("dataset", "cut@v0004") not in resting


def test_the_file_holds_plain_yaml(chain):
    text = recipe_text(chain, "cut")

    assert yaml.safe_load(text)["recipe"] == 1
    assert "!!python" not in text
