"""Finds the table that a CSV file is for by the columns that its first line names."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import IO

from ...database.schema import Table
from ...errors import RequestError
from ..choices import ImportChoices
from ..staging.columns import ColumnMapping
from .csv.reading import header_for, text_at_the_beginning

_TOLD = 10  # tables named in an error


def find_table(
    opened: Callable[[], AbstractContextManager[IO[bytes]]], intake: ColumnMapping, choices: ImportChoices
) -> Table:
    """Return the only table of the target that has every column of the file's first line.

    Raises RequestError if none or several have, or if the first line is not to be read so."""
    if not choices.find_table or choices.header is False:
        raise RequestError("The file names no table: give the argument table.")
    text = text_at_the_beginning(opened, choices)[0]
    able = [table for table in intake.schema.values() if table.storable and table.problem is None]
    found = [table for table in able if _has_all(intake, table, header_for(text, table, choices))]
    if len(found) == 1:
        return found[0]
    if not found:
        raise RequestError(
            "The file names no table, and no table of the target has all columns of its first line: "
            "give the argument table."
        )
    names = [table.name for table in found[:_TOLD]] + (["…"] if len(found) > _TOLD else [])
    raise RequestError(
        f"The file names no table, and {len(found)} tables have all columns of its first line "
        f"({', '.join(names)}): give the argument table."
    )


def _has_all(intake: ColumnMapping, table: Table, names: list[str]) -> bool:
    """Return whether these are columns of the table, at least one of them stored; computed ones are allowed."""
    preset = intake.known.preset if intake.known is not None else None
    computed = preset.computed.get(table.name, []) if preset is not None else []
    columns = [table.column(name) for name in names]
    stored = [c for c in columns if c is not None and not c.generated and c.hidden == 0]
    return bool(stored) and all(c is not None or name in computed for c, name in zip(columns, names))
