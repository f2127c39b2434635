"""Languages that the encoder does not speak are told at import: found, silent, not applicable."""

import pandas as pd

from simtune_core.preparing.import_languages import language_findings

ENGLISH = ["The printer in room five is offline again", "I cannot log in to the mail system since this morning"] * 5
GERMAN = ["Der Drucker im dritten Stock druckt seit heute nicht", "Ich kann mich nicht am System anmelden"] * 5


def records(texts):
    return pd.DataFrame({"text": pd.Series(texts, dtype="str")})


def test_texts_that_the_encoder_does_not_speak_are_a_warning_that_names_both(workspace):
    (found,) = language_findings(workspace, records(ENGLISH + GERMAN), "minilm")
    assert (found["code"], found["severity"]) == ("language", "warning")
    assert "German" in found["message"] and "the encoder speaks English" in found["message"]


def test_both_texts_of_pairs_are_looked_at(workspace):
    pairs = pd.DataFrame({"sentence1": ENGLISH, "sentence2": GERMAN}, dtype="str")
    assert "German" in language_findings(workspace, pairs, "minilm")[0]["message"]


def test_texts_that_it_speaks_are_not_worth_a_word(workspace):
    assert language_findings(workspace, records(ENGLISH), "minilm") == []


def test_nothing_is_said_of_an_encoder_without_languages_or_without_texts(workspace):
    for encoder in (None, "tfidf", "no-such-encoder"):
        assert language_findings(workspace, records(GERMAN), encoder) == []
    assert language_findings(workspace, pd.DataFrame(), "minilm") == []
