"""What a dataset holds: lengths, duplicates, balance, and texts that stand in several splits.

Pure functions of a table and of what is known of its texts (their lengths, their near-duplicates). No tokenizer, no
files; what a researcher should do about it is in describing_findings.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simtune_core.datasets import DatasetKind
from simtune_core.pairs import TEXT_COLUMNS
from simtune_core.preparing.description import (
    SCORE_BINS,
    WHOLE,
    Categories,
    Description,
    Leak,
    Lengths,
    Measured,
    Repeats,
    SplitFacts,
    Texts,
    ordered_splits,
)

_LENGTH_BINS = 40
_TAIL = 0.995  # the last bin of lengths begins here at the latest and holds all that is longer
_CATEGORIES = 30  # kept with their counts; the rest is one number
_EXAMPLES = 5
_LONGEST_EXAMPLE = 200  # characters


def texts_in(frame: pd.DataFrame, kind: DatasetKind) -> Texts:
    """Return the texts of a table, each once, and where they stand."""
    columns = TEXT_COLUMNS if kind == "pairs" else ("text",)
    codes, unique = pd.factorize(pd.concat([frame[column] for column in columns], ignore_index=True))
    sides = np.asarray(codes, dtype=np.int64).reshape(len(columns), len(frame)).T
    return Texts([str(text) for text in unique], sides)


def describe(frame: pd.DataFrame, kind: DatasetKind, texts: Texts, measured: Measured) -> Description:
    """Describe a table of records or pairs.

    Args:
        frame: The rows, as datasets.py saves them; at least one.
        kind: What they are.
        texts: What `texts_in` gives for them.
        measured: What is known of those texts.
    """
    splits = split_names(frame)
    return Description(
        kind=kind,
        n_rows=len(frame),
        n_unique_texts=len(texts.unique),
        graded=kind == "pairs" and bool(frame["score"].notna().all()),
        lengths=_lengths(measured),
        repeats=_repeats(texts, measured.groups),
        splits=[_split_facts(frame, kind, split, _truncated(texts, measured)) for split in splits],
        categories=_categories(frame, kind, splits),
        leaks=_leaks(frame, splits, texts, measured.groups),
    )


def row_flags(texts: Texts, measured: Measured) -> pd.DataFrame:
    """Return what is true of each row: `duplicate` (another row says the same, or nearly), `truncated`."""
    near = _row_keys(measured.groups[texts.sides])
    truncated = _truncated(texts, measured)
    return pd.DataFrame(
        {
            "duplicate": np.bincount(near)[near] > 1,
            "truncated": np.zeros(len(near), dtype=bool) if truncated is None else truncated,
        }
    )


def split_names(frame: pd.DataFrame) -> list[str]:
    """Return the splits, train, dev and test first; `WHOLE` where rows have none."""
    return ordered_splits(str(split) for split in frame["split"].dropna().unique()) or [WHOLE]


def _in_split(frame: pd.DataFrame, split: str) -> NDArray[np.bool_]:
    if split == WHOLE and frame["split"].isna().all():
        return np.ones(len(frame), dtype=bool)
    return (frame["split"] == split).to_numpy(dtype=bool)


def _truncated(texts: Texts, measured: Measured) -> NDArray[np.bool_] | None:
    """Return which rows hold a text that is not read to its end; None where everything is read. Shape (n_rows,)."""
    if measured.limit is None:
        return None
    return np.asarray((measured.lengths > measured.limit)[texts.sides].any(axis=1), dtype=bool)


def _lengths(measured: Measured) -> Lengths:
    lengths = measured.lengths
    limit = measured.limit
    longest = int(lengths.max())
    width = max(1, -(-int(np.quantile(lengths, _TAIL)) // _LENGTH_BINS))
    last = int(np.quantile(lengths, _TAIL)) // width
    counts = np.bincount(np.minimum(lengths // width, last), minlength=last + 1)
    return Lengths(
        unit=measured.unit,
        limit=limit,
        n_texts=len(lengths),
        n_truncated=0 if limit is None else int((lengths > limit).sum()),
        median=float(np.median(lengths)),
        p95=float(np.quantile(lengths, 0.95)),
        longest=longest,
        edges=[width * place for place in range(last + 2)],
        counts=[int(count) for count in counts],
    )


def _row_keys(sides: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return one number per row, equal where rows hold the same, whichever stands first. Shape (n_rows,)."""
    ordered = np.sort(sides, axis=1)
    span = int(ordered.max(initial=0)) + 1
    code = ordered[:, 0] if ordered.shape[1] == 1 else ordered[:, 0] * span + ordered[:, 1]
    return np.unique(code, return_inverse=True)[1].astype(np.int64)


def _repeats(texts: Texts, groups: NDArray[np.int64]) -> Repeats:
    exact, near = _row_keys(texts.sides), _row_keys(groups[texts.sides])
    n_rows, n_exact = len(exact), len(exact) - len(np.unique(exact))
    paired = texts.sides.shape[1] == 2
    return Repeats(
        n_exact=n_exact,
        n_near=n_rows - len(np.unique(near)) - n_exact,
        n_self=int((texts.sides[:, 0] == texts.sides[:, 1]).sum()) if paired else 0,
        examples=_most_repeated(texts, exact),
        near_examples=_alike(texts.unique, groups),
    )


def _most_repeated(texts: Texts, keys: NDArray[np.int64]) -> list[dict[str, Any]]:
    _, firsts, counts = np.unique(keys, return_index=True, return_counts=True)
    order = np.lexsort((firsts, -counts))[:_EXAMPLES]
    return [
        {"text": " | ".join(_cut(texts.unique[side]) for side in texts.sides[firsts[place]]), "n": int(counts[place])}
        for place in order
        if counts[place] > 1
    ]


def _alike(unique: Sequence[str], groups: NDArray[np.int64]) -> list[list[str]]:
    """Return two texts of each of the first few groups that have several."""
    sizes = np.bincount(groups)
    found = []
    for group in dict.fromkeys(groups[sizes[groups] > 1].tolist()):
        members = np.flatnonzero(groups == group)[:2]
        found.append([_cut(unique[member]) for member in members])
        if len(found) == _EXAMPLES:
            break
    return found


def _split_facts(frame: pd.DataFrame, kind: DatasetKind, split: str, truncated: NDArray[np.bool_] | None) -> SplitFacts:
    inside = _in_split(frame, split)
    rows = frame[inside]
    paired = kind == "pairs"
    scores = rows["score"].dropna().to_numpy(np.float64) if paired else np.empty(0)
    places = np.minimum((scores * SCORE_BINS).astype(np.int64), SCORE_BINS - 1)
    both = (rows["category1"].notna() & rows["category2"].notna()) if paired else None
    return SplitFacts(
        split=split,
        n_rows=len(rows),
        n_truncated=None if truncated is None else int(truncated[inside].sum()),
        n_positive=int((rows["label"] == 1).sum()) if paired else 0,
        n_negative=int((rows["label"] == 0).sum()) if paired else 0,
        n_graded=len(scores),
        score_counts=[int(count) for count in np.bincount(places, minlength=SCORE_BINS)],
        n_same_category=0 if both is None else int((rows["category1"] == rows["category2"])[both].sum()),
        n_both_categories=0 if both is None else int(both.sum()),
    )


def _categories(frame: pd.DataFrame, kind: DatasetKind, splits: Sequence[str]) -> Categories | None:
    columns = ("category1", "category2") if kind == "pairs" else ("category",)
    stacked = pd.concat([frame[column] for column in columns], ignore_index=True)
    known = stacked.notna().to_numpy()
    if not known.any():
        return None
    inside = {split: np.tile(_in_split(frame, split), len(columns)) for split in splits}
    counts = pd.DataFrame({split: stacked[known & inside[split]].value_counts() for split in splits})
    totals = {str(name): int(n) for name, n in stacked[known].value_counts(sort=False).items()}
    names = sorted(totals, key=lambda name: (-totals[name], name))
    held: dict[Any, dict[Any, int]] = counts.fillna(0).astype(int).to_dict("index")
    single = [name for name in names if totals[name] == 1]
    absent = [{"category": name, "split": split} for name in names for split in splits if not held[name][split]]
    return Categories(
        n=len(names),
        n_unknown=int((~known).sum()),
        largest=[{"category": name, "counts": held[name]} for name in names[:_CATEGORIES]],
        n_others=sum(totals[name] for name in names[_CATEGORIES:]),
        single=single[:_EXAMPLES],
        n_single=len(single),
        absent=absent[:_EXAMPLES],
        n_absent=len(absent),
    )


def _leaks(frame: pd.DataFrame, splits: Sequence[str], texts: Texts, groups: NDArray[np.int64]) -> list[Leak]:
    rows = {split: texts.sides[_in_split(frame, split)] for split in splits}
    held = {split: np.unique(sides) for split, sides in rows.items()}
    found = []
    for first, second in combinations(splits, 2):
        shared = np.intersect1d(held[first], held[second])
        near = np.isin(groups[held[second]], groups[held[first]]).sum() - len(shared)
        if len(shared) or near:
            found.append(
                Leak(
                    first=first,
                    second=second,
                    n_texts=len(shared),
                    n_near_texts=int(near),
                    n_rows=int(np.isin(rows[second], shared).any(axis=1).sum()),
                    examples=[_cut(texts.unique[place]) for place in shared[:_EXAMPLES]],
                )
            )
    return found


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_EXAMPLE else text[: _LONGEST_EXAMPLE - 1] + "…"
