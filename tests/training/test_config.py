"""Defaults by method, overrides and bounds of the training settings."""

import pytest

from simtune_core.errors import ConfigError
from simtune_core.settings import with_overrides
from simtune_core.training.config import METHOD_BATCH_SIZE, METHOD_LEARNING_RATE, METHODS, TrainingConfig, fields_of


@pytest.mark.parametrize("method", METHODS)
def test_an_empty_learning_rate_is_the_methods_default_and_says_so(method):
    config = TrainingConfig(method=method)
    assert config.effective().learning_rate == METHOD_LEARNING_RATE[method]
    assert config.source("learning_rate") == f"default for {method}"


def test_a_learning_rate_that_was_set_is_kept_and_says_so():
    config = with_overrides(TrainingConfig(method="lora"), ["learning_rate=5e-5"])
    assert config.effective().learning_rate == 5e-5
    assert config.source("learning_rate") == "set"


def test_overrides_read_numbers_lists_and_nothing():
    config = with_overrides(TrainingConfig(), ["method=lora", "target_modules=query, value", "max_steps="])
    assert (config.method, config.target_modules, config.max_steps) == ("lora", ("query", "value"), None)


@pytest.mark.parametrize("text", ["lr=1e-4", "learning_rate"])
def test_an_unknown_override_is_refused_with_the_known_names(text):
    with pytest.raises(ConfigError, match="learning_rate, per_device_train_batch_size"):
        with_overrides(TrainingConfig(), [text])


def test_a_value_out_of_bounds_is_refused_by_name():
    with pytest.raises(ConfigError, match=r"learning_rate: .* got 0"):
        with_overrides(TrainingConfig(), ["learning_rate=0"])


def test_settings_that_the_method_does_not_read_are_named():
    assert TrainingConfig(method="head", r=8, loss="cosent").unused() == ["loss", "r"]
    assert TrainingConfig(method="head", score_cut=0.4).unused() == []  # its dev labels are cut by it
    assert TrainingConfig(method="lora", r=8, loss="cosent").unused() == []
    assert "r" not in fields_of("full")


@pytest.mark.parametrize(
    ("name", "values"), [("learning_rate", METHOD_LEARNING_RATE), ("per_device_train_batch_size", METHOD_BATCH_SIZE)]
)
def test_help_texts_name_the_defaults_that_are_used(name, values):
    text = TrainingConfig.model_fields[name].description
    for method in METHODS:
        assert f"{getattr(TrainingConfig(method=method).effective(), name):g} for {method}" in text
        assert getattr(TrainingConfig(method=method).effective(), name) == values[method]
