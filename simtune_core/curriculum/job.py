"""The `curriculum` job: draw the phases from counted candidates and save them as a pair set."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pandas as pd

from simtune_core.candidates.counting import LabelRule, load_counts, paired_records
from simtune_core.candidates.job import COUNTS, SAMPLE
from simtune_core.curriculum.config import CurriculumConfig, preset
from simtune_core.curriculum.drawing import DrawnPhase, generate
from simtune_core.curriculum.phases import PhasePreview, preview, supply_of
from simtune_core.datasets import find_dataset, load_records, save_pairs
from simtune_core.difficulty.separability import side_to_json
from simtune_core.errors import JobError, WorkspaceError
from simtune_core.files import read_json
from simtune_core.jobs.context import Job
from simtune_core.jobs.states import RESULT

OFF_TARGET = 0.05  # points of separability between a phase and its target that are worth a word


def run(params: dict[str, Any], job: Job) -> dict[str, Any]:
    """Draw a curriculum and save it.

    Args:
        params: `candidates` (the id of a finished candidates job), `config` (a CurriculumConfig as JSON; what is left
            out is the preset's), `name` of the pair set.
        job: Where progress goes.

    Returns:
        `dataset` (reference), `content_id`, `records`, `encoder`, `title`, `rule`, `n_pairs`, `config`, `findings`, and
        `phases`: for each its `name`, `n_wanted`, `n_same_category`, `n_categories`, `separability_wanted`,
        `separability_max`, what `side_to_json` gives, and under `preview` what was foretold.

    Raises:
        SimtuneError: If the candidates are not there or were counted on other records, a setting is out of bounds, the
            name is taken, or no pair lies in the bands.
    """
    folder = job.workspace.job(params["candidates"])
    counted = _counted(folder.name, job)
    counts = load_counts(folder / COUNTS)
    config = CurriculumConfig(**(preset(counts.rule).model_dump() | dict(params.get("config") or {})))
    loaded = load_records(job.workspace, counted["records"])
    if loaded.content_id != counted["content_id"]:
        raise JobError(f"The candidates {folder.name} were counted on other content of {loaded.ref}; count them again.")
    job.progress(0, 3, "reading candidates")
    sample = pd.read_parquet(folder / SAMPLE)
    job.progress(1, 3, "drawing pairs")
    curriculum = generate(sample, counts.rule, config, paired_records(loaded))
    foretold = preview(supply_of(counts), config)
    phases = [_phase_json(drawn, said) for drawn, said in zip(curriculum.phases, foretold, strict=True)]
    job.progress(2, 3, "saving pairs")
    origin = find_dataset(job.workspace, loaded.ref)[0].manifest["provenance"]
    provenance = {
        "made_by": "curriculum",
        "source": loaded.ref,
        "licence": origin.get("licence"),
        "job": job.id,
        "candidates": folder.name,
        "space": counted["encoder"],
        "fingerprint": counted["fingerprint"],
        "precision": counted["precision"],
        "rule": counts.rule,
        "config": config.model_dump(),
    }
    saved = save_pairs(job.workspace, params["name"], curriculum.frame, provenance=provenance)
    job.progress(3, 3, "saved")
    return {
        "dataset": saved.ref,
        "content_id": saved.content_id,
        "records": loaded.ref,
        "encoder": counted["encoder"],
        "title": counted["title"],
        "rule": counts.rule,
        "n_pairs": len(curriculum.frame),
        "config": config.model_dump(),
        "phases": phases,
        "findings": _findings(curriculum.phases, foretold, counts.rule, config),
    }


def _counted(job_id: str, job: Job) -> dict[str, Any]:
    """Return the result of the candidates job."""
    folder = job.workspace.job(job_id)
    try:
        result: dict[str, Any] = read_json(folder / RESULT)
    except WorkspaceError as error:
        raise JobError(f"The candidates {job_id} must be a finished job; count the pairs first.") from error
    if not {"records", "rule", "n_pairs"} <= set(result) or not (folder / SAMPLE).exists():
        raise JobError(f"{job_id} is not a job that counted candidates; count the pairs of a record set first.")
    return result


def _phase_json(drawn: DrawnPhase, said: PhasePreview) -> dict[str, Any]:
    side = side_to_json(drawn.side) if drawn.side else {"n_pairs": 0, "separability": None}
    return {
        "name": drawn.phase.name,
        "n_wanted": drawn.n_wanted,
        "n_same_category": drawn.n_same_category,
        "n_categories": drawn.n_categories,
        "separability_wanted": drawn.phase.separability_wanted,
        "separability_max": drawn.phase.separability_max,
        **side,
        "preview": asdict(said) | {"n_pairs": said.n_pairs, "separability": said.separability},
    }


def _findings(
    phases: tuple[DrawnPhase, ...], foretold: list[PhasePreview], rule: LabelRule, config: CurriculumConfig
) -> list[dict[str, Any]]:
    found = []
    for drawn, said in zip(phases, foretold, strict=True):
        found += _shortage(drawn) + _target(drawn)
        if said.n_conflicting:
            message = (
                f"Phase {said.name}: {said.n_conflicting:,} same-category pairs fit the positive and the negative band "
                "and were left out."
            )
            found.append({"code": "pairs_conflicting", "severity": "info", "message": message})
    if rule == "duplicate_group" and config.same_category_share == 0.0:
        message = (
            "No negative shares a category, so the category alone tells most negatives apart and a model may learn "
            "that instead. Raise the share of same-category negatives."
        )
        found.append({"code": "category_shortcut", "severity": "warning", "message": message})
    return found


def _shortage(drawn: DrawnPhase) -> list[dict[str, Any]]:
    if drawn.n_pairs >= drawn.n_wanted:
        return []
    n_positive, n_negative = (drawn.side.n_positive, drawn.side.n_negative) if drawn.side else (0, 0)
    message = (
        f"Phase {drawn.phase.name} has {drawn.n_pairs:,} of {drawn.n_wanted:,} pairs: {n_positive:,} positive and "
        f"{n_negative:,} negative ones are left in its bands. Widen the bands or ask for fewer pairs."
    )
    return [{"code": "phase_short", "severity": "warning", "message": message}]


def _target(drawn: DrawnPhase) -> list[dict[str, Any]]:
    phase = drawn.phase
    if not phase.reachable:
        message = (
            f"Phase {phase.name} cannot reach separability {phase.separability_wanted:.2f}: positives of "
            f"{phase.pos_min:g} to {phase.pos_max:g} and negatives of {phase.neg_min:g} to {phase.neg_max:g} allow at "
            f"most {phase.separability_max:.2f}. Use cumulative bands."
        )
        return [{"code": "target_out_of_reach", "severity": "warning", "message": message}]
    measured = drawn.side.separability if drawn.side else None
    if measured is None or abs(measured - phase.separability_wanted) <= OFF_TARGET:
        return []
    direction = "easier" if measured > phase.separability_wanted else "harder"
    message = (
        f"Phase {phase.name} is {direction} than wanted: separability {measured:.3f}, wanted "
        f"{phase.separability_wanted:.2f}."
    )
    return [{"code": "phase_off_target", "severity": "info", "message": message}]
