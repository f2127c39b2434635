"""A second model's word on mined negatives: a bi-encoder, TF-IDF, or a cross-encoder of sentence-transformers.

Loads and scores; which negative is dropped for it is said in from_pairs.py and from_candidates.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simtune_core.candidates.products import cosines
from simtune_core.encoders.catalogue import TFIDF, Encoder
from simtune_core.encoders.config import Precision
from simtune_core.encoders.embedding import embed
from simtune_core.encoders.tfidf import tfidf_matrix
from simtune_core.errors import EncoderError, WorkspaceError
from simtune_core.files import read_json
from simtune_core.workspace import Workspace

_BATCH = 64

Progress = Callable[[int, int, str], None]
Positions = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class PairScorer:
    """A model that scores pairs of texts, which are told by their positions.

    Attributes:
        title: Its name as pages show it.
        score: Positions of first and of second texts to scores; all of shape (n_pairs,).
    """

    title: str
    score: Callable[[Positions, Positions], NDArray[np.float32]]


def pair_scorer(
    workspace: Workspace,
    encoder: Encoder,
    texts: Sequence[str],
    *,
    precision: Precision = "auto",
    progress: Progress | None = None,
) -> PairScorer:
    """Return what scores pairs of these texts with a model.

    Args:
        workspace: Whose cache of embeddings is used.
        encoder: The model; TF-IDF is fitted on the texts, a bi-encoder embeds them all at once, a cross-encoder reads
            each pair when it is asked for.
        texts: Unique texts.
        precision: Number format of a bi-encoder.
        progress: As in `embed`.

    Raises:
        EncoderError: If it holds scores of pairs only, or is a cross-encoder of several outputs.
    """
    if is_cross_encoder(encoder):
        return _cross_scorer(encoder, texts)
    vectors: Any
    if encoder.kind == TFIDF:
        vectors = tfidf_matrix(texts)
    else:
        vectors = embed(workspace, encoder, texts, precision=precision, progress=progress).vectors
    return PairScorer(encoder.title, lambda first, second: cosines(vectors, first, second))


def is_cross_encoder(encoder: Encoder) -> bool:
    """Tell whether an encoder's folder holds a cross-encoder, which reads both texts of a pair at once."""
    if encoder.kind != "transformer" or encoder.folder is None:
        return False
    if _held(encoder.folder / "config_sentence_transformers.json").get("model_type") == "CrossEncoder":
        return True
    architectures = _held(encoder.folder / "config.json").get("architectures") or []
    return any(str(name).endswith("ForSequenceClassification") for name in architectures)


def _cross_scorer(encoder: Encoder, texts: Sequence[str]) -> PairScorer:
    from sentence_transformers import CrossEncoder

    try:
        model = CrossEncoder(str(encoder.folder), local_files_only=True, model_kwargs={"use_safetensors": True})
    except (OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
        reason = str(error).strip().partition("\n")[0][:300]
        raise EncoderError(f"{encoder.title} cannot be loaded as a cross-encoder: {reason}") from error
    if model.num_labels != 1:
        raise EncoderError(
            f"A cross-encoder that vetoes must have one output, a score of similarity; {encoder.title} has "
            f"{model.num_labels}."
        )

    def score(first: Positions, second: Positions) -> NDArray[np.float32]:
        pairs = [(texts[one], texts[other]) for one, other in zip(first.tolist(), second.tolist(), strict=True)]
        if not pairs:
            return np.zeros(0, dtype=np.float32)
        found = np.asarray(model.predict(pairs, batch_size=_BATCH, show_progress_bar=False), dtype=np.float32)
        if not np.isfinite(found).all():
            raise EncoderError(
                f"{encoder.title} must give finite scores, got NaN or infinity; its weights are damaged."
            )
        return found

    return PairScorer(encoder.title, score)


def _held(path: Path) -> dict[str, Any]:
    try:
        held = read_json(path)
    except WorkspaceError:
        return {}
    return held if isinstance(held, dict) else {}
