"""Two pair sets side by side, phase by phase: how hard each is, what they share, and where they contradict each other.

Pure: two sets with their similarities in one space in, one result out; no model, no file, no plotting.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simtune_core.difficulty.separability import Side
from simtune_core.errors import DataFaultError
from simtune_core.pairs import PairSet

EXAMPLES = 50  # shared pairs of different label that are kept; all are counted
_NO_PHASE = ""
_ABSENT = object()  # a setting that one of two steps does not have


@dataclass(frozen=True, slots=True, eq=False)
class PhasedSet:
    """A pair set as it was measured.

    Attributes:
        pairs: The pairs.
        whole: Their difficulty, all phases together.
        phases: The difficulty of each phase, in order; empty for a set without phases.
    """

    pairs: PairSet
    whole: Side
    phases: Mapping[str, Side]


@dataclass(frozen=True, slots=True, eq=False)
class Half:
    """One set's part of a phase.

    Attributes:
        side: How hard its pairs are.
        n_categories: Categories of the records in it; 0 where none is known.
        largest_category: The one with the most records in it, each counted once a pair; None where none is known.
        largest_share: Share of the records with a category that are of that one, in [0, 1]; None as above.
    """

    side: Side
    n_categories: int
    largest_category: str | None
    largest_share: float | None


@dataclass(frozen=True, slots=True, eq=False)
class PhaseComparison:
    """One phase of both sets, or all of their pairs.

    Attributes:
        phase: Its name; None for all pairs together.
        left: The first set's part; None where it has no such phase.
        right: The second set's part.
        n_shared: Pairs that are in this phase of both, whichever text comes first.
        n_left_elsewhere: Pairs of this phase of the first set that are in another phase of the second; of all pairs
            those that are in a phase of both, but not in the same one.
        n_right_elsewhere: Pairs of this phase of the second set that are in another phase of the first; of all pairs
            as above.
        n_shared_texts: Texts in this phase of both.
        n_shared_records: Record ids in this phase of both; ids of two sources may be the same by chance.
    """

    phase: str | None
    left: Half | None
    right: Half | None
    n_shared: int
    n_left_elsewhere: int
    n_right_elsewhere: int
    n_shared_texts: int
    n_shared_records: int


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Two pair sets compared.

    Attributes:
        left: Reference of the first set.
        right: Reference of the second.
        phases: All pairs first, then each phase, the first set's order before what only the second has.
        n_disagreeing: Shared pairs whose label is not the same in both.
        disagreements: The first EXAMPLES of them; columns sentence1, sentence2, left, right (labels: 0, 1, or "0 and
            1" where a set contradicts itself).
        categories: How often a record of each category is in a pair; columns category, left, right (counts), most
            frequent first.
    """

    left: str
    right: str
    phases: tuple[PhaseComparison, ...]
    n_disagreeing: int
    disagreements: pd.DataFrame
    categories: pd.DataFrame

    @property
    def whole(self) -> PhaseComparison:
        """Return the comparison of all pairs."""
        return self.phases[0]


@dataclass(frozen=True, slots=True)
class SettingDifference:
    """One setting of the steps by which two sets were made that is not the same in both.

    Attributes:
        field: Its path, such as `curriculum.config.phases.easy.pos_min`.
        left: Its value in the first set as JSON; None where it has none.
        right: Its value in the second.
    """

    field: str
    left: str | None
    right: str | None


class _Coded(NamedTuple):
    """The pairs of both sets by number: equal pairs have equal keys, whichever text comes first; shapes (n_pairs,)."""

    left: NDArray[np.int64]
    right: NDArray[np.int64]


def compare_sets(left: PhasedSet, right: PhasedSet) -> Comparison:
    """Compare two measured pair sets phase by phase.

    A pair is known by its two texts, whichever comes first; a record without an id by its text.

    Raises:
        DataFaultError: If both are the same set, or a set has neither labels nor scores.
    """
    if left.pairs.ref == right.pairs.ref:
        raise DataFaultError(f"A comparison needs two pair sets; both are {left.pairs.ref}. Choose another one.")
    coded = _coded(left.pairs.frame, right.pairs.frame)
    places = _places(left, right, coded)
    names = list(dict.fromkeys([*left.phases, *right.phases]))
    n_disagreeing, disagreements = _disagreements(left.pairs, right.pairs, coded)
    return Comparison(
        left=left.pairs.ref,
        right=right.pairs.ref,
        phases=tuple(_phase(name, left, right, places) for name in (None, *names)),
        n_disagreeing=n_disagreeing,
        disagreements=disagreements,
        categories=_categories(left.pairs.frame, right.pairs.frame),
    )


def differing_settings(
    left: Mapping[str, Mapping[str, Any]], right: Mapping[str, Mapping[str, Any]]
) -> tuple[SettingDifference, ...]:
    """Return the settings that are not the same, field by field; a phase or a step of one set alone is one difference.

    Args:
        left: The steps that made the first set, by name; JSON.
        right: Those of the second.
    """
    return tuple(_differing(_named(left), _named(right), ""))


def _coded(left: pd.DataFrame, right: pd.DataFrame) -> _Coded:
    columns = [frame[name] for frame in (left, right) for name in ("sentence1", "sentence2")]
    codes, texts = pd.factorize(pd.concat(columns, ignore_index=True).astype(str))
    ends = np.cumsum([len(column) for column in columns])[:-1]
    one_l, two_l, one_r, two_r = np.split(codes.astype(np.int64), ends)
    return _Coded(*(np.minimum(a, b) * len(texts) + np.maximum(a, b) for a, b in ((one_l, two_l), (one_r, two_r))))


def _places(left: PhasedSet, right: PhasedSet, coded: _Coded) -> pd.DataFrame:
    """Return in which phases each shared pair is: columns key, left, right; every combination once."""
    sides = [
        pd.DataFrame({"key": keys, name: each.pairs.frame["phase"].fillna(_NO_PHASE).to_numpy()}).drop_duplicates()
        for name, each, keys in (("left", left, coded.left), ("right", right, coded.right))
    ]
    return sides[0].merge(sides[1], on="key")


def _phase(name: str | None, left: PhasedSet, right: PhasedSet, places: pd.DataFrame) -> PhaseComparison:
    inside = [
        np.ones(len(each.pairs), dtype=bool) if name is None else (each.pairs.frame["phase"] == name).to_numpy(bool)
        for each in (left, right)
    ]
    halves = [
        _half(each.pairs.frame[rows], each.whole if name is None else each.phases[name])
        if name is None or name in each.phases
        else None
        for each, rows in zip((left, right), inside, strict=True)
    ]
    in_left, in_right = ((places[side] == name).to_numpy(bool) for side in ("left", "right"))
    phased = places[
        (places["left"] != _NO_PHASE) & (places["right"] != _NO_PHASE) & (places["left"] != places["right"])
    ]
    parts = [(each.pairs, rows) for each, rows in zip((left, right), inside, strict=True)]
    texts = [{*pairs.frame["sentence1"][rows], *pairs.frame["sentence2"][rows]} for pairs, rows in parts]
    records = [{record for ids in pairs.record_ids() for record in ids[rows].tolist()} for pairs, rows in parts]
    both = places["key"] if name is None else places.loc[in_left & in_right, "key"]
    return PhaseComparison(
        phase=name,
        left=halves[0],
        right=halves[1],
        n_shared=int(both.nunique()),
        n_left_elsewhere=_distinct(phased, "left", name),
        n_right_elsewhere=_distinct(phased, "right", name),
        n_shared_texts=len(texts[0] & texts[1]),
        n_shared_records=len(records[0] & records[1]),
    )


def _distinct(places: pd.DataFrame, side: str, phase: str | None) -> int:
    """Count the pairs that are in a phase of one side; in any where none is named."""
    return int((places if phase is None else places[places[side] == phase])["key"].nunique())


def _half(frame: pd.DataFrame, side: Side) -> Half:
    counts = _category_counts(frame)
    if counts.empty:
        return Half(side, 0, None, None)
    return Half(side, len(counts), str(counts.index[0]), float(counts.iloc[0] / counts.sum()))


def _category_counts(frame: pd.DataFrame) -> pd.Series:
    """Count how often a record of each category is in a pair: most frequent first, then by name."""
    both = pd.concat([frame["category1"], frame["category2"]], ignore_index=True).dropna()
    return both.value_counts().sort_index().sort_values(ascending=False, kind="stable")


def _categories(left: pd.DataFrame, right: pd.DataFrame) -> pd.DataFrame:
    counts = pd.DataFrame({"left": _category_counts(left), "right": _category_counts(right)}).fillna(0).astype(np.int64)
    ordered = counts.sort_index().assign(both=counts.sum(axis=1)).sort_values("both", ascending=False, kind="stable")
    return ordered.drop(columns="both").rename_axis("category").reset_index()


def _disagreements(left: PairSet, right: PairSet, coded: _Coded) -> tuple[int, pd.DataFrame]:
    """Return how many shared pairs have another label in the other set, and the first of them."""
    told = [_labels_of(each, keys) for each, keys in ((left, coded.left), (right, coded.right))]
    both = told[0].merge(told[1], left_index=True, right_index=True, suffixes=("_left", "_right"))
    differing = both[both["words_left"] != both["words_right"]].sort_values("row_left")
    shown = differing.head(EXAMPLES)
    texts = left.frame.iloc[shown["row_left"].to_numpy()]
    return len(differing), pd.DataFrame(
        {
            "sentence1": texts["sentence1"].to_numpy(),
            "sentence2": texts["sentence2"].to_numpy(),
            "left": shown["words_left"].to_numpy(),
            "right": shown["words_right"].to_numpy(),
        }
    )


def _labels_of(pairs: PairSet, keys: NDArray[np.int64]) -> pd.DataFrame:
    """Return each pair once, by its key: its first row, and its label in words."""
    frame = pd.DataFrame({"key": keys, "label": pairs.labels(), "row": np.arange(len(pairs))})
    found = frame.groupby("key").agg(low=("label", "min"), high=("label", "max"), row=("row", "min"))
    words = np.where(found["low"] == found["high"], found["low"].astype(str), "0 and 1")
    return pd.DataFrame({"words": words, "row": found["row"]}, index=found.index)


def _differing(left: Any, right: Any, path: str) -> Iterator[SettingDifference]:
    """Yield what differs in two JSON values, leaf by leaf; what only one of them has is one difference as a whole."""
    if not (isinstance(left, dict) and isinstance(right, dict)):
        if left != right:
            yield SettingDifference(path, *(None if each is _ABSENT else _as_text(each) for each in (left, right)))
        return
    for name in dict.fromkeys([*left, *right]):
        inside = f"{path}.{name}" if path else str(name)
        yield from _differing(left.get(name, _ABSENT), right.get(name, _ABSENT), inside)


def _named(value: Any) -> Any:
    """Return a JSON value whose lists of objects are objects, each entry by its name if it has one, else its place."""
    if isinstance(value, Mapping):
        return {str(name): _named(each) for name, each in value.items()}
    if isinstance(value, list) and value and all(isinstance(each, Mapping) for each in value):
        return {str(each.get("name", place)): _named(each) for place, each in enumerate(value)}
    return value


def _as_text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
