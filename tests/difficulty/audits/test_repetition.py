"""Repeated pairs and pairs of a text with itself."""

from simtune_core.difficulty.audits.repetition import audit_repetition
from tests.difficulty.audits.clean import by_code, clean_set, corpus_of, pair, scored, with_rows


def audits(one):
    corpus = corpus_of(one)
    return by_code(audit_repetition(corpus.parts[0], corpus))


def test_a_clean_set_has_every_pair_once():
    assert {audit.status for audit in audits(clean_set(1, "a@v0001")).values()} == {"clear"}


def test_a_pair_is_repeated_whatever_its_order_and_punctuation():
    base = clean_set(1, "a@v0001")
    row = base.pairs.frame.iloc[0]
    again = pair(f"{row['sentence2']}!", row["sentence1"].title(), row["label"])
    audit = audits(with_rows(base, [again, again]))["repeated_pairs"]
    assert (audit.status, audit.severity, audit.n_found) == ("found", "warning", 2)
    assert "2 of 242 (0.8%)" in audit.message and "3 times" in audit.message
    assert len(audit.evidence) == 1
    assert audit.evidence[0]["times"] == 3
    assert audit.evidence[0]["sentence1"] == row["sentence1"]


def test_a_text_with_itself_is_found():
    audit = audits(with_rows(clean_set(1, "a@v0001"), [pair("The VPN is down", "the vpn is down.", id1="x")]))[
        "self_pairs"
    ]
    assert (audit.status, audit.n_found) == ("found", 1)
    assert audit.evidence == ({"sentence1": "The VPN is down", "sentence2": "the vpn is down.", "id1": "x"},)


def test_a_set_without_pairs_cannot_be_asked():
    empty = scored([pair("a", "b")])
    nothing = scored(empty.pairs.frame.iloc[:0])
    assert {audit.status for audit in audits(nothing).values()} == {"not_applicable"}
