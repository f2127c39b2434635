"""The `candidates` job: count all pairs of a record set in one space and keep a sample of them."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from simtune_core.candidates.counting import (
    CandidateCounts,
    count_candidates,
    paired_records,
    record_codes,
    sample_candidates,
    save_counts,
)
from simtune_core.curriculum.config import CandidatesConfig
from simtune_core.datasets import load_records
from simtune_core.encoders.catalogue import TFIDF, Encoder, resolve_encoder
from simtune_core.encoders.embedding import embed
from simtune_core.encoders.loading import precision_that_ran
from simtune_core.encoders.tfidf import tfidf_matrix
from simtune_core.files import whole_file
from simtune_core.findings import Finding, finding
from simtune_core.jobs.context import Job
from simtune_core.records import Records

COUNTS = "counts.npz"
SAMPLE = "pairs.parquet"


def run(params: dict[str, Any], job: Job) -> dict[str, Any]:
    """Count and sample the candidate pairs of a record set.

    Args:
        params: `records`, `encoder`, `precision`, and any field of `CandidatesConfig`.
        job: Where progress, `counts.npz` and `pairs.parquet` go.

    Returns:
        `records`, `content_id`, `encoder`, `title`, `fingerprint`, `precision`, `rule`, `n_records`, `n_left_out`,
        `n_pairs`, `n_same_category`, `n_same_group`, `n_sampled`, `categories`, `seed`, `cap`, `seconds`, `findings`.

    Raises:
        SimtuneError: If the records or the encoder are not there, or neither groups nor categories label the pairs.
    """
    start = time.perf_counter()
    given = {name: params[name] for name in CandidatesConfig.model_fields if params.get(name) is not None}
    config = CandidatesConfig(**given)
    loaded = load_records(job.workspace, params["records"])
    records = paired_records(loaded)
    encoder = resolve_encoder(job.workspace, params["encoder"])
    codes = record_codes(records.frame)
    vectors = _vectors(records, encoder, params["precision"], job)
    counts = count_candidates(vectors, codes, space=encoder.name, progress=job.progress)
    sample = sample_candidates(vectors, codes, counts, seed=config.seed, cap=config.cap, progress=job.progress)
    save_counts(counts, job.folder / COUNTS)
    with whole_file(job.folder / SAMPLE) as beside:
        sample.to_parquet(beside, compression="zstd", index=False)
    by_label = counts.counts.sum(axis=(0, 3))
    return {
        "records": records.ref,
        "content_id": records.content_id,
        "encoder": encoder.name,
        "title": encoder.title,
        "fingerprint": encoder.fingerprint,
        "precision": precision_that_ran([encoder], params["precision"]),
        "rule": counts.rule,
        "n_records": counts.n_records,
        "n_left_out": len(loaded) - len(records),
        "n_pairs": counts.n_pairs,
        "n_same_category": int(by_label[1].sum()),
        "n_same_group": int(by_label[:, 1].sum()),
        "n_sampled": len(sample),
        "categories": list(counts.strata),
        "seed": config.seed,
        "cap": config.cap,
        "seconds": time.perf_counter() - start,
        "findings": _findings(loaded, records, counts),
    }


def _vectors(records: Records, encoder: Encoder, precision: Any, job: Job) -> Any:
    texts = records.frame["text"].tolist()
    if encoder.kind != TFIDF:
        return embed(job.workspace, encoder, texts, precision=precision, progress=job.progress).vectors
    position = {text: row for row, text in enumerate(dict.fromkeys(texts))}
    return tfidf_matrix(list(position))[np.array([position[text] for text in texts])]


def _findings(loaded: Records, records: Records, counts: CandidateCounts) -> list[Finding]:
    found = []
    if len(records) < len(loaded):
        found.append(
            finding(
                "records_left_out",
                "warning",
                f"{len(loaded) - len(records):,} of {len(loaded):,} records have no category and were left out: "
                "without duplicate groups nothing labels their pairs.",
            )
        )
    splits = sorted(records.frame["split"].dropna().unique())
    if len(splits) > 1:
        name = records.ref.partition(":")[0]
        found.append(
            finding(
                "splits_mixed",
                "warning",
                f"{records.ref} holds the splits {', '.join(splits)}; pairs made of all of them put test records into "
                f"training. Count the candidates of one split, such as {name}:{splits[-1]}.",
            )
        )
    if counts.rule == "category":
        found.append(
            finding(
                "weak_labels",
                "info",
                "No duplicate group is known, so a pair is positive when its categories are equal: a weak label, made "
                "by no person.",
            )
        )
    n_identical = int(records.frame["text"].duplicated().sum())
    if n_identical:
        found.append(
            finding(
                "identical_texts",
                "warning",
                f"{n_identical:,} records repeat the text of another; their pairs have similarity 1 and teach nothing. "
                "Remove repeated texts at import.",
            )
        )
    return found
