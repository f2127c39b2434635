"""The verdict: GO, FIX DATA or KEEP BASELINE, by a fixed order of questions. Pure; docs/preflight.md states the rule.

The sentences stand in reasons.py; here is only what follows from them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from simtune_core.difficulty.preflight import reasons as because
from simtune_core.difficulty.preflight.config import PreflightConfig
from simtune_core.difficulty.preflight.fixes import compare_encoders, fix_as_json, fix_from_json, train_on
from simtune_core.difficulty.preflight.reasons import Evidence, Reason
from simtune_core.findings import Finding, Fix, finding

Word = Literal["GO", "FIX DATA", "KEEP BASELINE"]
_CODES: dict[Word, str] = {
    "GO": "preflight_go",
    "FIX DATA": "preflight_fix_data",
    "KEEP BASELINE": "preflight_keep_baseline",
}


@dataclass(frozen=True, slots=True)
class Preflight:
    """What to do before training.

    Attributes:
        verdict: The word.
        headline: Why, in one sentence without numbers.
        reasons: The sentences with their numbers, the weightiest first; what decided leads.
        fix: What to do next; None where the pages offer nothing.
    """

    verdict: Word
    headline: str
    reasons: tuple[Reason, ...]
    fix: Fix | None

    def as_json(self) -> dict[str, Any]:
        """Return the verdict as JSON; see `preflight_from_json`."""
        return {
            "verdict": self.verdict,
            "headline": self.headline,
            "reasons": [each.as_json() for each in self.reasons],
            "fix": fix_as_json(self.fix),
        }


def decide(evidence: Evidence, config: PreflightConfig) -> Preflight:
    """Answer whether training on the one set can help on the other.

    The first question that is answered with yes gives the verdict:

    1. Is something broken: a leak, contradictions, one class? FIX DATA.
    2. Are the training pairs too easy or not learnable, or do the test labels follow word overlap? FIX DATA.
    3. Is what a perfect model could gain less than the test set, not being too small, can show? KEEP BASELINE.
    4. Does the probe win on the test pairs? GO.
    5. Does the probe lose, or are the test pairs too few to show anything, not covered, or easily told from the
       training pairs? FIX DATA.
    6. Was it probed? KEEP BASELINE; else GO, for nothing speaks against it.

    Args:
        evidence: What was measured.
        config: The bounds.

    Returns:
        The verdict with every reason found, also those that a higher one left without a say.
    """
    stopping = because.broken(evidence, config) + because.too_easy(evidence, config)
    stopping += because.not_learnable(evidence, config) + because.circular(evidence, config)
    full = because.no_headroom(evidence)
    coarse = because.coarse_test(evidence, config)
    elsewhere = because.probe_loses(evidence) + coarse
    elsewhere += because.uncovered(evidence, config) + because.shifted(evidence, config)
    probed = because.probe_wins(evidence) + because.probe_ties(evidence) + because.not_probed(evidence)
    fine = because.in_order(evidence, config)
    winning = bool(because.probe_wins(evidence))
    if stopping:
        return _verdict("FIX DATA", stopping, elsewhere + full + probed)
    if full and not coarse:
        return _verdict("KEEP BASELINE", full, elsewhere + probed, compare_encoders(evidence.test.ref))
    if winning:
        return _verdict("GO", probed, elsewhere + fine, train_on(evidence.train.ref))
    if elsewhere:
        return _verdict("FIX DATA", elsewhere, full + probed)
    if evidence.probe is None:
        return _verdict("GO", fine + probed, [], train_on(evidence.train.ref))
    return _verdict("KEEP BASELINE", probed, fine, compare_encoders(evidence.test.ref))


def preflight_from_json(value: Mapping[str, Any]) -> Preflight:
    """Read a verdict back from `Preflight.as_json`."""
    reasons = tuple(because.reason_from_json(each) for each in value["reasons"])
    return Preflight(value["verdict"], value["headline"], reasons, fix_from_json(value["fix"]))


def finding_of(preflight: Preflight, train: str, test: str) -> Finding:
    """Return the verdict as one finding: a warning if the data must be mended, else for information."""
    severity: Literal["warning", "info"] = "warning" if preflight.verdict == "FIX DATA" else "info"
    words = " ".join(each.message for each in preflight.reasons if each.decides)
    return finding(_CODES[preflight.verdict], severity, f"{preflight.verdict}: training on {train} for {test}. {words}")


def _verdict(word: Word, deciding: Sequence[Reason], others: Sequence[Reason], fix: Fix | None = None) -> Preflight:
    reasons = tuple([each.deciding() for each in deciding] + list(others))
    first = next((each.fix for each in deciding if each.fix is not None), None)
    return Preflight(word, deciding[0].title, reasons, fix or first)
