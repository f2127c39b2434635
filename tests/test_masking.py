"""Tests of masking: what identifies is replaced and counted, what only looks like it stays."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simtune_core.masking import MASKS, mask_texts


def masked(text, kinds=MASKS):
    return mask_texts(pd.Series([text], dtype="str"), kinds).texts.iloc[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mail bob.smith+x@mail.example.com now", "mail [email] now"),
        ("see https://x.example.com/a?b=c. And www.example.org/bar, ok", "see [url]. And [url], ok"),
        ("ftp://bob@files.example.com/x", "[url]"),
        ("call +49 30 1234567 or (030) 123-4567", "call [phone] or [phone]"),
        ("0151 23456789, 555-123-4567, 01 02 03 04 05", "[phone], [phone], [phone]"),
        ("00493012345678 tel: 1234567", "[phone] tel: [phone]"),
        ("10.2.3.4 is down, 192.168.0.1:8080/24", "[ip] is down, [ip]:8080/24"),
        ("fe80::1ff:fe23:4567:890a and ::1 and ::ffff:10.0.0.1", "[ip] and [ip] and [ip]"),
        ("CORP\\jdoe cannot, nor @jdoe", "[user] cannot, nor [user]"),
        ("user: xyz", "user: [user]"),
        ("login=xyz failed; Username: jdoe cannot", "login=[user] failed; Username: [user] cannot"),
        ("user: jdoe3 is locked", "user: [user] is locked"),
        ("C:\\Users\\bob\\x.txt", "C:\\Users\\[user]\\x.txt"),
        ("in " + "/".join(("", "home", "bob", "x")), "in " + "/".join(("", "home", "[user]", "x"))),
    ],
)
def test_what_identifies_is_replaced_by_what_it_is(text, expected):
    assert masked(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "INC0012345", "ticket 0012345678", "KB5001234", "2024-01-02 10:11", "01.02.2024 08 15 30", "1/2/2024",
        "version 10.2.3.4 of the driver", "v10.2.3.4", "10.2.3.4.5", "256.1.1.1", "Office 16.0.1", "12:30:45",
        "std::vector a::b", "aa:bb:cc:dd:ee:ff", "0x80070005", "error 1234567890123", "1.234.567.890", "12 345 678",
        "12,345,678.90", "user: cannot log in", "login: failed", "account: is locked", "and\\or", "share\\file.txt",
        "C:\\Windows\\System32", "HKLM\\Software", "@angular/core", "a @ b", "x@y", "123-45-6789", "2023-2024",
        "www", "http://", "", "NA",
    ],
)  # fmt: skip
def test_what_only_looks_like_it_stays(text):
    assert masked(text) == text


def test_only_the_kinds_asked_for_are_masked_and_each_is_counted():
    texts = pd.Series(["a@b.example, c@d.example", None, "10.0.0.1", "none"], index=[3, 5, 7, 9], dtype="str")
    done = mask_texts(texts, ["email", "phone"])
    assert done.texts.fillna("-").to_dict() == {3: "[email], [email]", 5: "-", 7: "10.0.0.1", 9: "none"}
    assert (done.counts, done.n_texts) == ({"email": 2, "phone": 0}, 1)
    assert mask_texts(texts, []).texts is texts


PIECES = st.sampled_from([
    "a@b.example", "10.0.0.1", "::1", "+49 30 1234567", "030/123456", "CORP\\jdoe", "@jdoe", "user: x1", "login=",
    "www.", "https://", "tel", ":", "/", ".", " ", "\\", "@", "-", "0", "12", "x", "[ip]", "(", ")", "]", "\u00e9",
])  # fmt: skip


@settings(deadline=None)
@given(st.lists(PIECES, max_size=9).map("".join), st.sets(st.sampled_from(MASKS)))
def test_masking_twice_is_masking_once(text, kinds):
    once = masked(text, tuple(kinds))
    again = mask_texts(pd.Series([once], dtype="str"), tuple(kinds))
    assert (again.texts.iloc[0], sum(again.counts.values())) == (once, 0)


@settings(deadline=None)
@given(st.text(st.characters(exclude_characters="0123456789@\\:=.", exclude_categories=["Cs", "Nd"])))
def test_a_text_without_any_sign_is_unchanged(text):
    assert masked(text) == text


def test_a_hint_misses_nothing_that_a_pattern_finds():
    text = "a@b.example www.example.org 10.0.0.1 ::1 +49301234567 CORP\\jdoe"
    for kind in MASKS:
        done = mask_texts(pd.Series([text], dtype="str"), [kind])
        assert done.counts[kind] >= 1, kind
