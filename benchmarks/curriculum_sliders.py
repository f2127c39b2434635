"""A move of a slider of the curriculum page, at 10,000 and at 47,788 real records: server time, and time to repaint.

Budgets, medians of 40 key presses spread over the sliders of three phases: the server's part (the redrawn fragment,
plan and figure included) under 30 ms; from the key press to the frame in which text, table and figure have all changed
under 150 ms, in a real browser on a real server. Candidates are counted first, in TF-IDF, beside a test set.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pandas as pd
from playwright.sync_api import Page, sync_playwright

from benchmarks.preflight_real import COLUMNS, REAL_DATA
from benchmarks.support import write_result
from simtune_core.candidates.config import CandidatesConfig
from simtune_core.datasets import save_pairs, save_records
from simtune_core.encoders.config import EncodingConfig
from simtune_core.records import with_record_columns
from simtune_core.workflows.requests import Request, candidates_request
from simtune_core.workflows.running import run_to_end
from simtune_core.workspace import VARIABLE, Workspace, open_workspace
from tests.browser import FLAGS, IDLE, served

SETS, TEST = ("itsm10k_records", "itsm48k_records"), "itsm10k_founding_pairs"
N_MOVES, N_WARM = 40, 3
BUDGET_SERVER_MS, BUDGET_REPAINT_MS = 30.0, 150.0
_DRAWN = "window.seen.text && window.seen.table && window.seen.figure"
_WAIT_MS, _QUIET_MS = 10_000, 300  # for the first change of each; then nothing is drawn any more
# Stamps when the key went down, and the second frame after each of text, table (a canvas) and figure last changed.
_WATCH = """() => {
  const clear = () => ({ key: performance.now(), text: 0, table: 0, figure: 0 });
  window.seen = clear();
  const stamp = (what) => { window.seen[what] = performance.now(); };
  const frame = (what) => requestAnimationFrame(() => requestAnimationFrame(() => stamp(what)));
  document.addEventListener('keydown', () => { window.seen = clear(); }, true);
  const draw = CanvasRenderingContext2D.prototype.fillText;
  CanvasRenderingContext2D.prototype.fillText = function (...given) {
    if (this.canvas.closest('[data-testid="stDataFrame"]')) frame('table');
    return draw.apply(this, given);
  };
  new MutationObserver((changes) => {
    for (const { target } of changes) {
      const element = target.nodeType === 1 ? target : target.parentElement;
      if (element?.closest('.simtune-chart')) frame('figure');
      else if (element?.closest('[data-testid="stMarkdownContainer"]')) frame('text');
    }
  }).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""


def main() -> int:
    """Count both record sets, move the sliders on each, keep the figures; the exit code is 1 if a budget is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workspace", type=Path, help="keep datasets and counted candidates here")
    parser.add_argument("--only", choices=SETS, help="one of the two record sets")
    asked = parser.parse_args()
    if not REAL_DATA.is_dir():
        sys.stdout.write("no real data here (SIMTUNE_REAL_DATA): nothing to move\n")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        workspace = open_workspace(asked.workspace or Path(folder) / "workspace")
        _save_test(workspace)
        found = {name: _measured(workspace, name, Path(folder)) for name in ((asked.only,) if asked.only else SETS)}
    budgets = {"server_ms": BUDGET_SERVER_MS, "repaint_ms": BUDGET_REPAINT_MS}
    write_result("curriculum_sliders", {"n_moves": N_MOVES, "sets": found, "budgets": budgets})
    kept = (
        each["server"]["median_ms"] <= BUDGET_SERVER_MS and each["repaint"]["median_ms"] <= BUDGET_REPAINT_MS
        for each in found.values()
    )
    return 0 if all(kept) else 1


def _save_test(workspace: Workspace) -> None:
    frame = pd.read_parquet(REAL_DATA / f"{TEST}.parquet").rename(columns=COLUMNS)
    save_pairs(workspace, "test", frame[frame["split"] == "test"], provenance={})


def _request(workspace: Workspace, name: str) -> Request:
    encoding = EncodingConfig(encoder="tfidf")
    return candidates_request(workspace, name, encoding, config=CandidatesConfig(), test="test")


def _measured(workspace: Workspace, name: str, folder: Path) -> dict[str, Any]:
    frame = pd.read_parquet(REAL_DATA / f"{name}.parquet").drop(columns="split", errors="ignore")
    save_records(workspace, name, with_record_columns(frame), provenance={})
    _, counted = run_to_end(workspace, _request(workspace, name))
    server = _server(workspace, name)
    with served(workspace=workspace, log=folder / "server.log") as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=list(FLAGS))
        page = browser.new_context(viewport={"width": 1440, "height": 1500}).new_page()
        moves = _moved(page, f"{address}/curriculum?curriculum.records={name}&curriculum.test=test")
        browser.close()
    return {
        "n_records": counted["n_records"],
        "n_pairs": counted["n_pairs"],
        "server": _summary(server),
        **{what: _summary([move[what] for move in moves]) for what in ("repaint", "text", "table", "figure")},
        "sent_bytes_median": statistics.median(move["bytes"] for move in moves),
    }


def _page() -> None:
    """Draw the sliders alone, and note how long the server took; a script of its own."""
    import os
    import time

    import streamlit as st

    from benchmarks.curriculum_sliders import _request
    from simtune_core.candidates.config import CandidatesConfig
    from simtune_core.encoders.config import EncodingConfig
    from ui.ask import answer_to
    from ui.curriculum import cut_panel
    from ui.curriculum_sources import Sources
    from ui.session import current_workspace

    name = os.environ["SIMTUNE_BENCHMARK_SET"]
    answer = answer_to(_request(current_workspace(), name), key="curriculum.ask", button="Count")
    if answer is None:
        st.stop()
    sources = Sources(name, EncodingConfig(encoder="tfidf"), "test", None, CandidatesConfig())
    began = time.perf_counter()
    cut_panel(answer, sources, None)
    st.session_state.setdefault("taken", []).append(time.perf_counter() - began)


def _server(workspace: Workspace, name: str) -> list[float]:
    """Move the sliders without a browser and return the milliseconds that the server's fragment took, each."""
    from streamlit.testing.v1 import AppTest

    os.environ[VARIABLE], os.environ["SIMTUNE_BENCHMARK_SET"] = str(workspace.root), name
    app = AppTest.from_function(_page, default_timeout=120).run()
    sliders = [slider.key for slider in app.slider]
    for move in range(N_MOVES + N_WARM):
        slider = app.slider(key=sliders[move % len(sliders)])
        low, high = slider.value
        slider.set_value((round(low + (0.01 if move // len(sliders) % 2 else -0.01), 2), high)).run()
        if app.exception or app.error or not app.dataframe:
            raise SystemExit(f"The page shows an error: {[*app.exception, *app.error]}.")
    return [1e3 * seconds for seconds in app.session_state["taken"][-N_MOVES:]]


def _moved(page: Page, address: str) -> list[dict[str, float]]:
    """Press a key on every slider in turn and return for each press when what was repainted, in milliseconds."""
    down = {"bytes": 0}
    page.on("websocket", lambda socket: socket.on("framereceived", lambda data: _add(down, data)))
    page.goto(address)
    page.wait_for_selector(IDLE, timeout=120_000)
    page.wait_for_selector(".simtune-chart .main-svg", timeout=120_000)
    page.wait_for_timeout(3000)
    page.evaluate(_WATCH)
    thumbs = page.get_by_role("slider")
    n, moves = thumbs.count(), []
    for move in range(N_MOVES + N_WARM):
        thumbs.nth(2 * move % n).focus()
        page.wait_for_timeout(200)
        down["bytes"] = 0
        page.keyboard.press("ArrowRight" if move // (n // 2) % 2 else "ArrowLeft")
        page.wait_for_function(_DRAWN, timeout=_WAIT_MS)
        page.wait_for_timeout(_QUIET_MS)
        seen = page.evaluate("window.seen")
        times = {what: seen[what] - seen["key"] for what in ("text", "table", "figure")}
        moves.append({**times, "repaint": max(times.values()), "bytes": down["bytes"]})
    return moves[N_WARM:]


def _add(down: dict[str, int], data: str | bytes) -> None:
    down["bytes"] += len(data)


def _summary(taken: list[float]) -> dict[str, float]:
    return {
        "median_ms": round(statistics.median(taken), 1),
        "p95_ms": round(statistics.quantiles(taken, n=20)[-1], 1),
    }


if __name__ == "__main__":
    began = time.perf_counter()
    code = main()
    sys.stdout.write(f"took {time.perf_counter() - began:.0f} s\n")
    sys.exit(code)
