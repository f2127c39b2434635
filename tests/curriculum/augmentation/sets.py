"""Small pair sets for tests of augmentation: phases, labels, splits, and records known by ids."""

import numpy as np
import pandas as pd

from simtune_core.pairs import PairSet, with_pair_columns

WORDS = (
    "mail", "server", "printer", "paper", "vpn", "login", "laptop", "screen", "disk", "folder", "badge", "phone",
)  # fmt: skip


def frame_of(cells, *, n_words=8, seed=0):
    """Return pairs of phases and labels: `cells` maps (phase, label) to a number of pairs; texts are random words."""
    rng = np.random.default_rng(seed)
    rows = []
    for (phase, label), n in cells.items():
        for _ in range(n):
            first = rng.choice(WORDS, n_words, replace=n_words > len(WORDS))
            second = first.copy() if label else rng.permutation(first)
            number = len(rows)
            second[: n_words // 2] = rng.choice(WORDS, n_words // 2)
            rows.append(
                {
                    "sentence1": f"{' '.join(first)} {number}", "sentence2": f"{' '.join(second)} again {number}",
                    "label": label, "id1": f"a{number}", "id2": f"b{number}", "phase": phase,
                }
            )  # fmt: skip
    return with_pair_columns(pd.DataFrame(rows))


def pairs_of(frame):
    return PairSet(with_pair_columns(frame), "some@v0001", "id")


def shares(frame):
    """Return the share of each phase and label."""
    return frame.value_counts(["phase", "label"], normalize=True, dropna=False).to_dict()
