"""Tests of languages: what a sample holds that an encoder does not speak, without noise from short texts."""

from pathlib import Path

import pandas as pd
import pytest

from simtune_core.languages import languages_of, notice_languages

ENGLISH = [
    f"The printer on floor {floor} does not work since this morning, please send somebody" for floor in range(60)
]
GERMAN = [f"Der Drucker im Stock {floor} funktioniert seit heute Morgen nicht mehr" for floor in range(30)]
FRENCH = [f"Je ne peux plus me connecter au réseau du bâtiment {floor} depuis hier soir" for floor in range(10)]
SHORT = ["VPN", "outlook", "SAP ERR 0x80070005", "reset"] * 10


def test_the_shares_of_languages_that_the_encoder_does_not_speak_are_told():
    notice = notice_languages(pd.Series(ENGLISH + GERMAN + FRENCH), spoken=["en"])
    assert notice.counts == (("en", 60), ("de", 30), ("fr", 10))
    assert notice.unspoken == pytest.approx({"de": 0.3, "fr": 0.1})
    assert notice.sentence == (
        "30.0% German, 10.0% French of the 100 texts whose language is clear (100 looked at); the encoder speaks "
        "English, and cosines of other languages mean little."
    )


def test_nothing_is_noticed_where_the_encoder_speaks_all_of_them():
    assert notice_languages(pd.Series(ENGLISH + GERMAN), spoken=["en", "de"]) is None
    assert notice_languages(pd.Series(ENGLISH), spoken=["en"]) is None
    assert notice_languages(pd.Series(ENGLISH), spoken=None) is None
    assert notice_languages(pd.Series([None, ""], dtype="str"), spoken=["en"]) is None


def test_short_texts_are_unsure_and_one_text_is_no_language():
    notice = notice_languages(pd.Series(ENGLISH + SHORT + GERMAN + FRENCH[:1]), spoken=["en"])
    assert (notice.counts, notice.n_texts, notice.n_unsure) == ((("en", 60), ("de", 30)), 131, 41)


def test_an_encoder_that_does_not_say_what_it_speaks_gets_the_languages_beside_the_most_frequent():
    notice = notice_languages(pd.Series(ENGLISH + FRENCH), spoken=None)
    assert set(notice.unspoken) == {"fr"}
    assert notice.sentence.startswith("Besides English, 14.3% French of the 70 texts")


def test_a_sample_is_seeded():
    texts = pd.Series(ENGLISH + GERMAN)
    first, second = (notice_languages(texts, spoken=["en"], sample=40, seed=7) for _ in range(2))
    assert first == second
    assert first.n_texts == 40


@pytest.mark.parametrize(
    ("card", "expected"),
    [
        ("---\nlanguage: en\n---\n# x", ("en",)),
        ("---\nlanguage:\n- en\n- de-AT\n- German\n- no\n---\n", ("en", "de", "no")),
        ("---\r\nlanguage: multilingual\r\n---\r\n", None), ("---\nlanguage: [multilingual, fr]\n---\n", ("fr",)),
        ("---\nlicence: x\n---\n", None), ("# no front matter\nlanguage: en\n", None), ("---\n: [\n---\n", None),
    ],
)  # fmt: skip
def test_the_languages_of_a_model_are_read_from_its_card(tmp_path, card, expected):
    (tmp_path / "README.md").write_text(card, encoding="utf-8")
    assert languages_of(tmp_path) == expected


def test_the_bundled_encoder_speaks_english_and_a_folder_without_a_card_says_nothing(minilm, tmp_path):
    assert languages_of(Path(minilm.folder)) == ("en",)
    assert languages_of(tmp_path) is None


def test_the_romanian_of_real_tickets_is_noticed_without_noise(real_data):
    texts = pd.read_parquet(real_data("itsm10k_records"), columns=["text"])["text"]
    notice = notice_languages(texts, spoken=["en"], sample=2000)
    assert set(notice.unspoken) == {"ro"}
    assert 0.004 < notice.unspoken["ro"] < 0.03
