"""The data page: one dataset described, its rows found, paged, read whole, its versions traced; text stays text."""

import json

import numpy as np
import pandas as pd
import pytest

from simtune_core.datasets import save_pairs, save_records
from simtune_core.pairs import with_pair_columns
from simtune_core.records import with_record_columns
from simtune_core.workflows.describing import describe_request, description_of
from simtune_core.workflows.running import run_to_end
from simtune_core.workspace import open_workspace
from tests.pages.screen import alts, table, words
from tests.pages.uploading import save_button, saved, uploaded

LONG = "the printer on floor two " * 120  # more than 256 tokens


def some_pairs():
    """Return 230 pairs: a text that stands in two splits, one that is too long, one pair said twice."""
    numbers = range(228)
    frame = pd.DataFrame(
        {
            "sentence1": [
                f"case {number}: {name}" for number, name in zip(numbers, np.resize(TOPICS, 228), strict=True)
            ],
            "sentence2": [
                f"{name}, as in {number}" for number, name in zip(numbers, np.resize(TOPICS[1:], 228), strict=True)
            ],
            "label": [float(number % 2) for number in numbers],
            "category1": ["hardware" if number < 200 else "network" for number in numbers],
            "category2": "hardware",
            "split": ["test" if number % 4 == 3 else "train" for number in numbers],
        }
    )
    planted = frame.iloc[[0, 1]].assign(
        sentence1=[LONG, frame["sentence1"][4]], sentence2=["vpn", frame["sentence2"][4]], split=["train", "test"]
    )
    return with_pair_columns(pd.concat([frame, planted], ignore_index=True))


TOPICS = ["the printer prints nothing", "VPN is slow today", "mail comes back", "my password is too old", "no sound"]


@pytest.fixture(scope="module")
def described(tmp_path_factory):
    """Return a workspace with a described pair set of two versions and a record set made from it."""
    workspace = open_workspace(tmp_path_factory.mktemp("data") / "workspace")
    save_records(
        workspace,
        "tickets",
        with_record_columns(pd.DataFrame({"id": list("abc"), "text": TOPICS[:3], "category": ["it", "it", None]})),
        provenance={"made_by": "import", "source": "tickets.csv"},
    )
    first = some_pairs()
    made = {"made_by": "import", "source": "mine.csv"}
    save_pairs(workspace, "mine", first.head(5), provenance=made)
    save_pairs(
        workspace,
        "mine",
        first,
        provenance=made | {"made_by": "split", "source": "mine@v0001", "seed": 7},
        new_version=True,
    )
    status, result = run_to_end(workspace, describe_request(workspace, "mine", "minilm"))
    return workspace, status, result


@pytest.fixture
def mine(open_app, described):
    return open_app("data", on=described[0], query={"data.set": "mine"})


def cards(app):
    return {metric.label: metric.value for metric in app.main.metric}


def test_the_search_is_literal_and_ignores_case(open_app, workspace):
    app = uploaded(open_app("data"), b"id,text\n1,a.c printer\n2,abc printer\n3,(broken [regex\n4,A.C scanner\n")
    saved(app)

    app.text_input(key="data.search").set_value("a.c").run()
    assert table(app, "Rows of mine")["id"].tolist() == ["1", "4"]
    assert "2 records contain the words searched for" in words(app)
    app.text_input(key="data.search").set_value("(broken [").run()
    assert table(app, "Rows of mine")["id"].tolist() == ["3"]
    app.text_input(key="data.search").set_value("nowhere").run()
    assert "0 records contain the words searched for" in words(app)


def test_rows_come_a_hundred_at_a_time_and_a_new_filter_begins_at_the_first(mine):
    assert table(mine, "page 1 of 3")["row"].tolist() == list(range(1, 101))
    mine.pagination[0].set_value(3).run()
    assert table(mine, "page 3 of 3")["row"].tolist() == list(range(201, 231))

    mine.text_input(key="data.search").set_value("case 1").run()
    assert table(mine, "Rows of mine, page 1 of 2")["row"].tolist()[0] == 2


def test_a_split_named_in_the_address_is_browsed_and_its_set_described(open_app, described):
    app = open_app("data", on=described[0], query={"data.set": "mine:test"})

    assert table(app, "Rows of mine:test")["split"].unique().tolist() == ["test"]
    assert cards(app)["Pairs"] == "230"
    assert [header.value for header in app.main.header] == ["mine", "Rows"]


def test_a_click_on_a_row_of_the_table_chooses_the_dataset(mine):
    names = table(mine, "datasets with")["dataset"].tolist()
    assert (sorted(names), mine.selectbox(key="data.set").value) == (["mine", "tickets"], "mine")

    mine.session_state["data.set"] = "tickets"  # what the click's callback does
    mine.run()
    assert table(mine, "Rows of tickets")["text"].tolist() == TOPICS[:3]
    assert mine.session_state["data.table"]["selection"]["rows"] == [names.index("tickets")]


def test_what_was_not_counted_says_so_and_its_filters_wait(open_app, described):
    app = open_app("data", on=described[0], query={"data.set": "tickets"})

    shown = cards(app)
    assert (shown["Records"], shown["Categories"], shown["Splits"]) == ("3", "1", "none")
    assert shown["Truncated"] == shown["Repeated"] == "not counted"
    assert [toggle.disabled for toggle in app.main.toggle if toggle.label.startswith("Only")] == [True, True]
    assert "Describe" in words(app)


def test_a_description_shows_the_numbers_of_the_core_with_split_and_n(mine, described):
    found = description_of(described[2])
    shown = cards(mine)
    assert float(shown["Truncated"]) == pytest.approx(1 / 230)
    assert float(shown["Repeated"]) == pytest.approx((found.repeats.n_exact + found.repeats.n_near) / 230)
    deltas = {metric.label: metric.delta for metric in mine.main.metric}
    assert deltas["Truncated"] == "1 of 230 rows"

    said = words(mine)
    assert "mine@v0002 · train 172, test 58 · made from mine@v0001 by split (seed 7)" in said
    assert f"{found.n_unique_texts:,} different texts in 230 pairs" in said
    assert "minilm reads 256 of them" in said
    for finding in described[2]["findings"]:
        assert finding["message"] in said
    assert {"leaked_texts", "empty_class"} <= {finding["code"] for finding in described[2]["findings"]}
    assert any("Similar and dissimilar pairs: train 57 of 172 similar" in alt for alt in alts(mine))


def test_rows_that_were_counted_can_be_looked_at(mine):
    (truncated,) = [toggle for toggle in mine.main.toggle if toggle.label == "Only truncated rows"]
    truncated.set_value(True).run()
    assert table(mine, "Rows of mine")["row"].tolist() == [229]
    assert "1 of 230 pairs pass the filters" in words(mine)
    assert table(mine, "Rows of mine")["sentence1"][0].endswith("…")  # whole in the reader, not in the table


def test_filters_and_sort_are_those_of_the_rows(mine):
    chosen = {pills.label: pills for pills in mine.main.get("button_group")}
    chosen["Split"].set_value(["train"])
    chosen["Label"].set_value(["dissimilar"]).run()
    expected = some_pairs().query("split == 'train' and label == 0")
    assert table(mine, "Rows of mine")["row"].tolist() == [number + 1 for number in expected.index[:100]]

    (sort,) = [box for box in mine.main.selectbox if box.label == "Sort by"]
    sort.set_value("sentence2").run()
    in_order = expected.sort_values("sentence2", kind="stable")
    assert table(mine, "Rows of mine")["row"].tolist() == [number + 1 for number in in_order.index[:100]]


def test_a_chosen_row_is_read_whole_with_the_shared_words_marked(mine):
    mine.text_input(key="data.search").set_value("floor two").run()
    (rows,) = [element for element in mine.dataframe if "Rows of mine" in element.proto.alt]
    mine.session_state[rows.key] = {"selection": {"rows": [0], "columns": [], "cells": []}}
    mine.run()

    (reader,) = [each.proto for each in mine.main.get("bidi_component") if "marked_texts" in each.proto.component_name]
    panes = json.loads(reader.json)["panes"]
    assert ["".join(text for text, _ in pane["parts"]) for pane in panes] == [LONG, "vpn"]
    assert "Row 229 · label 0 · category1 hardware · category2 hardware · split train" in words(mine)
    assert "0 words stand in both and are marked." in words(mine)


def test_versions_tell_what_they_were_made_from_and_what_rests_on_them(open_app, described):
    app = open_app("data", on=described[0], query={"data.set": "mine@v0001"}, state={"data.versions": True})

    versions = table(app, "versions of mine")
    assert versions["version"].tolist() == ["mine@v0002", "mine@v0001"]
    assert versions["how"].tolist() == ["made from mine@v0001 by split (seed 7)", "imported from mine.csv"]
    uses = table(app, "rest on mine@v0001")
    assert uses[["kind", "what", "why"]].to_numpy().tolist() == [["dataset", "mine@v0002", "was made from mine@v0001"]]
    assert versions["used by"].tolist() == [1, 1]  # the description reads the second


def test_an_older_version_is_shown_and_marked_in_both_tables(open_app, described):
    app = open_app("data", on=described[0], query={"data.set": "mine@v0001"}, state={"data.versions": True})
    names = table(app, "datasets with")["dataset"].tolist()

    assert cards(app)["Pairs"] == "5"
    assert app.session_state["data.version_table"]["selection"]["rows"] == [1]
    assert app.session_state["data.table"]["selection"]["rows"] == [names.index("mine")]


def test_three_rows_of_one_class_are_described_without_a_fault(open_app, workspace):
    frame = pd.DataFrame({"sentence1": list("abc"), "sentence2": list("bcd"), "label": [1.0, 1.0, 1.0]})
    save_pairs(workspace, "tiny", with_pair_columns(frame), provenance={})
    run_to_end(workspace, describe_request(workspace, "tiny", "tfidf"))
    app = open_app("data", query={"data.set": "tiny", "data.encoder": "tfidf"})

    assert not app.exception
    assert "All 3 labelled pairs are similar: ROC-AUC, separability and thresholds are not defined there." in words(app)
    assert cards(app)["Truncated"] == "nothing"
    assert "The set has 3 rows" in words(app)


def test_a_hostile_dataset_is_shown_as_it_is(open_app):
    evil = "![x](http://evil/x.png)"
    content = f'id,text,category\n1,"{evil} <script>alert(1)</script>",{evil}\n2,"=HYPERLINK(""http://evil"")",{evil}\n'
    app = uploaded(open_app("data"), content.encode())
    save_button(app).click().run()

    rows = table(app, "Rows of mine")
    assert rows["text"].tolist() == [f"{evil} <script>alert(1)</script>", '=HYPERLINK("http://evil")']
    assert isinstance(rows, pd.DataFrame)
    markdown = [str(element.value) for kind in ("markdown", "caption", "info", "toast") for element in app.get(kind)]
    assert [text for text in markdown if "](http" in text] == []


def test_hostile_names_of_splits_and_categories_are_literal_on_every_widget(open_app, workspace):
    evil, split = "![x](http://evil/x.png)", "![x](//evil/y.png)"
    frame = pd.DataFrame({"id": list("ab"), "text": [evil, "=1+1"], "category": [evil, "b"], "split": [split, "test"]})
    save_records(workspace, "mine", with_record_columns(frame), provenance={"made_by": evil, "source": evil})
    run_to_end(workspace, describe_request(workspace, "mine", "tfidf"))
    app = open_app("data", query={"data.encoder": "tfidf"}, state={"data.versions": True, "data.numbers": True})

    assert not app.exception
    assert evil in table(app, "categories by split")["category"].tolist()
    kinds = ("markdown", "caption", "info", "warning", "header")
    read_as_markdown = [str(element.value) for kind in kinds for element in app.get(kind)]
    read_as_markdown += [option.content for pills in app.main.get("button_group") for option in pills.proto.options]
    assert any("evil" in text for text in read_as_markdown)
    assert [text for text in read_as_markdown if "![" in text or "](" in text] == []
