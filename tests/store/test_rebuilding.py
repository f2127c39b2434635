"""A store made again from the files equals the live one, row by row, whatever the files have been through."""

import json
import os
import random
import shutil

from simtune_core import store
from simtune_core.files import write_json
from simtune_core.jobs.context import Job
from simtune_core.jobs.marks import write_exit
from simtune_core.store import schema
from simtune_core.store.access import ask
from simtune_core.store.database import StoreSettings

N_STEPS = 70
SLICES = StoreSettings(slice_seconds=0.001)  # a session ends after every batch


def tables(workspace):
    def everything(database):
        return {table: database.rows(f"SELECT * FROM {table} ORDER BY ALL") for table in schema.TABLES}

    return ask(workspace, everything)


class History:
    """A workspace to which something happens: jobs begin, go on, tear lines, end, are deleted, are repeated."""

    def __init__(self, workspace, make_job, seed):
        self.workspace, self.make_job, self.rng = workspace, make_job, random.Random(seed)
        self.open, self.n_made = [], 0

    def step(self):
        """Let one thing happen, and now and then an ingest or the loss of the store."""
        self.rng.choice(
            [self.begin, self.begin, self.go_on, self.go_on, self.tear, self.damage, self.end, self.delete]
        )()
        if self.rng.random() < 0.4:
            store.ingest(self.workspace, SLICES if self.rng.random() < 0.5 else None)
        if self.rng.random() < 0.05:
            self.workspace.store.unlink(missing_ok=True)

    def begin(self):
        """Begin a job."""
        self.n_made += 1
        kind = self.rng.choice(["train", "evaluate"])
        params = {"set": f"set-{self.n_made}@v0001"}
        self.open.append(self.make_job(f"job-{self.n_made:03d}", kind=kind, losses=9, params=params, state=None))

    def go_on(self):
        """Let the newest jobs report something."""
        for folder in self.open[-2:]:
            with Job(folder, self.workspace) as job:
                for step in range(self.rng.randrange(6)):
                    job.metric("loss", self.rng.choice([0.5, float("nan"), 1e-12]), step=step)
                job.alert("slow", "It is slow.")

    def tear(self):
        """Write half a line, as a kill does."""
        if self.open:
            with (self.rng.choice(self.open) / "events.jsonl").open("ab") as file:
                file.write(b'{"v":1,"seq":7,"time":1.0,"kind":"metr')

    def damage(self):
        """Write lines that are no events."""
        if self.open:
            with (self.rng.choice(self.open) / "events.jsonl").open("ab") as file:
                file.write(os.urandom(20).replace(b"\n", b"") + b"\n[]\n\n")

    def end(self):
        """End a job, and perhaps continue it as another."""
        if not self.open:
            return
        folder = self.open.pop(self.rng.randrange(len(self.open)))
        state = self.rng.choice(["done", "failed", "stopped"])
        model = {"encoder": "minilm", "metrics": {"roc_auc": self.rng.random()}, "curve": [1, 2]}
        if state == "done" or self.rng.random() < 0.5:
            write_json(folder / "result.json", {"baseline": "minilm", "models": [model], "model_id": "head-1"})
        write_exit(folder, state, "why", started=1.0)
        if self.rng.random() < 0.5:  # another attempt that goes on from it
            again = self.make_job(f"{folder.name}-b", losses=3, state=None)
            spec = json.loads((again / "spec.json").read_text())
            write_json(again / "spec.json", spec | {"attempt": 2, "continues": folder.name})
            self.open.append(again)

    def delete(self):
        """Delete the folder of any job."""
        folders = sorted(self.workspace.jobs.glob("job-*"))
        if len(folders) > 3:
            gone = self.rng.choice(folders)
            self.open = [folder for folder in self.open if folder != gone]
            shutil.rmtree(gone)


def test_a_rebuilt_store_equals_the_live_one_after_a_messy_history(workspace, make_job):
    seed = int(os.environ.get("SIMTUNE_SEED", "20260731"))
    history = History(workspace, make_job, seed)
    for number in range(2):
        manifest = {"name": f"t{number}", "version": "v0001", "kind": "pairs", "n_rows": 3, "content_id": "c"}
        write_json(workspace.datasets / f"t{number}" / "v0001-01234567" / "manifest.json", manifest | {"created": 1.0})
    for _ in range(N_STEPS):
        history.step()
    store.ingest(workspace)
    live = tables(workspace)
    assert all(live[table] for table in ("jobs", "events", "evaluation_metrics", "datasets")), f"seed {seed}"
    store.rebuild(workspace, SLICES)
    rebuilt = tables(workspace)
    for table, rows in live.items():
        assert rebuilt[table] == rows, f"seed {seed}: {table}"
    checked = store.check(workspace)
    assert not checked.repaired, f"seed {seed}"
    assert {fault.code for fault in checked.faults} <= {"dataset_damaged"}  # the two datasets have no table


def test_an_import_in_slices_gives_the_same_rows_and_adds_up(workspace, make_job):
    for number in range(5):
        make_job(f"job-{number}", losses=30)
    whole = store.ingest(workspace)
    live = tables(workspace)
    workspace.store.unlink()
    assert store.ingest(workspace, SLICES) == whole
    assert tables(workspace) == live


def test_between_two_slices_others_get_in_and_see_every_job(workspace, make_job):
    for number in range(6):
        make_job(f"job-{number}", kind="evaluate", losses=40, result={"models": [{"encoder": "a", "auc": 0.5}]})
    ask(workspace, lambda database: None, SLICES, needs="index")  # as a page does, on a store that has to be made
    assert len(store.evaluations(workspace)) == 6
    counted = ask(workspace, lambda database: database.rows("SELECT count(*) FROM events"), needs="index")
    assert counted[0][0] < 6 * 40
    assert store.counts(workspace).n_metrics == 6 * 40  # who asks for events waits for all of them
