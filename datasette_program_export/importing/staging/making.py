"""Runs one CREATE statement of a file under an authorizer: it may make the one object that the file announces for it.

No ATTACH, no PRAGMA, no rows, no other object; and an expression in it may call only functions of SQLite that have
no side effects.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ...database.connections.scratch import firing
from ...database.fetching.rows_in_c import INSERT
from ...database.guarding.functions import harmless_functions
from ...database.library import sqlite3
from ...database.schema import fold, quote
from ...database.virtual_tables import TAKING_ROWS
from ..report import FindingCollector
from ..target import MEANING, SIGN

_MAKING = {
    "table": sqlite3.SQLITE_CREATE_TABLE,
    "index": sqlite3.SQLITE_CREATE_INDEX,
    "view": sqlite3.SQLITE_CREATE_VIEW,
    "trigger": sqlite3.SQLITE_CREATE_TRIGGER,
    "virtual": sqlite3.SQLITE_CREATE_VTABLE,
}
_FORBIDDEN = ("authoriz", "prohibited", "unsafe use", "may not be modified", "one statement")
_UNKNOWN = ("no such function", "unknown function", "no such collation", "no such module", "tokenizer", "number of arg")
_ALWAYS = {sqlite3.SQLITE_READ, sqlite3.SQLITE_REINDEX, sqlite3.SQLITE_RECURSIVE}
_ASKED_BY_MODULES = {("page_size", None), ("data_version", None)}
_ROWS = (sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE)
_OBJECTS = "SELECT type, name FROM main.sqlite_master WHERE name NOT LIKE 'sqlite^_%' ESCAPE '^'"
_LONGEST = 200


@dataclass(frozen=True)
class Statement:
    """A CREATE statement: ``kind`` (table, virtual, index, view, trigger), the object's name, its table, its SQL."""

    kind: str
    name: str
    table: str
    sql: str

    @property
    def type(self) -> str:
        """Its type in sqlite_master."""
        return "table" if self.kind == "virtual" else self.kind

    def __str__(self) -> str:
        return f"The {'virtual table' if self.kind == 'virtual' else self.kind} {self.name}"


class CannotMakeError(Exception):
    """This SQLite cannot make the object, for the reason that is the message; there is no harm in it."""


def make(connection: sqlite3.Connection, statement: Statement, findings: FindingCollector) -> bool:
    """Run a statement and return whether its object is there. What it must not do is a finding.

    Raises CannotMakeError for what this SQLite does not know."""
    for sql in ("SAVEPOINT program_export_made", "RELEASE program_export_made"):
        connection.execute(sql)  # now full-text tables write what they still hold, not under the authorizer
    before = set(connection.execute(_OBJECTS))
    try:
        with authorized(connection, _guard(statement)):
            connection.execute(statement.sql)
    except (sqlite3.Error, sqlite3.Warning) as error:  # a second statement: Warning in Python 3.10
        if not _is_forbidden(error) and (statement.kind != "table" or any(w in str(error) for w in _UNKNOWN)):
            raise CannotMakeError(words_of(error)) from None
        why = (
            "its statement does more than that, or what this program does not let it do"
            if _is_forbidden(error)
            else "SQLite refuses its statement"
        )
        _refuse(findings, statement, f"{why} ({words_of(error)})")
        return False
    made = set(connection.execute(_OBJECTS)) - before
    own = {(kind, name) for kind, name in made if _is_own(statement, kind, name)}
    if (statement.type, statement.name) not in made or made != own:
        _refuse(findings, statement, "its statement makes something else")
        return False
    return _works(connection, statement, findings)


def _is_own(statement: Statement, kind: str, name: str) -> bool:
    shadow = statement.kind == "virtual" and kind == "table" and fold(name).startswith(fold(statement.name) + "_")
    return shadow or (kind, name) == (statement.type, statement.name)


def _works(connection: sqlite3.Connection, statement: Statement, findings: FindingCollector) -> bool:
    """Check what a view or a trigger would do when used: SQLite creates it whatever it contains."""
    used: list[str] = []
    if statement.kind == "view":
        used = [f"SELECT * FROM main.{quote(statement.name)}"]
    elif statement.kind == "trigger":
        used = list(firing(connection, statement.table))
    for sql in used:
        try:
            with authorized(connection, _harmless):
                connection.execute(f"EXPLAIN {sql}").fetchall()
        except sqlite3.Error as error:
            if _is_forbidden(error):
                _refuse(findings, statement, f"it does more than read and write rows ({words_of(error)})")
                return False
            if "because it is a view" in str(error):  # of the other events: this trigger stands in for its own alone
                continue
            works = f"{statement} does not work here: {words_of(error)}."
            findings.add("statement", works, statement.table, error=False)
            return True
    return True


def _refuse(findings: FindingCollector, statement: Statement, why: str) -> None:
    findings.add("statement", f"{statement} of the file is not made: {why}.", statement.table)


def words_of(error: Exception) -> str:
    """Return SQLite's own words, on one line: statements of a file run only on the command line and in Python."""
    return " ".join(str(error).split())[:_LONGEST]


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
    harmless = fold(name or "") in harmless_functions() or name in (SIGN, MEANING)
    return sqlite3.SQLITE_OK if harmless else sqlite3.SQLITE_DENY


def _guard(statement: Statement) -> Authorizer:
    """Return an authorizer that allows only creating this one object."""
    making = _MAKING[statement.kind]
    name, table = fold(statement.name), fold(statement.table)

    def allows(action: int, first: str | None, second: str | None, database: str | None, inner: str | None) -> int:
        if action == sqlite3.SQLITE_FUNCTION:
            return _function(second)
        if database not in ("main", None):
            return sqlite3.SQLITE_DENY
        if statement.kind == "virtual" and _inside(name, action, first, second):
            return sqlite3.SQLITE_OK
        if action in (sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE):
            return sqlite3.SQLITE_OK if first == "sqlite_master" else sqlite3.SQLITE_DENY
        if action == making:
            named = fold(first or "") == name or (statement.kind == "table" and first == "sqlite_sequence")
            on = statement.kind in ("table", "view") or fold(second or "") == table
            on = on or (statement.kind == "virtual" and fold(second or "") in TAKING_ROWS)
            return sqlite3.SQLITE_OK if named and on else sqlite3.SQLITE_DENY
        if action == sqlite3.SQLITE_CREATE_INDEX and (first or "").startswith("sqlite_autoindex_"):
            return sqlite3.SQLITE_OK if fold(second or "") == table else sqlite3.SQLITE_DENY
        return sqlite3.SQLITE_OK if action in _ALWAYS else sqlite3.SQLITE_DENY

    return allows


def _inside(name: str, action: int, first: str | None, second: str | None) -> bool:
    """Return whether a module asks for this as it makes the tables that a virtual table consists of."""
    shadow = fold(first or "").startswith(f"{name}_")
    if action in (sqlite3.SQLITE_CREATE_TABLE, *_ROWS):
        return shadow
    if action == sqlite3.SQLITE_CREATE_INDEX:
        return (first or "").startswith("sqlite_autoindex_") and fold(second or "").startswith(f"{name}_")
    return action == sqlite3.SQLITE_SELECT or (action == sqlite3.SQLITE_PRAGMA and (first, second) in _ASKED_BY_MODULES)


def _harmless(action: int, first: str | None, second: str | None, database: str | None, inner: str | None) -> int:
    """Allow reading, and writing rows of tables."""
    if action == sqlite3.SQLITE_FUNCTION:
        return _function(second)
    if action in _ROWS:
        master = (first or "").startswith(("sqlite_master", "sqlite_schema", "sqlite_temp"))
        return sqlite3.SQLITE_DENY if master or database not in ("main", None) else sqlite3.SQLITE_OK
    allowed = action in _ALWAYS or action in (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_TRANSACTION)
    allowed = allowed or (action == sqlite3.SQLITE_PRAGMA and (first, second) in _ASKED_BY_MODULES)
    return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY


def during_rows(action: int, first: str | None, second: str | None, database: str | None, inner: str | None) -> int:
    """Deny functions with side effects in the defaults of a file's tables, while rows are written into them.

    Our own, which writes them, is allowed: SQLite lets no schema call it."""
    if action == sqlite3.SQLITE_FUNCTION and second == INSERT and inner is None:
        return sqlite3.SQLITE_OK
    return _function(second) if action == sqlite3.SQLITE_FUNCTION else sqlite3.SQLITE_OK
