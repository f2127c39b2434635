"""The commands that say what takes room, delete what is not needed any more and look after the cache."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from simtune_core.commands.options import Json, Where
from simtune_core.console import Report, reported, table
from simtune_core.errors import ConfigError
from simtune_core.workflows import retention, space
from simtune_core.workflows.retention import DeletionPlan, ThingKind
from simtune_core.workspace import open_workspace

cache = typer.Typer(no_args_is_help=True, help="The cache of vectors and scores: safe to clean at any time.")


def add_to(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command()(size)
    app.command()(delete)
    app.add_typer(cache, name="cache")


def size(workspace: Where = None, as_json: Json = False) -> None:
    """Show what takes how much room: jobs, dataset versions, models, the cache and the results store."""
    with reported("size", as_json=as_json) as report:
        found = space.space_of(open_workspace(workspace))
        report.result = asdict(found)
        rows = [[each.kind, each.name, each.title, space.size_words(each.n_bytes)] for each in found.items]
        report.say(table(("kind", "name", "title", "size"), rows))
        report.say(f"{space.size_words(found.n_bytes)} in all; {space.size_words(found.n_free)} free on the disk.")


def delete(
    kind: Annotated[ThingKind, typer.Argument(help="job, dataset or model.")],
    name: Annotated[str, typer.Argument(help="A job id, a dataset NAME or one version NAME@v0001, a model id.")],
    with_dependents: Annotated[
        bool, typer.Option("--with-dependents", help="Delete all that depends on it, too.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; needed with --json and without a terminal.")] = False,
    workspace: Where = None,
    as_json: Json = False,
) -> None:
    """Show what deleting a job, a dataset or a model means, ask, and do it."""
    with reported("delete", as_json=as_json) as report:
        where = open_workspace(workspace)
        plan = retention.deletion_plan(where, kind, name)
        if not as_json:
            _show(plan)
        if not yes and (as_json or not sys.stdin.isatty()):
            raise ConfigError(f"Say --yes to delete {kind} {name} without being asked; nothing was deleted.")
        retention.require_deletable(plan, with_dependents=with_dependents)
        if not yes and not typer.confirm("Delete this?", err=True):
            report.say("Nothing was deleted.")
            return
        _say_gone(report, retention.delete(where, plan, with_dependents=with_dependents), plan)


@cache.command()
def show(workspace: Where = None, as_json: Json = False) -> None:
    """Show what lies in the cache and its limit."""
    with reported("cache show", as_json=as_json) as report:
        held = space.cache_of(open_workspace(workspace))
        report.result = asdict(held)
        rows = [[each.name, each.n_files, space.size_words(each.n_bytes)] for each in held.groups]
        report.say(table(("part", "files", "size"), rows))
        report.say(f"{space.size_words(held.n_bytes)} of at most {space.size_words(held.limit_bytes)}.")


@cache.command()
def clean(
    limit: Annotated[
        float | None, typer.Option(min=0.0, help="GB that may stay; default: the setting cache_limit_gb.")
    ] = None,
    workspace: Where = None,
    as_json: Json = False,
) -> None:
    """Remove what was used longest ago until the cache is within its limit, and what killed writers have left."""
    with reported("cache clean", as_json=as_json) as report:
        limit_bytes = None if limit is None else space.bytes_of_gb(limit)
        done = retention.clean_cache(open_workspace(workspace), limit_bytes=limit_bytes)
        report.result = asdict(done)
        report.say(
            f"Removed {done.n_files:,} files of {space.size_words(done.n_bytes)}; "
            f"{space.size_words(done.n_bytes_left)} stay, of at most {space.size_words(done.limit_bytes)}. "
            "What was used in the last minutes always stays."
        )


def _show(plan: DeletionPlan) -> None:
    """Show a plan at once, before the question."""
    console = Console(highlight=False, emoji=False, stderr=True)
    rows = [[each.kind, each.name, each.title, each.why, space.size_words(each.n_bytes)] for each in plan.dependents]
    lines: list[str | Table] = [f"Delete {plan.kind} {plan.name}: {plan.title}, {space.size_words(plan.n_bytes)}."]
    if rows:
        lines.append(table(("kind", "name", "title", "why it depends on it", "size"), rows))
        lines.append(f"With all that depends on it: {space.size_words(plan.n_bytes_with_dependents)}.")
    for line in (*lines, *plan.blocked, *plan.kept):
        console.print(line if isinstance(line, Table) else escape(line), soft_wrap=not isinstance(line, Table))


def _say_gone(report: Report, n_bytes: int, plan: DeletionPlan) -> None:
    report.result = {"plan": asdict(plan), "n_bytes": n_bytes}
    also = f" and {len(plan.dependents)} that depend on it" if plan.dependents else ""
    report.say(f"Deleted {plan.kind} {plan.name}{also}; {space.size_words(n_bytes)} are free again.")
