"""Texts side by side: what is marked is what both hold, and nothing of a text is lost or changed."""

from hypothesis import given
from hypothesis import strategies as st

from ui.marked_texts import changed_parts, marked_parts, shared_words


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


def test_what_was_changed_from_one_text_to_the_other_is_marked_in_both():
    assert changed_parts("the mail server is down", "the server is is down") == (
        [("the", False), (" mail", True), (" server is ", False), ("down", False)],
        [("the", False), (" server is ", False), ("is ", True), ("down", False)],
    )
    assert changed_parts("same", "same") == ([("same", False)], [("same", False)])


@given(st.text(), st.text())
def test_the_parts_of_a_text_and_its_copy_joined_are_both(before, after):
    joined = tuple("".join(part for part, _ in parts) for parts in changed_parts(before, after))
    assert joined == (before, after)
    assert any(marked for parts in changed_parts(before, after) for _, marked in parts) == (before != after)
