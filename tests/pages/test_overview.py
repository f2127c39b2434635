"""The overview: the champion is the best sound model, and the next step follows from what is there."""

import shutil

from simtune_core.datasets import save_pairs
from simtune_core.jobs.launcher import list_jobs
from simtune_core.pairs import with_pair_columns
from simtune_core.store import rebuild
from simtune_core.store.access import ask
from tests.pages.screen import steps, table, words
from tests.workflows.frames import pairs_frame


def test_the_champion_is_the_best_tuned_model_of_the_newest_evaluation(open_app, walked):
    models = {model["encoder"]: model for model in walked.said["evaluate"]["result"]["models"]}
    best = max(("walk-head", "walk-lora"), key=lambda name: models[name]["test"]["roc_auc"])
    said = words(open_app(on=walked.workspace))

    assert f"**{best}**" in said
    for name in (best, "minilm"):
        assert f"### {models[name]['test']['roc_auc']:.4f}" in said
    change = models[best]["difference"]
    assert f"{change['estimate']:+.4f} points" in said
    assert f"interval {change['low']:+.4f} to {change['high']:+.4f}" in said
    assert models[best]["verdict"] in said
    assert "small@v0001:test" in said and "160" in said


def test_the_champion_is_not_a_model_whose_check_is_missing(open_app, own_walk):
    shutil.rmtree(own_walk.workspace.model("walk-head") / "checks")
    said = words(open_app(on=own_walk.workspace))

    assert "**walk-lora**" in said and "**walk-head**" not in said
    assert "Nothing shows yet that walk-head is what was trained." in said


def test_the_next_step_follows_the_path(open_app, own_walk, workspace):
    assert "Load the sample" in steps(open_app(on=workspace))
    save_pairs(workspace, "some", with_pair_columns(pairs_frame(12)), provenance={})
    assert "Measure how hard the pairs are" in steps(open_app(on=workspace))

    assert "Read the false positives" in steps(open_app(on=own_walk.workspace))
    forget(own_walk.workspace, "curriculum")
    assert "Cut a curriculum" in steps(open_app(on=own_walk.workspace))
    forget(own_walk.workspace, "evaluate")
    assert "Compare the models with the baseline" in steps(open_app(on=own_walk.workspace))
    shutil.rmtree(own_walk.workspace.models)
    own_walk.workspace.models.mkdir()
    broken = own_walk.said["difficulty"]["result"]["verdict"] == "FIX DATA"
    assert ("See what would fix the data" if broken else "Train a head") in steps(open_app(on=own_walk.workspace))
    forget(own_walk.workspace, "preflight")
    assert "Train a head" in steps(open_app(on=own_walk.workspace))


def test_every_job_is_listed_with_its_state(open_app, walked):
    shown = table(open_app(on=walked.workspace), "The newest")
    assert shown["job"].tolist() == [job.title for job in list_jobs(walked.workspace)]
    assert set(shown["state"]) == {"✓ done"}


def test_a_store_that_cannot_be_read_is_said_and_the_rest_is_shown(open_app, own_walk):
    ask(own_walk.workspace, lambda database: database.run("UPDATE meta SET value = '99' WHERE key = 'schema_version'"))
    app = open_app(on=own_walk.workspace)

    assert not app.exception
    assert [warning.value for warning in app.main.warning] == [
        "The results store cannot be read just now; everything else is shown from the files."
    ]
    assert "newer" in "".join(text.value for text in app.main.text)
    assert len(table(app, "tuned models")) == 2


def forget(workspace, kind):
    """Delete the jobs of a kind, as a user may, and bring the store up to date."""
    for job in list_jobs(workspace):
        if job.kind == kind:
            shutil.rmtree(job.folder)
    rebuild(workspace)
