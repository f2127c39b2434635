"""A dataset is known by its content: column names and values in order, however the table lies in memory."""

import hashlib

import numpy as np
import pandas as pd
import pytest

from simtune_core.datasets import content_id, list_datasets, load_details, save_pairs
from simtune_core.errors import WorkspaceError

TEXTS = ["plain", "", None, "naïve €", "line\nbreak"]


def by_hand(frame):
    """Return the sha256 as the format states it: name, then numbers, or lengths (-1: missing) and UTF-8 texts."""
    digest = hashlib.sha256()
    for column in frame.columns:
        digest.update(f"{column}\x00".encode())
        if column.startswith("n"):
            digest.update(np.asarray(frame[column], dtype=np.float64).tobytes())
            continue
        texts = [None if pd.isna(value) else str(value).encode() for value in frame[column]]
        digest.update(np.array([-1 if text is None else len(text) for text in texts], dtype=np.int64).tobytes())
        digest.update(b"".join(text or b"" for text in texts))
    return digest.hexdigest()


def whole():
    frame = pd.DataFrame({"text": TEXTS, "mixed": [1, "a", None, True, 2.5], "flag": [True, False, True, False, True]})
    frame["typed"] = frame["text"].astype("str")
    return frame.assign(number=[1.0, np.nan, 3.0, -0.5, 0.0])


@pytest.mark.parametrize("shape", ["whole", "part", "in several pieces", "empty", "one column"])
def test_the_id_is_the_sha256_of_names_lengths_and_texts(shape):
    frame = whole()
    frames = {
        "whole": frame,
        "part": frame.iloc[1:4],
        "in several pieces": pd.concat([frame, frame.iloc[2:], frame]),
        "empty": frame.iloc[:0],
        "one column": frame[["typed"]],
    }
    assert content_id(frames[shape]) == by_hand(frames[shape])


def test_a_missing_text_is_not_an_empty_one_and_order_counts():
    ids = {content_id(pd.DataFrame({"t": texts}, dtype="str")) for texts in (["", "a"], [None, "a"], ["a", ""])}
    assert len(ids) == 3


def test_details_lie_beside_the_pairs_and_follow_their_split(workspace):
    frame = pd.DataFrame(
        {
            "sentence1": ["a", "b", "c"],
            "sentence2": ["x", "y", "z"],
            "label": [1, 0, 1],
            "split": ["train", "dev", "train"],
        }
    )
    details = pd.DataFrame({"similarity": [0.5, 0.25, 0.75], "role": ["positive", "other_category", "positive"]})

    saved = save_pairs(workspace, "drawn", frame, provenance={}, details=details)
    plain = save_pairs(workspace, "plain", frame, provenance={})

    assert saved.content_id == plain.content_id
    assert load_details(workspace, "plain") is None
    assert load_details(workspace, "drawn")["similarity"].tolist() == [0.5, 0.25, 0.75]
    of_train = load_details(workspace, "drawn:train")
    assert of_train["similarity"].tolist() == [0.5, 0.75]
    assert list(of_train.columns) == ["similarity", "role", "parent", "change"]


def test_details_of_another_length_are_refused_and_nothing_is_saved(workspace):
    frame = pd.DataFrame({"sentence1": ["a"], "sentence2": ["x"], "label": [1]})

    with pytest.raises(WorkspaceError, match=r"one row each, 1; got .'details': 2."):
        save_pairs(workspace, "drawn", frame, provenance={}, details=pd.DataFrame({"similarity": [0.5, 0.6]}))

    assert list_datasets(workspace) == []
