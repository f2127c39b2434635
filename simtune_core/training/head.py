"""The head: a linear map on frozen embeddings, fitted in seconds, never worse on dev than the untouched encoder.

A pure function of matrices: no model, no file. Saving and attaching are in artifacts.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from simtune_core.errors import TrainingError
from simtune_core.evaluation.metrics import roc_auc, spearman
from simtune_core.pairs import PairSet
from simtune_core.training.config import HEAD_PENALTIES, TrainingConfig

DevMetric = Literal["roc_auc", "spearman_cosine"]


@dataclass(frozen=True, slots=True, eq=False)
class IndexedPairs:
    """Pairs as rows of an embedding matrix.

    Attributes:
        first: Row of sentence1; shape (n_pairs,).
        second: Row of sentence2; shape (n_pairs,).
        targets: Label in {0, 1}, or graded score in [0, 1]; shape (n_pairs,).
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    targets: NDArray[np.float64]

    @property
    def graded(self) -> bool:
        """Tell whether the targets are anything but 0 and 1."""
        return not bool(np.isin(self.targets, (0.0, 1.0)).all())


@dataclass(frozen=True, slots=True)
class HeadEpoch:
    """One pass of one fit.

    Attributes:
        penalty: lambda of the fit.
        epoch: Passes done, from 1.
        step: Passes done over all fits, from 1.
        loss: Mean training loss of the pass.
        dev_metric: Metric on dev after it.
        learning_rate: Rate of the optimizer in the pass.
        n_pairs: Pairs that went through the pass.
        metric: Which metric `dev_metric` is.
    """

    penalty: float
    epoch: int
    step: int
    loss: float
    dev_metric: float
    learning_rate: float
    n_pairs: int
    metric: DevMetric


@dataclass(frozen=True, slots=True, eq=False)
class _Pass:
    loss: float
    weight: NDArray[np.float32]
    learning_rate: float
    n_pairs: int


@dataclass(frozen=True, slots=True, eq=False)
class HeadFit:
    """The map that dev chose, and how it was chosen.

    Attributes:
        weight: W, float32, shape (dim, dim); new embedding = normalise(W @ embedding).
        chosen: The pass that gave W; None when the identity won.
        metric: What dev was compared by.
        baseline_dev_metric: Its value with the identity.
        history: Every pass of every fit.
        stopped: Whether it ended early because it was asked to.
    """

    weight: NDArray[np.float32]
    chosen: HeadEpoch | None
    metric: DevMetric
    baseline_dev_metric: float
    history: tuple[HeadEpoch, ...]
    stopped: bool = False

    @property
    def trained(self) -> bool:
        """Tell whether anything but the identity was chosen."""
        return self.chosen is not None

    @property
    def penalty(self) -> float | None:
        """Return the chosen lambda; None when the identity won."""
        return self.chosen.penalty if self.chosen else None

    @property
    def epoch(self) -> int:
        """Return the chosen epoch; 0 when the identity won."""
        return self.chosen.epoch if self.chosen else 0

    @property
    def dev_metric(self) -> float:
        """Return the dev metric with W; never below the baseline's."""
        return self.chosen.dev_metric if self.chosen else self.baseline_dev_metric


def indexed_pairs(pairs: PairSet, row_of: Mapping[str, int]) -> IndexedPairs:
    """Turn a pair set into rows of the matrix whose row `row_of[text]` belongs to `text`."""
    first = np.array([row_of[text] for text in pairs.frame["sentence1"]], dtype=np.int64)
    second = np.array([row_of[text] for text in pairs.frame["sentence2"]], dtype=np.int64)
    return IndexedPairs(first, second, pairs.targets())


def fit_head(
    vectors: NDArray[np.float32],
    train: IndexedPairs,
    dev: IndexedPairs,
    config: TrainingConfig,
    *,
    on_epoch: Callable[[HeadEpoch], bool] | None = None,
    penalties: Sequence[float] = HEAD_PENALTIES,
) -> HeadFit:
    """Fit a linear map W on unit embeddings so that the cosine of mapped pairs follows their targets.

    Minimises mean (scale * cos(W a, W b) + bias - target)^2 + lambda * |W - I|^2 with Adam, W starting at the identity,
    once per lambda. The epoch and the lambda with the best dev metric win, the identity being among the choices.

    Args:
        vectors: Unit embeddings; shape (n_texts, dim).
        train: Pairs to learn from.
        dev: Pairs to choose by; ROC-AUC, or Spearman where they are graded.
        config: Learning rate, batch size, epochs and seed.
        on_epoch: Called after each pass; returning True ends the fit with the best map so far.
        penalties: The lambdas tried; |.|^2 is the sum of squares (squared Frobenius norm).

    Returns:
        The chosen map.

    Raises:
        TrainingError: If train or dev cannot teach or choose (one class, constant scores), or the loss is not finite.

    Source:
        Our own; measured on itsm10k_category, banking77_category and clinc150_category, docs/training.md.
    """
    import torch

    metric: DevMetric = "spearman_cosine" if dev.graded else "roc_auc"
    _require_two_targets(train, "training")
    best = np.eye(vectors.shape[1], dtype=np.float32)
    baseline = best_metric = _dev_metric(vectors, best, dev, metric)
    chosen: HeadEpoch | None = None
    history: list[HeadEpoch] = []
    matrix = torch.from_numpy(np.array(vectors, dtype=np.float32))
    stopped = False
    with _one_thread():
        for penalty, epoch, done in _fits(matrix, train, config, penalties):
            value = _dev_metric(vectors, done.weight, dev, metric)
            step = len(history) + 1
            entry = HeadEpoch(penalty, epoch, step, done.loss, value, done.learning_rate, done.n_pairs, metric)
            history.append(entry)
            if value > best_metric:
                best, best_metric, chosen = done.weight, value, entry
            if on_epoch and on_epoch(entry):
                stopped = True
                break
    return HeadFit(best, chosen, metric, baseline, tuple(history), stopped)


def pair_cosines(vectors: NDArray[np.float32], weight: NDArray[np.float32], pairs: IndexedPairs) -> NDArray[np.float32]:
    """Return cos(W a, W b) of each pair, in [-1, 1]; shape (n_pairs,)."""
    rows, positions = np.unique(np.concatenate([pairs.first, pairs.second]), return_inverse=True)
    mapped = vectors[rows] @ weight.T
    mapped /= np.maximum(np.linalg.norm(mapped, axis=1, keepdims=True), 1e-12)
    first, second = np.split(positions, 2)
    return np.einsum("ij,ij->i", mapped[first], mapped[second])


@contextmanager
def _one_thread() -> Iterator[None]:
    """Compute in one thread: products this small lose more to waiting for each other (8 times on a busy machine).

    It also makes the result independent of the number of cores.
    """
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _fits(
    matrix: Any, pairs: IndexedPairs, config: TrainingConfig, penalties: Sequence[float]
) -> Iterator[tuple[float, int, _Pass]]:
    """Yield (lambda, epoch from 1, what the pass did) over all fits."""
    for penalty in penalties:
        for epoch, done in enumerate(_passes(matrix, pairs, config, penalty), start=1):
            yield penalty, epoch, done


def _passes(matrix: Any, pairs: IndexedPairs, config: TrainingConfig, penalty: float) -> Iterator[_Pass]:
    """Yield what each pass of one fit did."""
    import torch
    from torch.nn.functional import normalize

    generator = torch.Generator().manual_seed(config.seed)
    first, second = torch.from_numpy(pairs.first), torch.from_numpy(pairs.second)
    targets = torch.from_numpy(pairs.targets.astype(np.float32))
    identity = torch.eye(matrix.shape[1])
    weight = identity.clone().requires_grad_()
    line = torch.tensor([1.0, 0.0], requires_grad=True)  # scale and bias of the cosine
    optimizer = torch.optim.Adam([weight, line], lr=config.peak_learning_rate)
    for _ in range(config.max_epochs):
        total, n_pairs = 0.0, 0
        for batch in torch.randperm(len(targets), generator=generator).split(config.pairs_per_step):
            a = normalize(matrix[first[batch]] @ weight.T, dim=1)
            b = normalize(matrix[second[batch]] @ weight.T, dim=1)
            fault = line[0] * (a * b).sum(dim=1) + line[1] - targets[batch]
            loss = fault.square().mean() + penalty * (weight - identity).square().sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(batch)
            n_pairs += len(batch)
        mean = total / n_pairs
        if not np.isfinite(mean):
            raise TrainingError(
                f"The loss must stay a finite number, got {mean} with learning rate {config.peak_learning_rate:g}; "
                "lower it."
            )
        rate = float(optimizer.param_groups[0]["lr"])
        yield _Pass(mean, weight.detach().numpy().copy(), rate, n_pairs)


def _dev_metric(
    vectors: NDArray[np.float32], weight: NDArray[np.float32], dev: IndexedPairs, metric: DevMetric
) -> float:
    scores = pair_cosines(vectors, weight, dev)
    value = spearman(scores, dev.targets) if dev.graded else roc_auc(scores, dev.targets)
    if value is None:
        raise TrainingError(
            f"Dev pairs must hold similar and dissimilar pairs, or two different scores, to choose by {metric}; "
            f"got {len(dev.targets)} pairs with targets {sorted(set(dev.targets.tolist()))[:3]}."
        )
    return value


def _require_two_targets(pairs: IndexedPairs, what: str) -> None:
    if len(np.unique(pairs.targets)) < 2:
        raise TrainingError(
            f"A head learns from the difference of similar and dissimilar pairs; the {what} set must hold both, got "
            f"{len(pairs.targets)} pairs that all have the target {pairs.targets[:1].tolist()}."
        )
