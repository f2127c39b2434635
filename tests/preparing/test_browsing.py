"""Rows for reading: what fits a query, in which order, from the file or from its mapped copy."""

import os

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simtune_core.datasets import find_dataset, save_pairs, save_records
from simtune_core.errors import WorkspaceError
from simtune_core.pairs import with_pair_columns
from simtune_core.preparing import browsing
from simtune_core.preparing.browsing import ROWS, RowQuery, row_page, sortable_columns, values_of
from simtune_core.records import with_record_columns


def some_pairs(n=60, seed=0):
    rng = np.random.default_rng(seed)
    return with_pair_columns(
        pd.DataFrame(
            {
                "sentence1": [f"printer {number % 7} is down" for number in range(n)],
                "sentence2": [f"VPN of floor {number % 5}" for number in range(n)],
                "label": rng.choice([0.0, 1.0, np.nan], n),
                "score": rng.choice([0.0, 0.25, 0.5, np.nan], n),
                "category1": rng.choice(["hw", "sw", "net"], n),
                "category2": rng.choice(["hw", "sw"], n),
                "phase": rng.choice(["easy", "hard"], n),
                "split": rng.choice(["train", "test"], n),
            }
        )
    )


@pytest.fixture(params=["file", "copy"])
def saved(request, workspace, monkeypatch):
    """Return a workspace with `some_pairs`, read from its file, or as a large table is from its copy in the cache."""
    if request.param == "copy":
        monkeypatch.setattr(browsing, "COPIED_FROM", 1)
    save_pairs(workspace, "some", some_pairs(), provenance={})
    return workspace


def everything(workspace, query, **more):
    return row_page(workspace, "some", query, size=1000, **more)


def test_filters_keep_exactly_the_rows_that_fit_them_all(saved):
    frame = some_pairs()
    query = RowQuery(
        search="vpn of floor 3", splits=("train",), labels=("similar", "unlabelled"), categories=("net", "sw"),
        phases=("hard", "easy"),
    )  # fmt: skip
    fits = (
        frame["sentence2"].str.contains("VPN of floor 3", regex=False)
        & (frame["split"] == "train")
        & ((frame["label"] == 1) | frame["label"].isna())
        & (frame["category1"].isin(["net", "sw"]) | frame["category2"].isin(["net", "sw"]))
    )
    found = everything(saved, query)

    assert 0 < fits.sum() < len(frame)
    assert found.numbers.tolist() == np.flatnonzero(fits).tolist()
    assert found.frame["sentence1"].tolist() == frame.loc[fits, "sentence1"].tolist()
    assert (found.n_found, found.n_rows) == (fits.sum(), len(frame))


def test_a_stretch_of_scores_leaves_out_pairs_without_one(saved):
    found = everything(saved, RowQuery(scores=(0.25, 1.0)))
    assert found.frame["score"].min() == 0.25
    assert found.n_found == (some_pairs()["score"] >= 0.25).sum()


@pytest.mark.parametrize("column", ["label", "score", "sentence1", "category2"])
@pytest.mark.parametrize("descending", [False, True])
def test_a_sort_keeps_the_order_of_equals_and_puts_rows_without_a_value_last(saved, column, descending):
    frame = some_pairs()
    expected = frame.sort_values(column, ascending=not descending, kind="stable", na_position="last")
    found = everything(saved, RowQuery(sort=column, descending=descending))

    assert found.numbers.tolist() == expected.index.tolist()


def test_a_split_of_a_set_is_browsed_alone(saved):
    frame = some_pairs()
    found = row_page(saved, "some:test", RowQuery(search="printer"), page=2, size=5)

    assert found.numbers.tolist() == np.flatnonzero(frame["split"] == "test")[5:10].tolist()
    assert found.n_rows == (frame["split"] == "test").sum()


def test_the_copy_is_made_once_and_again_when_it_is_gone_or_damaged(workspace, monkeypatch):
    monkeypatch.setattr(browsing, "COPIED_FROM", 1)
    save_pairs(workspace, "some", some_pairs(), provenance={})
    first = everything(workspace, RowQuery(search="floor 1")).frame
    (copy,) = (workspace.cache / "tables").iterdir()
    inode = copy.stat().st_ino
    everything(workspace, RowQuery(search="floor 2"))
    assert copy.stat().st_ino == inode

    copy.write_bytes(copy.read_bytes()[:200])
    assert everything(workspace, RowQuery(search="floor 1")).frame.equals(first)
    copy.unlink()
    assert everything(workspace, RowQuery(search="floor 1")).frame.equals(first)
    assert copy.exists()


def test_rows_are_read_where_no_copy_can_be_written(workspace, monkeypatch):
    monkeypatch.setattr(browsing, "COPIED_FROM", 1)
    save_pairs(workspace, "some", some_pairs(), provenance={})
    (workspace.cache / "tables").write_text("a file where the folder should be")

    assert everything(workspace, RowQuery(labels=("similar",))).n_found == (some_pairs()["label"] == 1).sum()


def test_rows_that_a_description_marks_are_found(saved, tmp_path):
    flags = pd.DataFrame({"duplicate": np.arange(60) % 2 == 0, "truncated": np.arange(60) % 3 == 0})
    flags.to_parquet(tmp_path / ROWS)

    both = everything(saved, RowQuery(duplicate=True, truncated=True), described=tmp_path)
    assert both.numbers.tolist() == list(range(0, 60, 6))
    with pytest.raises(WorkspaceError, match="describe it first"):
        everything(saved, RowQuery(duplicate=True))
    (tmp_path / "short").mkdir()
    flags[:5].to_parquet(tmp_path / "short" / ROWS)
    with pytest.raises(WorkspaceError, match="5 rows and the set has 60; describe it again"):
        everything(saved, RowQuery(duplicate=True), described=tmp_path / "short")


def test_a_table_that_was_changed_is_not_shown_even_with_its_old_times(workspace):
    version = save_pairs(workspace, "some", some_pairs(), provenance={})
    assert everything(workspace, RowQuery()).n_found == 60
    told = version.table.stat()
    content = bytearray(version.table.read_bytes())
    content[len(content) // 2] ^= 1
    version.table.write_bytes(content)
    os.utime(version.table, ns=(told.st_atime_ns, told.st_mtime_ns))

    with pytest.raises(WorkspaceError, match="is not the file that was saved"):
        everything(workspace, RowQuery())


def test_a_column_that_is_not_there_is_a_sentence(workspace):
    save_records(workspace, "some", with_record_columns(pd.DataFrame({"id": ["1"], "text": ["a"]})), provenance={})
    with pytest.raises(WorkspaceError, match="There is no column 'label'; there are: id, text"):
        everything(workspace, RowQuery(labels=("similar",)))


def test_columns_are_offered_with_their_values_the_most_frequent_first(workspace):
    frame = pd.DataFrame(
        {"id": list("abcd"), "text": list("wxyz"), "category": ["hw", "sw", "sw", None], "tags": [["a"], [], [], []]}
    )
    save_records(workspace, "some", with_record_columns(frame), provenance={})
    version, _ = find_dataset(workspace, "some")

    assert values_of(workspace, "some", "category") == ["sw", "hw"]
    assert values_of(workspace, "some", "missing") == []
    assert "tags" not in sortable_columns(version)
    assert row_page(workspace, "some", RowQuery(search="Z")).frame["id"].tolist() == ["d"]


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(search=st.text(min_size=1, max_size=4), ascii_only=st.booleans())
def test_a_search_finds_the_text_it_stands_in(workspace, search, ascii_only):
    search = "".join(char for char in search if not 0xD800 <= ord(char) < 0xE000) or "x"
    if ascii_only:
        search = search.encode("ascii", "ignore").decode() or "x"
    frame = pd.DataFrame({"id": ["1", "2"], "text": [f"so {search} it is", "0"]})
    saved = save_records(workspace, "found", with_record_columns(frame), provenance={}, new_version=True)

    assert "1" in row_page(workspace, saved.ref, RowQuery(search=search)).frame["id"].tolist()
