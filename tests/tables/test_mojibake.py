"""Tests of mojibake: found where a text was decoded wrongly, silent where it was not, mended exactly."""

import pandas as pd
import pytest
from ftfy.badness import is_bad
from hypothesis import given, settings
from hypothesis import strategies as st

from simtune_core.tables.mojibake import find_mojibake, repair_mojibake

WHOLE = [
    "café",
    "naïve façade",
    "Grüße aus Köln",
    "Привет",
    "日本語",
    "a\u00a0b “quoted” \u2013 5 €",
    "SÃO PAULO",
    "plain",
    "ÂNGELO",
]


def broken(text, wrong="cp1252"):
    return text.encode("utf-8").decode(wrong)


@pytest.mark.parametrize("text", ["café", "naïve façade", "Grüße aus Köln", "“quoted” \u2013 5 €", "crème brûlée"])
@pytest.mark.parametrize("wrong", ["cp1252", "latin-1"])
def test_a_text_decoded_wrongly_is_found_and_mended(text, wrong):
    if wrong == "latin-1" or text != "“quoted” \u2013 5 €":  # a byte of it is no character in cp1252
        assert find_mojibake(pd.Series([text, broken(text, wrong)])).tolist() == [1]
        assert repair_mojibake(broken(text, wrong)) == text


def test_only_the_rows_decoded_wrongly_are_found_among_many():
    values = pd.Series([*WHOLE, None, broken("café"), "plain", broken("Müller"), broken("café")], dtype="str")
    assert find_mojibake(values).tolist() == [len(WHOLE) + 1, len(WHOLE) + 3, len(WHOLE) + 4]
    assert find_mojibake(pd.Series(WHOLE)).tolist() == []
    assert find_mojibake(pd.Series([], dtype="str")).tolist() == []


@settings(deadline=None)
@given(
    st.text(st.sampled_from("aeiou xyz\u00e0\u00e9\u00fc\u00df\u20ac\u201c\u4e2d\u0416"), max_size=12),
    st.sampled_from(["cp1252", "latin-1", "cp1251", "cp437", "mac_roman"]),
    st.booleans(),
)
def test_what_ftfy_would_mend_is_found(text, wrong, spaced):
    seen = text.encode("utf-8").decode(wrong, "replace")
    seen = seen.replace("\u00a0", " ") if spaced else seen
    expected = [0] if is_bad(seen) and repair_mojibake(seen) != seen else []
    assert find_mojibake(pd.Series([seen])).tolist() == expected


@settings(deadline=None)
@given(st.text(st.characters(max_codepoint=126, exclude_categories=["Cs"])))
def test_what_is_ascii_is_never_changed(text):
    assert repair_mojibake(text) == text
