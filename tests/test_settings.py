"""Tests of reading settings: whatever the text, a mistake in it is a sentence."""

import pytest
from pydantic import Field

from simtune_core.errors import ConfigError
from simtune_core.settings import Settings, with_overrides


class Wish(Settings):
    """Three settings."""

    names: tuple[str, ...] = ()
    rate: float = Field(default=0.5, ge=0, le=1)
    parts: tuple[str, ...] = Field(("whole",), min_length=1)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("1: 2", "1 is not a setting here"),
        ("self: 2", "self is not a setting here"),
        ("null: 2", "None is not a setting here"),
        ("rates: 2", "rates is not a setting here"),
        ("false", "must be a mapping of names to values, got bool"),
        ("names: [a", r"The settings must be YAML or JSON, got 'names: \[a', which is neither"),
        ("rate: 2020-13-45", "which is neither: month must be in 1"),
        ("[" * 5000, "which is neither: maximum recursion depth"),
        ("names: 3", "names: input should be a valid list, got 3"),
        ("parts: []", "parts: list should have at least 1 item, not 0, got"),
        ("rate: 7", "rate: input should be less than or equal to 1, got 7"),
    ],
)
def test_a_mistake_in_a_settings_file_is_a_sentence(text, sentence):
    with pytest.raises(ConfigError, match=sentence):
        Wish.from_text(text)


def test_an_empty_settings_file_is_the_defaults():
    assert Wish.from_text("# nothing chosen\n") == Wish()


def test_an_override_that_is_no_yaml_is_a_sentence():
    assert with_overrides(Wish(), ["names=[a, b]"]).names == ("a", "b")
    with pytest.raises(ConfigError, match=r"The value of names must be YAML or JSON, got '\[a', which is neither"):
        with_overrides(Wish(), ["names=[a"])
