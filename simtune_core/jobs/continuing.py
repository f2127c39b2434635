"""Where a job that continues another goes on: the newest complete checkpoint of the chain of jobs before it.

Reads folders alone; starts nothing and removes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from simtune_core.errors import JobError
from simtune_core.jobs.checkpoints import Checkpoint, newest_checkpoint, skipped_checkpoints
from simtune_core.jobs.states import read_spec
from simtune_core.workspace import Workspace


def checkpoint_of(workspace: Workspace, job_id: str, *, hashes: bool = False) -> Checkpoint | None:
    """Return the newest complete checkpoint of a job, else of the one it continued, and so on; None without one."""
    skipped: tuple[str, ...] = ()
    for folder in (workspace.job(each) for each in _chain(workspace, job_id)):
        checkpoint = newest_checkpoint(folder, hashes=hashes)
        if checkpoint is not None:
            return Checkpoint(checkpoint.step, checkpoint.folder, skipped + checkpoint.skipped)
        skipped += skipped_checkpoints(folder, hashes=hashes)
    return None


def require_checkpoint(workspace: Workspace, job_id: str, *, hashes: bool = False) -> Checkpoint:
    """Return what `checkpoint_of` returns.

    Raises:
        JobError: If there is no complete checkpoint, with what is wrong with those that are there.
    """
    checkpoint = checkpoint_of(workspace, job_id, hashes=hashes)
    if checkpoint is None:
        faults = [each for job in _chain(workspace, job_id) for each in skipped_checkpoints(workspace.job(job))]
        why = f" {' '.join(faults)}" if faults else ""
        raise JobError(f"The job {job_id} has no complete checkpoint to continue from.{why} Start it again instead.")
    return checkpoint


def _chain(workspace: Workspace, job_id: str) -> Iterator[str]:
    """Yield a job, the job it continues, and so on."""
    seen: set[str] = set()
    following: str | None = job_id
    while following is not None and following not in seen:
        seen.add(following)
        yield following
        following = (read_spec(workspace.job(following)) or {}).get("continues")
