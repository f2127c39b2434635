"""One or two pair sets with the similarities of their pairs: in an encoder's space, and TF-IDF's beside it."""

from __future__ import annotations

from collections.abc import Sequence

from simtune_core.difficulty.scored import ScoredSet
from simtune_core.encoders.catalogue import TFIDF, Encoder, resolve_encoder
from simtune_core.encoders.config import Precision
from simtune_core.encoders.embedding import Progress
from simtune_core.encoders.scoring import score_pairs
from simtune_core.pairs import PairSet
from simtune_core.workspace import Workspace


def score_sets(
    workspace: Workspace,
    encoder: Encoder,
    pairs: Sequence[PairSet],
    *,
    precision: Precision,
    cut: float,
    progress: Progress | None = None,
) -> list[ScoredSet]:
    """Score every pair of the sets in an encoder's space and by TF-IDF, fitted on all unique texts of the sets.

    What was scored before, by whichever job, is read from the cache.

    Args:
        workspace: Whose cache is used.
        encoder: The space; may be TF-IDF.
        pairs: The sets.
        precision: Number format of a transformer.
        cut: A graded pair counts as similar from this score on.
        progress: As in `embed`.

    Returns:
        One scored set for each, in order.
    """
    lexical = score_pairs(workspace, resolve_encoder(workspace, TFIDF), pairs)
    own = lexical
    if encoder.kind != TFIDF:
        own = score_pairs(workspace, encoder, pairs, precision=precision, progress=progress)
    return [
        ScoredSet(each, cosines, words, encoder.title, cut)
        for each, cosines, words in zip(pairs, own, lexical, strict=True)
    ]
