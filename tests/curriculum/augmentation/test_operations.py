"""Tests of the operations: what each does to a text, by hand and by property, in any script."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from simtune_core.curriculum.augmentation.config import OPERATIONS, AugmentConfig
from simtune_core.curriculum.augmentation.operations import (
    MARKS,
    changed,
    delete,
    duplicate,
    mistype,
    punctuate,
    recase,
    swap,
)

TEN = "one two three four five six seven eight nine ten"
CONFIG = AugmentConfig(operations=OPERATIONS)
WORDS = st.lists(
    st.sampled_from(["mail", "Server", "é", "e\u0301", "日本語", "नमस्ते", "👩‍👩‍👧", "\n", "?"]), max_size=8
).map(" ".join)
ANY = st.text(alphabet=st.characters(exclude_categories=("Cs",)), max_size=40) | WORDS


def rng(seed=0):
    return np.random.default_rng(seed)


def test_deletion_takes_its_share_of_the_words_and_keeps_the_order_of_the_others():
    made = delete(TEN, 0.3, rng())

    assert len(made.split()) == 7  # round(0.3 * 10) = 3 are gone
    kept = iter(TEN.split())
    assert all(word in kept for word in made.split())  # a subsequence
    assert delete("a  b\nc ", 0.01, rng(1)) in {"b\nc ", "a  c ", "a  b "}  # one at least; the blanks of the rest stay


def test_a_swap_of_neighbours_exchanges_two_words_and_leaves_the_blanks():
    assert {swap("a  b\nc", 0.1, rng(seed)) for seed in range(20)} == {"b  a\nc", "a  c\nb"}
    far = {swap("a b c", 0.1, rng(seed), neighbours=False) for seed in range(40)}
    assert far == {"b a c", "a c b", "c b a"}
    assert Counter(swap(TEN, 0.5, rng()).split()) == Counter(TEN.split())


def test_duplication_says_words_twice_in_a_row():
    made = duplicate(TEN, 0.2, rng()).split()

    assert len(made) == 12  # round(0.2 * 10) = 2 more
    repeated = [first for first, second in pairwise(made) if first == second]
    assert len(repeated) == 2
    assert list(dict.fromkeys(made)) == TEN.split()


def test_a_typo_is_a_neighbouring_key_or_a_letter_left_out_doubled_or_swapped():
    made = {mistype("go", 0.01, rng(seed)) for seed in range(300)}

    swapped, left_out, doubled = {"og"}, {"g", "o"}, {"ggo", "goo"}
    near = {f"{key}o" for key in "tyfhvb"} | {f"g{key}" for key in "ipkl"}  # the letters around g and o
    assert made == swapped | left_out | doubled | near
    assert mistype("42 %", 0.3, rng()) == "42 %"  # no letter to mistype


def test_a_typo_keeps_the_case_of_the_letter():
    made = {mistype("G", 0.01, rng(seed)) for seed in range(100)}

    assert "GG" in made
    assert all(text.isupper() for text in made)


def test_case_noise_changes_case_alone():
    made = {recase("Mail", 0.5, rng(seed)) for seed in range(20)}

    assert made == {"mail", "MAIL"}
    assert recase("日本語 42", 1.0, rng()) == "日本語 42"
    assert recase(TEN, 1.0, rng()).lower() == TEN


def test_punctuation_noise_adds_or_removes_marks_alone():
    made = {punctuate("no, paper", 0.1, rng(seed)) for seed in range(60)}

    assert "no paper" in made
    assert all(text.translate({ord(mark): None for mark in MARKS}) == "no paper" for text in made)
    assert punctuate("日本語", 0.1, rng()) != "日本語"  # one word, and a mark can stand behind it


@pytest.mark.parametrize("operation", ["deletion", "swap", "duplication"])
def test_word_operations_do_nothing_in_a_script_without_blanks(operation):
    assert changed("サーバーに接続できません", operation, CONFIG, rng()) == "サーバーに接続できません"


@given(ANY, st.sampled_from(OPERATIONS), st.integers(0, 99))
def test_no_operation_empties_a_text_and_each_is_seeded(text, operation, seed):
    made = changed(text, operation, CONFIG, rng(seed))

    assert made == changed(text, operation, CONFIG, rng(seed))
    assert bool(made.strip()) == bool(text.strip())


@given(WORDS, st.integers(0, 99))
def test_typos_part_no_mark_from_its_letter(text, seed):
    made = regex.findall(r"\X", mistype(text, 0.3, rng(seed)))

    assert {cluster for cluster in made if len(cluster) > 1} <= set(regex.findall(r"\X", text))
