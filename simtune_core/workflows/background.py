"""What the workbench does between two clicks: start the next queued job, and take new results into the store."""

from __future__ import annotations

from dataclasses import dataclass

from simtune_core.errors import SimtuneError
from simtune_core.jobs.launcher import advance_queue
from simtune_core.store import ingest
from simtune_core.workspace import Workspace

_READ_ONLY = (
    "This workspace is read-only: what is there is shown; no job can be started and nothing can be saved or imported."
)


@dataclass(frozen=True, slots=True)
class Tick:
    """What one look at the workspace did.

    Attributes:
        started: Ids of the queued jobs that were started.
        notices: Sentences about what could not be done this time; the next look says them again while they hold.
        news: Sentences about what happened once, such as that the store was damaged and has been made again; no later
            look repeats them.
    """

    started: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    news: tuple[str, ...] = ()


def tick(workspace: Workspace) -> Tick:
    """Start what can start and ingest what is new; a part that cannot be done now is told and does not stop the other.

    Args:
        workspace: Where jobs and store lie. Calling it again, or from two processes, is harmless.
    """
    if workspace.read_only:
        return Tick(notices=(_READ_ONLY,))
    started: tuple[str, ...] = ()
    news: tuple[str, ...] = ()
    notices: list[str] = []
    try:
        started = tuple(advance_queue(workspace))
    except SimtuneError as error:
        notices.append(f"Queued jobs cannot be started now: {error}")
    try:
        news = ingest(workspace).notices
    except SimtuneError as error:
        notices.append(f"New results are kept in the job folders and will be imported later: {error}")
    return Tick(started, tuple(notices), news)
