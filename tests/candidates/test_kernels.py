"""The machine code of counting and sampling: its hash against the authority's numbers, its cache when it is damaged."""

import os
import subprocess
import sys

import numpy as np

from simtune_core.candidates.kernels import N_CELLS, compiled, mixed, new_tally, unmixed
from simtune_core.workspace import CHECKOUT

GAMMA = np.uint64(0x9E3779B97F4A7C15)
DAMAGED = """
from pathlib import Path
from simtune_core.candidates import kernels

built = kernels._built(cached=True)
for kernel in built:
    place = Path(kernel._cache.cache_path)
    place.mkdir(parents=True, exist_ok=True)
    (place / kernel._cache._cache_file._index_name).write_bytes(b"no index")
try:
    kernels._tried(built)
except kernels.cache_faults() as error:
    print(type(error).__name__)
"""


def test_hashes_are_those_of_splitmix64():
    # the first outputs of the reference implementation (prng.di.unimi.it/splitmix64.c) from the state 0
    states = np.arange(1, 4, dtype=np.uint64) * GAMMA

    assert [hex(value) for value in mixed(states)] == ["0xe220a8397b1dcdaf", "0x6e789e6aa1b965f4", "0x6c45d188009454f"]


def test_a_pair_follows_from_its_hash():
    values = np.random.default_rng(0).integers(0, 2**64, 1000, dtype=np.uint64)

    np.testing.assert_array_equal(unmixed(mixed(values)), values)


def test_two_tallies_merge_into_the_lowest_hashes_of_both():
    halves = [new_tally(1, 10, seed=5), new_tally(1, 10, seed=5)]
    rng, kernels = np.random.default_rng(0), compiled()
    hashes = [np.unique(rng.integers(0, 2**64, 30, dtype=np.uint64))[:20] for _ in halves]
    for tally, held in zip(halves, hashes, strict=True):
        tally.hashes[3, :20], tally.fill[3], tally.bins[30, 0] = held, 20, 20
        tally.similarities[3, :20] = held.astype(np.float32)

    kernels.merge(*halves)
    kernels.settle(halves[0])

    assert halves[0].bins[:, 0].sum() == 40
    assert halves[0].fill.tolist() == [0, 0, 0, 10, *[0] * (4 * N_CELLS - 4)]
    lowest = np.sort(np.concatenate(hashes))[:10]
    kept = np.sort(halves[0].hashes[3, :10])
    np.testing.assert_array_equal(kept, lowest)
    np.testing.assert_array_equal(np.sort(halves[0].similarities[3, :10]), lowest.astype(np.float32))


def test_a_damaged_cache_is_noticed_before_anything_is_counted(tmp_path):
    """Then `compiled` compiles anew, without the cache; that takes ten seconds and is what every first use does."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", DAMAGED],
        cwd=CHECKOUT, env=os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}, capture_output=True, text=True, timeout=240,
    )  # fmt: skip

    assert (done.returncode, done.stdout) == (0, "UnpicklingError\n"), done.stderr
