"""Coded checks over an inspection: is the tuned model in the forward pass, was it trained, is it the one saved?

Passed, failed, not applicable and not run are four different outcomes. Loads no model.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from simtune_core.adapters.inspection import Inspection
from simtune_core.errors import WorkspaceError
from simtune_core.files import read_json, valid_name, write_json
from simtune_core.training.artifacts import CHECKS_FOLDER
from simtune_core.workspace import Workspace

Status = Literal["applied", "not applied", "not trained"]
Outcome = Literal["passed", "failed", "not applicable", "not run"]
Severity = Literal["info", "warning", "error"]

HEAD_PARITY = 1e-5  # float32 sums in another order: 7e-8 measured


@dataclass(frozen=True, slots=True)
class NotApplicable:
    """A check that has nothing to say about this kind of model, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class NotRun:
    """A check that could not look, and why."""

    reason: str


Finding = str | NotApplicable | NotRun | None


@dataclass(frozen=True, slots=True)
class Check:
    """One check.

    Attributes:
        code: Stable code, `A001`.
        title: What holds when it passes.
        severity: How bad a failure is.
        look: Returns the finding's sentence, or None when all is well.
    """

    code: str
    title: str
    severity: Severity
    look: Callable[[Inspection], Finding]


@dataclass(frozen=True, slots=True)
class CheckResult:
    """Outcome of one check on one model.

    Attributes:
        code: The check's code.
        title: What holds when it passes.
        severity: How bad a failure is.
        outcome: `passed`, `failed`, `not applicable` or `not run`.
        message: The finding, or the reason; None when passed.
    """

    code: str
    title: str
    severity: Severity
    outcome: Outcome
    message: str | None


@dataclass(frozen=True, slots=True)
class CheckReport:
    """All checks of one model at one time.

    Attributes:
        model_id: The model.
        status: `applied`, `not applied` or `not trained`.
        results: One result per check, in the order of their codes.
        inspection: What was measured, as JSON holds it.
        created: Unix time.
    """

    model_id: str
    status: Status
    results: tuple[CheckResult, ...]
    inspection: Mapping[str, Any]
    created: float

    @property
    def ok(self) -> bool:
        """Tell whether the model is in the forward pass and no check of severity error failed."""
        return self.status == "applied" and not any(item.severity == "error" for item in self.failed)

    @property
    def failed(self) -> tuple[CheckResult, ...]:
        """Return the checks that failed."""
        return tuple(result for result in self.results if result.outcome == "failed")

    def as_dict(self) -> dict[str, Any]:
        """Return the report as JSON holds it."""
        return asdict(self)


def check_model(model_id: str, inspection: Inspection) -> CheckReport:
    """Judge an inspection."""
    results = tuple(_result(check, inspection) for check in CHECKS)
    return CheckReport(model_id, _status(results), results, asdict(inspection), time.time())


def save_checks(workspace: Workspace, report: CheckReport, *, job_id: str) -> None:
    """Write a report to `models/<id>/checks/<job-id>.json`."""
    write_json(
        workspace.model(report.model_id) / CHECKS_FOLDER / f"{valid_name(job_id, 'job id')}.json", report.as_dict()
    )


def latest_checks(workspace: Workspace, model_id: str) -> CheckReport | None:
    """Return the newest report of a model, or None if it was never checked; reads files only.

    Raises:
        WorkspaceError: If the newest file is damaged.
    """
    paths = sorted((workspace.model(model_id) / CHECKS_FOLDER).glob("[!.]*.json"))
    reports = [_from_json(read_json(path), path.name) for path in paths]
    return max(reports, key=lambda report: report.created, default=None)


def findings_of(report: CheckReport) -> list[dict[str, str]]:
    """Return the failed checks as the findings of a job."""
    return [
        {"code": item.code, "severity": item.severity, "message": f"{item.title}: {item.message}"}
        for item in report.failed
    ]


def _loads(found: Inspection) -> Finding:
    return found.load_error


def _wrapped_inside(found: Inspection) -> Finding:
    if found.kind != "lora":
        return NotApplicable("only an adapter can be attached at the wrong level")
    if found.wrapped_outside:
        return (
            "A PeftModel was put around the whole sentence encoder; its encode never reaches the adapter. Attach the "
            "adapter to the transformer inside (model.add_adapter or model.load_adapter)."
        )
    return None


def _keys_fit(found: Inspection) -> Finding:
    if found.kind != "lora":
        return NotApplicable("only an adapter is loaded into another model's layers")
    missing, unexpected = found.missing_keys or (), found.unexpected_keys or ()
    if not missing and not unexpected:
        return None
    return (
        f"Every tensor of the adapter must find its place; {len(missing)} are missing {list(missing[:2])} and "
        f"{len(unexpected)} are unexpected {list(unexpected[:2])}. What is missing stays untrained."
    )


def _is_trained(found: Inspection) -> Finding:
    if found.kind == "full":
        return NotApplicable("a fully tuned model has no zero to start from; A004 compares it with its base")
    if found.kind == "head":
        return None if found.head_distance else "The head is the identity: dev chose the untouched baseline."
    layers = found.layers or ()
    if any(layer.lora_b > 0 for layer in layers):
        return None
    return f"All {len(layers)} lora_B matrices are zero, so the adapter adds nothing."


def _has_effect(found: Inspection) -> Finding:
    if found.tuned_difference:
        return None
    modules = f", {len(found.layers)} LoRA layers found" if found.layers is not None else ""
    return f"Embeddings with and without the tuning are identical (greatest difference 0{modules}): it has no effect."


def _base_is_untouched(found: Inspection) -> Finding:
    if found.kind != "lora":
        return NotApplicable("only an adapter can be switched off")
    if found.merged:
        return "The adapter is merged into the base's weights; loading it again would apply it twice."
    if found.disabled_difference:
        return (
            f"With the adapter off the model must be its base exactly; the greatest difference is "
            f"{found.disabled_difference:.2g}. The base's weights were changed."
        )
    return None


def _base_is_the_recorded_one(found: Inspection) -> Finding:
    if found.recorded_fingerprint is None:
        return NotRun("a live model has no record of its base")
    if found.recorded_fingerprint != found.found_fingerprint:
        return (
            f"The base must be the one it was tuned from ({found.recorded_fingerprint[:12]}), got "
            f"{str(found.found_fingerprint)[:12]}. Restore that base, or train again."
        )
    return None


def _files_are_the_saved_ones(found: Inspection) -> Finding:
    if found.changed_files is None:
        return NotRun("a live model has no files")
    if found.changed_files:
        return f"{', '.join(found.changed_files[:3])} changed since it was saved. Restore the file, or train again."
    return None


def _head_is_exact(found: Inspection) -> Finding:
    if found.kind != "head":
        return NotApplicable("only a head can be computed beside the model")
    if found.head_parity is not None and found.head_parity <= HEAD_PARITY:
        return None
    return f"The head in the model must equal the matrix in its file; the greatest difference is {found.head_parity}."


CHECKS = (
    Check("A000", "The model can be loaded", "error", _loads),
    Check("A001", "The adapter is attached to the transformer inside", "error", _wrapped_inside),
    Check("A002", "Every tensor of the adapter found its place", "error", _keys_fit),
    Check("A003", "The weights are trained", "warning", _is_trained),
    Check("A004", "The tuning changes embeddings", "error", _has_effect),
    Check("A005", "Without the adapter it is the base", "error", _base_is_untouched),
    Check("A006", "The base is the recorded one", "error", _base_is_the_recorded_one),
    Check("A007", "The files are the saved ones", "error", _files_are_the_saved_ones),
    Check("A008", "The head is computed exactly", "error", _head_is_exact),
)
_NEED_NO_MODEL = ("A000", "A006", "A007")


def _result(check: Check, inspection: Inspection) -> CheckResult:
    if inspection.load_error and check.code not in _NEED_NO_MODEL:
        finding: Finding = NotRun("the model cannot be loaded")
    else:
        finding = check.look(inspection)
    outcome: Outcome = "failed"
    if finding is None:
        return CheckResult(check.code, check.title, check.severity, "passed", None)
    if isinstance(finding, NotApplicable | NotRun):
        outcome = "not run" if isinstance(finding, NotRun) else "not applicable"
        return CheckResult(check.code, check.title, check.severity, outcome, finding.reason)
    return CheckResult(check.code, check.title, check.severity, outcome, finding)


def _status(results: tuple[CheckResult, ...]) -> Status:
    failed = {result.code for result in results if result.outcome == "failed"}
    if failed - {"A003", "A004"}:
        return "not applied"
    if "A003" in failed:
        return "not trained"
    return "not applied" if "A004" in failed else "applied"


def _from_json(values: Any, name: str) -> CheckReport:
    try:
        results = tuple(CheckResult(**result) for result in values["results"])
        return CheckReport(**{**values, "results": results})
    except (KeyError, TypeError) as error:
        raise WorkspaceError(f"The check report {name} is damaged: {error}. Run the adapter check again.") from error
