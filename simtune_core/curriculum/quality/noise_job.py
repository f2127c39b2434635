"""The `noise` job: how many labels of a pair set are wrong by estimate, and which pairs to look at first."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simtune_core.curriculum.quality.config import NoiseConfig
from simtune_core.curriculum.quality.noise import Noise, estimate_noise
from simtune_core.curriculum.quality.out_of_fold import score_out_of_fold
from simtune_core.datasets import load_pairs
from simtune_core.difficulty.preflight.folds import record_codes
from simtune_core.difficulty.preflight.probe import sample_rows
from simtune_core.encoders.catalogue import resolve_encoder
from simtune_core.encoders.embedding import embed
from simtune_core.encoders.loading import precision_that_ran
from simtune_core.errors import DataFaultError
from simtune_core.files import whole_file
from simtune_core.findings import Finding, finding
from simtune_core.jobs.context import Job
from simtune_core.labels import LabelOrigin, label_origin
from simtune_core.pairs import PairSet
from simtune_core.training.head import indexed_pairs

NOISE = "noise.parquet"  # of every pair in the set's order: `probability`, `self_confidence` (NaN: unjudged), `issue`
MUCH = 0.10  # from this share of wrong labels in a class on a finding warns


def run(params: dict[str, Any], job: Job) -> dict[str, Any]:
    """Estimate the noise in the labels of a pair set.

    Args:
        params: `set`, `encoder`, `precision`, and any field of `NoiseConfig`.
        job: Where progress and the ranking of the pairs go.

    Returns:
        `set`, `content_id`, `n_pairs`, `encoder`, `title`, `fingerprint`, `precision`, `config`, `labels` {`weak`,
        `words`}, the keys of `Noise.as_json`, `findings`. `noise.parquet` in the job folder ranks the pairs.

    Raises:
        SimtuneError: If the set or the encoder is not there, the encoder has no vectors, or a pair has no label.
    """
    config = NoiseConfig(**{name: params[name] for name in NoiseConfig.model_fields if params.get(name) is not None})
    encoder = resolve_encoder(job.workspace, params["encoder"])
    pairs = load_pairs(job.workspace, params["set"])
    if not pairs.labelled:
        raise DataFaultError(
            f"Noise is estimated of 0 / 1 labels, and {int(pairs.frame['label'].isna().sum()):,} of {len(pairs):,} "
            f"pairs of {pairs.ref} have none."
        )
    rows = sample_rows(len(pairs), config.most_pairs, config.seed)
    looked = PairSet(pairs.frame.iloc[rows].reset_index(drop=True), pairs.ref, pairs.content_id)
    texts = looked.unique_texts()
    vectors = embed(job.workspace, encoder, texts, precision=params["precision"], progress=job.progress).vectors
    row_of = {text: row for row, text in enumerate(texts)}
    found = score_out_of_fold(
        vectors, indexed_pairs(looked, row_of), looked.record_ids(), config, progress=job.progress
    )
    noise = estimate_noise(looked.labels(), found.probabilities, record_codes(*looked.record_ids())[:2], config)
    ranking = pd.DataFrame(
        {
            "probability": _in_place(found.probabilities, rows, len(pairs)),
            "self_confidence": _in_place(noise.self_confidence, rows, len(pairs)),
            "issue": _in_place(noise.issues.astype(np.float64), rows, len(pairs)) == 1.0,
        }
    )
    with whole_file(job.folder / NOISE) as beside:
        ranking.to_parquet(beside, index=False)
    origin = label_origin(job.workspace, pairs.ref)
    return {
        "set": pairs.ref,
        "content_id": pairs.content_id,
        "n_pairs": len(pairs),
        "encoder": encoder.name,
        "title": encoder.title,
        "fingerprint": encoder.fingerprint,
        "precision": precision_that_ran([encoder], params["precision"]),
        "config": config.model_dump(mode="json"),
        "labels": {"weak": origin.weak, "words": origin.words},
        **noise.as_json(),
        "findings": _findings(noise, origin),
    }


def _in_place(values: NDArray[np.float64], rows: NDArray[np.intp], n_rows: int) -> NDArray[np.float64]:
    whole = np.full(n_rows, np.nan)
    whole[rows] = values
    return whole


def _findings(noise: Noise, origin: LabelOrigin) -> list[Finding]:
    found = []
    if noise.classes is None:
        found.append(finding("noise_not_estimated", "info", noise.reason))
    for each in noise.classes or ():
        if each.rate.estimate >= MUCH:
            kind = "positives" if each.label else "negatives"
            message = (
                f"About {each.rate.estimate:.0%} of the {each.n:,} {kind} may have the wrong label "
                f"({each.rate.low:.0%} to {each.rate.high:.0%}). Look at the suspects first, and at the label rule."
            )
            found.append(finding("noisy_labels", "warning", message))
    if origin.weak:
        message = (
            f"{origin.sentence} The estimate tells how often the pairs disagree with that rule, not how often a person "
            "would disagree."
        )
        found.append(finding("weak_labels", "info", message))
    return found
