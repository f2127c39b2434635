"""A pair set with edits becomes another pair set, whose manifest tells them; nothing is changed in place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from simtune_core.curriculum.quality.edits import Edit, Edited, edited, last_of_each
from simtune_core.datasets import DatasetVersion, find_dataset, load_details, load_pairs, save_pairs
from simtune_core.errors import DataFaultError
from simtune_core.labels import label_origin
from simtune_core.workspace import Workspace

MADE_BY = "edit"


@dataclass(frozen=True, slots=True)
class Target:
    """What the edited set is to be called.

    Attributes:
        name: The dataset.
        new_version: Whether a taken name gets a new version.
        job: The job that saves it; None where none does.
    """

    name: str
    new_version: bool = False
    job: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class SavedEdits:
    """An edited set that was saved.

    Attributes:
        version: What was saved.
        edited: What the edits did.
    """

    version: DatasetVersion
    edited: Edited


def save_edited(workspace: Workspace, ref: str, edits: Sequence[Edit], target: Target) -> SavedEdits:
    """Make the edits on the whole version that a reference names and save what comes of it.

    Raises:
        DataFaultError: If there is no edit, or they do not fit the set.
        WorkspaceError: If the set is not there, or the name is taken or not allowed.
    """
    version, _ = find_dataset(workspace, ref, kind="pairs")
    wanted = [edit for edit in last_of_each(edits) if edit.action != "keep"]
    if not wanted:
        raise DataFaultError(f"Nothing of {version.ref} was removed or relabelled; there is nothing to save.")
    made = edited(load_pairs(workspace, version.ref), wanted, load_details(workspace, version.ref))
    saved = save_pairs(
        workspace,
        target.name,
        made.frame,
        provenance=_provenance(workspace, version, wanted, made, target),
        new_version=target.new_version,
        details=made.details,
    )
    return SavedEdits(saved, made)


def _provenance(
    workspace: Workspace, version: DatasetVersion, edits: Sequence[Edit], made: Edited, target: Target
) -> dict[str, Any]:
    origin = label_origin(workspace, version.ref)
    labels = "label" if made.n_relabelled == 1 else "labels"
    by_hand = f"; {made.n_relabelled:,} {labels} changed by hand" if made.n_relabelled else ""
    return {
        "made_by": MADE_BY,
        "source": version.ref,
        "licence": version.manifest["provenance"].get("licence"),
        "job": target.job,
        "labels": {"weak": origin.weak, "words": origin.words.rstrip(" .") + by_hand},
        "step": {"do": MADE_BY, "pairs": version.ref, "edits": [edit.as_json() for edit in edits]},
    }
