"""The `readings` job: what an encoder makes of the sampled candidates and of the test pairs beside them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pandas as pd

from simtune_core.candidates.counted import RECORDS, SAMPLE
from simtune_core.candidates.readings import READINGS, save_readings
from simtune_core.datasets import load_pairs
from simtune_core.difficulty.separability import measure_side, side_to_json
from simtune_core.encoders.catalogue import resolve_encoder
from simtune_core.encoders.loading import precision_that_ran
from simtune_core.encoders.scoring import score_pairs
from simtune_core.errors import EncoderError, JobError, WorkspaceError
from simtune_core.files import read_json, sha256_json
from simtune_core.jobs.context import Job
from simtune_core.jobs.states import RESULT
from simtune_core.pairs import PairSet


def run(params: dict[str, Any], job: Job) -> dict[str, Any]:
    """Read the sample of a candidates job with an encoder.

    Args:
        params: `candidates` (the id of a finished candidates job), `encoder`, `precision`.
        job: Where progress and `readings.npz` go.

    Returns:
        `candidates`, `encoder`, `title`, `fingerprint`, `precision`, `n_sampled`, `seconds`, `findings`, and
        `test`: the `ref` of the candidates' test set and what `side_to_json` gives of it in this encoder's space, or
        null.

    Raises:
        SimtuneError: If the candidates or the encoder are not there, or the encoder holds scores of pairs only.
    """
    start = time.perf_counter()
    folder = job.workspace.job(params["candidates"])
    counted = counted_candidates(folder)
    encoder = resolve_encoder(job.workspace, params["encoder"])
    if encoder.kind == "scores":
        raise EncoderError(f"{encoder.name} holds scores of pairs and no vectors; candidates are read with vectors.")
    sample = pd.read_parquet(folder / SAMPLE)
    pairs = [sampled_pairs(folder, sample)] + ([load_pairs(job.workspace, counted["test"])] if counted["test"] else [])
    scores = score_pairs(job.workspace, encoder, pairs, precision=params["precision"], progress=job.progress)
    save_readings(job.folder / READINGS, encoder=encoder.name, title=encoder.title, scores=scores[0], sample=sample)
    return {
        "candidates": folder.name,
        "encoder": encoder.name,
        "title": encoder.title,
        "fingerprint": encoder.fingerprint,
        "precision": precision_that_ran([encoder], params["precision"]),
        "n_sampled": len(sample),
        "test": None if len(pairs) < 2 else {"ref": pairs[1].ref, **_side(scores[1], pairs[1])},
        "seconds": time.perf_counter() - start,
        "findings": [],
    }


def sampled_pairs(folder: Path, sample: pd.DataFrame) -> PairSet:
    """Return the texts of sampled candidates as a pair set without labels, for scoring.

    Args:
        folder: Of the candidates job.
        sample: All rows of its sample.
    """
    texts = pd.read_parquet(folder / RECORDS, columns=["text"])["text"].to_numpy(object)
    sides = {"sentence1": texts[sample["i"].to_numpy()], "sentence2": texts[sample["j"].to_numpy()]}
    frame = pd.DataFrame({name: pd.Series(side, dtype=object) for name, side in sides.items()})
    return PairSet(frame, folder.name, sha256_json({"candidates": folder.name}))


def counted_candidates(folder: Path) -> dict[str, Any]:
    """Return the result of a finished candidates job.

    Args:
        folder: The job's folder.

    Raises:
        JobError: If it is not finished, or counted no candidates.
    """
    try:
        result: dict[str, Any] = read_json(folder / RESULT)
    except WorkspaceError as error:
        raise JobError(f"The candidates {folder.name} must be a finished job; count the pairs first.") from error
    if not {"records", "n_pairs", "encoder", "test"} <= set(result) or not (folder / SAMPLE).exists():
        raise JobError(f"{folder.name} is not a job that counted candidates; count the pairs of a record set first.")
    return result


def _side(scores: Any, pairs: PairSet) -> dict[str, Any]:
    return side_to_json(measure_side(scores, pairs.labels(), pairs.targets()))
