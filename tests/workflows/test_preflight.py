"""What a page or command asks of a preflight, and what it shows of the answer."""

import pandas as pd
import pytest

from simtune_core.datasets import save_pairs
from simtune_core.difficulty.preflight.config import PreflightConfig
from simtune_core.encoders.config import EncodingConfig
from simtune_core.errors import ConfigError, DataFaultError
from simtune_core.jobs.kinds import load_kind, needs_device
from simtune_core.workflows.foresight import estimate
from simtune_core.workflows.preflight import number_lines, preflight_request, preflight_view
from tests.workflows.preflights import FIX_DATA, ONE_SET

MINILM, TFIDF = EncodingConfig(encoder="minilm"), EncodingConfig(encoder="tfidf")


@pytest.fixture
def two_sets(workspace):
    frame = pd.DataFrame({"sentence1": ["a cat", "a dog"], "sentence2": ["one cat", "the sea"], "label": [1, 0]})
    save_pairs(workspace, "pairs", pd.concat([frame.assign(split=part) for part in ("train", "test")]), provenance={})
    return workspace


def test_a_request_names_canonical_sets_settings_and_the_encoders_fingerprint(two_sets):
    request = preflight_request(two_sets, "pairs:train", "pairs:test", MINILM, score_cut=0.7)

    assert request.kind == "preflight"
    assert (request.params["set"], request.params["against"]) == ("pairs@v0001:train", "pairs@v0001:test")
    assert (request.params["score_cut"], request.params["seed"]) == (0.7, PreflightConfig().seed)
    assert request.params["fingerprints"][0]["name"] == "minilm"
    assert request.title == "Preflight of pairs@v0001:train for pairs@v0001:test with minilm"
    assert load_kind(request.kind).__module__ == "simtune_core.difficulty.preflight.job"
    assert estimate(two_sets, request) > 0


def test_only_a_space_with_a_model_waits_for_the_device(two_sets):
    spaces = [preflight_request(two_sets, "pairs", None, encoding, score_cut=0.6) for encoding in (MINILM, TFIDF)]

    assert [needs_device(each.kind, each.params) for each in spaces] == [True, False]


def test_a_set_is_not_judged_on_itself_and_a_bad_cut_is_refused(two_sets):
    with pytest.raises(DataFaultError, match="both are pairs@v0001:train"):
        preflight_request(two_sets, "pairs:train", "pairs@v0001:train", MINILM, score_cut=0.6)
    with pytest.raises(ConfigError, match="score_cut"):
        preflight_request(two_sets, "pairs:train", None, MINILM, score_cut=1.5)


def test_a_result_is_read_back_whole():
    view = preflight_view(FIX_DATA)

    assert view.verdict.verdict == "FIX DATA"
    assert view.train.roc_auc == 0.998
    assert view.coverage.gaps[0].share == 0.3
    assert view.shift.importance[0] == ("TF-IDF cosine", 0.46)
    assert view.probe.inside.gain == pytest.approx(0.001)
    assert view.detectable.n_pairs_needed == 10577


def test_the_numbers_behind_a_verdict_are_words():
    lines = dict(number_lines(preflight_view(FIX_DATA)))

    assert lines["ROC-AUC of the baseline, training pairs"] == "0.998"
    assert lines["of the negatives, of the positives"] == "69.8%, 87.8%"
    assert lines["gain on the test pairs"] == "+0.035 (+0.007 to +0.064)"
    assert lines["test pairs that would show 0.01"] == "about 11,000"
    assert lines["told apart by (loss of ROC-AUC when shuffled)"] == "TF-IDF cosine 0.460"
    assert lines["training pairs of the probe"] == "3,854"


def test_one_set_has_its_own_numbers_only():
    view = preflight_view(ONE_SET)

    assert view.verdict is None
    assert [label for label, _ in number_lines(view)] == [
        "ROC-AUC of the baseline, training pairs", "separability, training pairs", "ROC-AUC of TF-IDF, training pairs",
    ]  # fmt: skip
