"""What is known of the difficulty of two pair sets, as one HTML file to keep or to send."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from simtune_core import __version__
from simtune_core.errors import WorkspaceError
from simtune_core.figures.document import Section, html_document
from simtune_core.figures.histograms import score_histogram, two_set_histogram
from simtune_core.figures.preflight import coverage_bars, headroom_bars, probe_difference
from simtune_core.files import write_bytes
from simtune_core.findings import Audit
from simtune_core.labels import WEAK_LABELS
from simtune_core.workflows.hardness import (
    difference_in_words,
    in_words,
    interval_in_words,
    intervals_note,
    number_rows,
    set_bins,
    space_of,
    spread_rows,
)
from simtune_core.workflows.preflight import PreflightView, number_lines, preflight_view

_EVIDENCE, _LONGEST = 5, 160  # rows of each finding and characters of a cell; the page shows more
_STATUS = {"clear": "found nothing", "not_applicable": "does not apply"}


def difficulty_report(
    measured: dict[str, Any], mismatch: dict[str, Any] | None, preflight: dict[str, Any] | None
) -> str:
    """Return the report of a difficulty as a self-contained HTML page of about 5 MB.

    Args:
        measured: Result of the `difficulty` job.
        mismatch: Result of the `mismatch` job on the same sets; None without it.
        preflight: Result of the `preflight` job on the same sets; None without it.
    """
    refs = [side["ref"] for side in measured["sides"]]
    view = preflight_view(preflight) if preflight else None
    sections = [
        *([_verdict(view)] if view else []),
        *_weak(measured),
        _shape(measured),
        *(_rests_on(view) if view else []),
        _numbers(measured, mismatch),
        _spread(measured),
        *([*_found(view.audits), _silent(view.audits)] if view else []),
        _how(measured, mismatch, preflight),
    ]
    made = f"simtune {__version__}, {time.strftime('%Y-%m-%d %H:%M', time.gmtime())} UTC; {space_of(measured)}."
    return html_document(f"Difficulty of {' against '.join(refs)}", made, sections)


def save_report(path: Path, content: str) -> None:
    """Write a report beside and rename it into place.

    Raises:
        WorkspaceError: If there is such a file already, or it cannot be written.
    """
    if path.exists():
        raise WorkspaceError(f"{path.name} exists already and nothing is overwritten; choose another name.")
    write_bytes(path, content.encode())


def _verdict(view: PreflightView) -> Section:
    if view.verdict is None:
        return Section(sentences=["One set alone has no verdict: compare it with the pairs to test on."])
    reasons = [reason.message for reason in view.verdict.reasons]
    fix = [f"What to do: {view.verdict.fix.text}"] if view.verdict.fix else []
    return Section(sentences=[f"{view.verdict.verdict}. {view.verdict.headline}", *fix, *reasons])


def _weak(measured: dict[str, Any]) -> list[Section]:
    """Say which of the sets have weak labels; nothing where none has."""
    told = [found["message"] for found in measured.get("findings", []) if found["code"] == WEAK_LABELS]
    return [Section("Weak labels", told)] if told else []


def _shape(measured: dict[str, Any]) -> Section:
    sets, space = set_bins(measured), space_of(measured)
    figure = two_set_histogram(*sets, space=space) if len(sets) == 2 else score_histogram(sets[0].bins, space=space)
    alt = f"Similarity of positive and negative pairs of {' and '.join(each.name for each in sets)}"
    return Section("Where the pairs lie", figure=figure, alt=alt)


def _rests_on(view: PreflightView) -> list[Section]:
    """Show what the verdict rests on: room, coverage, the probe, and the numbers of all of them."""
    if view.test is None:
        return []
    sections = [
        Section(
            "Room above the baseline",
            figure=headroom_bars(view.train, view.test),
            alt="What the untouched encoder reaches on the training and on the test pairs",
        )
    ]
    if view.coverage is not None:
        figure = coverage_bars(view.coverage, space=f"{view.space} cosine")
        title = f"Test pairs covered: {view.coverage.share:.0%}"
        sections.append(Section(title, figure=figure, alt="Test pairs with and without training pairs of their kind"))
    if view.probe is not None:
        figure = probe_difference(view.probe, view.detectable)
        sections.append(Section("What a head gains", figure=figure, alt="Gain of the probe with its interval"))
    elif view.not_probed:
        sections.append(Section("What a head gains", [view.not_probed]))
    return [*sections, Section("Numbers behind the verdict", columns=("number", "value"), rows=number_lines(view))]


def _numbers(measured: dict[str, Any], mismatch: dict[str, Any] | None) -> Section:
    refs = [side["ref"] for side in measured["sides"]]
    two = len(refs) == 2
    columns = ["", *refs, *(["difference"] if two else []), *(["interval"] if mismatch else [])]
    rows = [
        [
            row.label,
            *(in_words(value, row.form) for value in row.values),
            *([difference_in_words(row)] if two else []),
            *([interval_in_words(row)] if mismatch else []),
        ]
        for row in number_rows(measured, mismatch=mismatch)
    ]
    return Section("All numbers", [intervals_note(mismatch)] if mismatch else [], columns, rows)


def _spread(measured: dict[str, Any]) -> Section:
    rows = spread_rows(measured)
    return Section(
        "Means and quantiles of each class", columns=list(rows[0]), rows=[list(row.values()) for row in rows]
    )


def _found(audits: tuple[Audit, ...]) -> list[Section]:
    """Return a section for each find, with its first rows."""
    sections = []
    for audit in audits:
        if audit.status != "found":
            continue
        evidence = audit.evidence[:_EVIDENCE]
        columns = list(dict.fromkeys(name for row in evidence for name in row))
        rows = [[_cell(row.get(name)) for name in columns] for row in evidence]
        fix = [f"What to do: {audit.fix.text}"] if audit.fix else []
        title = f"{audit.severity.capitalize()}: {audit.title}"
        sections.append(Section(title, [audit.message, *fix], columns, rows))
    return sections


def _silent(audits: tuple[Audit, ...]) -> Section:
    rows = [[audit.title, _STATUS[audit.status], audit.message] for audit in audits if audit.status in _STATUS]
    return Section("Checks without a find", columns=("check", "", "why"), rows=rows)


def _how(measured: dict[str, Any], mismatch: dict[str, Any] | None, preflight: dict[str, Any] | None) -> Section:
    sides, tfidf = measured["sides"], measured["tfidf"]
    against = f" --against {sides[1]['ref']}" if len(sides) == 2 else ""
    rows = [
        ["command", f"python -m simtune_core difficulty {sides[0]['ref']}{against} --encoder {measured['encoder']} "
         f"--precision {measured['precision'] or 'auto'} --score-cut {measured['score_cut']:g}"],
        ["encoder", f"{measured['title']}, fingerprint {measured['fingerprint']}"],
        *([f"content of {side['ref']}", side["content_id"]] for side in sides),
        ["TF-IDF fitted on", f"{tfidf['n_texts']:,} texts of {' and '.join(tfidf['fitted_on'])}"],
    ]  # fmt: skip
    if mismatch:
        rows.append(["intervals", f"{mismatch['n_resamples']:,} resamples of the records, seed {mismatch['seed']}"])
    if preflight:
        rows += [[f"preflight: {name}", _cell(value)] for name, value in preflight["config"].items()]
    return Section("How it was made", columns=("", ""), rows=rows)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
