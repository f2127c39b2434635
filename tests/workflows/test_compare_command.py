"""The command `compare`: in the space both were cut in where there is one, else in the one asked for."""

import json

from typer.testing import CliRunner

from simtune_core.cli import app
from simtune_core.datasets import save_pairs
from simtune_core.workflows.comparing import as_json, compare
from tests.measured import phased_pairs


def run(workspace, *arguments):
    done = CliRunner().invoke(app, ["compare", *arguments, "--workspace", str(workspace.root)])
    return done.exit_code, done.stdout, done.stderr


def test_two_sets_are_scored_and_compared(measured):
    code, told, _ = run(measured.workspace, "some:train", "some:test", "--json", "--precision", "fp32")

    assert code == 0
    said = json.loads(told)
    assert said["result"] == as_json(compare(measured.workspace, "some:train", "some:test", measured.result))
    assert {finding["code"] for finding in said["findings"]} == {
        finding["code"] for finding in measured.result["findings"]
    }


def test_a_person_reads_tables_and_sentences(workspace):
    for name, seed in (("one", 0), ("two", 1)):
        save_pairs(workspace, name, phased_pairs(60, seed), provenance={})
    code, told, _ = run(workspace, "one", "two", "--precision", "fp32")

    assert code == 0
    for words in ("all pairs, cosine of tfidf", "easy, cosine of tfidf", "pairs in both", "share 0 pairs"):
        assert words in told


def test_a_set_against_itself_and_a_set_that_is_not_there_are_sentences(workspace):
    save_pairs(workspace, "one", phased_pairs(60), provenance={})

    code, _, said = run(workspace, "one", "one@v0001")
    assert (code, "needs two pair sets; both are one@v0001" in said) == (1, True)
    code, _, said = run(workspace, "one", "gone")
    assert (code, "There is no dataset 'gone'" in said) == (1, True)
