"""The `difficulty` job: how hard one or two pair sets are in an encoder's space, with TF-IDF beside it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simtune_core.datasets import load_pairs
from simtune_core.difficulty.banding import keep_scored
from simtune_core.difficulty.config import DifficultyConfig
from simtune_core.difficulty.findings import MeasuredSet, find_all
from simtune_core.difficulty.scored import ScoredSet
from simtune_core.difficulty.scoring import score_sets
from simtune_core.difficulty.separability import Side, measure_side, side_to_json
from simtune_core.encoders.catalogue import resolve_encoder
from simtune_core.encoders.loading import precision_that_ran
from simtune_core.encoders.scoring import count_texts
from simtune_core.evaluation.metrics import roc_auc
from simtune_core.jobs.context import Job
from simtune_core.labels import weak_label_findings


def run(params: dict[str, Any], job: Job) -> dict[str, Any]:
    """Measure one pair set, or two against each other.

    Args:
        params: `set`, `against` (or null), `encoder`, `precision`, `score_cut`.
        job: Where progress goes; the similarity of every pair is kept in its folder.

    Returns:
        `sides`: for each set its `ref`, `content_id`, `graded`, `tfidf_roc_auc`, `grey_share`, what `side_to_json`
        gives, and `phases`: the same of each phase, with its `phase`; `encoder`, `title`, `fingerprint`, `precision`,
        `score_cut`, `grey_low`, `grey_high`, `tfidf` {`fitted_on`, `n_texts`}, `findings`.

    Raises:
        SimtuneError: If a set or the encoder is not there, or a set has neither labels nor scores.
    """
    config = DifficultyConfig(**({"score_cut": params["score_cut"]} if params.get("score_cut") is not None else {}))
    encoder = resolve_encoder(job.workspace, params["encoder"])
    pairs = [load_pairs(job.workspace, ref) for ref in (params["set"], params.get("against")) if ref]
    scored = score_sets(
        job.workspace, encoder, pairs, precision=params["precision"], cut=config.score_cut, progress=job.progress
    )
    measured = [measure_set(each) for each in scored]
    keep_scored(job.folder, scored)
    return {
        "sides": [_side_json(each, found, config) for each, found in zip(scored, measured, strict=True)],
        "encoder": encoder.name,
        "title": encoder.title,
        "fingerprint": encoder.fingerprint,
        "precision": precision_that_ran([encoder], params["precision"]),
        "score_cut": config.score_cut,
        "grey_low": config.grey_low,
        "grey_high": config.grey_high,
        "tfidf": {"fitted_on": [each.ref for each in pairs], "n_texts": count_texts(job.workspace, pairs)},
        "findings": [
            *find_all(measured, encoder.title, config),
            *weak_label_findings(job.workspace, [each.ref for each in pairs]),
        ],
    }


def measure_set(scored: ScoredSet) -> MeasuredSet:
    """Measure a scored set as a whole."""
    return MeasuredSet(
        ref=scored.ref,
        side=measure_part(scored),
        tfidf_roc_auc=roc_auc(scored.tfidf, scored.labels),
        graded=not scored.pairs.labelled,
    )


def measure_part(scored: ScoredSet, inside: NDArray[np.bool_] | None = None) -> Side:
    """Measure a scored set, or those of its pairs that are marked; shape (n_pairs,)."""
    part = slice(None) if inside is None else inside
    return measure_side(
        scored.cosines[part],
        scored.labels[part],
        scored.pairs.targets()[part],
        same_category=scored.same_category[part],
    )


def _side_json(scored: ScoredSet, found: MeasuredSet, config: DifficultyConfig) -> dict[str, Any]:
    return {
        "ref": found.ref,
        "content_id": scored.pairs.content_id,
        "graded": found.graded,
        "tfidf_roc_auc": found.tfidf_roc_auc,
        **_numbers(found.side, config),
        "phases": [
            {"phase": name, **_numbers(measure_part(scored, inside), config)} for name, inside in scored.phases.items()
        ],
    }


def _numbers(side: Side, config: DifficultyConfig) -> dict[str, Any]:
    return side_to_json(side) | {"grey_share": side.grey_share(config.grey_low, config.grey_high)}
