"""The settings of a workspace: values, sources, and what a wrong value says."""

import pytest

from simtune_core.errors import ConfigError
from simtune_core.preferences import FILE, Preferences, change_preferences, list_preferences, preferences_of


def sources(workspace):
    return {each.name: each.source for each in list_preferences(workspace)}


def test_without_a_file_every_value_is_its_default(workspace):
    assert preferences_of(workspace) == Preferences()
    assert set(sources(workspace).values()) == {"default"}


def test_a_changed_value_comes_from_the_file_and_none_takes_it_out_again(workspace):
    change_preferences(workspace, {"cache_limit_gb": 3.5, "grace_seconds": 5})
    assert preferences_of(workspace).cache_limit_gb == 3.5
    assert sources(workspace)["cache_limit_gb"] == "file"

    change_preferences(workspace, {"cache_limit_gb": None})
    assert preferences_of(workspace).cache_limit_gb == Preferences().cache_limit_gb
    assert sources(workspace) == {**sources(workspace), "cache_limit_gb": "default", "grace_seconds": "file"}


def test_the_environment_wins_over_the_file_and_cannot_be_changed_on_a_page(workspace, monkeypatch):
    change_preferences(workspace, {"device_slots": 2})
    monkeypatch.setenv("SIMTUNE_DEVICE_SLOTS", "3")
    found = {each.name: each for each in list_preferences(workspace)}["device_slots"]
    assert (found.value, found.source, found.editable) == (3, "environment", False)


def test_a_program_that_runs_at_a_jobs_end_cannot_be_set_on_a_page(workspace):
    found = {each.name: each for each in list_preferences(workspace)}
    assert not found["notify_command"].editable
    assert found["notify_webhook"].editable


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"device_slots": 0}, "device_slots"),
        ({"cache_limit_gb": "much"}, "cache_limit_gb"),
        ({"nothing": 1}, "nothing"),
        ({"notify_webhook": "file:///etc/passwd"}, "http"),
    ],
)
def test_a_wrong_value_is_a_sentence_and_the_file_stays_as_it_was(workspace, changes, words):
    change_preferences(workspace, {"grace_seconds": 7})
    before = (workspace.data / FILE).read_bytes()
    with pytest.raises(ConfigError, match=words):
        change_preferences(workspace, changes)
    assert (workspace.data / FILE).read_bytes() == before


def test_a_damaged_file_and_a_wrong_variable_are_sentences(workspace, monkeypatch):
    monkeypatch.setenv("SIMTUNE_CACHE_LIMIT_GB", "lots")
    with pytest.raises(ConfigError, match="environment variable"):
        preferences_of(workspace)
    monkeypatch.delenv("SIMTUNE_CACHE_LIMIT_GB")
    (workspace.data / FILE).write_text("[1, 2")
    with pytest.raises(ConfigError, match="settings"):
        preferences_of(workspace)
