"""What a curriculum is cut out of: records or a pair set, the space, the test set to resemble, and the baseline."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile

import streamlit as st

from simtune_core.candidates.config import CandidatesConfig
from simtune_core.encoders.config import EncodingConfig
from simtune_core.workflows import data
from simtune_core.workflows.mining import readings_request
from simtune_core.workflows.models import default_encoder
from simtune_core.workflows.requests import Request, candidates_request
from simtune_core.workspace import Workspace
from ui.ask import Answer, answer_to, show_findings
from ui.empty import stop_without_data
from ui.errors import shown_as_message
from ui.keys import key
from ui.spaces import pick_encoder
from ui.text import as_label
from ui.widgets import pick_one, select_for, settings_from

_ALIKE = 3  # letters with which two names must begin alike
_NO_TEST = "no test set"  # holds blanks, so no dataset has this name


@dataclass(frozen=True, slots=True)
class Sources:
    """What was chosen.

    Attributes:
        records: The set whose pairs are counted: records, or a pair set.
        encoding: The space.
        test: The pairs to resemble, kept out; None without.
        baseline: The encoder whose ROC-AUC on the phases is told; None where it is the space itself.
        config: How pairs are counted and sampled.
    """

    records: str
    encoding: EncodingConfig
    test: str | None
    baseline: EncodingConfig | None
    config: CandidatesConfig


def pick_sources(workspace: Workspace) -> Sources:
    """Draw the row of controls that says what is counted; every choice stands in the address or in the session."""
    of_records, of_pairs = data.set_refs(workspace, "records"), data.set_refs(workspace, "pairs")
    if not of_records and not of_pairs:
        stop_without_data(workspace, "records")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        records = pick_one(
            "Records, or pairs", [*of_records, *of_pairs], key=key("curriculum", "records"),
            default=data.usual_sets(of_records, "train")["train"],
            help="Record sets first: all their pairs are candidates. Of a pair set its own labelled pairs are.",
        )  # fmt: skip
        encoder = pick_encoder(workspace, key=key("curriculum", "encoder"), default="tfidf")
        test = pick_one(
            "Test set", [_NO_TEST, *of_pairs], key=key("curriculum", "test"),
            default=kindred_test(records or "", of_pairs) or _NO_TEST,
            help="The figures that the phases are held against. Its records and their near-duplicates are kept out.",
        )  # fmt: skip
        with st.popover("More", icon=":material/tune:"):
            precision = select_for(EncodingConfig, "precision", scope="curriculum")
            baseline = pick_encoder(
                workspace, key=key("curriculum", "baseline"), label="Baseline", default=default_encoder(workspace)
            )
            config = settings_from(CandidatesConfig, scope="curriculum")
    with shown_as_message():
        encoding, other = (EncodingConfig(encoder=name, precision=precision) for name in (encoder, baseline))
    chosen = test if test not in (None, _NO_TEST, records) else None
    return Sources(records or "", encoding, chosen, other if baseline != encoder else None, config)


def kindred_test(records: str, refs: list[str]) -> str | None:
    """Return the test split whose set is called most like the records; None where no name begins as theirs does.

    A test set of another domain would bend every figure, so none is better than any.
    """
    name = records.partition(":")[0]
    alike = {ref: _n_alike(name, ref.partition(":")[0]) for ref in refs if ref.endswith(":test")}
    best = max(alike, key=alike.__getitem__, default=None)
    return best if best is not None and alike[best] >= _ALIKE else None


def _n_alike(first: str, second: str) -> int:
    """Return with how many equal letters two names begin."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, second, strict=False)))


def counting(workspace: Workspace, sources: Sources) -> Request:
    """Return the request that counts what was chosen."""
    return candidates_request(workspace, sources.records, sources.encoding, config=sources.config, test=sources.test)


def baseline_line(workspace: Workspace, sources: Sources, candidates: str) -> str | None:
    """Draw the way to the baseline's readings where there are none yet.

    Args:
        workspace: Where the job is.
        sources: What was chosen.
        candidates: Id of the job that counted the pairs.

    Returns:
        The id of the job in which the baseline has read the sample; None while there is none.
    """
    if sources.baseline is None:
        return None
    answer = None
    with shown_as_message("The baseline cannot read the candidates.", stop=False):
        answer = answer_to(
            readings_request(workspace, candidates, sources.baseline),
            key=key("curriculum", "readings"),
            button="Read the sample with the baseline",
            why="Then its ROC-AUC on every phase follows the sliders: above 0.9 the phase teaches it little.",
        )
    return None if answer is None else answer.job.id


def counted_words(counted: Answer) -> None:
    """Say what was counted in one line, its remarks behind it, and warn of what is wrong with it."""
    result = counted.result
    words = f"{result['n_pairs']:,} pairs of {result['n_records']:,} records in {result['title']}."
    remarks = [each["message"] for each in result["findings"] if each["severity"] == "info"]
    st.caption(as_label(" ".join([words, *remarks]), longest=1200))
    show_findings([each for each in result["findings"] if each["severity"] != "info"])
