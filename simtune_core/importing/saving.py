"""A draft becomes a dataset whose manifest tells how to repeat the import."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from simtune_core.datasets import DatasetVersion, save_pairs, save_records
from simtune_core.errors import DataFaultError
from simtune_core.importing.drafting import Draft, faults_sentence
from simtune_core.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an imported table comes from.

    Attributes:
        name: The file's or the hub data set's name; never a path.
        sha256: Of the file's bytes; None where there is no one file.
        job: The job that imported it; None if none did.
    """

    name: str
    sha256: str | None = None
    job: str | None = None


def save_draft(
    workspace: Workspace,
    name: str,
    checked: Draft,
    *,
    origin: Origin,
    drop_faulty: bool = False,
    new_version: bool = False,
) -> DatasetVersion:
    """Save a draft as a dataset; equal content under the same name is the version that is there.

    Args:
        workspace: Where.
        name: The dataset's name.
        checked: The draft.
        origin: Where the rows come from, for the manifest.
        drop_faulty: Whether rows with a fault are left out; without it a draft with faults is refused.
        new_version: Whether a taken name gets a new version.

    Raises:
        DataFaultError: If faults stand, or no row is left.
        WorkspaceError: If the name is taken or not allowed, or the disk is full.
    """
    drop = drop_faulty or checked.options.drop_faulty
    if checked.blocking or (checked.faults and not drop):
        raise DataFaultError(faults_sentence(checked))
    if checked.frame.empty:
        raise DataFaultError(f"No row of {origin.name} is whole; {faults_sentence(checked)}")
    save = save_records if checked.kind == "records" else save_pairs
    return save(
        workspace, name, checked.frame, provenance=_provenance(checked, origin, drop=drop), new_version=new_version
    )


def _provenance(checked: Draft, origin: Origin, *, drop: bool) -> dict[str, Any]:
    """Return what the manifest tells: enough to do the same import again, and what it did to the rows."""
    options = checked.options.with_changes(drop_faulty=drop)
    told: dict[str, Any] = {
        "made_by": "import",
        "source": origin.name,
        "source_sha256": origin.sha256,
        "options": {"kind": options.kind, **options.model_dump(mode="json", exclude_defaults=True)},
        "reading": {key: value for key, value in asdict(checked.reading).items() if value not in (None, ())},
        "n_rows_read": checked.n_rows,
        "n_rows_dropped": checked.n_dropped,
    }
    if options.weak_labels is not None or options.labels_from:
        told["labels"] = {"weak": options.weak_labels, "words": options.labels_from}
    if checked.masked:
        told["masked"] = dict(checked.masked)
    if checked.n_mojibake and options.repair_mojibake:
        told["n_texts_repaired"] = checked.n_mojibake
    return told | ({"job": origin.job} if origin.job else {})


def was_there(saved: DatasetVersion, since: float) -> bool:
    """Tell whether a version is older than the wish to save it, since its content was there already.

    Args:
        saved: What `save_draft` gave.
        since: Unix time before it was called.
    """
    return float(saved.manifest["created"]) < since
