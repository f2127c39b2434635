"""What a researcher should know about an augmentation: sentences with the numbers they rest on.

Each check returns a finding or None; pure, no file, no model.
"""

from __future__ import annotations

from simtune_core.curriculum.augmentation.config import DriftConfig
from simtune_core.curriculum.augmentation.drift import Drift, Strays
from simtune_core.curriculum.augmentation.making import Children, words_of
from simtune_core.findings import Finding, finding

_NONE_MADE = 0.05  # share of the children not made that is worth a word


def check_easier(drift: Drift, space: str, config: DriftConfig) -> Finding | None:
    """Find pairs that became easier to tell apart, by their similarities or by the share of the easiest phase."""
    change, reasons = drift.separability_change, []
    if change is not None and change > config.separability_margin:
        reasons.append(
            f"separability {_moved(drift.before.side.separability, drift.after.side.separability)}{_auc(drift)}"
        )
    if drift.easiest is not None and drift.phase_change(drift.easiest) > config.share_margin:
        reasons.append(f"the share of the easiest phase, {drift.easiest}, {_share_moved(drift, drift.easiest)}")
    if not reasons:
        return None
    return finding(
        "augmentation_easier",
        "warning",
        f"The augmented pairs are easier than those they were made of: {'; '.join(reasons)} ({space} cosine). Training "
        "pairs easier than the test's teach little: keep the shares, or make children of the harder phases.",
    )


def check_harder(drift: Drift, space: str, config: DriftConfig) -> Finding | None:
    """Find pairs whose similarities became harder to tell apart."""
    change = drift.separability_change
    if change is None or change >= -config.separability_margin:
        return None
    return finding(
        "augmentation_harder",
        "info",
        f"The augmented pairs are harder than those they were made of: separability "
        f"{_moved(drift.before.side.separability, drift.after.side.separability)}{_auc(drift)} ({space} cosine). Lower "
        "rates change less.",
    )


def check_labels(drift: Drift, config: DriftConfig) -> Finding | None:
    """Find a share of positives that moved."""
    change = drift.positive_change
    if abs(change) <= config.share_margin:
        return None
    more = "positive" if change > 0 else "negative"
    before, after = drift.before.side.prevalence, drift.after.side.prevalence
    return finding(
        f"augmentation_more_{more}",
        "warning",
        f"Augmentation made the set more {more}: {before:.1%} of the pairs were positive and {after:.1%} are. Keep the "
        "shares, or augment both labels alike.",
    )


def check_phases(drift: Drift, config: DriftConfig) -> Finding | None:
    """Find phases other than the easiest whose shares moved."""
    names = [name for name in drift.after.phases if name != drift.easiest or drift.phase_change(name) < 0]
    moved = [name for name in names if abs(drift.phase_change(name)) > config.share_margin]
    if not moved:
        return None
    told = ", ".join(f"{name} {_share_moved(drift, name)}" for name in moved)
    return finding(
        "augmentation_phases_moved", "info", f"Augmentation moved the shares of the phases: {told}. Keep the shares."
    )


def check_bands(drift: Drift, space: str, bands: str, config: DriftConfig) -> Finding | None:
    """Find children outside the bands of their phases or labels, beyond what their parents are."""
    left = [each for each in drift.strays if each.share_children - each.share_before > config.left_band]
    if not left:
        return None
    told = " and ".join(_stray_words(each) for each in left)
    return finding(
        "augmentation_left_band",
        "warning",
        f"{told} lie outside {bands} ({space} cosine): their phase no longer tells how hard they are. Lower the rates, "
        "or change one text of a pair alone.",
    )


def check_made(children: Children) -> Finding | None:
    """State how many children were not made, and why, where it is more than a few."""
    wanted = len(children.frame) + children.n_lost
    if children.n_lost <= _NONE_MADE * wanted:
        return None
    return finding(
        "children_not_made",
        "info",
        f"{children.n_lost:,} of {wanted:,} children were not made: {words_of(children.losses)}.",
    )


def find_all(drift: Drift, children: Children, *, space: str, bands: str, config: DriftConfig) -> list[Finding]:
    """Run every check.

    Args:
        drift: What was measured.
        children: What was made.
        space: Whose cosine it is.
        bands: What the strays lie outside of, in words.
        config: From when on a change is worth a word.
    """
    found = [
        check_easier(drift, space, config),
        check_labels(drift, config),
        check_bands(drift, space, bands, config),
        check_phases(drift, config),
        check_harder(drift, space, config),
        check_made(children),
    ]
    return [each for each in found if each is not None]


def _moved(before: float | None, after: float | None) -> str:
    return " to ".join("not defined" if value is None else f"{value:.3f}" for value in (before, after))


def _auc(drift: Drift) -> str:
    """Word how ROC-AUC moved, of the second encoder as well; empty where it is undefined."""
    told = ""
    if drift.before.side.roc_auc is not None:
        told = f", ROC-AUC {_moved(drift.before.side.roc_auc, drift.after.side.roc_auc)}"
    if drift.before.baseline_roc_auc is not None:
        told += f", of the baseline {_moved(drift.before.baseline_roc_auc, drift.after.baseline_roc_auc)}"
    return told


def _share_moved(drift: Drift, phase: str) -> str:
    return f"{drift.before.phase_share(phase):.1%} to {drift.after.phase_share(phase):.1%}"


def _stray_words(strays: Strays) -> str:
    return (
        f"{strays.n_children_outside:,} of {strays.n_children:,} {strays.label} children "
        f"({strays.share_children:.0%}; {strays.share_before:.0%} before)"
    )
