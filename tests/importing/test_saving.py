"""Drafts become datasets: versions, names, full disks, and a manifest that tells how to do the import again."""

import io
import shutil
from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simtune_core.datasets import content_id, list_datasets, list_versions, load_pairs, load_records
from simtune_core.errors import WorkspaceError
from simtune_core.importing.drafting import draft
from simtune_core.importing.options import ImportOptions
from simtune_core.importing.saving import Origin, save_draft
from simtune_core.pairs import with_pair_columns
from simtune_core.tables.columns import is_blank
from simtune_core.tables.reading import read_table
from tests.importing.drafts import drafted, parquet, saved


def test_ids_and_texts_that_look_like_numbers_or_nulls_are_kept(workspace):
    checked = drafted('id,text\n007,NA\n1e5,"null, really"\n')
    saved(workspace, "r", checked)

    frame = load_records(workspace, "r").frame
    assert frame[["id", "text"]].to_numpy().tolist() == [["007", "NA"], ["1e5", "null, really"]]


def test_parquet_numbers_bools_and_nulls_arrive(workspace):
    frame = pd.DataFrame({"text_a": ["x", "y"], "text_b": ["z", "w"], "label": [True, False], "id_a": [7, 8]})
    saved(workspace, "p", drafted(parquet(frame), name="p.parquet"))

    pairs = load_pairs(workspace, "p")
    assert pairs.labels().tolist() == [1, 0]
    assert pairs.frame["id1"].tolist() == ["7", "8"]


def test_a_taken_name_is_refused_equal_content_is_the_same_version_and_a_new_version_is_explicit(workspace):
    first, other = drafted("id,text\na,x\n"), drafted("id,text\na,y\n")
    one = saved(workspace, "r", first)
    assert saved(workspace, "r", first) == one
    with pytest.raises(WorkspaceError, match="'r' is taken by r@v0001"):
        saved(workspace, "r", other)
    assert saved(workspace, "r", other, new_version=True).version == "v0002"
    assert load_records(workspace, "r@v0001").frame["text"].tolist() == ["x"]


def test_versions_saved_at_the_same_time_are_numbered_one_after_the_other(workspace):
    contents = [drafted(f"id,text\na,{word}\n") for word in ("x", "y", "z", "u", "v", "w")]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda each: saved(workspace, "r", each, new_version=True), contents))
    assert [version.version for version in list_versions(workspace, "r")] == [f"v{i:04d}" for i in range(1, 7)]


def test_a_stray_or_damaged_folder_is_passed_over_in_lists_and_a_sentence_by_name(workspace):
    made = saved(workspace, "r", drafted("id,text\na,x\n"))
    shutil.copytree(workspace.dataset("r"), workspace.datasets / "backup copy")
    damaged = shutil.copytree(workspace.dataset("r"), workspace.dataset("damaged"))
    (next(damaged.iterdir()) / "manifest.json").write_text("{}")

    assert list_datasets(workspace) == list_versions(workspace, "r") == [made]
    assert list_versions(workspace, "damaged") == []
    with pytest.raises(WorkspaceError, match=r"manifest of damaged@v0001 must tell .* does not tell version"):
        load_records(workspace, "damaged")
    with pytest.raises(WorkspaceError, match="'damaged' is taken by a dataset that cannot be read"):
        saved(workspace, "damaged", drafted("id,text\na,y\n"))


def test_a_split_is_named_by_a_reference_and_an_unknown_one_is_refused(workspace):
    saved(workspace, "r", drafted("id,text,split\na,x,train\nb,y,test\n"))
    assert load_records(workspace, "r:test").frame["id"].tolist() == ["b"]
    with pytest.raises(WorkspaceError, match="has no split 'dev'; it has: test, train"):
        load_records(workspace, "r:dev")


def test_a_changed_file_is_never_mistaken_for_the_old_one(workspace):
    version = saved(workspace, "r", drafted("id,text\na,x\n"))
    version.table.write_bytes(parquet(pd.DataFrame({"id": ["a"], "text": ["changed"]})))
    with pytest.raises(WorkspaceError, match="sha256 differs from the manifest"):
        load_records(workspace, "r")


def test_a_full_disk_leaves_nothing_half_written(workspace, monkeypatch):
    import errno

    def full(*_args, **_kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_parquet", full)
    with pytest.raises(WorkspaceError, match=r"Disk full while writing v0001-.* GB free"):
        saved(workspace, "r", drafted("id,text\na,x\n"))
    assert list(workspace.datasets.rglob("*.parquet")) == []
    assert [path.name for path in workspace.dataset("r").iterdir()] == []


def test_a_real_file_arrives_whole(real_data, workspace):
    checked = drafted(real_data("itsm10k_category_pairs").read_bytes(), name="itsm.parquet")
    made = saved(workspace, "itsm", checked)
    assert made.splits == {"dev": 1000, "test": 2000, "train": 8000}
    assert checked.faults == ()


VISIBLE = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\t"), min_size=1, max_size=12
).filter(lambda text: text.strip() and not is_blank(pd.Series([text], dtype="str")).iloc[0])
PAIRS = st.tuples(VISIBLE, VISIBLE, st.sampled_from([0.0, 1.0]), st.floats(0, 1), st.none() | st.just("train"))


@settings(max_examples=25, deadline=None)
@given(rows=st.lists(PAIRS, min_size=1, max_size=6))
def test_what_was_saved_and_written_as_csv_is_imported_again_exactly(rows):
    frame = pd.DataFrame(rows, columns=["sentence1", "sentence2", "label", "score", "split"])
    buffer = io.StringIO()
    with_pair_columns(frame).to_csv(buffer, index=False, lineterminator="\n")

    checked = drafted(buffer.getvalue(), "pairs")

    assert checked.faults == ()
    assert content_id(checked.frame) == content_id(with_pair_columns(frame))


def test_the_manifest_tells_how_to_do_the_same_import_again(workspace):
    content = "a;b;same\nx;y;ja\nz;;nein\n"
    columns = {"sentence1": ("a",), "sentence2": ("b",), "label": ("same",)}
    checked = drafted(content, "pairs", columns=columns, labels={"ja": 1, "nein": 0})
    origin = Origin("mine.csv", "0" * 64)
    made = save_draft(workspace, "p", checked, origin=origin, drop_faulty=True)

    told = made.manifest["provenance"]
    assert (told["source"], told["source_sha256"], told["n_rows_read"], told["n_rows_dropped"]) == (
        "mine.csv", "0" * 64, 2, 1,
    )  # fmt: skip
    assert told["reading"].items() >= {"format": "csv", "encoding": "utf-8", "delimiter": "semicolon"}.items()
    again = draft(read_table(content.encode(), "mine.csv"), ImportOptions(**told["options"]))
    assert save_draft(workspace, "p", again, origin=origin) == made
