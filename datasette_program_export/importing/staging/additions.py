"""Tables and columns that an import adds to the target for rows that have none, made with sqlite-utils.

They are made in the import's transaction, so they come with the rows or not at all. sqlite-utils makes them, and
writes no row: it would commit in batches and change values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ...database.connections.scratch import scratch_database
from ...database.library import sqlite3
from ...database.reflection import reflect
from ...database.schema import Column, Schema, Table, affinity, fold
from ...database.sqlite_errors import explain
from ...errors import RequestError
from ..report import FindingCollector


@dataclass(frozen=True)
class NewTable:
    """A table to make: its columns with their types, and the columns of its key."""

    columns: Mapping[str, str]
    pk: tuple[str, ...]


@dataclass
class Additions:
    """What is to be made: new tables by name, and new columns of the target's tables with their types."""

    tables: dict[str, NewTable] = field(default_factory=dict)
    columns: dict[str, dict[str, str]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.tables or self.columns)

    def table(self, schema: Schema, name: str, columns: Mapping[str, str], pk: Sequence[str]) -> Schema:
        """Plan a table, and return the schema with it. Raises RequestError if SQLite would not make it."""
        new = NewTable(dict(columns), tuple(pk))
        with scratch_database() as scratch:
            try:
                _make_table(_tables_of(scratch), name, new)
            except sqlite3.Error as error:
                raise RequestError(f"The table {name} cannot be made: {explain(error)}.") from None
            made = reflect(scratch)[name]
        self.tables[name] = new
        return Schema([*schema.values(), made], schema.encoding, schema.numbers)

    def column(self, schema: Schema, table: Table, name: str, kind: str) -> Schema:
        """Plan a column, and return the schema with it."""
        if table.name in self.tables:
            raise AssertionError("a new table is planned with all of its columns")
        self.columns.setdefault(table.name, {})[name] = kind
        wider = replace(table, columns=(*table.columns, Column(name, kind, affinity(kind, table.strict))), _by_name={})
        return Schema([wider if t is table else t for t in schema.values()], schema.encoding, schema.numbers)

    def keep_only(self, name: str) -> None:
        """Make nothing for any other table."""
        self.tables = {one: new for one, new in self.tables.items() if fold(one) == fold(name)}
        self.columns = {one: new for one, new in self.columns.items() if fold(one) == fold(name)}

    def make(self, connection: Any, library: Any, planned: Schema, findings: FindingCollector) -> None:
        """Make all of it in the open transaction. What SQLite refuses or makes otherwise is a finding."""
        for name in [*self.tables, *self.columns]:
            if name in self.tables and (kind := _kind_of(connection, name)) is not None:
                findings.add("table", f"There is already something called {name}: {kind}.", name)
                return
            try:
                if name in self.tables:
                    _make_table(_tables_of(connection), name, self.tables[name])
                else:
                    table = _tables_of(connection)[name]
                    for column, kind in self.columns[name].items():
                        table.add_column(column, kind)
            except library.DatabaseError as error:
                findings.add("table", f"{name} cannot be made as its rows need it: {explain(error)}.", name)
                return
        now = reflect(connection)
        for name in [*self.tables, *self.columns]:
            if name not in now or _shape(now[name]) != _shape(planned[name]):
                findings.add("table", f"{name} was not made as it was planned; nothing was changed.", name)

    def told(self, table: str) -> dict[str, str]:
        """Return the new columns of a table with their types: all, where the table is new."""
        return dict(self.tables[table].columns) if table in self.tables else self.columns.get(table, {})


def _tables_of(connection: Any) -> Any:
    from sqlite_utils import Database  # imported late: only what adds to a schema needs it

    # neither its plugins nor its setting for triggers: the connection stays as it is
    return Database(connection, recursive_triggers=False, execute_plugins=False)


def _kind_of(connection: Any, name: str) -> str | None:
    """Return what in the target has this name (a table, an index, a view, a trigger), or None."""
    found = connection.execute("SELECT type, name FROM main.sqlite_master").fetchall()
    return next(
        (f"{'an' if kind == 'index' else 'a'} {kind}" for kind, other in found if fold(other) == fold(name)), None
    )


def _make_table(tables: Any, name: str, new: NewTable) -> None:
    pk = new.pk[0] if len(new.pk) == 1 else new.pk or None
    tables[name].create(dict(new.columns), pk=pk)


def _shape(table: Table) -> list[tuple[str, str, int]]:
    return [(fold(c.name), c.type.upper(), c.pk) for c in table.columns]
