"""The probe: the head, fitted on the training pairs in seconds, tried on records it never saw and on the test pairs.

Test pairs choose nothing: penalty and number of passes are chosen on a record-grouped part of the training pairs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simtune_core.difficulty.preflight.config import PreflightConfig
from simtune_core.difficulty.preflight.folds import record_folds
from simtune_core.evaluation.metrics import roc_auc, spearman
from simtune_core.evaluation.uncertainty import Interval, Metric, Resampled, Verdict, verdict
from simtune_core.training.config import TrainingConfig
from simtune_core.training.head import HeadEpoch, IndexedPairs, fit_head, pair_cosines

_DEV_PARTS = {True: 5, False: 3}  # one of so many record-grouped parts chooses; pairs across parts are lost where
# components are cut: with 3 parts 1 in 9 pairs chooses and 4 in 9 teach, with 5 only 1 in 25 would choose

_STEPS_A_PASS, _LEAST_BATCH = 16, 16

RecordIds = tuple[NDArray[np.str_], NDArray[np.str_]]
Sides = tuple[NDArray[Any], NDArray[Any]]
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class CrossValidated:
    """How a head does on records it never saw, in record-grouped folds of the training pairs.

    Attributes:
        baseline: Metric of the untouched encoder, mean over the folds weighted by their pairs.
        probe: The same of the heads.
        folds: The difference in each fold, in points.
        n_judged: Pairs both of whose records were held out.
        whole: Whether whole components were held out, so that every pair was judged.
    """

    baseline: float
    probe: float
    folds: tuple[float, ...]
    n_judged: int
    whole: bool

    @property
    def gain(self) -> float:
        """Return probe minus baseline, in points."""
        return self.probe - self.baseline


@dataclass(frozen=True, slots=True)
class Probe:
    """What a head gains.

    Attributes:
        metric: What it is judged by: Spearman where the judged set is graded, else ROC-AUC.
        inside: On held-out records of the training pairs; None where the folds hold too little.
        baseline: The untouched encoder on the test pairs; None without test pairs.
        probe: The head on the test pairs.
        difference: Probe minus baseline on the test pairs with its interval, in points.
        verdict: The interval in a word.
        trained: Whether the training pairs' own held-out part preferred a head to the untouched encoder.
        penalty: The chosen lambda; None if not trained.
        epochs: Passes chosen; 0 if not trained.
        n_train: Training pairs that the head was fitted on.
        n_excluded: Training pairs left out because a record or text of theirs is in the test set.
        n_sampled_from: Training pairs before a sample was drawn.
        n_test: Test pairs judged.
        n_test_of: Test pairs before a sample was drawn.
    """

    metric: Metric
    inside: CrossValidated | None
    baseline: float | None
    probe: float | None
    difference: Interval | None
    verdict: Verdict | None
    trained: bool
    penalty: float | None
    epochs: int
    n_train: int
    n_excluded: int
    n_sampled_from: int
    n_test: int
    n_test_of: int

    def as_json(self) -> dict[str, Any]:
        """Return the probe as JSON; see `probe_from_json`."""
        inside = None if self.inside is None else asdict(self.inside) | {"gain": self.inside.gain}
        return asdict(self) | {"inside": inside}


@dataclass(frozen=True, slots=True, eq=False)
class FittedProbe:
    """The head that a preflight tries.

    Attributes:
        weight: Shape (dim, dim); the identity if not trained.
        penalty: The chosen lambda; None if the untouched encoder was preferred.
        epochs: Passes chosen.
    """

    weight: NDArray[np.float32]
    penalty: float | None
    epochs: int

    @property
    def trained(self) -> bool:
        """Tell whether it is anything but the untouched encoder."""
        return self.penalty is not None


def probe_from_json(value: dict[str, Any]) -> Probe:
    """Read a probe back from `Probe.as_json`."""
    inside, difference = value["inside"], value["difference"]
    kept = None
    if inside is not None:
        numbers = {name: number for name, number in inside.items() if name not in ("gain", "folds")}
        kept = CrossValidated(**numbers, folds=tuple(inside["folds"]))
    return Probe(**{**value, "inside": kept, "difference": None if difference is None else Interval(**difference)})


def fit_probe(
    vectors: NDArray[np.float32], pairs: IndexedPairs, records: RecordIds, config: PreflightConfig
) -> FittedProbe | None:
    """Choose penalty and passes on a record-grouped part of the pairs, then fit on all of them.

    Args:
        vectors: Unit embeddings; shape (n_texts, dim).
        pairs: What teaches.
        records: The record of each side; two arrays of shape (n_pairs,).
        config: Penalties, passes, seed.

    Returns:
        The probe; None where a part holds one class only.
    """
    parts = record_folds(*records, n_folds=_DEV_PARTS[True], seed=config.seed)
    if not parts.whole:
        parts = record_folds(*records, n_folds=_DEV_PARTS[False], seed=config.seed)
    learn, choose = rows_of(pairs, parts.kept(0)), rows_of(pairs, parts.held_out(0))
    if not (_teaches(learn) and _teaches(choose)):
        return None
    found = _choose(vectors, learn, choose, config)
    if found is None:
        return FittedProbe(np.eye(vectors.shape[1], dtype=np.float32), None, 0)
    settings = _settings(found.epoch, len(pairs.targets), config)
    # No pair is spared to choose by any more: of at most the chosen passes the one is kept that fits the pairs best.
    whole = fit_head(vectors, pairs, pairs, settings, penalties=(found.penalty,))
    return FittedProbe(whole.weight, found.penalty, whole.epoch)


def cross_validate(
    vectors: NDArray[np.float32],
    pairs: IndexedPairs,
    records: RecordIds,
    config: PreflightConfig,
    *,
    progress: Progress | None = None,
) -> CrossValidated | None:
    """Fit a probe without each fold of records in turn and compare it with the untouched encoder on that fold.

    Returns:
        The mean over the folds in which both can be measured; None if there is no such fold.
    """
    pairs, records = _at_most(pairs, records, config)
    folds = record_folds(*records, n_folds=config.n_folds, seed=config.seed + 1)
    identity = np.eye(vectors.shape[1], dtype=np.float32)
    found: list[tuple[float, float, int]] = []
    for fold in range(config.n_folds):
        if progress:
            progress(fold, config.n_folds, "probing held-out records of the training pairs")
        rows, held_out = folds.kept(fold), rows_of(pairs, folds.held_out(fold))
        if not (len(rows) and _teaches(held_out)):
            continue
        probe = fit_probe(vectors, rows_of(pairs, rows), (records[0][rows], records[1][rows]), config)
        if probe is None:
            continue
        before = _metric(pair_cosines(vectors, identity, held_out), held_out)
        after = _metric(pair_cosines(vectors, probe.weight, held_out), held_out)
        if before is not None and after is not None:
            found.append((before, after, len(held_out.targets)))
    if not found:
        return None
    before_each, after_each, weights = (np.array(column) for column in zip(*found, strict=True))
    return CrossValidated(
        baseline=float(np.average(before_each, weights=weights)),
        probe=float(np.average(after_each, weights=weights)),
        folds=tuple((after_each - before_each).tolist()),
        n_judged=int(weights.sum()),
        whole=folds.whole,
    )


def judge(resampled: Resampled, config: PreflightConfig) -> tuple[Interval | None, Verdict]:
    """Return the probe's difference to the baseline and what it means; row 0 is the baseline, row 1 the probe."""
    rule = config.resampling
    difference = resampled.difference(1, 0, level=rule.level)
    return difference, verdict(difference, rule.margin)


def sample_rows(n_rows: int, at_most: int, seed: int) -> NDArray[np.intp]:
    """Return all row numbers, or a seeded sample of `at_most` of them, ascending."""
    if n_rows <= at_most:
        return np.arange(n_rows)
    return np.sort(np.random.default_rng(seed).choice(n_rows, size=at_most, replace=False))


def rows_of(pairs: IndexedPairs, rows: NDArray[np.intp]) -> IndexedPairs:
    """Return some of the pairs, by row number."""
    return IndexedPairs(pairs.first[rows], pairs.second[rows], pairs.targets[rows])


def touching(sides: Sides, others: Sides) -> NDArray[np.bool_]:
    """Tell which pairs hold, on either side, a value that is on either side of any other pair; shape (n_pairs,)."""
    known = set(others[0].tolist()) | set(others[1].tolist())
    first, second = (np.fromiter((each in known for each in side.tolist()), bool, len(side)) for side in sides)
    return first | second


def _choose(
    vectors: NDArray[np.float32], learn: IndexedPairs, choose: IndexedPairs, config: PreflightConfig
) -> HeadEpoch | None:
    """Return the pass that the chosen part likes best; None if it prefers the untouched encoder."""
    settings = _settings(config.max_epochs, len(learn.targets), config)
    found: HeadEpoch | None = None
    for penalty in config.penalties:
        fit = fit_head(vectors, learn, choose, settings, penalties=(penalty,), on_epoch=_Patience(config.patience))
        if fit.chosen is not None and (found is None or fit.chosen.dev_metric > found.dev_metric):
            found = fit.chosen
    return found


def _settings(max_epochs: int, n_pairs: int, config: PreflightConfig) -> TrainingConfig:
    """Return the head's settings; few pairs are learnt in smaller batches, so that a pass is more than one step."""
    usual = TrainingConfig(max_epochs=max_epochs, seed=config.seed)
    batch = min(usual.pairs_per_step, max(_LEAST_BATCH, n_pairs // _STEPS_A_PASS))
    return usual.model_copy(update={"per_device_train_batch_size": batch})


def _at_most(pairs: IndexedPairs, records: RecordIds, config: PreflightConfig) -> tuple[IndexedPairs, RecordIds]:
    """Return a seeded sample of pairs: five fits instead of one are to take seconds, too."""
    rows = sample_rows(len(pairs.targets), config.fold_pairs, config.seed)
    return rows_of(pairs, rows), (records[0][rows], records[1][rows])


class _Patience:
    """Ends a fit once so many passes in a row were no better than the best before."""

    def __init__(self, n_passes: int) -> None:
        self._n_passes = n_passes
        self._best = -np.inf
        self._since = 0

    def __call__(self, entry: HeadEpoch) -> bool:
        """Tell whether to stop after this pass."""
        self._since = 0 if entry.dev_metric > self._best else self._since + 1
        self._best = max(self._best, entry.dev_metric)
        return self._since >= self._n_passes


def _teaches(pairs: IndexedPairs) -> bool:
    return len(np.unique(pairs.targets)) >= 2


def _metric(scores: NDArray[np.float32], pairs: IndexedPairs) -> float | None:
    return spearman(scores, pairs.targets) if pairs.graded else roc_auc(scores, pairs.targets)
