"""Findings: what a researcher should know of a result, as one shape for every check, page and command.

A finding is a sentence with the numbers it rests on; an audit adds whether its check could be made at all, the rows
that show it, and what would mend it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

Severity = Literal["info", "warning", "error"]
AuditStatus = Literal["found", "clear", "not_applicable"]
Finding = dict[str, Any]  # code, severity, message: what `--json` writes
EVIDENCE_ROWS = 50  # rows kept of a finding; `n_found` counts all


def finding(code: str, severity: Severity, message: str) -> Finding:
    """Return one finding as results and `--json` hold it.

    Args:
        code: Stable name of the check, lower-case words joined by underscores.
        severity: How bad it is: info, warning, or error where the result must not be believed.
        message: A sentence with the numbers it rests on and what to do.
    """
    return {"code": code, "severity": severity, "message": message}


@dataclass(frozen=True, slots=True)
class Fix:
    """What would mend a finding.

    Attributes:
        text: What to do, a short sentence that begins with a verb.
        page: The page that does it, as its file is called; None where it is done outside the workbench.
        holds: Values of that page's widgets by their session-state keys, which are its address parameters too.
    """

    text: str
    page: str | None = None
    holds: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Audit:
    """One coded check and what it found.

    Attributes:
        code: Stable name of the check.
        title: What is checked, in a few words.
        status: Whether something was found, nothing was, or the check does not apply to these data.
        severity: How bad a find is; info where nothing was found.
        message: The sentence: what was found with its numbers, that nothing was, or why the check does not apply.
        n_found: How many rows, pairs or groups show it; 0 unless found.
        evidence: The first `EVIDENCE_ROWS` of them, flat rows of strings and numbers for a table.
        fix: What would mend it; None where nothing was found.
    """

    code: str
    title: str
    status: AuditStatus
    message: str
    severity: Severity = "info"
    n_found: int = 0
    evidence: tuple[Mapping[str, Any], ...] = ()
    fix: Fix | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the audit as JSON; see `audit_from_json`."""
        value = asdict(self)
        value["evidence"] = [dict(row) for row in self.evidence]
        if self.fix is not None:
            value["fix"]["holds"] = dict(self.fix.holds)
        return value


def audit_from_json(value: Mapping[str, Any]) -> Audit:
    """Read an audit back from `Audit.as_json`."""
    fix = value["fix"]
    read = None if fix is None else Fix(fix["text"], fix["page"], tuple(fix["holds"].items()))
    return Audit(**{**value, "evidence": tuple(value["evidence"]), "fix": read})


def findings_of(audits: Iterable[Audit]) -> list[Finding]:
    """Return what was found, as results and `--json` hold it; the other audits are left out."""
    return [finding(audit.code, audit.severity, audit.message) for audit in audits if audit.status == "found"]
