"""Tests of simtune_core.difficulty.bins."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simtune_core.difficulty.bins import N_BINS, bin_centres, bin_index, coarsen, count_in_bins, edge_index
from simtune_core.errors import ConfigError, DataFaultError


def test_bins_are_half_open_and_the_last_one_is_closed():
    assert bin_index([-1.0, 0.0, 0.0009, 0.001, 0.999, 1.0]).tolist() == [0, 1000, 1000, 1001, 1999, 1999]
    assert bin_index(np.float32([-1.0000001, 1.0000001])).tolist() == [0, 1999]  # rounding of a cosine


def test_every_decimal_edge_opens_its_own_bin_in_float32_too():
    edges = np.arange(-1000, 1000) / 1000

    assert bin_index(edges).tolist() == list(range(N_BINS))
    assert bin_index(edges.astype(np.float32)).tolist() == list(range(N_BINS))
    assert [edge_index(edge) for edge in edges] == list(range(N_BINS))
    assert edge_index(1.0) == N_BINS


@given(st.floats(-1, 1, width=32))
def test_a_similarity_lies_within_its_bin(similarity):
    centre = bin_centres()[bin_index(similarity)]

    assert abs(centre - similarity) <= 0.0005 + 2e-7


def test_coarse_bins_hold_every_pair_once_and_cut_the_empty_ends():
    counts = count_in_bins([0.301, 0.309, 0.31, 0.555])

    coarse = coarsen(counts, width=0.01)

    assert coarse.left[[0, 1, -1]].tolist() == pytest.approx([0.30, 0.31, 0.55])
    assert coarse.counts.sum() == 4
    assert coarse.counts[[0, 1, -1]].tolist() == [2, 1, 1]
    assert coarse.centres[0] == pytest.approx(0.305)
    assert coarse.edges[[0, -1]].tolist() == pytest.approx([0.30, 0.56])


def test_several_rows_share_one_range():
    coarse = coarsen(np.stack([count_in_bins([0.1]), count_in_bins([0.25])]), width=0.05)

    assert coarse.left.tolist() == pytest.approx([0.1, 0.15, 0.2, 0.25])
    assert coarse.counts.tolist() == [[1, 0, 0, 0], [0, 0, 0, 1]]


def test_no_pairs_give_no_bins():
    assert coarsen(np.zeros(N_BINS)).counts.shape == (0,)


@pytest.mark.parametrize("width", [0.0, 0.003, 0.0015, 2.0])
def test_rejects_a_width_that_does_not_divide_one(width):
    with pytest.raises(ConfigError, match=r"multiple of 0\.001 that divides 1"):
        coarsen(np.zeros(N_BINS), width=width)


def test_rejects_similarities_that_are_no_numbers():
    with pytest.raises(DataFaultError, match="finite numbers; 1 are not"):
        count_in_bins([0.1, np.nan])
