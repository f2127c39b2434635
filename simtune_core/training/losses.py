"""The losses, and what each asks of the pairs: one that cannot learn from the pairs given is refused.

Chooses rows and builds the loss; the loop is in recipe.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from simtune_core.errors import TrainingError
from simtune_core.pairs import PairSet
from simtune_core.training.config import LossName

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


@dataclass(frozen=True, slots=True)
class LossContract:
    """What a loss is called and what it reads.

    Attributes:
        class_name: sentence-transformers' class.
        reads_targets: Whether it learns from labels or scores. One that does not pulls every pair together, so it may
            only be given similar pairs.
    """

    class_name: str
    reads_targets: bool


CONTRACTS: dict[LossName, LossContract] = {
    "cosine_similarity": LossContract("CosineSimilarityLoss", reads_targets=True),
    "cosent": LossContract("CoSENTLoss", reads_targets=True),
    "multiple_negatives_ranking": LossContract("MultipleNegativesRankingLoss", reads_targets=False),
}


@dataclass(frozen=True, slots=True, eq=False)
class TrainingRows:
    """The pairs that a loss is given.

    Attributes:
        rows: Positions in the pair set, ascending; shape (n_rows,).
        targets: Label or score of each, or None for a loss that reads none; shape (n_rows,).
        n_dropped: Pairs left out because the loss would pull dissimilar texts together.
    """

    rows: NDArray[np.int64]
    targets: NDArray[np.float64] | None
    n_dropped: int


def rows_for(loss: LossName, pairs: PairSet, *, score_cut: float) -> TrainingRows:
    """Choose the pairs that a loss can learn from.

    Args:
        loss: Name of the loss.
        pairs: The training pairs.
        score_cut: A graded pair counts as similar from this score on.

    Raises:
        TrainingError: If the loss cannot learn anything from these pairs.
    """
    if CONTRACTS[loss].reads_targets:
        targets = pairs.targets()
        if len(np.unique(targets)) < 2:
            raise TrainingError(
                f"{CONTRACTS[loss].class_name} learns from differences: {pairs.ref} must hold similar and dissimilar "
                f"pairs, got {len(pairs)} pairs that all have the target {targets[:1].tolist()}. Add the other class, "
                "or choose multiple_negatives_ranking, which needs similar pairs alone."
            )
        return TrainingRows(np.arange(len(pairs)), targets, 0)
    similar = np.flatnonzero(pairs.labels(score_cut) == 1)
    if len(similar) < 2:
        raise TrainingError(
            f"{CONTRACTS[loss].class_name} learns from similar pairs alone; {pairs.ref} must hold at least 2, got "
            f"{len(similar)} of {len(pairs)} pairs (label 1, or score at least {score_cut:g})."
        )
    return TrainingRows(similar, None, len(pairs) - len(similar))


def build_loss(loss: LossName, model: SentenceTransformer) -> Any:
    """Return the torch module that computes a loss on `model`."""
    from sentence_transformers.sentence_transformer import losses

    return getattr(losses, CONTRACTS[loss].class_name)(model)
