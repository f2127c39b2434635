"""Drafts of tables written in the test, as the page and the command make them."""

import io

from simtune_core.importing.drafting import draft
from simtune_core.importing.options import guessed_options
from simtune_core.importing.saving import Origin, save_draft
from simtune_core.tables.reading import read_table


def drafted(content, kind=None, *, name="x.csv", **choices):
    """Return the draft of a file's text or bytes under the guessed options, changed by `choices`."""
    table = read_table(content.encode() if isinstance(content, str) else content, name)
    return draft(table, guessed_options(table.frame.columns, kind, **choices))


def saved(workspace, name, checked, **how):
    return save_draft(workspace, name, checked, origin=Origin("x.csv"), **how)


def faults(checked):
    return [(fault.row, fault.column, fault.message) for fault in checked.faults]


def parquet(frame):
    buffer = io.BytesIO()
    frame.to_parquet(buffer)
    return buffer.getvalue()
