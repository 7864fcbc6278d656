"""Runs a document's CREATE statements in a new database, under an authorizer.

Each is one statement that may make the one object that it is announced as, in ``main``, and
nothing else: no ATTACH, no PRAGMA, no rows, no other object. While they and the rows are at work,
``trusted_schema`` is off (https://www.sqlite.org/pragma.html#pragma_trusted_schema), so that no expression
in them calls a function that does more than compute.
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
_KINDS = ("index", "view", "trigger")  # in the order in which they are made
_FORBIDDEN = ("authoriz", "prohibited", "unsafe use", "may not be modified", "one statement")
_ALWAYS = {sqlite3.SQLITE_READ, sqlite3.SQLITE_REINDEX, sqlite3.SQLITE_RECURSIVE}
_LARGEST = 2**31
_NO_SQLITE = "What the file says of its database as a whole is no SQLite's."


@dataclass(frozen=True)
class Statement:
    """What is to be made: ``kind`` (table, index, view, trigger), its name, the table it is on, its SQL."""

    kind: str
    name: str
    table: str
    sql: str


class NewTables:
    """All that a document's ``schema`` says of how its database is made. Raises UnreadableError."""

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
        """Before anything is made, outside of a transaction: the encoding, which is then fixed."""
        connection.execute(f"PRAGMA encoding={quote(self.encoding)}")

    def trial(self, findings: FindingCollector) -> Schema:
        """What they make, tried in an empty database in memory. What is refused is a finding."""
        with scratch_database() as scratch:
            self.prepare(scratch)
            self.make_tables(scratch, findings)
            if not findings.errors:
                self.make_objects(scratch, findings)
            return reflect(scratch)

    def make_tables(self, connection: sqlite3.Connection, findings: FindingCollector) -> None:
        """Before the rows."""
        for statement in self.tables:
            _make(connection, statement, findings)

    def make_objects(self, connection: sqlite3.Connection, findings: FindingCollector) -> None:
        """When the rows are there."""
        for statement in self.objects:
            _make(connection, statement, findings)
        for name, number in self.sequences.items():
            _count_on(connection, name, number)
        for pragma, number in self.numbers.items():
            connection.execute(f"PRAGMA main.{pragma}={number}")


def _count_on(connection: sqlite3.Connection, table: str, number: int) -> None:
    """An AUTOINCREMENT table never gives a number twice, not even that of a deleted row."""
    with suppress(sqlite3.OperationalError):  # a table that counts nothing
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
    except sqlite3.Error as error:  # a second statement behind the first is one, too (ProgrammingError)
        why = "its statement does more than that" if _is_forbidden(error) else explain(error)
        findings.add("statement", f"{what}: {why}.", statement.table)
        return
    except sqlite3.Warning:  # Python 3.10's word for a second statement
        findings.add("statement", f"{what}: its statement does more than that.", statement.table)
        return
    if set(connection.execute(objects)) - before != {(statement.kind, statement.name)}:
        findings.add("statement", f"{what}: its statement makes something else.", statement.table)
        return
    _look(connection, statement, findings, what)


def _look(connection: sqlite3.Connection, statement: Statement, findings: FindingCollector, what: str) -> None:
    """A view and a trigger are made whatever they say: see what they would do when they are used."""
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
    """Every statement within asks the guard."""
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
    """Allows to make this one object."""
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
    """Reading, and writing rows of ordinary tables."""
    if action == sqlite3.SQLITE_FUNCTION:
        return _function(second)
    if action in (sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE):
        master = (first or "").startswith(("sqlite_master", "sqlite_schema", "sqlite_temp"))
        return sqlite3.SQLITE_DENY if master or database not in ("main", None) else sqlite3.SQLITE_OK
    allowed = action in _ALWAYS or action in (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_TRANSACTION)
    return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY


def during_rows(action: int, first: str | None, second: str | None, database: str | None, inner: str | None) -> int:
    """While rows are written into tables of a file's making: their defaults call nothing that does harm."""
    return _function(second) if action == sqlite3.SQLITE_FUNCTION else sqlite3.SQLITE_OK
