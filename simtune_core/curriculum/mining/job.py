"""The `mine` job: hard pairs by one of three methods, saved as a pair set with what a model makes of them."""

from __future__ import annotations

import time
import zipfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simtune_core.curriculum.mining.from_candidates import mine_across_categories, mine_errors
from simtune_core.curriculum.mining.from_pairs import mine_from_pairs
from simtune_core.curriculum.mining.mined import MinedSet
from simtune_core.datasets import find_dataset, save_pairs
from simtune_core.errors import ConfigError, WorkspaceError
from simtune_core.files import whole_file
from simtune_core.findings import Finding, finding
from simtune_core.jobs.context import Job
from simtune_core.labels import weak_label_findings

SCORES = "scores.npz"  # in the folder of the job
_METHODS = {"anchored": mine_from_pairs, "adversarial": mine_errors, "cross_category": mine_across_categories}


def run(params: dict[str, Any], job: Job) -> dict[str, Any]:
    """Mine pairs and save them.

    Args:
        params: `method` (anchored, adversarial, cross_category), `config` (the method's settings as JSON), `name` of
            the pair set, `new_version` (whether a taken name gets a new version), and what the method takes:
            `from_pairs.mine_from_pairs`, `from_candidates.mine_errors`.
        job: Where progress and `scores.npz` go: the model's cosine of each pair.

    Returns:
        `dataset`, `content_id`, `method`, `config`, `source`, `n_pairs`, `n_positive`, `n_negative`,
        `positive_share`, `roc_auc`, `baseline` (what `Measured.as_json` gives of the model on the pairs), `test` (the
        model on the test pairs, or null), `labels` {weak, words}, `losses` [{reason, n, words}], `seconds`,
        `findings`, and what the method tells besides (`MinedSet.facts`).

    Raises:
        SimtuneError: As the method, or if the name is taken.
    """
    start = time.perf_counter()
    if params["method"] not in _METHODS:
        raise ConfigError(f"The method must be one of {', '.join(_METHODS)}, got {params['method']!r}.")
    mined = _METHODS[params["method"]](params, job)
    job.progress(2, 3, "saving pairs")
    saved = save_pairs(
        job.workspace, params["name"], mined.frame, provenance=_provenance(mined, params, job),
        new_version=bool(params.get("new_version")), details=mined.details,
    )  # fmt: skip
    job.progress(3, 3, "saved")
    keep_scores(job.folder / SCORES, mined.judged.scores)
    measured = mined.judged.measured
    side = measured.side
    return {
        **mined.facts,
        "dataset": saved.ref,
        "content_id": saved.content_id,
        "method": params["method"],
        "config": mined.step["config"],
        "source": mined.source,
        "n_pairs": side.n_pairs,
        "n_positive": side.n_positive,
        "n_negative": side.n_negative,
        "positive_share": side.prevalence,
        "roc_auc": side.roc_auc,
        "baseline": measured.as_json(),
        "test": mined.judged.test,
        "labels": {"weak": mined.weak, "words": mined.words},
        "losses": [asdict(loss) for loss in mined.losses],
        "seconds": time.perf_counter() - start,
        "findings": [
            *mined.findings,
            *measured.findings(),
            *_shortage(mined),
            *weak_label_findings(job.workspace, [saved.ref]),
        ],
    }


def keep_scores(path: Path, scores: NDArray[np.float32]) -> None:
    """Write the model's cosine of each mined pair, whole or not at all."""
    with whole_file(path) as beside, beside.open("wb") as file:
        np.savez_compressed(file, scores=scores)


def read_scores(path: Path) -> NDArray[np.float32]:
    """Read them back, shape (n_pairs,).

    Raises:
        WorkspaceError: If the file is missing or damaged.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as held:
            scores: NDArray[np.float32] = held["scores"]
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise WorkspaceError(f"The scores {path.name} cannot be read ({error}); mine the pairs again.") from error
    return scores


def _provenance(mined: MinedSet, params: dict[str, Any], job: Job) -> dict[str, Any]:
    origin = find_dataset(job.workspace, mined.source)[0].manifest["provenance"]
    return {
        "made_by": "mine",
        "source": mined.source,
        "licence": origin.get("licence"),
        "job": job.id,
        "labels": {"weak": mined.weak, "words": mined.words},
        "fingerprints": list({each["name"]: each for each in mined.encoders}.values()),
        "step": {"do": "mine", "method": params["method"], **mined.step},
    }


def _shortage(mined: MinedSet) -> list[Finding]:
    lost = [loss for loss in mined.losses if loss.reason in ("few_negatives", "no_negative", "sample")]
    if not lost:
        return []
    told = " ".join(f"{loss.words.partition(':')[0].rstrip('.')}: {loss.n:,}." for loss in lost)
    n_wanted = mined.facts["n_wanted"]
    return [finding("mined_short", "info", f"{len(mined.frame):,} of {n_wanted:,} pairs wanted were found. {told}")]
