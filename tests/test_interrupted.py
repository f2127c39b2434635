"""Ctrl-C under --json: the envelope is whole, names the job that goes on, and the exit code is 130."""

import json

import pytest
import typer

from simtune_core.console import progress_bar, reported
from simtune_core.jobs.launcher import launch, read_job, request_stop


def test_an_interrupted_command_says_so_in_json_with_the_id_of_its_job(workspace, capsys):
    job = launch(workspace, "sleep", {"seconds": 20}, title="long")
    with (
        pytest.raises(typer.Exit) as ended,
        reported("embed", as_json=True) as report,
        progress_bar(hidden=report.as_json) as draw,
    ):
        draw(read_job(workspace, job))
        raise KeyboardInterrupt
    request_stop(workspace, job)

    said = json.loads(capsys.readouterr().out)
    assert ended.value.exit_code == 130
    assert (said["result"], said["error"]["code"], said["error"]["job"]) == (None, "interrupted", job)


def test_an_interrupt_before_any_job_is_said_too(capsys):
    with pytest.raises(typer.Exit) as ended, reported("embed", as_json=True):
        raise KeyboardInterrupt
    assert ended.value.exit_code == 130
    assert json.loads(capsys.readouterr().out)["error"]["job"] is None
