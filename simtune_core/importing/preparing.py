"""From the columns of a file to the roles they play: texts joined, repaired, masked and checked, names trimmed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simtune_core.importing.faults import FaultList, counted
from simtune_core.importing.options import TEXT_ROLES, ImportOptions, left_over
from simtune_core.importing.texts import joined, lengths, show_nothing, trimmed
from simtune_core.masking import mask_texts
from simtune_core.tables.formulas import find_marked, unmarked
from simtune_core.tables.mojibake import find_mojibake, repair_mojibake
from simtune_core.tables.table import MAX_TEXT, Table

_NAMES = ("id", "id1", "id2", "split")  # roles whose values are compared letter by letter


@dataclass(slots=True)
class Prepared:
    """The columns of a table under their roles.

    Attributes:
        frame: One column a role, and the further columns that are kept; as text.
        notes: Sentences on what was done; the drafting adds its own.
        masked: How many pieces of personal data of each kind were masked.
        n_mojibake: How many texts look decoded with the wrong encoding, or were repaired.
    """

    frame: pd.DataFrame
    notes: list[str] = field(default_factory=list)
    masked: dict[str, int] = field(default_factory=dict)
    n_mojibake: int = 0


def prepare(table: Table, options: ImportOptions, faults: FaultList) -> Prepared:
    """Put a table's columns under their roles and list what is wrong with texts and splits.

    Args:
        table: The table; it has every column that the options name.
        options: The options.
        faults: Where faults are listed.
    """
    roles = {
        role: joined([table.frame[name] for name in named], options.separator)
        for role, named in options.columns.items()
    }
    kept = left_over(table.frame.columns, options)
    prepared = Prepared(pd.concat([pd.DataFrame(roles, index=table.frame.index), table.frame[kept]], axis=1))
    texts = [role for role in roles if role in TEXT_ROLES]
    _unmark(prepared, options)
    _repair(prepared, texts, options)
    _mask(prepared, [*texts, *kept], options)
    for role in texts:
        values = prepared.frame[role]
        faults.add(show_nothing(values), role, "the text is empty")
        faults.add(lengths(values) > MAX_TEXT, role, f"the text is longer than {MAX_TEXT:,} characters")
    _trim(prepared)
    _check_splits(prepared.frame, faults)
    return prepared


def _unmark(prepared: Prepared, options: ImportOptions) -> None:
    """Remove the marks that an export puts before formulas where that is asked for; else count them and say so."""
    n_marked = 0
    for column in prepared.frame.columns:
        values = prepared.frame[column]
        places = find_marked(values)
        n_marked += len(places)
        if options.unmark_formulas and len(places):
            prepared.frame[column] = _changed(values, places, unmarked)
    if not n_marked:
        return
    n_values = counted(n_marked, "value")
    prepared.notes.append(
        f"The apostrophe before {n_values} was removed, as an export puts it before what a spreadsheet would run."
        if options.unmark_formulas
        else f"{n_values} begin with an apostrophe before =, +, - or @, as an export marks formulas; an option of the "
        "import removes it."
    )


def _trim(prepared: Prepared) -> None:
    for role in _NAMES:
        if role in prepared.frame:
            prepared.frame[role], n_trimmed = trimmed(prepared.frame[role])
            if n_trimmed:
                prepared.notes.append(f"Blanks around {counted(n_trimmed, 'value')} of {role} were removed.")


def _check_splits(frame: pd.DataFrame, faults: FaultList) -> None:
    """List splits that no reference could name, which separates its parts by those characters."""
    if "split" in frame:
        named = frame["split"].fillna("-")
        wrong = ((named == "") | named.str.contains("[:@]")).to_numpy(bool)
        faults.add(wrong, "split", "a split must be a name without ':' and '@', got {value!r}", frame["split"])


def _repair(prepared: Prepared, texts: list[str], options: ImportOptions) -> None:
    """Repair texts decoded with the wrong encoding where that is asked for; else count them and say so."""
    for role in texts:
        values = prepared.frame[role]
        places = find_mojibake(values)
        prepared.n_mojibake += len(places)
        if options.repair_mojibake and len(places):
            prepared.frame[role] = _changed(values, places, repair_mojibake)
    if not prepared.n_mojibake:
        return
    n_texts = counted(prepared.n_mojibake, "text")
    prepared.notes.append(
        f"{n_texts} decoded with the wrong encoding, repaired."
        if options.repair_mojibake
        else f"{n_texts} that seem decoded with the wrong encoding (Ã¤ for ä); an option of the import repairs them."
    )


def _changed(values: pd.Series, places: NDArray[np.int64], change: Callable[[str], str]) -> pd.Series:
    texts = values.astype(object).to_numpy(copy=True)
    texts[places] = [change(text) for text in texts[places]]
    return pd.Series(texts, index=values.index, dtype="str")


def _mask(prepared: Prepared, columns: list[str], options: ImportOptions) -> None:
    """Mask personal data in texts and kept columns, and count it by kind."""
    if not options.mask:
        return

    counts = dict.fromkeys(options.mask, 0)
    for column in columns:
        masked = mask_texts(prepared.frame[column], options.mask)
        prepared.frame[column] = masked.texts
        for kind in options.mask:
            counts[kind] += masked.counts[kind]
    prepared.masked = {str(kind): int(n) for kind, n in counts.items()}
    told = ", ".join(f"{kind} {n:,}" for kind, n in prepared.masked.items())
    prepared.notes.append(f"Personal data was masked: {told}.")
