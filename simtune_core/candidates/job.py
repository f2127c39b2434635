"""The `candidates` job: count all pairs of a record set or pair set in one space and keep a sample of them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simtune_core.candidates.codes import RecordCodes, record_codes
from simtune_core.candidates.config import CandidatesConfig
from simtune_core.candidates.counted import COUNTS, RECORDS, SAMPLE, CandidateCounts, TestPairs, save_counts
from simtune_core.candidates.counting import Counted, Means, count_from_anchors, count_given, count_pairs
from simtune_core.candidates.gathering import Gathered, gather
from simtune_core.candidates.products import cosines
from simtune_core.datasets import load_pairs
from simtune_core.encoders.catalogue import TFIDF, Encoder, resolve_encoder
from simtune_core.encoders.embedding import embed
from simtune_core.encoders.loading import precision_that_ran
from simtune_core.encoders.tfidf import tfidf_matrix
from simtune_core.errors import JobError
from simtune_core.files import whole_file
from simtune_core.findings import Finding, finding
from simtune_core.jobs.context import Job
from simtune_core.pairs import PairSet


@dataclass(frozen=True, slots=True, eq=False)
class _Space:
    """Unit vectors of texts.

    Attributes:
        vectors: Dense or sparse, shape (n_texts, dim).
        row: Of each text.
        on_gpu: Whether products of them belong on the GPU.
    """

    vectors: Any
    row: dict[str, int]
    on_gpu: bool

    def rows(self, texts: pd.Series) -> NDArray[np.int64]:
        """Return the row of each text, shape (n_texts,)."""
        return np.asarray(texts.map(self.row), dtype=np.int64)


def run(params: dict[str, Any], job: Job) -> dict[str, Any]:
    """Count and sample the candidate pairs of records or of a pair set.

    Args:
        params: `records` (of either), `encoder`, `precision`, `test` (a pair set to score in the same space, or None),
            `apart` (pair sets to share nothing with), and any field of `CandidatesConfig`.
        job: Where progress, `counts.npz`, `pairs.parquet` and `records.parquet` go.

    Returns:
        `records`, `content_id`, `source`, `encoder`, `title`, `fingerprint`, `precision`, `test`, `apart`, `n_records`,
        `n_left_out`, `n_apart_records`, `n_apart_near`, `n_pairs`, `n_same_category`, `n_known`, `n_sampled`,
        `n_anchors`, `has_known`, `has_categories`, `categories`, `seed`, `cap`, `exact_up_to`, `seconds`, `findings`.

    Raises:
        SimtuneError: If something named is not there, no two records or no pair are left, or the job is stopped.
    """
    start = time.perf_counter()
    given = {name: params[name] for name in CandidatesConfig.model_fields if params.get(name) is not None}
    config, apart = CandidatesConfig(**given), params.get("apart") or []
    gathered = gather(job.workspace, params["records"], apart, job.progress)
    test = load_pairs(job.workspace, params["test"]) if params.get("test") else None
    encoder = resolve_encoder(job.workspace, params["encoder"])
    space = _space(gathered, test, encoder, params["precision"], job)
    codes = record_codes(gathered.frame)
    counted = _counted(gathered, codes, space, config, job)
    counts = CandidateCounts(
        counts=counted.counts,
        sampled=counted.sampled,
        strata=codes.strata,
        n_records=len(codes),
        source=gathered.source,
        has_known=gathered.has_known,
        has_categories=bool(gathered.frame["category"].notna().any()),
        space=encoder.name,
        n_anchors=counted.n_anchors,
        error=counted.error,
        test=None if test is None else _test_pairs(test, space),
    )
    _write(job, gathered, counts, counted.sample)
    return {
        "encoder": encoder.name,
        "title": encoder.title,
        "fingerprint": encoder.fingerprint,
        "precision": precision_that_ran([encoder], params["precision"]),
        "test": None if test is None else test.ref,
        "apart": list(apart),
        **_facts(gathered, counts),
        **config.model_dump(),
        "seconds": time.perf_counter() - start,
        "findings": [*gathered.findings, *_counts_estimated(counts)],
    }


def _facts(gathered: Gathered, counts: CandidateCounts) -> dict[str, Any]:
    by_kind = counts.counts.sum(axis=(0, 3))
    return {
        "records": gathered.ref,
        "content_id": gathered.content_id,
        "source": gathered.source,
        "n_records": counts.n_records,
        "n_left_out": gathered.n_left_out,
        "n_apart_records": gathered.n_apart_records,
        "n_apart_near": gathered.n_apart_near,
        "n_pairs": counts.n_pairs,
        "n_same_category": int(by_kind[1].sum()),
        "n_known": int(by_kind[:, 1].sum()),
        "n_sampled": int(counts.sampled.sum()),
        "n_anchors": counts.n_anchors,
        "has_known": counts.has_known,
        "has_categories": counts.has_categories,
        "categories": list(counts.strata),
    }


def _space(gathered: Gathered, test: PairSet | None, encoder: Encoder, precision: Any, job: Job) -> _Space:
    """Embed the texts of the records and of the test set: TF-IDF is fitted on both."""
    texts = list(dict.fromkeys([*gathered.frame["text"], *([] if test is None else test.unique_texts())]))
    row = {text: place for place, text in enumerate(texts)}
    if encoder.kind == TFIDF:
        return _Space(tfidf_matrix(texts), row, on_gpu=False)
    vectors = embed(job.workspace, encoder, texts, precision=precision, progress=job.progress).vectors
    return _Space(vectors, row, on_gpu=encoder.loads_model and _has_gpu())


def _has_gpu() -> bool:
    import torch

    return torch.cuda.is_available()


def _counted(gathered: Gathered, codes: RecordCodes, space: _Space, config: CandidatesConfig, job: Job) -> Counted:
    rows = space.rows(gathered.frame["text"])
    if gathered.given is not None:
        first, second = rows[gathered.given.pairs[:, 0]], rows[gathered.given.pairs[:, 1]]
        similarities = cosines(space.vectors, first, second)
        return count_given(similarities, gathered.given.pairs, gathered.given.positive, codes, config)

    def progress(done: int, total: int, text: str) -> None:
        if job.stop_requested:
            raise JobError("Stopped before every pair was counted; texts embedded so far are kept for the next time.")
        job.progress(done, total, text)

    means = Means(on_gpu=space.on_gpu, progress=progress)
    count = count_pairs if len(codes) <= config.exact_up_to else count_from_anchors
    return count(space.vectors[rows], codes, config, means)


def _test_pairs(test: PairSet, space: _Space) -> TestPairs:
    first, second = test.frame["category1"], test.frame["category2"]
    same = np.where(first.isna() | second.isna(), -1, first.eq(second).fillna(value=False)).astype(np.int8)
    rows = (space.rows(test.frame[side]) for side in ("sentence1", "sentence2"))
    return TestPairs(test.ref, cosines(space.vectors, *rows), test.labels(), same)


def _write(job: Job, gathered: Gathered, counts: CandidateCounts, sample: pd.DataFrame) -> None:
    for name, frame in ((RECORDS, gathered.frame[["id", "text", "category"]]), (SAMPLE, sample)):
        with whole_file(job.folder / name) as beside:
            frame.to_parquet(beside, compression="zstd", index=False)
    save_counts(counts, job.folder / COUNTS)


def _counts_estimated(counts: CandidateCounts) -> list[Finding]:
    if counts.n_anchors is None or counts.error is None:
        return []
    by_cell = counts.counts.reshape(*counts.counts.shape[:3], counts.error.shape[-1], -1).sum(axis=(0, 4))
    largest = np.unravel_index(int(by_cell.argmax()), by_cell.shape)
    share = counts.error[largest] / max(1, by_cell[largest])
    return [
        finding(
            "counts_estimated",
            "info",
            f"Counted are the pairs of {counts.n_anchors:,} randomly chosen records with all {counts.n_records:,}; the "
            f"other counts follow from these. The largest cell, {by_cell[largest]:,} pairs, has a standard error of "
            f"{counts.error[largest]:,.0f} ({share:.1%}); every cell's is kept beside the counts.",
        )
    ]
