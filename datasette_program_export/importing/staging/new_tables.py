"""Runs a document's CREATE statements in a new database, under an authorizer.

Each statement may create the one object that the document announces for it, in ``main``, and nothing
else: no ATTACH, no PRAGMA, no rows, no other object. While the statements run and rows are written,
``trusted_schema`` is off (https://www.sqlite.org/pragma.html#pragma_trusted_schema), so that no expression
in them calls a function that has side effects.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from ...database.library import sqlite3
from ...database.reflection import reflect
from ...database.schema import Schema, fold, quote
from ...database.scratch import firing, scratch_database
from ...database.sqlite_errors import explain
from ...errors import UnreadableError
from ...formats.description.schema import DocumentSchema
from ..report import FindingCollector

_DENIED_FUNCTIONS = {"load_extension", "fts3_tokenizer", "readfile", "writefile", "edit"}
_MAKING = {
    "table": sqlite3.SQLITE_CREATE_TABLE,
    "index": sqlite3.SQLITE_CREATE_INDEX,
    "view": sqlite3.SQLITE_CREATE_VIEW,
    "trigger": sqlite3.SQLITE_CREATE_TRIGGER,
}
_KINDS = ("index", "view", "trigger")  # in the order in which they are created
_FORBIDDEN = ("authoriz", "prohibited", "unsafe use", "may not be modified", "one statement")
_ALWAYS = {sqlite3.SQLITE_READ, sqlite3.SQLITE_REINDEX, sqlite3.SQLITE_RECURSIVE}
_LARGEST = 2**31
_NO_SQLITE = "What the file says of its database as a whole is no SQLite's."


@dataclass(frozen=True)
class Statement:
    """A CREATE statement: ``kind`` (table, index, view, trigger), the object's name, its table, its SQL."""

    kind: str
    name: str
    table: str
    sql: str


class NewTables:
    """The CREATE statements and settings in a document's ``schema``. Raises UnreadableError if they are invalid."""

    def __init__(self, schema: DocumentSchema) -> None:
        facts = schema.database
        self.tables = [Statement("table", name, name, table.sql) for name, table in schema.tables.items()]
        self.objects = [Statement(o.type, o.name, o.table, o.sql) for o in schema.objects]
        self.objects.sort(key=lambda s: _KINDS.index(s.kind))
        self.encoding: str = facts.encoding
        self.numbers = facts.numbers
        try:
            self.sequences = {name: int(number) for name, number in (facts.sequences or {}).items()}
        except (TypeError, ValueError):
            raise UnreadableError(_NO_SQLITE) from None
        if not all(-_LARGEST <= number < _LARGEST for number in self.numbers.values()):
            raise UnreadableError(_NO_SQLITE)

    def prepare(self, connection: sqlite3.Connection) -> None:
        """Set the encoding, outside of a transaction and before anything is created: it is fixed after that."""
        connection.execute(f"PRAGMA encoding={quote(self.encoding)}")

    def trial(self, findings: FindingCollector) -> Schema:
        """Return the schema that the statements create in an empty database in memory. A refusal is a finding."""
        with scratch_database() as scratch:
            self.prepare(scratch)
            self.make_tables(scratch, findings)
            if not findings.errors:
                self.make_objects(scratch, findings)
            return reflect(scratch)

    def make_tables(self, connection: sqlite3.Connection, findings: FindingCollector) -> None:
        """Create the tables, before the rows are written."""
        for statement in self.tables:
            _make(connection, statement, findings)

    def make_objects(self, connection: sqlite3.Connection, findings: FindingCollector) -> None:
        """Create the indexes, views and triggers and set the counters, after the rows are written."""
        for statement in self.objects:
            _make(connection, statement, findings)
        for name, number in self.sequences.items():
            _count_on(connection, name, number)
        for pragma, number in self.numbers.items():
            connection.execute(f"PRAGMA main.{pragma}={number}")


def _count_on(connection: sqlite3.Connection, table: str, number: int) -> None:
    """Set the counter of an AUTOINCREMENT table, which never gives a number twice, even that of a deleted row."""
    with suppress(sqlite3.OperationalError):  # no table has AUTOINCREMENT
        connection.execute("DELETE FROM main.sqlite_sequence WHERE name = ?", (table,))
        connection.execute("INSERT INTO main.sqlite_sequence (name, seq) VALUES (?, ?)", (table, number))


def _make(connection: sqlite3.Connection, statement: Statement, findings: FindingCollector) -> None:
    what = f"The {statement.kind} {statement.name} of the file is not made"
    guard = _guard(statement)
    objects = "SELECT type, name FROM main.sqlite_master WHERE name NOT LIKE 'sqlite^_%' ESCAPE '^'"
    before = set(connection.execute(objects))
    try:
        with authorized(connection, guard):
            connection.execute(statement.sql)
    except sqlite3.Error as error:  # ProgrammingError: a second statement after the first
        why = "its statement does more than that" if _is_forbidden(error) else explain(error)
        findings.add("statement", f"{what}: {why}.", statement.table)
        return
    except sqlite3.Warning:  # Python 3.10 raises this for a second statement
        findings.add("statement", f"{what}: its statement does more than that.", statement.table)
        return
    if set(connection.execute(objects)) - before != {(statement.kind, statement.name)}:
        findings.add("statement", f"{what}: its statement makes something else.", statement.table)
        return
    _look(connection, statement, findings, what)


def _look(connection: sqlite3.Connection, statement: Statement, findings: FindingCollector, what: str) -> None:
    """Check what a view or a trigger would do when used: SQLite creates it whatever it contains."""
    if statement.kind == "view":
        used = [f"SELECT * FROM main.{quote(statement.name)}"]
    elif statement.kind == "trigger":
        used = list(firing(connection, statement.table))
    else:
        return
    for sql in used:
        try:
            with authorized(connection, _harmless):
                connection.execute(f"EXPLAIN {sql}").fetchall()
        except sqlite3.Error as error:
            if _is_forbidden(error):
                findings.add("statement", f"{what}: it does more than read and write rows.", statement.table)
            else:
                works = f"The {statement.kind} {statement.name} does not work here: {explain(error)}."
                findings.add("statement", works, statement.table, error=False)
            return


def _is_forbidden(error: Exception) -> bool:
    return any(words in str(error) for words in _FORBIDDEN)


Authorizer = Callable[[int, str | None, str | None, str | None, str | None], int]


@contextmanager
def authorized(connection: sqlite3.Connection, guard: Authorizer) -> Iterator[None]:
    """Set an authorizer for every statement within the block."""
    connection.set_authorizer(guard)
    try:
        yield
    finally:
        connection.set_authorizer(None if sys.version_info >= (3, 11) else _anything)


def _anything(*asked: Any) -> int:
    return sqlite3.SQLITE_OK


def _function(name: str | None) -> int:
    return sqlite3.SQLITE_DENY if fold(name or "") in _DENIED_FUNCTIONS else sqlite3.SQLITE_OK


def _guard(statement: Statement) -> Authorizer:
    """Return an authorizer that allows only creating this one object."""
    making = _MAKING[statement.kind]
    name, table = fold(statement.name), fold(statement.table)

    def allows(action: int, first: str | None, second: str | None, database: str | None, inner: str | None) -> int:
        if action == sqlite3.SQLITE_FUNCTION:
            return _function(second)
        if database not in ("main", None):
            return sqlite3.SQLITE_DENY
        if action in (sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE):
            return sqlite3.SQLITE_OK if first == "sqlite_master" else sqlite3.SQLITE_DENY
        if action == making:
            named = fold(first or "") == name or (statement.kind == "table" and first == "sqlite_sequence")
            on = statement.kind in ("table", "view") or fold(second or "") == table
            return sqlite3.SQLITE_OK if named and on else sqlite3.SQLITE_DENY
        if action == sqlite3.SQLITE_CREATE_INDEX and (first or "").startswith("sqlite_autoindex_"):
            return sqlite3.SQLITE_OK if fold(second or "") == table else sqlite3.SQLITE_DENY
        return sqlite3.SQLITE_OK if action in _ALWAYS else sqlite3.SQLITE_DENY

    return allows


def _harmless(action: int, first: str | None, second: str | None, database: str | None, inner: str | None) -> int:
    """Allow reading, and writing rows of ordinary tables."""
    if action == sqlite3.SQLITE_FUNCTION:
        return _function(second)
    if action in (sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE):
        master = (first or "").startswith(("sqlite_master", "sqlite_schema", "sqlite_temp"))
        return sqlite3.SQLITE_DENY if master or database not in ("main", None) else sqlite3.SQLITE_OK
    allowed = action in _ALWAYS or action in (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_TRANSACTION)
    return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY


def during_rows(action: int, first: str | None, second: str | None, database: str | None, inner: str | None) -> int:
    """Deny functions with side effects in the defaults of a file's tables, while rows are written into them."""
    return _function(second) if action == sqlite3.SQLITE_FUNCTION else sqlite3.SQLITE_OK
