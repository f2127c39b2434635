"""The preflight job on real encoders: small sets here, the sets of the story where they are there."""

import json
from itertools import product

import numpy as np
import pandas as pd
import pytest

from simtune_core.datasets import save_pairs
from simtune_core.difficulty.preflight.job import run
from simtune_core.difficulty.preflight.verdict import preflight_from_json
from simtune_core.jobs.context import Job
from simtune_core.jobs.events import read_events

THINGS = {
    "mail": ("mailbox", "calendar invite", "outlook profile", "shared inbox"),
    "print": ("printer", "paper tray", "scanner", "toner cartridge"),
    "net": ("vpn tunnel", "wifi", "network switch", "dns lookup"),
}
QUICK = {"n_folds": 2, "max_epochs": 3, "penalties": [0.0]}  # of the probe
FAULTS = ("is down since monday", "stopped working", "asks for a password", "is very slow", "shows an error")


def reports(split):
    """Return (text, topic) of every thing and fault; train and test have no text in common."""
    greeting = {"train": "the {} {}", "test": "hello, my {} {} again"}[split]
    return [
        (greeting.format(thing, fault), topic)
        for topic, things in THINGS.items()
        for thing, fault in product(things, FAULTS)
    ]


def topic_pairs(split, n, seed=0):
    texts = reports(split)
    rng = np.random.default_rng(seed)
    drawn = [(texts[a], texts[b]) for a, b in rng.integers(0, len(texts), (40 * n, 2)) if a != b]
    similar = [pair for pair in drawn if pair[0][1] == pair[1][1]][: n // 2]
    other = [pair for pair in drawn if pair[0][1] != pair[1][1]][: n // 2]
    rows = [(a[0], b[0], a[1], b[1], int(a[1] == b[1])) for a, b in similar + other]
    columns = ["sentence1", "sentence2", "category1", "category2", "label"]
    return pd.DataFrame(rows, columns=columns).drop_duplicates(["sentence1", "sentence2"]).assign(split=split)


def preflight(workspace, dataset, against, encoder="minilm", **params):
    with Job(workspace.jobs / f"preflight-{encoder}-{against is None}", workspace) as job:
        asked = {"set": dataset, "against": against, "encoder": encoder, "precision": "fp32", "score_cut": 0.6} | QUICK
        result = run(asked | params, job)
    json.dumps(result, allow_nan=False)
    return result, job


@pytest.fixture
def tickets(workspace):
    frame = pd.concat([topic_pairs("train", 240), topic_pairs("test", 120, seed=1)])
    save_pairs(workspace, "tickets", frame, provenance={})
    return workspace


def test_two_sets_get_a_verdict_with_everything_it_rests_on(tickets):
    result, job = preflight(tickets, "tickets:train", "tickets:test")

    verdict = preflight_from_json(result["verdict"])
    assert verdict.verdict in ("GO", "FIX DATA", "KEEP BASELINE")
    assert [each.decides for each in verdict.reasons].count(True) >= 1
    assert (result["set"], result["against"]) == ("tickets@v0001:train", "tickets@v0001:test")
    assert result["test"]["roc_auc"] > 0.7  # MiniLM knows what a ticket is about
    assert 0.0 <= result["coverage"]["share"] <= 1.0
    assert result["shift"]["roc_auc"] is not None
    assert result["probe"]["n_excluded"] == 0
    assert result["probe"]["difference"] is not None
    assert result["detectable"]["n_pairs"] == result["test"]["n_pairs"]
    assert result["findings"][0]["code"].startswith("preflight_")
    assert "leaked_texts" in [audit["code"] for audit in result["audits"]]
    texts = [
        event.value["text"] for event in read_events(job.folder / "events.jsonl").events if event.kind == "progress"
    ]
    assert texts[-1] == "decided"


def test_one_set_alone_gets_no_verdict_but_its_audits_and_its_own_probe(tickets):
    result, _ = preflight(tickets, "tickets:train", None)

    assert (result["verdict"], result["test"], result["coverage"], result["detectable"]) == (None, None, None, None)
    assert result["probe"]["inside"] is not None
    assert result["probe"]["difference"] is None
    assert result["audits"]


def test_in_the_space_of_tfidf_there_is_no_probe_and_the_verdict_says_so(tickets):
    result, _ = preflight(tickets, "tickets:train", "tickets:test", encoder="tfidf")

    assert result["probe"] is None
    assert "needs an encoder's vectors" in result["not_probed"]
    assert "not_probed" in [reason["code"] for reason in result["verdict"]["reasons"]]


def test_a_planted_leak_is_fix_data_whatever_the_rest_says(tickets):
    leaking = topic_pairs("train", 240).assign(split="train")
    leaked = leaking.head(5).assign(split="test")
    frame = pd.concat([leaking, topic_pairs("test", 120, seed=1), leaked])
    save_pairs(tickets, "leaky", frame, provenance={})

    result, _ = preflight(tickets, "leaky:train", "leaky:test", encoder="tfidf")

    assert result["verdict"]["verdict"] == "FIX DATA"
    assert result["verdict"]["reasons"][0]["code"] == "leaked_texts"
    assert result["verdict"]["fix"]["page"] == "data"


def of_the_story(real_data, stem, split, n):
    """Return a seeded sample of n pairs of a split of the real data, or all of them."""
    names = {"text_a": "sentence1", "text_b": "sentence2", "id_a": "id1", "id_b": "id2"}
    names |= {"category_a": "category1", "category_b": "category2"}
    frame = pd.read_parquet(real_data(f"{stem}_pairs")).rename(columns=names)
    frame = frame[frame["split"] == split]
    return frame.sample(n, random_state=0) if n else frame


@pytest.mark.slow
def test_the_storys_easy_training_pairs_are_fix_data_with_gap_headroom_and_circularity(workspace, real_data):
    # All 1,000 test pairs; 800 of the 3,854 training pairs (benchmarks/preflight_real.py takes all).
    easy = of_the_story(real_data, "itsm10k_easy_train", "train", 800)
    hard = of_the_story(real_data, "itsm10k_founding", "test", 0)
    save_pairs(workspace, "easy", easy, provenance={})
    save_pairs(workspace, "founding", hard, provenance={})

    result, _ = preflight(workspace, "easy:train", "founding:test", precision="auto")

    assert result["verdict"]["verdict"] == "FIX DATA"
    deciding = {each["code"]: each["message"] for each in result["verdict"]["reasons"] if each["decides"]}
    assert list(deciding) == ["training_solved", "training_easier", "circular_labels"]
    assert result["train"]["roc_auc"] == pytest.approx(0.998, abs=0.002)
    assert result["test"]["roc_auc"] == pytest.approx(0.770, abs=0.0015)
    assert result["test"]["separability"] == pytest.approx(0.144, abs=0.0015)
    assert result["test"]["tfidf_roc_auc"] == pytest.approx(0.947, abs=0.006)
    assert f"{result['train']['separability']:.3f} on the training pairs against" in deciding["training_easier"]
    assert result["train"]["separability"] == pytest.approx(0.495, abs=0.01)
    assert result["verdict"]["fix"]["page"] == "curriculum"


@pytest.mark.slow
def test_the_storys_category_pairs_are_go_with_a_gain_that_shows(workspace, real_data):
    # 1,500 of 8,000 training pairs and 800 of 2,000 test pairs: the gain is smaller than with all, and still shows.
    parts = [of_the_story(real_data, "itsm10k_category", *part) for part in (("train", 1500), ("test", 800))]
    save_pairs(workspace, "category", pd.concat(parts), provenance={})

    result, _ = preflight(workspace, "category:train", "category:test", precision="auto", max_epochs=10)

    assert result["verdict"]["verdict"] == "GO"
    assert result["verdict"]["reasons"][0]["code"] == "probe_gains"
    assert result["probe"]["baseline"] == pytest.approx(0.592, abs=0.02)
    assert result["probe"]["difference"]["low"] > 0.0
    assert result["probe"]["difference"]["estimate"] > 0.05
