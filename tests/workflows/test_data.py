"""What can be chosen, what is chosen at first, and which rows are shown."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simtune_core.datasets import list_datasets, save_pairs, save_records
from simtune_core.errors import WorkspaceError
from simtune_core.pairs import with_pair_columns
from simtune_core.records import with_record_columns
from simtune_core.workflows.data import RowQuery, load_sample, row_page, set_refs, usual_sets
from tests.workflows.frames import pairs_frame

NAMES = st.sampled_from(["a", "b", "c"])
SPLITS = ("train", "dev", "test")


def split_pairs(*splits):
    frames = [pairs_frame(4, split=split) for split in splits]
    return with_pair_columns(pd.concat(frames, ignore_index=True))


def test_every_dataset_and_split_can_be_chosen_newest_first_in_the_order_of_the_path(workspace):
    save_pairs(workspace, "old", split_pairs("test", "extra", "train"), provenance={})
    save_pairs(workspace, "new", split_pairs("dev"), provenance={})
    records = with_record_columns(pd.DataFrame({"id": ["1"], "text": ["printer"], "category": ["it"]}))
    save_records(workspace, "tickets", records, provenance={})

    assert set_refs(workspace) == ["new", "new:dev", "old", "old:train", "old:test", "old:extra"]
    assert set_refs(workspace, "records") == ["tickets"]


def test_the_sets_of_one_dataset_are_chosen_together():
    refs = ["new", "new:train", "whole", "whole:train", "whole:dev", "whole:test"]

    assert usual_sets(refs, "train", "dev") == {"train": "whole:train", "dev": "whole:dev"}
    assert usual_sets(refs, "train") == {"train": "new:train"}
    assert usual_sets(["a", "a:train", "b", "b:dev"], "train", "dev") == {"train": "a:train", "dev": "b:dev"}
    assert usual_sets(["a"], "train", "dev") == {"train": None, "dev": None}
    assert usual_sets([], "test") == {"test": None}


@given(st.dictionaries(NAMES, st.sets(st.sampled_from(SPLITS))), st.lists(st.sampled_from(SPLITS), unique=True))
def test_what_is_chosen_at_first_is_there_and_of_the_split_asked_for(splits, wanted):
    refs = [ref for name, has in splits.items() for ref in [name, *(f"{name}:{split}" for split in sorted(has))]]
    chosen = usual_sets(refs, *wanted)

    assert list(chosen) == wanted
    for split, ref in chosen.items():
        assert ref is None or (ref in refs and ref.endswith(f":{split}"))
        assert (ref is None) == (not any(split in has for has in splits.values()))
    if any(set(wanted) <= has for has in splits.values()):
        assert len({ref.partition(":")[0] for ref in chosen.values()}) <= 1


def test_a_page_of_rows_is_counted_searched_and_cut(workspace):
    save_pairs(workspace, "some", with_pair_columns(pairs_frame(25)), provenance={})

    pages = [row_page(workspace, "some", page=number, size=10).frame for number in (1, 2, 3)]
    assert [len(page) for page in pages] == [10, 10, 5]
    whole = row_page(workspace, "some", size=1000)
    assert (whole.n_found, len(whole.frame)) == (25, 25)
    assert pd.concat(pages, ignore_index=True).equals(whole.frame)
    assert "phase" not in whole.frame  # a column without any value is left out

    found = row_page(workspace, "some", RowQuery(search="CASE 1"))
    expected = [text for text in pairs_frame(25)["sentence2"] if "case 1" in text]
    assert found.frame["sentence2"].tolist() == expected
    assert found.n_found == len(expected)


@pytest.mark.parametrize("search", ["(", "[a-", "\\", ".*", "+", "a|b", "^", "\x00", "%", "'; DROP"])
def test_a_search_takes_every_character_literally(workspace, search):
    records = pd.DataFrame({"id": ["1", "2"], "text": [f"x {search} y", "plain words"], "category": ["it", "it"]})
    save_records(workspace, "tickets", with_record_columns(records), provenance={})

    assert row_page(workspace, "tickets", RowQuery(search=search)).frame["id"].tolist() == ["1"]


def test_rows_of_a_set_that_is_not_there_are_refused(workspace):
    with pytest.raises(WorkspaceError, match="There is no dataset 'gone'"):
        row_page(workspace, "gone")


def test_loading_the_sample_twice_leaves_what_is_there(workspace):
    first = load_sample(workspace)
    created = {version.ref: version.manifest["created"] for version in list_datasets(workspace)}
    second = load_sample(workspace)

    assert [version.ref for version in first] == [version.ref for version in second]
    assert {version.ref: version.manifest["created"] for version in list_datasets(workspace)} == created
