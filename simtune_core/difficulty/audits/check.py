"""How an audit words its answer: found, clear or not applicable, with its evidence and its fix."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import pandas as pd

from simtune_core.findings import EVIDENCE_ROWS, Audit, Fix, Severity

_LONGEST = 2000  # characters of a text that are kept as evidence


@dataclass(frozen=True, slots=True)
class Check:
    """The name of an audit, and its answers.

    Attributes:
        code: Stable name.
        title: What is checked, in a few words.
        fix: What would mend a find.
    """

    code: str
    title: str
    fix: Fix | None = None

    def found(
        self,
        severity: Severity,
        message: str,
        n_found: int,
        evidence: Iterable[Mapping[str, Any]],
        *,
        fix: Fix | None = None,
    ) -> Audit:
        """Return what was found; of the evidence the first rows are kept, of their texts the beginnings."""
        rows = tuple({name: _short(value) for name, value in row.items()} for row in islice(evidence, EVIDENCE_ROWS))
        return Audit(self.code, self.title, "found", message, severity, n_found, rows, fix or self.fix)

    def clear(self, message: str) -> Audit:
        """Return that nothing was found."""
        return Audit(self.code, self.title, "clear", message)

    def not_applicable(self, message: str) -> Audit:
        """Return that the check cannot be made on these data, and why."""
        return Audit(self.code, self.title, "not_applicable", message)


def pair_rows(frame: pd.DataFrame, rows: Sequence[int], **columns: Sequence[Any]) -> list[dict[str, Any]]:
    """Return rows of a pair table as evidence: texts, then further columns, then ids.

    Args:
        frame: With the columns of a pair set.
        rows: Positions of the rows.
        columns: Further values by column name, one a row.
    """
    shown = frame.iloc[list(rows)[:EVIDENCE_ROWS]]
    values = zip(
        shown["sentence1"], shown["sentence2"], shown["id1"], shown["id2"], *columns.values(), strict=False
    )  # fmt: skip
    return [
        {"sentence1": first, "sentence2": second}
        | dict(zip(columns, further, strict=True))
        | {name: str(value) for name, value in (("id1", id1), ("id2", id2)) if not pd.isna(value)}
        for first, second, id1, id2, *further in values
    ]


def _short(value: Any) -> Any:
    cut = isinstance(value, str) and len(value) > _LONGEST
    return f"{value[: _LONGEST - 1]}…" if cut else value


def share_of(part: int, whole: int) -> str:
    """Word a share of a count: `12 of 1,000 (1.2%)`."""
    return f"{part:,} of {whole:,} ({part / whole if whole else 0:.1%})"
