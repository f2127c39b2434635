"""Which test pairs lie where there are training pairs, counted by hand."""

import pytest

from simtune_core.difficulty.preflight.coverage import coverage_from_json, enough_pairs, measure_coverage
from tests.difficulty.sets import scored_set


def test_a_test_pair_is_covered_where_enough_training_pairs_have_its_similarity_and_label():
    train = scored_set([0.81, 0.82, 0.31, 0.12, 0.13], [1, 1, 1, 0, 0])
    test = scored_set([0.83, 0.32, 0.33, 0.14], [1, 1, 1, 0], ref="b@v0001")

    found = measure_coverage(train, test, width=0.1, min_pairs=2)

    assert found.share == 0.5  # 0.83 and the negative
    assert (found.positive, found.negative) == (pytest.approx(1 / 3), 1.0)
    (gap,) = found.gaps
    assert (gap.label, gap.n_train, gap.n_test, gap.share) == (1, 1, 2, pytest.approx(2 / 3))
    assert (gap.low, gap.high) == (pytest.approx(0.3), pytest.approx(0.4))
    assert coverage_from_json(found.as_json()) == found


def test_neighbouring_gaps_are_one_band_and_the_largest_comes_first():
    train = scored_set([0.9], [1])
    test = scored_set([0.15, 0.25, 0.55, 0.95, 0.35], [1, 1, 1, 1, 0], ref="b@v0001")

    gaps = measure_coverage(train, test, width=0.1, min_pairs=1).gaps

    assert [(gap.label, round(gap.low, 2), round(gap.high, 2), gap.n_test) for gap in gaps] == [
        (1, 0.1, 0.3, 2), (0, 0.3, 0.4, 1), (1, 0.5, 0.6, 1),
    ]  # fmt: skip


def test_without_a_class_its_share_is_not_defined():
    one_class = scored_set([0.5, 0.6], [1, 1])

    found = measure_coverage(one_class, one_class, width=0.05, min_pairs=1)

    assert (found.share, found.positive, found.negative, found.gaps) == (1.0, 1.0, None, ())


def test_a_small_training_set_covers_a_cell_with_fewer_pairs():
    assert [enough_pairs(n, 20) for n in (100, 1000, 2000, 1_000_000)] == [3, 10, 20, 20]
