"""Pairs laid out for a loss: by hand, by property against every combination, and by the losses themselves."""

import itertools
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simtune_core.curriculum.formats import (
    LOSS_FORMATS,
    OUTPUT_FORMATS,
    FormatConfig,
    LeftOut,
    format_pairs,
    text_columns,
)
from simtune_core.errors import DataFaultError
from simtune_core.pairs import PairSet, with_pair_columns
from simtune_core.training.losses import CONTRACTS


def pair_set(rows, columns=("sentence1", "sentence2", "label")):
    return PairSet(with_pair_columns(pd.DataFrame(rows, columns=list(columns))), "set@v0001", "content")


def laid_out(pairs, output_format, details=None, **settings):
    return format_pairs(pairs, FormatConfig(output_format=output_format, **settings), details)


def counted(formatted):
    return {left.reason: left.n for left in formatted.left_out}


MINED = [
    ("a", "p", 1), ("a", "n1", 0), ("a", "n2", 0), ("a", "n3", 0), ("b", "q", 1), ("b", "m1", 0), ("b", "q2", 1),
    ("b", "m2", 0), ("c", "r", 1),
]  # fmt: skip
DRAWN = [("a", "b", 1), ("c", "b", 0), ("a", "d", 0), ("e", "f", 0), ("g", "h", 1), ("h", "g", 0)]


def test_an_anchored_set_gives_every_triplet():
    made = laid_out(pair_set(MINED), "triplets")

    assert made.frame[["anchor", "positive", "negative"]].to_numpy().tolist() == [
        ["a", "p", "n1"], ["a", "p", "n2"], ["a", "p", "n3"],
        ["b", "q", "m1"], ["b", "q", "m2"], ["b", "q2", "m1"], ["b", "q2", "m2"],
    ]  # fmt: skip
    assert counted(made) == {"no_negative": 1}  # c has no negative
    assert (made.n_pairs, made.n_positives, made.texts, made.target) == (9, 4, text_columns(FormatConfig(
        output_format="triplets")), None)  # fmt: skip
    assert made.notes == (
        "The first record of each pair is the anchor: every negative has a positive of the same first record.",
    )


def test_positives_of_one_anchor_take_its_negatives_in_turn():
    made = laid_out(pair_set(MINED), "triplets", num_negatives=1)

    assert made.frame[["anchor", "positive", "negative"]].to_numpy().tolist() == [
        ["a", "p", "n1"], ["b", "q", "m1"], ["b", "q2", "m2"],
    ]  # fmt: skip
    # of the 7 triplets 4 are beyond the limit; n2 and n3 are in none
    assert counted(made) == {"limit": 4, "unused_negatives": 2, "no_negative": 1}


def test_a_tuple_is_full_or_is_not_made():
    made = laid_out(pair_set(MINED), "tuples", num_negatives=3)

    assert made.frame.columns.tolist() == [
        "anchor", "positive", "negative_1", "negative_2", "negative_3", "phase", "split",
    ]  # fmt: skip
    assert made.frame.iloc[:, :5].to_numpy().tolist() == [["a", "p", "n1", "n2", "n3"]]
    assert made.left_out == (  # q and q2 have two negatives, r none; m1 and m2 are in no tuple
        LeftOut("few_negatives", 2, "Positives with fewer than 3 negatives. Nothing is repeated to fill a row: ask for "
                "fewer negatives, or mine more."),
        LeftOut("unused_negatives", 2, "Negatives that are in none of the tuples: they share no record with a positive "
                "of their phase and split, repeat a text, or are more than are taken."),
        LeftOut("no_negative", 1, "Positives that share no record with a negative of their phase and split. Mine hard "
                "negatives to give each of them its own."),
    )  # fmt: skip


def test_pairs_drawn_one_by_one_are_joined_by_a_record_of_either_side():
    made = laid_out(pair_set(DRAWN), "triplets")

    assert made.frame[["anchor", "positive", "negative"]].to_numpy().tolist() == [["a", "b", "d"], ["b", "a", "c"]]
    # g-h is a positive and, turned round, a negative; e-f shares no record
    assert counted(made) == {"contradicting": 1, "unused_negatives": 1, "no_negative": 1}


def test_records_join_pairs_even_where_their_texts_were_changed():
    rows = [("printer jam", "paper stuck", 1, "1", "2"), ("printr jam", "vpn down", 0, "1", "3")]
    made = laid_out(pair_set(rows, ("sentence1", "sentence2", "label", "id1", "id2")), "triplets")

    assert made.frame.iloc[0, :3].tolist() == ["printer jam", "paper stuck", "vpn down"]


def test_phases_and_splits_are_kept_and_never_crossed():
    columns = ("sentence1", "sentence2", "label", "phase", "split")
    rows = [
        ("a", "p", 1, "easy", "train"), ("a", "n", 0, "hard", "train"), ("a", "m", 0, "easy", "dev"),
        ("a", "k", 0, "easy", "train"),
    ]  # fmt: skip
    made = laid_out(pair_set(rows, columns), "triplets")

    assert made.frame.to_numpy().tolist() == [["a", "p", "k", "easy", "train"]]
    for kind in ("pairs", "scored"):
        assert laid_out(pair_set(rows, columns), kind).frame["phase"].tolist() == ["easy", "hard", "easy", "easy"]


def test_labelled_and_scored_pairs_keep_every_pair_and_positives_the_similar_ones():
    pairs = pair_set(MINED)
    labelled, scored, positives = (laid_out(pairs, kind) for kind in ("pairs", "scored", "positives"))

    assert labelled.frame["label"].tolist() == [1, 0, 0, 0, 1, 0, 1, 0, 1]
    assert labelled.frame["label"].dtype == np.int64  # contrastive losses want whole numbers
    assert scored.frame["score"].tolist() == [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0]
    assert (labelled.target, scored.target, positives.target) == ("label", "score", None)
    assert positives.frame[["anchor", "positive"]].to_numpy().tolist() == [
        ["a", "p"], ["b", "q"], ["b", "q2"], ["c", "r"],
    ]  # fmt: skip
    assert counted(positives) == {"negatives": 5}


def test_a_score_may_be_the_similarity_that_a_pair_was_cut_by():
    details = pd.DataFrame({"similarity": [0.9, np.nan, 0.2]})
    made = laid_out(pair_set(MINED[:3]), "scored", details, score="similarity")

    assert made.frame[["sentence2", "score"]].to_numpy().tolist() == [["p", 0.9], ["n2", 0.2]]
    assert counted(made) == {"no_similarity": 1}
    with pytest.raises(DataFaultError, match=r"set@v0001 does not tell the similarity of its pairs"):
        laid_out(pair_set(MINED), "scored", None, score="similarity")


def test_graded_pairs_are_similar_from_the_cut_on_and_that_is_said():
    pairs = pair_set([("a", "b", 0.9), ("a", "c", 0.5), ("a", "d", 0.1)], ("sentence1", "sentence2", "score"))

    assert laid_out(pairs, "pairs", score_cut=0.5).frame["label"].tolist() == [1, 1, 0]
    assert laid_out(pairs, "pairs", score_cut=0.6).frame["label"].tolist() == [1, 0, 0]
    assert laid_out(pairs, "pairs").notes == ("A pair counts as similar from the score 0.6 on.",)
    assert laid_out(pairs, "scored").frame["score"].tolist() == [0.9, 0.5, 0.1]


def test_where_no_row_is_left_the_reason_is_a_sentence():
    with pytest.raises(DataFaultError, match=r"set@v0001 gives no triplets. 1: Positives that share no record"):
        laid_out(pair_set([("a", "b", 1)]), "triplets")
    with pytest.raises(DataFaultError, match="must have a label"):
        laid_out(pair_set([("a", "b")], ("sentence1", "sentence2")), "pairs")


GRAPHS = st.lists(
    st.tuples(st.sampled_from("abcdef"), st.sampled_from("abcdef"), st.integers(0, 1), st.sampled_from(["1", "2"])),
    min_size=1, max_size=14,
)  # fmt: skip


def every_triplet(rows):
    """Return every (anchor, positive, negative, phase) of pairs that share a record, the plain way."""
    both = {frozenset(row[:2]) for row in rows if row[2] == 1}
    found = set()
    for (a, b, _, phase), (c, d, _, other) in itertools.product(
        [row for row in rows if row[2] == 1],
        [row for row in rows if row[2] == 0 and row[0] != row[1] and frozenset(row[:2]) not in both],
    ):
        if phase == other:
            for anchor, positive in ((a, b), (b, a)):
                found |= {(anchor, positive, n, phase) for m, n in ((c, d), (d, c)) if m == anchor}
    return found


@given(GRAPHS, st.integers(1, 3))
def test_triplets_are_those_of_all_combinations_and_tuples_are_whole(rows, k):
    pairs = pair_set(rows, ("sentence1", "sentence2", "label", "phase"))
    possible = every_triplet(rows)
    if not possible:
        with pytest.raises(DataFaultError):
            laid_out(pairs, "triplets", num_negatives=100)
        return
    made = laid_out(pairs, "triplets", num_negatives=100)
    triplets = [tuple(row) for row in made.frame[["anchor", "positive", "negative", "phase"]].to_numpy()]
    first = made.notes[0].startswith("The first record")

    assert len(set(triplets)) == len(triplets)
    assert set(triplets) <= possible
    assert first or set(triplets) == possible
    few = laid_out(pairs, "triplets", num_negatives=k).frame
    assert {tuple(row) for row in few[["anchor", "positive", "negative", "phase"]].to_numpy()} <= set(triplets)
    positives = max(counts := [sum(row[2] == 1 and row[3] == phase for row in rows) for phase in ("1", "2")])
    assert len(few) <= k * max(positives, sum(counts))


@given(GRAPHS, st.integers(1, 3))
def test_each_tuple_holds_one_anchor_one_positive_and_different_negatives(rows, k):
    pairs = pair_set(rows, ("sentence1", "sentence2", "label", "phase"))
    possible = every_triplet(rows)
    by_ends = {}
    for anchor, positive, negative, phase in possible:
        by_ends.setdefault((anchor, positive, phase), set()).add(negative)
    if not any(len(negatives) >= k for negatives in by_ends.values()):
        with pytest.raises(DataFaultError):
            laid_out(pairs, "tuples", num_negatives=k)
        return
    try:
        made = laid_out(pairs, "tuples", num_negatives=k).frame
    except DataFaultError:  # an anchored set whose first records have too few
        assert all(row[0] in {r[0] for r in rows if r[2] == 1} for row in rows)
        return
    for row in made.itertuples(index=False):
        negatives = list(row[2 : 2 + k])
        assert len(set(negatives)) == k
        assert set(negatives) <= by_ends[row.anchor, row.positive, row.phase]


def documented(class_name):
    """Return the inputs and labels that sentence-transformers' own documentation of a loss lists, row by row."""
    from sentence_transformers.sentence_transformer import losses

    cells = re.findall(r"^\s*\|([^|]+)\|([^|]+)\|\s*$", getattr(losses, class_name).__init__.__doc__ or "", re.M)
    return {(texts.strip(), label.strip()) for texts, label in cells}


ASKED = {  # what the documentation calls each format, inputs and label
    "pairs": {("(input_A, input_B) pairs", "float similarity score"),
              ("(anchor, positive/negative) pairs", "1 if positive, 0 if negative")},
    "scored": {("(input_A, input_B) pairs", "float similarity score")},
    "positives": {("(anchor, positive) pairs", "none")},
    "triplets": {("(anchor, positive, negative) triplets", "none")},
    "tuples": {("(anchor, positive, negative_1, ..., negative_n)", "none")},
}  # fmt: skip


@pytest.mark.parametrize("loss", LOSS_FORMATS)
def test_a_loss_takes_the_formats_that_its_own_documentation_lists(loss):
    told = documented(LOSS_FORMATS[loss].class_name)

    assert {kind for kind in OUTPUT_FORMATS if ASKED[kind] & told} == set(LOSS_FORMATS[loss].output_formats)


def test_every_loss_of_training_has_its_formats():
    assert {name: LOSS_FORMATS[name].class_name for name in CONTRACTS} == {
        name: contract.class_name for name, contract in CONTRACTS.items()
    }


@pytest.fixture(scope="module")
def tiny_model():
    """Return a model of random word vectors."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace

    words = sorted({text for row in MINED for text in row[:2]})
    tokenizer = Tokenizer(WordLevel({word: place for place, word in enumerate(["?", *words])}, unk_token="?"))
    tokenizer.pre_tokenizer = Whitespace()
    return SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_dim=8)], device="cpu")


@pytest.mark.parametrize(
    ("loss", "kind"), [(loss, kind) for loss, told in LOSS_FORMATS.items() for kind in told.output_formats]
)
def test_a_loss_learns_from_the_rows_as_they_are(loss, kind, tiny_model):
    """The trainer's own collator tells texts from target, and the loss moves word vectors."""
    from sentence_transformers.sentence_transformer import losses
    from sentence_transformers.sentence_transformer.data_collator import SentenceTransformerDataCollator

    made = laid_out(pair_set(MINED), kind, num_negatives=2)
    columns = [*made.texts, *([made.target] if made.target else [])]
    collate = SentenceTransformerDataCollator(preprocess_fn=tiny_model.preprocess)
    batch = collate(made.frame[columns].to_dict("records"))
    features = [
        {name.removeprefix(f"{column}_"): value for name, value in batch.items() if name.startswith(f"{column}_")}
        for column in made.texts
    ]
    tiny_model.zero_grad()
    value = getattr(losses, LOSS_FORMATS[loss].class_name)(tiny_model)(features, batch.get("label"))
    value.backward()

    assert (batch.get("label") is not None) == (made.target is not None)
    assert np.isfinite(value.item())
    moved = next(tiny_model.parameters()).grad.abs().sum(dim=1) > 0
    assert moved.sum() > 0
