"""What an encoder reads of the texts of a set: which ends are cut off, which languages it speaks. No weights."""

from __future__ import annotations

from dataclasses import dataclass

from simtune_core.encoders.catalogue import Encoder
from simtune_core.languages import languages_of
from simtune_core.near_duplicates import Progress
from simtune_core.pairs import PairSet
from simtune_core.preparing.tokens import counter_of, lengths_of

_SPECIAL = 8  # at most so many tokens are added to a text's own


@dataclass(frozen=True, slots=True)
class Reading:
    """How an encoder reads the texts of one set.

    Attributes:
        n_texts: Different texts.
        limit: Tokens that it reads of a text; None where it reads all.
        cut: The texts with more tokens, and how many they have; longest first.
        spoken: The languages it says it speaks, ISO 639-1; None if it does not say.
    """

    n_texts: int
    limit: int | None
    cut: tuple[tuple[str, int], ...]
    spoken: tuple[str, ...] | None


def read_texts(encoder: Encoder, pairs: PairSet, progress: Progress | None = None) -> Reading | None:
    """Find which texts an encoder reads only the beginning of; None for one that has no tokenizer, such as TF-IDF.

    Raises:
        EncoderError: If its tokenizer cannot be read.
    """
    counter = counter_of(encoder)
    if counter.unit != "tokens":
        return None
    texts = pairs.unique_texts()
    limit = counter.limit
    may_be_cut = [] if limit is None else [text for text in texts if len(text.encode()) + _SPECIAL > limit]
    lengths = lengths_of(counter, may_be_cut, progress).tolist()
    cut = [(text, length) for text, length in zip(may_be_cut, lengths, strict=True) if length > (limit or 0)]
    below = encoder
    while below.base is not None:
        below = below.base
    spoken = languages_of(below.folder) if below.folder is not None else None
    return Reading(len(texts), limit, tuple(sorted(cut, key=lambda each: (-each[1], each[0]))), spoken)
