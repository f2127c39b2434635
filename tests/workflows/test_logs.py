"""The log of a job is followed to its end, by level and word, in a command and for a page."""

import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from simtune_core.cli import app
from simtune_core.errors import JobError
from simtune_core.jobs.launcher import follow, launch
from simtune_core.workflows.logs import follow_log, log_file, log_lines, read_log_part


def command(workspace, *arguments, code=0):
    """Run `log` in this process and return what it printed."""
    done = CliRunner().invoke(app, ["log", *arguments, "--workspace", str(workspace.root)])
    assert done.exit_code == code, done.stderr
    return done.stdout


@pytest.fixture
def failed(workspace):
    """Return the id of a job that failed, with a traceback in its log and other lines before it."""
    job_id = launch(workspace, "sleep", {"seconds": 0.1, "fail": "error"}, title="fails")
    status = follow(workspace, job_id, poll_seconds=0.05)
    traceback = (status.folder / "log.txt").read_text(encoding="utf-8")
    (status.folder / "log.txt").write_text(f"INFO:x:begins\nWARNING:x:a Warning\n{traceback}", encoding="utf-8")
    return job_id


def test_a_failed_job_is_followed_to_the_last_line_of_its_traceback(workspace):
    job_id = launch(workspace, "sleep", {"seconds": 1.0, "fail": "error"}, title="fails soon")
    followed = [sys.executable, "-m", "simtune_core", "log", job_id, "--follow", "--workspace", str(workspace.root)]
    said = subprocess.run(followed, capture_output=True, text=True, timeout=120, check=True).stdout.splitlines()
    assert said.count("Traceback (most recent call last):") == 1
    assert said[-1].startswith("simtune_core.errors.JobError: The self-test must fail")
    whole = read_log_part(workspace, job_id)
    assert [line.text for line in whole.lines] == said
    parts = list(follow_log(workspace, job_id, type(whole)()))
    assert [line.text for part in parts for line in part.lines] == said


def test_the_command_shows_the_newest_lines_of_a_level(workspace, failed):
    every = command(workspace, failed).splitlines()
    assert every[:2] == ["INFO:x:begins", "WARNING:x:a Warning"]
    assert command(workspace, failed, "--level", "warning").splitlines() == every[1:]
    assert command(workspace, failed, "--level", "error").splitlines() == every[2:]
    assert command(workspace, failed, "--lines", "2").splitlines() == every[-2:]
    told = json.loads(command(workspace, failed, "--lines", "1", "--json", "--follow"))["result"]
    assert told["lines"] == [{"level": "error", "text": every[-1]}]
    assert told["n_bytes"] == log_file(workspace, failed).n_bytes > 0
    assert (
        "There is no job 'no-such'" in json.loads(command(workspace, "no-such", "--json", code=1))["error"]["message"]
    )


def test_lines_are_found_by_a_word_whatever_the_case(workspace, failed):
    part = read_log_part(workspace, failed)
    assert [line.text for line in log_lines(part, word="a warn")] == ["WARNING:x:a Warning"]
    assert log_lines(part, level="error", word="a warn") == []
    assert len(log_lines(part, newest=3)) == 3


def test_a_job_that_is_not_there_is_a_sentence_and_one_without_a_log_has_an_empty_one(workspace, failed):
    with pytest.raises(JobError, match="There is no job 'none'"):
        read_log_part(workspace, "none")
    (workspace.job(failed) / "log.txt").unlink()
    assert read_log_part(workspace, failed).lines == ()
    assert log_file(workspace, failed).n_bytes == 0
