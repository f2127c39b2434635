"""Maps: neighbours and their change by hand and against scikit-learn, layouts that repeat, what a point stands for."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from simtune_core.difficulty.map_points import outcomes_of, pair_points, stratified, text_points
from simtune_core.difficulty.neighbourhoods import Neighbours, Space, change_of, count_kept, nearest
from simtune_core.difficulty.projection import (
    LEXICAL_DIMS,
    ProjectionConfig,
    dense,
    lay_out,
    pair_space,
    principal_components,
    require_enough,
    trustworthiness_of,
    turned_to,
)
from simtune_core.difficulty.projection_job import find_all
from simtune_core.difficulty.regions import GRID, VERTICES_AT_MOST, inside, on_grid
from simtune_core.errors import ConfigError, DataFaultError
from simtune_core.pairs import PairSet, with_pair_columns
from simtune_core.records import Records, with_record_columns

CONFIG = ProjectionConfig()
SQUARE = [[0, 0], [10, 0], [10, 10], [0, 10]]


def unit(vectors):
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def random_space(n, dim=16, seed=0):
    return Space(unit(np.random.default_rng(seed).normal(size=(n, dim))), "cosine")


def groups_of_points(n_each=40, dim=16, seed=0):
    """Return three tight groups of unit vectors, and the group of each."""
    random = np.random.default_rng(seed)
    centres = np.eye(3, dim)
    group = np.repeat(np.arange(3), n_each)
    return Space(unit(centres[group] + 0.15 * random.normal(size=(len(group), dim))), "cosine"), group


def places(*rows):
    return Neighbours(np.array(rows, np.int32), np.zeros((len(rows), len(rows[0])), np.float32))


def records(rows, ref="r@v0001"):
    return Records(with_record_columns(pd.DataFrame(rows)), ref, "hash")


def pairs(rows, ref="p@v0001"):
    return PairSet(with_pair_columns(pd.DataFrame(rows)), ref, "hash")


def test_neighbours_are_the_nearest_and_never_the_point_itself():
    """Angles 0, 10, 30 and 90 degrees: the nearest of 10 is 0, then 30; that of 90 is 30."""
    angles = np.radians([0, 10, 30, 90])
    found = nearest(Space(np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32), "cosine"), 2)

    assert found.places.tolist() == [[1, 2], [0, 2], [1, 0], [2, 1]]
    assert found.distances[0] == pytest.approx([1 - np.cos(np.radians(10)), 1 - np.cos(np.radians(30))], abs=1e-6)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_neighbours_are_those_of_scikit_learn_over_more_than_one_block(metric):
    from sklearn.neighbors import NearestNeighbors

    space = Space(random_space(310).vectors, metric)
    found = nearest(space, 5, entries=310 * 100)  # blocks of 100, 100, 100 and 10 rows
    expected = NearestNeighbors(n_neighbors=6, metric=metric, algorithm="brute").fit(space.vectors)
    distances, _ = expected.kneighbors()

    assert found.distances == pytest.approx(distances[:, :5], abs=2e-3 if metric == "euclidean" else 1e-5)


def test_sparse_vectors_have_the_neighbours_of_the_same_vectors_dense():
    vectors = np.abs(random_space(60, dim=30).vectors)
    vectors = unit(np.where(vectors > 0.15, vectors, 0))

    sparse, full = nearest(Space(csr_matrix(vectors), "cosine"), 4), nearest(Space(vectors, "cosine"), 4)

    assert np.array_equal(sparse.places, full.places)


def test_the_change_of_a_neighbourhood_is_one_minus_jaccard():
    """Of 2 neighbours each: both the same, in any order; 1 of 3 different ones in common; none of 4."""
    kept = count_kept(places([1, 2], [0, 2], [3, 4]), places([2, 1], [0, 3], [0, 1]))

    assert kept.tolist() == [2, 1, 0]
    assert change_of(kept, 2) == pytest.approx([0, 1 - 1 / 3, 1])


@given(st.integers(1, 8).flatmap(lambda k: st.tuples(*[st.permutations(range(10)).map(lambda order: order[:k])] * 2)))
def test_the_change_is_that_of_python_sets(rows):
    first, second = rows
    kept = count_kept(places(first), places(second))

    jaccard = len({*first} & {*second}) / len({*first} | {*second})
    assert change_of(kept, len(first))[0] == pytest.approx(1 - jaccard, abs=1e-6)


def test_principal_components_are_those_of_scikit_learn_but_for_their_signs():
    from sklearn.decomposition import PCA

    space = Space(random_space(80).vectors * np.arange(1, 17, dtype=np.float32), "euclidean")
    found, expected = principal_components(space, 4), PCA(4).fit_transform(space.vectors)

    assert np.abs(found) == pytest.approx(np.abs(expected), abs=1e-2)


def test_a_space_of_one_dimension_and_one_of_equal_points_still_have_two_axes():
    assert principal_components(Space(np.ones((30, 1), np.float32), "euclidean"), 2).shape == (30, 2)
    assert not principal_components(Space(np.ones((30, 5), np.float32), "cosine"), 2).any()


def test_wide_sparse_vectors_are_reduced_and_narrow_ones_kept():
    narrow = csr_matrix(np.eye(30, 8, dtype=np.float32))

    assert np.array_equal(dense(narrow), narrow.toarray())
    assert dense(csr_matrix(np.eye(300, 200, dtype=np.float32))).shape == (300, LEXICAL_DIMS)


def test_a_pairs_vector_does_not_depend_on_the_order_of_its_texts():
    one, other = random_space(40, seed=1).vectors, random_space(40, seed=2).vectors

    assert np.array_equal(pair_space(one, other).vectors, pair_space(other, one).vectors)
    assert pair_space(one, other).metric == "euclidean"


def test_a_turned_mirrored_and_shifted_map_is_brought_back():
    reference = np.random.default_rng(0).normal(size=(50, 2)).astype(np.float32)
    turn = np.array([[0.6, 0.8], [0.8, -0.6]])  # a rotation with a mirror

    assert turned_to(reference, (reference @ turn + [5, -3]).astype(np.float32)) == pytest.approx(reference, abs=1e-5)


def test_too_few_points_are_refused_with_what_is_needed():
    require_enough(20, "texts")
    with pytest.raises(DataFaultError, match=r"too few for UMAP \(needs 20\)"):
        require_enough(19, "texts")


@pytest.fixture(scope="module")
def laid_out():
    """Return three groups, their neighbours and their map."""
    space, group = groups_of_points()
    neighbours = nearest(space, 15)
    return space, group, neighbours, lay_out(space, neighbours, CONFIG)


def test_one_seed_gives_the_same_map_and_another_seed_another(laid_out):
    space, _, neighbours, found = laid_out

    assert found.shape == (120, 2)
    assert np.array_equal(lay_out(space, neighbours, CONFIG), found)
    assert not np.array_equal(lay_out(space, neighbours, ProjectionConfig(seed=1)), found)


def test_groups_that_are_apart_in_the_space_are_apart_on_the_map(laid_out):
    space, group, _, found = laid_out
    on_map = nearest(Space(found, "euclidean"), 5).places

    assert (group[on_map] == group[:, None]).mean() > 0.98
    assert trustworthiness_of(space, found, CONFIG)[0] > 0.8


def test_a_map_begins_where_it_is_told_to():
    """A flat sheet is laid out as it was, and mirrored where it begins mirrored."""
    sheet = np.random.default_rng(0).random((200, 2)).astype(np.float32)
    space = Space(sheet, "euclidean")
    neighbours = nearest(space, 15)
    straight = lay_out(space, neighbours, CONFIG, start=sheet)
    mirrored = lay_out(space, neighbours, CONFIG, start=sheet * np.array([-1, 1], np.float32))

    assert sense(straight, sheet) == 1
    assert sense(mirrored, sheet) == -1
    assert np.corrcoef(turned_to(sheet, straight)[:, 0], sheet[:, 0])[0, 1] > 0.8


def sense(coordinates, reference):
    """Return 1 if a map can be turned onto another, -1 if it must be mirrored."""
    left, _, right = np.linalg.svd((coordinates - coordinates.mean(0)).T @ (reference - reference.mean(0)))
    return np.sign(np.linalg.det(left @ right))


def test_equal_vectors_and_the_fewest_points_are_laid_out_too():
    space = Space(np.ones((20, 4), np.float32) / 2, "cosine")

    assert np.isfinite(lay_out(space, nearest(space, 15), CONFIG)).all()


def test_trustworthiness_is_that_of_scikit_learn_and_half_for_a_random_map():
    from sklearn.manifold import trustworthiness

    space, _ = groups_of_points()
    flat = principal_components(space, 2)
    value, n, k = trustworthiness_of(space, flat, CONFIG)

    assert (n, k) == (120, 10)
    assert value == pytest.approx(trustworthiness(space.vectors, flat, n_neighbors=10, metric="cosine"), abs=1e-3)
    noise = np.random.default_rng(0).normal(size=flat.shape).astype(np.float32)
    assert trustworthiness_of(random_space(400), np.tile(noise, (4, 1))[:400], CONFIG)[0] == pytest.approx(0.5, abs=0.1)


def test_a_text_is_one_point_with_all_its_splits_and_sets_and_the_first_category_known():
    first = records([
        {"id": "1", "text": "mail", "category": None, "split": "train"},
        {"id": "2", "text": "disk", "category": "storage", "split": "train"},
    ])  # fmt: skip
    second = pairs([
        {"sentence1": "mail", "sentence2": "post", "category1": "office", "category2": "office", "split": "test"},
    ])  # fmt: skip
    points = text_points([first, second])

    assert points.texts["text"].tolist() == ["mail", "disk", "post"]
    found = points.frame
    assert found[["set", "row", "side", "n"]].to_numpy().tolist() == [[0, 0, 0, 2], [0, 1, 0, 1], [1, 0, 2, 1]]
    assert found["category"].tolist() == ["office", "storage", "office"]
    assert found["split"].tolist() == ["test + train", "train", "test"]
    assert found["sets"].tolist() == ["A + B", "A", "B"]


def test_a_pair_has_its_label_its_phase_and_the_category_that_both_texts_share():
    labelled = pairs([
        {"sentence1": "a", "sentence2": "b", "label": 1, "category1": "x", "category2": "x", "phase": "easy"},
        {"sentence1": "a", "sentence2": "c", "label": 0, "category1": "x", "category2": "y", "phase": "hard"},
        {"sentence1": "a", "sentence2": "d", "label": 0, "category1": "x"},
    ])  # fmt: skip
    found = pair_points([labelled, pairs([{"sentence1": "e", "sentence2": "f"}])], cut=0.6).frame

    assert found["label"].tolist() == [1, 0, 0, -1]
    assert found["category"].fillna("unknown").tolist() == ["x", "two categories", "unknown", "unknown"]
    assert found["phase"].fillna("none").tolist() == ["easy", "hard", "none", "none"]
    assert found["sets"].tolist() == ["A", "A", "A", "B"]


def test_a_sample_keeps_the_share_of_every_category_and_is_the_same_each_time():
    frame = pd.DataFrame({"category": ["a"] * 600 + ["b"] * 300 + [None] * 100})
    rows = stratified(frame, 100, seed=3)

    drawn = frame["category"].iloc[rows].fillna("none").value_counts()
    assert drawn["a"] in (59, 60, 61)
    assert drawn["b"] in (29, 30, 31)
    assert len(set(rows)) == 100
    assert np.array_equal(rows, np.sort(rows))
    assert np.array_equal(rows, stratified(frame, 100, seed=3))
    assert not np.array_equal(rows, stratified(frame, 100, seed=4))


def test_what_an_encoder_gets_wrong_is_told_at_the_threshold_of_the_best_mcc_or_a_given_one():
    """At 0.5 everything is right but the last; at 0.85 two similar pairs are missed. -1 has no label."""
    cosines, labels = np.array([0.9, 0.8, 0.2, 0.1, 0.7, 0.6], np.float32), np.array([1, 1, 0, 0, -1, 0], np.int8)

    best, threshold = outcomes_of(cosines, labels, None)
    assert best.tolist() == [3, 3, 0, 0, -1, 0]
    assert threshold == pytest.approx(0.7)  # midway between 0.8 and 0.6
    given_one, threshold = outcomes_of(cosines, labels, 0.85)
    assert given_one.tolist() == [3, 2, 0, 0, -1, 0]
    assert threshold == 0.85
    assert outcomes_of(cosines, np.ones(6, np.int8), None)[1] is None


def test_points_inside_a_square_and_a_notched_polygon():
    points = np.array([[5, 5], [0, 20], [2, 8], [9, 4]], np.uint16)

    assert inside(SQUARE, points).tolist() == [True, False, True, True]
    notched = [[0, 0], [10, 0], [10, 10], [5, 1], [0, 10]]  # a V cut out from above
    assert inside(notched, points).tolist() == [False, False, False, True]


@pytest.mark.parametrize("corners", [[[0, 0], [1, 1]], [[0, 0]] * (VERTICES_AT_MOST + 1), [], [[1], [2], [3]]])
def test_what_is_no_polygon_is_refused(corners):
    with pytest.raises(ConfigError, match="3 to 100 corners"):
        inside(corners, np.zeros((1, 2), np.uint16))


def test_the_grid_keeps_the_shape_of_a_map():
    found = on_grid([[-1.0, 0.0], [3.0, 1.0]])

    assert found.tolist() == [[0, 0], [GRID, round(GRID / 4)]]
    assert on_grid([[2.0, 2.0], [2.0, 2.0]]).tolist() == [[0, 0], [0, 0]]


def test_a_sampled_map_says_so_and_one_that_misleads_is_a_warning():
    told = {"of": "records", "n_points": 40, "n_all": 40, "config": CONFIG.model_dump(mode="json")}
    good = told | {"maps": [{"title": "minilm", "trustworthiness": 0.93}]}
    poor = told | {"n_all": 90, "maps": [{"title": "minilm", "trustworthiness": 0.61}]}

    assert find_all(good) == []
    assert [(each["code"], each["severity"]) for each in find_all(poor)] == [
        ("map_sampled", "info"),
        ("map_misleads", "warning"),
    ]
    assert "40 of 90 texts" in find_all(poor)[0]["message"]
    assert "0.610, below 0.8" in find_all(poor)[1]["message"]
