"""The options of an import: guessed, refused, and the same again from YAML and JSON."""

import pytest

from simtune_core.errors import ConfigError, DataFaultError
from simtune_core.importing.options import (
    ImportOptions,
    guess_columns,
    guess_kind,
    guessed_options,
    parse_columns,
    parse_labels,
    parse_range,
)


def test_guesses_the_columns_of_foreign_pair_files():
    assert guess_columns(["qid1", "qid2", "question1", "question2", "is_duplicate"], "pairs") == {
        "sentence1": ("question1",), "sentence2": ("question2",), "label": ("is_duplicate",), "id1": ("qid1",),
        "id2": ("qid2",),
    }  # fmt: skip
    assert guess_kind(["number", "short_description", "category"]) == "records"


@pytest.mark.parametrize(
    ("columns", "texts"),
    [
        (["text1", "text2", "label"], ("text1", "text2")),
        (["Text_A", "Text_B", "id_a", "id_b", "label"], ("Text_A", "Text_B")),
        (["sentence_A", "sentence_B", "relatedness_score"], ("sentence_A", "sentence_B")),
        (["anchor", "positive", "negative"], ("anchor", "positive")),
    ],
)
def test_the_columns_of_the_usual_pair_files_are_guessed(columns, texts):
    guessed = guess_columns(columns, "pairs")

    assert guess_kind(columns) == "pairs"
    assert (*guessed["sentence1"], *guessed["sentence2"]) == texts
    assert {"label", "score", "negative"} & set(guessed)


def test_a_short_description_is_joined_before_the_description_and_no_column_plays_two_roles():
    guessed = guess_columns(["number", "short_description", "description", "opened_at"], "records")

    assert guessed == {"id": ("number",), "text": ("short_description", "description"), "time": ("opened_at",)}
    assert guess_columns(["text", "short_description"], "records") == {"text": ("text",)}


def test_an_empty_choice_takes_a_guess_away_and_a_label_does_not_stand_beside_negatives():
    assert "category" not in guessed_options(["text", "label"], "records", columns={"category": ()}).columns
    assert "negative" not in guessed_options(["anchor", "positive", "negative", "label"]).columns


def test_options_come_back_from_yaml_and_json_as_they_were():
    options = ImportOptions(
        kind="pairs", columns={"sentence1": ["a", "b"], "sentence2": "c", "label": "d"}, labels={"yes": 1, "no": 0},
        score_range=(0, 5), mask=["email"], on_duplicate_id="keep_first", reading={"delimiter": "tab"},
    )  # fmt: skip

    assert ImportOptions.from_text(options.model_dump_json()) == options
    assert options.columns["sentence2"] == ("c",)
    written = "kind: pairs\ncolumns: {sentence1: [a, b], sentence2: c, label: d}\nlabels: {yes: 1, 2: 0}\n"
    assert ImportOptions.from_text(written).labels == {"True": 1, "2": 0}


@pytest.mark.parametrize(
    ("choices", "sentence"),
    [
        ({"columns": {"sentence1": "a"}}, "must play one of the roles id, text"),
        ({"columns": {"id": ["a", "b"]}}, "The role id must name one column, got 2"),
        ({"columns": {"text": []}}, "The role text must name one column or more, got 0"),
        ({"score_range": (5, 0)}, "lowest and then the highest"),
        ({"labels": {"yes": 2}}, "labels.yes"),
        ({"mask": ["names"]}, "mask.0"),
        ({"drop": True}, "drop is not a setting here"),
    ],
)
def test_options_that_cannot_be_are_a_sentence(choices, sentence):
    with pytest.raises(ConfigError, match=sentence):
        ImportOptions(**choices)


def test_columns_are_parsed_from_the_command_line():
    told = parse_columns("sentence1=a+b, label=b,score=", "pairs")
    assert told == {"sentence1": ("a", "b"), "label": ("b",), "score": ()}
    assert parse_columns("text=a+b", "records", ["a+b"]) == {"text": ("a+b",)}
    with pytest.raises(DataFaultError, match="role=column"):
        parse_columns("nonsense", "records")


def test_labels_and_scales_are_parsed_from_the_command_line():
    assert parse_labels("yes=1, no=0,a=b=1") == {"yes": 1, "no": 0, "a=b": 1}
    assert parse_range("0:5") == (0.0, 5.0)
    for wrong in ("yes", "yes=2", "=", "maybe="):
        with pytest.raises(ConfigError, match="value=0 or value=1"):
            parse_labels(wrong)
    with pytest.raises(ConfigError, match="LOW:HIGH"):
        parse_range("5")


def test_blanks_and_hyphens_in_a_name_are_what_underscores_are():
    assert guess_columns(["Sentence A", "sentence-b", "Similarity Score", "pair"], "pairs") == {
        "sentence1": ("Sentence A",), "sentence2": ("sentence-b",), "score": ("Similarity Score",),
    }  # fmt: skip
    assert guess_columns(["Short Description", "Description", "Ticket ID"], "records") == {
        "id": ("Ticket ID",), "text": ("Short Description", "Description"),
    }  # fmt: skip
