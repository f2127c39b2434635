"""Deleting shows first what depends on it, takes exactly that, and touches nothing outside the workspace."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from simtune_core import store
from simtune_core.cache import YOUNG_SECONDS
from simtune_core.encoders.catalogue import resolve_encoder
from simtune_core.errors import WorkspaceError
from simtune_core.jobs.launcher import follow, launch, list_jobs, read_job, request_stop
from simtune_core.preferences import change_preferences
from simtune_core.workflows import data, importing
from simtune_core.workflows.retention import clean_cache, delete, deletion_plan
from simtune_core.workflows.running import resume
from simtune_core.workflows.space import leftovers, size_words, space_of
from simtune_core.workspace import CHECKOUT
from tests.pages.conftest import copy_of

DELETER = """
import sys
from simtune_core.workflows.retention import clean_cache, delete, deletion_plan
from simtune_core.workspace import open_workspace
workspace = open_workspace(sys.argv[1])
if workspace.dataset("sample").exists():
    delete(workspace, deletion_plan(workspace, "dataset", "sample"), with_dependents=True)
clean_cache(workspace)
"""


@pytest.fixture
def own(walked, tmp_path):
    """Return the workspace of a walked path that belongs to the test."""
    return copy_of(walked, tmp_path / "own").workspace


def job_ids(walked):
    return {verb: said["result"]["job"] for verb, said in walked.said.items() if "job" in said["result"]}


def names(plan):
    return {(each.kind, each.name) for each in plan.dependents}


def files_of(workspace):
    """Return size and content's end of every file of jobs, datasets and models, by path."""
    roots = (workspace.datasets, workspace.jobs, workspace.models)
    paths = (path for root in roots for path in root.rglob("*") if path.is_file() and ".lock" not in path.name)
    return {path.relative_to(workspace.root).as_posix(): path.read_bytes() for path in paths}


def visible(folder):
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def bytes_below(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_what_rests_on_a_model_is_its_training_and_what_judged_and_checked_it(walked):
    jobs = job_ids(walked)
    plan = deletion_plan(walked.workspace, "model", "walk-lora")

    assert names(plan) == {("job", jobs[verb]) for verb in ("lora", "diagnose", "evaluate")}
    why = {each.name: each.why for each in plan.dependents}
    assert why[jobs["evaluate"]] == "judges walk-lora"
    assert why[jobs["diagnose"]] == "checks walk-lora"
    assert why[jobs["lora"]].startswith("made walk-lora")
    assert (plan.blocked, plan.kept) == ((), ())
    assert plan.n_bytes == bytes_below(walked.workspace.model("walk-lora"))
    assert plan.n_bytes_with_dependents - plan.n_bytes == sum(
        bytes_below(walked.workspace.job(each.name)) for each in plan.dependents
    )


def test_what_rests_on_a_dataset_is_found_through_its_models_and_stands_before_them(walked):
    jobs = job_ids(walked)
    plan = deletion_plan(walked.workspace, "dataset", "small")
    order = [(each.kind, each.name) for each in plan.dependents]

    assert {("model", "walk-head"), ("model", "walk-lora")} <= names(plan)
    assert {("job", jobs[verb]) for verb in ("difficulty", "head", "lora", "diagnose", "evaluate")} <= names(plan)
    assert ("dataset", "cut@v0001") not in names(plan), "it was made from the tickets"
    assert order.index(("job", jobs["evaluate"])) < order.index(("model", "walk-head"))
    assert order.index(("job", jobs["diagnose"])) < order.index(("model", "walk-lora"))


def test_what_was_made_from_records_goes_with_them(own, walked):
    plan = deletion_plan(own, "dataset", "tickets@v0001")
    kinds = {job.id: job.kind for job in list_jobs(own)}

    assert ("dataset", "cut@v0001") in names(plan)
    assert {kinds[name] for kind, name in names(plan) if kind == "job"} == {"candidates", "curriculum"}

    delete(own, plan, with_dependents=True)
    assert [version.name for version in data.list_datasets(own)] == ["small"]


def test_nothing_is_deleted_while_something_rests_on_it_and_may_not_go(own):
    before = files_of(own)
    plan = deletion_plan(own, "model", "walk-head")

    with pytest.raises(WorkspaceError, match=r"model walk-head is what .*job \d.* rest on; nothing was deleted"):
        delete(own, plan)
    assert files_of(own) == before


def test_exactly_the_plan_goes_and_the_store_forgets_it(own):
    store.ingest(own)
    before, counted = files_of(own), store.counts(own)
    plan = deletion_plan(own, "model", "walk-lora")
    doomed = {f"models/{plan.name}/", *(f"data/jobs/{each.name}/" for each in plan.dependents)}

    freed = delete(own, plan, with_dependents=True)

    left = files_of(own)
    assert left == {name: held for name, held in before.items() if not name.startswith(tuple(doomed))}
    assert freed == sum(len(held) for name, held in before.items() if name not in left)
    assert leftovers(own) == []
    store.ingest(own)
    now = store.counts(own)
    assert (now.n_models, now.n_jobs) == (counted.n_models - 1, counted.n_jobs - 3)
    assert store.check(own).clean


def test_a_model_outlives_the_job_that_trained_it_and_that_is_said(own, walked):
    job_id = job_ids(walked)["head"]
    plan = deletion_plan(own, "job", job_id)
    assert plan.kept == ("The model walk-head stays; the curves and the log of its training go.",)
    assert plan.dependents == ()

    delete(own, plan)

    assert not own.job(job_id).exists()
    assert resolve_encoder(own, "walk-head").kind == "head"
    assert ("job", job_id) not in names(deletion_plan(own, "model", "walk-head"))


def test_a_job_that_waits_or_runs_keeps_what_it_needs(workspace):
    data.load_sample(workspace)
    first = launch(workspace, "device_sleep", {"seconds": 60, "set": "sample@v0001"}, title="one that runs")
    second = launch(
        workspace, "device_sleep", {"seconds": 60, "records": "sample_records@v0001"}, title="one that waits"
    )
    try:
        for name, job, title, state in (
            ("sample", first, "one that runs", "running"),
            ("sample_records", second, "one that waits", "queued"),
        ):
            sentence = f"The job {title!r} ({job}) is {state}; stop it or wait for its end."
            plan = deletion_plan(workspace, "dataset", name)
            assert plan.blocked == (sentence,)
            assert deletion_plan(workspace, "job", job).blocked == (sentence,)
            with pytest.raises(WorkspaceError, match="cannot be deleted now"):
                delete(workspace, plan, with_dependents=True)
        assert [version.name for version in data.list_datasets(workspace)] == [
            "sample",
            "sample_easy",
            "sample_records",
        ]
    finally:
        for job in (second, first):
            request_stop(workspace, job)
            follow(workspace, job)
    assert deletion_plan(workspace, "dataset", "sample").blocked == ()


def test_an_attempt_is_needed_until_the_one_that_goes_on_from_it_is_done(workspace):
    params = {"seconds": 0.5, "checkpoint_every": 5}
    first = launch(workspace, "sleep", {**params, "fail": "error"}, title="first")
    assert follow(workspace, first).state == "failed"
    second = resume(workspace, first, changes={"seconds": 60, "fail": None}, confirm=True)
    try:
        plan = deletion_plan(workspace, "job", first)
        assert [(each.name, each.why) for each in plan.dependents] == [(second, "goes on from its checkpoint")]
        assert len(plan.blocked) == 1
    finally:
        request_stop(workspace, second)
        follow(workspace, second)
    third = resume(workspace, second, changes={"seconds": 0.1}, confirm=True)
    assert follow(workspace, third).state == "done"

    plan = deletion_plan(workspace, "job", second)
    assert (plan.dependents, plan.blocked) == ((), ())
    assert plan.kept == (f"The job 'first' ({third}) stays; the part of its curves before it went on goes.",)
    delete(workspace, plan)
    assert read_job(workspace, third).state == "done"


def test_a_plan_that_is_no_longer_true_is_not_carried_out(workspace):
    data.load_sample(workspace)
    plan = deletion_plan(workspace, "dataset", "sample")
    job = launch(workspace, "sleep", {"seconds": 0.1, "set": "sample@v0001:test"}, title="in between")
    follow(workspace, job)

    with pytest.raises(WorkspaceError, match="has changed since you saw it; nothing was deleted"):
        delete(workspace, plan)
    assert deletion_plan(workspace, "dataset", "sample").dependents[0].name == job
    assert len(data.list_datasets(workspace)) == 3


def test_one_version_goes_and_the_others_stay_until_all_are_asked_for(workspace):
    drafts = [b"id,text\na,printer\n", b"id,text\na,vpn\n"]
    for content in drafts:
        path = workspace.root / "mine.csv"
        path.write_bytes(content)
        source = importing.anywhere(str(path))
        importing.save_draft(workspace, "mine", importing.draft_source(source), source=source, new_version=True)

    delete(workspace, deletion_plan(workspace, "dataset", "mine@v0001"))
    assert [version.ref for version in data.list_datasets(workspace)] == ["mine@v0002"]

    delete(workspace, deletion_plan(workspace, "dataset", "mine"))
    assert not workspace.dataset("mine").exists()
    with pytest.raises(WorkspaceError, match="There is no dataset 'mine'"):
        deletion_plan(workspace, "dataset", "mine")


def test_a_link_goes_and_what_it_points_to_stays(workspace, tmp_path):
    outside = tmp_path / "outside"
    (outside / "inner").mkdir(parents=True)
    (outside / "precious.txt").write_text("mine")
    (outside / "manifest.json").write_text("{}")
    job = launch(workspace, "sleep", {"seconds": 0.05}, title="a short sleep")
    follow(workspace, job)
    (workspace.job(job) / "link").symlink_to(outside)
    (workspace.models / "linked").symlink_to(outside)
    workspace.dataset("whole").symlink_to(outside)
    workspace.dataset("part").mkdir()
    (workspace.dataset("part") / "v0001-00000000").symlink_to(outside)

    for kind, name in (("job", job), ("model", "linked"), ("dataset", "part@v0001")):
        plan = deletion_plan(workspace, kind, name)
        assert plan.n_bytes < 10_000
        delete(workspace, plan)
    with pytest.raises(WorkspaceError, match="There is no dataset 'whole'"):
        deletion_plan(workspace, "dataset", "whole")
    clean_cache(workspace, limit_bytes=0)

    assert sorted(path.name for path in outside.iterdir()) == ["inner", "manifest.json", "precious.txt"]
    assert not any(workspace.models.iterdir()) and not workspace.job(job).exists()
    assert (workspace.datasets / "whole").is_symlink()


@pytest.mark.parametrize("kind", ["job", "dataset", "model"])
@pytest.mark.parametrize("name", ["", "..", "../../outside", "a/b", ".hidden", "/etc", "x" * 200, "a@../b"])
def test_a_name_that_is_no_name_is_refused(workspace, kind, name):
    with pytest.raises(WorkspaceError, match=r"must be 1 to 64|There is no"):
        deletion_plan(workspace, kind, name)


def test_only_jobs_datasets_and_models_can_be_deleted(workspace):
    with pytest.raises(WorkspaceError, match="What can be deleted is a job, a dataset, a model; got 'cache'"):
        deletion_plan(workspace, "cache", "embeddings")


def test_what_is_damaged_can_be_deleted(workspace):
    for folder in (
        workspace.job("20260101-000000-000-abcdef"),
        workspace.model("torn"),
        workspace.dataset("d") / "v0001-0",
    ):
        folder.mkdir(parents=True)
        (folder / "manifest.json").write_text("{")
    for kind, name in (("job", "20260101-000000-000-abcdef"), ("model", "torn"), ("dataset", "d")):
        delete(workspace, deletion_plan(workspace, kind, name))

    assert files_of(workspace) == {}


def test_the_default_encoder_is_not_deleted_unsaid(own):
    change_preferences(own, {"default_encoder": "walk-head"})
    said = deletion_plan(own, "model", "walk-head").kept
    assert said == ("The setting default_encoder names walk-head; choose another one there.",)


def test_what_a_killed_deletion_or_writer_left_is_counted_and_removed_later(workspace):
    data.load_sample(workspace)
    trash = workspace.models / ".trash-20260101-000000-000-abcdef" / "0-gone"
    old, young = workspace.jobs / ".old.12ab.part", workspace.datasets / "sample" / ".v0002.34cd.part"
    for folder in (trash, old, young):
        folder.mkdir(parents=True)
        (folder / "weights").write_bytes(b"x" * 1000)
    long_ago = time.time() - 10 * YOUNG_SECONDS
    os.utime(old / "weights", (long_ago, long_ago))
    (counted,) = [item for item in space_of(workspace).items if item.kind == "leftover"]
    assert counted.n_bytes == 3000

    clean_cache(workspace)

    assert leftovers(workspace) == [young], "its writer may be alive"
    shutil.copytree(young, trash)
    delete(workspace, deletion_plan(workspace, "dataset", "sample_easy"))
    assert leftovers(workspace) == [young]


def test_a_killed_deletion_leaves_everything_whole_or_gone_and_what_the_rest_stands_on_last(workspace):
    data.load_sample(workspace)
    names_of = [f"tuned-{number:03d}" for number in range(600)]
    for name in names_of:
        workspace.model(name).mkdir()
        (workspace.model(name) / "weights").write_bytes(b"x" * 100)
        (workspace.model(name) / "manifest.json").write_text(
            json.dumps({"train": "sample@v0001:train", "base": "minilm"})
        )
    command = [sys.executable, "-c", DELETER, str(workspace.root)]
    with subprocess.Popen(command, cwd=CHECKOUT) as deleter:
        while deleter.poll() is None and len(visible(workspace.models)) == len(names_of):
            pass
        deleter.kill()

    left = visible(workspace.models)
    assert len(left) < len(names_of), "it had begun"
    assert not left or workspace.dataset("sample").exists(), "what others rest on goes after them"
    for name in left:
        assert sorted(path.name for path in workspace.model(name).iterdir()) == ["manifest.json", "weights"]

    subprocess.run(command, cwd=CHECKOUT, check=True, timeout=120)
    assert visible(workspace.models) == [] and leftovers(workspace) == []
    assert [version.name for version in data.list_datasets(workspace)] == ["sample_easy", "sample_records"]


def test_sizes_are_those_of_the_files_and_add_up(own, walked):
    found = space_of(own)
    sized = {(item.kind, item.name): item for item in found.items}

    for job in list_jobs(own):
        assert sized["job", job.id].n_bytes == bytes_below(own.job(job.id))
        assert sized["job", job.id].title == job.title
    assert sized["model", "walk-lora"].n_bytes == bytes_below(own.model("walk-lora"))
    assert sized["dataset", "small@v0001"].n_bytes == bytes_below(own.dataset("small"))
    assert sized["cache", "embeddings"].n_bytes == bytes_below(own.cache / "embeddings")
    assert found.n_bytes == sum(item.n_bytes for item in found.items)
    assert [item.n_bytes for item in found.items] == sorted((item.n_bytes for item in found.items), reverse=True)
    assert found.n_free == pytest.approx(shutil.disk_usage(own.root).free, rel=0.2)


@pytest.mark.parametrize(
    ("n_bytes", "words"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1.0 KB"),
        (614_400, "614 KB"),
        (1.25e6, "1.2 MB"),
        (1.2e12, "1,200 GB"),
    ],
)
def test_a_size_is_worded_in_the_unit_that_fits(n_bytes, words):
    assert size_words(n_bytes) == words


def test_the_command_shows_the_plan_and_deletes_only_when_it_is_told_to(own, walked):
    mine = type(walked)(own, {})
    refused = mine.run("delete", "model", "walk-head", "--with-dependents", fails=True)
    assert "Say --yes" in refused["error"]["message"]
    refused = mine.run("delete", "model", "walk-head", "--yes", fails=True)
    assert "rest on; nothing was deleted" in refused["error"]["message"]

    done = mine.run("delete", "model", "walk-head", "--with-dependents", "--yes")["result"]

    jobs = job_ids(walked)
    assert {each["name"] for each in done["plan"]["dependents"]} == {jobs["head"], jobs["evaluate"]}
    assert not own.model("walk-head").exists()
    sizes = mine.run("size")["result"]
    assert "walk-head" not in json.dumps(sizes["items"])
    assert sizes["n_bytes"] == sum(each["n_bytes"] for each in sizes["items"])


def test_the_cache_is_shown_and_cleaned_by_command(own, walked):
    mine = type(walked)(own, {})
    parts = {part["name"]: part["n_bytes"] for part in mine.run("cache", "show")["result"]["groups"]}
    assert set(parts) >= {"embeddings", "scores"}
    assert sum(parts.values()) == bytes_below(own.cache)
    for path in filter(Path.is_file, own.cache.rglob("*")):
        os.utime(path, (1, 1))

    done = mine.run("cache", "clean", "--limit", "0")["result"]

    assert (done["n_bytes"], done["n_bytes_left"], done["limit_bytes"]) == (sum(parts.values()), 0, 0)
    assert read_job(own, job_ids(walked)["evaluate"]).state == "done"
