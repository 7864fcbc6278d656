"""The tables that a file makes in a new database, from its own CREATE statements, with their indexes, views, triggers.

What this SQLite cannot make (an unknown function or collation) is set aside and named: its rows come in all the same.
What a statement must not do is refused.
"""

from __future__ import annotations

from collections.abc import Container
from contextlib import suppress
from dataclasses import replace

from ...database.connections.scratch import scratch_database
from ...database.library import Prepare, sqlite3
from ...database.reflection import reflect
from ...database.schema import Schema, fold, quote
from ...database.virtual_tables import rebuilding
from ...errors import UnreadableError
from ...formats.description.schema import DocumentSchema, DocumentTable
from ..report import FindingCollector
from .counters import set_counter
from .making import CannotMakeError, Statement, authorized, during_rows, make, words_of

_KINDS = ("index", "view", "virtual", "trigger")  # in the order in which they are created
_LARGEST = 2**31
_NO_SQLITE = "What the file says of its database as a whole is no SQLite's."


class NewTables:
    """The CREATE statements and settings in a document's ``schema``, but for the tables ``without`` (folded names).

    ``set_aside`` are the type and name of what this SQLite could not make as the file says. Raises UnreadableError if
    the settings are invalid."""

    def __init__(self, schema: DocumentSchema, without: Container[str] = ()) -> None:
        facts = schema.database
        self.tables = [_statement(n, table) for n, table in schema.tables.items() if fold(n) not in without]
        kept = [o for o in schema.objects if fold(o.table) not in without]
        self.objects = [Statement(o.type, o.name, o.table, o.sql) for o in kept]
        self.objects.sort(key=lambda s: _KINDS.index(s.kind))
        self.set_aside: set[tuple[str, str]] = set()
        self.encoding: str = facts.encoding
        self.numbers = facts.numbers
        self.analyzed = facts.analyzed
        self._described = schema.tables
        try:
            counted = (facts.sequences or {}).items()
            self.sequences = {name: int(number) for name, number in counted if fold(name) not in without}
        except (TypeError, ValueError):
            raise UnreadableError(_NO_SQLITE) from None
        if not all(-_LARGEST <= number < _LARGEST for number in self.numbers.values()):
            raise UnreadableError(_NO_SQLITE)

    def prepare(self, connection: sqlite3.Connection) -> None:
        """Set the encoding, outside of a transaction and before anything is created: it is fixed after that.

        The functions that the statements may call are allowed by name; SQLite's own switch knows fewer of them."""
        connection.execute(f"PRAGMA encoding={quote(self.encoding)}")
        connection.execute("PRAGMA trusted_schema=ON")

    def trial(self, findings: FindingCollector, prepare: Prepare | None) -> Schema:
        """Return the schema that the statements create in an empty database in memory. A refusal is a finding."""
        with scratch_database(prepare=prepare) as scratch:
            self.prepare(scratch)
            self.make_tables(scratch, findings)
            if not findings.errors:
                self.make_objects(scratch, findings)
            return reflect(scratch)

    def make_tables(self, connection: sqlite3.Connection, findings: FindingCollector) -> None:
        """Create the tables, before the rows are written."""
        for statement in self.tables:
            try:
                make(connection, statement, findings)
            except CannotMakeError as error:
                plain = replace(statement, kind="table", sql=_plain(statement.name, self._described[statement.name]))
                without = "without its checks, defaults, collations and computed columns"
                self._aside(statement, f"it is made {without}: {error}", findings)
                with suppress(CannotMakeError):
                    make(connection, plain, findings)

    def make_objects(self, connection: sqlite3.Connection, findings: FindingCollector) -> None:
        """Create the indexes, views and triggers and set the counters, after the rows are written."""
        for statement in self.objects:
            try:
                if make(connection, statement, findings) and statement.kind == "virtual":
                    _fill(connection, statement)
            except CannotMakeError as error:
                self._aside(statement, f"it is set aside: {error}", findings)
        for name, number in self.sequences.items():
            set_counter(connection, name, number)
        for pragma, number in self.numbers.items():
            connection.execute(f"PRAGMA main.{pragma}={number}")
        if self.analyzed:
            with authorized(connection, during_rows):
                connection.execute("ANALYZE main")

    def _aside(self, statement: Statement, why: str, findings: FindingCollector) -> None:
        self.set_aside.add((statement.type, statement.name))
        message = f"{statement} of the file cannot be made here, so {why}."
        findings.add("set_aside", message, statement.table, error=False)


def _statement(name: str, table: DocumentTable) -> Statement:
    virtual = table.kind == "virtual" and table.sql[:14].upper() == "CREATE VIRTUAL"
    return Statement("virtual" if virtual else "table", name, name, table.sql)


def _plain(name: str, table: DocumentTable) -> str:
    """Return a CREATE TABLE with the columns, types and keys that the file describes, for one that cannot be made."""
    parts = [f"{quote(c.name)} {'' if table.strict and c.type == 'ANY' else c.type}".rstrip() for c in table.columns]
    if len(table.primary_key) == 1:
        place = next(i for i, c in enumerate(table.columns) if c.name == table.primary_key[0])
        parts[place] += " PRIMARY KEY"
    elif table.primary_key:
        parts.append(f"PRIMARY KEY ({', '.join(map(quote, table.primary_key))})")
    for key in table.foreign_keys:
        own, others = (", ".join(map(quote, columns)) for columns in (key.columns, key.other_columns))
        parts.append(f"FOREIGN KEY ({own}) REFERENCES {quote(key.table)}" + (f" ({others})" if others else ""))
    return f"CREATE TABLE {quote(name)} ({', '.join(parts)})"


def _fill(connection: sqlite3.Connection, index: Statement) -> None:
    """Fill a search index from the table that it shows. Raises CannotMakeError, and drops it, if that fails."""
    try:
        with authorized(connection, during_rows):
            connection.execute(rebuilding(index.name))
    except sqlite3.Error as error:
        connection.execute(f"DROP TABLE main.{quote(index.name)}")
        raise CannotMakeError(words_of(error)) from None
