"""Which languages texts are in, and which an encoder says it speaks: noticed, never acted on.

Identification is by py3langid on a sample; short and doubtful texts are counted as unsure, not as a language.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import yaml

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

# What a text is taken for: languages of many texts, not all 142 that the identifier knows, whose rare ones are noise.
LANGUAGES = {
    "ar": "Arabic", "bg": "Bulgarian", "ca": "Catalan", "cs": "Czech", "da": "Danish", "de": "German", "el": "Greek",
    "en": "English", "es": "Spanish", "et": "Estonian", "eu": "Basque", "fa": "Persian", "fi": "Finnish",
    "fr": "French", "gl": "Galician", "he": "Hebrew", "hi": "Hindi", "hr": "Croatian", "hu": "Hungarian",
    "id": "Indonesian", "is": "Icelandic", "it": "Italian", "ja": "Japanese", "ko": "Korean", "lt": "Lithuanian",
    "lv": "Latvian", "mk": "Macedonian", "nl": "Dutch", "no": "Norwegian", "pl": "Polish", "pt": "Portuguese",
    "ro": "Romanian", "ru": "Russian", "sk": "Slovak", "sl": "Slovenian", "sq": "Albanian", "sr": "Serbian",
    "sv": "Swedish", "sw": "Swahili", "th": "Thai", "tl": "Tagalog", "tr": "Turkish", "uk": "Ukrainian", "ur": "Urdu",
    "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip
SAMPLE_TEXTS = 1000
MIN_LETTERS = 20  # of a text; below this the identifier guesses
MIN_PROBABILITY = 0.6
MIN_SHARE = 0.003  # of the sure texts, for a language to be noticed
_MIN_TEXTS = 2
_LETTERS = re.compile(r"[^\W\d_]")
_WIDE_LETTERS = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")  # each says as much as several of an alphabet
_CODES = {name.lower(): code for code, name in LANGUAGES.items()} | {"nb": "no", "nn": "no", "iw": "he"}


@dataclass(frozen=True, slots=True)
class LanguageNotice:
    """Languages found in a sample of texts.

    Attributes:
        counts: Texts by language (ISO 639-1), most first; the unsure are not among them.
        n_texts: How many texts were looked at.
        n_unsure: How many of them were too short or doubtful.
        spoken: The languages that the encoder says it speaks; None if it does not say.
    """

    counts: tuple[tuple[str, int], ...]
    n_texts: int
    n_unsure: int
    spoken: tuple[str, ...] | None

    @property
    def shares(self) -> dict[str, float]:
        """Return the share of each language among the texts that are sure, in [0, 1]."""
        n_sure = self.n_texts - self.n_unsure
        return {language: n / n_sure for language, n in self.counts}

    @property
    def unspoken(self) -> dict[str, float]:
        """Return the shares of the languages that the encoder does not name; if it names none, of all but the first."""
        known = self.spoken if self.spoken is not None else tuple(language for language, _ in self.counts[:1])
        return {language: share for language, share in self.shares.items() if language not in known}

    @property
    def sentence(self) -> str:
        """Return what was found as one sentence with its numbers."""
        found = ", ".join(f"{share:.1%} {LANGUAGES[language]}" for language, share in self.unspoken.items())
        of = f"of the {self.n_texts - self.n_unsure:,} texts whose language is clear ({self.n_texts:,} looked at)"
        if self.spoken is None:
            return f"Besides {LANGUAGES[self.counts[0][0]]}, {found} {of}; the encoder does not say what it speaks."
        speaks = ", ".join(LANGUAGES.get(language, language) for language in self.spoken)
        return f"{found} {of}; the encoder speaks {speaks}, and cosines of other languages mean little."


def notice_languages(
    texts: pd.Series, *, spoken: Sequence[str] | None, sample: int = SAMPLE_TEXTS, seed: int = 0
) -> LanguageNotice | None:
    """Tell which languages texts are in that an encoder does not speak.

    Every text of a sample is identified among all `LANGUAGES`, then once more among those that were found often enough:
    a mixed text is then told by what this table holds.

    Args:
        texts: Strings, null where absent; shape (n,).
        spoken: The languages of the encoder (see `languages_of`); None if it does not say.
        sample: At most so many texts are looked at.
        seed: Which ones.

    Returns:
        The languages found; None if the encoder speaks all of them, or no text is sure.
    """
    held = texts.dropna()
    looked = held.sample(sample, random_state=seed) if len(held) > sample else held
    long = [text for text in looked if _n_letters(text) >= MIN_LETTERS]
    first = _identified(long, tuple(LANGUAGES))
    usual = tuple(language for language, _ in _noticed(first, MIN_SHARE / 3))
    found = _noticed(_identified(long, usual) if len(usual) > 1 else first, MIN_SHARE)
    if not found:
        return None
    told = None if spoken is None else tuple(dict.fromkeys(spoken))
    notice = LanguageNotice(tuple(found), len(looked), len(looked) - sum(n for _, n in found), told)
    return notice if notice.unspoken else None


def languages_of(folder: Path) -> tuple[str, ...] | None:
    """Read which languages a model says it speaks, from the front matter of its README.md.

    Args:
        folder: A model folder.

    Returns:
        ISO 639-1 codes; None if there is no such statement, or it says only "multilingual".
    """
    try:
        text = (folder / "README.md").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    front = re.match(r"\ufeff?---[ \t]*\r?\n(.*?)\r?\n---[ \t]*(\r?\n|$)", text, re.DOTALL)
    try:
        # BaseLoader: "no" is Norwegian and not False
        told = yaml.load(front[1], Loader=yaml.BaseLoader) if front else None
    except yaml.YAMLError:
        return None
    language = told.get("language") if isinstance(told, dict) else None
    named = [language] if isinstance(language, str) else language if isinstance(language, list) else []
    codes = [_code(name) for name in named if isinstance(name, str)]
    return tuple(dict.fromkeys(code for code in codes if code)) or None


def _code(name: str) -> str | None:
    name = name.strip().lower()
    if name in ("multilingual", "multi", "mul", "code", ""):
        return None
    return _CODES.get(name) or _CODES.get(name.split("-")[0].split("_")[0], name.split("-")[0].split("_")[0])


def _n_letters(text: str) -> int:
    return len(_LETTERS.findall(text)) + 3 * len(_WIDE_LETTERS.findall(text))


def _identified(texts: Sequence[str], among: tuple[str, ...]) -> Counter[str]:
    """Count the languages of the texts that are sure."""
    identifier = _identifier()
    identifier.set_languages(list(among))
    told = (identifier.classify(text) for text in texts)
    return Counter(language for language, probability in told if probability >= MIN_PROBABILITY)


def _noticed(counts: Counter[str], share: float) -> list[tuple[str, int]]:
    """Return the languages that are more than noise, most frequent first; the first is always one."""
    ranked = counts.most_common()
    least = max(_MIN_TEXTS, share * counts.total())
    return [(language, n) for place, (language, n) in enumerate(ranked) if place == 0 or n >= least]


@cache
def _identifier() -> LanguageIdentifier:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
