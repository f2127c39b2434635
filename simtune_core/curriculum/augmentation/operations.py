"""The operations of augmentation: a text and a seeded generator in, a changed text out; nothing is read or kept.

Each tries at least one change, and returns the text as it was where the text allows none: one word cannot be swapped, a
script without blanks has one word, and a swap of two equal words changes nothing. No text is emptied, and no character
is cut from the marks that belong to it.

Source:
    Wei and Zou 2019, "EDA: Easy Data Augmentation Techniques for Boosting Performance on Text Classification Tasks":
    random deletion and random swap, alpha changes for each word. Two deviations: deletion takes round(alpha * n) words,
    at least one, where theirs tosses a coin for each word, so that no child equals its parent by chance; duplication
    says a word of the text twice, where their random insertion needs a thesaurus.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable

import numpy as np
import regex

from simtune_core.curriculum.augmentation.config import AugmentConfig, Operation

MARKS = ".,;:!?-"  # what punctuation noise adds, and removes
_WORD = re.compile(r"\S+")
_CLUSTER = regex.compile(r"\X")  # what a reader takes for one character: a letter with its accents, a joined emoji
_KEYBOARD = ("1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm")  # US layout, each row half a key to the right

Operate = Callable[[str, float, np.random.Generator], str]


def changed(text: str, operation: Operation, config: AugmentConfig, rng: np.random.Generator) -> str:
    """Return a text changed by one operation; the text itself where the operation can do nothing with it."""
    if operation == "swap":
        return swap(text, config.swap_rate, rng, neighbours=config.swap_neighbours)
    return _OPERATIONS[operation](text, config.rate(operation), rng)


def delete(text: str, rate: float, rng: np.random.Generator) -> str:
    """Delete words; at least one stays."""
    words = _words(text)
    if len(words) < 2:
        return text
    n_gone = min(_times(rate, len(words)), len(words) - 1)
    kept = sorted(rng.choice(len(words), size=len(words) - n_gone, replace=False).tolist())
    with_blanks = [text[words[place][0] : words[place + 1][0]] for place in kept[:-1]]
    return "".join([text[: words[0][0]], *with_blanks, text[slice(*words[kept[-1]])], text[words[-1][1] :]])


def swap(text: str, rate: float, rng: np.random.Generator, *, neighbours: bool = True) -> str:
    """Swap words with their neighbours, or any two words; the blanks stay where they are."""
    places = _words(text)
    if len(places) < 2:
        return text
    words = [text[start:end] for start, end in places]
    for _ in range(_times(rate, len(words))):
        first = int(rng.integers(len(words) - 1 if neighbours else len(words)))
        second = first + 1 if neighbours else (first + int(rng.integers(1, len(words)))) % len(words)
        words[first], words[second] = words[second], words[first]
    return _replaced(text, places, words)


def duplicate(text: str, rate: float, rng: np.random.Generator) -> str:
    """Say words twice, the second right behind the first."""
    places = _words(text)
    if len(places) < 2:
        return text
    words = [text[start:end] for start, end in places]
    for place in rng.choice(len(words), size=_times(rate, len(words)), replace=False).tolist():
        words[place] = f"{words[place]} {words[place]}"
    return _replaced(text, places, words)


def mistype(text: str, rate: float, rng: np.random.Generator) -> str:
    """Make typing errors: a neighbouring key, a letter left out, typed twice, or swapped with the next letter."""
    clusters = _CLUSTER.findall(text)
    letters = [place for place, cluster in enumerate(clusters) if cluster[0].isalpha()]
    if not letters:
        return text
    for place in sorted(rng.choice(letters, size=_times(rate, len(letters)), replace=False).tolist(), reverse=True):
        _TYPOS[int(rng.integers(len(_TYPOS)))](clusters, place, rng)
    made = "".join(clusters)
    return made if made.strip() else text


def recase(text: str, rate: float, rng: np.random.Generator) -> str:
    """Change the case of words: small letters, capitals, or a capital in front."""
    places = _words(text)
    words = [text[start:end] for start, end in places]
    cased = [place for place, word in enumerate(words) if word.lower() != word.upper()]
    if not cased:
        return text
    for place in rng.choice(cased, size=_times(rate, len(cased)), replace=False).tolist():
        word = words[place]
        forms = [form for form in dict.fromkeys((word.lower(), word.upper(), word.capitalize())) if form != word]
        words[place] = forms[int(rng.integers(len(forms)))]
    return _replaced(text, places, words)


def punctuate(text: str, rate: float, rng: np.random.Generator) -> str:
    """Add marks behind words, or remove marks that are there."""
    made = text
    for _ in range(_times(rate, len(_words(text)))):
        marks = [place for place, character in enumerate(made) if character in MARKS]
        words = _words(made)
        if marks and rng.random() < 0.5:
            place = marks[int(rng.integers(len(marks)))]
            made = made[:place] + made[place + 1 :]
        elif words:
            end = words[int(rng.integers(len(words)))][1]
            made = made[:end] + MARKS[int(rng.integers(len(MARKS)))] + made[end:]
    return made if made.strip() else text


def _neighbouring_key(clusters: list[str], place: int, rng: np.random.Generator) -> None:
    letter = clusters[place]
    near = _neighbours().get(letter.lower())
    if near is None:  # a letter that this keyboard does not have is typed twice instead
        return _twice(clusters, place, rng)
    typed = near[int(rng.integers(len(near)))]
    clusters[place] = typed.upper() if letter.isupper() else typed
    return None


def _left_out(clusters: list[str], place: int, rng: np.random.Generator) -> None:
    if len(clusters) > 1:
        del clusters[place]


def _twice(clusters: list[str], place: int, rng: np.random.Generator) -> None:
    clusters.insert(place, clusters[place])


def _with_the_next(clusters: list[str], place: int, rng: np.random.Generator) -> None:
    following = place + 1
    if following < len(clusters) and clusters[following][0].isalpha() and clusters[following] != clusters[place]:
        clusters[place], clusters[following] = clusters[following], clusters[place]
    else:
        _twice(clusters, place, rng)


_TYPOS = (_neighbouring_key, _left_out, _twice, _with_the_next)
_OPERATIONS: dict[Operation, Operate] = {
    "deletion": delete, "swap": swap, "duplication": duplicate, "typo": mistype, "case": recase,
    "punctuation": punctuate,
}  # fmt: skip


@functools.cache
def _neighbours() -> dict[str, str]:
    """Return the keys around each key of a US keyboard: beside it, and those of the rows above and below."""
    where = {key: (column + row / 2, row) for row, keys in enumerate(_KEYBOARD) for column, key in enumerate(keys)}
    return {
        key: "".join(
            other
            for other, (across, down) in where.items()
            if other != key and other.isalpha() and abs(across - column) <= 1 and abs(down - row) <= 1
        )
        for key, (column, row) in where.items()
        if key.isalpha()
    }


def _words(text: str) -> list[tuple[int, int]]:
    """Return where each word begins and ends; a word is what stands between blanks."""
    return [found.span() for found in _WORD.finditer(text)]


def _replaced(text: str, places: list[tuple[int, int]], words: list[str]) -> str:
    """Return a text with other words at its words' places."""
    parts, end = [], 0
    for (start, stop), word in zip(places, words, strict=True):
        parts += [text[end:start], word]
        end = stop
    return "".join([*parts, text[end:]])


def _times(rate: float, n: int) -> int:
    """Return how many changes a rate makes among `n` places: at least one, at most all."""
    return min(n, max(1, round(rate * n)))
