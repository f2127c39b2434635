"""Tests of simtune_core.curriculum.rules: which pairs a phase may call positive or negative."""

import numpy as np
import pytest

from simtune_core.curriculum.config import PhaseConfig
from simtune_core.curriculum.rules import ROLES, eligible_pairs, resolve_rule
from simtune_core.errors import ConfigError
from tests.curriculum.counted import counts_of

WITHIN, OVER, LOW, ABOVE = 35, 48, 25, 60  # cells above zero: in both bands, positive only, negative only, above both
PHASE = {"pos_min": 0.30, "pos_max": 0.50, "neg_min": 0.20, "neg_max": 0.40}


def roles_at(rule, phase, cell):
    """Return the role of each kind (same category, known) of pair at a cell above zero."""
    eligible = eligible_pairs(rule, phase)
    found = {}
    for same in (0, 1):
        for known in (0, 1):
            here = [role for role in ROLES if eligible.masks[role][same, known, 100 + cell]]
            here += ["left out"] if eligible.conflicting[same, known, 100 + cell] else []
            found[same, known] = here
    return found


def rule_of(name, **facts):
    return resolve_rule(counts_of([], **facts), name)


def test_auto_takes_labels_then_groups_then_categories_then_the_band():
    assert rule_of("auto", source="pairs", has_known=True).name == "label"
    assert rule_of("auto", has_known=True).name == "duplicate_group"
    assert rule_of("auto").name == "category"
    assert rule_of("auto", has_categories=False).name == "band"
    assert [rule_of(name, has_known=True).weak for name in ("duplicate_group", "category", "band")] == [
        False, True, True,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "facts", "message"),
    [
        ("label", {"has_known": True}, "label must have the labels of a pair set.*such as duplicate_group"),
        ("duplicate_group", {}, "duplicate_group must have duplicate groups of records.*such as category"),
        ("category", {"has_categories": False}, "category must have categories.*such as band"),
    ],
)
def test_a_rule_that_reads_what_is_not_known_is_refused(name, facts, message):
    with pytest.raises(ConfigError, match=message):
        rule_of(name, **facts)


@pytest.mark.parametrize(("name", "source"), [("duplicate_group", "records"), ("label", "pairs")])
def test_known_positives_are_positive_and_nothing_else_is(name, source):
    rule = rule_of(name, source=source, has_known=True)

    found = roles_at(rule, PhaseConfig(**PHASE), WITHIN)

    assert found == {
        (1, 1): ["positive"], (0, 1): ["cross_category"], (1, 0): ["same_category"], (0, 0): ["other_category"],
    }  # fmt: skip
    assert roles_at(rule, PhaseConfig(**PHASE), ABOVE) == {key: [] for key in found}


def test_without_categories_there_is_one_kind_of_each_class():
    rule = rule_of("duplicate_group", has_known=True, has_categories=False)

    found = roles_at(rule, PhaseConfig(**PHASE), WITHIN)

    assert (found[0, 1], found[0, 0]) == (["positive"], ["other_category"])


def test_the_category_labels_and_similarity_only_where_a_share_asks_for_it():
    rule, plain = rule_of("category"), PhaseConfig(**PHASE)
    mixed = PhaseConfig(**PHASE, same_category_share=0.5, cross_category_share=0.5)

    assert roles_at(rule, plain, WITHIN)[1, 0] == ["positive"]
    assert roles_at(rule, plain, LOW) == {(0, 0): ["other_category"], (0, 1): ["left out"], (1, 0): [], (1, 1): []}
    assert roles_at(rule, mixed, LOW)[1, 0] == ["same_category"]
    assert roles_at(rule, mixed, WITHIN) == {
        (0, 0): ["other_category"], (0, 1): ["left out"], (1, 0): ["left out"], (1, 1): ["left out"],
    }  # fmt: skip
    assert roles_at(rule, mixed, OVER)[0, 0] == ["cross_category"]
    assert roles_at(rule, plain, OVER)[0, 0] == []


def test_in_the_tests_shape_a_pair_of_one_category_may_be_drawn_as_either():
    phase = PhaseConfig(**PHASE, same_category_share=0.7, shape="test")

    assert roles_at(rule_of("category"), phase, WITHIN)[1, 0] == ["positive", "same_category"]


def test_the_band_leaves_out_what_fits_both_and_keeps_kinds_as_found_unless_asked():
    rule = rule_of("band")

    assert roles_at(rule, PhaseConfig(**PHASE), WITHIN) == {
        (same, known): ["left out"] for same in (0, 1) for known in (0, 1)
    }
    assert roles_at(rule, PhaseConfig(**PHASE), OVER)[0, 0] == ["positive"]
    asked = PhaseConfig(**PHASE, cross_category_share=0.2, same_category_share=0.2)
    assert roles_at(rule, asked, OVER)[0, 0] == ["cross_category"]
    assert roles_at(rule, asked, LOW)[1, 0] == ["same_category"]


def test_no_two_roles_share_a_pair_outside_the_tests_shape():
    for name in ("duplicate_group", "category", "band"):
        phase = PhaseConfig(**PHASE, same_category_share=0.5, cross_category_share=0.5)
        eligible = eligible_pairs(rule_of(name, has_known=True), phase)
        assert (np.sum([*eligible.masks.values(), eligible.conflicting], axis=0) <= 1).all()


def test_the_rule_says_what_becomes_of_records_without_a_category():
    said = [resolve_rule(counts_of([]), "category").words, rule_of("category", strata=("mail", "(no category)")).words]

    assert ["without a category" in words for words in said] == [False, True]
