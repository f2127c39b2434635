"""Tests of the candidates and curriculum jobs: records in, a saved pair set in phases out."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from simtune_core.candidates.job import run as count
from simtune_core.curriculum.job import run as draw
from simtune_core.datasets import load_pairs, save_records
from simtune_core.errors import ConfigError, DataFaultError, JobError, WorkspaceError
from simtune_core.files import write_json
from simtune_core.jobs.context import Job

WORDS = ["mail", "server", "printer", "paper", "vpn", "login", "laptop", "screen", "disk", "folder", "badge", "phone"]


def records_frame(n=120, groups=True, seed=0):
    """Tickets of three categories with words of their own, in groups of three that share most of their words."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(n):
        group = number // 3
        own = np.random.default_rng(group).choice(WORDS, 4, replace=False)
        text = " ".join([*own, *rng.choice(WORDS, 2), f"case{number}"])
        rows.append((f"r{number}", text, f"category {group % 3}", f"g{group}" if groups else None))
    return pd.DataFrame(rows, columns=["id", "text", "category", "duplicate_group"])


def counted(workspace, job_id="counted", **params):
    with Job(workspace.jobs / job_id, workspace) as job:
        result = count({"encoder": "tfidf", "precision": "auto", "seed": 0} | params, job)
    write_json(workspace.job(job_id) / "result.json", result)  # as the worker does
    return result


def drawn(workspace, **params):
    with Job(workspace.jobs / "drawn", workspace) as job:
        result = draw({"candidates": "counted", "config": {}, "name": "phases"} | params, job)
    json.dumps(result, allow_nan=False)
    return result


def codes(result):
    return {finding["code"] for finding in result["findings"]}


def test_records_become_a_pair_set_in_disjoint_phases_with_its_provenance(workspace):
    save_records(workspace, "tickets", records_frame(), provenance={"licence": "CC0"})
    candidates = counted(workspace, records="tickets")

    result = drawn(workspace, config={"pairs_per_phase": 40, "seed": 3})

    assert (candidates["rule"], candidates["n_records"], candidates["n_pairs"]) == ("duplicate_group", 120, 7140)
    assert candidates["n_same_group"] == 120
    pairs = load_pairs(workspace, result["dataset"])
    assert not pairs.frame.duplicated(["id1", "id2"]).any()
    group = dict(zip(records_frame()["id"], records_frame()["duplicate_group"], strict=True))
    same = pairs.frame["id1"].map(group) == pairs.frame["id2"].map(group)
    assert (same == (pairs.frame["label"] == 1)).all()
    assert [phase["name"] for phase in result["phases"]] == ["easy", "medium", "hard"]
    assert [phase["n_pairs"] for phase in result["phases"]] == pairs.frame["phase"].value_counts(sort=False).tolist()
    for phase in result["phases"]:
        assert phase["n_pairs"] == phase["preview"]["n_pairs"]
        assert phase["separability"] == pytest.approx(phase["preview"]["separability"], abs=0.1)
    manifest = json.loads((workspace.dataset("phases") / f"v0001-{pairs.content_id[:8]}" / "manifest.json").read_text())
    provenance = manifest["provenance"]
    assert (provenance["licence"], provenance["source"], provenance["space"]) == ("CC0", "tickets@v0001", "tfidf")
    assert provenance["config"]["seed"] == 3
    assert provenance["config"]["same_category_share"] == 0.7  # the preset of records with groups


def test_a_shortage_and_unreachable_targets_are_said(workspace):
    save_records(workspace, "tickets", records_frame(), provenance={})
    counted(workspace, records="tickets")

    result = drawn(workspace, config={"cumulative": False, "same_category_share": 0.0})

    assert {"phase_short", "target_out_of_reach", "category_shortcut"} <= codes(result)
    (easy,) = [finding["message"] for finding in result["findings"] if "Phase easy has" in finding["message"]]
    assert re.search(r"Phase easy has [\d,]+ of 5,000 pairs: \d+ positive and [\d,]+ negative ones are left", easy)


def test_without_groups_the_labels_are_called_weak_and_unlabelled_records_are_left_out(workspace):
    frame = records_frame(groups=False)
    frame.loc[:1, "category"] = None
    frame["split"] = ["train", "test"] * 60
    save_records(workspace, "tickets", frame, provenance={})

    candidates = counted(workspace, records="tickets")
    result = drawn(workspace, config={"pairs_per_phase": 20})

    assert {"weak_labels", "records_left_out", "splits_mixed"} <= codes(candidates)
    assert (candidates["n_records"], candidates["n_left_out"]) == (118, 2)
    pairs = load_pairs(workspace, result["dataset"]).frame
    assert not pairs["id1"].isin(["r0", "r1"]).any()  # positions are counted without the records left out
    assert ((pairs["category1"] == pairs["category2"]) == (pairs["label"] == 1)).all()


def test_repeated_texts_are_said_and_keep_the_similarity_one(workspace):
    frame = records_frame(12)
    frame.loc[1, "text"] = frame.loc[0, "text"]
    save_records(workspace, "tickets", frame, provenance={})

    result = counted(workspace, records="tickets")

    assert "identical_texts" in codes(result)
    sample = pd.read_parquet(workspace.job("counted") / "pairs.parquet")
    assert sample.loc[(sample["i"] == 0) & (sample["j"] == 1), "similarity"].item() == pytest.approx(1.0)


def test_candidates_in_an_encoders_space_are_its_cosines(workspace, minilm):
    from simtune_core.encoders.embedding import embed

    save_records(workspace, "tickets", records_frame(9), provenance={})

    counted(workspace, records="tickets", encoder="minilm", precision="fp32")

    vectors = embed(workspace, minilm, records_frame(9)["text"].tolist(), precision="fp32").vectors
    sample = pd.read_parquet(workspace.job("counted") / "pairs.parquet")
    assert np.allclose(sample["similarity"], (vectors @ vectors.T)[sample["i"], sample["j"]], atol=1e-5)


def test_records_that_nothing_labels_are_refused(workspace):
    save_records(workspace, "tickets", records_frame(groups=False).drop(columns="category"), provenance={})

    with pytest.raises(DataFaultError, match="tickets@v0001 must have duplicate groups or categories"):
        counted(workspace, records="tickets")


def test_a_curriculum_needs_a_finished_candidates_job_and_sound_settings(workspace):
    with pytest.raises(JobError, match="The candidates counted must be a finished job"):
        drawn(workspace)
    save_records(workspace, "tickets", records_frame(), provenance={})
    counted(workspace, records="tickets")
    with pytest.raises(ConfigError, match="positives must get harder"):
        drawn(workspace, config={"easy_pos_min": 0.2})
    write_json(workspace.job("counted") / "result.json", {"other": 1})
    with pytest.raises(JobError, match="is not a job that counted candidates"):
        drawn(workspace)


def test_a_taken_name_is_refused_and_the_other_set_is_untouched(workspace):
    save_records(workspace, "tickets", records_frame(), provenance={})
    counted(workspace, records="tickets")

    with pytest.raises(WorkspaceError, match="'tickets' is taken"):
        drawn(workspace, name="tickets", config={"pairs_per_phase": 20})
