"""The `import_encoder` job: vectors or scores that were computed elsewhere become an encoder of the workspace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from simtune_core.datasets import find_dataset, load_pairs, load_records
from simtune_core.encoders.catalogue import resolve_encoder
from simtune_core.encoders.imported import ImportedManifest, save_scores, save_vectors
from simtune_core.encoders.intake import read_scores, read_vectors
from simtune_core.errors import DataFaultError
from simtune_core.findings import finding
from simtune_core.importing.sources import ImportSource, forget_upload, source_from
from simtune_core.jobs.context import Job
from simtune_core.workspace import Workspace


def run(params: dict[str, Any], job: Job) -> dict[str, Any]:
    """Bring an encoder in.

    Args:
        params: `file` and `source` (see `ImportSource.as_params`), `sha256` of the file, `name` of the encoder, and
            `scores` (a column) with `columns` (`sentence1=...,sentence2=...`), or `vectors`, `text` or `id` (columns
            or arrays, null for the guess) with `set`, the dataset whose records have the ids.
        job: Where progress goes.

    Returns:
        `encoder` (name), `kind`, `n`, `dim`, `low`, `high`, `scale`, `columns`, `fingerprint` and findings.

    Raises:
        SimtuneError: If the file is gone, was changed or is not as it must be, or the name is taken.
    """
    source = source_from(params, job.workspace)
    if source.path is None or not source.path.is_file():
        raise DataFaultError(f"The file {source.name} is not there any more; choose it again.")
    if source.sha256() != params["sha256"]:
        raise DataFaultError(f"The file {source.name} was changed after it was chosen; import it again.")
    job.progress(0, 2, f"reading {source.name}")
    facts = {"source": source.name, "source_sha256": params["sha256"], "job": job.id}
    save = _scores if params.get("scores") else _vectors
    manifest = save(params, source, job, facts)
    forget_upload(job.workspace, source)
    job.progress(2, 2, "saved")
    told = asdict(manifest)
    return {
        "encoder": manifest.model_id,
        "scale": manifest.scale,
        "fingerprint": resolve_encoder(job.workspace, manifest.model_id).fingerprint,
        "findings": [finding("encoder_rows", "info", note) for note in manifest.notes],
        **{name: told[name] for name in ("kind", "n", "dim", "low", "high", "columns")},
    }


def texts_by_id(workspace: Workspace, ref: str) -> dict[str, str]:
    """Return the text of every record id of a dataset, records or pairs."""
    version, _ = find_dataset(workspace, ref)
    if version.kind == "records":
        frame = load_records(workspace, ref).frame
        return dict(zip(frame["id"], frame["text"], strict=True))
    frame = load_pairs(workspace, ref).frame
    known: dict[str, str] = {}
    for side in ("1", "2"):
        part = frame[frame[f"id{side}"].notna()]
        known |= dict(zip(part[f"id{side}"], part[f"sentence{side}"], strict=True))
    return known


def _vectors(params: Mapping[str, Any], source: ImportSource, job: Job, facts: dict[str, Any]) -> ImportedManifest:
    assert source.path is not None  # run has seen it
    by_id = texts_by_id(job.workspace, params["set"]) if params.get("set") else None
    read = read_vectors(
        source.path,
        source.name,
        vectors=params.get("vectors"),
        text=params.get("text"),
        record_id=params.get("id"),
        texts_by_id=by_id,
    )
    job.progress(1, 2, f"saving {len(read.texts):,} vectors")
    facts |= {"columns": read.columns, "notes": list(read.notes)}
    return save_vectors(job.workspace, params["name"], read.texts, read.vectors, facts=facts)


def _scores(params: Mapping[str, Any], source: ImportSource, job: Job, facts: dict[str, Any]) -> ImportedManifest:
    assert source.path is not None  # run has seen it
    read = read_scores(source.path, source.name, score=params["scores"], columns=params.get("columns") or "")
    job.progress(1, 2, f"saving {len(read.pairs):,} scores")
    facts |= {"columns": read.columns, "notes": list(read.notes)}
    return save_scores(job.workspace, params["name"], read.pairs, read.scores, facts=facts)
