"""Everything that a page or a command asks about the difficulty of one or two pair sets, as the jobs that answer it."""

from __future__ import annotations

from dataclasses import dataclass

from simtune_core.datasets import canonical_ref
from simtune_core.encoders.config import EncodingConfig
from simtune_core.workflows.preflight import preflight_request
from simtune_core.workflows.requests import Request, difficulty_request, mismatch_request
from simtune_core.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Asked:
    """The three questions about one choice of sets and space.

    Attributes:
        difficulty: How hard the pairs are: numbers and histograms.
        preflight: What is wrong with them, and with two sets whether training on the first can help on the second.
        mismatch: By how much two sets differ, with intervals; None for one set.
    """

    difficulty: Request
    preflight: Request
    mismatch: Request | None

    @property
    def requests(self) -> list[Request]:
        """Return the questions in the order in which they are best answered: the numbers first."""
        return [self.difficulty, self.preflight, *([self.mismatch] if self.mismatch else [])]


def ask_difficulty(
    workspace: Workspace, dataset: str, against: str | None, encoding: EncodingConfig, *, score_cut: float
) -> Asked:
    """Turn a choice of sets and space into the jobs that answer it.

    Args:
        workspace: Where everything lies.
        dataset: The pairs to train on.
        against: The pairs to test on; None or the same set asks about the first alone.
        encoding: The space.
        score_cut: A graded pair counts as similar from this score on.

    Raises:
        SimtuneError: If a set or the encoder is not there.
    """
    ref = canonical_ref(workspace, dataset, "pairs")
    other = against if against and canonical_ref(workspace, against, "pairs") != ref else None
    return Asked(
        difficulty_request(workspace, dataset, other, encoding, score_cut=score_cut),
        preflight_request(workspace, dataset, other, encoding, score_cut=score_cut),
        mismatch_request(workspace, dataset, other, encoding, score_cut=score_cut) if other else None,
    )
