"""A job is tried again or continued as a new job, once; where something differs only after a confirmation."""

import json

import pytest

from simtune_core.errors import JobError
from simtune_core.jobs.attempts import checkpoint_of, differences, resume, retry
from simtune_core.jobs.events import read_events
from simtune_core.jobs.launcher import follow, launch, read_job, read_result, request_stop

STEPS = {"seconds": 600, "rate": 50, "checkpoint_every": 5}


def steps_of(workspace, job_id):
    events = read_events(workspace.job(job_id) / "events.jsonl").events
    return [event.step for event in events if event.kind == "metric"]


def ended(workspace, job_id):
    return follow(workspace, job_id, poll_seconds=0.05)


@pytest.fixture
def killed(workspace, processes, wait_until):
    """A job whose worker was killed after its second checkpoint."""
    job_id = launch(workspace, "sleep", STEPS, title="killed at night")
    wait_until(lambda: (read_job(workspace, job_id).checkpoint or 0) >= 10, seconds=30)
    processes("worker")[0].kill()
    assert ended(workspace, job_id).state == "failed"
    return job_id


def test_a_killed_job_says_where_it_can_go_on_and_goes_on_there(workspace, killed, processes, wait_until):
    status = read_job(workspace, killed)
    assert f"Checkpoint {status.checkpoint} is complete: continue from it." in status.cause
    assert f"after step {status.last_step};" in status.cause
    assert status.checkpoint == checkpoint_of(workspace, killed).step
    again = resume(workspace, killed)
    assert resume(workspace, killed) == again, "a second click while it runs is the same continuation"
    wait_until(lambda: read_job(workspace, again).last_step)
    request_stop(workspace, again)
    second = ended(workspace, again)
    assert (second.state, second.attempt, second.continues, second.retry_of) == ("stopped", 2, killed, None)
    assert (second.kind, second.params, second.title) == (status.kind, status.params, status.title)
    assert steps_of(workspace, again)[0] == status.checkpoint + 1
    assert read_result(workspace, again)["first_step"] == status.checkpoint + 1
    assert (second.folder / "log.txt").read_text() == (
        f"Continues {killed} from its checkpoint of step {status.checkpoint}.\n"
    )


def test_a_chain_goes_on_from_the_newest_checkpoint_of_any_of_its_jobs(workspace, killed, processes):
    first = read_job(workspace, killed).checkpoint
    seconds = (first + 3.5) / STEPS["rate"]  # three steps further: no checkpoint of its own
    changes = {"seconds": seconds, "exit_code": 3}
    second = resume(workspace, killed, changes=changes, confirm=True)
    assert ended(workspace, second).checkpoint is None
    third = resume(workspace, second, changes={"exit_code": 4}, confirm=True)
    status = ended(workspace, third)
    assert (status.attempt, status.continues) == (3, second)
    assert steps_of(workspace, third) == [first + 1, first + 2, first + 3]


def test_an_incomplete_checkpoint_is_passed_over_and_the_new_job_says_so(workspace, killed, wait_until):
    newest = checkpoint_of(workspace, killed)
    (newest.folder / "state.json").write_text('{"step": 7777}')
    again = resume(workspace, killed)
    wait_until(lambda: steps_of(workspace, again))
    request_stop(workspace, again)
    status = ended(workspace, again)
    alerts = [finding["message"] for finding in status.findings if finding["code"] == "checkpoint_skipped"]
    assert alerts[-1].startswith(f"The checkpoint of step {newest.step} is skipped: state.json has ")
    assert steps_of(workspace, again)[0] == newest.step - STEPS["checkpoint_every"] + 1


def test_without_a_complete_checkpoint_a_job_cannot_be_continued(workspace, killed, processes):
    for folder in (workspace.job(killed) / "checkpoints").iterdir():
        (folder / "COMPLETE.json").unlink(missing_ok=True)  # the kill may have hit a third one in the making
    with pytest.raises(JobError) as refused:
        resume(workspace, killed)
    said = str(refused.value)
    assert said.startswith(f"The job {killed} has no complete checkpoint to continue from. The checkpoint of step ")
    assert said.endswith("Start it again instead.")


def test_what_differs_is_shown_and_needs_to_be_confirmed(workspace, killed, launched_then):
    code = json.loads((workspace.job(killed) / "spec.json").read_text())["code"]
    assert {"simtune", "simtune_core.jobs", "torch"} <= set(code)
    then = code | {"torch": "1.0"}
    job = launched_then(killed, code=then, contents={"train": "0123"}, params=STEPS | {"train": "small@v0001"})
    found = differences(workspace, job, {"seconds": 601, "new": {"a": 1}})
    assert [each for each in found if "simtune" not in each] == [
        f"torch was 1.0 and is {code['torch']} now.",
        "The data small@v0001 (train) is not there any more.",
        "new.a was not given and becomes 1.",
        "seconds was 600 and becomes 601.",
    ]
    with pytest.raises(JobError, match=r"would not go on as it began: .*seconds was 600 and becomes 601\. Confirm"):
        resume(workspace, job, changes={"seconds": 601})
    again = resume(workspace, job, changes={"seconds": 601}, confirm=True)
    assert read_job(workspace, again).params == STEPS | {"train": "small@v0001", "seconds": 601}
    request_stop(workspace, again)
    ended(workspace, again)


def test_a_retry_is_a_new_job_of_the_same_spec_from_the_start(workspace, processes, wait_until):
    params = {"seconds": 0.1, "rate": 20, "fail": "error"}
    first = launch(workspace, "sleep", params, title="fails")
    ended(workspace, first)
    second = retry(workspace, first, token="click")
    ended(workspace, second)
    assert retry(workspace, first, token="click") == second
    status = read_job(workspace, second)
    assert (status.attempt, status.retry_of, status.continues) == (2, first, None)
    assert (status.kind, status.params, status.title) == ("sleep", params, "fails")
    assert steps_of(workspace, second) == [1, 2]
    third = retry(workspace, second)
    ended(workspace, third)
    assert read_job(workspace, third).attempt == 3


def test_a_job_that_waits_or_runs_is_neither_tried_again_nor_continued(workspace, processes, wait_until):
    job = launch(workspace, "sleep", STEPS, title="at work")
    for attempt in (retry, resume):
        with pytest.raises(JobError, match=r"'at work' is running; it can be .* when it has ended\. Stop it first\."):
            attempt(workspace, job)
    request_stop(workspace, job)
    ended(workspace, job)
    again = retry(workspace, job)
    assert retry(workspace, job) == again, "a double click is one retry"
    request_stop(workspace, again)
    ended(workspace, again)


def test_a_job_that_is_done_goes_on_only_with_a_change(workspace, processes):
    job = launch(workspace, "sleep", {"seconds": 0.2, "rate": 20, "checkpoint_every": 2}, title="short")
    assert ended(workspace, job).checkpoint == 4
    with pytest.raises(JobError, match="'short' is done; to go on from its last checkpoint, change something"):
        resume(workspace, job)
    longer = resume(workspace, job, changes={"seconds": 0.3}, confirm=True)
    assert ended(workspace, longer).state == "done"
    assert steps_of(workspace, longer) == [5, 6]
