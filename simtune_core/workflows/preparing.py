"""What is asked of a dataset beside reading it: divide it, write it to a file, take vectors or scores from one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from simtune_core.datasets import find_dataset
from simtune_core.jobs.launcher import find_equal
from simtune_core.preparing.splitting import SplitConfig
from simtune_core.preparing.splitting_job import MADE_BY, require_unsplit
from simtune_core.workflows.requests import Request, require_free_dataset
from simtune_core.workspace import Workspace

__all__ = ["MadeSplit", "largest_component", "made_split", "split_request", "split_rows"]


@dataclass(frozen=True, slots=True)
class MadeSplit:
    """A split that was made here, as the manifest of its dataset tells it.

    Attributes:
        ref: The version that has it.
        made_from: The version that was divided.
        config: The settings, as JSON.
        report: How it came out, as JSON.
    """

    ref: str
    made_from: str
    config: dict[str, Any]
    report: dict[str, Any]


def split_request(
    workspace: Workspace, dataset: str, config: SplitConfig, *, name: str | None = None, replace: bool = False
) -> Request:
    """Ask for train, dev and test of a dataset.

    Args:
        workspace: Where everything lies.
        dataset: A whole dataset; one of its splits is refused.
        config: How to divide it.
        name: The dataset to make; None makes a new version of the one that is divided.
        replace: Whether splits that are there, such as imported ones, may be replaced.

    Raises:
        DataFaultError: If a part is named, or there are splits that are to be kept.
        WorkspaceError: If another dataset has the name.
    """
    version, part = find_dataset(workspace, dataset)
    require_unsplit(version.ref, {} if replace else version.splits, part)
    made = name or version.name
    params = {"set": version.ref, "name": made, "config": config.model_dump(mode="json"), "replace": replace}
    if made != version.name and find_equal(workspace, "split", params) is None:
        require_free_dataset(workspace, made)
    return Request("split", params, f"Split {version.ref}" + (f" as {made}" if made != version.name else ""))


def made_split(workspace: Workspace, dataset: str) -> MadeSplit | None:
    """Return the split that a version of a dataset was made by; None for imported splits and for none at all."""
    version, _ = find_dataset(workspace, dataset)
    told = version.manifest["provenance"]
    if told.get("made_by") != MADE_BY:
        return None
    return MadeSplit(version.ref, told["made_from"], told["config"], told["report"])


def split_rows(report: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what a table shows of a split: a row for each part, and what was wanted.

    Args:
        report: What `SplitReport.as_json` gave.
    """
    labelled = any(part["positive_share"] is not None for part in report["parts"])
    rows = []
    for part in report["parts"]:
        row = {
            "split": part["name"],
            report["what"]: part["n_rows"],
            "share": part["share"],
            "wanted": part["wanted"],
            "components": part["n_components"],
        }
        if labelled:
            row["positive pairs"] = part["positive_share"]
        rows.append(row | {"categories": part["n_categories"]})
    return rows


def largest_component(report: dict[str, Any]) -> str:
    """Say in a sentence how large the largest connected component is, and what that means for a split."""
    n, n_rows, what = report["n_components"], report["largest_rows"], report["what"]
    return (
        f"{report['n_rows']:,} {what} of {report['n_records']:,} records are connected into {n:,} components by shared "
        f"records and texts; the largest has {n_rows:,} {what} ({100 * report['largest_share']:.1f} %) and is whole in "
        f"{report['largest_split']}, as every component is in one split."
    )
