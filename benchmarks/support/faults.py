"""Rounds of SIGKILL at random on a workspace at work: on jobs, and on what ingests, rebuilds, starts jobs or serves.

Each round kills one process in the middle of what it does and sees that the right state is told and nothing is left
running. What the files and the store hold in the end is compared by `truth`.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

import psutil

from benchmarks.support.agents import SHORT_SECONDS
from benchmarks.support.truth import Truth, compare
from simtune_core.files import read_json
from simtune_core.jobs.launcher import launch, list_jobs, read_job, request_stop
from simtune_core.jobs.states import JobStatus
from simtune_core.workspace import CHECKOUT, VARIABLE, Workspace

Seen = TypeVar("Seen")
VICTIMS = {"worker": 40, "runner": 20, "ingest": 25, "rebuild": 4, "start": 5, "serve": 6}
_POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Plan:
    """What a soak does.

    Attributes:
        n_rounds: Kills.
        seed: Of everything drawn; the moments of the kills differ all the same.
        n_jobs: Jobs at work at any time.
        rate: Metrics a second and job.
        job_seconds: How long a job goes on if nobody ends it: longer than the soak, and not for ever.
        torn: Share of the killed writers whose last line is torn.
        victims: Weight of each victim of `VICTIMS`.
        told_seconds: Within which the right state must be told after a kill.
        until: Monotonic time after which no round begins.
    """

    n_rounds: int
    seed: int
    n_jobs: int = 4
    rate: float = 400.0
    job_seconds: float = 3600.0
    torn: float = 0.02
    victims: dict[str, int] = field(default_factory=lambda: dict(VICTIMS))
    told_seconds: float = 5.0
    until: float = float("inf")


@dataclass(slots=True)
class Outcome:
    """What a soak saw.

    Attributes:
        kills: How often each victim was killed.
        n_torn: Lines torn on purpose.
        told: Seconds until the right state was told, one a killed job.
        truth: Files and store compared at the end.
        n_left: Processes left at the end.
    """

    kills: Counter[str] = field(default_factory=Counter)
    n_torn: int = 0
    told: list[float] = field(default_factory=list)
    truth: Truth | None = None
    n_left: int = -1

    def figures(self, seed: int) -> dict[str, Any]:
        """Return what is worth keeping, as JSON."""
        truth = {} if self.truth is None else asdict(self.truth)
        return {
            "seed": seed,
            "kills": dict(self.kills),
            "torn_lines": self.n_torn,
            "slowest_state_seconds": round(max(self.told, default=0.0), 2),
            "processes_left": self.n_left,
        } | {name: value for name, value in truth.items() if name != "faults"}


class Soak:
    """One workspace at work, and the rounds on it; a context manager that leaves no process behind.

    Args:
        workspace: An empty workspace of its own.
        plan: What to do.
        serve: Starts a server with an open page on the workspace and returns its process; needed for victim `serve`.
    """

    def __init__(self, workspace: Workspace, plan: Plan, serve: Callable[[], psutil.Process] | None = None) -> None:
        self.outcome = Outcome()
        self._workspace, self._plan, self._serve = workspace, plan, serve
        self._random = random.Random(plan.seed)
        self._jobs: list[str] = []
        self._agents = ExitStack()
        self._ingesting: subprocess.Popen[bytes] | None = None
        self._serving: psutil.Process | None = None
        self._number = 0

    def __enter__(self) -> Soak:
        self._fill()
        self._ingesting = self._agent("ingest")
        return self

    def __exit__(self, *_: object) -> None:
        self._agents.close()
        end_all(self._workspace)

    def run(self) -> Outcome:
        """Do the rounds, then `end`."""
        names = [name for name in self._plan.victims if name != "serve" or self._serve is not None]
        weights = [self._plan.victims[name] for name in names]
        for _ in range(self._plan.n_rounds):
            if time.monotonic() > self._plan.until:
                break
            time.sleep(self._random.uniform(0.05, 0.3))
            self.kill(self._random.choices(names, weights)[0])
        return self.end()

    def kill(self, victim: str) -> None:
        """Do one round on a victim of `VICTIMS`, and bring back what was killed."""
        getattr(self, f"_kill_{victim}")()
        self.outcome.kills[victim] += 1
        self._fill()

    def _fill(self) -> None:
        """Keep so many jobs at work; none of them ends by itself."""
        while len(self._jobs) < self._plan.n_jobs:
            self._number += 1
            params = {"seconds": self._plan.job_seconds, "rate": self._plan.rate, "number": self._number}
            self._jobs.append(launch(self._workspace, "sleep", params, title=f"soak {self._number}", reuse=False))

    def _kill_worker(self) -> None:
        """Kill a job's worker as it writes; with the share planned its last line is torn, as a kill may tear it."""
        job_id = self._jobs.pop(self._random.randrange(len(self._jobs)))
        runner, worker = processes_of(self._workspace, job_id)
        torn = self._random.random() < self._plan.torn
        if torn:
            runner.suspend()
        worker.kill()
        if torn:
            wait_for(worker.status, lambda status: status == psutil.STATUS_ZOMBIE, 30, "the worker lives on")
            self._tear(job_id)
            runner.resume()
        job = self._told(job_id)
        expect((job.state, "signal 9" in job.cause) == ("failed", True), f"a killed worker is told as {job}")

    def _kill_runner(self) -> None:
        """Kill a job's runner; its worker must die with it."""
        job_id = self._jobs.pop(self._random.randrange(len(self._jobs)))
        runner, _ = processes_of(self._workspace, job_id)
        runner.kill()
        job = self._told(job_id)
        expect(job.state == "lost", f"a job whose runner was killed is told as {job}")
        wait_for(lambda: alive(self._workspace, job_id), lambda left: not left, 30, "its worker lives on")
        if self._random.random() < self._plan.torn:
            self._tear(job_id)

    def _kill_ingest(self) -> None:
        agent = self._ingesting
        expect(agent is not None and agent.poll() is None, "the ingesting process has ended by itself; see agents.log")
        if agent is not None:
            agent.kill()
            agent.wait()
        self._ingesting = self._agent("ingest")

    def _kill_rebuild(self) -> None:
        agent = self._agent("rebuild")
        time.sleep(self._random.uniform(0.6, 2.5))
        expect(agent.poll() is None, "the rebuilding process has ended by itself; see agents.log")
        agent.kill()
        agent.wait()

    def _kill_start(self) -> None:
        """Kill who starts jobs; asked again by the same tokens, each job is there once and runs to its end."""
        prefix = f"start-{self.outcome.kills['start']}"
        agent = self._agent("start", prefix, "50")
        time.sleep(self._random.uniform(0.4, 2.5))
        agent.kill()
        agent.wait()
        begun = [job.title for job in list_jobs(self._workspace) if job.title.startswith(f"{prefix} ")]
        expect(len(begun) == len(set(begun)), f"a job was started twice: {begun}")
        for number in range(len(begun) + 1):
            params = {"seconds": SHORT_SECONDS, "wish": number}
            title, token = f"{prefix} {number}", f"{prefix}-{number}"
            job_id = launch(self._workspace, "sleep", params, title=title, token=token, reuse=False)
            job = wait_for(
                lambda job_id=job_id: read_job(self._workspace, job_id), lambda job: job.finished, 60, f"{title} hangs"
            )
            expect(job.state == "done", f"{title} ended as {job.state}: {job.cause}")
        again = [job.title for job in list_jobs(self._workspace) if job.title.startswith(f"{prefix} ")]
        expect(len(again) == len(set(again)) == len(begun) + 1, f"a job was started twice: {again}")

    def _kill_serve(self) -> None:
        """Kill the server while a device job runs and another waits; both come to their end without it."""
        if self._serve is None:
            return
        if self._serving is None:
            self._serving = self._serve()
        params = [{"seconds": 0.5, "wish": f"{self.outcome.kills['serve']}-{place}"} for place in range(2)]
        waiting = [
            launch(self._workspace, "device_sleep", each, title="while the server is killed", reuse=False)
            for each in params
        ]
        time.sleep(self._random.uniform(0.0, 1.0))
        self._serving.kill()
        self._serving = self._serve()
        for job_id in waiting:
            job = wait_for(
                lambda job_id=job_id: read_job(self._workspace, job_id), lambda job: job.finished, 60, "the queue hangs"
            )
            expect(job.state == "done", f"a job ended as {job.state} when the server was killed: {job.cause}")

    def _tear(self, job_id: str) -> None:
        """Leave what a kill in the middle of a write leaves: the beginning of a line."""
        path = self._workspace.job(job_id) / "events.jsonl"
        content = path.read_bytes() if path.exists() else b""
        if content.count(b"\n") < 2 or not content.endswith(b"\n"):
            return  # it has written nothing yet, or the kill itself tore a line
        last = content.split(b"\n")[-2]
        with path.open("ab") as file:
            file.write(last[: self._random.randrange(1, len(last) - 1)])
        self.outcome.n_torn += 1

    def _told(self, job_id: str) -> JobStatus:
        began = time.monotonic()
        job = wait_for(
            lambda: read_job(self._workspace, job_id), lambda job: job.finished, 60, f"{job_id} is not told as ended"
        )
        self.outcome.told.append(time.monotonic() - began)
        expect(
            self.outcome.told[-1] <= self._plan.told_seconds,
            f"the state of {job_id} was told after {self.outcome.told[-1]:.1f} s, not {self._plan.told_seconds} s",
        )
        return job

    def _agent(self, role: str, *arguments: str) -> subprocess.Popen[bytes]:
        return self._agents.enter_context(agent(self._workspace, role, *arguments))

    def end(self) -> Outcome:
        """Stop what runs, end what serves and ingests, see that a new job starts and ends, and compare."""
        for job_id in self._jobs:
            request_stop(self._workspace, job_id)
        for job_id in self._jobs:
            job = wait_for(
                lambda job_id=job_id: read_job(self._workspace, job_id), lambda job: job.finished, 60, "does not stop"
            )
            expect(job.state == "stopped", f"a job asked to stop ended as {job.state}: {job.cause}")
        if self._serving is not None:
            self._serving.kill()
        self._kill_ingest_for_good()
        left = wait_for(lambda: alive(self._workspace), lambda found: not found, 30, "processes are left")
        self.outcome.n_left = len(left)
        self._jobs = [launch(self._workspace, "sleep", {"seconds": 0.2}, title="after all", reuse=False)]
        job = wait_for(
            lambda: read_job(self._workspace, self._jobs[0]), lambda job: job.finished, 60, "a new job does not end"
        )
        expect(job.state == "done", f"a new job ended as {job.state}: {job.cause}")
        self.outcome.truth = compare(self._workspace, self._workspace.root.parent / "exports")
        return self.outcome

    def _kill_ingest_for_good(self) -> None:
        self._kill_ingest()
        if self._ingesting is not None:
            self._ingesting.kill()
            self._ingesting.wait()


def expect(condition: bool, otherwise: str) -> None:
    """Raise an AssertionError that says what is the case, also where Python leaves assertions out."""
    if not condition:
        raise AssertionError(otherwise)


def wait_for(look: Callable[[], Seen], fits: Callable[[Seen], bool], seconds: float, otherwise: str) -> Seen:
    """Look until what is seen fits, and return it.

    Raises:
        AssertionError: If it does not within so many seconds; says `otherwise` and what was seen last.
    """
    deadline = time.monotonic() + seconds
    while not fits(seen := look()):
        expect(time.monotonic() < deadline, f"{otherwise} after {seconds:g} s: {seen}"[:1000])
        time.sleep(_POLL_SECONDS)
    return seen


@contextmanager
def agent(workspace: Workspace, role: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run one role of `agents` in a process of its own; it is killed at the end. Its complaints go to agents.log."""
    command = [sys.executable, "-m", "benchmarks.support.agents", role, str(workspace.root), *arguments]
    environment = os.environ | {VARIABLE: str(workspace.root), "PYTHONPATH": str(CHECKOUT)}
    with (workspace.root.parent / "agents.log").open("ab") as log:
        process = subprocess.Popen(command, cwd=CHECKOUT, env=environment, stdout=subprocess.PIPE, stderr=log)
    with process:
        try:
            yield process
        finally:
            process.kill()


def processes_of(workspace: Workspace, job_id: str) -> tuple[psutil.Process, psutil.Process]:
    """Return the runner and the worker of a job that has just been started, waiting for the worker."""
    runner = psutil.Process(int(read_json(workspace.job(job_id) / "proc.json")["pid"]))
    worker = wait_for(lambda: _worker_of(runner), lambda found: found is not None, 30, f"{job_id} has no worker")
    expect(worker is not None, f"{job_id} has no worker")
    return runner, worker or runner


def alive(workspace: Workspace, job_id: str = "") -> list[psutil.Process]:
    """Return the live processes that work on a workspace or on one job of it, this process left out."""
    found = []
    for process in psutil.process_iter(["pid", "cmdline", "status"]):
        words = process.info["cmdline"] or []
        if process.pid == os.getpid() or process.info["status"] == psutil.STATUS_ZOMBIE:
            continue
        ours = any(str(workspace.jobs / job_id if job_id else workspace.root) in word for word in words)
        if ours or (not job_id and _works_on(process, workspace)):
            found.append(process)
    return found


def end_all(workspace: Workspace) -> None:
    """Kill whatever still works on a workspace."""
    for _ in range(2):  # a runner that ends may have started the next job meanwhile
        for process in alive(workspace):
            with suppress(psutil.NoSuchProcess):
                os.kill(process.pid, signal.SIGKILL)


def _works_on(process: psutil.Process, workspace: Workspace) -> bool:
    try:
        return process.environ().get(VARIABLE) == str(workspace.root)
    except (psutil.Error, OSError):
        return False


def _worker_of(runner: psutil.Process) -> psutil.Process | None:
    return next((child for child in runner.children() if "simtune_core.jobs.worker" in child.cmdline()), None)
