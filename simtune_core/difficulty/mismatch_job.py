"""The `mismatch` job: how much two pair sets differ in an encoder's space, each difference with its interval."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from simtune_core.datasets import load_pairs
from simtune_core.difficulty.config import DifficultyConfig, MismatchConfig
from simtune_core.difficulty.findings import check_lonely_records
from simtune_core.difficulty.job import measure_part
from simtune_core.difficulty.mismatch import compare_sets
from simtune_core.difficulty.scoring import score_sets
from simtune_core.encoders.catalogue import resolve_encoder
from simtune_core.encoders.loading import precision_that_ran
from simtune_core.evaluation.uncertainty import Interval
from simtune_core.jobs.context import Job


def run(params: dict[str, Any], job: Job) -> dict[str, Any]:
    """Compare two pair sets.

    Args:
        params: `set`, `against`, `encoder`, `precision`, `score_cut`, `n_resamples`, `seed`.
        job: Where progress goes.

    Returns:
        `differences`: by measure (`resampling.MEASURES`) `estimate`, `low`, `high`, `n_undefined` of first minus second
        set, or null; `sides`: for each set its `ref`, `content_id`, `n_pairs`, `n_records` and `intervals`, the same
        by measure; `method` (`exact` or `bins`), `n_shared_records`, `n_resamples`, `level`, `seed`, `encoder`,
        `title`, `fingerprint`, `precision`, `score_cut`, `grey_low`, `grey_high`, `findings`.

    Raises:
        SimtuneError: If a set or the encoder is not there, or a set has neither labels nor scores.
    """
    grey = DifficultyConfig(score_cut=params["score_cut"])
    config = MismatchConfig(n_resamples=params["n_resamples"], seed=params["seed"])
    encoder = resolve_encoder(job.workspace, params["encoder"])
    pairs = [load_pairs(job.workspace, params[name]) for name in ("set", "against")]
    scored = score_sets(
        job.workspace, encoder, pairs, precision=params["precision"], cut=grey.score_cut, progress=job.progress
    )
    found = compare_sets(scored, [measure_part(each) for each in scored], config, grey=grey, progress=job.progress)
    return {
        "sides": [
            {
                "ref": each.ref,
                "content_id": each.content_id,
                "n_pairs": len(each),
                "n_records": n_records,
                "intervals": _as_json(intervals),
            }
            for each, n_records, intervals in zip(pairs, found.codes.n_records, found.intervals, strict=True)
        ],
        "differences": _as_json(found.differences),
        "method": found.method,
        "n_shared_records": found.codes.n_shared,
        "n_resamples": config.n_resamples,
        "level": config.level,
        "seed": config.seed,
        "encoder": encoder.name,
        "title": encoder.title,
        "fingerprint": encoder.fingerprint,
        "precision": precision_that_ran([encoder], params["precision"]),
        "score_cut": grey.score_cut,
        "grey_low": grey.grey_low,
        "grey_high": grey.grey_high,
        "findings": check_lonely_records(pairs, found.codes.n_records),
    }


def _as_json(intervals: dict[str, Interval | None]) -> dict[str, dict[str, Any] | None]:
    kept = ("estimate", "low", "high", "n_undefined")
    return {
        name: None if each is None else {key: value for key, value in asdict(each).items() if key in kept}
        for name, each in intervals.items()
    }
