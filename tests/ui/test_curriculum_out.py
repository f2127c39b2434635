"""The way out of a pair set: rows as a loss takes them, what is left out, the recipe, and the way to a training."""

import pandas as pd
import pytest

from simtune_core.datasets import save_pairs, save_records
from simtune_core.workflows.recipes import recipe_text
from simtune_core.workspace import VARIABLE
from tests.pages.screen import alts, words

HOSTILE = "![x](http://evil/x.png) <b>"
MINED = [("a", "p", 1), ("a", HOSTILE, 0), ("a", "n2", 0), ("b", "q", 1), ("b", "m", 0), ("c", "r", 1)]


def out_page():
    import streamlit as st

    from ui.curriculum_out import out_panel

    out_panel(st.session_state["ref"])


@pytest.fixture
def shown(workspace, monkeypatch):
    """Return a function that draws the panel of a set that was mined from records."""
    from streamlit.testing.v1 import AppTest

    save_records(workspace, "tickets", pd.DataFrame({"id": ["1"], "text": ["vpn"]}), provenance={"made_by": "import"})
    step = {"do": "mine", "records": "tickets@v0001", "encoder": "tfidf"}
    frame = pd.DataFrame(MINED, columns=["sentence1", "sentence2", "label"]).assign(split="train", phase="hard")
    details = pd.DataFrame({"similarity": [0.9, 0.5, 0.4, 0.8, 0.3, 0.7]})
    save_pairs(workspace, "mined", frame, provenance={"made_by": "mine", "step": step}, details=details)
    save_pairs(workspace, "plain", frame, provenance={"made_by": "import"})
    monkeypatch.setenv(VARIABLE, str(workspace.root))

    def drawn(ref):
        page = AppTest.from_function(out_page, default_timeout=60)
        page.session_state["ref"] = ref
        return page.run()

    return drawn


def rows_of(page, kind):
    page.segmented_control(key="curriculum.out_format").set_value(kind).run()
    assert not page.exception
    return page.dataframe[0].value if len(page.dataframe) else None


def test_every_format_is_previewed_with_what_is_left_out_and_the_losses_it_is_for(shown):
    page = shown("mined")

    assert "6 rows of 6 pairs, 3 of them similar; the first 5" in words(page).replace("**", "")
    assert page.dataframe[0].value["label"].tolist() == [1, 0, 0, 1, 0]
    assert "CosineSimilarityLoss, CoSENTLoss, AnglELoss, ContrastiveLoss, OnlineContrastiveLoss" in words(page)
    assert rows_of(page, "triplets")[["anchor", "positive", "negative"]].to_numpy().tolist() == [
        ["a", "p", HOSTILE], ["a", "p", "n2"], ["b", "q", "m"],
    ]  # fmt: skip
    assert "- **1** · Positives that share no record with a negative" in words(page)
    assert "TripletLoss" in words(page)
    assert all(alts(page))
    page.number_input(key="curriculum.FormatConfig.num_negatives").set_value(2)
    assert rows_of(page, "tuples").columns.tolist() == [
        "anchor", "positive", "negative_1", "negative_2", "phase", "split",
    ]  # fmt: skip
    assert rows_of(page, "scored")["score"].tolist() == [1.0, 0.0, 0.0, 1.0, 0.0]
    page.segmented_control(key="curriculum.FormatConfig.score").set_value("similarity").run()
    assert page.dataframe[0].value["score"].tolist() == [0.9, 0.5, 0.4, 0.8, 0.3]
    assert rows_of(page, "positives")["positive"].tolist() == ["p", "q", "r"]


def test_a_text_of_the_data_stays_text(shown):
    page = shown("mined")
    rows_of(page, "triplets")

    assert "evil" not in words(page)


def test_where_no_row_can_be_made_a_sentence_says_why_and_the_rest_stands(shown):
    page = shown("mined")
    page.segmented_control(key="curriculum.out_format").set_value("tuples").run()

    assert page.error[0].value == "These rows cannot be made of this set."
    assert "mined@v0001:train" not in page.code[0].value
    assert "mined@v0001 gives no tuples. 3: Negatives that are in none of the tuples" in page.code[0].value
    assert "Use in training" in words(page)


def test_the_recipe_can_be_taken_and_an_imported_set_has_none(shown, workspace):
    page = shown("mined:train")
    assert not page.exception
    assert [button.proto.label for button in page.get("download_button")][-1] == "Recipe (YAML)"
    assert recipe_text(workspace, "mined").startswith("# How mined@v0001 was made: mine.")

    page = shown("plain")
    assert page.error[0].value == "This set cannot be made again from a recipe."
    assert "plain@v0001 was not made by a step of this workbench (made by: import)" in page.code[0].value


def test_a_training_begins_with_this_set_while_it_is_the_newest_version(shown, workspace):
    page = shown("mined:train")
    page.button(key="curriculum.out_train").click().run()
    assert page.session_state["training.train"] == "mined:train"

    assert "A training takes the newest version of a set; this is an older one." in words(shown("mined@v0001"))
