"""A million labelled pairs from a foreign file into the workspace: read, checked and saved, CSV and Parquet.

Budget: 60 seconds each on two cores. pandas.read_csv and to_parquet, which check nothing, stand beside it. `--pairs N`.
"""

from __future__ import annotations

import argparse
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.support import write_result
from simtune_core.workflows import importing
from simtune_core.workspace import Workspace, open_workspace

N_PAIRS, N_WORDS, SEED, BUDGET_SECONDS, BUDGET_HEAD_SECONDS = 1_000_000, 20_000, 20260101, 60.0, 1.0
_TEXTS = 50_000  # records that the pairs are drawn from
_BLOCK = 50_000


def write_pairs(path: Path, n_pairs: int) -> None:
    """Write seeded pairs of tickets with ids, categories, labels and splits as CSV: some quoted, some beyond ASCII."""
    rng = random.Random(SEED)
    words = [f"w{number:x}" + rng.choice(("er", "ung", "tion", "\u00e9e", "s", "")) for number in range(N_WORDS)]
    texts = [" ".join(rng.choices(words, k=rng.randint(4, 24))) for _ in range(_TEXTS)]
    texts = [f'{text}, "{text[:8]}"' if number % 10 == 0 else text for number, text in enumerate(texts)]
    for start in range(0, n_pairs, _BLOCK):
        n_rows = min(_BLOCK, n_pairs - start)
        one, two = ([rng.randrange(_TEXTS) for _ in range(n_rows)] for _ in range(2))
        frame = pd.DataFrame({
            "text_a": [texts[i] for i in one], "text_b": [texts[i] for i in two],
            "label": [rng.randint(0, 1) for _ in range(n_rows)],
            "id_a": [f"INC{i:07d}" for i in one], "id_b": [f"INC{i:07d}" for i in two],
            "category_a": [f"c{i % 20}" for i in one], "category_b": [f"c{i % 20}" for i in two],
            "split": rng.choices(["train", "dev", "test"], [8, 1, 1], k=n_rows),
        })  # fmt: skip
        frame.to_csv(path, mode="a" if start else "w", header=not start, index=False)


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return how many seconds a piece of work took, and what it gave."""
    began = time.perf_counter()
    given = work()
    return round(time.perf_counter() - began, 2), given


def measure(workspace: Workspace, path: Path, name: str) -> dict[str, Any]:
    """Import one file as a page or a command does, step by step."""
    source = importing.anywhere(path)
    head, first = timed(lambda: importing.head(source, importing.ImportOptions()))
    options = importing.options_for(first)
    read, table = timed(lambda: source.read(options.reading))
    checking, checked = timed(lambda: importing.draft(table, options))
    saving, saved = timed(lambda: importing.save_draft(workspace, name, checked, source=source))
    return {
        "file_mb": round(path.stat().st_size / 1e6, 1), "n_pairs": saved.n_rows, "n_faults": len(checked.faults),
        "seconds_to_preview": head, "seconds_to_read": read, "seconds_to_check": checking, "seconds_to_save": saving,
        "seconds": round(read + checking + saving, 2),
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }  # fmt: skip


def main() -> int:
    """Write the files, import both, let pandas read and write the same, and tell whether the budgets hold."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=N_PAIRS)
    n_pairs = parser.parse_args().pairs
    with tempfile.TemporaryDirectory() as folder:
        csv, parquet = Path(folder) / "pairs.csv", Path(folder) / "pairs.parquet"
        write_pairs(csv, n_pairs)
        peer_read, frame = timed(partial(pd.read_csv, csv, dtype=str, keep_default_na=False))
        peer_save, _ = timed(partial(frame.to_parquet, parquet))
        del frame
        workspace = open_workspace(Path(folder) / "workspace")
        measured = {path.suffix[1:]: measure(workspace, path, path.suffix[1:]) for path in (parquet, csv)}
    figures = {
        "n_pairs": n_pairs, **measured,
        "pandas": {"version": pd.__version__, "seconds_to_read_csv": peer_read, "seconds_to_write_parquet": peer_save},
        "budget_seconds": BUDGET_SECONDS, "budget_seconds_to_preview": BUDGET_HEAD_SECONDS,
    }  # fmt: skip
    write_result("import_pairs", figures)
    whole = all(each["n_pairs"] == n_pairs and not each["n_faults"] for each in measured.values())
    fast = all(
        each["seconds"] <= BUDGET_SECONDS and each["seconds_to_preview"] <= BUDGET_HEAD_SECONDS
        for each in measured.values()
    )
    return 0 if whole and fast else 1


if __name__ == "__main__":
    sys.exit(main())
