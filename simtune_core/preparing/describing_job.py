"""The `describe` job: what a dataset holds, with lengths as an encoder reads them."""

from __future__ import annotations

from typing import Any

import pandas as pd

from simtune_core.datasets import find_dataset, load_pairs, load_records
from simtune_core.encoders.catalogue import resolve_encoder
from simtune_core.files import whole_file
from simtune_core.jobs.context import Job
from simtune_core.near_duplicates import NEAR_DUPLICATE, near_duplicate_groups
from simtune_core.preparing.browsing import ROWS
from simtune_core.preparing.describing import describe, row_flags, texts_in
from simtune_core.preparing.describing_findings import find_all, mojibake_findings, not_sought
from simtune_core.preparing.description import DescribingConfig, Measured
from simtune_core.preparing.import_languages import language_findings
from simtune_core.preparing.tokens import counter_of, lengths_of
from simtune_core.tables.mojibake import find_mojibake

_EQUAL = 1.0  # the threshold at which only texts equal but for case and punctuation are joined


def run(params: dict[str, Any], job: Job) -> dict[str, Any]:
    """Describe a dataset.

    Args:
        params: `set` (records or pairs), `encoder`, whose tokenizer counts the lengths.
        job: Where progress goes; `rows.parquet` in its folder holds `duplicate` and `truncated` for every row.

    Returns:
        `set, kind, content_id, encoder, title, fingerprint, near_duplicate`, what `Description.as_json` gives, and
        `findings`.

    Raises:
        SimtuneError: If the set or the encoder is not there.
    """
    encoder = resolve_encoder(job.workspace, params["encoder"])
    version, _ = find_dataset(job.workspace, params["set"])
    load = load_pairs if version.kind == "pairs" else load_records
    loaded = load(job.workspace, params["set"])
    texts = texts_in(loaded.frame, version.kind)
    counter, config = counter_of(encoder), DescribingConfig()
    threshold = near_threshold(len(texts.unique), config)
    measured = Measured(
        lengths=lengths_of(counter, texts.unique, job.progress),
        groups=near_duplicate_groups(texts.unique, threshold=threshold, progress=job.progress),
        unit=counter.unit,
        limit=counter.limit,
    )
    described = describe(loaded.frame, version.kind, texts, measured)
    with whole_file(job.folder / ROWS) as beside:
        row_flags(texts, measured).to_parquet(beside, index=False)
    return {
        "set": loaded.ref,
        "content_id": loaded.content_id,
        "encoder": encoder.name,
        "title": encoder.title,
        "fingerprint": encoder.fingerprint,
        "near_duplicate": threshold,
        **described.as_json(),
        "findings": [
            *find_all(described, config),
            *([] if threshold < _EQUAL else [not_sought(described, config)]),
            *mojibake_findings(texts.unique, find_mojibake(pd.Series(texts.unique))),
            *language_findings(job.workspace, loaded.frame, encoder.name),
        ],
    }


def near_threshold(n_texts: int, config: DescribingConfig) -> float:
    """Return the similarity from which on two of so many texts are called nearly the same."""
    return NEAR_DUPLICATE if n_texts <= config.near_duplicates_up_to else _EQUAL
