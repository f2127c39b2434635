"""Another attempt at a job: from the start, or from its newest complete checkpoint. The launcher alone starts it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from simtune_core.errors import JobError
from simtune_core.jobs.continuing import checkpoint_of, require_checkpoint
from simtune_core.jobs.launcher import Wish, list_jobs, make_job, read_job
from simtune_core.jobs.origins import code_versions, content_ids
from simtune_core.jobs.states import JobStatus, read_spec
from simtune_core.workspace import Workspace

__all__ = ["checkpoint_of", "differences", "resume", "retry"]


def retry(workspace: Workspace, job_id: str, *, token: str | None = None) -> str:
    """Start a job again from its beginning, as a new job of the same kind and params with the next attempt number.

    Args:
        workspace: The workspace the job belongs to.
        job_id: A job that has ended.
        token: As for `launch`; without one, a retry of the same job that still waits or runs is given instead.

    Returns:
        The id of the new job.

    Raises:
        JobError: If there is no such job, or it waits or runs.
        WorkspaceError: If the disk is full or the workspace cannot be written.
    """
    before = _ended(workspace, job_id, "started again")
    earlier = {"attempt": before.attempt + 1, "retry_of": before.id}
    wish = Wish(before.kind, before.params, before.title, token, earlier)
    return make_job(workspace, wish, lambda: _under_way(workspace, "retry_of", before.id))


def resume(
    workspace: Workspace,
    job_id: str,
    *,
    changes: Mapping[str, Any] | None = None,
    confirm: bool = False,
    token: str | None = None,
    others: Sequence[str] = (),
) -> str:
    """Continue a job from its newest complete checkpoint, as a new job with the next attempt number.

    Args:
        workspace: The workspace the job belongs to.
        job_id: A job that has ended; its own checkpoint counts, else that of the job it continued, and so on.
        changes: Params that are to be others than before; dictionaries inside are merged, so
            `{"config": {"num_train_epochs": 3}}` changes one setting.
        confirm: Whether to continue although program, data or params differ from the earlier job's.
        others: Differences that the caller has found, such as another encoder.
        token: As for `launch`; without one, a continuation of the same job that still waits or runs is given instead.

    Returns:
        The id of the new job.

    Raises:
        JobError: If the job waits or runs, has no complete checkpoint, is done and nothing is to change, or something
            differs and it was not confirmed; the differences are in the message.
        WorkspaceError: If the disk is full or the workspace cannot be written.
    """
    before = _ended(workspace, job_id, "continued")
    require_checkpoint(workspace, before.id)
    if before.state == "done" and not changes:
        raise JobError(
            f"{before.title!r} is done; to go on from its last checkpoint, change something, such as epochs."
        )
    found = [*differences(workspace, before.id, changes), *others]
    if found and not confirm:
        raise JobError(
            f"{before.title!r} would not go on as it began: {' '.join(found)} Confirm to continue all the same."
        )
    earlier = {"attempt": before.attempt + 1, "continues": before.id}
    wish = Wish(before.kind, _merged(before.params, changes or {}), before.title, token, earlier)
    return make_job(workspace, wish, lambda: _under_way(workspace, "continues", before.id))


def differences(workspace: Workspace, job_id: str, changes: Mapping[str, Any] | None = None) -> list[str]:
    """Say what is not as it was when a job was launched: program, libraries, content of its data, changed params.

    Returns:
        One sentence for each difference; empty if the job would go on exactly as it began.

    Raises:
        JobError: If there is no such job.
    """
    status = read_job(workspace, job_id)
    spec = read_spec(status.folder) or {}
    found = []
    now = code_versions(status.kind)
    for name, then in spec.get("code", {}).items():
        if now.get(name) != then:
            found.append(f"{name} was {then} and is {now.get(name, 'not installed')} now.")
    contents = content_ids(workspace, status.params)
    for name, then in spec.get("contents", {}).items():
        if contents.get(name) != then:
            gone = "is not there any more" if name not in contents else "has other content now"
            found.append(f"The data {status.params.get(name)} ({name}) {gone}.")
    asked, wanted = dict(_flat(status.params)), dict(_flat(_merged(status.params, changes or {})))
    changed = (name for name in sorted(asked.keys() | wanted.keys()) if asked.get(name) != wanted.get(name))
    none = "not given"
    return found + [f"{name} was {asked.get(name, none)} and becomes {wanted.get(name, none)}." for name in changed]


def _ended(workspace: Workspace, job_id: str, what: str) -> JobStatus:
    status = read_job(workspace, job_id)
    if status.active:
        raise JobError(f"{status.title!r} is {status.state}; it can be {what} when it has ended. Stop it first.")
    return status


def _under_way(workspace: Workspace, relation: str, job_id: str) -> str | None:
    """Return the job that waits or runs and is already what is wanted."""
    found = (job.id for job in list_jobs(workspace) if job.active and getattr(job, relation) == job_id)
    return next(found, None)


def _merged(params: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(params)
    for name, value in changes.items():
        before = merged.get(name)
        inside = isinstance(value, Mapping) and isinstance(before, Mapping)
        merged[name] = _merged(before, value) if inside else value  # type: ignore[arg-type]
    return merged


def _flat(params: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every value of nested params with its dotted name."""
    for name, value in params.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
