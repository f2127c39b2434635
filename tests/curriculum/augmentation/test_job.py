"""Tests of the augment job: what is saved, linked and measured; and the founding story's drift on real tickets."""

import json

import numpy as np
import pandas as pd
import pytest

from simtune_core.curriculum.augmentation.config import AugmentConfig
from simtune_core.curriculum.augmentation.job import BANDS, OWN_RANGE, run
from simtune_core.datasets import find_dataset, load_details, load_pairs, save_pairs
from simtune_core.encoders.tfidf import tfidf_matrix
from simtune_core.jobs.context import Job
from simtune_core.pairs import text_id
from simtune_core.preparing.splitting import SplitConfig, split_pairs
from tests.curriculum.augmentation.sets import frame_of

CELLS = {("easy", 1): 20, ("easy", 0): 20, ("hard", 1): 20, ("hard", 0): 20}
CURRICULUM = {
    "do": "curriculum", "encoder": "tfidf",
    "config": {"phases": [
        {"name": "easy", "pos_min": 0.2, "pos_max": 1.0, "neg_min": 0.0, "neg_max": 0.3},
        {"name": "hard", "pos_min": 0.1, "pos_max": 1.0, "neg_min": 0.0, "neg_max": 0.4},
    ]},
}  # fmt: skip


def augmented(workspace, pairs, config=None, *, name="more", encoders=("tfidf",), new_version=False):
    params = {
        "pairs": pairs, "config": (config or AugmentConfig()).model_dump(mode="json"), "name": name,
        "new_version": new_version, "encoders": list(encoders), "precision": "fp32",
    }  # fmt: skip
    with Job(workspace.jobs / f"augment-{name}", workspace) as job:
        return json.loads(json.dumps(run(params, job), allow_nan=False))


def codes(result):
    return {finding["code"] for finding in result["findings"]}


def test_parents_and_children_are_saved_together_and_linked(workspace):
    frame = frame_of(CELLS)
    told = pd.DataFrame({"similarity": np.float32(0.25), "role": "positive", "parent": None, "change": None}, range(80))
    provenance = {"made_by": "curriculum", "licence": "CC0", "labels": {"weak": True, "words": "equal categories"}}
    save_pairs(workspace, "some", frame, provenance=provenance | {"step": CURRICULUM}, details=told)

    result = augmented(workspace, "some@v0001", AugmentConfig(seed=5))

    made, details = load_pairs(workspace, result["dataset"]).frame, load_details(workspace, result["dataset"])
    assert (result["n_before"], result["n_parents"], result["n_children"], result["n_pairs"]) == (80, 80, 240, 320)
    pd.testing.assert_frame_equal(made.head(80), load_pairs(workspace, "some").frame)
    assert details["parent"].head(80).isna().all()
    parents = details["parent"].tail(240).astype(int)
    assert made["id1"].tail(240).tolist() == made["id1"].iloc[parents].tolist()
    assert set(details["change"].tail(240)) == {"deletion", "swap", "duplication"}
    assert (details["similarity"].head(80) == 0.25).all()  # parents keep what was known of them
    assert (details["role"] == "positive").all()
    version, _ = find_dataset(workspace, result["dataset"])
    kept = version.manifest["provenance"]
    assert (kept["source"], kept["licence"]) == ("some@v0001", "CC0")
    assert kept["labels"] == {"weak": True, "words": "equal categories"}
    assert (kept["step"]["do"], kept["step"]["pairs"], kept["step"]["config"]["seed"]) == ("augment", "some@v0001", 5)
    assert result["bands"] == BANDS


def test_similarities_of_children_are_those_of_one_fit_on_parents_and_children(workspace):
    save_pairs(workspace, "some", frame_of(CELLS), provenance={})
    result = augmented(workspace, "some@v0001")

    made = load_pairs(workspace, result["dataset"])
    texts = made.unique_texts()
    rows = {text: row for row, text in enumerate(texts)}
    vectors = tfidf_matrix(texts)
    first, second = (vectors[made.frame[side].map(rows).to_numpy()] for side in ("sentence1", "sentence2"))
    authority = np.asarray(first.multiply(second).sum(axis=1)).ravel()
    similarity = load_details(workspace, result["dataset"])["similarity"].to_numpy()
    np.testing.assert_allclose(similarity, authority, atol=1e-6)
    drift, label = result["drift"], made.frame["label"].to_numpy()
    assert drift["before"]["side"]["positive_mean"] == pytest.approx(authority[:80][label[:80] == 1].mean(), abs=1e-6)
    assert drift["children"]["side"]["negative_mean"] == pytest.approx(authority[80:][label[80:] == 0].mean(), abs=1e-6)
    assert result["bands"] == OWN_RANGE


def test_labels_and_phases_do_not_drift_by_default(workspace):
    save_pairs(workspace, "some", frame_of({("easy", 1): 30, ("hard", 0): 12}), provenance={})
    result = augmented(workspace, "some@v0001")

    before, after = (result["drift"][part] for part in ("before", "after"))
    assert after["side"]["prevalence"] == pytest.approx(before["side"]["prevalence"], abs=1e-9)
    assert after["phases"] == {name: 4 * n for name, n in before["phases"].items()}
    assert not codes(result) & {"augmentation_more_positive", "augmentation_more_negative", "augmentation_phases_moved"}


def test_children_stay_in_the_split_of_their_parent_when_the_set_is_divided(workspace):
    frame = frame_of(CELLS)
    frame.loc[::2, ["id1", "id2"]] = None  # half of the parents are known by their texts alone
    save_pairs(workspace, "some", frame, provenance={})
    result = augmented(workspace, "some@v0001", AugmentConfig(operations=("deletion", "typo"), deletion_rate=0.5))

    pairs, details = load_pairs(workspace, result["dataset"]), load_details(workspace, result["dataset"])
    split = split_pairs(pairs, SplitConfig(near_duplicates=False))
    parents = details["parent"].tail(result["n_children"]).astype(int).to_numpy()
    assert set(split.splits) == {"train", "dev", "test"}
    assert split.splits[80:].tolist() == split.splits[parents].tolist()
    assert split.components[80:].tolist() == split.components[parents].tolist()
    before = load_pairs(workspace, "some").record_ids()
    assert {*np.concatenate(pairs.record_ids())} == {*np.concatenate(before)}  # no record more to resample
    nameless = pairs.frame.iloc[80:][pairs.frame["id1"].iloc[parents].isna().to_numpy()]
    assert nameless["id1"].str.startswith("text:").all()
    assert f"text:{text_id(frame['sentence1'][0])}" in set(nameless["id1"])


def test_test_pairs_get_no_children_and_the_drift_is_that_of_the_training_pairs(workspace):
    frame = frame_of(CELLS).assign(split=["train", "test"] * 40)
    save_pairs(workspace, "some", frame, provenance={})
    result = augmented(workspace, "some@v0001", AugmentConfig(n_children=1))

    version, _ = find_dataset(workspace, result["dataset"])
    assert version.splits == {"test": 40, "train": 80}
    assert (result["drift"]["before"]["side"]["n_pairs"], result["drift"]["after"]["side"]["n_pairs"]) == (40, 80)


def test_augmenting_again_changes_the_parents_alone_and_links_to_them(workspace):
    save_pairs(workspace, "some", frame_of(CELLS), provenance={})
    augmented(workspace, "some@v0001", AugmentConfig(n_children=1))
    again = augmented(workspace, "more@v0001", AugmentConfig(n_children=1, seed=1), new_version=True)

    details = load_details(workspace, again["dataset"])
    assert (again["dataset"], again["n_before"], again["n_parents"]) == ("more@v0002", 160, 80)
    assert details["parent"].iloc[80:160].equals(load_details(workspace, "more@v0001")["parent"].iloc[80:160])
    assert details["parent"].iloc[160:].max() < 80


def test_a_split_alone_keeps_its_links_by_row_of_the_new_set(workspace):
    frame = frame_of(CELLS).assign(split=["test"] * 40 + ["train"] * 40)
    save_pairs(workspace, "some", frame, provenance={})
    augmented(workspace, "some@v0001", AugmentConfig(n_children=1))
    part = augmented(workspace, "more@v0001:train", AugmentConfig(n_children=1, seed=1), name="part")

    made, details = load_pairs(workspace, part["dataset"]).frame, load_details(workspace, part["dataset"])
    child = details["parent"].notna()
    assert (part["n_before"], part["n_parents"]) == (80, 40)
    assert made["id1"][child].tolist() == made["id1"].iloc[details["parent"][child].astype(int)].tolist()


def test_the_same_seed_gives_the_same_bytes(workspace):
    save_pairs(workspace, "some", frame_of(CELLS), provenance={})
    folders = []
    for name in ("one", "two"):
        ref = augmented(workspace, "some@v0001", AugmentConfig(seed=9), name=name)["dataset"]
        folders.append(find_dataset(workspace, ref)[0].folder)

    for table in ("pairs.parquet", "details.parquet"):
        assert (folders[0] / table).read_bytes() == (folders[1] / table).read_bytes()


def test_a_baseline_encoder_is_measured_on_the_same_pairs(workspace, minilm):
    from simtune_core.encoders.scoring import score_pairs
    from simtune_core.evaluation.metrics import roc_auc

    save_pairs(workspace, "some", frame_of({("easy", 1): 8, ("easy", 0): 8}), provenance={})
    result = augmented(workspace, "some@v0001", AugmentConfig(n_children=1), encoders=("tfidf", "minilm"))

    pairs = load_pairs(workspace, result["dataset"])
    scores = score_pairs(workspace, minilm, [pairs], precision="fp32")[0]
    assert result["baseline"] == "minilm"
    assert result["drift"]["after"]["baseline_roc_auc"] == pytest.approx(roc_auc(scores, pairs.frame["label"]))


def test_the_storys_augmentation_of_real_tickets_is_reported(workspace, real_data):
    """Easy and founding pairs, two thirds positive; children of every pair, then more of the easy positives alone."""
    names = {f"{name}_{side}": f"{new}{n}" for name, new in (("text", "sentence"), ("id", "id"))
             for side, n in (("a", 1), ("b", 2))}  # fmt: skip
    easy, hard = (
        pd.read_parquet(real_data(stem)).rename(columns=names).query("split == 'train'").assign(phase=phase)
        for stem, phase in (("itsm10k_easy_train_pairs", "easy"), ("itsm10k_founding_pairs", "hard"))
    )
    parts = [
        each[each["label"] == label].head(n)
        for each, sizes in ((easy, (330, 170)), (hard, (670, 330)))  # a third easy, two thirds positive
        for label, n in zip((1, 0), sizes, strict=True)
    ]
    save_pairs(workspace, "tickets", pd.concat(parts, ignore_index=True).assign(split=None), provenance={})

    whole = augmented(workspace, "tickets@v0001")
    assert not codes(whole) & {"augmentation_more_positive", "augmentation_easier"}
    only = AugmentConfig(labels="positive", phases=("easy",), n_children=2, keep_shares=False)
    skewed = augmented(workspace, "tickets@v0001", only, name="skewed")

    assert {"augmentation_easier", "augmentation_more_positive"} <= codes(skewed)
    (easier,) = [each["message"] for each in skewed["findings"] if each["code"] == "augmentation_easier"]
    assert "the share of the easiest phase, easy, 33.3% to" in easier
    assert "separability" in easier
    before, after = (skewed["drift"][part]["side"] for part in ("before", "after"))
    assert before["prevalence"] == pytest.approx(0.667, abs=0.001)
    assert after["prevalence"] == pytest.approx((1000 + 660) / (1500 + 660), abs=0.01)  # 76.9 %
