"""The estimate of a training's time, by hand."""

import pytest

from simtune_core.training.config import TrainingConfig
from simtune_core.training.estimate import estimate_seconds


def seconds(n_pairs, *, n_dev=500, n_gpus=0, cores=2, size=1.0, **config):
    return estimate_seconds(n_pairs, TrainingConfig(**config), n_dev=n_dev, n_gpus=n_gpus, cores=cores, size=size)


def test_a_lora_run_takes_its_pairs_and_its_scores():
    """8,000 pairs at 10 a second, and 6 scores of 1,000 texts at 100 a second."""
    assert seconds(8000, method="lora") == pytest.approx(800 + 60)


def test_a_limit_of_steps_a_longer_input_and_more_epochs_count():
    assert seconds(8000, method="lora", max_steps=10, evaluations=1) == pytest.approx(32 + 20)
    assert seconds(8000, method="lora", max_steps=10, evaluations=1, max_seq_length=256) == pytest.approx(2 * (32 + 20))
    assert seconds(700, method="full", epochs=2, n_dev=0) == pytest.approx(200)


def test_more_cores_are_faster_up_to_sixteen_and_larger_weights_are_slower():
    one = seconds(8000, method="lora")
    assert seconds(8000, method="lora", cores=4) == pytest.approx(one / 2)
    assert seconds(8000, method="lora", cores=64) == pytest.approx(one / 8)
    assert seconds(8000, method="lora", size=4.0) == pytest.approx(one * 4)


def test_the_head_takes_the_embedding_and_seconds():
    """20,000 texts at 100 a second, and 48 passes over 8,000 pairs at 32,000 a second."""
    assert seconds(8000, method="head", n_dev=2000) == pytest.approx(200 + 12)


def test_with_a_gpu_nothing_is_estimated():
    assert seconds(8000, method="lora", n_gpus=1) is None
