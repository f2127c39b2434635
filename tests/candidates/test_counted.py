"""Counts on disk."""

import numpy as np
import pytest

from simtune_core.candidates.counted import N_CELLS, CandidateCounts, TestPairs, load_counts, save_counts
from simtune_core.difficulty.bins import N_BINS
from simtune_core.errors import WorkspaceError


def counts_with(**others):
    rng = np.random.default_rng(0)
    values = {
        "counts": rng.integers(0, 10**12, (2, 2, 2, N_BINS)), "sampled": rng.integers(0, 100, (2, 2, 2, N_CELLS)),
        "strata": ("Büro", "b"), "n_records": 47_788, "source": "records", "has_known": False, "has_categories": True,
        "space": "minilm",
    }  # fmt: skip
    return CandidateCounts(**values | others)


def assert_same(one, other):
    for name in CandidateCounts.__slots__:
        mine, theirs = getattr(one, name), getattr(other, name)
        if name == "test" and mine is not None:
            assert mine.ref == theirs.ref
            for part in ("similarities", "labels", "same_category"):
                np.testing.assert_array_equal(getattr(mine, part), getattr(theirs, part), strict=True)
        elif isinstance(mine, np.ndarray):
            np.testing.assert_array_equal(mine, theirs, strict=True)
        else:
            assert mine == theirs


@pytest.mark.parametrize(
    "others",
    [
        {},
        {"n_anchors": 500, "error": np.full((2, 2, N_CELLS), 1.5), "source": "pairs", "has_known": True},
        {"test": TestPairs("exam@v0001:test", np.float32([0.1, 0.5]), np.int8([0, 1]), np.int8([-1, 1]))},
    ],
)
def test_counts_survive_the_disk(tmp_path, others):
    counts = counts_with(**others)
    save_counts(counts, tmp_path / "counts.npz")

    assert_same(counts, load_counts(tmp_path / "counts.npz"))
    assert counts.n_pairs == counts.counts.sum()


def test_a_file_that_holds_no_counts_is_refused_with_a_sentence(tmp_path):
    (tmp_path / "counts.npz").write_text("nothing")

    with pytest.raises(WorkspaceError, match=r"pair counts counts\.npz cannot be read"):
        load_counts(tmp_path / "counts.npz")
