"""What the data page and `describe` show of one dataset: its description, and where its versions come from and go."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simtune_core.datasets import DatasetVersion, canonical_ref, list_versions
from simtune_core.errors import WorkspaceError
from simtune_core.preparing.description import Description, description_from_json
from simtune_core.workflows.lineage import Lineage, Thing, ThingKind, read_lineage
from simtune_core.workflows.requests import Request, named_encoder
from simtune_core.workspace import Workspace

_MADE = {"import": "imported from {source}", "sample": "copied from {source}, the bundled sample"}


@dataclass(frozen=True, slots=True)
class Use:
    """What rests on a version.

    Attributes:
        kind: job, dataset or model.
        name: Its id or reference.
        title: What a person calls it.
        why: What it does with the version.
    """

    kind: ThingKind
    name: str
    title: str
    why: str


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One version of a dataset, with what it came from and what rests on it.

    Attributes:
        ref: `name@v0001`.
        content_id: sha256 of the content.
        n_rows: Its rows.
        created: Unix time.
        made: How it came to be, a phrase such as `made from tickets@v0001 by curriculum (seed 42)`.
        job: Id of the job that made it; None if none did, or it is gone.
        used_by: What rests on it directly, but for the job that made it.
    """

    ref: str
    content_id: str
    n_rows: int
    created: float
    made: str
    job: str | None
    used_by: tuple[Use, ...]


def describe_request(workspace: Workspace, dataset: str, encoder: str) -> Request:
    """Ask what a dataset holds; lengths are counted by the encoder's tokenizer."""
    ref = canonical_ref(workspace, dataset)
    named = named_encoder(workspace, encoder)
    params = {"set": ref, "encoder": named["name"], "fingerprints": [named]}
    return Request("describe", params, f"Describe {ref} with {encoder}")


def description_of(result: dict[str, Any]) -> Description:
    """Return the description in the result of a `describe` job."""
    return description_from_json({name: result[name] for name in Description.__slots__})


def described_folder(workspace: Workspace, job_id: str) -> Path:
    """Return where a `describe` job left what is true of each row."""
    return workspace.job(job_id)


def version_rows(workspace: Workspace, name: str) -> list[VersionRow]:
    """Return all versions of a dataset, newest first, with their lineage in both directions.

    Raises:
        WorkspaceError: If there is no such dataset.
    """
    versions = list_versions(workspace, name)
    if not versions:
        raise WorkspaceError(f"There is no dataset {name!r} in this workspace.")
    lineage = read_lineage(workspace)
    return [_version_row(version, lineage) for version in reversed(versions)]


def made_words(version: DatasetVersion) -> str:
    """Say how a version came to be: from what, by what, with which seed."""
    told = version.manifest["provenance"]
    maker, source = str(told.get("made_by") or ""), _source_words(told.get("source"))
    if maker in _MADE:
        return _MADE[maker].format(source=source or "a file")
    config = told.get("config")
    seed = told.get("seed", config.get("seed") if isinstance(config, dict) else None)
    parts = [
        f"from {source}" if source else "",
        f"by {maker}" if maker else "",
        "" if seed is None else f"(seed {seed})",
    ]
    said = " ".join(part for part in parts if part)
    return f"made {said}" if said else "of unknown origin"


def _source_words(source: Any) -> str:
    return " and ".join(map(str, source)) if isinstance(source, list) else str(source or "")


def _version_row(version: DatasetVersion, lineage: Lineage) -> VersionRow:
    maker = version.manifest["provenance"].get("job")
    resting = lineage.resting.get(Thing("dataset", version.ref), {})
    return VersionRow(
        ref=version.ref,
        content_id=version.content_id,
        n_rows=version.n_rows,
        created=float(version.manifest["created"]),
        made=made_words(version),
        job=maker if isinstance(maker, str) and maker in lineage.jobs else None,
        used_by=tuple(
            Use(thing.kind, thing.name, lineage.title(thing), why)
            for thing, why in resting.items()
            if thing != Thing("job", str(maker))
        ),
    )
