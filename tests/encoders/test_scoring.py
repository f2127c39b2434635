"""Scores are computed once, read from the cache afterwards, and never wrong because of it."""

import numpy as np
import pandas as pd
import pytest

from simtune_core.encoders import scoring
from simtune_core.encoders.catalogue import resolve_encoder
from simtune_core.encoders.scoring import count_texts, keep_scores, read_scores, score_file, score_pairs
from simtune_core.pairs import PairSet, with_pair_columns

TEXTS = [
    "mail server down",
    "printer jam",
    "paper stuck in printer",
    "new laptop wanted",
    "mail does not arrive",
    "printer on fire",
]


def pair_set(name, rows):
    frame = pd.DataFrame(
        {"sentence1": [TEXTS[a] for a, _ in rows], "sentence2": [TEXTS[b] for _, b in rows], "label": 1.0}
    )
    return PairSet(with_pair_columns(frame), f"{name}@v0001", f"content of {name}")


ONE, OTHER = pair_set("one", [(0, 4), (1, 2), (1, 3)]), pair_set("other", [(2, 5), (0, 1)])


def kept(workspace):
    return sorted((workspace.cache / scoring.GROUP).glob("*.npz"))


@pytest.fixture
def tfidf(workspace):
    return resolve_encoder(workspace, "tfidf")


def test_scores_are_kept_and_read_again(workspace, tfidf):
    (first,) = score_pairs(workspace, tfidf, [ONE])
    (path,) = kept(workspace)
    keep_scores(workspace, path, np.array([0.5, 0.25, 0.125], dtype=np.float32), n_texts=5)

    assert first.dtype == np.float32 and first[1] > first[2] == 0.0
    assert score_pairs(workspace, tfidf, [ONE])[0].tolist() == [0.5, 0.25, 0.125]  # what is kept is what is given


def test_tfidf_scores_belong_to_the_sets_it_was_fitted_on_in_any_order(workspace, tfidf):
    alone = score_pairs(workspace, tfidf, [ONE])[0]
    together = score_pairs(workspace, tfidf, [ONE, OTHER])
    assert len(kept(workspace)) == 3  # one alone, both together
    turned = score_pairs(workspace, tfidf, [OTHER, ONE])

    assert len(kept(workspace)) == 3
    assert alone[1] != together[0][1]  # the other set's words count
    assert [np.array_equal(a, b) for a, b in zip(together, turned[::-1], strict=True)] == [True, True]
    for path in kept(workspace):
        path.unlink()
    fresh = score_pairs(workspace, tfidf, [OTHER, ONE])
    assert [np.array_equal(a, b) for a, b in zip(together, fresh[::-1], strict=True)] == [True, True]


def test_a_transformer_scores_a_set_alone_as_among_others_and_only_what_is_new(workspace, minilm):
    told = []
    alone = score_pairs(workspace, minilm, [ONE], precision="fp32")[0]
    both = score_pairs(workspace, minilm, [ONE, OTHER], precision="fp32", progress=lambda *told_: told.append(told_))

    assert len(kept(workspace)) == 2
    np.testing.assert_array_equal(both[0], alone)
    assert told[-1][1] == 0 or told[-1][2].startswith(("embedding", "all texts"))
    score_pairs(workspace, minilm, [ONE, OTHER], precision="fp32", progress=lambda *told_: told.append(told_))
    assert told[-1] == (1, 1, "all pairs were scored before")


def test_precisions_content_and_encoders_have_scores_of_their_own(workspace, minilm, tfidf):
    places = {
        score_file(workspace, minilm, ONE, precision="fp32"),
        score_file(workspace, minilm, ONE, precision="bf16"),
        score_file(workspace, minilm, OTHER, precision="fp32"),
        score_file(workspace, tfidf, ONE, fitted_on=[ONE], precision="fp32"),
        score_file(workspace, tfidf, ONE, fitted_on=[ONE, OTHER], precision="fp32"),
    }
    assert len(places) == 5
    # what TF-IDF ignores does not part its scores
    same = score_file(workspace, tfidf, ONE, fitted_on=[ONE, ONE], precision="bf16")
    assert same == score_file(workspace, tfidf, ONE, fitted_on=[ONE], precision="fp32")


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "longer", "of another kind", "not finite"])
def test_damaged_scores_are_computed_again(workspace, tfidf, damage):
    (right,) = score_pairs(workspace, tfidf, [ONE])
    (path,) = kept(workspace)
    content = bytearray(path.read_bytes())
    if damage == "cut":
        path.write_bytes(content[:-40])
    elif damage == "flipped":
        content[content.find(right.tobytes()) + 1] ^= 0xFF
        path.write_bytes(content)
    elif damage == "empty":
        path.write_bytes(b"")
    else:
        made = {
            "longer": np.zeros(4, np.float32),
            "of another kind": np.zeros(3),
            "not finite": np.full(3, np.nan, np.float32),
        }
        keep_scores(workspace, path, made[damage], n_texts=5)

    assert read_scores(path, 3) is None
    np.testing.assert_array_equal(score_pairs(workspace, tfidf, [ONE])[0], right)
    np.testing.assert_array_equal(read_scores(path, 3), right)


def test_many_pairs_are_multiplied_in_parts_to_the_same_scores(workspace, tfidf, monkeypatch):
    rows = [(a, b) for a in range(5) for b in range(5)]
    whole = score_pairs(workspace, tfidf, [pair_set("many", rows)])[0]
    monkeypatch.setattr(scoring, "_ROWS", 4)

    np.testing.assert_array_equal(score_pairs(workspace, tfidf, [pair_set("the same", rows)])[0], whole)
    assert whole[0] == pytest.approx(1.0)  # a text with itself


def test_texts_are_counted_with_and_without_kept_scores(workspace, tfidf):
    expected = len({*ONE.unique_texts(), *OTHER.unique_texts()})
    assert count_texts(workspace, [ONE, OTHER]) == expected
    score_pairs(workspace, tfidf, [ONE, OTHER])

    assert count_texts(workspace, [ONE, OTHER]) == expected
    kept_of_one = score_file(workspace, tfidf, ONE, fitted_on=[ONE, OTHER], precision="fp32")
    keep_scores(workspace, kept_of_one, np.zeros(3, np.float32), n_texts=77)
    assert count_texts(workspace, [ONE, OTHER]) == 77  # what is noted is what is told
