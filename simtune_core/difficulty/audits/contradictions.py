"""Audits of contradictions: one pair with two labels, two scores far apart, and a ~ b, b ~ c but a !~ c."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simtune_core.difficulty.audits.check import Check
from simtune_core.difficulty.audits.config import AuditConfig
from simtune_core.difficulty.audits.corpus import Corpus, Numbers, Part
from simtune_core.difficulty.scored import ScoredSet
from simtune_core.findings import EVIDENCE_ROWS, Audit, Fix
from simtune_core.importing.faults import counted

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_RELABEL = Fix("Decide on one label where the pairs come from, then import them again.", "data")
LABELS = Check("contradicting_pairs", "One pair with two labels", _RELABEL)
SCORES = Check("contradicting_scores", "One pair with two scores", _RELABEL)
TRIANGLES = Check("contradicting_triangles", "Similar to the same text, yet not similar", _RELABEL)
_ENTRIES = 5_000_000  # of sparse rows multiplied at a time


@dataclass(frozen=True, eq=False)
class Labelled:
    """The pairs of some sets in a row, whatever the order of their two texts.

    Attributes:
        low: Lesser key of the two texts; shape (n_pairs,).
        high: Greater key of the two texts; shape (n_pairs,).
        value: Label or score of the pair; shape (n_pairs,).
        source: Which of the sets it is in; shape (n_pairs,).
        sets: The sets.
        n_keys: Keys run from 0 to below this.
    """

    low: Numbers
    high: Numbers
    value: NDArray[np.float64]
    source: Numbers
    sets: Sequence[ScoredSet]
    n_keys: int

    @property
    def codes(self) -> Numbers:
        """Return one number per pair of texts; shape (n_pairs,)."""
        return self.low * self.n_keys + self.high

    @property
    def refs(self) -> str:
        """Return how the sets are called together."""
        return " and ".join(each.ref for each in self.sets)

    def rows(self, places: Sequence[int], name: str) -> list[dict[str, Any]]:
        """Return pairs as evidence: texts, the label or score under its name, the set, the ids."""
        starts = np.cumsum([0, *(len(each.pairs) for each in self.sets)])
        shown = []
        for place in list(places)[:EVIDENCE_ROWS]:
            held = self.sets[self.source[place]].pairs
            row = held.frame.iloc[place - starts[self.source[place]]]
            shown.append(
                {
                    "sentence1": row["sentence1"],
                    "sentence2": row["sentence2"],
                    name: float(self.value[place]),
                    "in": held.ref,
                }
                | {side: str(row[side]) for side in ("id1", "id2") if not pd.isna(row[side])}
            )
        return shown


def audit_contradictions(scored: Sequence[ScoredSet], corpus: Corpus, config: AuditConfig) -> list[Audit]:
    """Look for pairs that contradict each other, within and across the sets.

    Args:
        scored: One or two sets.
        corpus: The same sets as numbers, in the same order; further ones after them are not looked at.
        config: How far apart two scores may be.
    """
    parts = corpus.parts[: len(scored)]
    labelled = _in_a_row(scored, parts, graded=False)
    graded = _in_a_row(scored, parts, graded=True)
    return [_two_labels(labelled), _two_scores(graded, config), _triangles(labelled, corpus)]


def _in_a_row(scored: Sequence[ScoredSet], parts: Sequence[Part], *, graded: bool) -> Labelled | None:
    chosen = [
        (each, part)
        for each, part in zip(scored, parts, strict=True)
        if (not each.pairs.labelled) == graded and len(each.pairs)
    ]
    if not chosen:
        return None
    keys = np.sort(np.concatenate([part.keys for _, part in chosen]), axis=1)
    values = [each.pairs.targets() if graded else each.labels.astype(np.float64) for each, _ in chosen]
    source = np.repeat(np.arange(len(chosen)), [len(each.pairs) for each, _ in chosen])
    sets = [each for each, _ in chosen]
    return Labelled(keys[:, 0], keys[:, 1], np.concatenate(values), source, sets, int(keys.max()) + 1)


def _spread(pairs: Labelled) -> tuple[Numbers, NDArray[np.float64]]:
    """Return the place of each row's pair among the distinct ones, and the spread of each pair's values."""
    _, inverse = np.unique(pairs.codes, return_inverse=True)
    n = int(inverse.max()) + 1
    highest, lowest = np.full(n, -np.inf), np.full(n, np.inf)
    np.maximum.at(highest, inverse, pairs.value)
    np.minimum.at(lowest, inverse, pairs.value)
    return inverse.astype(np.int64), highest - lowest


def _two_labels(pairs: Labelled | None) -> Audit:
    if pairs is None:
        return LABELS.not_applicable("No set has labels of its own; scores are compared instead.")
    inverse, spread = _spread(pairs)
    n_found = int((spread > 0).sum())
    if not n_found:
        return LABELS.clear(f"No pair of {pairs.refs} has two labels.")
    rows = _rows_of(inverse, spread > 0)
    message = (
        "Called similar in one row and dissimilar in another, order, case and punctuation aside: "
        f"{counted(n_found, 'pair')} of texts in {pairs.refs}, {counted(len(rows), 'row')}. One of the two labels is "
        "wrong."
    )
    return LABELS.found("warning", message, n_found, pairs.rows(rows, "label"))


def _two_scores(pairs: Labelled | None, config: AuditConfig) -> Audit:
    if pairs is None:
        return SCORES.not_applicable("No set has graded scores.")
    inverse, spread = _spread(pairs)
    apart = spread > config.score_spread + 1e-9
    n_found = int(apart.sum())
    if not n_found:
        return SCORES.clear(f"No pair of {pairs.refs} has two scores that differ by more than {config.score_spread:g}.")
    message = (
        f"Scores that differ by more than {config.score_spread:g}: {counted(n_found, 'pair')} of texts in "
        f"{pairs.refs}, the farthest by {spread.max():.2f}. Take their mean, or drop them."
    )
    return SCORES.found("warning", message, n_found, pairs.rows(_rows_of(inverse, apart), "score"))


def _rows_of(inverse: Numbers, chosen: NDArray[np.bool_]) -> Sequence[int]:
    """Return the rows of the chosen pairs, those of one pair beside each other."""
    rows = np.flatnonzero(chosen[inverse])
    return [int(row) for row in rows[np.argsort(inverse[rows], kind="stable")]]


def _triangles(pairs: Labelled | None, corpus: Corpus) -> Audit:
    if pairs is None:
        return TRIANGLES.not_applicable(
            "Scores are graded: two texts need not be as similar to each other as to a third."
        )
    inside, through = _inside(pairs)
    direct = through >= 0
    n_direct, n_longer = int(direct.sum()), int((~direct).sum())
    if not len(inside):
        return TRIANGLES.clear(f"No dissimilar pair of {pairs.refs} is joined by similar ones.")
    if n_direct:
        message = (
            "Called dissimilar, though both texts are called similar to a third one (a ~ b, b ~ c, but a !~ c): "
            f"{counted(n_direct, 'pair')} of {pairs.refs}; {n_longer:,} more, joined by a longer chain of similar "
            "pairs. Right only where being similar is a matter of degree: labels by incident, category or duplicate "
            "carry over."
        )
    else:
        message = (
            f"Called dissimilar, though a chain of similar pairs joins the two texts: {counted(n_longer, 'pair')} of "
            f"{pairs.refs}. Right only where being similar is a matter of degree."
        )
    order = np.argsort(~direct, kind="stable")[:EVIDENCE_ROWS]
    texts = [corpus.text_of(int(key)) if key >= 0 else "" for key in through[order]]
    rows = [
        row | {"similar to both": text, "chain": "direct" if text else "longer"}
        for row, text in zip(pairs.rows([int(place) for place in inside[order]], "label"), texts, strict=True)
    ]
    return TRIANGLES.found("warning" if n_direct else "info", message, len(inside), rows)


def _inside(pairs: Labelled) -> tuple[Numbers, Numbers]:
    """Return the dissimilar pairs whose texts similar ones join, each once, and a text similar to both (-1: none)."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    positive, n = pairs.value == 1, pairs.n_keys
    codes = pairs.codes
    edges = np.unique(codes[positive & (pairs.low != pairs.high)])
    first, second = edges // n, edges % n
    ends = (np.r_[first, second], np.r_[second, first])
    graph = coo_array((np.ones(2 * len(edges), dtype=np.int32), ends), shape=(n, n)).tocsr()
    component = connected_components(graph, directed=False)[1]
    _, once = np.unique(codes, return_index=True)
    told = once[~positive[once] & (pairs.low[once] != pairs.high[once])]
    told = told[(component[pairs.low[told]] == component[pairs.high[told]]) & ~np.isin(codes[told], edges)]
    through = np.full(len(told), -1, dtype=np.int64)
    for part in _portions(graph, pairs.low[told], pairs.high[told]):
        common = graph[pairs.low[told[part]]].multiply(graph[pairs.high[told[part]]]).tocsr()
        some = np.flatnonzero(np.diff(common.indptr))
        through[part[some]] = common.indices[common.indptr[some]]
    return told, through


def _portions(graph: csr_array, first: Numbers, second: Numbers) -> Iterator[Numbers]:
    """Yield places of pairs, so many that their rows of the graph stay small."""
    degree = np.diff(graph.indptr)
    portion = np.cumsum(degree[first] + degree[second]) // _ENTRIES
    places = np.arange(len(first))
    yield from np.split(places, np.flatnonzero(np.diff(portion)) + 1) if len(places) else ()
