"""The `mine` job: hard pairs by one of three methods, saved as a pair set with what a model makes of them."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any

from simtune_core.curriculum.mining.from_candidates import mine_across_categories, mine_errors
from simtune_core.curriculum.mining.from_pairs import mine_from_pairs
from simtune_core.curriculum.mining.mined import MinedSet
from simtune_core.datasets import find_dataset, save_pairs
from simtune_core.errors import ConfigError
from simtune_core.findings import Finding, finding
from simtune_core.jobs.context import Job
from simtune_core.labels import weak_label_findings

_METHODS = {"anchored": mine_from_pairs, "adversarial": mine_errors, "cross_category": mine_across_categories}


def run(params: dict[str, Any], job: Job) -> dict[str, Any]:
    """Mine pairs and save them.

    Args:
        params: `method` (anchored, adversarial, cross_category), `config` (the method's settings as JSON), `name` of
            the pair set, `new_version` (whether a taken name gets a new version), and what the method takes:
            `from_pairs.mine_from_pairs`, `from_candidates.mine_errors`.
        job: Where progress goes.

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
    side = mined.measured.side
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
        "baseline": mined.measured.as_json(),
        "test": mined.test,
        "labels": {"weak": mined.weak, "words": mined.words},
        "losses": [asdict(loss) for loss in mined.losses],
        "seconds": time.perf_counter() - start,
        "findings": [
            *mined.findings,
            *mined.measured.findings(),
            *_shortage(mined),
            *weak_label_findings(job.workspace, [saved.ref]),
        ],
    }


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
    told = " ".join(f"{loss.n:,}: {loss.words}" for loss in lost)
    n_wanted = mined.facts["n_wanted"]
    return [finding("mined_short", "info", f"{len(mined.frame):,} of {n_wanted:,} pairs wanted were found. {told}")]
