"""When a job ends its owner is told, once, and whatever comes of that changes nothing of the job."""

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psutil
import pytest

from simtune_core.jobs import notifying
from simtune_core.jobs.launcher import follow, launch, read_job, request_stop
from simtune_core.preferences import change_preferences
from tests.jobs.logs import read_log

SCRIPT = """
import json, os, pathlib, sys
environment = {name: value for name, value in os.environ.items() if name.startswith("SIMTUNE_JOB")}
said = {"message": json.load(sys.stdin), "environment": environment}
pathlib.Path(sys.argv[1]).write_text(json.dumps(said))
sys.exit(int(sys.argv[2]))
"""


class Owner(BaseHTTPRequestHandler):
    """A web address that keeps what it is sent and answers as the path says: /200, /500, /302."""

    def do_POST(self):
        """Keep the message and answer."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heard.append((self.path, self.headers["Content-Type"], json.loads(body)))
        self.send_response(int(self.path[1:]))
        if self.path == "/302":
            self.send_header("Location", f"http://127.0.0.1:{self.server.server_address[1]}/200")
        self.end_headers()

    def do_GET(self):
        """Keep what should never come: urllib turns a redirected message into a question."""
        self.server.heard.append((self.path, None, None))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        """Say nothing of it."""


@pytest.fixture
def owner():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Owner)
    server.heard = []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def address(owner, path):
    return f"http://127.0.0.1:{owner.server_address[1]}/{path}"


def set_command(monkeypatch, tmp_path, code=0):
    """Set the command in the environment, as its owner may, and return the file that it writes."""
    script = tmp_path / "tell me.py"
    script.write_text(SCRIPT)
    told = tmp_path / "told.json"
    monkeypatch.setenv("SIMTUNE_NOTIFY_COMMAND", f"{sys.executable} '{script}' {told} {code}")
    return told


def ended(workspace, params, wait_until, title="an overnight run", kind="sleep"):
    """Run a job to its end and wait for the line about the notice."""
    job = launch(workspace, kind, params, title=title)
    status = follow(workspace, job, poll_seconds=0.05)
    wait_until(lambda: "Notification: " in read_log(workspace, job), seconds=20)
    return status


def test_a_command_gets_the_message_and_the_job_in_its_environment(
    workspace, processes, wait_until, monkeypatch, tmp_path
):
    told = set_command(monkeypatch, tmp_path)
    status = ended(workspace, {"seconds": 0.1, "fail": "error"}, wait_until, title="night $(touch x); `y`")
    said = json.loads(told.read_text())
    assert 0 < said["message"].pop("seconds") < 60
    assert said["message"] == {
        "v": 1, "id": status.id, "title": "night $(touch x); `y`", "kind": "sleep", "state": "failed",
        "cause": "The self-test must fail when it is told to; start it without `fail`.",
        "findings": {"error": 0, "warning": 0, "info": 0},
    }  # fmt: skip
    assert said["environment"] == {
        "SIMTUNE_JOB_ID": status.id,
        "SIMTUNE_JOB_STATE": "failed",
        "SIMTUNE_JOB_TITLE": "night $(touch x); `y`",
    }
    assert "Notification: the command ended with exit code 0." in read_log(workspace, status.id)


def test_a_web_address_gets_the_same_message(workspace, processes, wait_until, owner):
    change_preferences(workspace, {"notify_webhook": address(owner, "200")})
    status = ended(workspace, {"seconds": 0.1}, wait_until)
    ((path, content_type, message),) = owner.heard
    assert (path, content_type) == ("/200", "application/json")
    assert (message["id"], message["state"], message["title"]) == (status.id, "done", "an overnight run")
    assert read_log(workspace, status.id) == "Notification: the address answered 200.\n"


@pytest.mark.parametrize(
    ("path", "says"), [("500", "HTTP Error 500"), ("302", "HTTP Error 302"), (None, "Connection refused")]
)
def test_an_address_that_fails_or_sends_elsewhere_changes_nothing(workspace, processes, wait_until, owner, path, says):
    where = address(owner, path) if path else "http://127.0.0.1:1/"
    change_preferences(workspace, {"notify_webhook": where})
    status = ended(workspace, {"seconds": 0.1}, wait_until)
    assert status.state == "done"
    assert (
        f"Notification: the address was not reached or refused: {'<urlopen error' if not path else says}"
        in read_log(workspace, status.id)
    )
    assert says in read_log(workspace, status.id)
    assert [path for path, *_ in owner.heard] == ([f"/{path}"] if path else [])
    assert read_job(workspace, status.id) == status


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("/nonexistent/tell", "the command could not be run: [Errno 2]"),
        ("'unclosed", "the command could not be run: No closing quotation"),
        ("/bin/false", "the command ended with exit code 1"),
    ],
)
def test_a_command_that_cannot_run_or_fails_changes_nothing(
    workspace, processes, wait_until, monkeypatch, command, says
):
    monkeypatch.setenv("SIMTUNE_NOTIFY_COMMAND", command)
    status = ended(workspace, {"seconds": 0.1}, wait_until)
    assert f"Notification: {says}" in read_log(workspace, status.id)
    assert read_job(workspace, status.id).state == "done"


def test_a_command_that_hangs_is_ended_with_all_it_started(workspace, wait_until, monkeypatch, capsys):
    monkeypatch.setattr(notifying, "COMMAND_SECONDS", 0.3)
    monkeypatch.setenv("SIMTUNE_NOTIFY_COMMAND", "sh -c 'sleep 600.125 & wait'")
    folder = workspace.job("job-1")
    folder.mkdir()
    spec = {"id": "job-1", "kind": "sleep", "title": "t", "params": {}, "created": 1.0, "spec_hash": "x"}
    (folder / "spec.json").write_text(json.dumps(spec))
    notifying.notify(workspace, folder)
    assert capsys.readouterr().out == "", "nothing is told of a job that has not ended"
    ended = {"state": "done", "cause": "", "ended": 2.0, "latest": {}, "findings": [{"severity": "error"}, {}]}
    (folder / "exit.json").write_text(json.dumps(ended))
    assert notifying.message_of(folder)["findings"] == {"error": 1, "warning": 1, "info": 0}
    assert notifying.message_of(folder)["seconds"] is None
    notifying.notify(workspace, folder)
    assert capsys.readouterr().out == "Notification: the command was ended after 0.3 s.\n"
    wait_until(
        lambda: not [each for each in psutil.process_iter(["cmdline"]) if "600.125" in (each.info["cmdline"] or [])]
    )


def test_the_next_job_does_not_wait_for_the_notice_of_the_one_before(
    workspace, processes, wait_until, monkeypatch, tmp_path
):
    go = tmp_path / "go"
    monkeypatch.setenv("SIMTUNE_NOTIFY_COMMAND", f"sh -c 'while [ ! -e {go} ]; do sleep 0.1; done'")
    first = launch(workspace, "device_sleep", {"seconds": 0.1}, title="first")
    second = launch(workspace, "device_sleep", {"seconds": 600}, title="second")
    wait_until(lambda: read_job(workspace, second).state == "running", seconds=20)
    assert "Notification" not in read_log(workspace, first)
    go.touch()
    request_stop(workspace, second)
    follow(workspace, second, poll_seconds=0.05)
    wait_until(lambda: "exit code 0" in read_log(workspace, first), seconds=20)
