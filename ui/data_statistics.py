"""What a dataset holds, on screen: cards, findings, figures, and the numbers and examples behind them."""

from __future__ import annotations

from typing import Any

import streamlit as st

from simtune_core.datasets import DatasetVersion
from simtune_core.figures.describing import category_bars, label_bars, length_histogram, score_lines
from simtune_core.near_duplicates import SHINGLE
from simtune_core.preparing.description import WHOLE, Description, SplitFacts, ordered_splits
from simtune_core.workflows.describing import describe_request, description_of, made_words
from simtune_core.workspace import Workspace
from ui.ask import Answer, answer_to, show_findings
from ui.errors import shown_as_message
from ui.keys import key
from ui.sections import section
from ui.text import as_label

_UNKNOWN = "not counted"
_CARD: dict[str, Any] = {"border": True, "height": "stretch", "delta_color": "off", "delta_arrow": "off"}


def statistics(workspace: Workspace, version: DatasetVersion, encoder: str) -> str | None:
    """Draw what a version holds.

    Args:
        workspace: Where it lies.
        version: What is described.
        encoder: Whose tokens the lengths are counted in.

    Returns:
        The id of the job that described it, whose folder tells of every row what is true of it; None if none has.
    """
    st.caption(as_label(f"{version.ref} · {_splits(version)} · {made_words(version)}", longest=400))
    slot = st.container()
    with shown_as_message():
        request = describe_request(workspace, version.ref, encoder)
    answer = answer_to(
        request,
        key=key("data", "describe"),
        button="Describe",
        why="Counts tokens, repeated rows, texts shared by splits, and the balance of classes and categories.",
    )
    described = None if answer is None else description_of(answer.result)
    with slot:
        _cards(version, described)
    if answer is None or described is None:
        return None
    _context(described, answer)
    show_findings(answer.result["findings"])
    _figures(described, answer.result["title"])
    section("Numbers and examples", _numbers, described, key=key("data", "numbers"), icon=":material/table_chart:")
    return answer.job.id


def _cards(version: DatasetVersion, described: Description | None) -> None:
    """Draw rows, categories or share of similar pairs, splits, truncated rows and repeated rows."""
    with st.grid(5, min_column_width=150):
        st.metric(version.kind.capitalize(), version.n_rows, format="localized", **_CARD)
        _second_card(version)
        st.metric("Splits", len(version.splits) or "none", **_CARD)
        if described is None:
            st.metric("Truncated", _UNKNOWN, **_CARD)
            st.metric("Repeated", _UNKNOWN, **_CARD)
            return
        _truncated_card(described)
        repeats = described.repeats
        n = repeats.n_exact + repeats.n_near
        st.metric(
            "Repeated",
            n / described.n_rows,
            format="percent",
            delta=f"{repeats.n_exact:,} exactly, {repeats.n_near:,} nearly",
            **_CARD,
        )


def _second_card(version: DatasetVersion) -> None:
    manifest = version.manifest
    if version.kind == "records":
        st.metric("Categories", manifest.get("n_categories", 0) or "none", **_CARD)
        return
    n, positive = manifest["n_positive"] + manifest["n_negative"], manifest["n_positive"]
    if not n:
        st.metric("Labels", "graded" if manifest["graded"] else "none", **_CARD)
        return
    st.metric("Similar", positive / n, format="percent", delta=f"{positive:,} of {n:,} pairs", **_CARD)


def _truncated_card(described: Description) -> None:
    known = [split.n_truncated for split in described.splits if split.n_truncated is not None]
    if not known:
        st.metric("Truncated", "nothing", delta=f"counted in {described.lengths.unit}", **_CARD)
        return
    n = sum(known)
    st.metric("Truncated", n / described.n_rows, format="percent", delta=f"{n:,} of {described.n_rows:,} rows", **_CARD)


def _context(described: Description, answer: Answer) -> None:
    """Say what the numbers rest on."""
    lengths, title = described.lengths, answer.result["title"]
    reads = f"{title} reads {lengths.limit:,} of them" if lengths.limit else "nothing is cut off"
    near = float(answer.result["near_duplicate"])
    edits = f"Jaccard of character {SHINGLE}-grams from {near:g} on"
    spread = f"median {lengths.median:g}, 95 % up to {lengths.p95:g}, longest {lengths.longest:,}"
    parts = [
        f"{described.n_unique_texts:,} different texts in {described.n_rows:,} {described.kind}",
        f"{lengths.unit} a text: {spread}; {reads}",
        "nearly the same: equal but for case and punctuation" + (f", or {edits}" if near < 1 else ""),
    ]
    st.caption(as_label(" · ".join(parts), longest=600))


def _figures(described: Description, encoder: str) -> None:
    names = [split.split for split in described.splits]
    with st.grid(2, min_column_width=360):
        with st.container():
            st.markdown("**Length of the texts**")
            alt = f"Lengths of {described.lengths.n_texts:,} texts, median {described.lengths.median:g}"
            st.plotly_chart(length_histogram(described.lengths, encoder=encoder), key=key("data", "lengths"), alt=alt)
        if described.kind == "pairs":
            with st.container():
                _balance_figure(described)
        if described.categories is not None:
            with st.container():
                n = described.categories.n
                st.markdown(f"**Categories by split**, the largest {min(n, 12)} of {n:,}")
                figure = category_bars(described.categories, names)
                alt = f"Share of the {min(n, 12)} largest categories in {', '.join(names)}"
                st.plotly_chart(figure, key=key("data", "categories"), alt=alt)


def _balance_figure(described: Description) -> None:
    labelled = [split for split in described.splits if split.n_positive + split.n_negative]
    graded = [split for split in described.splits if split.n_graded]
    if labelled:
        st.markdown("**Labels by split**")
        st.plotly_chart(
            label_bars(labelled), key=key("data", "labels"), alt=f"Similar and dissimilar pairs: {_balance(labelled)}"
        )
    elif graded:
        st.markdown("**Scores by split**")
        n = sum(split.n_graded for split in graded)
        st.plotly_chart(
            score_lines(graded), key=key("data", "scores"), alt=f"Spread of the scores of {n:,} graded pairs"
        )
    else:
        st.info(
            "The pairs have neither labels nor scores: nothing can be trained or judged on them.",
            icon=":material/info:",
        )


def _numbers(described: Description) -> None:
    """Draw the tables behind the figures, and examples of what the findings speak of."""
    st.dataframe(
        [_split_row(split, described) for split in described.splits],
        hide_index=True,
        alt=f"Numbers of {len(described.splits)} splits",
    )
    if described.categories is not None:
        categories = described.categories
        rows = [{"category": each["category"], **each["counts"]} for each in categories.largest]
        st.caption(
            f"Texts by category, the largest {len(rows)} of {categories.n:,}; {categories.n_unknown:,} have none"
        )
        st.dataframe(rows, hide_index=True, height=240, alt=f"Texts of {len(rows)} categories by split")
    repeats = described.repeats
    examples: list[tuple[str, list[dict[str, Any]]]] = [
        ("Most often repeated", [{"times": each["n"], "text": each["text"]} for each in repeats.examples]),
        ("Nearly the same", [{"one": one, "other": other} for one, other in repeats.near_examples]),
        (
            "In two splits",
            [
                {"splits": f"{leak.first}, {leak.second}", "text": text}
                for leak in described.leaks
                for text in leak.examples
            ],
        ),
    ]
    for title, rows in examples:
        if rows:
            st.caption(f"{title}: the first {len(rows)}")
            st.dataframe(rows, hide_index=True, alt=f"{title}: {len(rows)} examples")


def _split_row(split: SplitFacts, described: Description) -> dict[str, Any]:
    row: dict[str, Any] = {"split": split.split, "rows": split.n_rows}
    if split.n_truncated is not None:
        row["truncated"] = split.n_truncated
    if described.kind == "pairs":
        row |= {"graded": split.n_graded} if described.graded else {}
        if any(each.n_positive + each.n_negative for each in described.splits):
            row |= {"similar": split.n_positive, "dissimilar": split.n_negative}
        if split.n_both_categories:
            row["of one category"] = f"{split.n_same_category / split.n_both_categories:.1%}"
    return row


def _splits(version: DatasetVersion) -> str:
    splits = version.splits
    told = ", ".join(f"{name} {splits[name]:,}" for name in ordered_splits(splits))
    return told or f"{WHOLE}, {version.n_rows:,}"


def _balance(splits: list[SplitFacts]) -> str:
    return ", ".join(
        f"{split.split} {split.n_positive:,} of {split.n_positive + split.n_negative:,} similar" for split in splits
    )
