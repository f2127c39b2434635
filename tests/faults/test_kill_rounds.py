"""A short form of the durability soak of benchmarks/: SIGKILL at random, and nothing that was written whole is lost."""

import os

from benchmarks.support.faults import Plan, Soak

SEED = int(os.environ.get("FAULT_SEED", "20"))
N_ROUNDS = 14
# Correctness is judged here, not pace: told within 5 s is what the benchmark asks, on a machine of its own.
PATIENCE_SECONDS = 60


def test_every_whole_line_is_stored_exactly_once_whatever_is_killed(busy_workspace):
    plan = Plan(
        N_ROUNDS, SEED, n_jobs=3, rate=200, job_seconds=300, torn=0.5, told_seconds=PATIENCE_SECONDS,
        victims={"worker": 5, "runner": 4, "ingest": 4, "rebuild": 1},
    )  # fmt: skip
    with Soak(busy_workspace, plan) as soak:
        outcome = soak.run()
    assert outcome.truth.faults == (), f"seed {SEED}"
    assert sum(outcome.kills.values()) == N_ROUNDS
    assert outcome.truth.n_events > 100 and outcome.n_torn > 0
    assert outcome.n_left == 0


def test_a_server_and_a_launching_process_that_are_killed_start_nothing_twice(busy_workspace, servers):
    plan = Plan(
        2, SEED, n_jobs=1, rate=200, job_seconds=300, told_seconds=PATIENCE_SECONDS, victims={"serve": 1, "start": 1}
    )
    with Soak(busy_workspace, plan, lambda: servers.start(busy_workspace)) as soak:
        soak.kill("serve")
        soak.kill("start")
        outcome = soak.end()
    assert outcome.truth.faults == (), f"seed {SEED}"
    assert outcome.kills == {"serve": 1, "start": 1}
