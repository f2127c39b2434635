"""How many tokens a text has for an encoder, and how many it reads: the tokenizer alone, without the weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simtune_core.encoders.catalogue import Encoder
from simtune_core.errors import EncoderError
from simtune_core.files import read_json
from simtune_core.preparing.description import Unit

_BATCH = 4096  # texts counted between two reports
_UNLIMITED = 1_000_000  # tokenizers write a huge number where there is no limit

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True, eq=False)
class Counter:
    """Counts the length of texts as an encoder does.

    Attributes:
        count: Returns the length of each text, special tokens included.
        unit: What is counted; words where the encoder has no tokenizer.
        limit: How much it reads of a text; None where it reads all.
    """

    count: Callable[[Sequence[str]], list[int]]
    unit: Unit
    limit: int | None


def counter_of(encoder: Encoder) -> Counter:
    """Return what counts texts as an encoder reads them: tokens, or words where it has no tokenizer.

    Raises:
        EncoderError: If its tokenizer cannot be read.
    """
    if encoder.kind not in ("transformer", "full", "head", "lora"):  # TF-IDF, vectors from outside
        return Counter(_words, "words", None)
    folder = _tokenizer_folder(encoder)
    count = _fast(folder) if (folder / "tokenizer.json").exists() else _slow(folder, encoder)
    return Counter(count, "tokens", _limit(encoder, folder))


def lengths_of(counter: Counter, texts: Sequence[str], progress: Progress | None = None) -> NDArray[np.int64]:
    """Return the length of each text in the counter's unit; shape (n_texts,)."""
    lengths = np.empty(len(texts), dtype=np.int64)
    for start in range(0, len(texts), _BATCH):
        part = texts[start : start + _BATCH]
        lengths[start : start + len(part)] = counter.count(part)
        if progress:
            progress(start + len(part), len(texts), f"counting {counter.unit}")
    return lengths


def _words(texts: Sequence[str]) -> list[int]:
    return [len(text.split()) for text in texts]


def _fast(folder: Path) -> Callable[[Sequence[str]], list[int]]:
    """Count with the tokenizer's own file, which needs neither transformers nor torch (5 s of imports)."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return lambda texts: [len(encoded.ids) for encoded in tokenizer.encode_batch_fast(list(texts))]


def _slow(folder: Path, encoder: Encoder) -> Callable[[Sequence[str]], list[int]]:
    from transformers import AutoTokenizer

    try:
        tokenizer: Any = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
    except (OSError, ValueError, KeyError) as error:
        raise EncoderError(f"The tokenizer of {encoder.title} cannot be loaded: {str(error)[:200]}") from error
    return lambda texts: [len(ids) for ids in tokenizer(list(texts), truncation=False, verbose=False)["input_ids"]]


def _tokenizer_folder(encoder: Encoder) -> Path:
    """Return the folder of the first module: of the whole model's own files, of a head's or an adapter's base."""
    from simtune_core.training.artifacts import read_manifest

    if encoder.kind in ("head", "lora") and encoder.base is not None:
        return _tokenizer_folder(encoder.base)
    if encoder.folder is None:
        raise EncoderError(f"{encoder.title} has no files to read its tokenizer from.")
    folder = encoder.folder / read_manifest(encoder.folder).part if encoder.kind == "full" else encoder.folder
    modules = folder / "modules.json"
    return folder / (str(read_json(modules)[0].get("path", "")) if modules.exists() else "")


def _limit(encoder: Encoder, folder: Path) -> int | None:
    """Return how many tokens the encoder reads, as sentence-transformers finds it.

    Source:
        sentence_transformers 6.2, base/modules/transformer.py: `max_seq_length` of the module's configuration, else the
        tokenizer's `model_max_length`, at most the model's `max_position_embeddings`.
    """
    from simtune_core.training.artifacts import read_manifest

    if encoder.tuned and encoder.folder is not None:
        return read_manifest(encoder.folder).max_seq_length
    told = _told(folder, "sentence_bert_config.json").get("max_seq_length")
    if isinstance(told, int):
        return told
    known = [
        _told(folder, "tokenizer_config.json").get("model_max_length"),
        _told(folder, "config.json").get("max_position_embeddings"),
    ]
    bounds = [int(each) for each in known if isinstance(each, int | float) and 0 < each < _UNLIMITED]
    return min(bounds, default=None)


def _told(folder: Path, file: str) -> dict[str, Any]:
    path = folder / file
    told = read_json(path) if path.exists() else {}
    return told if isinstance(told, dict) else {}
