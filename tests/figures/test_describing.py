"""Figures of a description: shares by split, limits where they belong, text from data as text."""

from simtune_core.figures.describing import category_bars, label_bars, length_histogram, score_lines
from simtune_core.figures.style import NEGATIVE, POSITIVE, theme_colour
from simtune_core.preparing.description import SCORE_BINS, Categories, Lengths, SplitFacts


def lengths(limit, longest=250):
    return Lengths("tokens", limit, 6, 1, 8.0, 90.0, longest, edges=[0, 10, 20, 30], counts=[3, 2, 1])


def facts(split, *, positive=0, negative=0, scores=()):
    counts = [0] * SCORE_BINS
    for place in scores:
        counts[place] += 1
    return SplitFacts(split, positive + negative + len(scores), None, positive, negative, len(scores), counts, 0, 0)


def test_the_last_bar_says_that_it_holds_all_that_is_longer():
    (bars,) = length_histogram(lengths(None), encoder="minilm").data

    assert list(bars.y) == [3, 2, 1]
    assert list(bars.x) == [5, 15, 25]
    assert list(bars.customdata) == ["0 to 9", "10 to 19", "20 to 250"]


def test_a_limit_is_drawn_where_it_lies_near_the_texts():
    near = length_histogram(lengths(25), encoder="<b>mine</b>")
    assert [(line.x0, line.x1) for line in near.layout.shapes] == [(25, 25)]
    assert near.layout.annotations[0].text == "&lt;b&gt;mine&lt;/b&gt; reads 25"
    assert not length_histogram(lengths(8192), encoder="minilm").layout.shapes


def test_labels_are_shares_of_each_split_negative_before_positive():
    negative, positive = label_bars([facts("train", positive=1, negative=3), facts("test", positive=2)]).data

    assert (negative.name, positive.name) == ("dissimilar", "similar")
    assert (list(negative.x), list(positive.x)) == ([75.0, 0.0], [25.0, 100.0])
    assert list(negative.text) == ["3", ""]
    assert (negative.marker.color, positive.marker.color) == (theme_colour(NEGATIVE), theme_colour(POSITIVE))


def test_categories_are_shares_of_each_split_and_alike_names_stay_apart():
    alike = "a very long name of a category that goes on "
    largest = [
        {"category": f"{alike}one", "counts": {"train": 3, "test": 0}},
        {"category": f"{alike}<two>", "counts": {"train": 1, "test": 2}},
    ]
    train, test = category_bars(Categories(2, 0, largest, 0, [], 0, [], 0), ["train", "test"]).data

    assert (train.name, test.name) == ("train", "test")
    assert (list(train.x), list(test.x)) == ([75.0, 25.0], [0.0, 100.0])
    assert len(set(train.y)) == 2
    assert train.marker.pattern.shape != test.marker.pattern.shape


def test_scores_are_steps_over_the_whole_range():
    (line,) = score_lines([facts("all rows", scores=[0, 0, SCORE_BINS - 1])]).data

    assert (line.x[0], line.x[-1]) == (0, 1)
    assert (round(line.y[0], 1), round(line.y[-1], 1)) == (66.7, 33.3)
    assert line.line.shape == "hv"
