"""What new rows get in columns that the file does not give, or whose cell is empty."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timezone

from ...database.schema import Column, Table, fold
from ...options.preset import NOW, Preset
from ..staging.database import StagedTable


class Defaults:
    """The defaults of one table, for columns that have none in its schema. ``now`` is one moment for a whole import."""

    def __init__(self, table: Table | None = None, preset: Preset | None = None, now: str = "") -> None:
        self._now = now
        self._values: dict[str, str | int | float] = {}
        said = preset.defaults_of(table.name) if preset is not None and table is not None else {}
        for name, value in said.items():
            column = table.column(name) if table is not None else None
            if column is not None and column.default is None and not column.generated:
                self._values[column.name] = value

    def of(self, given: Sequence[str]) -> tuple[tuple[str, str], ...]:
        """Return the columns that are not given, each with its value as SQL."""
        there = set(map(fold, given))
        return tuple((name, self._sql(value)) for name, value in self._values.items() if fold(name) not in there)

    def fills(self, staged: StagedTable, given: Sequence[str]) -> tuple[tuple[str, str], ...]:
        """Return the columns that need a value and have a default, as SQL: what an empty cell of a new row means.

        None where the rows do not come from cells: what other files give as NULL is meant so."""
        columns = [staged.table.column(name) for name in given if name not in staged.table.pk] if staged.cells else []
        needed = [column for column in columns if column is not None and column.notnull]
        own = {c.name: default_of(c) for c in needed if c.default is not None}
        return (*own.items(), *((c.name, self._sql(self._values[c.name])) for c in needed if c.name in self._values))

    def value_of(self, table: Table, name: str) -> str:
        """Return the default of one column, as it is told."""
        column = table.column(name)
        return str(self._values.get(name, column.default if column is not None else ""))

    def told(self, shapes: Iterable[Sequence[str]]) -> dict[str, str]:
        """Return what is to be told: the columns that rows of one of these sets do not give, and what they get."""
        missing = {name for given in shapes for name, _ in self.of(given)}
        return {name: str(value) for name, value in self._values.items() if name in missing}

    def _sql(self, value: str | int | float) -> str:
        text = self._now if value == NOW else value
        return "'" + text.replace("'", "''") + "'" if isinstance(text, str) else repr(text)


def defaults_by_table(tables: Mapping[str, Table], preset: Preset | None) -> dict[str, Defaults]:
    """Return the defaults of each table. A moment is written as Python writes one, in UTC and without a zone."""
    now = datetime.now(timezone.utc).replace(tzinfo=None).isoformat()
    return {name: Defaults(table, preset, now) for name, table in tables.items()}


def default_of(column: Column) -> str:
    """Return a column's default as SQL, for any place in a statement."""
    default = column.default
    if default is None:
        return "NULL"
    if default.startswith('"') and default.endswith('"'):  # a text in a DEFAULT clause, a name elsewhere
        return "'" + default[1:-1].replace('""', '"').replace("'", "''") + "'"
    return default
