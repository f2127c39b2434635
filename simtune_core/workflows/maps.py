"""Maps of texts or pairs: the request for one, and what a page shows of a finished one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simtune_core.datasets import canonical_ref, find_dataset, load_pairs, load_records
from simtune_core.difficulty.map_points import LABELS, OUTCOMES, PAIR_COLOURS, SET_NAMES, TEXT_COLOURS, Of
from simtune_core.difficulty.neighbourhoods import change_of
from simtune_core.difficulty.projection import ProjectionConfig, require_enough
from simtune_core.difficulty.projection_job import NEIGHBOURS, POINTS
from simtune_core.difficulty.regions import inside, on_grid
from simtune_core.errors import DataFaultError, EncoderError, JobError
from simtune_core.figures.maps import Colouring, MapLayer
from simtune_core.jobs.launcher import read_job, read_result
from simtune_core.pairs import TEXT_COLUMNS
from simtune_core.workflows.requests import Request, named_encoder
from simtune_core.workspace import Workspace

__all__ = [
    "DrawnMap", "Of", "ProjectionConfig", "colourings", "hover_texts", "map_request", "read_map", "sets_of_pairs",
]  # fmt: skip

CHANGE = "neighbourhood change"
_OUTCOME_ORDER = (0, 3, 1, 2)  # what is right first, in the colours of the two kinds of pair
HOVER_CHARACTERS = 500_000  # of all points together
_LONGEST_HOVER = 120


@dataclass(frozen=True, slots=True, eq=False)
class DrawnMap:
    """A finished map.

    Attributes:
        job: Id of its job.
        result: The job's result.
        points: One row a point; see `difficulty/map_points.py` and `projection_job.POINTS`.
        neighbours: Per encoder, the places of every point's nearest points; int32, shape (n, k).
        tables: Those rows of each set that its points stand for, by their place in the set.
    """

    job: str
    result: dict[str, Any]
    points: pd.DataFrame
    neighbours: list[NDArray[np.int32]]
    tables: list[pd.DataFrame]

    def __len__(self) -> int:
        return len(self.points)

    @property
    def what(self) -> str:
        """Return what the points are: texts or pairs."""
        return "pairs" if self.result["of"] == "pairs" else "texts"

    @property
    def layers(self) -> list[MapLayer]:
        """Return one layer for each encoder."""
        return [
            MapLayer(
                f"{each['title']} · trustworthiness {each['trustworthiness']:.2f}",
                on_grid(self.points[[f"x{place}", f"y{place}"]].to_numpy()),
            )
            for place, each in enumerate(self.result["maps"])
        ]

    def within(self, map_place: int, polygon: Sequence[Sequence[float]]) -> NDArray[np.int64]:
        """Return the points inside a polygon of one of the maps, in grid units; ascending.

        Raises:
            ConfigError: If it is no polygon.
        """
        return np.flatnonzero(inside(polygon, self.layers[map_place].places))

    def rows(self, places: NDArray[np.int64]) -> pd.DataFrame:
        """Return what points stand for, in the order given, without columns that are empty throughout.

        Returns:
            Of texts `id, text, category, split, sets, rows`; of pairs the two sentences and what is known of them, with
            each encoder's cosine and outcome; of two encoders `neighbours kept`.
        """
        chosen = self.points.iloc[places]
        found = self._texts(chosen)
        for name in ("category", "split", "phase", "sets"):
            if name in chosen:
                found[name] = chosen[name].to_numpy()
        if self.result["of"] == "pairs":
            found["label"] = _named(chosen["label"].to_numpy(), LABELS)
            for place, each in enumerate(self.result["maps"]):
                found[f"cosine, {each['title']}"] = chosen[f"cosine{place}"].to_numpy()
                found[f"outcome, {each['title']}"] = _named(chosen[f"outcome{place}"].to_numpy(), OUTCOMES)
        elif (chosen["n"] > 1).any():
            found["rows"] = chosen["n"].to_numpy()
        if "kept" in chosen:
            found["neighbours kept"] = chosen["kept"].to_numpy()
        return found.dropna(axis=1, how="all").reset_index(drop=True)

    def most_changed(self, n: int) -> NDArray[np.int64]:
        """Return the points that keep fewest neighbours from one encoder to the other; ties in order of the points."""
        return np.argsort(self.points["kept"].to_numpy(), kind="stable")[:n]

    def nearest_rows(self, point: int, map_place: int) -> pd.DataFrame:
        """Return the nearest points of a point in one encoder's space, nearest first, as `rows` does.

        With two encoders, `in both` tells which of them are among the nearest in the other space too.
        """
        places = self.neighbours[map_place][point].astype(np.int64)
        found = self.rows(places).drop(columns=["neighbours kept"], errors="ignore")
        if len(self.neighbours) == 2:
            found.insert(0, "in both", np.isin(places, self.neighbours[1 - map_place][point]))
        return found

    def _texts(self, chosen: pd.DataFrame) -> pd.DataFrame:
        """Return the id and text, or the two sentences, of points."""
        pairs = self.result["of"] == "pairs"
        columns = list(TEXT_COLUMNS) if pairs else ["id", "text"]
        found = pd.DataFrame(index=range(len(chosen)), columns=columns, dtype=object)
        sets, sides, rows = (chosen[name].to_numpy() for name in ("set", "side", "row"))
        for place, table in enumerate(self.tables):
            for side in np.unique(sides[sets == place]):
                mine = np.flatnonzero((sets == place) & (sides == side))
                names = columns if side == 0 else [f"id{side}", f"sentence{side}"]
                found.loc[mine, columns] = table.loc[rows[mine], names].to_numpy(dtype=object)
        return found


def map_request(
    workspace: Workspace,
    sets: Sequence[str],
    encoders: Sequence[str],
    *,
    of: Of = "records",
    precision: str = "auto",
    config: ProjectionConfig | None = None,
) -> Request:
    """Ask for a map of the texts or pairs of one or two sets, in one encoder's space or two.

    Args:
        workspace: Where everything lies.
        sets: One reference of records or pairs, or two, A and B; equal ones count once.
        encoders: One name, or two; equal ones count once.
        of: `records` draws each different text once, `pairs` each pair.
        precision: Number format of the encoders.
        config: How the map is made; by default the defaults.

    Raises:
        DataFaultError: If there are too few rows, or pairs are asked of records.
        EncoderError: If there is no encoder, or more than two.
    """
    refs = list(dict.fromkeys(canonical_ref(workspace, ref) for ref in sets))
    if not 1 <= len(refs) <= 2:
        raise DataFaultError(f"A map is of one set or of two, got {len(refs)}.")
    _require_rows(workspace, refs, of)
    names = list(dict.fromkeys(encoders))
    if not 1 <= len(names) <= 2:
        raise EncoderError(f"A map is of one encoder or of two side by side, got {len(names)}.")
    named = [named_encoder(workspace, name) for name in names]
    params = {
        "set": refs[0],
        "against": refs[1] if len(refs) > 1 else None,
        "of": of,
        "encoders": [encoder["name"] for encoder in named],
        "precision": precision,
        "config": (config or ProjectionConfig()).model_dump(mode="json"),
        "fingerprints": named,
    }
    what = "pairs" if of == "pairs" else "texts"
    return Request("map", params, f"Map the {what} of {' and '.join(refs)} with {' and '.join(names)}")


def read_map(workspace: Workspace, job_id: str) -> DrawnMap:
    """Read a finished map with the rows of its sets.

    Raises:
        JobError: If the job is no finished map, or its files are damaged.
        WorkspaceError: If a set is gone.
    """
    if read_job(workspace, job_id).kind != "map":
        raise JobError(f"The job {job_id} is no map.")
    result, folder = read_result(workspace, job_id), workspace.job(job_id)
    try:
        points = pd.read_parquet(folder / POINTS)
        with np.load(folder / NEIGHBOURS, allow_pickle=False) as file:
            neighbours = [file[f"places{place}"] for place in range(len(result["maps"]))]
    except (OSError, ValueError, KeyError) as error:
        raise JobError(f"The files of the map {job_id} cannot be read: {error}. Draw it again.") from error
    tables = [
        _table(workspace, each["ref"]).iloc[np.unique(points["row"].to_numpy()[points["set"] == place])]
        for place, each in enumerate(result["sets"])
    ]
    return DrawnMap(job_id, result, points, neighbours, tables)


def sets_of_pairs(workspace: Workspace, sets: Sequence[str]) -> bool:
    """Tell whether all sets hold pairs, so that a map can be of pairs too."""
    return all(find_dataset(workspace, ref)[0].kind == "pairs" for ref in sets)


def colourings(drawn: DrawnMap) -> dict[str, Colouring]:
    """Return what the points can be coloured by, by title: only what differs between points."""
    pairs, points = drawn.result["of"] == "pairs", drawn.points
    refs = [each["ref"] for each in drawn.result["sets"]]
    made = []
    for name in PAIR_COLOURS if pairs else TEXT_COLOURS:
        if name == "label":
            made.append(Colouring("label", LABELS, points["label"].to_numpy(np.int32)))
        elif name == "sets":
            words = {name: f"{name}: {ref}" for name, ref in zip(SET_NAMES, refs, strict=False)}
            words[" + ".join(SET_NAMES)] = "in both sets"
            made.append(_by_class("set", points["sets"].replace(words)))
        else:
            made.append(_by_class(name, points[name]))
    for place, each in enumerate(drawn.result["maps"] if pairs else ()):
        codes = _reordered(points[f"outcome{place}"].to_numpy(np.int32), _OUTCOME_ORDER)
        names = tuple(OUTCOMES[code] for code in _OUTCOME_ORDER)
        made.append(Colouring(f"errors of {each['title']}", names, codes))
        made.append(_by_number(f"cosine, {each['title']}", points[f"cosine{place}"].to_numpy(np.float32)))
    if "kept" in points:
        made.append(_by_number(CHANGE, change_of(points["kept"].to_numpy(np.int8), drawn.result["change"]["k"])))
    return {each.title: each for each in made if each.differs}


def hover_texts(drawn: DrawnMap) -> list[str]:
    """Return what is read when the mouse is over each point: the more points, the fewer characters of each.

    The first line tells id and category as far as they are known, the next ones the text or the two sentences.
    """
    longest = min(_LONGEST_HOVER, HOVER_CHARACTERS // max(1, len(drawn)))
    shown = drawn.rows(np.arange(len(drawn)))
    heads = shown.reindex(columns=["id", "category"]).astype("str")
    first = [" · ".join(part for part in row if isinstance(part, str)) for row in heads.to_numpy(dtype=object)]
    columns = [name for name in ("text", *TEXT_COLUMNS) if name in shown]
    bodies = [
        "\n".join(text[: longest // len(columns)] for text in row) for row in shown[columns].to_numpy(dtype=object)
    ]
    return [f"{head}\n{body}".strip() for head, body in zip(first, bodies, strict=True)]


def _require_rows(workspace: Workspace, refs: list[str], of: Of) -> None:
    """Refuse at once what the job would refuse: too few rows, and pairs of records."""
    n_points = 0
    for ref in refs:
        version, split = find_dataset(workspace, ref)
        if of == "pairs" and version.kind != "pairs":
            raise DataFaultError(f"{ref} holds records; a map of pairs needs a pair set. Draw its texts instead.")
        n_rows = version.splits[split] if split else version.n_rows
        n_points += n_rows * (2 if of == "records" and version.kind == "pairs" else 1)
    require_enough(n_points, "pairs" if of == "pairs" else "texts")


def _table(workspace: Workspace, ref: str) -> pd.DataFrame:
    kind = find_dataset(workspace, ref)[0].kind
    return load_pairs(workspace, ref).frame if kind == "pairs" else load_records(workspace, ref).frame


def _by_class(title: str, values: pd.Series) -> Colouring:
    """Make classes of the values that are known, the most frequent first, then by name."""
    counts = values.value_counts()
    names = sorted(counts.index, key=lambda name: (-counts[name], str(name)))
    place = {name: code for code, name in enumerate(names)}
    codes = values.map(place).fillna(-1).to_numpy(np.int32)
    return Colouring(title, tuple(map(str, names)), codes)


def _by_number(title: str, values: NDArray[np.float32]) -> Colouring:
    return Colouring(title, (), np.full(len(values), -1, np.int32), values)


def _reordered(codes: NDArray[np.int32], order: Sequence[int]) -> NDArray[np.int32]:
    back = np.full(max(order) + 2, -1, np.int32)
    back[list(order)] = np.arange(len(order))
    return back[codes]  # -1 takes the last, which stays -1


def _named(codes: NDArray[Any], names: Sequence[str]) -> NDArray[np.object_]:
    return np.array([*names, None], dtype=object)[codes]
