"""Every page, opened through app.py: on an empty workspace, and on one in which the whole path was walked."""

import pytest

from tests.pages.screen import alts, steps, words
from ui.menu import PAGES

NAMES = [entry.stem for entry in PAGES]
NEEDS_NOTHING = {"settings"}
NEEDS_PAIRS = {"difficulty", "training", "evaluation"}
COUNTED = {"curriculum.records": "tickets"}  # the records whose candidates the walk has counted

# What a page of the walked workspace rests on: encoder, split and number of texts or pairs.
CONTEXT = {
    "overview": ["minilm", "walk-head", "small@v0001:test"],
    "data": ["pairs"],
    "difficulty": ["minilm", "small@v0001:train", "small@v0001:test", "793 unique texts"],
    "curriculum": ["tfidf", "79,800 pairs of 400 records"],
    "training": ["walk-lora", "small@v0001:train"],
    "adapters": ["36 of 36 adapted layers changed"],
    "jobs": ["jobs, newest first"],
    "settings": ["data/settings.yaml", "SIMTUNE_WORKSPACE"],
    "evaluation": ["minilm", "walk-head", "walk-lora", "160 pairs of 249 records in small@v0001:test"],
}


@pytest.mark.parametrize("page", NAMES)
def test_a_page_of_an_empty_workspace_has_one_title_and_something_to_do_next(open_app, page):
    app = open_app(page)

    assert not app.exception
    assert [title.value.lower() for title in app.title] == [page]
    assert steps(app) or page in NEEDS_NOTHING
    assert not app.error


@pytest.mark.parametrize("page", [name for name in NAMES if name not in NEEDS_NOTHING])
def test_a_page_of_an_empty_workspace_says_what_is_missing(open_app, page):
    said = " ".join(info.value for info in open_app(page).info)

    if page in NEEDS_PAIRS:
        assert said == "This workspace holds no pair set yet: load the bundled sample, or import a file."
    else:
        assert said.startswith(("This workspace ", "No model was tuned in this workspace yet"))


@pytest.mark.parametrize("page", NAMES)
def test_a_page_of_the_walked_workspace_renders_whole(open_app, walked, page):
    app = open_app(page, on=walked.workspace, query=COUNTED)

    assert not app.exception
    assert [title.value.lower() for title in app.title] == [page]
    assert not app.error
    shown = alts(app)
    assert (shown or page in NEEDS_NOTHING) and all(len(alt) > 10 for alt in shown), shown


@pytest.mark.parametrize("page", NAMES)
def test_a_page_of_the_walked_workspace_says_what_its_numbers_rest_on(open_app, walked, page):
    said = words(open_app(page, on=walked.workspace, query=COUNTED))

    assert [part for part in CONTEXT[page] if part not in said] == []


def test_the_sample_is_loaded_by_one_press(open_app, workspace):
    app = open_app("difficulty")
    app.button(key="frame.sample").click().run()

    assert not app.exception
    assert {folder.name for folder in workspace.datasets.iterdir()} >= {"sample", "sample_easy", "sample_records"}
    assert [button.label for button in app.main.button] == ["Measure", "Draw the map"]


def test_a_choice_survives_a_visit_to_another_page(open_app, walked):
    app = open_app("difficulty", on=walked.workspace)
    app.selectbox(key="difficulty.set").set_value("small:dev").run()
    app.switch_page("pages/data.py").run()
    app.switch_page("pages/difficulty.py").run()

    assert app.selectbox(key="difficulty.set").value == "small:dev"
