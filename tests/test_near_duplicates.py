"""Near-duplicates against brute force, on planted edits, and on the texts where a careless measure goes wrong."""

from itertools import combinations, product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simtune_core.errors import DataFaultError
from simtune_core.near_duplicates import (
    NEAR_DUPLICATE,
    jaccard,
    near_duplicate_groups,
    near_duplicate_pairs,
    normalise,
)

SYLLABLES = ("ba", "co", "di", "fu", "ge", "ki", "lo", "mu", "ne", "po", "ra", "si", "tu", "ve", "wo", "za")
WORDS = tuple("".join(parts) for parts in product(SYLLABLES, SYLLABLES, ("net", "rix", "dal")))


def sentences(rng, n, n_words=(6, 40)):
    return [" ".join(rng.choice(WORDS, rng.integers(*n_words))) for _ in range(n)]


def edited(rng, text):
    """Return the text with one word put out, put in, or misspelt."""
    words = text.split()
    place = rng.integers(len(words))
    fate = rng.integers(3)
    if fate == 0:
        del words[place]
    elif fate == 1:
        words.insert(place, str(rng.choice(WORDS)))
    else:
        words[place] = words[place][:2] + "x" + words[place][2:]
    return " ".join(words)


def joined(groups):
    """Return the pairs of indices that share a group."""
    return {(a, b) for a, b in combinations(range(len(groups)), 2) if groups[a] == groups[b]}


def closure(n, pairs):
    """Return the group of each of n things joined by pairs, numbered in order of first appearance."""
    group = list(range(n))
    for a, b in pairs:
        group = [group[a] if each == group[b] else each for each in group]
    order = list(dict.fromkeys(group))
    return [order.index(each) for each in group]


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("  The VPN\tis down!! ", "the vpn is down"),
        ("\uff30\uff32int\uff25r", "printer"),  # full width
        ("STRASSE", "straße"),
        ("cafe\u0301", "café"),
        ("pass\u200bword", "password"),
        ("ÉTÉ \N{EM DASH} fini.", "été fini"),
    ],
)
def test_what_makes_no_difference_is_left_out(text, same):
    assert normalise(text) == normalise(same)


@pytest.mark.parametrize(
    ("text", "other"), [("C++ build", "C build"), ("की", "का"), ("👍", "👎"), ("???", "!!!"), ("1.5", "15")]
)
def test_what_makes_a_difference_stays(text, other):
    assert normalise(text) != normalise(other)
    assert near_duplicate_groups([text, other]).tolist() == [0, 1]


def test_the_measure_is_the_share_of_common_five_letter_strings():
    # " abcdef " has the n-grams " abcd", "abcde", "bcdef", "cdef "; " abcdeg " shares the first two of its four.
    assert jaccard("abcdef", "ABCDEG!") == 2 / 6
    assert jaccard("ab", "cd") == 0  # shorter than an n-gram: one n-gram of its own each


def test_groups_are_numbered_in_order_of_first_appearance_and_joined_through_others():
    chain = ["one two three four five six seven eight nine ten eleven twelve thirteen fourteen"]
    for word in ("alpha", "beta", "gamma", "delta"):
        chain.append(f"{chain[-1]} {word}")
    assert jaccard(chain[0], chain[-1]) < NEAR_DUPLICATE <= min(map(jaccard, chain, chain[1:]))
    texts = ["alone", chain[4], chain[0], "Alone.", chain[2], chain[1], "other", chain[3]]
    assert near_duplicate_groups(texts).tolist() == [0, 1, 1, 0, 1, 1, 2, 1]


@pytest.mark.parametrize("threshold", [0.5, 0.7, 0.8, 0.95])
def test_groups_are_those_of_comparing_every_text_with_every_other(threshold):
    rng = np.random.default_rng(7)
    texts = sentences(rng, 40, (6, 25))
    for _ in range(80):
        texts.append(edited(rng, texts[rng.integers(len(texts))]))
    brute = [(a, b) for a, b in combinations(range(len(texts)), 2) if jaccard(texts[a], texts[b]) >= threshold]
    expected = closure(len(texts), brute)
    found = near_duplicate_groups(texts, threshold=threshold).tolist()
    assert len(brute) > 15
    assert joined(found) <= joined(expected)  # never a false join
    assert len(joined(found)) >= 0.99 * len(joined(expected))


def test_planted_near_duplicates_are_found_across_two_lists():
    rng = np.random.default_rng(11)
    texts = sentences(rng, 1000)
    others = [edited(rng, text) for text in texts] + sentences(rng, 500)
    pairs = near_duplicate_pairs(texts, others)
    planted = {(place, place) for place in range(1000) if jaccard(texts[place], others[place]) >= NEAR_DUPLICATE}
    found = set(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True))
    assert len(planted) > 500
    assert len(planted & found) >= 0.995 * len(planted)
    exact = [jaccard(texts[a], others[b]) for a, b in sorted(found)]
    assert pairs.jaccard.tolist() == pytest.approx(exact)
    assert min(exact) >= NEAR_DUPLICATE


def test_equal_texts_of_a_list_count_once_and_a_pair_names_the_first():
    pairs = near_duplicate_pairs(["x", "VPN down", "vpn down."], ["Vpn  down", "y", "vpn down"])
    assert (pairs.first.tolist(), pairs.second.tolist(), pairs.jaccard.tolist()) == ([1], [0], [1.0])


def test_a_bucket_of_thousands_is_neither_squared_nor_split():
    rng = np.random.default_rng(3)
    template = " ".join(rng.choice(WORDS, 60))
    texts = [f"{template} {number:05d}" for number in rng.permutation(1500)]
    assert near_duplicate_groups(texts).max() == 0


def test_one_word_makes_a_short_question_another_one():
    questions = ["How do I top up with my credit card?", "How do I top up with my debit card?", "Where is my card?"]
    assert near_duplicate_groups(questions).tolist() == [0, 1, 2]


def test_the_same_texts_give_the_same_groups_every_time():
    rng = np.random.default_rng(5)
    texts = sentences(rng, 500)
    texts += [edited(rng, text) for text in texts]
    assert near_duplicate_groups(texts).tolist() == near_duplicate_groups(texts).tolist()


def test_progress_ends_at_all_texts():
    seen = []
    near_duplicate_groups(["a", "b", "c"], progress=lambda done, total, text: seen.append((done, total)))
    assert seen == [(3, 3)]


@pytest.mark.parametrize("threshold", [0.0, -1.0, 1.01, float("nan")])
def test_a_threshold_outside_its_range_is_refused(threshold):
    with pytest.raises(DataFaultError, match="above 0 and at most 1"):
        near_duplicate_groups(["a", "b"], threshold=threshold)


def test_empty_lists_have_no_groups_and_no_pairs():
    assert near_duplicate_groups([]).tolist() == []
    assert len(near_duplicate_pairs([], ["a"])) == len(near_duplicate_pairs(["a"], [])) == 0


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=30), max_size=12), st.floats(0.3, 1.0))
def test_any_texts_are_grouped_and_equal_ones_together(texts, threshold):
    groups = near_duplicate_groups(texts, threshold=threshold).tolist()
    assert list(dict.fromkeys(groups)) == list(range(len(set(groups))))
    by_key = {}
    for text, group in zip(texts, groups, strict=True):
        assert by_key.setdefault(normalise(text), group) == group


def test_short_questions_of_real_users_do_not_collapse(real_data):
    texts = pd.read_parquet(real_data("banking77_records"), columns=["text"])["text"].tolist()
    sizes = np.bincount(near_duplicate_groups(texts))
    assert len(sizes) > 0.95 * len(texts)
    assert sizes.max() <= 10
