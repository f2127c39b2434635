"""Weak labels are marked on every page that shows numbers of a set; others are not."""

import pytest

from simtune_core.datasets import save_pairs
from tests.workflows.frames import pairs_frame

WORDS = "positive = same *category*"
MARK = ":orange-badge[:material/rule: weak labels]"


def marks(app):
    return [line.value for line in app.markdown if MARK in line.value]


@pytest.fixture
def two_sets(workspace):
    for name, labels in (("ruled", {"weak": True, "words": WORDS}), ("people", {"weak": False, "words": "two people"})):
        save_pairs(workspace, name, pairs_frame(20), provenance={"made_by": "import", "labels": labels})
    return workspace


@pytest.mark.parametrize("page", ["difficulty", "evaluation", "training"])
def test_a_set_with_weak_labels_is_marked_beside_its_choice(two_sets, open_app, page):
    app = open_app(page)
    for select in app.selectbox:
        if select.key in ("difficulty.set", "evaluation.set", "training.train"):
            select.set_value("ruled")
        elif select.key in ("difficulty.against", "evaluation.dev", "training.dev"):
            select.set_value("people")
    app.run()

    assert not app.exception
    assert [mark.replace("\\", "") for mark in marks(app)] == [
        f"{MARK} :small[ruled@v0001: {WORDS}; made by a rule, by no person]"
    ]
    assert "\\*category\\*" in marks(app)[0], "text of a user is shown as it is"


@pytest.mark.parametrize(("name", "marked"), [("ruled", True), ("people", False)])
def test_the_data_page_says_of_each_set_where_its_labels_come_from(two_sets, open_app, name, marked):
    app = open_app("data")
    app.session_state["data.next"] = name
    app.run()

    assert bool(marks(app)) == marked
    assert any("two people" in caption.value for caption in app.caption) != marked
    table = app.dataframe[0].value
    assert dict(zip(table["dataset"], table["labels"], strict=True)) == {"ruled": "weak", "people": ""}
