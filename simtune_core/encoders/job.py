"""The `embed` job: fill the cache with the vectors of a data set's texts."""

from __future__ import annotations

import time
from typing import Any

from simtune_core.datasets import find_dataset, load_pairs, load_records
from simtune_core.encoders.catalogue import resolve_encoder
from simtune_core.encoders.embedding import count_truncated, embed
from simtune_core.jobs.context import Job
from simtune_core.workspace import Workspace


def run(params: dict[str, Any], job: Job) -> dict[str, Any]:
    """Embed every unique text of a set.

    Args:
        params: `set` (records or pairs), `encoder`, `precision`.
        job: Where progress goes.

    Returns:
        `n_texts, n_computed, n_truncated, precision, dim, texts_per_second, fingerprint` and findings.
    """
    encoder = resolve_encoder(job.workspace, params["encoder"])
    texts = texts_of(job.workspace, params["set"])
    start = time.perf_counter()
    made = embed(job.workspace, encoder, texts, precision=params["precision"], progress=job.progress)
    seconds = time.perf_counter() - start
    n_truncated = count_truncated(encoder, texts)
    findings = []
    if n_truncated:
        sentence = (
            f"{n_truncated:,} of {len(texts):,} texts are longer than {encoder.title} reads; two texts alike up to "
            "there look identical to it."
        )
        findings.append({"code": "truncated", "severity": "info", "message": sentence})
    return {
        "set": params["set"],
        "encoder": encoder.name,
        "n_texts": len(texts),
        "n_computed": made.n_computed,
        "n_truncated": n_truncated,
        "precision": made.precision,
        "dim": int(made.vectors.shape[1]),
        "seconds": seconds,
        "texts_per_second": made.n_computed / seconds if made.n_computed else None,
        "fingerprint": encoder.fingerprint,
        "findings": findings,
    }


def texts_of(workspace: Workspace, ref: str) -> list[str]:
    """Return the unique texts of records or pairs, in order of first appearance."""
    version, _ = find_dataset(workspace, ref)
    if version.kind == "pairs":
        return load_pairs(workspace, ref).unique_texts()
    return list(dict.fromkeys(load_records(workspace, ref).frame["text"]))
