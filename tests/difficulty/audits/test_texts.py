"""Texts: blank, wrongly decoded, cut off, in a language the encoder does not speak."""

import pytest

from simtune_core.difficulty.audits.config import AuditConfig
from simtune_core.difficulty.audits.reading import Reading, read_texts
from simtune_core.difficulty.audits.texts import audit_texts
from simtune_core.encoders.catalogue import resolve_encoder
from tests.difficulty.audits.clean import by_code, clean_set, corpus_of, pair, scored, with_rows

ENGLISH = Reading(n_texts=100, limit=256, cut=(), spoken=("en",))
GERMAN = "Der Drucker im dritten Stock druckt seit heute Morgen keine einzige Seite mehr, Raum {}"
PLAIN = "The printer on the third floor has not printed a single page since this morning, room {}"


def audits(one, reading=ENGLISH):
    corpus = corpus_of(one)
    return by_code(audit_texts(corpus.parts[0], corpus, reading, AuditConfig()))


def test_clean_texts_give_no_finding():
    rows = [
        pair(PLAIN.format(i), f"My laptop does not start after the update of last night, number {i}") for i in range(30)
    ]
    assert {audit.status for audit in audits(scored(rows)).values()} == {"clear"}


@pytest.mark.parametrize("text", ["   ", "\u200b\u200b", "\u00a0\t"])
def test_a_text_with_nothing_to_read_is_found_with_its_row(text):
    audit = audits(with_rows(clean_set(1, "a@v0001"), [pair("a printer", text)]))["blank_texts"]
    assert (audit.status, audit.n_found) == ("found", 1)
    assert audit.evidence == ({"sentence1": "a printer", "sentence2": text, "row": 241},)


def test_wrongly_decoded_texts_are_found_with_what_they_probably_are():
    right = ["Das Gerät läuft nicht", "Le café est fermé à Orléans"]
    wrong = [text.encode().decode("latin-1") for text in right]
    audit = audits(scored([pair(wrong[0], "a"), pair(right[1], wrong[1])]))["mojibake"]
    assert (audit.status, audit.n_found) == ("found", 2)
    assert [(row["text"], row["probably"]) for row in audit.evidence] == list(zip(wrong, right, strict=True))


def test_cut_texts_matter_from_a_share_on():
    found = audits(clean_set(1, "a@v0001"), Reading(100, 256, (("long", 900), ("longer than read", 300)), ("en",)))
    audit = found["truncated_texts"]
    assert (audit.status, audit.n_found) == ("found", 2)
    assert "2 of 100 (2.0%)" in audit.message and "the longest 900" in audit.message
    assert audit.evidence[0] == {"text": "long", "tokens": 900}
    one = audits(clean_set(1, "a@v0001"), Reading(100, 256, (("long", 900),), ("en",)))["truncated_texts"]
    assert one.status == "clear"
    assert "1 of 100 (1.0%)" in one.message


def test_what_the_encoder_does_not_tell_is_not_asked():
    base = clean_set(1, "a@v0001")
    silent = audits(base, Reading(100, None, (), None))
    absent = audits(base, None)
    for found in (silent, absent):
        assert found["truncated_texts"].status == found["unspoken_languages"].status == "not_applicable"
        assert found["blank_texts"].status == "clear"


@pytest.mark.parametrize(("n_german", "severity"), [(20, "warning"), (3, "info")])
def test_a_language_that_the_encoder_does_not_speak_is_found(n_german, severity):
    rows = [pair(PLAIN.format(i), PLAIN.format(i + 1000)) for i in range(60)]
    rows += [pair(GERMAN.format(i), PLAIN.format(i + 2000)) for i in range(n_german)]
    audit = audits(scored(rows))["unspoken_languages"]
    assert (audit.status, audit.severity, audit.n_found) == ("found", severity, n_german)
    assert audit.evidence[0]["language"] == "de"


def test_the_bundled_encoder_reads_256_tokens_and_tf_idf_reads_all(minilm, workspace):
    long = "printer " * 300
    one = scored([pair(long, "short"), pair("short", "other")])
    reading = read_texts(minilm, one.pairs)
    assert (reading.n_texts, reading.limit, reading.spoken) == (3, 256, ("en",))
    assert reading.cut == ((long, 302),)  # 300 words and two special tokens
    assert read_texts(resolve_encoder(workspace, "tfidf"), one.pairs) is None
