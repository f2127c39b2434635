"""Headroom: how well the untouched baseline does on the training and on the test pairs already. Pure; no file."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from simtune_core.difficulty.scored import ScoredSet
from simtune_core.difficulty.separability import measure_side
from simtune_core.evaluation.metrics import roc_auc
from simtune_core.evaluation.uncertainty import Metric


@dataclass(frozen=True, slots=True)
class Standing:
    """How the baseline stands on one pair set. What needs both classes is None where only one is present.

    Attributes:
        ref: The set.
        n_pairs: Number of pairs.
        prevalence: Share of similar pairs, in [0, 1].
        graded: Whether the pairs carry graded scores, so that Spearman is judged by.
        separability: Mean similarity of the positives less that of the negatives, in points of cosine.
        roc_auc: ROC-AUC of the encoder, in [0, 1].
        spearman_cosine: Spearman of the encoder, in [-1, 1].
        tfidf_roc_auc: ROC-AUC of TF-IDF cosine on the same pairs, in [0, 1].
    """

    ref: str
    n_pairs: int
    prevalence: float
    graded: bool
    separability: float | None
    roc_auc: float | None
    spearman_cosine: float | None
    tfidf_roc_auc: float | None

    @property
    def metric(self) -> Metric:
        """Return the metric that the set is judged by: Spearman where it is graded, else ROC-AUC."""
        return "spearman_cosine" if self.graded else "roc_auc"

    @property
    def value(self) -> float | None:
        """Return that metric."""
        return self.spearman_cosine if self.graded else self.roc_auc

    @property
    def room(self) -> float | None:
        """Return what a perfect model could gain, 1 - value; None where the metric is not defined."""
        return None if self.value is None else 1.0 - self.value

    @property
    def one_class(self) -> bool:
        """Tell whether only one class is present, so that nothing can be told apart."""
        return self.prevalence in (0.0, 1.0)

    def as_json(self) -> dict[str, Any]:
        """Return the standing as JSON, the derived numbers included; see `standing_from_json`."""
        return asdict(self) | {"metric": self.metric, "value": self.value, "room": self.room}


def measure_standing(scored: ScoredSet) -> Standing:
    """Measure the untouched encoder on one pair set."""
    targets = scored.pairs.targets()
    side = measure_side(scored.cosines, scored.labels, targets)
    return Standing(
        ref=scored.ref,
        n_pairs=side.n_pairs,
        prevalence=side.prevalence,
        graded=scored.pairs.graded,
        separability=side.separability,
        roc_auc=side.roc_auc,
        spearman_cosine=side.spearman_cosine,
        tfidf_roc_auc=roc_auc(scored.tfidf, scored.labels),
    )


def standing_from_json(value: dict[str, Any]) -> Standing:
    """Read a standing back from `Standing.as_json`."""
    derived = ("metric", "value", "room")
    return Standing(**{name: number for name, number in value.items() if name not in derived})
