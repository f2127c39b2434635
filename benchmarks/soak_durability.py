"""Durability soak: SIGKILL at random on workers, runners, ingest, rebuild, launching processes and the server.

Budget: every line completely written is in the store exactly once, `store check` is clean, `store rebuild` equals the
live store, every state is told within 5 s, no process is left, a new job starts. `--minutes 30` for the long round.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

import psutil

from benchmarks.support import write_result
from benchmarks.support.faults import Plan, Soak
from benchmarks.support.servers import Served
from simtune_core.workspace import open_workspace


def main() -> int:
    """Run the soak; the exit code is 1 if anything was lost, doubled or left."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200, help="Kills; at most so many with --minutes.")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--minutes", type=float, default=None, help="Go on for so long instead of counting rounds.")
    parser.add_argument("--told-seconds", type=float, default=5.0, help="Within which a state must be told.")
    chosen = parser.parse_args()
    began = time.monotonic()
    sys.stderr.write(f"seed {chosen.seed}\n")
    plan = Plan(
        n_rounds=chosen.rounds if chosen.minutes is None else 10**6,
        seed=chosen.seed,
        told_seconds=chosen.told_seconds,
        until=began + 60 * chosen.minutes if chosen.minutes is not None else float("inf"),
    )
    with tempfile.TemporaryDirectory() as folder, Served(Path(folder)) as servers:
        workspace = open_workspace(Path(folder) / "workspace")

        def serve() -> psutil.Process:
            return servers.start(workspace)

        with Soak(workspace, plan, serve) as soak:
            outcome = soak.run()
    faults = outcome.truth.faults if outcome.truth is not None else ("nothing was compared",)
    figures = outcome.figures(chosen.seed) | {"seconds": round(time.monotonic() - began, 1), "faults": list(faults)}
    write_result("soak_durability", figures)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
