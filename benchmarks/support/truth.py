"""The files of a workspace against its store, line by line.

The files are read here by means of our own, so that a reader of simtune_core that skips a line is found out. Writes
nothing but exports; makes the store again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.support.agents import PATIENT
from simtune_core import store
from simtune_core.jobs.launcher import list_jobs
from simtune_core.workspace import Workspace

COLUMNS = ["job_id", "seq", "time", "kind", "name", "step", "epoch", "value"]
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Truth:
    """What a comparison found.

    Attributes:
        n_jobs: Jobs compared.
        n_events: Complete lines of their files, each an event.
        n_bad: Complete lines that are no events.
        faults: What is wrong, as sentences; empty when the store holds every complete line exactly once.
    """

    n_jobs: int
    n_events: int
    n_bad: int
    faults: tuple[str, ...]


def compare(workspace: Workspace, scratch: Path) -> Truth:
    """Check the store, compare it with the files, make it again and compare the two; no job may be writing.

    Args:
        workspace: Whose files and store.
        scratch: A folder that does not exist yet, for two exports.
    """
    checked = store.check(workspace, PATIENT)
    faults = [] if checked.clean else [f"`store check` is not clean: {checked}"[:500]]
    lines, bad = lines_of(workspace)
    live = exported(workspace, scratch / "live")
    faults += _differences(lines, live["events"][COLUMNS])
    faults += _wrong_values(lines)
    faults += _wrong_states(workspace, live["jobs"])
    if checked.n_bad != bad:
        faults.append(f"{bad} lines are no events, the store counts {checked.n_bad}")
    store.rebuild(workspace, PATIENT)
    made_again = exported(workspace, scratch / "rebuilt")
    faults += [f"{table} differs after `store rebuild`" for table in live if not live[table].equals(made_again[table])]
    return Truth(len(live["jobs"]), len(lines), bad, tuple(faults))


def lines_of(workspace: Workspace) -> tuple[pd.DataFrame, int]:
    """Return the complete lines of every event file as rows in order of job and seq, and how many are no events."""
    rows: list[dict[str, Any]] = []
    n_bad = 0
    for path in sorted(workspace.jobs.glob("[!.]*/events.jsonl")):
        for event in _lines(path):
            if event is None:
                n_bad += 1
            else:
                rows.append({"job_id": path.parent.name, **event})
    frame = pd.DataFrame(rows, columns=COLUMNS).sort_values(["job_id", "seq"], ignore_index=True)
    return frame, n_bad


def exported(workspace: Workspace, folder: Path) -> dict[str, pd.DataFrame]:
    """Return every table of the store as `store export` writes it, in order of all columns."""
    return {path.stem: pd.read_parquet(path) for path in store.export(workspace, folder, PATIENT)}


def _lines(path: Path) -> Iterator[dict[str, Any] | None]:
    complete = path.read_bytes().split(b"\n")[:-1]
    for line in filter(None, complete):
        try:
            event = json.loads(line)
        except ValueError:
            yield None
            continue
        number = event["value"] if event["kind"] == "metric" else None
        yield {**{name: event.get(name) for name in COLUMNS if name != "job_id"}, "value": number}


def _differences(lines: pd.DataFrame, rows: pd.DataFrame) -> list[str]:
    """Compare lines with rows by job and seq: none may be missing, surplus, doubled or other than written."""
    keys = ["job_id", "seq"]
    faults = [f"{name} twice: {_few(table[table.duplicated(keys)])}" for name, table in
              (("a line", lines), ("a row", rows)) if table.duplicated(keys).any()]  # fmt: skip
    both = lines.merge(rows, on=keys, how="outer", suffixes=("_file", "_store"), indicator=True)
    for side, name in (("left_only", "lost"), ("right_only", "never written")):
        odd = both[both["_merge"] == side]
        if len(odd):
            faults.append(f"{len(odd)} events {name}: {_few(odd)}")
    for column in COLUMNS[2:]:
        written, stored = both[f"{column}_file"], both[f"{column}_store"]
        wrong = both[(written != stored) & ~(written.isna() & stored.isna()) & (both["_merge"] == "both")]
        if len(wrong):
            faults.append(f"{len(wrong)} events have another {column} in the store: {_few(wrong)}")
    return faults


def _wrong_values(lines: pd.DataFrame) -> list[str]:
    """Find gaps in a file: numbered without a gap, and of the self-test's curve step n has the value 1 / n."""
    gaps = [str(job) for job, group in lines.groupby("job_id") if list(group["seq"]) != list(range(len(group)))]
    faults = [f"seq has a gap in the file of {', '.join(gaps[:_SHOWN])}"] if gaps else []
    points = lines[(lines["kind"] == "metric") & (lines["name"] == "value")]
    wrong = points[points["value"] != 1.0 / points["step"].astype(float)]
    return [*faults, f"{len(wrong)} points are not 1 / step: {_few(wrong)}"] if len(wrong) else faults


def _wrong_states(workspace: Workspace, rows: pd.DataFrame) -> list[str]:
    known = dict(zip(rows["job_id"], rows["state"], strict=True))
    told = {job.id: job.state for job in list_jobs(workspace)}
    odd = sorted(set(known.items()) ^ set(told.items()))
    return [f"states of files and store differ: {odd[:_SHOWN]}"] if odd else []


def _few(table: pd.DataFrame) -> str:
    return str(table[["job_id", "seq"]].head(_SHOWN).to_dict("records"))
