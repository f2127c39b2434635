"""What each loss asks of the pairs, and that its contract is true of the live loss."""

import pandas as pd
import pytest

from simtune_core.errors import TrainingError
from simtune_core.pairs import PairSet, with_pair_columns
from simtune_core.training.losses import CONTRACTS, build_loss, rows_for


def pair_set(**columns):
    n_pairs = len(next(iter(columns.values())))
    texts = {"sentence1": [f"a{row}" for row in range(n_pairs)], "sentence2": [f"b{row}" for row in range(n_pairs)]}
    return PairSet(with_pair_columns(pd.DataFrame({**texts, **columns})), "set@v0001", "hash")


def test_multiple_negatives_ranking_takes_positives_only_and_counts_the_rest():
    rows = rows_for("multiple_negatives_ranking", pair_set(label=[1, 0, 1, 0, 0]), score_cut=0.6)
    assert (rows.rows.tolist(), rows.targets, rows.n_dropped) == ([0, 2], None, 3)


def test_multiple_negatives_ranking_cuts_graded_scores():
    rows = rows_for("multiple_negatives_ranking", pair_set(score=[0.9, 0.6, 0.59]), score_cut=0.6)
    assert (rows.rows.tolist(), rows.n_dropped) == ([0, 1], 1)


@pytest.mark.parametrize("loss", ["cosine_similarity", "cosent"])
def test_losses_that_read_targets_take_every_pair_as_floats(loss):
    rows = rows_for(loss, pair_set(score=[0.9, 0.2]), score_cut=0.6)
    assert (rows.rows.tolist(), rows.targets.tolist(), rows.n_dropped) == ([0, 1], [0.9, 0.2], 0)


def test_a_loss_that_cannot_learn_from_the_pairs_is_refused():
    with pytest.raises(TrainingError, match=r"CoSENTLoss learns from differences.*got 2 pairs that all have"):
        rows_for("cosent", pair_set(label=[1, 1]), score_cut=0.6)
    with pytest.raises(TrainingError, match=r"must hold at least 2, got 1 of 3"):
        rows_for("multiple_negatives_ranking", pair_set(label=[1, 0, 0]), score_cut=0.6)


@pytest.mark.parametrize("loss", list(CONTRACTS))
def test_a_loss_moves_with_flipped_labels_exactly_when_its_contract_says_so(loss, minilm):
    import torch

    from simtune_core.encoders.loading import load_model

    model = load_model(minilm)
    module = build_loss(loss, model)
    assert type(module).__name__ == CONTRACTS[loss].class_name
    features = [model.preprocess(side) for side in (["printer jam", "vpn down"], ["printer is stuck", "free lunch"])]
    with torch.no_grad():
        given, flipped = (float(module(features, torch.tensor(labels))) for labels in ([1.0, 0.0], [0.0, 1.0]))
    assert (given != flipped) == CONTRACTS[loss].reads_targets
