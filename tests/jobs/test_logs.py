"""A log is read from its end or piece by piece, whatever its size, and each line has the level it belongs to."""

import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simtune_core.jobs.logs import LogLine, LogPart, filter_levels, read_on, read_tail

LOG = """\
Loading the encoder
2026-11-21 12:00:00,123 - trainer - WARNING - the learning rate is high
    lr = 0.5
INFO:root:step 10
[ERROR] no space left
DEBUG | cache hit
/lib/python/site.py:12: UserWarning: old option
  warn("old option")
warning: small batch
the word ERROR in a ticket's text is no level
Traceback (most recent call last):
  File "x.py", line 1, in <module>
    one()

ValueError: two words
afterwards
During handling of the above exception, another exception occurred:
  File "x.py", line 2
KeyError: 'a'
simtune_core.errors.JobError: it must hold
CRITICAL: the end
"""
LEVELS = [
    *("info", "warning", "warning", "info", "error", "debug", "warning", "warning", "warning", "info"),
    *("error", "error", "error", "error", "error"),
    *("info", "error", "error", "error", "error", "error"),
]


@pytest.fixture
def log(tmp_path):
    """Return the path of a log, with a function to write it."""
    path = tmp_path / "log.txt"
    path.write_text(LOG, encoding="utf-8")
    return path


def test_each_line_has_the_level_that_its_beginning_or_its_traceback_says(log):
    lines = read_tail(log).lines
    assert [line.text for line in lines] == LOG.splitlines()
    assert [line.level for line in lines] == LEVELS


@pytest.mark.parametrize(("lowest", "n"), [("debug", 21), ("info", 20), ("warning", 16), ("error", 11)])
def test_a_level_shows_itself_and_what_is_graver(log, lowest, n):
    shown = filter_levels(read_tail(log).lines, lowest)
    assert len(shown) == n
    assert next(line.text for line in shown if line.level == "error") == "[ERROR] no space left"


def test_a_missing_or_empty_log_has_no_lines(tmp_path):
    assert read_tail(tmp_path / "log.txt") == LogPart()
    assert read_on(tmp_path / "log.txt", LogPart()) == LogPart()
    (tmp_path / "log.txt").touch()
    assert read_tail(tmp_path / "log.txt") == LogPart()


@settings(max_examples=100, deadline=None)
@given(
    lines=st.lists(st.text(st.characters(exclude_characters="\n\r", exclude_categories=["Cs", "Cc"]), max_size=8)),
    writes=st.lists(st.integers(1, 60), min_size=1, max_size=12),
    max_bytes=st.integers(40, 200),
)
def test_following_shows_every_line_once_however_it_is_written_and_read(tmp_path_factory, lines, writes, max_bytes):
    path = tmp_path_factory.mktemp("follow") / "log.txt"
    content = "".join(f"{line}\n" for line in lines).encode()
    part, shown, at = LogPart(), [], 0
    for size in [*writes, len(content)]:
        with path.open("ab") as file:
            file.write(content[at : at + size])
        at += size
        while (part := read_on(path, part, max_bytes=max_bytes)).lines:
            shown += part.lines
    assert [line.text for line in shown] == lines
    assert part.offset == len(content)


def test_a_last_line_without_a_line_feed_waits_and_is_whole_at_the_end(log):
    log.write_text("one\ntwo", encoding="utf-8")
    part = read_tail(log)
    assert (part.lines, part.unfinished) == ((LogLine("info", "one"),), LogLine("info", "two"))
    assert read_on(log, part).lines == ()
    assert read_on(log, part, ended=True).lines == (LogLine("info", "two"),)
    assert read_tail(log, ended=True).lines[-1].text == "two"


def test_a_traceback_that_is_cut_between_two_looks_stays_an_error(log):
    part = LogPart()
    begin, rest = LOG.split("    one()\n")
    log.write_text(begin, encoding="utf-8")
    part = read_on(log, part)
    log.write_text(begin + "    one()\n" + rest, encoding="utf-8")
    assert [line.level for line in read_on(log, part).lines] == LEVELS[12:]


def test_a_progress_bar_and_terminal_colours_leave_their_last_state(log):
    log.write_bytes(b" 10%|#  |\r 50%|## |\r\x1b[32m100%|###|\x1b[0m\r\nnext\x00\x07 line\r\n\xff\xfe\n 7%|\r 8%|")
    part = read_tail(log)
    assert [line.text for line in part.lines] == ["100%|###|", "next line", "\ufffd\ufffd"]
    assert part.unfinished.text == " 8%|"


def test_the_end_of_a_log_of_a_gigabyte_is_read_with_the_memory_of_its_end(log):
    """The gigabyte is a hole in the file; what stands behind it is not."""
    with log.open("r+b") as file:
        file.truncate(1 << 30)
        file.seek(0, 2)
        file.write(b"\n" + b"".join(b"line %d\n" % number for number in range(50_000)))
    tracemalloc.start()
    part = read_tail(log, max_bytes=100_000)
    after = read_on(log, part)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert part.lines[-1].text == "line 49999"
    assert part.lines[0].text.startswith("line ")
    assert part.offset - part.skipped <= 100_000
    assert after.lines == ()
    assert peak < 10e6


def test_a_line_longer_than_a_piece_comes_in_pieces(log):
    log.write_bytes(b"x" * 1000 + b"\nlast\n")
    part, texts = LogPart(), []
    while (part := read_on(log, part, max_bytes=300)).lines:
        texts += [line.text for line in part.lines]
    assert texts == ["x" * 300] * 3 + ["x" * 100, "last"]


def test_a_log_that_was_cut_short_is_read_from_its_beginning(log):
    part = read_tail(log)
    log.write_text("anew\n", encoding="utf-8")
    assert [line.text for line in read_on(log, part).lines] == ["anew"]
