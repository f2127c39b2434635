"""The reasons of a verdict: each a question to what was measured, answered by a sentence with its numbers or by none.

Pure; the order in which they decide is in verdict.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from simtune_core.difficulty.preflight.config import PreflightConfig
from simtune_core.difficulty.preflight.coverage import Band, Coverage
from simtune_core.difficulty.preflight.detectable import WANTED, Detectable
from simtune_core.difficulty.preflight.fixes import Bands, fix_as_json, fix_from_json, like_the_test, other_pairs
from simtune_core.difficulty.preflight.headroom import Standing
from simtune_core.difficulty.preflight.probe import Probe
from simtune_core.difficulty.preflight.shift import Shift
from simtune_core.evaluation.config import EvaluationConfig
from simtune_core.findings import Audit, Fix

# Audits by code, as `difficulty/audits` names them: those between the two sets, and those counted against a bound.
LEAKS = ("leaked_records", "leaked_texts")
CONTRADICTIONS = ("contradicting_pairs", "contradicting_scores")
_JUDGED_HERE = ("one_class",)
METRIC_WORDS = {"roc_auc": "ROC-AUC", "spearman_cosine": "Spearman"}
_LEVEL = f"{100 * EvaluationConfig().level:.0f} %"
_KINDS = {1: "positives", 0: "negatives"}


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that was measured.

    Attributes:
        encoder: The baseline's name.
        space: The same as a page shows it.
        train: The baseline on the training pairs.
        test: The baseline on the test pairs.
        coverage: Whether the training pairs lie where the test pairs lie.
        shift: Whether the two can be told apart.
        probe: What a head gains; None where none can be fitted.
        not_probed: Why not, a sentence; empty where there is a probe.
        detectable: What the test set can show; None where its metric is not defined.
        bands: The curriculum's thresholds that fit the test pairs; None with one class.
        audits: The checks of the two sets.
        n_shared: Training pairs that hold a record or a text of the test pairs.
    """

    encoder: str
    space: str
    train: Standing
    test: Standing
    coverage: Coverage
    shift: Shift
    probe: Probe | None
    not_probed: str
    detectable: Detectable | None
    bands: Bands | None
    audits: Sequence[Audit] = ()
    n_shared: int = 0


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason.

    Attributes:
        code: Stable name.
        title: What it says, in a sentence without numbers.
        message: The sentence with its numbers.
        fix: What would mend it; None where nothing needs mending.
        decides: Whether the verdict rests on it.
    """

    code: str
    title: str
    message: str
    fix: Fix | None = None
    decides: bool = False

    def deciding(self) -> Reason:
        """Return the reason as one that the verdict rests on."""
        return replace(self, decides=True)

    def as_json(self) -> dict[str, Any]:
        """Return the reason as JSON; see `reason_from_json`."""
        return asdict(self) | {"fix": fix_as_json(self.fix)}


def reason_from_json(value: Mapping[str, Any]) -> Reason:
    """Read a reason back from `Reason.as_json`."""
    return Reason(**{**value, "fix": fix_from_json(value["fix"])})


def broken(evidence: Evidence, config: PreflightConfig) -> list[Reason]:
    """Ask whether anything can be learnt and judged here at all: leaks, contradictions, one class."""
    found = [_of_audit(each) for each in evidence.audits if _breaks(each, evidence, config)]
    return found + [_one_class(each) for each in (evidence.train, evidence.test) if each.one_class]


def too_easy(evidence: Evidence, config: PreflightConfig) -> list[Reason]:
    """Ask whether the baseline has solved the training pairs, or separates them much better than the test pairs."""
    train, test = evidence.train, evidence.test
    if train.roc_auc is None or test.roc_auc is None or train.separability is None or test.separability is None:
        return []
    found, fix = [], like_the_test(evidence.bands, evidence.encoder, evidence.space, test=evidence.test.ref)
    ahead = train.roc_auc - test.roc_auc
    if train.roc_auc > config.solved_roc_auc and ahead > config.solved_margin:
        message = (
            f"The baseline's ROC-AUC is {train.roc_auc:.3f} on the training pairs against {test.roc_auc:.3f} on the "
            f"test pairs ({evidence.space} cosine): what it solves already teaches it little."
        )
        found.append(Reason("training_solved", "The baseline has solved the training pairs already.", message, fix))
    if train.separability - test.separability > config.easier_margin and ahead > 0.0:
        message = (
            f"Separability is {train.separability:.3f} on the training pairs against {test.separability:.3f} on the "
            f"test pairs (mean positive less mean negative {evidence.space} cosine)."
        )
        found.append(Reason("training_easier", "The training pairs are easier than the test pairs.", message, fix))
    return found


def not_learnable(evidence: Evidence, config: PreflightConfig) -> list[Reason]:
    """Ask whether the training pairs hold anything that could be learnt."""
    train, probe = evidence.train, evidence.probe
    if train.one_class or train.roc_auc is None or abs(train.roc_auc - 0.5) > config.unlearnable_margin:
        return []
    fix = like_the_test(evidence.bands, evidence.encoder, evidence.space, test=evidence.test.ref)
    coin = f"The baseline's ROC-AUC on the training pairs is {train.roc_auc:.3f}, a coin's"
    share = max(train.prevalence, 1.0 - train.prevalence)
    if share >= config.one_sided:
        kind = _KINDS[int(train.prevalence > 0.5)]
        message = f"{coin}, and {share:.1%} of them are {kind}: nobody can learn from them."
        return [Reason("not_learnable", "Nobody can learn from the training pairs.", message, fix)]
    if probe is None or probe.inside is None or probe.inside.gain > config.unlearnable_margin:
        return []
    message = f"{coin}, and a head fitted on them gains {probe.inside.gain:+.3f} on records that it never saw."
    return [Reason("not_learnable", "Nothing can be learnt from the training pairs.", message, fix)]


def circular(evidence: Evidence, config: PreflightConfig) -> list[Reason]:
    """Ask whether words alone predict the test labels better than the encoder: then a model wins by counting words."""
    test = evidence.test
    lexical, own = test.tfidf_roc_auc, test.roc_auc
    if lexical is None or own is None or lexical < config.circular_roc_auc or lexical - own <= config.circular_margin:
        return []
    message = (
        f"TF-IDF alone reaches ROC-AUC {lexical:.3f} on the test pairs, {evidence.space} {own:.3f}: the labels follow "
        "word overlap, and a model that wins there may only have learnt to count words."
    )
    fix = other_pairs("Judge on pairs labelled by people or by duplicate links.")
    return [Reason("circular_labels", "The test labels follow word overlap.", message, fix)]


def no_headroom(evidence: Evidence) -> list[Reason]:
    """Ask whether a perfect model would gain less than the test set can show."""
    test, seen = evidence.test, evidence.detectable
    if test.room is None or seen is None or test.room > seen.difference:
        return []
    word = METRIC_WORDS[test.metric]
    message = (
        f"The baseline's {word} on the test pairs is {test.value:.3f}: a perfect model would gain {test.room:.3f}, and "
        f"{seen.n_pairs:,} pairs show differences from {seen.difference:.3f} on."
    )
    return [Reason("no_headroom", "The baseline leaves no headroom that could be shown.", message)]


def probe_wins(evidence: Evidence) -> list[Reason]:
    """Ask whether the probe gains on the test pairs."""
    if evidence.probe is None or evidence.probe.verdict != "WIN":
        return []
    message = _probe_sentence(evidence.probe, "gains")
    return [Reason("probe_gains", "A head fitted in seconds already gains on the test pairs.", message)]


def probe_ties(evidence: Evidence) -> list[Reason]:
    """Ask whether the probe neither gains nor loses."""
    probe = evidence.probe
    if probe is None or probe.verdict in ("WIN", "LOSS"):
        return []
    if not probe.trained:
        message = (
            "On held-out records of the training pairs no head was better than the untouched encoder, so the probe "
            "changes nothing on the test pairs."
        )
    else:
        message = _probe_sentence(probe, "changes")
    return [Reason("probe_gains_nothing", "A head fitted on the training pairs gains nothing that shows.", message)]


def probe_loses(evidence: Evidence) -> list[Reason]:
    """Ask whether the probe is worse than the untouched encoder on the test pairs."""
    if evidence.probe is None or evidence.probe.verdict != "LOSS":
        return []
    fix = other_pairs("Take training pairs that are labelled by the same rule as the test pairs.")
    message = _probe_sentence(evidence.probe, "loses")
    return [Reason("probe_loses", "What the training pairs teach is wrong on the test pairs.", message, fix)]


def not_probed(evidence: Evidence) -> list[Reason]:
    """Say why there is no probe."""
    if not evidence.not_probed:
        return []
    return [Reason("not_probed", "No probe speaks against it.", evidence.not_probed)]


def uncovered(evidence: Evidence, config: PreflightConfig) -> list[Reason]:
    """Ask whether too many test pairs lie where there are no training pairs of their kind."""
    found = evidence.coverage
    if found.share >= config.min_coverage:
        return []
    message = (
        f"{found.share:.0%} of the test pairs lie where there are at least {found.min_pairs} training pairs of their "
        "similarity and label"
    )
    if found.gaps:
        message += f"; {_gap_words(found.gaps[0])}"
    fix = like_the_test(evidence.bands, evidence.encoder, evidence.space, test=evidence.test.ref)
    return [Reason("uncovered", "The training pairs do not lie where the test pairs lie.", f"{message}.", fix)]


def shifted(evidence: Evidence, config: PreflightConfig) -> list[Reason]:
    """Ask whether a classifier easily tells the training from the test pairs."""
    found = evidence.shift
    if found.roc_auc is None or found.roc_auc < config.strong_shift:
        return []
    by = [name for name, drop in found.importance[:2] if drop > WANTED]
    message = f"A classifier tells a training from a test pair with ROC-AUC {found.roc_auc:.3f}"
    message += f", above all by {' and '.join(by)}." if by else "."
    fix = like_the_test(evidence.bands, evidence.encoder, evidence.space, test=evidence.test.ref)
    return [Reason("shifted", "The training pairs look unlike the test pairs.", message, fix)]


def coarse_test(evidence: Evidence, config: PreflightConfig) -> list[Reason]:
    """Ask whether the test set is too small to show anything but a large difference."""
    seen = evidence.detectable
    if seen is None or seen.difference <= config.coarse_test:
        return []
    needed = f"about {round_up(seen.n_pairs_needed):,}"
    message = (
        f"{seen.n_pairs:,} test pairs of {seen.n_records:,} records show a difference in "
        f"{METRIC_WORDS[seen.metric]} only from {seen.difference:.3f} on ({config.power:.0%} power); {needed} pairs "
        f"would show {WANTED:g}."
    )
    fix = other_pairs(f"Label more test pairs: {needed} show a difference of {WANTED:g}.")
    return [Reason("test_too_small", "The test set is too small to show a gain.", message, fix)]


def in_order(evidence: Evidence, config: PreflightConfig) -> list[Reason]:
    """Say what was looked at and found in order: room, coverage, and what the test set can show."""
    train, test, seen, found = evidence.train, evidence.test, evidence.detectable, []
    if train.value is not None and test.value is not None and not no_headroom(evidence):
        message = (
            f"The baseline's {METRIC_WORDS[test.metric]} is {test.value:.3f} on the test pairs, so {test.room:.3f} is "
            f"left to gain; on the training pairs its {METRIC_WORDS[train.metric]} is {train.value:.3f}."
        )
        found.append(Reason("headroom", "There is room above the baseline.", message))
    if not uncovered(evidence, config):
        share = evidence.coverage.share
        message = f"{share:.0%} of the test pairs lie where there are training pairs of their similarity and label."
        found.append(Reason("covered", "The training pairs lie where the test pairs lie.", message))
    if seen is not None and not coarse_test(evidence, config):
        message = f"The test pairs show differences in {METRIC_WORDS[seen.metric]} from {seen.difference:.3f} on."
        found.append(Reason("detectable", "The test set is large enough to show a gain.", message))
    return found


def round_up(number: int) -> int:
    """Return a number of pairs to two digits, upwards: 16,378 becomes 17,000."""
    unit = 10 ** max(0, len(str(number)) - 2)
    return -(-number // unit) * unit


def _breaks(audit: Audit, evidence: Evidence, config: PreflightConfig) -> bool:
    """Tell whether what an audit found makes every number worthless; leaks among other splits are none of ours."""
    if audit.status != "found" or audit.code in _JUDGED_HERE:
        return False
    if audit.code in CONTRADICTIONS:
        return audit.n_found > config.max_contradictions * (evidence.train.n_pairs + evidence.test.n_pairs)
    if audit.code in LEAKS:
        return evidence.n_shared > 0
    return audit.severity == "error"


def _of_audit(audit: Audit) -> Reason:
    return Reason(audit.code, f"{audit.title}.", audit.message, audit.fix)


def _one_class(standing: Standing) -> Reason:
    kind = _KINDS[int(standing.prevalence == 1.0)]
    return Reason(
        "one_class",
        "Only one class is present.",
        f"All {standing.n_pairs:,} pairs of {standing.ref} are {kind}: nothing can be told apart there.",
        other_pairs("Choose or import a set that holds similar and dissimilar pairs."),
    )


def _probe_sentence(probe: Probe, verb: str) -> str:
    change = probe.difference
    if change is None or probe.baseline is None or probe.probe is None:
        return "The probe's difference on the test pairs is not defined."
    inside = f"; on training records that it never saw {probe.inside.gain:+.3f}" if probe.inside is not None else ""
    return (
        f"A head fitted on {probe.n_train:,} training pairs {verb} {METRIC_WORDS[probe.metric]} {change.estimate:+.3f} "
        f"on the test pairs ({probe.baseline:.3f} to {probe.probe:.3f}, {_LEVEL} interval {change.low:+.3f} "
        f"to {change.high:+.3f}){inside}."
    )


def _gap_words(gap: Band) -> str:
    kind = _KINDS[gap.label]
    few = f"no training {kind}" if gap.n_train == 0 else f"only {gap.n_train:,} training {kind}"
    return f"{few} between {gap.low:.2f} and {gap.high:.2f}, where {gap.share:.0%} of the test {kind} lie"
