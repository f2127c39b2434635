"""The model card of a tuned model: short, and every line of it a fact of its run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def model_card(
    facts: Mapping[str, Any],
    *,
    dev: Mapping[str, Any],
    baseline: Mapping[str, Any],
    ledger: Sequence[Mapping[str, Any]],
) -> str:
    """Return the card as Markdown.

    Args:
        facts: Fields of the manifest.
        dev: Metrics of the kept weights on dev, as `DevScore.as_dict` gives them; all None where they were not scored.
        baseline: The same of the untouched base.
        ledger: Lines with `name`, `asked`, `ran` and `equal`.
    """
    rows = [
        f"| {entry['name']} | {_cell(entry['asked'])} | {_cell(entry['ran'])} | {'' if entry['equal'] else 'differs'} |"
        for entry in ledger
    ]
    metrics = [
        f"| {name} | {_number(baseline[name])} | {_number(dev[name])} |" for name in ("roc_auc", "spearman_cosine")
    ]
    return "\n".join(
        [
            f"# {facts['model_id']}",
            "",
            f"Tuned with method `{facts['kind']}` from `{facts['base']}` "
            f"(fingerprint {facts['base_fingerprint'][:12]}) on `{facts['train']}`; "
            f"at most {facts['max_seq_length']} tokens.",
            "" if facts["trained"] else "\nNothing was better on dev than the untouched base: it equals its base.",
            _how_chosen(facts["dev"], dev),
            "",
            "| on dev | untouched base | this model |",
            "|---|---|---|",
            *metrics,
            "",
            "| entry | asked | ran | |",
            "|---|---|---|---|",
            *rows,
            "",
        ]
    )


def _how_chosen(ref: str, dev: Mapping[str, Any]) -> str:
    if dev["roc_auc"] is None and dev["spearman_cosine"] is None:
        return f"Stopped at step {dev['step']}, before it was scored on `{ref}`: evaluate it before use."
    return f"Chosen on `{ref}` ({dev['n_pairs']} pairs), so they flatter it; evaluate on a test set."


def _number(value: float | None) -> str:
    return "not defined" if value is None else f"{value:.4f}"


def _cell(value: Any) -> str:
    return "" if value is None else str(value).replace("|", "\\|")
