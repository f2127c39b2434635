"""How many labels of a pair set are wrong, by estimate, and which ones to look at first.

Arrays in, one result out; no model, no file. `out_of_fold.py` makes the probabilities.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simtune_core.curriculum.quality.config import NoiseConfig
from simtune_core.evaluation.metrics import roc_auc
from simtune_core.evaluation.uncertainty import Interval

Floats = NDArray[np.float64]
Rates = tuple[float, float]  # of the pairs labelled 0, of those labelled 1
TAILS = (0.05, 0.10, 0.15, 0.20, 0.30, 0.40, 0.50)  # shares of a class that lie beyond a cut
_SPREAD = 1.0  # standard errors of a count, by which a smaller tail must be better to count instead of a larger one


@dataclass(frozen=True, slots=True)
class ClassNoise:
    """The noise among the pairs of one label.

    Attributes:
        label: 0 or 1.
        n: Pairs of that label that were judged.
        rate: Share of them that really has the other label, by estimate an upper bound; with its interval.
        confident: The same share by confident learning alone, which counts the probe's own mistakes as noise.
        n_issues: How many of them confident learning marks.
    """

    label: int
    n: int
    rate: Interval
    confident: float
    n_issues: int

    @property
    def n_expected(self) -> int:
        """Return how many of the pairs the rate stands for."""
        return round(self.rate.estimate * self.n)


@dataclass(frozen=True, slots=True, eq=False)
class Noise:
    """What is known of the wrong labels of a set.

    Attributes:
        classes: The noise among the negatives and among the positives; None where it cannot be estimated.
        reason: Why not, a sentence; empty where it can.
        roc_auc: How well the probe tells the labels apart on held-out records; None with one class only.
        n_judged: Pairs that a probe judged.
        n_records: Their different records.
        issues: Which pairs confident learning marks; shape (n_pairs,).
        self_confidence: P(the pair's own label), NaN where not judged; shape (n_pairs,).
    """

    classes: tuple[ClassNoise, ClassNoise] | None
    reason: str
    roc_auc: float | None
    n_judged: int
    n_records: int
    issues: NDArray[np.bool_]
    self_confidence: Floats

    def as_json(self) -> dict[str, Any]:
        """Return all but the arrays as JSON; see `classes_from_json`."""
        return {
            "classes": None if self.classes is None else [asdict(each) for each in self.classes],
            "reason": self.reason,
            "roc_auc": self.roc_auc,
            "n_judged": self.n_judged,
            "n_records": self.n_records,
            "n_issues": int(self.issues.sum()),
        }


def classes_from_json(value: dict[str, Any]) -> tuple[ClassNoise, ...]:
    """Read the classes back from `Noise.as_json`; empty where there is no estimate."""
    return tuple(ClassNoise(**{**each, "rate": Interval(**each["rate"])}) for each in value["classes"] or ())


def estimate_noise(
    labels: NDArray[np.int8], probabilities: Floats, records: tuple[NDArray[np.intp], NDArray[np.intp]],
    config: NoiseConfig,
) -> Noise:  # fmt: skip
    """Estimate how many labels are wrong, with intervals, and mark the suspects.

    Args:
        labels: Given labels, 0 or 1; shape (n_pairs,).
        probabilities: P(label = 1) by probes that saw neither record, NaN where none did; shape (n_pairs,).
        records: The record of each side, numbered from 0; two arrays of shape (n_pairs,).
        config: From what on an estimate is believed, and the resampling.

    Returns:
        The estimate, or why there is none; the ranking wherever there are probabilities.

    Source:
        Suspects: Northcutt et al. 2021, "Confident learning", JAIR 70, by cleanlab. The rates: the mixture proportion
        bounds of Scott 2015, "A rate of convergence for mixture proportion estimation", AISTATS; see `mixture_rates`.
    """
    judged = np.isfinite(probabilities)
    given, likely = labels[judged].astype(np.int64), probabilities[judged]
    sides = (records[0][judged], records[1][judged])
    known = int(judged.sum())
    n_records = len(np.unique(np.concatenate(sides))) if known else 0
    auc = roc_auc(likely, given) if known else None
    confidence = np.where(labels == 1, probabilities, 1.0 - probabilities)
    marked = np.zeros(len(labels), dtype=bool)
    reason = _why_not(given, auc, len(labels), config)
    if auc is None or min(np.bincount(given, minlength=2)) == 0:
        return Noise(None, reason, auc, known, n_records, marked, confidence)
    issues, confident = _confident(given, likely)
    marked[judged] = issues
    if reason:
        return Noise(None, reason, auc, known, n_records, marked, confidence)
    intervals = _intervals(given, likely, sides, config)
    first, second = (
        ClassNoise(
            label, int((given == label).sum()), intervals[label], confident[label], int(issues[given == label].sum())
        )
        for label in (0, 1)
    )
    return Noise((first, second), "", auc, known, n_records, marked, confidence)


def mixture_rates(labels: NDArray[np.int64], scores: Floats, weights: Floats | None = None) -> Rates:
    """Return the largest noise rates that the scores allow: of the pairs labelled 0, and of those labelled 1.

    Where the probe is surest that pairs are positive, true negatives are rare, so the pairs labelled 0 there are mostly
    wrong labels: their density over that of the pairs labelled 1 bounds how many of the former are mislabelled. Of
    several tails the one with the least upper confidence bound counts, and likewise at the other end.

    Args:
        labels: Given labels, 0 or 1; both occur. Shape (n_pairs,).
        scores: The higher, the surer positive; shape (n_pairs,).
        weights: How often each pair counts; once by default.

    Returns:
        Two shares in [0, 1]; NaN where a class has no weight.

    Source:
        Scott 2015 (see `estimate_noise`); the tail is chosen by the rule of Lepski 1991 (the least smoothing that no
        finer one contradicts) in place of uniform bounds, and the two ratios are solved for the rates as in Scott,
        Blanchard and Handy 2013, "Classification with asymmetric label noise", COLT.
    """
    ends = _Tails(labels, scores).ratios(np.ones(len(labels)) if weights is None else weights)
    if ends is None:
        return float("nan"), float("nan")
    upper, lower = (float(end.values[end.chosen]) for end in ends)
    return _solved(upper, lower)


class _Tails:
    """Pairs sorted by score once, so that each resample is a few sums.

    The tails are counted as shares of a class, so that they mean the same in every resample; equal scores lie in or
    beyond a cut together, whatever the order of the rows.
    """

    def __init__(self, labels: NDArray[np.int64], scores: Floats) -> None:
        order = np.argsort(scores, kind="stable")
        in_order = scores[order]
        self.order, self.positive = order, labels[order] == 1
        self.first_of_run = np.searchsorted(in_order, in_order, side="left")
        self.last_of_run = np.searchsorted(in_order, in_order, side="right")

    def ratios(self, weights: Floats) -> tuple[_Ratios, _Ratios] | None:
        """Return the ratios at the upper and at the lower end, None where a class has no weight."""
        drawn = weights[self.order]
        negative, positive = (
            np.concatenate([[0.0], np.cumsum(np.where(self.positive == of, drawn, 0.0))]) for of in (False, True)
        )
        n_negative, n_positive = float(negative[-1]), float(positive[-1])
        if not (n_negative and n_positive):
            return None
        wanted, last = np.array(TAILS), len(drawn) - 1
        above = np.searchsorted(positive, n_positive * (1.0 - wanted), side="right") - 1
        above = self.first_of_run[np.minimum(above, last)]
        below = np.searchsorted(negative, n_negative * wanted, side="left") - 1
        below = self.last_of_run[np.clip(below, 0, last)]
        return (
            _Ratios(n_negative - negative[above], n_negative, n_positive - positive[above], n_positive),
            _Ratios(positive[below], n_positive, negative[below], n_negative),
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Ratios:
    """In each tail the pairs of the class that does not belong there, and those of the class that does."""

    wrong: Floats
    n_wrong: float
    right: Floats
    n_right: float

    @property
    def values(self) -> Floats:
        """Return the density of the one class over that of the other, at most 1; shape (n_tails,)."""
        return np.minimum(1.0, self.wrong / self.n_wrong * self._per_right)

    @property
    def chosen(self) -> int:
        """Return the largest tail whose ratio no smaller tail contradicts: few errors in a small one may be luck."""
        upper = (self.wrong + _SPREAD * (np.sqrt(self.wrong + 1.0) + 1.0)) / self.n_wrong * self._per_right
        least = np.minimum.accumulate(np.concatenate([[np.inf], upper[:-1]]))
        return int(np.flatnonzero(self.values <= least)[-1])

    def at_least(self, tail: int, chance: float) -> float:
        """Return up to which ratio a tail without one wrong pair would be empty by that chance; 0 where it has one."""
        if self.wrong[tail] > 0:
            return 0.0
        return min(1.0, float(-np.log(chance) / self.n_wrong * self._per_right[tail]))

    @property
    def _per_right(self) -> Floats:
        return self.n_right / np.maximum(self.right, 1e-12)


def _solved(of_negatives: float, of_positives: float) -> Rates:
    """Turn the ratios at the two ends into the two noise rates."""
    both = 1.0 - of_negatives * of_positives
    if both <= 0.0:
        return 1.0, 1.0
    return of_negatives * (1.0 - of_positives) / both, of_positives * (1.0 - of_negatives) / both


def _confident(labels: NDArray[np.int64], probabilities: Floats) -> tuple[NDArray[np.bool_], Rates]:
    """Return which pairs confident learning marks, and the share of either class that its joint calls wrong."""
    from cleanlab.count import compute_confident_joint
    from cleanlab.filter import find_label_issues

    both = np.column_stack([1.0 - probabilities, probabilities])
    joint = compute_confident_joint(labels, both)
    issues = find_label_issues(labels, both, confident_joint=joint, n_jobs=1)
    return issues, (float(joint[0, 1] / joint[0].sum()), float(joint[1, 0] / joint[1].sum()))


def _intervals(
    labels: NDArray[np.int64], scores: Floats, records: tuple[NDArray[np.intp], NDArray[np.intp]], config: NoiseConfig
) -> tuple[Interval, Interval]:
    """Return the rates with percentile intervals over resamples of the records, all in the tails first chosen."""
    tails, rng = _Tails(labels, scores), np.random.default_rng(config.seed)
    codes = np.unique(np.concatenate(records), return_inverse=True)[1]
    first, second = np.split(codes, 2)
    n_records = int(codes.max()) + 1
    whole = tails.ratios(np.ones(len(labels)))
    assert whole is not None  # both classes were counted
    upper, lower = whole[0].chosen, whole[1].chosen
    found = np.full((config.n_resamples, 2), np.nan)
    for row in found:
        times = np.bincount(rng.integers(n_records, size=n_records), minlength=n_records).astype(np.float64)
        drawn = tails.ratios(times[first] * np.where(first == second, 1.0, times[second]))
        if drawn is not None:
            row[:] = _solved(float(drawn[0].values[upper]), float(drawn[1].values[lower]))
    estimates = _solved(float(whole[0].values[upper]), float(whole[1].values[lower]))
    n_undefined = int(np.isnan(found[:, 0]).sum())
    beyond = (1.0 - config.level) / 2
    low, high = np.nanquantile(found, (beyond, 1.0 - beyond), axis=0)
    # Resampling an end without one wrong pair never finds any, and yet there may be some: a Poisson count's bound.
    high = np.maximum(high, [whole[0].at_least(upper, beyond), whole[1].at_least(lower, beyond)])
    negatives, positives = (
        Interval(estimates[label], float(low[label]), float(high[label]), config.n_resamples, n_records, n_undefined)
        for label in (0, 1)
    )
    return negatives, positives


def _why_not(labels: NDArray[np.int64], auc: float | None, n_pairs: int, config: NoiseConfig) -> str:
    """Say why no noise rate can be given; an empty text where one can."""
    counts = np.bincount(labels, minlength=2)
    told = f"{counts[0]:,} negative and {counts[1]:,} positive pairs"
    if counts.min() < config.min_class_pairs:
        if counts.sum() == n_pairs:
            return f"Noise is estimated from {config.min_class_pairs} pairs of either label on; there are {told}."
        return (
            f"Noise is estimated from {config.min_class_pairs} pairs of either label on that a probe can judge without "
            f"having seen their records; of {n_pairs:,} pairs it can judge {told}, because too many share a record."
        )
    if auc is None or auc < config.min_roc_auc:
        value = "not defined" if auc is None else f"{auc:.3f}"
        return (
            f"A probe tells these labels apart with ROC-AUC {value} on records that it has not seen, below "
            f"{config.min_roc_auc:g}: it cannot know which labels are wrong. Choose an encoder that knows the domain, "
            "or look at pairs by hand."
        )
    return ""
