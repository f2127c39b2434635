"""A difficulty's report holds the verdict, its reasons and the page's numbers, and nothing is overwritten by it."""

import html
import re

import pytest

from simtune_core.errors import WorkspaceError
from simtune_core.workflows.hardness import in_words, number_rows
from simtune_core.workflows.reports import difficulty_report, save_report


@pytest.fixture(scope="module")
def said(walked):
    """Return what the command found: the measurement, the intervals, the preflight."""
    result = walked.said["difficulty"]["result"]
    return result, result["mismatch"], result["preflight"]


def words_of(page):
    """Return the text of a page without its scripts and its markup."""
    outside = re.sub(r"<(script|style).*?</\1>", "", page, flags=re.S)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", outside)).split())


def test_the_report_says_the_verdict_with_its_reasons_and_every_number(said):
    measured, mismatch, preflight = said
    words = words_of(difficulty_report(measured, mismatch, preflight))

    verdict = preflight["verdict"]
    assert f"{verdict['verdict']}. {verdict['headline']}" in words
    assert all(reason["message"] in words for reason in verdict["reasons"])
    assert all(in_words(value, row.form) in words for row in number_rows(measured) for value in row.values)
    assert all(audit["message"] in words for audit in preflight["audits"])
    assert all(side["content_id"] in words for side in measured["sides"])
    assert f"--against {measured['sides'][1]['ref']} --encoder {measured['encoder']}" in words


def test_a_report_of_numbers_alone_has_no_verdict(said):
    measured = {**said[0], "sides": said[0]["sides"][:1]}
    words = words_of(difficulty_report(measured, None, None))

    assert measured["sides"][0]["ref"] in words
    assert "--against" not in words and "Numbers behind the verdict" not in words


def test_weak_labels_are_said_before_any_number(said):
    told = "p@v0001 has weak labels, made by a rule and by no person: <b>same category</b>."
    weak = {"code": "weak_labels", "severity": "info", "message": told}
    page = difficulty_report({**said[0], "findings": [weak]}, None, None)

    assert "&lt;b&gt;same category&lt;/b&gt;" in page
    words = words_of(page)
    assert words.index(told) < words.index("All numbers")


def test_a_report_overwrites_nothing(tmp_path):
    save_report(tmp_path / "r.html", "<p>first</p>")
    with pytest.raises(WorkspaceError, match=r"r\.html exists already and nothing is overwritten"):
        save_report(tmp_path / "r.html", "<p>second</p>")

    assert (tmp_path / "r.html").read_text() == "<p>first</p>"
    assert [path.name for path in tmp_path.iterdir()] == ["r.html"]
