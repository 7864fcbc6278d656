"""Looks through a file of plain rows before it is read: what tables and columns does the target lack, of what types?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from ...database.schema import Table, fold
from ...errors import RequestError, UnreadableError
from ..choices import ImportChoices
from ..staging.columns import ColumnMapping, takes_rows
from .column_types import ColumnType
from .rows import called, value_of

_MOST = 2_000  # columns of a table


class Survey:
    """Takes the same rows as ``ForeignRows`` and only looks at them; ``settle`` then plans what is lacking."""

    def __init__(self, intake: ColumnMapping, choices: ImportChoices) -> None:
        self.intake, self._choices = intake, choices
        self.seen: dict[str, int] = {}
        self._types: dict[str, dict[str, ColumnType]] = {}
        self._there: dict[str, Table | None] = {}  # the target's tables, as the file calls their columns

    def begin(self, name: str) -> None:
        """Note that the file has this table, with or without rows."""
        if name not in self.seen:
            self.seen[name] = 0
            table = self.intake.schema.find(name)
            usable = table is not None and takes_rows(table)  # else told when the rows are read
            self._there[name] = self.intake.renaming.shown(table) if table is not None and usable else None

    def called(self, name: str, row: Mapping[str, Any]) -> str:
        """Return the table that a name means."""
        return called(self.intake.schema, name, row)

    def add(self, name: str, row: dict[str, Any], number: int | None = None) -> None:
        """Look at one row, and at the rows of other tables that it holds."""
        if fold(name) in self.intake.without:
            return
        self.begin(name)
        self.seen[name] += 1
        table = self._there[name]
        for key, value in row.items():
            if table is not None and table.column(key) is not None:
                continue
            if isinstance(value, list) and all(isinstance(x, dict) for x in value):
                inner = self.called(key, {"chart_id": None} if fold(name) == "charts" else {})
                if self.intake.schema.find(inner) is not None:
                    for one in value:
                        self.add(inner, one)
                    continue
            if (found := self.column(name, key)) is not None:
                try:
                    found.see(value_of(value, self._choices.kind_of(key) == "number"))
                except (ValueError, KeyError, TypeError, msgspec.MsgspecError):
                    continue  # told when the row is read

    def note(self, told: str, table: str) -> None:
        """Say nothing: whatever is worth knowing is told when the rows are read."""

    def column(self, table: str, name: str) -> ColumnType | None:
        """Return where the type of a column is found, for one that the target lacks and that is wanted."""
        found = self._types.setdefault(table, {})
        if name not in found:
            there = self.intake.schema.find(table)
            if not (self._choices.create if there is None else self._choices.alter):
                return None
            if there is not None and _has(self.intake, there, name):
                return None
            if len(found) > _MOST:
                raise UnreadableError(f"The rows of {table} have far too many different columns.")
            found[name] = ColumnType()
        return found[name]

    def end(self) -> None:
        """Plan what is lacking. Raises RequestError for types or keys of columns that are not made."""
        intake, choices = self.intake, self._choices
        types = {fold(name): kind for name, kind in choices.types.items()}
        keys, made, new = {fold(name) for name in choices.pk}, set[str](), set[str]()
        for table, found in self._types.items():
            columns: dict[str, str] = {}
            for name, kind in found.items():
                to = intake.renaming.to(table, name)
                if to is None:
                    continue
                if fold(to) in map(fold, columns):
                    raise UnreadableError(f"{table} would get two columns {to}: in SQLite A and a are one name.")
                columns[to] = types.get(fold(to), kind.name)
                made.add(fold(to))
                new |= {fold(to)} if intake.schema.find(table) is None else set()
            if columns:
                intake.add(table, columns, [c for c in columns if fold(c) in keys])
        odd = [name for name in choices.types if fold(name) not in made]
        odd += [name for name in choices.pk if fold(name) not in new]
        if odd:
            raise RequestError(f"{odd[0]} is no column that is made here, so neither its type nor a key can be chosen.")


def _has(intake: ColumnMapping, table: Table, name: str) -> bool:
    """Return whether a column of the file needs none to be made: the target has it, or it is left away or computed."""
    to = intake.renaming.to(table.name, name)
    return to is None or table.column(to) is not None or intake.is_computed(table, name)
