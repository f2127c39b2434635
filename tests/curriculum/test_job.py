"""Tests of the curriculum job: counted candidates in, a saved pair set with details and its recipe out."""

import json

import numpy as np
import pandas as pd
import pytest

from simtune_core.candidates.job import run as count
from simtune_core.curriculum.config import CurriculumConfig, cumulative_phases, literal_phases
from simtune_core.curriculum.job import run as draw
from simtune_core.datasets import find_dataset, load_details, load_pairs, save_pairs, save_records
from simtune_core.errors import ConfigError, JobError, WorkspaceError
from simtune_core.files import write_json
from simtune_core.jobs.context import Job
from simtune_core.pairs import with_pair_columns

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


def counted(workspace, **params):
    with Job(workspace.jobs / "counted", workspace) as job:
        result = count({"encoder": "tfidf", "precision": "auto", "seed": 0, "test": None, "apart": []} | params, job)
    write_json(workspace.job("counted") / "result.json", result)  # as the worker does
    return result


def drawn(workspace, phases=None, job_id="drawn", name="phases", new_version=False, **config):
    given = CurriculumConfig(**({"phases": phases} if phases else {}), **config).model_dump(mode="json")
    params = {"candidates": "counted", "config": given, "name": name, "new_version": new_version}
    with Job(workspace.jobs / job_id, workspace) as job:
        result = draw(params, job)
    json.dumps(result, allow_nan=False)
    return result


def small(n=30, **changes):
    return tuple(
        phase.model_copy(update={"n_positives": n, "n_negatives": n} | changes) for phase in cumulative_phases()
    )


def codes(result):
    return [finding["code"] for finding in result["findings"]]


def test_records_become_a_pair_set_in_disjoint_phases_with_its_whole_recipe(workspace):
    save_records(workspace, "tickets", records_frame(), provenance={"licence": "CC0"})
    candidates = counted(workspace, records="tickets")
    config = {"phases": small(same_category_share=0.5), "seed": 3}

    result = drawn(workspace, **config)

    pairs, details = load_pairs(workspace, result["dataset"]), load_details(workspace, result["dataset"])
    group = dict(zip(records_frame()["id"], records_frame()["duplicate_group"], strict=True))
    same = pairs.frame["id1"].map(group) == pairs.frame["id2"].map(group)
    assert (same == (pairs.frame["label"] == 1)).all()
    assert not pairs.frame.duplicated(["id1", "id2"]).any()
    assert len(details) == len(pairs) == result["n_pairs"]
    assert result["disjoint"]["n_shared_pairs"] == 0
    assert result["rule"]["name"] == "duplicate_group"
    for phase in result["phases"]:
        told = phase["foretold"]
        numbers = ("n_pairs", "n_positive", "n_negative", "n_same_category", "n_cross_category")
        assert [phase[name] for name in numbers] == [told[name] for name in numbers]
        assert phase["separability"] == pytest.approx(told["separability"], abs=0.02)
        assert phase["separability_wanted"] in (0.37, 0.27, 0.19)
    provenance = find_dataset(workspace, result["dataset"])[0].manifest["provenance"]
    assert {name: provenance[name] for name in ("made_by", "source", "licence", "job")} == {
        "made_by": "curriculum", "source": "tickets@v0001", "licence": "CC0", "job": "drawn",
    }  # fmt: skip
    assert provenance["labels"] == {"weak": False, "words": result["rule"]["words"]}
    assert provenance["step"] == {
        "do": "curriculum", "records": "tickets@v0001", "encoder": "tfidf", "precision": candidates["precision"],
        "test": None, "apart": [], "candidates": {"seed": 0, "cap": 5000, "exact_up_to": 50_000},
        "config": CurriculumConfig(**config).model_dump(mode="json"),
    }  # fmt: skip


def test_shortages_targets_out_of_reach_and_the_category_as_label_are_found(workspace):
    save_records(workspace, "tickets", records_frame(groups=False), provenance={})
    counted(workspace, records="tickets")

    result = drawn(workspace, phases=literal_phases())

    assert {"weak_labels", "phase_short", "phase_explained", "target_out_of_reach", "category_shortcut"} <= set(
        codes(result)
    )
    assert result["rule"]["weak"] is True
    messages = " ".join(finding["message"] for finding in result["findings"])
    assert "Phase hard: Separability 0.19 is out of reach" in messages
    assert "the category alone is the label" in messages


def test_a_phase_of_one_class_is_found(workspace):
    frame = records_frame(groups=False).assign(category="all")
    save_records(workspace, "tickets", frame, provenance={})
    counted(workspace, records="tickets")

    result = drawn(workspace, phases=small(5)[2:])

    assert "one_class" in codes(result)
    assert result["phases"][0]["separability"] is None


def test_the_labels_of_a_pair_set_are_kept_and_are_as_weak_as_they_were(workspace):
    frame = records_frame(90)
    rows = [(a, b) for a in range(90) for b in range(a + 1, 90) if (a + b) % 3 == 0 or a // 3 == b // 3]
    left, right = (frame.iloc[list(side)].reset_index(drop=True) for side in zip(*rows, strict=True))
    given = with_pair_columns(
        pd.DataFrame(
            {
                "sentence1": left["text"], "sentence2": right["text"], "id1": left["id"], "id2": right["id"],
                "category1": left["category"], "category2": right["category"],
                "label": (left["duplicate_group"] == right["duplicate_group"]).astype(float),
            }
        )
    )  # fmt: skip
    labels = {"weak": True, "words": "equal groups, as a rule made them"}
    save_pairs(workspace, "given", given, provenance={"made_by": "import", "labels": labels})
    counted(workspace, records="given")

    result = drawn(workspace, phases=small(10)[2:])

    made = load_pairs(workspace, result["dataset"]).frame
    known = {frozenset(pair): label for *pair, label in given[["id1", "id2", "label"]].itertuples(index=False)}
    assert [known[frozenset(pair)] for pair in zip(made["id1"], made["id2"], strict=True)] == made["label"].tolist()
    assert (result["rule"]["name"], result["rule"]["weak"]) == ("label", True)
    assert "equal groups, as a rule made them" in result["rule"]["words"]


def test_a_taken_name_is_refused_unless_a_new_version_is_asked_for(workspace):
    save_records(workspace, "tickets", records_frame(), provenance={})
    counted(workspace, records="tickets")
    with pytest.raises(WorkspaceError, match="'tickets' is taken"):
        drawn(workspace, phases=small(), name="tickets")
    drawn(workspace, phases=small())

    result = drawn(workspace, phases=small(20), job_id="again", new_version=True)

    assert result["dataset"] == "phases@v0002"


def test_the_same_settings_save_the_same_bytes(workspace):
    save_records(workspace, "tickets", records_frame(), provenance={})
    counted(workspace, records="tickets")

    first, second = (drawn(workspace, phases=small(), job_id=f"{name}-job", name=name) for name in ("one", "two"))

    tables = [find_dataset(workspace, result["dataset"])[0].table for result in (first, second)]
    assert tables[0].read_bytes() == tables[1].read_bytes()


def test_what_is_no_finished_count_of_these_records_is_refused(workspace):
    with pytest.raises(JobError, match="The candidates counted must be a finished job"):
        drawn(workspace)
    save_records(workspace, "tickets", records_frame(), provenance={})
    result = counted(workspace, records="tickets")
    with pytest.raises(ConfigError, match="the shape test needs test pairs"):
        drawn(workspace, phases=small(shape="test"))
    write_json(workspace.job("counted") / "result.json", result | {"content_id": "other"})
    with pytest.raises(JobError, match="counted on other content of tickets@v0001"):
        drawn(workspace)
    write_json(workspace.job("counted") / "result.json", {"other": 1})
    with pytest.raises(JobError, match="is not a job that counted candidates"):
        drawn(workspace)
