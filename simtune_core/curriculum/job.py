"""The `curriculum` job: draw the phases from counted candidates and save them as a pair set with its recipe."""

from __future__ import annotations

from typing import Any

import pandas as pd

from simtune_core.candidates.counted import COUNTS, RECORDS, SAMPLE, TestPairs, load_counts
from simtune_core.curriculum.config import CurriculumConfig
from simtune_core.curriculum.drawing import Curriculum, DrawnPhase, draw
from simtune_core.curriculum.planning import Plan, plan
from simtune_core.curriculum.supply import supply_of
from simtune_core.datasets import find_dataset, load_pairs, load_records, save_pairs
from simtune_core.difficulty.separability import measure_side, side_to_json
from simtune_core.errors import JobError, WorkspaceError
from simtune_core.files import read_json
from simtune_core.findings import Finding, finding
from simtune_core.jobs.context import Job
from simtune_core.jobs.states import RESULT
from simtune_core.labels import origin_of

OFF_TARGET = 0.01  # points of separability between a phase and its target that are worth a word


def run(params: dict[str, Any], job: Job) -> dict[str, Any]:
    """Draw a curriculum and save it.

    Args:
        params: `candidates` (the id of a finished candidates job), `config` (a CurriculumConfig as JSON; what is left
            out is the default), `name` of the pair set, `new_version` (whether a taken name gets a new version).
        job: Where progress goes.

    Returns:
        `dataset` (reference), `content_id`, `records`, `encoder`, `title`, `rule` {name, weak, words}, `n_pairs`,
        `config`, `phases` (what `_phase_json` gives), `disjoint` {n_shared_pairs, n_shared_records}, `test` {ref,
        separability, overlap, roc_auc} or null, `findings`.

    Raises:
        SimtuneError: If the candidates are not there or were counted on other content, a setting is out of bounds, the
            name is taken, or no pair lies in the bands.
    """
    folder = job.workspace.job(params["candidates"])
    counted = _counted(folder.name, job)
    _require_unchanged(counted, job)
    config = CurriculumConfig(**(params.get("config") or {}))
    job.progress(0, 3, "reading candidates")
    counts = load_counts(folder / COUNTS)
    planned = plan(supply_of(counts), config)
    job.progress(1, 3, "drawing pairs")
    made = draw(pd.read_parquet(folder / SAMPLE), pd.read_parquet(folder / RECORDS), planned, config)
    job.progress(2, 3, "saving pairs")
    labels = _labels(planned, counted, job)
    saved = save_pairs(
        job.workspace,
        params["name"],
        made.frame,
        provenance=_provenance(counted, config, labels, job),
        new_version=bool(params.get("new_version")),
        details=made.details,
    )
    job.progress(3, 3, "saved")
    return {
        "dataset": saved.ref,
        "content_id": saved.content_id,
        "records": counted["records"],
        "encoder": counted["encoder"],
        "title": counted["title"],
        "rule": {"name": planned.rule.name, **labels},
        "n_pairs": len(made.frame),
        "config": config.model_dump(mode="json"),
        "phases": [_phase_json(drawn, counts.test, _rows_of(made, drawn)) for drawn in made.phases],
        "disjoint": {"n_shared_pairs": _shared(made.frame, "pair"), "n_shared_records": _shared(made.frame, "record")},
        "test": _test_json(counts.test),
        "findings": _findings(made, planned, labels),
    }


def _counted(job_id: str, job: Job) -> dict[str, Any]:
    """Return the result of the candidates job."""
    folder = job.workspace.job(job_id)
    try:
        result: dict[str, Any] = read_json(folder / RESULT)
    except WorkspaceError as error:
        raise JobError(f"The candidates {job_id} must be a finished job; count the pairs first.") from error
    if not {"records", "source", "n_pairs"} <= set(result) or not (folder / SAMPLE).exists():
        raise JobError(
            f"{job_id} is not a job that counted candidates, or an older version counted them; count the pairs of the "
            "records again."
        )
    return result


def _require_unchanged(counted: dict[str, Any], job: Job) -> None:
    load = load_pairs if counted["source"] == "pairs" else load_records
    loaded = load(job.workspace, counted["records"])
    if loaded.content_id != counted["content_id"]:
        raise JobError(f"These candidates were counted on other content of {loaded.ref}; count them again.")


def _labels(planned: Plan, counted: dict[str, Any], job: Job) -> dict[str, Any]:
    """Return how sure the labels are and what makes them; those of a pair set are as weak as they were there."""
    if planned.rule.name != "label":
        return {"weak": planned.rule.weak, "words": planned.rule.words}
    origin = origin_of(job.workspace, find_dataset(job.workspace, counted["records"])[0])
    return {"weak": origin.weak, "words": f"{planned.rule.words} {origin.sentence}"}


def _provenance(counted: dict[str, Any], config: CurriculumConfig, labels: dict[str, Any], job: Job) -> dict[str, Any]:
    origin = find_dataset(job.workspace, counted["records"])[0].manifest["provenance"]
    return {
        "made_by": "curriculum",
        "source": counted["records"],
        "licence": origin.get("licence"),
        "job": job.id,
        "labels": labels,
        "space": {name: counted[name] for name in ("encoder", "fingerprint", "precision")},
        "step": {
            "do": "curriculum",
            "records": counted["records"],
            "encoder": counted["encoder"],
            "precision": counted["precision"],
            "test": counted.get("test"),
            "apart": list(counted.get("apart") or []),
            "candidates": {name: counted[name] for name in ("seed", "cap", "exact_up_to") if name in counted},
            "config": config.model_dump(mode="json"),
        },
    }


def _rows_of(made: Curriculum, drawn: DrawnPhase) -> pd.DataFrame:
    chosen = (made.frame["phase"] == drawn.plan.phase.name).to_numpy(bool)
    return pd.DataFrame({"label": made.frame["label"][chosen], "similarity": made.details["similarity"][chosen]})


def _phase_json(drawn: DrawnPhase, test: TestPairs | None, rows: pd.DataFrame) -> dict[str, Any]:
    """Return a phase as it was drawn, beside what was wanted and what was foretold."""
    told, side = drawn.plan, drawn.side
    measured = side_to_json(side) if side else {"n_positive": 0, "n_negative": 0, "separability": None}
    return {
        **measured,
        "name": told.phase.name,
        "n_wanted": told.n_wanted,
        "n_pairs": drawn.n_pairs,
        "n_same_category": drawn.n_same_category,
        "n_cross_category": drawn.n_cross_category,
        "n_categories": drawn.n_categories,
        "separability_wanted": told.phase.separability,
        "separability_max": told.phase.separability_max,
        "distance": _distances(drawn, rows, test),
        "losses": [{"reason": loss.reason, "n": loss.n, "words": loss.words} for loss in drawn.losses],
        "explanations": list(told.explanations),
        "foretold": {
            "n_pairs": told.n_pairs,
            "n_positive": told.n_positive,
            "n_negative": told.n_negative,
            "n_same_category": told.n_same_category,
            "n_cross_category": told.n_cross_category,
            "separability": told.separability,
            "overlap": told.overlap,
            "roc_auc": told.roc_auc,
            "n_conflicting": told.n_conflicting,
            "available": dict(told.available),
        },
    }


def _distances(drawn: DrawnPhase, rows: pd.DataFrame, test: TestPairs | None) -> dict[str, Any] | None:
    """Return how far the similarities of each class are from the test's, before and after; null without a test set."""
    if test is None or drawn.plan.distances is None:
        return None
    from scipy.stats import wasserstein_distance

    found: dict[str, Any] = {}
    for told in drawn.plan.distances:
        ours = rows["similarity"][rows["label"] == told.label]
        theirs = test.similarities[test.labels == told.label]
        after = float(wasserstein_distance(ours, theirs)) if len(ours) and len(theirs) else None
        found["positive" if told.label else "negative"] = {"before": told.before, "after": after}
    return found


def _shared(frame: pd.DataFrame, what: str) -> int:
    """Return how many pairs, or records, are in more than one phase."""
    if what == "pair":
        ends = frame[["id1", "id2"]]
        keys = ends.min(axis=1) + "\x00" + ends.max(axis=1)
        phases = frame["phase"].groupby(keys).nunique()
    else:
        both = pd.concat([frame[["id1", "phase"]].rename(columns={"id1": "id2"}), frame[["id2", "phase"]]])
        phases = both["phase"].groupby(both["id2"]).nunique()
    return int((phases > 1).sum())


def _test_json(test: TestPairs | None) -> dict[str, Any] | None:
    if test is None:
        return None
    side = measure_side(test.similarities, test.labels)
    return {"ref": test.ref, "separability": side.separability, "overlap": side.overlap, "roc_auc": side.roc_auc}


def _findings(made: Curriculum, planned: Plan, labels: dict[str, Any]) -> list[Finding]:
    found = []
    if labels["weak"]:
        message = f"The labels are weak, made by a rule and by no person. {labels['words']}"
        found.append(finding("weak_labels", "info", message))
    for drawn in made.phases:
        found += [*_shortage(drawn), *_one_class(drawn), *_target(drawn)]
    if planned.shortcut:
        found.append(finding("category_shortcut", "warning", planned.shortcut))
    return found


def _one_class(drawn: DrawnPhase) -> list[Finding]:
    """Say that a phase has pairs of one label alone though both were wanted."""
    phase, side = drawn.plan.phase, drawn.side
    if side is None or not (phase.n_positives and phase.n_negatives) or (side.n_positive and side.n_negative):
        return []
    kind = "positives" if side.n_positive else "negatives"
    message = f"Phase {phase.name} holds {kind} alone: nothing can be learnt from pairs that are all alike."
    return [finding("one_class", "warning", message)]


def _shortage(drawn: DrawnPhase) -> list[Finding]:
    if not drawn.losses:
        return []
    name = drawn.plan.phase.name
    words = "; ".join(loss.words for loss in drawn.losses)
    missing = drawn.plan.n_wanted - drawn.n_pairs
    message = f"Phase {name} has {drawn.n_pairs:,} of {drawn.plan.n_wanted:,} pairs wanted: {words}."
    if missing:
        return [finding("phase_short", "warning", message)]
    return [finding("phase_otherwise", "info", message)]


def _target(drawn: DrawnPhase) -> list[Finding]:
    phase = drawn.plan.phase
    found = [finding("phase_explained", "info", f"Phase {phase.name}: {words}") for words in drawn.plan.explanations]
    measured = drawn.side.separability if drawn.side else None
    if phase.separability is None or measured is None or abs(measured - phase.separability) <= OFF_TARGET:
        return found
    direction = "easier" if measured > phase.separability else "harder"
    message = (
        f"Phase {phase.name} is {direction} than wanted: separability {measured:.3f}, wanted {phase.separability:.3f}."
    )
    if phase.reachable:
        return [*found, finding("phase_off_target", "info", message)]
    return [*found, finding("target_out_of_reach", "warning", message)]
