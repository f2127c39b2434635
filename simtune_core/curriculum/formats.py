"""Pairs as a loss takes them: labelled pairs, positives, scored pairs, triplets, n-tuples; and which loss takes which.

Pure: a pair set in, a table with sentence-transformers' column names out, with a report of what is left out and why.
Writes no file: preparing/exporting.py does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd
from pydantic import Field

from simtune_core.curriculum.joining import Joined, join_negatives
from simtune_core.errors import DataFaultError
from simtune_core.pairs import SCORE_CUT, PairSet
from simtune_core.settings import Settings

OutputFormat = Literal["pairs", "positives", "scored", "triplets", "tuples"]
OUTPUT_FORMATS: tuple[OutputFormat, ...] = get_args(OutputFormat)
KEPT = ("phase", "split")  # stand behind the columns that a loss reads
TARGETS = ("label", "score")  # what sentence-transformers takes for a target; every other column is a text to it


class FormatConfig(Settings):
    """How the rows of a pair set are laid out for a loss."""

    output_format: OutputFormat = Field(
        "pairs",
        description="Pairs: two texts and a label. Positives: anchor and positive alone. Scored: two texts and a "
        "score. Triplets: anchor, positive, negative. Tuples: anchor, positive and several negatives.",
    )
    num_negatives: int = Field(
        5, ge=1, le=100, description="Negatives of one positive: exactly so many in a tuple, at most so many triplets."
    )
    score: Literal["target", "similarity"] = Field(
        "target",
        description="Scored pairs. Target: the set's own score, else its label as 0 or 1. Similarity: the cosine in "
        "the space that the pairs were cut in.",
    )
    score_cut: float = Field(
        SCORE_CUT, gt=0.0, le=1.0, description="A pair with a graded score counts as similar from this score on."
    )


@dataclass(frozen=True, slots=True)
class LossFormat:
    """What one loss of sentence-transformers takes.

    Attributes:
        class_name: Its class.
        output_formats: The formats that fit, the one to prefer first.
    """

    class_name: str
    output_formats: tuple[OutputFormat, ...]


# From the table "Inputs" of each class (sentence-transformers 6.2). A wrapper such as MatryoshkaLoss takes what the
# loss inside it takes. Labelled pairs fit a loss of scores: their labels are the scores 0 and 1.
LOSS_FORMATS: Mapping[str, LossFormat] = {
    "cosine_similarity": LossFormat("CosineSimilarityLoss", ("pairs", "scored")),
    "cosent": LossFormat("CoSENTLoss", ("pairs", "scored")),
    "angle": LossFormat("AnglELoss", ("pairs", "scored", "triplets", "tuples")),
    "contrastive": LossFormat("ContrastiveLoss", ("pairs",)),
    "online_contrastive": LossFormat("OnlineContrastiveLoss", ("pairs",)),
    "multiple_negatives_ranking": LossFormat("MultipleNegativesRankingLoss", ("tuples", "triplets", "positives")),
    "triplet": LossFormat("TripletLoss", ("triplets",)),
}


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something that is not in the table.

    Attributes:
        reason: `no_negative`, `few_negatives`, `unused_negatives`, `negatives`, `contradicting`, `limit`, `repeated` or
            `no_similarity`.
        n: How many.
        words: What it is, and why it is left out or what to do about it.
    """

    reason: str
    n: int
    words: str


@dataclass(frozen=True, slots=True, eq=False)
class Formatted:
    """Rows for a loss.

    Attributes:
        frame: `texts`, then the target if there is one, then `phase` and `split`; in the order of the set.
        texts: Names of the columns that the loss reads as texts, in its order.
        target: Name of the column that it reads as target; None where it needs none.
        n_pairs: Pairs of the set.
        n_positives: Pairs of it that are similar.
        left_out: What is not in the table, most first.
        notes: What else has to be known of the rows, in sentences.
    """

    frame: pd.DataFrame
    texts: tuple[str, ...]
    target: str | None
    n_pairs: int
    n_positives: int
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def n_rows(self) -> int:
        """Return the number of rows."""
        return len(self.frame)


def format_pairs(pairs: PairSet, config: FormatConfig, details: pd.DataFrame | None = None) -> Formatted:
    """Lay the rows of a pair set out as a loss takes them.

    Args:
        pairs: The pairs.
        config: Which format, and its settings.
        details: How each pair came to be, row by row, with the column `similarity`; None where nothing is known.

    Raises:
        DataFaultError: If the pairs have neither labels nor scores, no row would be left, or scores are to be
            similarities that nobody knows.
    """
    kind = config.output_format
    if kind == "scored":
        made = _scored(pairs, config, details)
    elif kind in ("pairs", "positives"):
        made = _labelled(pairs, config) if kind == "pairs" else _positives(pairs, config)
    else:
        made = _joined(pairs, config)
    if not made.n_rows:
        why = " ".join(f"{left.n:,}: {left.words}" for left in made.left_out) or "The set is empty."
        raise DataFaultError(f"{pairs.ref} gives no {_ROWS[kind]}. {why}")
    return made


def text_columns(config: FormatConfig) -> tuple[str, ...]:
    """Return the names of the columns that a loss reads as texts."""
    if config.output_format in ("pairs", "scored"):
        return ("sentence1", "sentence2")
    if config.output_format == "tuples":
        return ("anchor", "positive", *(f"negative_{place}" for place in range(1, config.num_negatives + 1)))
    return ("anchor", "positive", "negative")[: 2 if config.output_format == "positives" else 3]


def _labelled(pairs: PairSet, config: FormatConfig) -> Formatted:
    labels = pairs.labels(config.score_cut)
    frame = pairs.frame[["sentence1", "sentence2"]].assign(label=labels.astype(np.int64))
    return _formatted(pairs, config, frame, target="label")


def _positives(pairs: PairSet, config: FormatConfig) -> Formatted:
    labels = pairs.labels(config.score_cut)
    similar = labels == 1
    frame = pairs.frame.loc[similar, ["sentence1", "sentence2"]].set_axis(["anchor", "positive"], axis=1)
    words = "Dissimilar pairs: a loss that takes positives alone would pull them together."
    return _formatted(pairs, config, frame, left_out=[("negatives", int((~similar).sum()), words)])


def _scored(pairs: PairSet, config: FormatConfig, details: pd.DataFrame | None) -> Formatted:
    frame = pairs.frame[["sentence1", "sentence2"]]
    if config.score == "target":
        return _formatted(pairs, config, frame.assign(score=pairs.targets()), target="score")
    known = details["similarity"].to_numpy(np.float64) if details is not None else np.full(len(pairs), np.nan)
    if np.isnan(known).all():
        raise DataFaultError(
            f"{pairs.ref} does not tell the similarity of its pairs; only sets that were cut or mined here do. Take "
            "its labels as scores instead."
        )
    frame = frame.assign(score=known)[~np.isnan(known)]
    words = "Pairs whose similarity is not known."
    left_out = [("no_similarity", int(np.isnan(known).sum()), words)]
    return _formatted(pairs, config, frame, target="score", left_out=left_out)


def _joined(pairs: PairSet, config: FormatConfig) -> Formatted:
    labels, together = pairs.labels(config.score_cut), config.output_format == "tuples"
    joined = join_negatives(pairs, labels, k=config.num_negatives, together=together)
    texts = pairs.frame[["sentence1", "sentence2"]].to_numpy(dtype=object)
    columns = [
        texts[joined.positives, 1 - joined.positive_sides],
        texts[joined.positives, joined.positive_sides],
        *(texts[rows, sides] for rows, sides in zip(joined.negatives.T, joined.negative_sides.T, strict=True)),
    ]
    frame = pd.DataFrame(dict(zip(text_columns(config), columns, strict=True)), index=joined.positives, dtype="str")
    return _formatted(pairs, config, frame, left_out=_lost(joined, config), note=_note_on_anchors(joined))


def _note_on_anchors(joined: Joined) -> str:
    if joined.anchored:
        return "The first record of each pair is the anchor: every negative has a positive of the same first record."
    return "A positive and a negative are joined by a record of either side that they share in one phase and split."


def _lost(joined: Joined, config: FormatConfig) -> list[tuple[str, int, str]]:
    """Word what joining leaves out."""
    rows = _ROWS[config.output_format]
    return [
        (
            "no_negative", joined.n_lonely,
            "Positives that share no record with a negative of their phase and split. Mine hard negatives to "
            "give each of them its own.",
        ),
        (
            "few_negatives", joined.n_short,
            f"Positives with fewer than {config.num_negatives} negatives. Nothing is repeated to fill a row: "
            "ask for fewer negatives, or mine more.",
        ),
        ("contradicting", joined.n_contradicting,
         "Negatives whose records or texts are a positive, too, or whose two texts are equal."),
        ("unused_negatives", joined.n_unused,
         f"Negatives that are in none of the {rows}: they share no record with a positive of their phase and "
         "split, repeat a text, or are more than are taken."),
        ("limit", joined.n_beyond,
         f"Further {rows}, as no positive is in more than {config.num_negatives}."),
    ]  # fmt: skip


def _formatted(
    pairs: PairSet,
    config: FormatConfig,
    frame: pd.DataFrame,
    *,
    target: str | None = None,
    left_out: Sequence[tuple[str, int, str]] = (),
    note: str | None = None,
) -> Formatted:
    """Add phase and split by the index, which counts the pairs, and leave out what says the same twice."""
    lost = list(left_out)
    whole = frame.join(pairs.frame[list(KEPT)])
    if config.output_format in ("positives", "triplets", "tuples"):
        repeated = whole.duplicated()
        whole = whole[~repeated]
        lost.append(("repeated", int(repeated.sum()), "Rows that say the same as one before."))
    cut = f"A pair counts as similar from the score {config.score_cut:g} on."
    notes = (note, None if pairs.labelled or config.output_format == "scored" else cut)
    said = [LeftOut(reason, n, words) for reason, n, words in lost if n]
    return Formatted(
        frame=whole.reset_index(drop=True),
        texts=text_columns(config),
        target=target,
        n_pairs=len(pairs),
        n_positives=int(pairs.labels(config.score_cut).sum()),
        left_out=tuple(sorted(said, key=lambda left: -left.n)),
        notes=tuple(each for each in notes if each),
    )


_ROWS: Mapping[OutputFormat, str] = {
    "pairs": "labelled pairs", "positives": "positive pairs", "scored": "scored pairs", "triplets": "triplets",
    "tuples": "tuples",
}  # fmt: skip
