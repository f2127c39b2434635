"""Who the anchors of a pair set are, what they may not be paired with, and the pairs that come of it. No vectors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simtune_core.curriculum.mining.config import Allowed
from simtune_core.errors import ConfigError, DataFaultError
from simtune_core.pairs import PairSet

Exclusion = Literal["duplicate_group", "category", "known"]
_NEGATIVES: dict[Exclusion, str] = {
    "duplicate_group": "a record near the anchor that is of another duplicate group, or of none",
    "category": "a record near the anchor whose category is another one",
    "known": "a record near the anchor that is no known positive of it; nobody looked at it",
}


@dataclass(frozen=True, slots=True, eq=False)
class Corpus:
    """The texts that negatives are taken from, each once, and the anchors' own behind them.

    Attributes:
        texts: Texts of the records in order of first appearance, then those of anchors and positives that are none of
            them.
        n_records: How many of the texts are of records: the first ones, which negatives are taken from.
        frame: For each of these its first record: `id, category, duplicate_group`.
        owners: `id`, `text` (its row), `category`, `duplicate_group` of every record; several may have one text.
    """

    texts: list[str]
    n_records: int
    frame: pd.DataFrame
    owners: pd.DataFrame

    @property
    def row(self) -> dict[str, int]:
        """Return the row of each text."""
        return {text: row for row, text in enumerate(self.texts)}


@dataclass(frozen=True, slots=True, eq=False)
class Anchors:
    """The anchors of a pair set: the first texts of its positives, each once.

    Attributes:
        rows: Row of each anchor's text in the corpus; shape (n_anchors,).
        positives: `anchor` (its place), `row` (of the positive's text), `source` (row of the pair set), `phase`; each
            pair once, whichever way round.
        n_repeated: Positives that were left out for that.
    """

    rows: NDArray[np.int64]
    positives: pd.DataFrame
    n_repeated: int


def corpus_of(records: pd.DataFrame, pairs: PairSet) -> Corpus:
    """Put the texts of records and of the positives' pairs together.

    Args:
        records: `id, text, category, duplicate_group`.
        pairs: The positives.
    """
    of_records = list(dict.fromkeys(records["text"]))
    texts = list(dict.fromkeys([*of_records, *pairs.unique_texts()]))
    first = records.drop_duplicates("text")[["id", "category", "duplicate_group"]].reset_index(drop=True)
    row = {text: place for place, text in enumerate(of_records)}
    owners = records[["id", "category", "duplicate_group"]].assign(text=records["text"].map(row).to_numpy(np.int64))
    return Corpus(texts, len(of_records), first, owners)


def anchors_of(pairs: PairSet, corpus: Corpus) -> Anchors:
    """Find the anchors and positives of a pair set.

    Raises:
        DataFaultError: If no pair is positive, or the set holds several splits.
    """
    splits = sorted(pairs.frame["split"].dropna().unique())
    if len(splits) > 1:
        name = pairs.ref.partition(":")[0]
        raise DataFaultError(
            f"{pairs.ref} holds the splits {', '.join(splits)}, and negatives of one would come out of another; mine "
            f"one split, such as {name}:{splits[-1]}."
        )
    labels = pairs.labels()
    found = np.flatnonzero(labels == 1)
    if not len(found):
        raise DataFaultError(f"{pairs.ref} must have positive pairs to mine negatives for, got none.")
    row = corpus.row
    first, second = (pairs.frame[side].map(row).to_numpy(np.int64)[found] for side in ("sentence1", "sentence2"))
    ends = np.sort(np.stack([first, second]), axis=0)
    once = ~pd.DataFrame(ends.T).duplicated().to_numpy() & (first != second)
    anchor, rows = pd.factorize(first[once])
    phase = pairs.frame["phase"].to_numpy()[found][once]
    positives = pd.DataFrame({"anchor": anchor, "row": second[once], "source": found[once], "phase": phase})
    if not len(rows):
        raise DataFaultError(f"{pairs.ref} must have positive pairs of two different texts, got none.")
    return Anchors(np.asarray(rows, dtype=np.int64), positives, int((~once).sum()))


def resolve_allowed(corpus: Corpus, allowed: Allowed) -> Exclusion:
    """Return what a setting means for these records.

    Raises:
        ConfigError: If what it reads is not known of them.
    """
    known: dict[Exclusion, bool] = {
        "duplicate_group": bool(corpus.owners["duplicate_group"].notna().any()),
        "category": len(corpus.owners["category"].dropna().unique()) > 1,
        "known": True,
    }
    if allowed == "auto":
        return next(name for name, there in known.items() if there)
    if not known[allowed]:
        lacking = "duplicate groups" if allowed == "duplicate_group" else "two categories"
        raise ConfigError(
            f"Negatives by {allowed.replace('_', ' ')} need records with {lacking}, and these have none; choose "
            "another rule for what may be a negative."
        )
    return allowed


def negatives_in_words(exclusion: Exclusion) -> str:
    """Say what a mined negative is."""
    return _NEGATIVES[exclusion]


def barred_rows(anchors: Anchors, corpus: Corpus, pairs: PairSet, exclusion: Exclusion) -> list[NDArray[np.int64]]:
    """Return for each anchor the rows of the corpus that are no negatives of it.

    These are itself, the positives that the set knows of it in either direction, and what the exclusion says: records
    of its duplicate group, or of its category and of no known one (an anchor without a category has none left).
    """
    partners, holders = _partners(pairs, corpus), _holders_of(corpus, anchors, pairs, exclusion)
    everything, nothing = np.arange(corpus.n_records), np.zeros(0, dtype=np.int64)
    barred = []
    for anchor, row in enumerate(anchors.rows.tolist()):
        values = holders.own.get(anchor, set())
        parts = [np.array([row]), partners.get(row, nothing), *(holders.rows.get(value, nothing) for value in values)]
        if exclusion == "category":
            parts.append(holders.unknown if values else everything)
        rows = np.unique(np.concatenate(parts))
        barred.append(rows[rows < corpus.n_records])
    return barred


@dataclass(frozen=True, slots=True, eq=False)
class _Holders:
    """Which texts hold which group or category.

    Attributes:
        rows: Rows of the texts of each value.
        own: The values of each anchor that has any.
        unknown: Rows of the texts of a record without a value.
    """

    rows: dict[str, NDArray[np.int64]]
    own: dict[int, set[str]]
    unknown: NDArray[np.int64]


def _holders_of(corpus: Corpus, anchors: Anchors, pairs: PairSet, exclusion: Exclusion) -> _Holders:
    """Look groups or categories up: an anchor has those of every record of its text or id, and its own in the set."""
    if exclusion == "known":
        return _Holders({}, {}, np.zeros(0, dtype=np.int64))
    known = corpus.owners.dropna(subset=[exclusion])
    rows = {str(value): np.unique(part.to_numpy()) for value, part in known.groupby(exclusion)["text"]}
    sources = anchors.positives.drop_duplicates(["anchor", "source"])
    told = pairs.frame.iloc[sources["source"]]
    asked = pd.DataFrame({"anchor": sources["anchor"].to_numpy(), "id": told["id1"].to_numpy()})
    asked["text"] = anchors.rows[asked["anchor"]]
    found = [asked.merge(known, on=by)[["anchor", exclusion]] for by in ("text", "id")]
    if exclusion == "category":
        found.append(asked[["anchor"]].assign(category=told["category1"].to_numpy()).dropna())
    values = pd.concat(found).groupby("anchor")[exclusion].agg(set)
    own = dict(zip(values.index.tolist(), values, strict=True))
    unknown = corpus.owners.loc[corpus.owners[exclusion].isna(), "text"]
    return _Holders(rows, own, np.unique(unknown.to_numpy(np.int64)))


def _partners(pairs: PairSet, corpus: Corpus) -> dict[int, NDArray[np.int64]]:
    """Return the rows of the known positives of each text, whichever side of the pair it is on."""
    row, like = corpus.row, pairs.frame[pairs.labels() == 1]
    first, second = (like[side].map(row).to_numpy(np.int64) for side in ("sentence1", "sentence2"))
    both = pd.DataFrame({"one": np.append(first, second), "other": np.append(second, first)})
    held = both.groupby("one")["other"].agg(list)
    return {one: np.unique(np.array(others)) for one, others in zip(held.index.tolist(), held, strict=True)}
