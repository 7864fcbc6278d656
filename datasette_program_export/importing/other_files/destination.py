"""The table that a file means which names none: found by the file's name and by its columns."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

from ...database.schema import Table, fold
from ...errors import RequestError, UnreadableError
from ..choices import ImportChoices
from ..staging.columns import ColumnMapping, takes_rows, why_no_rows

_TOLD = 10  # tables named in an error


def destination(intake: ColumnMapping, choices: ImportChoices, columns: Sequence[str]) -> str:
    """Return the name of the table that rows with these columns go into.

    It is the one that was asked for; or the one called as the file; or, to be made, a new one called so; or the only
    one that has all columns. Raises RequestError, which names what may be meant."""
    if choices.table is not None:
        return choices.table
    if not choices.find_table:
        raise RequestError("The file names no table: give the argument table.")
    seen = [t for t in intake.schema.values() if intake.visible is None or t.name in intake.visible]
    if (called := called_as(intake.file, seen)) is not None:
        if not takes_rows(called):
            raise RequestError(
                f"The file is called as {called.name}, which {why_no_rows(called)}: give the argument table for the "
                "one that its rows go into."
            )
        return called.name
    if choices.create and (name := PurePath(intake.file).name.partition(".")[0]):
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


def called_as(file: str, tables: Sequence[Table]) -> Table | None:
    """Return the table, of any kind, that is called as the file without one or more of its suffixes."""
    name = PurePath(file).name
    while (shorter := name.rpartition(".")[0]) and shorter != name:
        name = shorter
        if (found := next((t for t in tables if fold(t.name) == fold(name)), None)) is not None:
            return found
    return None


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
