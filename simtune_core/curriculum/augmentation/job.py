"""The `augment` job: children of a pair set, saved with their parents as a new set, and how the set drifted by it."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simtune_core.curriculum.augmentation.config import AugmentConfig, DriftConfig
from simtune_core.curriculum.augmentation.drift import (
    Augmented,
    BandPair,
    Drift,
    drift_to_json,
    measure_drift,
)
from simtune_core.curriculum.augmentation.findings import find_all
from simtune_core.curriculum.augmentation.making import Children, in_scope, make_children
from simtune_core.curriculum.config import CurriculumConfig
from simtune_core.datasets import (
    DETAIL_COLUMNS,
    DatasetVersion,
    content_id,
    find_dataset,
    load_details,
    load_pairs,
    save_pairs,
)
from simtune_core.encoders.catalogue import resolve_encoder
from simtune_core.encoders.loading import precision_that_ran
from simtune_core.encoders.scoring import score_pairs
from simtune_core.errors import SimtuneError, WorkspaceError
from simtune_core.jobs.context import Job
from simtune_core.labels import label_origin
from simtune_core.pairs import PairSet
from simtune_core.workspace import Workspace

MADE_BY = "augment"
OWN_RANGE = "the range that their label has in their phase"  # where no curriculum tells the bands of this space
BANDS = "the bands of their phases"


def run(params: dict[str, Any], job: Job) -> dict[str, Any]:
    """Make the children of a pair set, save parents and children together, and measure the drift.

    Args:
        params: `pairs` (reference), `config` (an AugmentConfig as JSON), `name`, `new_version`, `encoders` (of the
            space, and of the baseline if one is asked for), `precision`.
        job: Where progress goes.

    Returns:
        `dataset` (reference), `content_id`, `pairs`, `encoder`, `title`, `precision`, `baseline`, `n_before`,
        `n_parents`, `n_children`, `n_pairs`, `operations` (children by operation), `losses` (`operation`, `reason`,
        `n`), `config`, `bands` (what the strays lie outside of, in words), `drift` (as `drift_to_json`; of the splits
        that are augmented), `findings`.

    Raises:
        SimtuneError: If the set or an encoder is not there, no child can be made, or the name is taken.
    """
    config = AugmentConfig(**params["config"])
    pairs = load_pairs(job.workspace, params["pairs"])
    version, _ = find_dataset(job.workspace, pairs.ref)
    details = _details(job.workspace, pairs)
    job.progress(0, 4, "making children")
    children = make_children(pairs, config, children=details["parent"].notna().to_numpy(bool))
    frame = pd.concat([pairs.frame, children.frame], ignore_index=True)
    augmented = PairSet(frame, params["name"], content_id(frame))
    job.progress(1, 4, "scoring")
    scores, *others = [_scores(augmented, name, params["precision"], job) for name in params["encoders"]]
    baseline = others[0] if others else None
    scope = np.append(in_scope(pairs, config), np.ones(len(children.frame), dtype=bool))
    bands = bands_of(job.workspace, version, params["encoders"][0])
    drift = measure_drift(_measured(augmented, scores, baseline, scope, len(pairs)), bands)
    job.progress(3, 4, "saving")
    saved = save_pairs(
        job.workspace,
        params["name"],
        frame,
        provenance=_provenance(job, version, pairs.ref, params),
        new_version=bool(params.get("new_version")),
        details=_with_children(details, children, scores),
    )
    job.progress(4, 4, "saved")
    return {
        "dataset": saved.ref,
        "content_id": saved.content_id,
        "pairs": pairs.ref,
        "n_before": len(pairs),
        "n_pairs": saved.n_rows,
        "config": config.model_dump(mode="json"),
        **_space(job.workspace, params),
        **_told(
            children, drift, resolve_encoder(job.workspace, params["encoders"][0]).title, BANDS if bands else OWN_RANGE
        ),
    }


def curriculum_behind(workspace: Workspace, version: DatasetVersion) -> dict[str, Any] | None:
    """Return the curriculum step that a set, or the nearest set it was made of, was cut by; None without one."""
    passed: set[str] = set()
    while version.ref not in passed:
        passed.add(version.ref)
        provenance = version.manifest["provenance"]
        step = provenance.get("step")
        if isinstance(step, dict) and step.get("do") == "curriculum":
            return step
        try:
            version, _ = find_dataset(workspace, str(provenance.get("source")), kind="pairs")
        except WorkspaceError:
            return None
    return None


def bands_of(workspace: Workspace, version: DatasetVersion, encoder: str) -> dict[str, BandPair] | None:
    """Return the bands of the phases that a set was cut in, by phase; None if it was cut in no bands of this space."""
    step = curriculum_behind(workspace, version)
    if step is None or step.get("encoder") != encoder:
        return None
    try:
        phases = CurriculumConfig(**step["config"]).phases
    except (SimtuneError, KeyError, TypeError):  # written by another version: then nothing is known of its bands
        return None
    return {phase.name: BandPair((phase.neg_min, phase.neg_max), (phase.pos_min, phase.pos_max)) for phase in phases}


def _details(workspace: Workspace, pairs: PairSet) -> pd.DataFrame:
    """Return how the pairs came to be, parents as rows of these pairs; empty where nothing is known.

    Of a split, the parent is found among the rows of the whole version; a child whose parent is not among them is one
    all the same, and tells -1.
    """
    details = load_details(workspace, pairs.ref)
    if details is None:
        return pd.DataFrame(None, index=range(len(pairs)), columns=list(DETAIL_COLUMNS))
    version, split = find_dataset(workspace, pairs.ref)
    if split is not None:
        rows = np.flatnonzero(pd.read_parquet(version.table, columns=["split"])["split"].eq(split).fillna(value=False))
        place = {row: number for number, row in enumerate(rows.tolist())}
        known = details["parent"].notna()
        details.loc[known, "parent"] = [place.get(int(row), -1) for row in details.loc[known, "parent"]]
    return details


def _with_children(details: pd.DataFrame, children: Children, scores: NDArray[np.float32]) -> pd.DataFrame:
    """Return the details of parents and children; parents keep theirs, similarities that are unknown are filled in."""
    n_before = len(details)
    similarity = details["similarity"].astype("float32").to_numpy(np.float32, na_value=np.nan)
    known = np.where(np.isnan(similarity), scores[:n_before], similarity)
    return pd.DataFrame(
        {
            "similarity": np.append(known, scores[n_before:]).astype(np.float32),
            "role": pd.concat([details["role"], details["role"].iloc[children.parents]], ignore_index=True).astype(
                "str"
            ),
            "parent": pd.concat([details["parent"], pd.Series(children.parents)], ignore_index=True).astype("Int64"),
            "change": pd.concat([details["change"], pd.Series(children.changes)], ignore_index=True).astype("str"),
        }
    )


def _scores(pairs: PairSet, encoder: str, precision: Any, job: Job) -> NDArray[np.float32]:
    """Return the similarity of parents and children in one space; TF-IDF is fitted on the texts of both."""
    resolved = resolve_encoder(job.workspace, encoder)
    return score_pairs(job.workspace, resolved, [pairs], precision=precision, progress=job.progress)[0]


def _measured(
    pairs: PairSet,
    scores: NDArray[np.float32],
    baseline: NDArray[np.float32] | None,
    scope: NDArray[np.bool_],
    n_before: int,
) -> Augmented:
    return Augmented(
        scores=scores[scope],
        labels=pairs.labels()[scope],
        phases=pairs.frame["phase"].fillna("").to_numpy(object)[scope],
        n_before=int(scope[:n_before].sum()),
        baseline=None if baseline is None else baseline[scope],
    )


def _provenance(job: Job, version: DatasetVersion, ref: str, params: dict[str, Any]) -> dict[str, Any]:
    origin = label_origin(job.workspace, version.ref)
    return {
        "made_by": MADE_BY,
        "source": ref,
        "licence": version.manifest["provenance"].get("licence"),
        "job": job.id,
        "labels": {"weak": origin.weak, "words": origin.words},
        "step": {
            "do": MADE_BY,
            "pairs": ref,
            "encoder": params["encoders"][0],
            "precision": params["precision"],
            "config": AugmentConfig(**params["config"]).model_dump(mode="json"),
        },
    }


def _space(workspace: Workspace, params: dict[str, Any]) -> dict[str, Any]:
    encoder = resolve_encoder(workspace, params["encoders"][0])
    return {
        "encoder": encoder.name,
        "title": encoder.title,
        "precision": precision_that_ran([encoder], params["precision"]),
        "baseline": params["encoders"][1] if len(params["encoders"]) > 1 else None,
    }


def _told(children: Children, drift: Drift, space: str, bands: str) -> dict[str, Any]:
    return {
        "n_parents": children.n_parents,
        "n_children": len(children.frame),
        "operations": dict(Counter(children.changes.tolist())),
        "losses": [asdict(loss) for loss in children.losses],
        "bands": bands,
        "drift": drift_to_json(drift),
        "findings": find_all(drift, children, space=space, bands=bands, config=DriftConfig()),
    }
