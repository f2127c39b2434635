"""The `import` job: read a large table with progress, list its faults, and save it where nothing stands in the way."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from simtune_core.errors import JobError
from simtune_core.importing.drafting import draft
from simtune_core.importing.options import ImportOptions
from simtune_core.importing.saving import Origin, save_draft, was_there
from simtune_core.importing.sources import forget_upload, source_from
from simtune_core.jobs.context import Job
from simtune_core.preparing.import_languages import language_findings


def run(params: dict[str, Any], job: Job) -> dict[str, Any]:
    """Import a table.

    Args:
        params: `file` (from the workspace's folder, or absolute) or `hub`, `source` (the name shown), `stamp` of the
            file (see `ImportSource.stamp`), `name` of the dataset, `options` (ImportOptions as JSON), `new_version`,
            `dry_run`, `spoken_by` (the encoder whose languages the texts are compared with).
        job: Where progress goes.

    Returns:
        `dataset` (reference, or null where faults stand), `existed` (whether its content was there already), `n_saved`,
        what `Draft.as_json` tells, and `findings`.

    Raises:
        SimtuneError: If the file is gone, changed or cannot be read, the name is taken, or the disk is full.
    """
    source = source_from(params, job.workspace)
    options = ImportOptions(**params["options"])
    if source.path is not None and not source.path.exists():
        raise JobError(f"{source.name} is not there any more; choose or upload it again.")
    if params.get("stamp") not in (None, source.stamp()):
        raise JobError(f"{source.name} was changed after the import was asked for; ask for it again.")
    table = source.read(options.reading, progress=_reporting(job))
    job.progress(0, 2, f"checking {len(table.frame):,} rows")
    checked = draft(table, options)
    del table
    ready = not checked.blocking and (options.drop_faulty or not checked.faults) and not checked.frame.empty
    result: dict[str, Any] = {"dataset": None, "existed": False, "n_saved": 0, **checked.as_json()}
    result["findings"] = checked.findings(drop_faulty=options.drop_faulty) + language_findings(
        job.workspace, checked.frame, params.get("spoken_by")
    )
    if ready and not params.get("dry_run"):
        since = time.time()
        job.progress(1, 2, f"saving {len(checked.frame):,} {checked.kind}")
        saved = save_draft(
            job.workspace,
            params["name"],
            checked,
            origin=Origin(source.name, source.sha256(), job.id),
            new_version=bool(params.get("new_version")),
        )
        forget_upload(job.workspace, source)
        result |= {"dataset": saved.ref, "n_saved": saved.n_rows, "existed": was_there(saved, since)}
    job.progress(2, 2, "saved" if result["dataset"] else "checked; nothing was saved")
    return result


def _reporting(job: Job) -> Callable[[int, int, str], None]:
    """Return what the reader tells its progress to; a job that is asked to stop stops reading there."""

    def report(done: int, total: int, text: str) -> None:
        if job.stop_requested:
            raise JobError("The import was stopped; nothing was saved.")
        job.progress(done, total, text)

    return report
