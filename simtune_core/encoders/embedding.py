"""Texts to unit vectors, each text once: unique, sorted by length, cached by fingerprint, precision and text hash.

Knows nothing of pairs or labels. The cache may be deleted at any time; a damaged part of it is computed again.
"""

from __future__ import annotations

import hashlib
import logging
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from simtune_core.cache import keep_within_limit, mark_used
from simtune_core.encoders.catalogue import Encoder
from simtune_core.encoders.config import Precision
from simtune_core.encoders.imported import vectors_of
from simtune_core.encoders.loading import load_model, resolve_precision
from simtune_core.errors import EncoderError, WorkspaceError
from simtune_core.files import new_id, whole_file
from simtune_core.workspace import Workspace

SHARD = 2048  # texts embedded between two writes to the cache: what a kill can lose
BATCH = 64
_HASH_BYTES = 16
_log = logging.getLogger(__name__)

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True, eq=False)
class Embeddings:
    """Unit vectors of texts.

    Attributes:
        vectors: float32, shape (n_texts, dim); row i belongs to text i.
        precision: The number format they were computed in.
        n_computed: How many unique texts were not in the cache.
        n_unique: How many unique texts there were.
    """

    vectors: NDArray[np.float32]
    precision: Literal["fp32", "bf16"]
    n_computed: int
    n_unique: int


def embed(
    workspace: Workspace,
    encoder: Encoder,
    texts: Sequence[str],
    *,
    precision: Precision = "auto",
    progress: Progress | None = None,
) -> Embeddings:
    """Embed texts with a transformer, a head or an adapted model, or look up the vectors of an imported encoder.

    Args:
        workspace: Whose cache is used.
        encoder: Any encoder but TF-IDF and imported scores.
        texts: Texts, repeats allowed.
        precision: Number format; auto is bf16 where the hardware computes in it.
        progress: Called with (unique texts done, unique texts to do, what is being done).

    Returns:
        One unit vector per text.

    Raises:
        EncoderError: If the encoder is TF-IDF or holds scores only, cannot be loaded, or was imported without a vector
            for one of the texts.
    """
    if encoder.kind == "tfidf":
        raise EncoderError("TF-IDF gives sparse vectors of its own; score pairs with it instead of embedding texts.")
    if encoder.kind == "scores":
        raise EncoderError(f"{encoder.name} holds scores of pairs and no vectors; it can score pairs, nothing else.")
    if encoder.kind == "vectors" and encoder.folder is not None:
        return Embeddings(vectors_of(encoder.name, encoder.folder, texts), "fp32", 0, len(set(texts)))
    if encoder.kind == "head" and encoder.base is not None and encoder.folder is not None:
        below = embed(workspace, encoder.base, texts, precision=precision, progress=progress)
        return replace(below, vectors=_through_head(encoder.folder, below.vectors))
    resolved = resolve_precision(precision)
    keys = [_key(text) for text in texts]
    unique = dict(zip(keys, texts, strict=True))
    vectors = _read_cache(cache_folder(workspace, encoder, resolved), unique)
    missing = [key for key in unique if key not in vectors]
    if missing:
        vectors |= _compute(workspace, encoder, resolved, {key: unique[key] for key in missing}, progress)
    elif progress:
        progress(len(unique), len(unique), "all texts were embedded before")
    matrix = np.stack([vectors[key] for key in keys]) if keys else np.zeros((0, 0), np.float32)
    return Embeddings(matrix, resolved, len(missing), len(unique))


def cache_folder(workspace: Workspace, encoder: Encoder, precision: str) -> Path:
    """Return where the vectors of an encoder in one precision are cached; `*` for the precision gives a pattern."""
    return workspace.cache / "embeddings" / f"{encoder.fingerprint[:24]}-{precision}"


def count_truncated(encoder: Encoder, texts: Sequence[str]) -> int:
    """Return how many texts have more tokens than the encoder reads; their ends are cut off unseen."""
    model = load_model(encoder)
    tokenizer: Any = model.tokenizer
    limit = model.max_seq_length or tokenizer.model_max_length
    encoded = tokenizer(list(texts), truncation=False, add_special_tokens=True, verbose=False)["input_ids"]
    return sum(len(tokens) > limit for tokens in encoded)


def _through_head(folder: Path, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Map base vectors through a linear head; normalising before or after it gives the same direction."""
    from simtune_core.training.artifacts import head_weight

    return unit_rows(vectors @ head_weight(folder).T)


def unit_rows(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale every row to length 1; a zero row stays zero. Shape (n, dim)."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(norms == 0, 1, norms), dtype=np.float32)


def _compute(
    workspace: Workspace,
    encoder: Encoder,
    precision: Literal["fp32", "bf16"],
    texts: dict[bytes, str],
    progress: Progress | None,
) -> dict[bytes, NDArray[np.float32]]:
    if progress:
        progress(0, len(texts), f"loading {encoder.title}")
    model = load_model(encoder, precision=precision)
    ordered = sorted(texts, key=lambda key: len(texts[key]), reverse=True)  # longest first: memory is known at once
    vectors: dict[bytes, NDArray[np.float32]] = {}
    shard: dict[bytes, NDArray[np.float32]] = {}
    for start in range(0, len(ordered), BATCH):
        keys = ordered[start : start + BATCH]
        batch = [texts[key] for key in keys]
        output = model.encode(batch, batch_size=BATCH, show_progress_bar=False, convert_to_tensor=True)
        rows = unit_rows(output.float().cpu().numpy())
        shard |= dict(zip(keys, rows, strict=True))
        last = start + BATCH >= len(ordered)
        if len(shard) >= SHARD or last:
            _write_shard(cache_folder(workspace, encoder, precision), shard)
            keep_within_limit(workspace)
            vectors |= shard
            shard = {}
        if progress:
            progress(min(start + BATCH, len(ordered)), len(ordered), f"embedding with {encoder.title} ({precision})")
    return vectors


def _write_shard(folder: Path, shard: dict[bytes, NDArray[np.float32]]) -> None:
    keys = np.frombuffer(b"".join(shard), dtype=np.uint8).reshape(len(shard), _HASH_BYTES)
    try:
        with whole_file(folder / f"part-{new_id()}.npz") as beside, beside.open("wb") as file:
            np.savez(file, keys=keys, vectors=np.stack(list(shard.values())))
    except WorkspaceError as error:
        if not isinstance(error.__cause__, FileNotFoundError):
            raise
        _log.warning("the cache was deleted while it was written; these vectors are not kept in it")


def _read_cache(folder: Path, wanted: dict[bytes, str]) -> dict[bytes, NDArray[np.float32]]:
    found: dict[bytes, NDArray[np.float32]] = {}
    for path in sorted(folder.glob("part-*.npz")):
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as part:
                keys, vectors = part["keys"], part["vectors"]
        except FileNotFoundError:  # another process made room, or somebody emptied the cache
            continue
        except (OSError, ValueError, KeyError, EOFError, IndexError, zipfile.BadZipFile):
            _log.warning("cache file %s is damaged and ignored; its texts are embedded again", path.name)
            path.unlink(missing_ok=True)
            continue
        rows = {key: vectors[row] for row, key in enumerate(map(bytes, keys)) if key in wanted}
        if rows:
            mark_used(path)
        found |= rows
    return found


def _key(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()[:_HASH_BYTES]
