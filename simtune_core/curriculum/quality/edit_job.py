"""The `edit` job: pairs of a set removed or relabelled as a list of edits says, saved as another set."""

from __future__ import annotations

from typing import Any

from simtune_core.curriculum.quality.drafts import end_draft, read_draft
from simtune_core.curriculum.quality.editing import Target, save_edited
from simtune_core.curriculum.quality.edits import edit_from_json
from simtune_core.datasets import canonical_ref
from simtune_core.jobs.context import Job


def run(params: dict[str, Any], job: Job) -> dict[str, Any]:
    """Make the edits and save the set.

    Args:
        params: `pairs` (reference), `edits` (`Edit.as_json` each), `name`, `new_version`, `draft` (whether the edits
            are those of the set's draft, which is then emptied unless more were made meanwhile).
        job: Where progress goes.

    Returns:
        `dataset` (reference), `content_id`, `pairs`, `n_pairs`, `n_dropped`, `n_relabelled`, `n_children`, `findings`.

    Raises:
        SimtuneError: If the set is not there, an edit does not fit it, or the name is taken.
    """
    job.progress(0, 1, "making the edits")
    edits = [edit_from_json(edit) for edit in params["edits"]]
    target = Target(params["name"], bool(params.get("new_version")), job.id)
    saved = save_edited(job.workspace, params["pairs"], edits, target)
    if params.get("draft") and list(read_draft(job.workspace, params["pairs"]).edits) == edits:
        end_draft(job.workspace, params["pairs"], saved_as=saved.version.ref)
    job.progress(1, 1, "saved")
    return {
        "dataset": saved.version.ref,
        "content_id": saved.version.content_id,
        "pairs": canonical_ref(job.workspace, params["pairs"], "pairs"),
        "n_pairs": saved.version.n_rows,
        "n_dropped": saved.edited.n_dropped,
        "n_relabelled": saved.edited.n_relabelled,
        "n_children": saved.edited.n_children,
        "findings": [],
    }
