"""Texts that are the same but for case, punctuation and small edits: groups within a list, pairs across two lists.

Texts that are equal after `normalise` are found by hashing. For the rest, each text is the set of its character
n-grams; MinHash signatures in bands of slots give candidates, and every candidate is verified by the exact Jaccard
similarity of the two sets, so that nothing is joined by an estimate. What lies clearly above the threshold is found
with a probability close to 1 (`RECALL` at the threshold itself). Knows nothing of records, pairs or labels.

Character n-grams rather than words: they serve every script, and in a short text one differing word is another text
("how do I top up with my credit card", "... debit card": 0.62 here, 0.80 in words), while in a long one it is not.

Source: Broder, On the resemblance and containment of documents, 1997; Indyk and Motwani, Approximate nearest
neighbours, 1998 (bands); signatures by rensa (Dahlgaard et al., Fast similarity sketching, 2017).
"""

from __future__ import annotations

import functools
import sys
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simtune_core.errors import DataFaultError

NEAR_DUPLICATE = 0.8  # Jaccard similarity of the n-gram sets from which on two texts are near-duplicates
SHINGLE = 5  # characters of an n-gram
RECALL = 0.999  # probability, at least, that two texts exactly at the threshold become candidates
_SLOTS = 128  # of a signature
_SEED = 42
_WINDOW, _WINDOW_ACROSS = 32, 8  # texts of one bucket that each text is compared with: in one list, in another
_SLACK = 4 * np.sqrt(0.25 / _SLOTS)  # an estimate lies this far below the truth less than once in 10,000
_CHUNK = 8192  # texts shingled, or candidates verified, at a time
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))  # of splitmix64

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True, eq=False)
class NearPairs:
    """Near-duplicates across two lists of texts; texts of one list that are equal after `normalise` count once.

    Attributes:
        first: Index into the first list, the first of its equals; shape (n,).
        second: Index into the second list, the first of its equals; shape (n,).
        jaccard: Similarity of the n-gram sets, in [threshold, 1]; 1 where the texts are equal after `normalise`.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    jaccard: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.first)


def normalise(text: str) -> str:
    """Return a text without what makes no difference: NFKC, case folded, words parted by one blank, no punctuation.

    Symbols such as `+` or an emoji stay. A text of nothing but punctuation keeps it.
    """
    folded = text.lower() if text.isascii() else _nfkc(_nfkc(text).casefold())
    return " ".join(folded.translate(_without()).split()) or folded.strip()


def near_duplicate_groups(
    texts: Sequence[str], *, threshold: float = NEAR_DUPLICATE, progress: Progress | None = None
) -> NDArray[np.int64]:
    """Put texts that are equal after `normalise`, or near-duplicates, into one group; joined transitively.

    Args:
        texts: Any texts, repeats allowed.
        threshold: Jaccard similarity of the character n-gram sets from which on two texts are joined, in (0, 1].
        progress: Called with (texts done, texts to do, what is being done).

    Returns:
        The group of each text, numbered from 0 in order of first appearance; shape (n_texts,).

    Raises:
        DataFaultError: If the threshold is not in (0, 1].
    """
    _require_threshold(threshold)
    keys, places, _ = _distinct(texts)
    if threshold == 1 or len(keys) < 2:
        return places
    return _numbered(_joined(keys, _signatures(keys, progress), threshold)[places])


def near_duplicate_pairs(
    texts: Sequence[str], others: Sequence[str], *, threshold: float = NEAR_DUPLICATE, progress: Progress | None = None
) -> NearPairs:
    """Find the near-duplicates between two lists of texts.

    Args:
        texts: The first list, repeats allowed.
        others: The second list, repeats allowed.
        threshold: Jaccard similarity of the character n-gram sets from which on two texts are a pair, in (0, 1].
        progress: Called with (texts done, texts to do, what is being done).

    Returns:
        The pairs in order of `first`, then `second`. A text with dozens of near-duplicates in the second list has some
        of them.

    Raises:
        DataFaultError: If the threshold is not in (0, 1].
    """
    _require_threshold(threshold)
    keys, _, firsts = _distinct(texts)
    other_keys, _, other_firsts = _distinct(others)
    known = {key: place for place, key in enumerate(other_keys)}
    equal = [place * len(other_keys) + known[key] for place, key in enumerate(keys) if key in known]
    codes = np.array(equal, dtype=np.int64)
    if threshold < 1 and keys and other_keys:
        signatures = _signatures([*keys, *other_keys], progress)
        near = _candidates(signatures[: len(keys)], signatures[len(keys) :], threshold)
        codes = np.union1d(codes, near[0] * len(other_keys) + near[1])
    first, second = np.divmod(codes, max(1, len(other_keys)))
    similarity = _similarities(keys, other_keys, first, second)
    near_enough = similarity >= threshold
    first, second, similarity = first[near_enough], second[near_enough], similarity[near_enough]
    first, second = firsts[first], other_firsts[second]
    order = np.lexsort((second, first))
    return NearPairs(first[order], second[order], similarity[order])


def jaccard(text: str, other: str) -> float:
    """Return the Jaccard similarity of the n-gram sets of two texts, in [0, 1]; the measure of this module."""
    sets = [set(hashes.tolist()) for hashes in np.split(*_shingles([normalise(text), normalise(other)]))]
    return len(sets[0] & sets[1]) / len(sets[0] | sets[1])


def _nfkc(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


@functools.cache
def _without() -> dict[int, str]:
    """Return what `str.translate` makes of punctuation, separators, controls (a blank) and format marks (nothing)."""
    table = {}
    for point in range(sys.maxunicode + 1):
        category = unicodedata.category(chr(point))
        if category[0] in "PZ" or category == "Cc":
            table[point] = " "
        elif category == "Cf":
            table[point] = ""
    return table


def _require_threshold(threshold: float) -> None:
    if not 0 < threshold <= 1:
        raise DataFaultError(f"The near-duplicate threshold must be above 0 and at most 1, got {threshold:g}.")


def _distinct(texts: Sequence[str]) -> tuple[list[str], NDArray[np.int64], NDArray[np.int64]]:
    """Return the normalised texts, each once, the place of every text in them, and where each appears first."""
    numbers: dict[str, int] = {}
    places = np.fromiter((numbers.setdefault(normalise(text), len(numbers)) for text in texts), np.int64, len(texts))
    _, firsts = np.unique(places, return_index=True)
    return list(numbers), places, firsts.astype(np.int64)


def _numbered(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return labels as numbers from 0 in order of first appearance."""
    _, firsts, inverse = np.unique(labels, return_index=True, return_inverse=True)
    rank = np.empty(len(firsts), dtype=np.int64)
    rank[np.argsort(firsts)] = np.arange(len(firsts))
    return rank[inverse]


def _shingles(keys: Sequence[str]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Return the hashed n-grams of all texts in a row, and where each text but the first begins; shape (n - 1,).

    A text is padded by blanks so that its first and last word count as words, and filled up to one n-gram.
    """
    padded = [f" {key} ".ljust(SHINGLE) for key in keys]
    points = np.frombuffer("".join(padded).encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
    lengths = np.fromiter(map(len, padded), np.int64, len(padded))
    starts = np.cumsum(lengths) - lengths
    hashes = np.zeros(len(points) - SHINGLE + 1, dtype=np.uint64)
    for offset in range(SHINGLE):
        hashes = hashes * _MULTIPLIER + points[offset : offset + len(hashes)]
    inside = np.ones(len(points), dtype=bool)
    for back in range(1, SHINGLE):
        inside[starts + lengths - back] = False  # n-grams that would run into the next text
    counts = lengths - SHINGLE + 1
    return _mixed(hashes[inside[: len(hashes)]]), np.cumsum(counts)[:-1]


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return values with their bits spread, one to one (splitmix64)."""
    for shift, factor in zip((30, 27), _MIX, strict=True):
        values = (values ^ (values >> np.uint64(shift))) * factor
    return values ^ (values >> np.uint64(31))


def _signatures(keys: Sequence[str], progress: Progress | None) -> NDArray[np.uint32]:
    """Return the MinHash signature of each text, shape (n_texts, _SLOTS)."""
    from rensa import RMinHash

    signatures = np.empty((len(keys), _SLOTS), dtype=np.uint32)
    for start in range(0, len(keys), _CHUNK):
        part = keys[start : start + _CHUNK]
        hashes, bounds = _shingles(part)
        offsets = np.r_[0, bounds, len(hashes)].astype(np.uint64)
        matrix = RMinHash.digest_matrix_from_flat_token_hashes(hashes, offsets, _SLOTS, _SEED)
        signatures[start : start + len(part)] = matrix.to_rows()
        if progress:
            progress(start + len(part), len(keys), "looking for near-duplicates")
    return signatures


def _rows_of_band(threshold: float) -> int:
    """Return the most slots of a band with which texts at the threshold still become candidates (`RECALL`)."""
    rows = 1
    while 1 - (1 - threshold ** (rows + 1)) ** (_SLOTS // (rows + 1)) >= RECALL:
        rows += 1
    return rows


def _joined(keys: Sequence[str], signatures: NDArray[np.uint32], threshold: float) -> NDArray[np.int64]:
    """Return a component number of each text; what is joined already is not compared again. Shape (n_texts,)."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n = len(keys)
    component = np.arange(n)
    refused = np.empty(0, dtype=np.int64)
    for band in _bands(signatures, threshold):
        for first, second in _in_one_bucket(band, band, within=True):
            open_ = component[first] != component[second]
            first, second = _likely(signatures, signatures, first[open_], second[open_], threshold)
            codes = np.setdiff1d(first * n + second, refused)
            first, second = codes // n, codes % n
            near = _similarities(keys, keys, first, second) >= threshold
            refused = np.concatenate([refused, codes[~near]])
            if near.any():
                edges = (np.ones(near.sum(), dtype=np.int8), (component[first[near]], component[second[near]]))
                merged = connected_components(coo_array(edges, shape=(n, n)), directed=False)[1]
                component = merged[component].astype(np.int64)
    return component


def _candidates(
    signatures: NDArray[np.uint32], others: NDArray[np.uint32], threshold: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the pairs across two lists that share a band and may reach the threshold by estimate, each once."""
    found = [np.empty(0, dtype=np.int64)]
    for band, other in zip(_bands(signatures, threshold), _bands(others, threshold), strict=True):
        found += [first * len(others) + second for first, second in _in_one_bucket(band, other, within=False)]
        found = [np.unique(np.concatenate(found))]
    return _likely(signatures, others, found[0] // len(others), found[0] % len(others), threshold)


def _likely(
    signatures: NDArray[np.uint32],
    others: NDArray[np.uint32],
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    threshold: float,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the pairs whose estimated similarity may reach the threshold."""
    likely = np.empty(len(first), dtype=bool)
    for start in range(0, len(first), _CHUNK * 16):
        part = slice(start, start + _CHUNK * 16)
        likely[part] = (signatures[first[part]] == others[second[part]]).mean(axis=1) >= threshold - _SLACK
    return first[likely], second[likely]


def _bands(signatures: NDArray[np.uint32], threshold: float) -> Iterator[NDArray[np.uint64]]:
    """Yield one number per text for each band: texts with equal slots in it have equal numbers. Shape (n_texts,)."""
    rows = _rows_of_band(threshold)
    for start in range(0, _SLOTS - rows + 1, rows):
        keys = np.zeros(len(signatures), dtype=np.uint64)
        for column in signatures[:, start : start + rows].T:
            keys = _mixed(keys * _MULTIPLIER + column)
        yield keys


def _in_one_bucket(
    keys: NDArray[np.uint64], others: NDArray[np.uint64], *, within: bool
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield pairs with equal keys: each text with the next few of its bucket, so that no bucket is squared."""
    order = np.argsort(others, kind="stable")
    ranked = others[order]
    texts = order if within else np.arange(len(keys))
    begin = np.arange(1, len(keys) + 1) if within else np.searchsorted(ranked, keys, "left")
    end = np.searchsorted(ranked, keys[texts], "right")
    for start in (0, 1, 2, 4, 8, 16):
        steps = range(start, min(max(1, 2 * start), _WINDOW if within else _WINDOW_ACROSS))
        present = [(step, begin + step < end) for step in steps]
        first = [texts[there] for _, there in present]
        if not sum(map(len, first)):
            return
        second = [order[begin[there] + step] for step, there in present]
        yield np.concatenate(first), np.concatenate(second)  # in one list the first is the lower: a stable order


def _similarities(
    keys: Sequence[str], others: Sequence[str], first: NDArray[np.int64], second: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the exact Jaccard similarity of pairs of texts, shape (n_pairs,)."""
    parts = [slice(start, start + _CHUNK) for start in range(0, len(first), _CHUNK)]
    return np.concatenate([np.empty(0), *(_exact(keys, others, first[part], second[part]) for part in parts)])


def _exact(
    keys: Sequence[str], others: Sequence[str], first: NDArray[np.int64], second: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the Jaccard similarity of some pairs of texts; equal hashes of 64 bits are taken as equal n-grams."""
    from scipy.sparse import csr_array

    mine, rows = np.unique(first, return_inverse=True)
    theirs, other_rows = np.unique(second, return_inverse=True)
    hashes, bounds = _shingles([*(keys[index] for index in mine), *(others[index] for index in theirs)])
    vocabulary, columns = np.unique(hashes, return_inverse=True)
    offsets = np.r_[0, bounds, len(hashes)]
    shape = (len(mine) + len(theirs), len(vocabulary))
    counted = csr_array((np.ones(len(columns), dtype=np.int32), columns, offsets), shape=shape)
    counted.sum_duplicates()
    counted.data[:] = 1
    sizes = np.diff(counted.indptr)
    left, right = rows, other_rows + len(mine)
    common = np.asarray(counted[left].multiply(counted[right]).sum(axis=1)).ravel()
    return np.asarray(common / (sizes[left] + sizes[right] - common), dtype=np.float64)
