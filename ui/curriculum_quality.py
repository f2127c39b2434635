"""Quality on screen: checks of a pair set, the noise in its labels, and the way to look at pairs and edit them."""

from __future__ import annotations

from typing import Any

import streamlit as st

from simtune_core.datasets import canonical_ref, find_dataset
from simtune_core.encoders.config import EncodingConfig
from simtune_core.figures.histograms import score_histogram
from simtune_core.pairs import SCORE_CUT
from simtune_core.workflows import data
from simtune_core.workflows.preflight import preflight_request, preflight_view
from simtune_core.workflows.quality import (
    ClassNoise,
    classes_from_json,
    noise_bins,
    noise_request,
    noise_rows,
    noise_words,
)
from simtune_core.workspace import Workspace
from ui.ask import Answer, answer_to, show_findings
from ui.audits import audits_panel, in_one_line
from ui.curriculum_looking import laid_out, look_part
from ui.errors import shown_as_message
from ui.keys import key
from ui.session import current_workspace
from ui.spaces import pick_encoder
from ui.text import as_label, count
from ui.weak import other_findings, weak_marks
from ui.widgets import pick_one

_NO_TEST = "none"
_KINDS = {0: "negatives", 1: "positives"}
_COLOURS = {0: ":material/square:", 1: ":material/texture:"}
_LONGEST = 700


def quality_panel(ref: str) -> None:
    """Draw the checks of a pair set, its noise estimate, and the table in which pairs are removed and relabelled.

    Args:
        ref: The pair set or one of its splits, as chosen in a list.
    """
    workspace = current_workspace()
    st.header("Quality")
    st.caption("What is wrong with these pairs, how many labels are wrong, and a table to mend both by hand.")
    with shown_as_message("This pair set cannot be read.", stop=False):
        exact = canonical_ref(workspace, ref, "pairs")
        with st.container(horizontal=True, vertical_alignment="bottom"):
            test = _pick_test(workspace, ref)
            encoder = pick_encoder(workspace, key=key("curriculum", "quality_encoder"))
        if test is not None and find_dataset(workspace, test)[0].ref != exact.partition(":")[0]:
            weak_marks(workspace, test)
        _audits(workspace, exact, test, encoder)
        judged = _noise(workspace, exact, encoder)
        look_part(workspace, exact, judged)


def _pick_test(workspace: Workspace, ref: str) -> str | None:
    """Draw the choice of the pairs that the set must not have in common with; at first those it was cut for."""
    version, _ = find_dataset(workspace, ref, kind="pairs")
    step = version.manifest["provenance"].get("step") or {}
    refs = [each for each in data.set_refs(workspace) if each != ref]
    cut_for = next((each for each in refs if canonical_ref(workspace, each) == step.get("test")), None)
    own = f"{version.name}:test" if f"{version.name}:test" in refs else data.usual_sets(refs, "test")["test"]
    chosen = pick_one(
        "Compare with test pairs", [_NO_TEST, *refs], key=key("curriculum", "quality_test"), default=cut_for or own,
        help="Pairs that share a record or a text with these are leaks.",
    )  # fmt: skip
    return None if chosen in (None, _NO_TEST) else chosen


def _audits(workspace: Workspace, ref: str, test: str | None, encoder: str) -> None:
    slot = st.container()
    with shown_as_message("The checks cannot be made.", stop=False):
        request = preflight_request(workspace, ref, test, EncodingConfig(encoder=encoder), score_cut=SCORE_CUT)
        answer = answer_to(
            request, key=key("curriculum", "quality_audits"), button="Check the pairs",
            why="Leaks, contradictions, repeats, shortcuts; the same checks as on the page Difficulty.",
        )  # fmt: skip
        with slot:
            audits = preflight_view(answer.result).audits if answer else ()
            st.subheader(f"Checks of the pairs: {in_one_line(audits)}" if answer else "Checks of the pairs")
        if answer:
            opened = st.expander(
                "What the checks found", icon=":material/fact_check:", key=key("curriculum", "quality_checks"),
                on_change="rerun",
            )  # fmt: skip
            if opened.open:
                with opened:
                    audits_panel(audits)


def _noise(workspace: Workspace, ref: str, encoder: str) -> str | None:
    """Draw the estimate or the way to it; return the id of the job that ranked the pairs, if one has."""
    st.subheader("Wrong labels")
    with shown_as_message("The noise in the labels cannot be estimated so.", stop=False):
        request = noise_request(workspace, ref, EncodingConfig(encoder=encoder))
        answer = answer_to(
            request, key=key("curriculum", "quality_noise"), button="Estimate the noise",
            why="Small probes judge every pair without having seen its records: a minute or two.",
        )  # fmt: skip
        if answer:
            _estimate(workspace, ref, answer)
            return answer.job.id
    return None


def _estimate(workspace: Workspace, ref: str, answer: Answer) -> None:
    result: dict[str, Any] = answer.result
    classes = classes_from_json(result)
    if not classes:
        st.info(as_label(result["reason"], longest=_LONGEST), icon=":material/help:")
    else:
        with st.grid(2, min_column_width=240):
            for each in classes:
                _card(each, result)
    show_findings([each for each in other_findings(result["findings"]) if each["code"] != "noise_not_estimated"])
    st.caption(as_label(noise_words(result), longest=_LONGEST))
    if not result["n_judged"]:
        return
    opened = st.expander(
        "How surely the probe finds them similar", icon=":material/bar_chart:",
        key=key("curriculum", "quality_figure"), on_change="rerun",
    )  # fmt: skip
    if opened.open:
        with opened:
            figure = score_histogram(
                noise_bins(workspace, laid_out(workspace, ref, answer.job.id), answer.job.id),
                space=f"P(similar) by a probe of {result['title']} that saw neither record",
            )
            st.plotly_chart(
                figure, key=key("curriculum", f"quality_bars.{answer.job.id}"),
                alt="Pairs by how surely the probe finds them similar: wrong labels lie at the other label's end",
            )  # fmt: skip
            if classes:
                st.dataframe(
                    noise_rows(result),
                    hide_index=True,
                    height="content",
                    alt="The noise estimate of either label",
                    column_config={"pairs judged": st.column_config.NumberColumn(format="localized")},
                )


def _card(each: ClassNoise, result: dict[str, Any]) -> None:
    level = 100 * result["config"]["level"]
    with st.container(border=True, gap="xsmall", height="stretch"):
        st.markdown(f"{_COLOURS[each.label]} **Wrong among the {_KINDS[each.label]}**, at most about")
        st.markdown(f"### {each.rate.estimate:.1%}")
        st.caption(
            f"{level:g} % interval {each.rate.low:.1%} to {each.rate.high:.2%}: some {count(each.n_expected)} of "
            f"{count(each.n)} pairs. Confident learning marks {count(each.n_issues)} to be looked at."
        )
