"""How many texts a run reads only the beginning of, and how many of them its base would read whole. Trains nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_SPECIAL = 8  # at most so many tokens are added to a text's own


@dataclass(frozen=True, slots=True)
class Truncation:
    """What a limit in tokens cuts.

    Attributes:
        limit: Tokens that are read of a text, special tokens included.
        base_limit: Tokens that the untouched base reads; at least `limit`.
        n_texts: Texts looked at, each once.
        n_cut: Texts with more tokens than `limit`.
        n_cut_by_base: Texts with more tokens than `base_limit`.
    """

    limit: int
    base_limit: int
    n_texts: int
    n_cut: int
    n_cut_by_base: int


def limit_length(model: SentenceTransformer, asked: int, texts: Sequence[str]) -> Truncation:
    """Let a model read at most `asked` tokens, never more than it can, and count what that cuts.

    Args:
        model: The untouched model; its `max_seq_length` is set.
        asked: Greatest length asked for, in tokens.
        texts: Every text of the run.
    """
    base_limit = int(model.max_seq_length or asked)
    model.max_seq_length = limit = min(asked, base_limit)
    unique = list(dict.fromkeys(texts))
    may_be_cut = [text for text in unique if len(text.encode()) + _SPECIAL > limit]  # a token is at least a byte
    counts = _token_counts(model, may_be_cut)
    cut, cut_by_base = (sum(count > bound for count in counts) for bound in (limit, base_limit))
    return Truncation(limit, base_limit, len(unique), cut, cut_by_base)


def _token_counts(model: SentenceTransformer, texts: list[str]) -> list[int]:
    """Return the number of tokens of each text, special tokens included."""
    tokenizer: Any = model.tokenizer
    if not texts:
        return []
    return [len(tokens) for tokens in tokenizer(texts, truncation=False, verbose=False)["input_ids"]]
