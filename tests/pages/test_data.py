"""The data page: rows are found, paged and shown as they are."""

import pandas as pd

from simtune_core.datasets import load_pairs
from tests.pages.screen import table, words
from tests.pages.uploading import save_button, saved, uploaded


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


def test_rows_come_a_hundred_at_a_time(open_app, walked):
    app = open_app("data", on=walked.workspace, query={"data.set": "small:test"})
    expected = load_pairs(walked.workspace, "small:test").frame["sentence1"].tolist()

    assert table(app, "page 1 of 2")["sentence1"].tolist() == expected[:100]
    app.pagination[0].set_value(2).run()
    assert table(app, "page 2 of 2")["sentence1"].tolist() == expected[100:]


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
