"""What of two pair sets is looked at closely: seeded samples with their vectors, and what a probe of them gains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simtune_core.difficulty.preflight.config import PreflightConfig
from simtune_core.difficulty.preflight.probe import (
    Probe,
    Progress,
    Sides,
    cross_validate,
    fit_probe,
    judge,
    rows_of,
    sample_rows,
    touching,
)
from simtune_core.difficulty.preflight.shift import Shift, Vectors, measure_shift
from simtune_core.difficulty.scored import ScoredSet
from simtune_core.evaluation.uncertainty import Interval, Metric, Verdict, resample_records
from simtune_core.pairs import PairSet
from simtune_core.training.head import IndexedPairs, pair_cosines

_SAME_NUMBERING = 0.5  # share of common ids with the same text from which on two datasets number the same records


@dataclass(frozen=True, slots=True, eq=False)
class Looked:
    """One or two samples of pair sets in a common matrix of vectors.

    Attributes:
        sets: The samples, training pairs first.
        sizes: Pairs of each set before it was sampled.
        pairs: The samples as rows of the matrix; empty in a space without vectors.
        vectors: Unit vectors of all their texts, shape (n_texts, dim); None in a space without vectors.
        shared: Which training pairs of the sample hold a record or text of any test pair; shape (n_pairs,).
    """

    sets: tuple[ScoredSet, ...]
    sizes: tuple[int, ...]
    pairs: tuple[IndexedPairs, ...]
    vectors: NDArray[np.float32] | None
    shared: NDArray[np.bool_]

    def sides(self, place: int, rows: NDArray[np.intp]) -> Vectors | None:
        """Return the vectors of both texts of some pairs of one set; None in a space without vectors."""
        if self.vectors is None:
            return None
        pairs = self.pairs[place]
        return self.vectors[pairs.first[rows]], self.vectors[pairs.second[rows]]


@dataclass(frozen=True, slots=True)
class Judged:
    """How the probe compares on the test pairs."""

    metric: Metric
    baseline: float
    probe: float
    difference: Interval | None
    verdict: Verdict


def sampled(scored: Sequence[ScoredSet], at_most: int, seed: int) -> tuple[ScoredSet, ...]:
    """Return each set, or a seeded sample of `at_most` of its pairs with their similarities."""
    return tuple(_part(each, sample_rows(len(each.pairs), at_most, seed)) for each in scored)


def shared_with(train: PairSet, test: PairSet) -> NDArray[np.bool_]:
    """Tell which training pairs hold a record or a text of a test pair; shape (n_pairs,).

    Ids of another dataset count only where they stand for the same texts: two tables may both number from 1 on.
    """
    hit = touching(_texts(train), _texts(test))
    if _one_numbering(train, test):
        hit |= touching(train.record_ids(), test.record_ids())
    return hit


def shift_between(looked: Looked, config: PreflightConfig) -> Shift:
    """Measure the shift on a smaller sample of both sets; the similarity distances are those of the sample, too."""
    rows = [sample_rows(len(each.pairs), config.shift_pairs, config.seed) for each in looked.sets]
    train, test = (_part(each, chosen) for each, chosen in zip(looked.sets, rows, strict=True))
    sides = [looked.sides(place, chosen) for place, chosen in enumerate(rows)]
    vectors = None if sides[0] is None or sides[1] is None else (sides[0], sides[1])
    return measure_shift(train, test, vectors, config)


def probe_of(looked: Looked, config: PreflightConfig, *, progress: Progress | None = None) -> Probe | str:
    """Fit a head on the training pairs that share nothing with the test pairs, and try it.

    Returns:
        The probe, or why there is none: a sentence.
    """
    if looked.vectors is None:
        return "No probe: a head needs an encoder's vectors, and this space has none. The verdict rests on the rest."
    train = looked.sets[0]
    rows = np.flatnonzero(~looked.shared)
    records = train.pairs.record_ids()
    kept = (records[0][rows], records[1][rows])
    pairs = rows_of(looked.pairs[0], rows)
    n_excluded = len(train.pairs) - len(rows)
    if len(rows) < config.min_probe_pairs or len(np.unique(pairs.targets)) < 2:
        apart = f" ({n_excluded:,} more share a record or a text with the test pairs)" if n_excluded else ""
        return (
            f"No probe: it needs {config.min_probe_pairs} training pairs of two kinds; {train.ref} has {len(rows):,}"
            f"{apart}. The verdict rests on the rest."
        )
    fitted = fit_probe(looked.vectors, pairs, kept, config)
    if fitted is None:
        return f"No probe: a part of {train.ref} that shares no record with the rest holds one kind of pair only."
    inside = cross_validate(looked.vectors, pairs, kept, config, progress=progress)
    judged = _judged(looked, fitted.weight, config) if len(looked.sets) == 2 else None
    return Probe(
        metric=judged.metric if judged else "spearman_cosine" if train.pairs.graded else "roc_auc",
        inside=inside,
        baseline=judged.baseline if judged else None,
        probe=judged.probe if judged else None,
        difference=judged.difference if judged else None,
        verdict=judged.verdict if judged else None,
        trained=fitted.trained,
        penalty=fitted.penalty,
        epochs=fitted.epochs,
        n_train=len(rows),
        n_excluded=n_excluded,
        n_sampled_from=looked.sizes[0],
        n_test=len(looked.sets[1].pairs) if judged else 0,
        n_test_of=looked.sizes[1] if judged else 0,
    )


def _judged(looked: Looked, weight: NDArray[np.float32], config: PreflightConfig) -> Judged | None:
    test, pairs = looked.sets[1], looked.pairs[1]
    assert looked.vectors is not None  # a probe was fitted
    metric: Metric = "spearman_cosine" if test.pairs.graded else "roc_auc"
    wanted = test.pairs.targets() if metric == "spearman_cosine" else test.labels
    if len(np.unique(wanted)) < 2:
        return None
    scores = np.stack([test.cosines, pair_cosines(looked.vectors, weight, pairs)])
    if np.array_equal(weight, np.eye(len(weight), dtype=weight.dtype)):
        scores[1] = scores[0]  # the untouched encoder is itself, to the last digit
    resampled = resample_records(metric, scores, wanted, test.pairs.record_ids(), config.resampling)
    difference, word = judge(resampled, config)
    return Judged(metric, float(resampled.estimates[0]), float(resampled.estimates[1]), difference, word)


def _one_numbering(train: PairSet, test: PairSet) -> bool:
    if train.ref.partition("@")[0] == test.ref.partition("@")[0]:
        return True
    first, second = (_text_of_id(each) for each in (train, test))
    common = first.index.intersection(second.index)
    return bool(len(common)) and float((first[common] == second[common]).mean()) >= _SAME_NUMBERING


def _text_of_id(pairs: PairSet) -> pd.Series:
    """Return the text of each record by its id, the first where there are several."""
    sides = [pairs.frame[[f"id{side}", f"sentence{side}"]].set_axis(["id", "text"], axis=1) for side in (1, 2)]
    return pd.concat(sides).dropna().drop_duplicates("id").set_index("id")["text"]


def _texts(pairs: PairSet) -> Sides:
    return pairs.frame["sentence1"].to_numpy(object), pairs.frame["sentence2"].to_numpy(object)


def _part(scored: ScoredSet, rows: NDArray[np.intp]) -> ScoredSet:
    if len(rows) == len(scored.pairs):
        return scored
    pairs = PairSet(scored.pairs.frame.iloc[rows].reset_index(drop=True), scored.ref, scored.pairs.content_id)
    return replace(scored, pairs=pairs, cosines=scored.cosines[rows], tfidf=scored.tfidf[rows])
