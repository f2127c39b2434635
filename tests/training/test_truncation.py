"""What a limit in tokens cuts, counted by hand on the real tokenizer."""

from simtune_core.encoders.loading import load_model
from simtune_core.training.truncation import Truncation, limit_length


def test_texts_that_are_cut_are_counted_at_both_limits(minilm):
    model = load_model(minilm)  # reads 256 tokens; "printer" is one token, and two special tokens come with each text
    texts = ["printer " * words for words in (1, 14, 15, 254, 255)] + ["printer "]
    assert limit_length(model, 16, texts) == Truncation(16, 256, n_texts=5, n_cut=3, n_cut_by_base=1)
    assert model.max_seq_length == 16


def test_a_limit_beyond_what_the_model_reads_is_the_models_own(minilm):
    model = load_model(minilm)
    assert limit_length(model, 8192, ["short", "printer " * 300]) == Truncation(256, 256, 2, 1, 1)
    assert model.max_seq_length == 256
