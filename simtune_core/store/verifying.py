"""The files of jobs, datasets and models compared with their own manifests: hashes, counts, whole folders.

Repairs nothing, because a file that was changed or lost cannot be made again here; knows no row of the store.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from simtune_core.datasets import load_pairs, load_records
from simtune_core.encoders.imported import is_imported, read_imported
from simtune_core.errors import EncoderError, JobError, WorkspaceError
from simtune_core.jobs.launcher import list_jobs, read_result
from simtune_core.jobs.queueing import job_folders
from simtune_core.jobs.states import JobStatus
from simtune_core.store.manifests import dataset_manifests, dataset_rows, model_manifests
from simtune_core.training.artifacts import file_hashes, read_manifest
from simtune_core.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is not as it must be.

    Attributes:
        code: `job_rows`, `dataset_row`, `model_row` in the store; `job_unreadable`, `result_missing`, `dataset_damaged`
            or `model_damaged` in the files.
        what: The job, dataset or model.
        message: What must hold, what was found, and what to do.
    """

    code: str
    what: str
    message: str

    @property
    def in_store(self) -> bool:
        """Tell whether the store is wrong and not the files, so that it can be repaired."""
        return self.code in ("job_rows", "dataset_row", "model_row")


def wrong_files(workspace: Workspace) -> Iterator[Fault]:
    """Yield what is wrong with the files of jobs, datasets and models; every table and weight is read and hashed."""
    known = {status.id: status for status in list_jobs(workspace)}
    for folder in job_folders(workspace):
        if folder.name not in known:
            yield Fault(
                "job_unreadable",
                folder.name,
                f"The folder {folder.name} must hold the whole spec.json of a job, and does not; nothing of it is in "
                "the store. Restore the file, or delete the folder.",
            )
    done = [status for status in known.values() if status.state == "done"]
    yield from chain.from_iterable(
        (*(_wrong_result(workspace, status) for status in done), _wrong_datasets(workspace), _wrong_models(workspace))
    )


def _wrong_result(workspace: Workspace, status: JobStatus) -> Iterator[Fault]:
    try:
        read_result(workspace, status.id)
    except (JobError, WorkspaceError) as error:
        yield Fault("result_missing", status.id, f"{error} The job is done, so it must have one; run it again.")


def _wrong_datasets(workspace: Workspace) -> Iterator[Fault]:
    rows = dataset_rows(workspace)
    for key, path in sorted(dataset_manifests(workspace).items()):
        ref = f"{path.parent.parent.name}@{path.parent.name.partition('-')[0]}"
        load = load_records if (path.parent / "records.parquet").exists() else load_pairs
        try:
            loaded = load(workspace, ref)
        except WorkspaceError as error:
            yield Fault("dataset_damaged", key, str(error))
            continue
        told, n_rows = rows[key][4] if key in rows else None, len(loaded.frame)
        if told != n_rows:
            yield Fault(
                "dataset_damaged",
                key,
                f"{ref}: its manifest must tell the {n_rows:,} rows of its table, and tells {told}; import the data "
                "again as a new version.",
            )


def _files_told(folder: Path) -> Mapping[str, str]:
    """Return the sha256 that a model's manifest tells of each file, tuned here or imported."""
    return read_imported(folder).files if is_imported(folder) else read_manifest(folder).files


def _wrong_models(workspace: Workspace) -> Iterator[Fault]:
    for key, path in sorted(model_manifests(workspace).items()):
        try:
            told, found = dict(_files_told(path.parent)), file_hashes(path.parent)
        except EncoderError as error:
            yield Fault("model_damaged", key, str(error))
            continue
        changed = [name for name, digest in sorted(told.items()) if found.get(name) != digest]
        if changed:
            yield Fault(
                "model_damaged",
                key,
                f"{key}: {', '.join(changed[:5])} must be as saved, and {'is' if len(changed) == 1 else 'are'} missing "
                "or changed (the sha256 differs from the manifest); restore it, or make the model again.",
            )
