"""Words for people, labels made safe, and names of keys."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ui.keys import config_key, key
from ui.text import as_label, count, duration


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "under 1 s"), (40, "40 s"), (61, "1 min"), (361, "6 min"), (7800, "2 h 10 min"), (273_600, "3 d 4 h")],
)
def test_durations_are_worded_in_two_units_at_most(seconds, words):
    assert duration(seconds) == words


def test_counts_have_thousands_separators():
    assert count(1872.0) == "1,872"


def test_a_label_shows_an_image_address_as_text():
    assert as_label("![x](http://evil/x.png)") == r"\!\[x\]\(http\://evil/x.png\)"


def test_a_label_is_one_line_of_200_characters():
    label = as_label("word\n" * 100)
    assert "\n" not in label and len(label) == 200 and label.endswith("…")


def test_a_split_at_the_end_of_a_label_does_not_become_an_emoji():
    r"""The browser reads shortcodes after it has taken backslashes away: `\:train: done` showed a locomotive."""
    assert re.search(r":[\w+-]+:", as_label("sample@v0001:train").replace("\\", "") + ": done") is None
    assert as_label(":+1: at 10:30 of a:b:c").replace("\\", "") == ":\u2060+1: at 10:30 of a:\u2060b:\u2060c"


@given(st.text())
def test_no_markdown_sign_is_left_unescaped(text):
    label = as_label(text)
    for place, sign in enumerate(label):
        if sign in "`*_[]<>$:!#":
            assert label[place - 1] == "\\"


def test_keys_name_their_page_and_refuse_other_forms():
    assert key("evaluation", "threshold_rule") == "evaluation.threshold_rule"
    assert key("jobs", "stop.20260822-101010-123-abc123") == "jobs.stop.20260822-101010-123-abc123"
    with pytest.raises(ValueError, match="lower-case words"):
        key("evaluation", "Threshold Rule")


def test_a_setting_has_one_key_per_scope():
    from simtune_core.settings import Settings

    assert config_key(Settings, "seed") == "config.Settings.seed"
    assert config_key(Settings, "seed", "left") == "left.Settings.seed"
