"""What a dataset holds: every count by hand, every finding fires where it should and is silent elsewhere."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simtune_core.datasets import load_pairs, save_pairs, save_records
from simtune_core.jobs.context import Job
from simtune_core.near_duplicates import NEAR_DUPLICATE, near_duplicate_groups
from simtune_core.pairs import with_pair_columns
from simtune_core.preparing.browsing import ROWS
from simtune_core.preparing.describing import describe, row_flags, split_names, texts_in
from simtune_core.preparing.describing_findings import find_all, not_sought
from simtune_core.preparing.describing_job import near_threshold, run
from simtune_core.preparing.description import WHOLE, DescribingConfig, Measured, description_from_json
from simtune_core.preparing.tokens import counter_of, lengths_of
from simtune_core.records import with_record_columns

EVERYTHING = DescribingConfig(few_rows=1, truncated_share=0.0, repeated_share=0.0)


def pairs(*rows):
    """Return pairs of `(sentence1, sentence2, label, split, category)`, as much of it as is given."""
    names = ("sentence1", "sentence2", "label", "split", "category1")
    frame = pd.DataFrame([dict(zip(names, row, strict=False)) for row in rows])
    if "category1" in frame:
        frame["category2"] = frame["category1"]
    return with_pair_columns(frame)


def records(*rows):
    frame = pd.DataFrame([dict(zip(("text", "category", "split"), row, strict=False)) for row in rows])
    return with_record_columns(frame.assign(id=[str(number) for number in range(len(rows))]))


def described(frame, *, limit=None, groups=None):
    kind = "pairs" if "sentence1" in frame else "records"
    texts = texts_in(frame, kind)
    lengths = np.array([len(text.split()) for text in texts.unique])
    near = np.arange(len(texts.unique)) if groups is None else np.array([groups(text) for text in texts.unique])
    measured = Measured(lengths, near, "words", limit)
    return describe(frame, kind, texts, measured), row_flags(texts, measured)


def codes(found):
    return [each["code"] for each in find_all(found, EVERYTHING)]


def test_each_text_is_counted_once_and_the_longest_stand_in_the_last_bin():
    frame = records(*[(" ".join(["word"] * n),) for n in [1, 2, 3, 4, 1000]], ("word",))
    lengths = described(frame, limit=3)[0].lengths

    assert (lengths.n_texts, lengths.n_truncated, lengths.longest, lengths.median) == (5, 2, 1000, 3.0)
    assert sum(lengths.counts) == 5
    assert lengths.counts[0] == 4 and lengths.counts[-1] == 1
    assert len(lengths.edges) == len(lengths.counts) + 1


@given(st.lists(st.integers(1, 3000), min_size=1, max_size=60))
def test_every_text_lies_in_the_bin_of_its_length(counts):
    frame = with_record_columns(pd.DataFrame({"id": "1", "text": [f"{n}" for n in range(len(counts))]}))
    texts = texts_in(frame, "records")
    found = describe(frame, "records", texts, Measured(np.array(counts), np.arange(len(counts)), "words", None)).lengths

    held = [sum(low <= n < high for n in counts) for low, high in zip(found.edges[:-2], found.edges[1:-1], strict=True)]
    assert found.counts[:-1] == held
    assert found.counts[-1] == sum(n >= found.edges[-2] for n in counts)


def test_a_row_is_truncated_when_one_of_its_texts_is():
    frame = pairs(("a b c", "a", 1, "train"), ("a", "b", 0, "train"), ("c", "a b c d", 1, "test"))
    found, flags = described(frame, limit=2)

    assert [(split.split, split.n_rows, split.n_truncated) for split in found.splits] == [
        ("train", 2, 1),
        ("test", 1, 1),
    ]
    assert flags["truncated"].tolist() == [True, False, True]
    sentence = next(each["message"] for each in find_all(found, EVERYTHING) if each["code"] == "truncated_texts")
    assert "1 of 2 rows of train (50.0%), 1 of 1 rows of test (100.0%)" in sentence
    assert described(frame, limit=None)[0].splits[0].n_truncated is None
    assert "truncated_texts" not in codes(described(frame, limit=4)[0])


def test_a_pair_is_the_same_whichever_text_stands_first():
    frame = pairs(("a", "b", 1), ("b", "a", 0), ("a", "c", 1), ("d", "d", 1))
    found, flags = described(frame)

    assert (found.repeats.n_exact, found.repeats.n_near, found.repeats.n_self) == (1, 0, 1)
    assert found.repeats.examples == [{"text": "a | b", "n": 2}]
    assert flags["duplicate"].tolist() == [True, True, False, False]
    assert {"repeated_pairs", "self_pairs"} <= set(codes(found))


def test_rows_that_differ_by_small_edits_are_counted_apart_from_equal_ones():
    frame = records(("Printer down",), ("printer down",), ("printer down",), ("mail gone",))
    found, flags = described(frame, groups=lambda text: int(text.startswith("m")))

    assert (found.repeats.n_exact, found.repeats.n_near) == (1, 1)
    assert found.repeats.near_examples == [["Printer down", "printer down"]]
    assert flags["duplicate"].tolist() == [True, True, True, False]
    assert "duplicate_texts" in codes(found)


def test_texts_of_two_splits_are_counted_with_the_rows_that_hold_them():
    train = [("a", "b", 1, "train"), ("c", "d", 0, "train")]
    frame = pairs(*train, ("a", "x", 1, "test"), ("y", "a", 0, "test"), ("D", "z", 0, "test"))
    found, _ = described(frame, groups=lambda text: ord(text.lower()))

    (leak,) = found.leaks
    assert (leak.first, leak.second, leak.n_texts, leak.n_near_texts, leak.n_rows) == ("train", "test", 1, 1, 2)
    assert leak.examples == ["a"]
    assert {"leaked_texts", "near_leaked_texts"} <= set(codes(found))
    clean = pairs(("a", "b", 1, "train"), ("c", "d", 0, "train"), ("e", "f", 1, "test"), ("g", "h", 0, "test"))
    assert codes(described(clean)[0]) == []


@given(
    st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from(["train", "dev", "test"])), min_size=1, max_size=30)
)
def test_leaks_are_those_of_sets_of_texts(rows):
    found, _ = described(records(*[(text, "it", split) for text, split in rows]))
    held = {split: {text for text, where in rows if where == split} for split in ("train", "dev", "test")}

    expected = {
        (first, second): len(held[first] & held[second])
        for first, second in (("train", "dev"), ("train", "test"), ("dev", "test"))
        if held[first] & held[second]
    }
    assert {(leak.first, leak.second): leak.n_texts for leak in found.leaks} == expected


def test_categories_are_counted_by_split_the_largest_first():
    frame = records(
        ("a", "hw", "train"), ("b", "hw", "test"), ("c", "sw", "train"), ("d", None, "test"), ("e", "net", "train")
    )
    categories = described(frame)[0].categories

    assert [each["category"] for each in categories.largest] == ["hw", "net", "sw"]
    assert categories.largest[0]["counts"] == {"train": 1, "test": 1}
    assert (categories.n, categories.n_unknown, categories.n_single, categories.n_absent) == (3, 1, 2, 2)
    assert {"single_row_categories", "empty_categories"} <= set(codes(described(frame)[0]))
    assert described(records(("a", None)))[0].categories is None


def test_a_pair_set_counts_the_categories_of_both_texts():
    found, _ = described(pairs(("a", "b", 1, "train", "hw"), ("c", "d", 0, "train", "sw")))

    assert {each["category"]: each["counts"]["train"] for each in found.categories.largest} == {"hw": 2, "sw": 2}
    assert (found.splits[0].n_same_category, found.splits[0].n_both_categories) == (2, 2)


def test_one_class_only_and_a_rare_class_are_told_of_each_split():
    rows = [(f"a{n}", f"b{n}", int(n == 0), "train") for n in range(20)] + [
        ("x", "y", 1, "test"),
        ("u", "v", 1, "test"),
    ]
    messages = {each["code"]: each["message"] for each in find_all(described(pairs(*rows))[0], EVERYTHING)}

    assert messages["class_imbalance"].startswith("Only 1 of 20 labelled pairs of train are similar (5.0%)")
    assert messages["empty_class"].startswith("All 2 labelled pairs of test are similar: ROC-AUC")


def test_graded_scores_fall_into_their_bins_and_need_no_classes():
    frame = with_pair_columns(
        pd.DataFrame({"sentence1": list("abcd"), "sentence2": list("efgh"), "score": [0.0, 0.049, 0.05, 1.0]})
    )
    found, _ = described(frame)

    assert found.graded
    assert found.splits[0].score_counts[:2] == [2, 1] and found.splits[0].score_counts[-1] == 1
    assert codes(found) == []


def test_three_rows_are_described_and_said_to_be_few():
    found, _ = described(pairs(("a", "b", 1), ("c", "d", 0), ("e", "f", 1)))

    assert found.splits[0].split == WHOLE
    assert [each["code"] for each in find_all(found, DescribingConfig())] == ["few_rows"]


def test_splits_stand_in_the_order_of_the_path():
    frame = records(*[(split, "it", split) for split in ("zeta", "test", "alpha", "dev", "train")])
    assert split_names(frame) == ["train", "dev", "test", "alpha", "zeta"]


def test_a_description_survives_json():
    found, _ = described(pairs(("a", "b", 1, "train", "hw"), ("a", "b", 0, "test", "hw")), limit=1)
    assert description_from_json(json.loads(json.dumps(found.as_json(), allow_nan=False))) == found


def test_tokens_are_those_of_the_encoders_own_tokenizer(minilm):
    from transformers import AutoTokenizer

    texts = ["vpn", "Überraschung: naïve café ☕ 日本語", "x" * 300, "printer\tdown\n" * 200, "<script>", " "]
    authority = AutoTokenizer.from_pretrained(str(minilm.folder), local_files_only=True)
    counter = counter_of(minilm)

    expected = [len(authority(text, truncation=False, verbose=False)["input_ids"]) for text in texts]
    assert lengths_of(counter, texts).tolist() == expected
    assert (counter.unit, counter.limit) == ("tokens", 256)


@pytest.fixture
def described_by_the_job(workspace, tmp_path):
    """Return a function that runs the job on a saved set, in this process."""

    def run_it(ref, encoder):
        with Job(tmp_path / f"job-{encoder}", workspace) as job:
            return run({"set": ref, "encoder": encoder}, job), pd.read_parquet(job.folder / ROWS)

    return run_it


def test_the_job_finds_near_duplicates_wrong_encodings_and_foreign_languages(workspace, described_by_the_job):
    german = [
        "Der Drucker im zweiten Stock druckt seit heute Morgen überhaupt nicht mehr, bitte um schnelle Hilfe.",
        "Ich kann mich seit dem Wochenende nicht mehr an meinem Rechner anmelden, das Passwort wird abgelehnt.",
    ]
    english = [
        f"The screen of the laptop in room {n} stays black after the update of this morning, please help."
        for n in range(6)
    ]
    texts = [*german, *english, "Das Menü zeigt Ã¤hnliche EintrÃ¤ge nicht mehr an."]
    save_records(
        workspace, "mixed", pd.DataFrame({"id": map(str, range(9)), "text": texts, "category": "it"}), provenance={}
    )
    result, flags = described_by_the_job("mixed", "minilm")

    found = {each["code"] for each in result["findings"]}
    assert {"language", "mojibake", "duplicate_texts", "few_rows"} <= found
    groups = near_duplicate_groups(texts)
    assert flags["duplicate"].tolist() == [int((groups == group).sum()) > 1 for group in groups]
    assert result["repeats"]["n_near"] == len(texts) - len(set(groups.tolist()))
    assert (result["lengths"]["unit"], result["lengths"]["limit"]) == ("tokens", 256)


def test_small_edits_are_sought_among_so_many_texts_and_no_more():
    config = DescribingConfig(near_duplicates_up_to=2)
    assert (near_threshold(2, config), near_threshold(3, config)) == (NEAR_DUPLICATE, 1.0)
    assert (
        "3 different texts; among more than 2 " in not_sought(described(records("a", "b", "c"))[0], config)["message"]
    )


def test_words_are_counted_where_the_encoder_has_no_tokens(workspace, described_by_the_job):
    save_pairs(workspace, "some", pairs(("a b c", "d", 1, "train"), ("e f", "g", 0, "test")), provenance={})
    result, flags = described_by_the_job("some:test", "tfidf")

    assert (result["set"], result["n_rows"]) == ("some@v0001:test", 1)
    assert (result["lengths"]["unit"], result["lengths"]["limit"], result["lengths"]["longest"]) == ("words", None, 2)
    assert flags["truncated"].tolist() == [False]
    assert json.dumps(result, allow_nan=False)


def test_the_counts_of_a_real_set_are_those_of_its_readme(real_data, workspace, described_by_the_job):
    frame = pd.read_parquet(real_data("stsb_pairs")).rename(columns={"text_a": "sentence1", "text_b": "sentence2"})
    save_pairs(workspace, "stsb", frame, provenance={})
    result, _ = described_by_the_job("stsb", "tfidf")

    assert [(each["split"], each["n_rows"]) for each in result["splits"]] == [
        ("train", 5673),
        ("dev", 1494),
        ("test", 1379),
    ]
    loaded = load_pairs(workspace, "stsb").frame
    held = {split: set(rows["sentence1"]) | set(rows["sentence2"]) for split, rows in loaded.groupby("split")}
    leaks = {(leak["first"], leak["second"]): leak["n_texts"] for leak in result["leaks"]}
    assert leaks[("train", "test")] == len(held["train"] & held["test"]) == 242
