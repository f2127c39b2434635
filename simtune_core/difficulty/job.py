"""The `difficulty` job: how hard one or two pair sets are in an encoder's space, with TF-IDF beside it."""

from __future__ import annotations

from typing import Any

from simtune_core.datasets import load_pairs
from simtune_core.difficulty.config import DifficultyConfig
from simtune_core.difficulty.findings import MeasuredSet, find_all
from simtune_core.difficulty.scoring import score_sets
from simtune_core.difficulty.separability import measure_side, side_to_json
from simtune_core.encoders.catalogue import resolve_encoder
from simtune_core.encoders.loading import precision_that_ran
from simtune_core.evaluation.metrics import roc_auc
from simtune_core.jobs.context import Job


def run(params: dict[str, Any], job: Job) -> dict[str, Any]:
    """Measure one pair set, or two against each other.

    Args:
        params: `set`, `against` (or null), `encoder`, `precision`, `score_cut`.
        job: Where progress goes.

    Returns:
        `sides`: for each set its `ref`, `content_id`, `graded`, `tfidf_roc_auc` and what `side_to_json` gives;
        `encoder`, `title`, `fingerprint`, `precision`, `score_cut`, `tfidf` {`fitted_on`, `n_texts`}, `findings`.

    Raises:
        SimtuneError: If a set or the encoder is not there, or a set has neither labels nor scores.
    """
    config = DifficultyConfig(**({"score_cut": params["score_cut"]} if params.get("score_cut") is not None else {}))
    encoder = resolve_encoder(job.workspace, params["encoder"])
    pairs = [load_pairs(job.workspace, ref) for ref in (params["set"], params.get("against")) if ref]
    scored = score_sets(
        job.workspace, encoder, pairs, precision=params["precision"], cut=config.score_cut, progress=job.progress
    )
    measured = [
        MeasuredSet(
            ref=each.ref,
            side=measure_side(each.cosines, each.labels, each.pairs.targets()),
            tfidf_roc_auc=roc_auc(each.tfidf, each.labels),
            graded=not each.pairs.labelled,
        )
        for each in scored
    ]
    return {
        "sides": [
            {
                "ref": each.ref,
                "content_id": each.content_id,
                "graded": each.graded,
                "tfidf_roc_auc": found.tfidf_roc_auc,
                **side_to_json(found.side),
            }
            for each, found in zip(pairs, measured, strict=True)
        ],
        "encoder": encoder.name,
        "title": encoder.title,
        "fingerprint": encoder.fingerprint,
        "precision": precision_that_ran([encoder], params["precision"]),
        "score_cut": config.score_cut,
        "tfidf": {
            "fitted_on": [each.ref for each in pairs],
            "n_texts": len({text for each in pairs for text in each.unique_texts()}),
        },
        "findings": find_all(measured, encoder.title, config),
    }
