"""Audits of the texts themselves: blank, wrongly decoded, cut off by the encoder, in a language it does not speak."""

from __future__ import annotations

import numpy as np
import pandas as pd

from simtune_core.difficulty.audits.check import Check, share_of
from simtune_core.difficulty.audits.config import AuditConfig
from simtune_core.difficulty.audits.corpus import Corpus, Part
from simtune_core.difficulty.audits.reading import Reading
from simtune_core.findings import EVIDENCE_ROWS, Audit, Fix, Severity
from simtune_core.languages import notice_languages
from simtune_core.pairs import PairSet
from simtune_core.tables.mojibake import find_mojibake, repair_mojibake

BLANK = Check("blank_texts", "Texts with nothing in them", Fix("Import the set again without these pairs.", "data"))
MOJIBAKE = Check(
    "mojibake", "Wrongly decoded texts", Fix("Import the file again with its own encoding, or repaired.", "data")
)
TRUNCATED = Check(
    "truncated_texts",
    "Texts longer than the encoder reads",
    Fix("Choose an encoder that reads more of a text.", "training"),
)
UNSPOKEN = Check(
    "unspoken_languages", "Languages that the encoder does not speak", Fix("Choose a multilingual encoder.", "training")
)


def audit_texts(part: Part, corpus: Corpus, reading: Reading | None, config: AuditConfig) -> list[Audit]:
    """Look for texts that no encoder, or not this one, can make sense of.

    Args:
        part: The set as numbers.
        corpus: What its numbers mean.
        reading: How the encoder reads its texts; None where that is not known or does not apply.
        config: From when on it matters.
    """
    pairs = part.pairs
    texts = pd.Series([corpus.texts[place] for place in np.unique(part.texts)], dtype="str")
    return [
        _blank(pairs, texts),
        _mojibake(pairs, texts),
        _truncated(pairs, reading, config),
        _unspoken(pairs, texts, reading, config),
    ]


def _blank(pairs: PairSet, texts: pd.Series) -> Audit:
    blank = [text for text in texts[texts.str.len() < _LONGEST_BLANK] if not any(map(_shows, text))]
    if not blank:
        return BLANK.clear(f"No text of {pairs.ref} is blank.")
    hit = pairs.frame["sentence1"].isin(blank) | pairs.frame["sentence2"].isin(blank)
    message = (
        f"{share_of(int(hit.sum()), len(pairs))} pairs of {pairs.ref} have a text with nothing that can be read: "
        "blanks or characters without a width."
    )
    rows = [
        {"sentence1": row.sentence1, "sentence2": row.sentence2, "row": int(place) + 1}
        for place, row in zip(hit[hit].index, pairs.frame[hit].head(EVIDENCE_ROWS).itertuples(), strict=False)
    ]
    return BLANK.found("warning", message, int(hit.sum()), rows)


_LONGEST_BLANK = 200  # characters; a longer text is not looked through


def _shows(character: str) -> bool:
    return character.isprintable() and not character.isspace()


def _mojibake(pairs: PairSet, texts: pd.Series) -> Audit:
    places = find_mojibake(texts)
    if not len(places):
        return MOJIBAKE.clear(f"No text of {pairs.ref} looks wrongly decoded.")
    message = (
        f"{share_of(len(places), len(texts))} texts of {pairs.ref} were decoded wrongly once: their words are no words "
        "to a tokenizer, and they differ from the same words elsewhere."
    )
    shown = texts.iloc[places[:EVIDENCE_ROWS]]
    rows = [{"text": text, "probably": repair_mojibake(text)} for text in shown]
    return MOJIBAKE.found("warning", message, len(places), rows)


def _truncated(pairs: PairSet, reading: Reading | None, config: AuditConfig) -> Audit:
    if reading is None:
        return TRUNCATED.not_applicable("The encoder reads every text whole, or has no tokenizer to ask.")
    if reading.limit is None:
        return TRUNCATED.not_applicable("The encoder states no limit on the length of a text.")
    n_cut = len(reading.cut)
    numbers = (
        f"{share_of(n_cut, reading.n_texts)} texts of {pairs.ref} have more than the {reading.limit:,} tokens that are "
        "read"
    )
    if n_cut <= config.truncated_share * reading.n_texts:
        return TRUNCATED.clear(f"{numbers}.")
    message = f"{numbers}, the longest {reading.cut[0][1]:,}; what is beyond counts for nothing."
    return TRUNCATED.found(
        "warning", message, n_cut, [{"text": text, "tokens": length} for text, length in reading.cut]
    )


def _unspoken(pairs: PairSet, texts: pd.Series, reading: Reading | None, config: AuditConfig) -> Audit:
    if reading is None:
        return UNSPOKEN.not_applicable("TF-IDF and vectors made elsewhere speak no language that could be told.")
    if reading.spoken is None:
        return UNSPOKEN.not_applicable("The encoder does not say which languages it speaks.")
    notice = notice_languages(texts, spoken=reading.spoken)
    if notice is None:
        return UNSPOKEN.clear(f"No language was noticed in {pairs.ref} that the encoder does not speak.")
    rows = [{"language": language, "share": round(share, 4)} for language, share in notice.unspoken.items()]
    n_found = sum(n for language, n in notice.counts if language in notice.unspoken)
    severity: Severity = "warning" if sum(notice.unspoken.values()) > config.unspoken_share else "info"
    return UNSPOKEN.found(severity, f"{pairs.ref}: {notice.sentence}", n_found, rows)
