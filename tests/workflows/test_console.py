"""What a command says: one JSON object or plain words, the exit code, and findings that may fail a build."""

import json

import pytest
import typer

from simtune_core.console import cell, progress_bar, reported, table
from simtune_core.errors import DataFaultError

WARNING = {"code": "odd", "severity": "warning", "message": "Something is odd [red]here[/red]."}
NOTE = {"code": "note", "severity": "info", "message": "Good to know."}


def said(capsys):
    return json.loads(capsys.readouterr().out)


def test_a_command_in_json_is_one_object_with_its_findings_apart(capsys):
    with reported("embed", as_json=True) as report:
        report.take({"n_texts": 3, "findings": [WARNING]})

    assert said(capsys) == {
        "schema": 1, "command": "embed", "result": {"n_texts": 3}, "findings": [WARNING], "error": None,
    }  # fmt: skip


def test_an_expected_error_is_a_sentence_with_a_code_and_exit_code_1(capsys):
    with pytest.raises(typer.Exit) as end, reported("embed", as_json=True) as report:
        report.take({"n_texts": 3})
        raise DataFaultError("row 3: the text is empty")

    assert end.value.exit_code == 1
    assert said(capsys) == {
        "schema": 1, "command": "embed", "result": None, "findings": [],
        "error": {"code": "data", "message": "row 3: the text is empty"},
    }  # fmt: skip


def test_a_bug_is_not_dressed_up_as_a_sentence():
    with pytest.raises(ZeroDivisionError), reported("embed", as_json=True):
        raise ZeroDivisionError


@pytest.mark.parametrize(
    ("fail_on", "findings", "code"),
    [(None, [WARNING], 0), ("finding", [WARNING], 1), ("finding", [NOTE], 0), ("finding", [NOTE, WARNING], 1),
     ("finding", [], 0), ("finding", [NOTE | {"severity": "error"}], 1)],
)  # fmt: skip
def test_only_a_warning_or_an_error_fails_and_only_when_asked_to(capsys, fail_on, findings, code):
    ended = 0
    try:
        with reported("difficulty", as_json=True, fail_on=fail_on) as report:
            report.take({"n": 1, "findings": findings})
    except typer.Exit as end:
        ended = end.exit_code

    assert ended == code
    envelope = said(capsys)  # the result is told whatever the exit code
    assert (envelope["result"], envelope["findings"], envelope["error"]) == ({"n": 1}, findings, None)


def test_words_for_a_person_are_shown_literally(capsys):
    with reported("difficulty", as_json=False) as report:
        report.say("[bold]data[/bold] of a user", table(["name", "value"], [["[red]x[/red]", 0.12345]]))
        report.take({"findings": [WARNING]})
    out = capsys.readouterr().out

    assert "[bold]data[/bold] of a user" in out
    assert "[red]x[/red]" in out and "0.1235" in out
    assert "warning [odd]: Something is odd [red]here[/red]." in out


def test_an_error_for_a_person_goes_to_standard_error(capsys):
    with pytest.raises(typer.Exit), reported("embed", as_json=False):
        raise DataFaultError("row 3: the text is empty")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "Error: row 3: the text is empty\n")


def test_json_never_holds_nan():
    with pytest.raises(ValueError, match="not JSON compliant"), reported("embed", as_json=True) as report:
        report.take({"value": float("nan")})


@pytest.mark.parametrize(
    ("value", "words"),
    [(None, "-"), (0.5, "0.5000"), (12345, "12,345"), (True, "True"), ("x", "x"), (0, "0")],
)
def test_a_cell_is_worded(value, words):
    assert cell(value) == words


def test_ctrl_c_leaves_the_job_and_says_how_to_stop_it(workspace, capsys):
    from simtune_core.jobs.launcher import launch, read_job, request_stop
    from tests.pages.screen import ended

    job_id = launch(workspace, "sleep", {"seconds": 30}, title="long")
    with pytest.raises(typer.Exit) as end, progress_bar(hidden=True) as draw:
        draw(read_job(workspace, job_id))
        raise KeyboardInterrupt

    assert end.value.exit_code == 130
    assert f"The job goes on. Stop it with: python -m simtune_core stop {job_id}" in capsys.readouterr().err
    assert read_job(workspace, job_id).active
    request_stop(workspace, job_id)
    assert [job.state for job in ended(workspace)] == ["stopped"]
