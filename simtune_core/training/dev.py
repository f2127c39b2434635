"""How a live model does on dev pairs while it is trained: a fixed seeded sample, scored the same way every time.

The full dev set is scored by an evaluation; these numbers choose the step that is kept, and say so.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from simtune_core.errors import TrainingError
from simtune_core.evaluation.metrics import roc_auc, spearman
from simtune_core.pairs import PairSet

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


@dataclass(frozen=True, slots=True)
class DevScore:
    """Metrics of one model on the dev sample.

    Attributes:
        step: Steps trained before.
        roc_auc: ROC-AUC, in [0, 1]; None with one class, or not scored.
        spearman_cosine: Rank correlation with the targets, in [-1, 1]; None where constant, or not scored.
        n_pairs: Pairs of the sample.
        graded: Whether the pairs carry graded scores, so that Spearman chooses.
    """

    step: int
    roc_auc: float | None
    spearman_cosine: float | None
    n_pairs: int
    graded: bool

    @property
    def metric(self) -> Literal["roc_auc", "spearman_cosine"]:
        """Return the name of the metric that steps are chosen by."""
        return "spearman_cosine" if self.graded else "roc_auc"

    @property
    def value(self) -> float:
        """Return that metric; minus infinity where it is not defined, so that such a step is never chosen."""
        value = self.spearman_cosine if self.graded else self.roc_auc
        return -np.inf if value is None else value

    @property
    def scored(self) -> bool:
        """Tell whether any metric is known of these weights."""
        return self.roc_auc is not None or self.spearman_cosine is not None

    def as_dict(self) -> dict[str, Any]:
        """Return the score as JSON holds it."""
        return {**asdict(self), "metric": self.metric}


class DevSample:
    """A fixed sample of dev pairs and how it is scored."""

    def __init__(self, pairs: PairSet, *, n_pairs: int, seed: int, score_cut: float, precision: str) -> None:
        rng = np.random.default_rng(seed)
        rows = np.sort(rng.permutation(len(pairs))[:n_pairs])
        self._first = pairs.frame["sentence1"].iloc[rows].tolist()
        self._second = pairs.frame["sentence2"].iloc[rows].tolist()
        self._targets = pairs.targets()[rows]
        self._labels = pairs.labels(score_cut)[rows]
        self._graded = pairs.graded
        self._precision = precision
        if len(np.unique(self._targets)) < 2:
            raise TrainingError(
                f"Dev pairs must hold similar and dissimilar pairs to choose the best step; {len(rows)} pairs of "
                f"{pairs.ref} all have the target {self._targets[:1].tolist()}."
            )

    def __len__(self) -> int:
        return len(self._first)

    def score(self, model: SentenceTransformer, *, step: int) -> DevScore:
        """Score the model as it is; dropout is off meanwhile and its mode is given back."""
        was_training = model.training
        texts = list(dict.fromkeys([*self._first, *self._second]))
        with _computing_in(self._precision, model):
            encoded = model.encode(texts, batch_size=64, show_progress_bar=False, convert_to_tensor=True)
        model.train(was_training)
        vectors = encoded.float().cpu().numpy()
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        if not np.isfinite(vectors).all():
            raise TrainingError(f"The model must give finite vectors, got NaN at step {step}; lower the learning rate.")
        row = {text: number for number, text in enumerate(texts)}
        first, second = ([row[text] for text in side] for side in (self._first, self._second))
        cosines = np.einsum("ij,ij->i", vectors[first], vectors[second])
        return DevScore(
            step=step,
            roc_auc=roc_auc(cosines, self._labels),
            spearman_cosine=spearman(cosines, self._targets),
            n_pairs=len(self),
            graded=self._graded,
        )


def _computing_in(precision: str, model: SentenceTransformer) -> Any:
    """Return the context in which the trainer computes too: autocast to bf16, or nothing."""
    import torch

    return torch.autocast(model.device.type, torch.bfloat16) if precision == "bf16" else nullcontext()
