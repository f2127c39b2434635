"""Comparing two pair sets of a workspace: in the space both were cut in, else scored by a job; and the settings."""

import json

import numpy as np
import pandas as pd
import pytest

from simtune_core.datasets import save_pairs
from simtune_core.difficulty.separability import side_to_json
from simtune_core.encoders.config import EncodingConfig
from simtune_core.errors import DataFaultError
from simtune_core.workflows.comparing import (
    as_json,
    compare,
    comparison_request,
    facets_of,
    number_lines,
    others_of,
    sentences,
    shared_lines,
    space_as_cut,
)
from simtune_core.workflows.running import run_to_end
from tests.measured import phased_pairs

STEP = {"do": "curriculum", "records": "r@v0001", "encoder": "tfidf", "precision": "fp32", "test": None, "apart": []}


def cut(workspace, name, *, seed=0, step=STEP, similarity=None, **provenance):
    """Save 200 phased pairs with made-up similarities, as a curriculum would."""
    frame = phased_pairs(200, seed)
    made_up = np.random.default_rng(seed).random(200).round(3)
    details = pd.DataFrame({"similarity": made_up if similarity is None else similarity})
    told = {"made_by": "curriculum", "step": {**step, "config": {"seed": seed}}, **provenance}
    return save_pairs(workspace, name, frame, provenance=told, details=details), details["similarity"].to_numpy()


def test_sets_cut_in_one_space_are_compared_by_the_similarities_kept_with_them(workspace):
    left, right = cut(workspace, "left"), cut(workspace, "right", seed=1)

    assert space_as_cut(workspace, "left", "right") == "cosine of tfidf, as both were cut"
    compared = compare(workspace, "left", "right:train")
    frame, similarities = phased_pairs(200), left[1]
    inside = (frame["phase"] == "easy").to_numpy()
    positive = (frame["label"] == 1).to_numpy()
    easy = next(phase for phase in compared.comparison.phases if phase.phase == "easy")
    assert easy.left.side.separability == pytest.approx(
        similarities[inside & positive].mean() - similarities[inside & ~positive].mean(), abs=1e-6
    )
    assert easy.right.side.n_pairs == int(
        ((phased_pairs(200, 1)["phase"] == "easy") & (phased_pairs(200, 1)["split"] == "train")).sum()
    )
    assert [(each.field, each.left, each.right) for each in compared.settings] == [("curriculum.config.seed", "0", "1")]
    assert sentences(compared)[1] == "1 setting differs."
    json.dumps(as_json(compared), allow_nan=False)
    assert right[0].ref == compared.comparison.right.partition(":")[0]


@pytest.mark.parametrize(
    "other",
    [{"encoder": "minilm"}, {"records": "q@v0001"}, {"test": "t@v0001:test"}, {"do": "augment"}],
)
def test_sets_of_other_spaces_are_scored_first(workspace, other):
    cut(workspace, "left")
    cut(workspace, "right", seed=1, step=STEP | other)

    assert space_as_cut(workspace, "left", "right") is None
    with pytest.raises(DataFaultError, match="not both cut in one space; name an encoder"):
        compare(workspace, "left", "right")


def test_one_encoder_with_other_weights_is_another_space(workspace):
    step = STEP | {"encoder": "mine"}
    for name, seed, fingerprint in (("left", 0, "a"), ("right", 1, "a"), ("later", 2, "b")):
        cut(workspace, name, seed=seed, step=step, space={"encoder": "mine", "fingerprint": fingerprint})

    assert space_as_cut(workspace, "left", "right") == "cosine of mine, as both were cut"
    assert space_as_cut(workspace, "left", "later") is None


def test_an_edit_keeps_the_space_and_a_missing_similarity_has_none(workspace):
    cut(workspace, "left")
    made, similarities = cut(workspace, "right", seed=1)
    edit = {"do": "edit", "pairs": made.ref, "edits": []}
    details = pd.DataFrame({"similarity": similarities[:150]})
    told = {"made_by": "edit", "source": made.ref, "step": edit}
    save_pairs(workspace, "edited", phased_pairs(200, 1)[:150], provenance=told, details=details)
    assert space_as_cut(workspace, "left", "edited") is not None

    holed = details.assign(similarity=details["similarity"].where(details.index != 3))
    save_pairs(workspace, "holed", phased_pairs(200, 1)[:149], provenance=told, details=holed[:149])
    assert space_as_cut(workspace, "left", "holed") is None


def test_other_sets_are_scored_by_the_job_that_the_difficulty_page_asks_for(measured):
    request = comparison_request(
        measured.workspace, "some:train", "some:test", EncodingConfig(encoder="tfidf", precision="fp32")
    )
    job, result = run_to_end(measured.workspace, request)
    assert job.id == measured.job

    compared = compare(measured.workspace, "some:train", "some:test", result)
    for half, side in zip(("left", "right"), measured.result["sides"], strict=True):
        ours = {phase.phase: getattr(phase, half) for phase in compared.comparison.phases}
        told = {None: side} | {each["phase"]: each for each in side["phases"]}
        assert {name: side_to_json(each.side) for name, each in ours.items()} == {
            name: {key: each[key] for key in side_to_json(ours[name].side)} for name, each in told.items()
        }
    assert compared.space == "cosine of tfidf"
    assert sentences(compared)[1] == "Neither was made here, so no settings can be compared."


def test_the_tables_tell_both_sets_of_each_phase_in_words(workspace):
    cut(workspace, "left", similarity=np.full(200, 0.5))
    cut(workspace, "right", seed=1)
    compared = compare(workspace, "left", "right")

    lines = number_lines(compared.comparison)
    assert [(line["phase"], line["set"]) for line in lines][:2] == [
        ("all pairs", "left@v0001"), ("all pairs", "right@v0001"),
    ]  # fmt: skip
    assert (lines[0]["pairs"], lines[0]["separability"], lines[0]["ROC-AUC"]) == ("200", "0.000", "0.500")
    assert lines[0]["categories"] == "none"
    assert [line["phase"] for line in shared_lines(compared.comparison)] == ["all pairs", "hard", "easy"]
    facets = facets_of(compared.comparison)
    assert [facet.name for facet in facets] == ["all pairs", "hard", "easy"]
    assert [bins.n for bins in facets[0].sets] == [200, 200]
    assert sum(facet.sets[0].n for facet in facets[1:]) == 200


def test_other_versions_are_offered_first_and_the_set_itself_never(workspace):
    first, _ = cut(workspace, "some")
    save_pairs(workspace, "other", phased_pairs(50, 5), provenance={})
    save_pairs(workspace, "some", phased_pairs(60, 6), provenance={}, new_version=True)

    assert others_of(workspace, "some") == [first.ref, "some:train", "some:test", "other", "other:train", "other:test"]
    assert others_of(workspace, "some@v0001:train")[0] == "some@v0002:train"
    with pytest.raises(DataFaultError, match=r"both are some@v0002\. Choose another one"):
        comparison_request(workspace, "some", "some@v0002", EncodingConfig(encoder="tfidf"))
