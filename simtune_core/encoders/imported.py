"""Encoders that were computed elsewhere: vectors of texts, or scores of pairs of texts, as a folder in `models/`.

A model behind an API is one: its vectors are brought in once and serve like any encoder's, without a device. It knows
only the texts it was brought with, and says so for every other. Reads no foreign file: that is intake.py.

`models/<name>/vectors.safetensors` holds `keys` (uint8, one row of 16 a text, of its sha256) and `vectors` (float32,
unit length); `scores.safetensors` holds `keys` (of the two texts of a pair, whichever comes first) and `scores`.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from simtune_core.errors import EncoderError, WorkspaceError
from simtune_core.files import read_json, sha256_file, sha256_json, whole_folder, write_json
from simtune_core.pairs import PairSet
from simtune_core.workspace import Workspace

ImportedKind = Literal["vectors", "scores"]
IMPORTED: tuple[ImportedKind, ...] = ("vectors", "scores")
MANIFEST = "manifest.json"
_KEY_BYTES = 16
_BLOCK = 1 << 16  # vectors read at once


@dataclass(frozen=True, slots=True)
class ImportedManifest:
    """What an imported encoder is made of.

    Attributes:
        model_id: Name of its folder in `models/`.
        kind: `vectors` of texts or `scores` of pairs.
        source: Name of the file it came from; never a path.
        source_sha256: sha256 of that file.
        columns: Which column or array of the file was taken as what.
        n: How many texts, or pairs, it covers.
        dim: Length of a vector; None for scores.
        low: The least score; None for vectors.
        high: The greatest score; None for vectors.
        notes: What was left out or changed on the way in.
        job: Id of the job that brought it in.
        files: sha256 of every file saved, by its name.
        created: Unix time of saving.
        v: Version of this format.
    """

    model_id: str
    kind: ImportedKind
    source: str
    source_sha256: str | None
    columns: Mapping[str, str]
    n: int
    dim: int | None
    low: float | None
    high: float | None
    notes: Sequence[str]
    job: str | None
    files: Mapping[str, str]
    created: float
    v: int = 1

    @property
    def scale(self) -> str:
        """Return the range that its scores lie in, as a page states it: `[0, 1]` or `[-1, 1]`."""
        return "[0, 1]" if self.kind == "scores" and self.low is not None and self.low >= 0 else "[-1, 1]"


def save_vectors(
    workspace: Workspace, name: str, texts: Sequence[str], vectors: NDArray[np.float32], *, facts: Mapping[str, Any]
) -> ImportedManifest:
    """Save vectors as an encoder, whole or not at all.

    Args:
        workspace: Where `models/` is.
        name: The encoder's name.
        texts: Distinct texts.
        vectors: Their vectors, finite and not zero, shape (n_texts, dim); saved at unit length.
        facts: `source`, `source_sha256`, `columns`, `notes` and `job` of the manifest.

    Raises:
        WorkspaceError: If the name is taken or not allowed, or the disk is full.
    """
    lengths = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    unit = (vectors / lengths).astype(np.float32)
    tensors = {"keys": _keys(texts, text_key), "vectors": np.ascontiguousarray(unit)}
    told = {"kind": "vectors", "n": len(texts), "dim": int(vectors.shape[1]), "low": None, "high": None}
    return _save(workspace, name, tensors, {**facts, **told})


def save_scores(
    workspace: Workspace,
    name: str,
    pairs: Sequence[tuple[str, str]],
    scores: NDArray[np.float32],
    *,
    facts: Mapping[str, Any],
) -> ImportedManifest:
    """Save scores of pairs as an encoder; as `save_vectors`.

    Args:
        workspace: Where `models/` is.
        name: The encoder's name.
        pairs: Distinct pairs of texts, in either order.
        scores: Finite, in [-1, 1], shape (n_pairs,).
        facts: As in `save_vectors`.
    """
    keys = _keys(pairs, lambda pair: pair_key(*pair))
    told = {"kind": "scores", "n": len(pairs), "dim": None, "low": float(scores.min()), "high": float(scores.max())}
    return _save(workspace, name, {"keys": keys, "scores": scores.astype(np.float32)}, {**facts, **told})


def is_imported(folder: Path) -> bool:
    """Tell whether a folder of `models/` holds an imported encoder rather than a tuned model."""
    try:
        manifest = read_json(folder / MANIFEST)
    except WorkspaceError:
        return False
    return isinstance(manifest, dict) and manifest.get("kind") in IMPORTED


def read_imported(folder: Path) -> ImportedManifest:
    """Read the manifest of an imported encoder.

    Raises:
        EncoderError: If the folder is none, or its manifest is damaged.
    """
    try:
        values = read_json(folder / MANIFEST)
    except WorkspaceError as error:
        raise EncoderError(f"{folder.name} must be an imported encoder with a {MANIFEST}; {error}") from error
    names = {field.name for field in fields(ImportedManifest)}
    if not isinstance(values, dict) or set(values) != names or values["kind"] not in IMPORTED:
        raise EncoderError(
            f"The {MANIFEST} of {folder.name} must hold exactly {', '.join(sorted(names))} and a kind of "
            f"{', '.join(IMPORTED)}; it was written by another version or damaged. Import the encoder again."
        )
    return ImportedManifest(**values)


def list_imported(workspace: Workspace) -> list[ImportedManifest]:
    """Return the manifests of all readable imported encoders, oldest first."""
    folders = [path.parent for path in workspace.models.glob(f"*/{MANIFEST}") if is_imported(path.parent)]
    found = []
    for folder in folders:
        try:
            found.append(read_imported(folder))
        except EncoderError:
            continue
    return sorted(found, key=lambda manifest: manifest.created)


def fingerprint_of(folder: Path, digest: Callable[[Path], str]) -> tuple[ImportedKind, str]:
    """Return the kind and the fingerprint of an imported encoder, once its files are as they were saved.

    Args:
        folder: Its folder.
        digest: What gives the sha256 of a file.

    Raises:
        EncoderError: If a file is missing or is not the one that was saved.
    """
    manifest = read_imported(folder)
    found = {name: digest(folder / name) for name in manifest.files}
    changed = [name for name, value in manifest.files.items() if found[name] != value]
    if changed:
        raise EncoderError(
            f"Encoder {folder.name}: {', '.join(changed)} is not the file that was saved (its sha256 differs from the "
            "manifest). Import it again under another name, or restore the file."
        )
    return manifest.kind, sha256_json({"kind": manifest.kind, "files": found})


def vectors_of(name: str, folder: Path, texts: Sequence[str]) -> NDArray[np.float32]:
    """Return the vectors of texts.

    Args:
        name: The encoder's name, for the sentence.
        folder: Its folder.
        texts: Texts, repeats allowed.

    Returns:
        Unit vectors, float32, shape (n_texts, dim).

    Raises:
        EncoderError: If a text has no vector, with how many have none and one of them.
    """
    unique = list(dict.fromkeys(texts))
    rows = _rows_of(folder / "vectors.safetensors", [text_key(text) for text in unique])
    missing = np.flatnonzero(rows < 0)
    if len(missing):
        raise EncoderError(
            f"{len(missing):,} of {len(unique):,} texts have no vector in {name}, such as "
            f"{_cut(unique[missing[0]])!r}; import them too, under another name."
        )
    place = dict(zip(unique, rows.tolist(), strict=True))
    return _read_rows(folder / "vectors.safetensors", "vectors", np.array([place[text] for text in texts], np.int64))


def scores_of(name: str, folder: Path, pairs: PairSet) -> NDArray[np.float32]:
    """Return the scores of pairs, whichever text of a pair comes first.

    Args:
        name: The encoder's name, for the sentence.
        folder: Its folder.
        pairs: The pairs.

    Returns:
        Scores in [-1, 1], shape (n_pairs,).

    Raises:
        EncoderError: If a pair has no score, with how many have none and one of them.
    """
    texts = list(zip(pairs.frame["sentence1"], pairs.frame["sentence2"], strict=True))
    rows = _rows_of(folder / "scores.safetensors", [pair_key(*pair) for pair in texts])
    missing = np.flatnonzero(rows < 0)
    if len(missing):
        first, second = (_cut(text) for text in texts[missing[0]])
        raise EncoderError(
            f"{len(missing):,} of {len(texts):,} pairs of {pairs.ref} have no score in {name}, such as {first!r} and "
            f"{second!r}; import them too, under another name."
        )
    return _read_rows(folder / "scores.safetensors", "scores", rows)


def text_key(text: str) -> bytes:
    """Return what a text is known by: the first 16 bytes of its sha256."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:_KEY_BYTES]


def pair_key(first: str, second: str) -> bytes:
    """Return what a pair of texts is known by, whichever comes first."""
    return hashlib.sha256(b"".join(sorted((text_key(first), text_key(second))))).digest()[:_KEY_BYTES]


def _keys(items: Sequence[Any], key: Callable[[Any], bytes]) -> NDArray[np.uint8]:
    return np.frombuffer(b"".join(map(key, items)), dtype=np.uint8).reshape(len(items), _KEY_BYTES).copy()


def _save(
    workspace: Workspace, name: str, tensors: dict[str, NDArray[Any]], facts: Mapping[str, Any]
) -> ImportedManifest:
    from safetensors.numpy import save_file

    with whole_folder(workspace.model(name)) as folder:
        file = f"{facts['kind']}.safetensors"
        save_file(tensors, folder / file)
        files = {file: sha256_file(folder / file)}
        manifest = ImportedManifest(**facts, model_id=name, files=files, created=time.time())
        write_json(folder / MANIFEST, asdict(manifest))
    return manifest


def _rows_of(file: Path, wanted: Sequence[bytes]) -> NDArray[np.int64]:
    """Return the row of each key in a file, -1 where it has none; shape (n,)."""
    with _opened(file) as tensors:
        keys = tensors.get_tensor("keys").tobytes()
    asked = set(wanted)
    parts = (keys[start : start + _KEY_BYTES] for start in range(0, len(keys), _KEY_BYTES))
    found = {key: row for row, key in enumerate(parts) if key in asked}
    return np.array([found.get(key, -1) for key in wanted], dtype=np.int64)


def _read_rows(file: Path, name: str, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return rows of a tensor without holding all of it."""
    with _opened(file) as tensors:
        part = tensors.get_slice(name)
        shape = part.get_shape()
        made = np.empty((len(rows), *shape[1:]), dtype=np.float32)
        order = np.argsort(rows, kind="stable")
        ends = np.searchsorted(rows[order], np.arange(0, shape[0] + _BLOCK, _BLOCK))
        for block, (start, end) in enumerate(pairwise(ends)):
            if end > start:
                chosen = order[start:end]
                held = part[block * _BLOCK : min((block + 1) * _BLOCK, shape[0])]
                made[chosen] = held[rows[chosen] - block * _BLOCK]
    return made


def _opened(file: Path) -> Any:
    from safetensors import SafetensorError, safe_open

    try:
        return safe_open(file, framework="numpy")
    except (OSError, SafetensorError) as error:
        raise EncoderError(f"{file.parent.name}/{file.name} cannot be read: {error}. Import it again.") from error


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 80 else f"{line[:79]}…"
