"""Texts side by side: what is marked is what both hold, and nothing of a text is lost or changed."""

from hypothesis import given
from hypothesis import strategies as st

from ui.marked_texts import marked_parts, shared_words


def test_words_of_both_texts_are_marked_whatever_their_case():
    shared = shared_words("Printer down, PRINTER!", "my printer\nis slow")
    assert shared == {"printer"}
    assert marked_parts("Printer down, PRINTER!", shared) == [
        ("Printer", True), (" down, ", False), ("PRINTER", True), ("!", False),
    ]  # fmt: skip
    assert marked_parts("", shared) == []


@given(st.text(), st.text())
def test_the_parts_joined_are_the_text(first, second):
    shared = shared_words(first, second)
    for text in (first, second):
        parts = marked_parts(text, shared)
        assert "".join(part for part, _ in parts) == text
        assert {part.casefold() for part, marked in parts if marked} == shared
