"""The `split` job: divide a dataset into train, dev and test and save it as a new version, or under a new name."""

from __future__ import annotations

from typing import Any

from simtune_core.datasets import (
    DatasetVersion,
    find_dataset,
    load_details,
    load_pairs,
    load_records,
    save_pairs,
    save_records,
)
from simtune_core.errors import DataFaultError
from simtune_core.jobs.context import Job
from simtune_core.preparing.splitting import Split, SplitConfig, split_pairs, split_records

MADE_BY = "split"  # in the provenance of what this job saves


def run(params: dict[str, Any], job: Job) -> dict[str, Any]:
    """Fill the split column of every row of a dataset.

    Args:
        params: `set` (a whole dataset), `name` of what is made (the dataset's own for a new version of it), `config`
            (a SplitConfig as JSON), `replace` (whether splits that are there may be replaced).
        job: Where progress goes.

    Returns:
        `dataset` (reference), `content_id`, `set`, `config`, what `SplitReport.as_json` gives under `report`, and its
        findings.

    Raises:
        SimtuneError: If the set is not there, has splits that are to be kept, cannot be divided as asked, or the name
            is taken.
    """
    config = SplitConfig(**params["config"])
    version, part = find_dataset(job.workspace, params["set"])
    require_unsplit(version.ref, {} if params.get("replace") else version.splits, part)
    job.progress(0, 3, "joining records")
    if version.kind == "pairs":
        pairs = load_pairs(job.workspace, version.ref)
        frame, split = pairs.frame, split_pairs(pairs, config, job.progress)
    else:
        records = load_records(job.workspace, version.ref)
        frame, split = records.frame, split_records(records, config, job.progress)
    job.progress(2, 3, "saving")
    frame, provenance = frame.assign(split=split.splits), _provenance(version, config, split) | {"job": job.id}
    new_version = params["name"] == version.name
    if version.kind == "pairs":
        details = load_details(job.workspace, version.ref)
        saved = save_pairs(
            job.workspace, params["name"], frame, provenance=provenance, new_version=new_version, details=details
        )
    else:
        saved = save_records(job.workspace, params["name"], frame, provenance=provenance, new_version=new_version)
    job.progress(3, 3, "saved")
    report = split.report.as_json()
    return {
        "dataset": saved.ref,
        "content_id": saved.content_id,
        "set": version.ref,
        "config": config.model_dump(),
        "report": report,
        "findings": report.pop("findings"),
    }


def require_unsplit(ref: str, splits: dict[str, int], part: str | None) -> None:
    """Refuse to divide a part of a dataset, or one whose splits are to be kept.

    Raises:
        DataFaultError: With what there is and what to do.
    """
    if part is not None:
        raise DataFaultError(f"A whole dataset is divided, not one split of it: name {ref} without {part!r}.")
    if splits:
        told = ", ".join(f"{name} {n:,}" for name, n in splits.items())
        raise DataFaultError(
            f"{ref} has splits already ({told}), and they are kept unless you ask to replace them. Whether a record or "
            "a text is in two of them is audited on the page Difficulty."
        )


def _provenance(version: DatasetVersion, config: SplitConfig, split: Split) -> dict[str, Any]:
    """Return how the version was made; `source` is what lineage reads."""
    return {
        "made_by": MADE_BY,
        "made_from": version.ref,
        "source": version.ref,
        "licence": version.manifest["provenance"].get("licence"),
        "config": config.model_dump(),
        "report": split.report.as_json(),
    }
