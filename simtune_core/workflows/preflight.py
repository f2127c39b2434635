"""Whether training on one pair set can help on another: the request, and what the difficulty page shows of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from simtune_core.datasets import canonical_ref
from simtune_core.difficulty.preflight.config import PreflightConfig
from simtune_core.difficulty.preflight.coverage import Coverage, coverage_from_json
from simtune_core.difficulty.preflight.detectable import WANTED, Detectable, detectable_from_json
from simtune_core.difficulty.preflight.headroom import Standing, standing_from_json
from simtune_core.difficulty.preflight.probe import Probe, probe_from_json
from simtune_core.difficulty.preflight.reasons import METRIC_WORDS, round_up
from simtune_core.difficulty.preflight.shift import Shift, shift_from_json
from simtune_core.difficulty.preflight.verdict import Preflight, preflight_from_json
from simtune_core.encoders.config import EncodingConfig
from simtune_core.errors import DataFaultError
from simtune_core.findings import Audit, audit_from_json
from simtune_core.workflows.requests import Request, named_encoder
from simtune_core.workspace import Workspace

_FORM = 1  # of the result: a stored answer of another form is no answer
_SETTINGS = ("score_cut", "seed")  # of `PreflightConfig` in the params; the rest are its defaults


@dataclass(frozen=True, slots=True)
class PreflightView:
    """A finished preflight, read back. What needs a second set is None without one.

    Attributes:
        verdict: The word and its reasons.
        space: Whose cosine the numbers are in.
        train: The baseline on the training pairs.
        test: The baseline on the test pairs.
        coverage: Whether the training pairs lie where the test pairs lie.
        shift: Whether the two can be told apart.
        probe: What a head gains; None where none could be fitted.
        not_probed: Why not.
        detectable: What the test pairs can show.
        audits: The checks of the sets.
    """

    verdict: Preflight | None
    space: str
    train: Standing
    test: Standing | None
    coverage: Coverage | None
    shift: Shift | None
    probe: Probe | None
    not_probed: str
    detectable: Detectable | None
    audits: tuple[Audit, ...]


def preflight_request(
    workspace: Workspace,
    dataset: str,
    against: str | None,
    encoding: EncodingConfig,
    *,
    score_cut: float,
    seed: int | None = None,
) -> Request:
    """Ask whether training on a pair set can help on another; without another, only what the set itself shows.

    Raises:
        DataFaultError: If both are the same set.
    """
    ref = canonical_ref(workspace, dataset, "pairs")
    other = canonical_ref(workspace, against, "pairs") if against else None
    if other == ref:
        raise DataFaultError(f"Training pairs must be judged on other pairs; both are {ref}.")
    encoder = named_encoder(workspace, encoding.encoder)
    chosen = PreflightConfig(score_cut=score_cut, **({} if seed is None else {"seed": seed}))
    params = {
        "set": ref,
        "against": other,
        "encoder": encoder["name"],
        "precision": encoding.precision,
        **{name: getattr(chosen, name) for name in _SETTINGS},
        "form": _FORM,
        "fingerprints": [encoder],
    }
    title = f"Preflight of {ref}" + (f" for {other}" if other else "") + f" with {encoding.encoder}"
    return Request("preflight", params, title)


def preflight_view(result: dict[str, Any]) -> PreflightView:
    """Read the result of a preflight back into what figures and pages draw."""
    return PreflightView(
        verdict=_read(preflight_from_json, result["verdict"]),
        space=result["title"],
        train=standing_from_json(result["train"]),
        test=_read(standing_from_json, result["test"]),
        coverage=_read(coverage_from_json, result["coverage"]),
        shift=_read(shift_from_json, result["shift"]),
        probe=_read(probe_from_json, result["probe"]),
        not_probed=result["not_probed"],
        detectable=_read(detectable_from_json, result["detectable"]),
        audits=tuple(audit_from_json(each) for each in result["audits"]),
    )


def number_lines(view: PreflightView) -> list[tuple[str, str]]:
    """Return every number that a verdict rests on as label and text, in the order in which it is asked for."""
    lines = [*_standing_lines("training", view.train)]
    if view.test is not None:
        lines += _standing_lines("test", view.test)
    if view.coverage is not None:
        lines += [
            ("test pairs that are covered", f"{view.coverage.share:.1%}"),
            (
                "of the negatives, of the positives",
                f"{_share(view.coverage.negative)}, {_share(view.coverage.positive)}",
            ),
        ]
    if view.shift is not None:
        lines += _shift_lines(view.shift)
    if view.probe is not None:
        lines += _probe_lines(view.probe)
    if view.detectable is not None:
        lines += [
            (
                "smallest detectable difference",
                f"{view.detectable.difference:.3f} ({view.detectable.n_pairs:,} test pairs)",
            ),
            (f"test pairs that would show {WANTED:g}", f"about {round_up(view.detectable.n_pairs_needed):,}"),
        ]
    return lines


def _standing_lines(kind: str, standing: Standing) -> list[tuple[str, str]]:
    return [
        (f"{METRIC_WORDS[standing.metric]} of the baseline, {kind} pairs", _number(standing.value)),
        (f"separability, {kind} pairs", _number(standing.separability)),
        (f"ROC-AUC of TF-IDF, {kind} pairs", _number(standing.tfidf_roc_auc)),
    ]


def _shift_lines(shift: Shift) -> list[tuple[str, str]]:
    lines = [
        ("ROC-AUC of telling training from test pairs", _number(shift.roc_auc)),
        ("distance of the positives, of the negatives", f"{_number(shift.wasserstein_positive)}, "
         f"{_number(shift.wasserstein_negative)} (Wasserstein, cosine)"),
    ]  # fmt: skip
    told = [f"{name} {drop:.3f}" for name, drop in shift.importance if drop >= WANTED]
    return [*lines, ("told apart by (loss of ROC-AUC when shuffled)", ", ".join(told) or "nothing in particular")]


def _probe_lines(probe: Probe) -> list[tuple[str, str]]:
    sample = f" of {probe.n_sampled_from:,}" if probe.n_sampled_from > probe.n_train + probe.n_excluded else ""
    chosen = f"lambda {probe.penalty:g}, {probe.epochs} passes" if probe.trained else "the untouched encoder"
    lines = [("training pairs of the probe", f"{probe.n_train:,}{sample}"), ("chosen by held-out records", chosen)]
    if probe.n_excluded:
        lines.append(("left out: they share records or texts with the test", f"{probe.n_excluded:,}"))
    if probe.inside is not None:
        lines.append(
            ("gain on training records it never saw", f"{probe.inside.gain:+.3f} ({probe.inside.n_judged:,} pairs)")
        )
    if probe.difference is not None:
        change = probe.difference
        lines.append(("gain on the test pairs", f"{change.estimate:+.3f} ({change.low:+.3f} to {change.high:+.3f})"))
    return lines


def _number(value: float | None) -> str:
    return "not defined" if value is None else f"{value:.3f}"


def _share(value: float | None) -> str:
    return "not defined" if value is None else f"{value:.1%}"


def _read(reader: Any, value: dict[str, Any] | None) -> Any:
    return None if value is None else reader(value)
