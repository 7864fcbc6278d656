"""The table that a file means which names none: found by the file's name and by its columns."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

from ...database.schema import Table, fold
from ...errors import RequestError, UnreadableError
from ..choices import ImportChoices
from ..staging.columns import ColumnMapping

_TOLD = 10  # tables named in an error


def destination(intake: ColumnMapping, choices: ImportChoices, columns: Sequence[str]) -> str:
    """Return the name of the table that rows with these columns go into.

    It is the one that was asked for; or the one called as the file, if it has one of the columns; or, to be made,
    a new one called so; or the only one that has all columns. Raises RequestError, which names what may be meant."""
    if choices.table is not None:
        return choices.table
    if not choices.find_table:
        raise RequestError("The file names no table: give the argument table.")
    name = PurePath(intake.file).name.partition(".")[0]
    seen = [t for t in intake.schema.values() if intake.visible is None or t.name in intake.visible]
    named = next((t for t in seen if t.storable and fold(t.name) == fold(name)), None)
    if named is not None and (not columns or any(_target(intake, named, column) for column in columns)):
        return named.name
    if choices.create and name:
        return name
    fitting = [t.name for t in seen if t.storable and t.problem is None and _fits(intake, t, columns)]
    if len(fitting) == 1:
        return fitting[0]
    if not columns:
        raise RequestError("The file names no table: give the argument table.")
    if not fitting:
        raise RequestError(
            "The file names no table, and no table of the target has all columns of its first line: "
            "give the argument table."
        )
    names = ", ".join(fitting[:_TOLD]) + (", …" if len(fitting) > _TOLD else "")
    raise RequestError(
        f"The file names no table, and {len(fitting)} tables have all columns of its first line ({names}): "
        "give the argument table."
    )


def table_of(intake: ColumnMapping, choices: ImportChoices) -> Table:
    """Return the table of the choices, as the file calls its columns. Raises RequestError, UnreadableError."""
    if choices.table is None:
        raise RequestError("The file names no table: give the argument table.")
    table = intake.find(choices.table)
    if table is None:
        raise UnreadableError(f"Rows cannot go into {choices.table}.", "unknown")
    return table


def _fits(intake: ColumnMapping, table: Table, columns: Sequence[str]) -> bool:
    """Return whether the rows give columns of the table alone, at least one of them stored."""
    given = [intake.renaming.names_to(table.name, column.strip()) for column in columns]
    stored = [c for name in given if name is not None and (c := table.column(name)) is not None and c.hidden == 0]
    return bool(stored) and all(_target(intake, table, column) for column in columns)


def _target(intake: ColumnMapping, table: Table, column: str) -> bool:
    name = column.strip()
    to = intake.renaming.names_to(table.name, name)
    return to is None or table.column(to) is not None or intake.is_computed(table, name)
