"""What a command says: one JSON object, or a table and sentences; progress on standard error; the exit code.

Owns the `--json` envelope and the exit codes. Knows nothing of the commands.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from simtune_core.errors import SimtuneError
from simtune_core.jobs.states import JobStatus

SCHEMA = 1
FAILED, INTERRUPTED = 1, 130


class CommandInterruptedError(typer.Exit):
    """Ctrl-C while a job was followed; `job` is the id of that job, which goes on, or None."""

    def __init__(self, job: str | None) -> None:
        super().__init__(INTERRUPTED)
        self.job = job


@dataclass(slots=True)
class Report:
    """What one command found; filled by the command, written once at its end.

    Attributes:
        command: The verb.
        as_json: Whether standard output is one JSON object.
        fail_on_finding: Whether a warning or an error among the findings makes the exit code 1.
        result: What goes into the JSON object.
        findings: `{"code", "severity", "message"}` each.
        lines: What a person reads instead: strings and rich tables.
    """

    command: str
    as_json: bool
    fail_on_finding: bool = False
    result: dict[str, Any] = field(default_factory=dict)
    findings: list[dict[str, Any]] = field(default_factory=list)
    lines: list[str | Table] = field(default_factory=list)

    def say(self, *lines: str | Table) -> None:
        """Add lines for a person; text is shown literally."""
        self.lines.extend(lines)

    def take(self, result: dict[str, Any]) -> None:
        """Take a job's result and its findings."""
        self.findings += result.get("findings", [])
        self.result |= {key: value for key, value in result.items() if key != "findings"}


@contextmanager
def reported(command: str, *, as_json: bool, fail_on: str | None = None) -> Iterator[Report]:
    """Run a command's body and write what it found; a `SimtuneError` is a sentence and exit code 1, Ctrl-C 130."""
    report = Report(command, as_json, fail_on == "finding")
    try:
        yield report
    except SimtuneError as error:
        _write(report, {"code": error.code, "message": str(error)})
        raise typer.Exit(FAILED) from error
    except (CommandInterruptedError, KeyboardInterrupt) as error:
        job = error.job if isinstance(error, CommandInterruptedError) else None
        message = f"Interrupted; {f'the job {job} goes on' if job else 'nothing more was started'}."
        _write(report, {"code": "interrupted", "message": message, "job": job})
        raise typer.Exit(INTERRUPTED) from None
    _write(report, None)
    if report.fail_on_finding and any(finding["severity"] != "info" for finding in report.findings):
        raise typer.Exit(FAILED)


@contextmanager
def progress_bar(*, hidden: bool) -> Iterator[Callable[[JobStatus], None]]:
    """Yield a function that draws a job's progress on standard error; Ctrl-C leaves the job running and says so."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    seen: list[JobStatus] = []
    with Progress(*columns, console=Console(stderr=True), disable=hidden, transient=True) as bar:
        task = bar.add_task("waiting", total=None)

        def draw(status: JobStatus) -> None:
            seen[:] = [status]
            text = f"{status.title}: {status.text or status.state}"
            bar.update(task, description=escape(text[:70]), completed=status.done or 0, total=status.total)

        try:
            yield draw
        except KeyboardInterrupt:
            if seen:
                typer.echo(f"\nThe job goes on. Stop it with: python -m simtune_core stop {seen[0].id}", err=True)
            raise CommandInterruptedError(seen[0].id if seen else None) from None


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]], *, title: str | None = None) -> Table:
    """Lay rows out as a table; numbers to the right, four decimals, a hyphen where there is no value."""
    made = Table(title=title, title_justify="left", header_style="bold")
    for index, column in enumerate(columns):
        numeric = any(isinstance(row[index], int | float) for row in rows)
        made.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        made.add_row(*(escape(cell(value)) for value in row))
    return made


def cell(value: Any) -> str:
    """Word one value of a table."""
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.4f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _write(report: Report, error: dict[str, str | None] | None) -> None:
    if report.as_json:
        envelope = {
            "schema": SCHEMA,
            "command": report.command,
            "result": None if error else report.result,
            "findings": report.findings,
            "error": error,
        }
        typer.echo(json.dumps(envelope, ensure_ascii=False, allow_nan=False))
        return
    console = Console(highlight=False, emoji=False)
    for line in report.lines:
        console.print(line if isinstance(line, Table) else escape(line), soft_wrap=not isinstance(line, Table))
    for finding in report.findings:
        mark = {"info": "note", "warning": "warning", "error": "ERROR"}[finding["severity"]]
        console.print(escape(f"{mark} [{finding['code']}]: {finding['message']}"), soft_wrap=True)
    if error:
        typer.echo(f"Error: {error['message']}", err=True)
