"""Sessions soak: tabs over the WebSocket protocol and one Chromium follow four jobs of 100 points a second each.

Budgets: no exception on a page, no point lost or doubled, a live curve refreshed within 150 ms at the median. With
`--sessions 40 --seconds 120`: refreshed within 2 s at the 95th percentile, loaded within 5 s, at most 50 MB more memory
of the server after the warm-up.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.support import write_result
from benchmarks.support.faults import end_all, wait_for
from benchmarks.support.servers import Served, process_of
from benchmarks.support.tabs import Tab
from benchmarks.support.truth import compare
from simtune_core.jobs.launcher import launch, read_job, request_stop
from simtune_core.workspace import Workspace, open_workspace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

N_JOBS, RATE, MANY = 4, 104.0, 40
WARM_UP_SECONDS, MOST_BEHIND_SECONDS = 20.0, 10.0
_LAST_STEP = "() => document.querySelector('.simtune-chart')?._fullData?.[0]?.x?.at(-1) ?? 0"
BUDGET_MEDIAN_SECONDS, BUDGET_P95_SECONDS, BUDGET_LOAD_SECONDS, BUDGET_GROWTH_MB = 0.150, 2.0, 5.0, 50.0


@dataclass(slots=True)
class Watched:
    """What the one real browser complained of."""

    faults: list[str] = field(default_factory=list)


def main() -> int:
    """Run the soak; the exit code is 1 if a budget is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=180.0)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Served(Path(folder)) as servers:
        workspace = open_workspace(Path(folder) / "workspace")
        try:
            figures = followed(workspace, servers, chosen.sessions, chosen.seconds)
        finally:
            end_all(workspace)
    write_result(f"soak_sessions_{chosen.sessions}", figures)
    return 1 if broken(figures, chosen.sessions) else 0


def followed(workspace: Workspace, servers: Served, n_sessions: int, seconds: float) -> dict[str, Any]:
    """Let the jobs write while tabs and a browser follow them; return what was seen and what was lost."""
    address = servers.open(workspace)
    server = process_of(address)
    params = {"seconds": seconds + 600, "rate": RATE}
    jobs = [launch(workspace, "sleep", params | {"place": n}, title=f"curve {n}", reuse=False) for n in range(N_JOBS)]
    for job_id in jobs:
        wait_for(
            lambda job_id=job_id: read_job(workspace, job_id).last_step or 0, lambda n: n >= 50, 60, "writes nothing"
        )
    tabs = [opened(address, jobs[n % N_JOBS]) for n in range(n_sessions)]
    with browser_on(address, jobs[0]) as (page, watched):
        page.wait_for_timeout(1000 * min(WARM_UP_SECONDS, seconds / 4))
        before, began = server.memory_info().rss, time.monotonic()
        for tab in tabs:
            tab.seen.refreshes, tab.seen.live = [], []
        page.wait_for_timeout(1000 * seconds)
        lasted, after = time.monotonic() - began, server.memory_info().rss
        shown, step = page.evaluate(_LAST_STEP), read_job(workspace, jobs[0]).last_step or 0
        watched.faults += page.get_by_test_id("stException").all_inner_texts()
    for tab in tabs:
        tab.close()
    steps = ended(workspace, jobs)
    truth = compare(workspace, workspace.root.parent / "exports")
    return figures_of(tabs) | {
        "seconds": round(lasted, 1), "jobs": N_JOBS, "points": sum(steps), "points_stored_wrong": list(truth.faults),
        "events": truth.n_events, "browser_faults": watched.faults, "browser_steps_behind": step - shown,
        "server_rss_mb": round(after / 1e6), "server_growth_mb": round((after - before) / 1e6, 1),
    }  # fmt: skip


def opened(address: str, job_id: str) -> Tab:
    """Open the page Jobs on one job and choose its curves."""
    tab = Tab(address, "jobs", f"jobs.job={job_id}").open()
    tab.choose("Curves")
    return tab


@contextmanager
def browser_on(address: str, job_id: str) -> Iterator[tuple[Page, Watched]]:
    """Open the same in Chromium and keep what it complains of."""
    from playwright.sync_api import sync_playwright

    from tests.browser import FLAGS, open_page

    watched = Watched()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=list(FLAGS))
        page = open_page(browser, f"{address}/jobs?jobs.job={job_id}", viewport={"width": 1400, "height": 1000})
        page.on("pageerror", lambda error: watched.faults.append(str(error)))
        page.on("console", lambda said: watched.faults.append(said.text) if said.type == "error" else None)
        page.get_by_role("tab", name="Curves").click()
        page.locator(".simtune-chart").first.wait_for(timeout=60_000)
        yield page, watched
        browser.close()


def ended(workspace: Workspace, jobs: list[str]) -> list[int]:
    """Stop the jobs and return how many points each has written."""
    for job_id in jobs:
        request_stop(workspace, job_id)
    last = [wait_for(lambda j=j: read_job(workspace, j), lambda job: job.finished, 60, "does not stop") for j in jobs]
    return [job.last_step or 0 for job in last]


def figures_of(tabs: list[Tab]) -> dict[str, Any]:
    """Return what the tabs saw together; seconds."""
    live = sorted(each for tab in tabs for each in tab.seen.live)
    every = sorted(each for tab in tabs for each in tab.seen.refreshes)
    loads = [tab.seen.first_load or 0.0 for tab in tabs]
    return {
        "sessions": len(tabs), "live_refreshes": len(live), "refreshes": len(every),
        "live_median_seconds": round(statistics.median(live), 4) if live else None,
        "live_p95_seconds": round(live[-(-95 * len(live) // 100) - 1], 4) if live else None,
        "refresh_median_seconds": round(statistics.median(every), 4) if every else None,
        "refresh_p95_seconds": round(every[-(-95 * len(every) // 100) - 1], 4) if every else None,
        "slowest_first_load_seconds": round(max(loads), 2),
        "exceptions": sorted({text for tab in tabs for text in tab.seen.exceptions}),
        "tabs_closed_by_server": sum(tab.seen.closed for tab in tabs),
        "tabs_without_chart": sum(not tab.seen.charts for tab in tabs),
        "mb_received": round(sum(tab.seen.n_bytes for tab in tabs) / 1e6, 1),
    }  # fmt: skip


def broken(figures: dict[str, Any], n_sessions: int) -> list[str]:
    """Return the budgets that do not hold."""
    wrong = [name for name in ("exceptions", "tabs_closed_by_server", "tabs_without_chart", "points_stored_wrong",
                               "browser_faults") if figures[name]]  # fmt: skip
    if not figures["live_refreshes"]:
        return [*wrong, "nothing was refreshed"]
    if figures["browser_steps_behind"] > MOST_BEHIND_SECONDS * RATE:
        wrong.append("browser_steps_behind")
    if n_sessions >= MANY:
        limits = {"live_p95_seconds": BUDGET_P95_SECONDS, "slowest_first_load_seconds": BUDGET_LOAD_SECONDS,
                  "server_growth_mb": BUDGET_GROWTH_MB}  # fmt: skip
    else:
        limits = {"live_median_seconds": BUDGET_MEDIAN_SECONDS}
    return wrong + [name for name, limit in limits.items() if figures[name] > limit]


if __name__ == "__main__":
    sys.exit(main())
