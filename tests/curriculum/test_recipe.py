"""How a set was made, read from manifests: back to what was imported, into a file, and out of it again."""

import pandas as pd
import pytest

from simtune_core.curriculum.recipe import (
    Pin,
    Recipe,
    Source,
    recipe_of,
    references_in,
    require_inputs,
    step_of,
    with_references,
)
from simtune_core.datasets import find_dataset, save_pairs, save_records
from simtune_core.encoders.catalogue import resolve_encoder
from simtune_core.errors import ConfigError, DataFaultError, EncoderError, WorkspaceError
from simtune_core.files import write_json

TFIDF = {"name": "tfidf", "fingerprint": "print"}


def pairs(n):
    texts = {"sentence1": [f"a{i}" for i in range(n)], "sentence2": [f"b{i}" for i in range(n)]}
    return pd.DataFrame(texts).assign(label=1, split="train")


def made(workspace, name, n, step, *, new_version=False, **told):
    provenance = {"made_by": step["do"], "step": step, **told}
    return save_pairs(workspace, name, pairs(n), provenance=provenance, new_version=new_version)


@pytest.fixture
def chain(workspace):
    """Save records and test pairs, cut a set of them, augment its split, and edit that."""
    frame = pd.DataFrame({"id": ["1", "2"], "text": ["vpn", "mail"]})
    records = save_records(workspace, "tickets", frame, provenance={"made_by": "import"})
    test = save_pairs(workspace, "test", pairs(1).assign(split="test"), provenance={"made_by": "import"})
    step = {
        "do": "curriculum", "records": "tickets@v0001", "encoder": "tfidf", "precision": "fp32",
        "test": "test@v0001:test", "apart": ["test@v0001:test"], "candidates": {"seed": 3}, "config": {"seed": 4},
    }  # fmt: skip
    cut = made(workspace, "cut", 3, step, space={"encoder": "tfidf", "fingerprint": "print"})
    more = made(workspace, "more", 4, {"do": "augment", "pairs": "cut@v0001:train", "encoder": "tfidf"}, job="j1")
    edits = [{"pair": "x@v0001", "action": "drop"}]
    last = made(workspace, "more", 2, {"do": "edit", "pairs": "more@v0001", "edits": edits}, new_version=True)
    return records, test, cut, more, last


def test_the_recipe_goes_back_to_what_was_imported_and_names_earlier_steps_by_number(workspace, chain):
    records, test, cut, more, last = chain
    found = recipe_of(workspace, "more:train")

    assert found == Recipe(
        makes="more@v0002",
        inputs=(
            Source(ref="tickets@v0001", kind="records", content_id=records.content_id),
            Source(ref="test@v0001", kind="pairs", content_id=test.content_id),
        ),
        encoders=(Pin(name="tfidf", fingerprint="print"),),
        steps=(
            {
                "do": "curriculum", "records": "tickets@v0001", "encoder": "tfidf", "precision": "fp32",
                "test": "test@v0001:test", "apart": ["test@v0001:test"], "candidates": {"seed": 3},
                "config": {"seed": 4}, "gives": cut.content_id,
            },
            {"do": "augment", "pairs": "$1:train", "encoder": "tfidf", "gives": more.content_id},
            {
                "do": "edit", "pairs": "$2", "edits": [{"pair": "x@v0001", "action": "drop"}],
                "gives": last.content_id,
            },
        ),
    )  # fmt: skip


def test_a_file_says_what_it_is_and_is_read_back_as_the_same_recipe(workspace, chain):
    found = recipe_of(workspace, "more")
    text = found.to_yaml()

    assert Recipe.from_text(text) == found
    assert text.splitlines()[0] == "# How more@v0002 was made: curriculum, augment, edit. Written by simtune."
    assert "curriculum --recipe THIS_FILE --name NEW_NAME" in text


def test_a_step_that_two_others_rest_on_is_there_once(workspace, chain):
    made(workspace, "both", 5, {"do": "mine", "pairs": "cut@v0001", "records": "more@v0001"})
    found = recipe_of(workspace, "both")

    assert [step["do"] for step in found.steps] == ["curriculum", "augment", "mine"]
    assert (found.steps[2]["pairs"], found.steps[2]["records"]) == ("$1", "$2")


def test_a_split_of_pairs_is_a_step_and_one_of_records_an_input(workspace):
    records = save_records(
        workspace, "tickets", pd.DataFrame({"id": ["1"], "text": ["vpn"]}),
        provenance={"made_by": "split", "made_from": "gone@v0001", "config": {}},
    )  # fmt: skip
    made(workspace, "cut", 3, {"do": "curriculum", "records": "tickets@v0001"})
    split = save_pairs(
        workspace, "cut", pairs(3).assign(split="dev"), new_version=True,
        provenance={"made_by": "split", "made_from": "cut@v0001", "config": {"seed": 1}},
    )  # fmt: skip
    found = recipe_of(workspace, "cut:dev")

    assert found.steps[1] == {"do": "split", "set": "$1", "config": {"seed": 1}, "gives": split.content_id}
    assert [source.ref for source in found.inputs] == [records.ref]


def test_the_fingerprint_comes_from_the_job_where_the_manifest_tells_none(workspace, chain):
    folder = workspace.jobs / "20260101-000000-aaaaaa"
    folder.mkdir()
    write_json(folder / "spec.json", {"params": {"fingerprints": [TFIDF]}})
    step = {"do": "augment", "pairs": "cut@v0001", "encoder": "tfidf"}
    frame = pairs(6)
    for name, job in (("known", folder.name), ("unknown", "20260101-000000-bbbbbb")):
        save_pairs(workspace, name, frame, provenance={"made_by": "augment", "step": step, "job": job})
    (folder_of_cut := find_dataset(workspace, "cut")[0]).manifest["provenance"].pop("space")
    write_json(folder_of_cut.folder / "manifest.json", folder_of_cut.manifest)

    assert recipe_of(workspace, "known").encoders == (Pin(name="tfidf", fingerprint="print"),)
    assert recipe_of(workspace, "unknown").encoders == (Pin(name="tfidf", fingerprint=None),)


def test_what_was_imported_has_no_recipe_and_a_lost_ancestor_is_named(workspace, chain):
    with pytest.raises(
        DataFaultError, match=r"test@v0001 was not made by a step of this workbench \(made by: import\)"
    ):
        recipe_of(workspace, "test")
    made(workspace, "orphan", 7, {"do": "augment", "pairs": "gone@v0003"})
    with pytest.raises(WorkspaceError, match=r"orphan@v0001 was made of gone@v0003, which is not there any more"):
        recipe_of(workspace, "orphan")
    made(workspace, "ring", 8, {"do": "augment", "pairs": "ring@v0001"})
    with pytest.raises(WorkspaceError, match=r"ring@v0001 says that it was made of itself"):
        recipe_of(workspace, "ring")
    assert step_of(find_dataset(workspace, "test")[0]) is None


def test_inputs_must_be_there_with_their_very_content_and_encoders_with_their_weights(workspace, chain):
    found = recipe_of(workspace, "more")
    real = Pin(name="tfidf", fingerprint=resolve_encoder(workspace, "tfidf").fingerprint)
    found = found.model_copy(update={"encoders": (real,)})
    require_inputs(workspace, found)

    other = found.inputs[0].model_copy(update={"content_id": "f" * 64})
    with pytest.raises(WorkspaceError, match=r"needs tickets@v0001 with the content ffffffff, and tickets@v0001 here"):
        require_inputs(workspace, found.model_copy(update={"inputs": (other,)}))
    absent = other.model_copy(update={"ref": "gone@v0001"})
    with pytest.raises(WorkspaceError, match=r"The recipe of more@v0002 needs gone@v0001: There is no dataset 'gone'"):
        require_inputs(workspace, found.model_copy(update={"inputs": (absent,)}))
    changed = Pin(name="tfidf", fingerprint="0" * 64)
    with pytest.raises(EncoderError, match=r"needs the encoder tfidf with the fingerprint 000000000000, and it has"):
        require_inputs(workspace, found.model_copy(update={"encoders": (changed,)}))


@pytest.mark.parametrize(
    ("steps", "sentence"),
    [
        ("[]", "steps"),
        ("[{pairs: t@v0001}]", r"step 1 must tell what to do, such as 'do: curriculum', got \['pairs'\]"),
        ("[{do: augment, pairs: $1}]", r"step 1 must rest on earlier steps, got \$1"),
        ("[{do: augment, pairs: other@v0001}]", "step 1 must rest on what the inputs list, got other@v0001"),
        ("nonsense", "steps"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_one_is_refused_in_a_sentence(steps, sentence):
    text = f"recipe: 1\nmakes: x@v0001\ninputs: [{{ref: t@v0001, kind: pairs, content_id: c}}]\nsteps: {steps}\n"
    with pytest.raises(ConfigError, match=sentence):
        Recipe.from_text(text)


def test_references_are_found_and_exchanged_at_the_top_of_a_step_alone():
    step = {
        "do": "mine", "pairs": "a@v0001:train", "apart": ["b@v0002", "$1:dev"], "encoder": "org/model",
        "config": {"note": "a@v0001"}, "test": None,
    }  # fmt: skip

    assert references_in(step) == ["a@v0001:train", "b@v0002", "$1:dev"]
    assert with_references(step, {"a@v0001": "$2", "$1": "new@v0003"}) == step | {
        "pairs": "$2:train", "apart": ["b@v0002", "new@v0003:dev"],
    }  # fmt: skip
