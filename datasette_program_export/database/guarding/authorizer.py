"""Decides what an SQL statement may do, with SQLite's authorizer (https://www.sqlite.org/c3ref/set_authorizer.html).

Our own statements may also write TEMP tables. A statement that contains SQL from outside (a view, a filter, a
query) may only read, and never a secret column. A forbidden column is DENIED, never IGNORED: an ignored column
reads as NULL, so that rows would silently drop out of joins and filters. Joins by USING and NATURAL read columns
without calling the authorizer: where there are secrets, views and filters that contain those words are refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from ...errors import DeniedError, ExportError, RequestError
from ..fetching.rows_in_c import FUNCTIONS
from ..library import sqlite3
from ..schema import fold
from .sql_tokens import SQLTextError, names, names_defined, tokens
from .view_names import ViewNames

_READ = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE}
_WRITE_TEMP = {sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE}
_MAKE_TEMP = {
    sqlite3.SQLITE_CREATE_TEMP_TABLE,
    sqlite3.SQLITE_CREATE_TEMP_INDEX,
    sqlite3.SQLITE_DROP_TEMP_TABLE,
    sqlite3.SQLITE_REINDEX,
}
# on a connection that is kept the schema is looked at again
_LOOK_AGAIN = {"schema_version", "user_version", "application_id", "journal_mode", "page_count"}
# full-text search, json_each and similar modules request these on first use
_OF_VIRTUAL_TABLES = {
    (sqlite3.SQLITE_PRAGMA, "data_version"),
    (sqlite3.SQLITE_PRAGMA, "page_size"),
    (sqlite3.SQLITE_UPDATE, "sqlite_master"),
}
_DENIED_FUNCTIONS = {"load_extension", "fts3_tokenizer"}
_SCHEMA_TABLES = ("sqlite_master", "sqlite_schema", "sqlite_temp_master", "sqlite_temp_schema")
OF_STORAGE = ("dbstat", "sqlite_dbpage", "sqlite_stmt")  # they exist without CREATE VIRTUAL TABLE
JOINS_UNSEEN = re.compile(r"\b(using|natural)\b", re.IGNORECASE)

NEW = "program_export_new"  # a new file, attached so that rows are copied into it

_DEEPEST = 1_000  # SQLite accepts no deeper expression (SQLITE_MAX_EXPR_DEPTH)

Authorizer = Callable[..., int]


@dataclass
class OwnStatements:
    """Authorizes our own statements on one connection: they read anything, write TEMP tables and a new file.

    No ATTACH, no PRAGMA that sets anything, no write to the database. While ``ending``, the transaction may end."""

    ending: bool = False

    def __call__(
        self, action: int, first: str | None, second: str | None, database: str | None, inner: str | None
    ) -> int:
        if action in _READ or action in _MAKE_TEMP or (action in _WRITE_TEMP and database in ("temp", NEW)):
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_TRANSACTION and (first == "BEGIN" or (first == "COMMIT" and self.ending)):
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_PRAGMA and first in _LOOK_AGAIN and second is None:
            return sqlite3.SQLITE_OK
        return _shared(action, first, second)


def anything(*_: object) -> int:
    """Authorize any statement: for ours that attach a file, set a PRAGMA or end the transaction."""
    return sqlite3.SQLITE_OK


def _shared(action: int, first: str | None, second: str | None) -> int:
    allowed = (action == sqlite3.SQLITE_FUNCTION and second not in _DENIED_FUNCTIONS) or (
        (action, first) in _OF_VIRTUAL_TABLES
    )
    return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY


@dataclass
class ForeignSqlGuard:
    """An authorizer for a statement with SQL from outside: it may read, but nothing secret or hidden.

    ``sql_name`` names that SQL in messages: ``The condition``. ``secret_columns`` are the secret columns by table.
    ``refused_tables`` are refused tables and views, each with the reason. ``hidden_tables`` are those that this
    person may not see: they are read only inside views that the person may see, under one of the names in
    ``views``. All these names are folded. ``temp_table`` is the TEMP table that the statement may fill, ``text``
    the part of the SQL that comes from outside. It may read ``own_table``, a TEMP table for our part of the statement.
    ``closed_tables`` are those that it may not read in any other way than as its subject, each with the reason."""

    sql_name: str = "The statement"
    secret_columns: Mapping[str, Iterable[str]] = field(default_factory=dict)
    refused_tables: Mapping[str, str] = field(default_factory=dict)
    hidden_tables: frozenset[str] = frozenset()
    views: ViewNames = field(default_factory=ViewNames)
    temp_table: str | None = None
    text: str = ""
    own_table: str | None = None
    closed_tables: Mapping[str, str] = field(default_factory=dict)
    _denial_reason: str | None = field(default=None, init=False)
    _touched_hidden_table: bool = field(default=False, init=False)

    def __call__(
        self, action: int, first: str | None, second: str | None, database: str | None, inner: str | None
    ) -> int:
        if action == sqlite3.SQLITE_READ:
            return self._read(fold(first or ""), fold(second or ""), database, inner)
        if action in _READ:
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_INSERT and database == "temp" and first == self.temp_table:
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_FUNCTION and second in FUNCTIONS:
            return sqlite3.SQLITE_DENY
        return _shared(action, first, second)

    def _read(self, table: str, column: str, database: str | None, inner: str | None) -> int:
        if database == "temp":
            own = {fold(name) for name in (self.temp_table, self.own_table) if name}
            return sqlite3.SQLITE_OK if table in own else sqlite3.SQLITE_DENY
        if database not in ("main", "", None):
            self._denial_reason = f"it reads the database {database}, and an export is of one database at one moment"
        elif self._is_hidden(table) and not self._in_a_view(inner) and (column or self._names_hidden):
            self._touched_hidden_table = True
        elif table in self.refused_tables:
            self._denial_reason = self.refused_tables[table]
        elif table in self.closed_tables:
            self._denial_reason = self.closed_tables[table]
        elif self.secret_columns and table in _SCHEMA_TABLES and column == "sql":
            self._denial_reason = "it reads the SQL of the tables, which may hold a part of what is left out as secret"
        elif column in self.secret_columns.get(table, ()):
            self._denial_reason = f"it reads {table}.{column}, which is left out as secret"
        else:
            return sqlite3.SQLITE_OK
        return sqlite3.SQLITE_DENY

    def _is_hidden(self, table: str) -> bool:
        return table in self.hidden_tables or (bool(self.hidden_tables) and table in (*_SCHEMA_TABLES, *OF_STORAGE))

    def _in_a_view(self, inner: str | None) -> bool:
        """Return whether ``inner`` is a view that this person may see, and not a common table of the text itself."""
        return inner is not None and fold(inner) in self._trusted

    @cached_property
    def _trusted(self) -> frozenset[str]:
        """The views in which a text may read hidden tables.

        A text that defines common tables of its own may read them only in views whose names are not secret:
        otherwise it could find out secret names by trial."""
        try:
            defined = names_defined(self.text)
        except SQLTextError:
            return frozenset()
        return self.views.seen - defined if defined else self.views.reached

    @cached_property
    def _names_hidden(self) -> bool:
        """Whether the text could name a hidden table or view.

        If SQLite needs no column of a table inside a view, it calls the authorizer as if the table were outside
        the view; then only the text can decide."""
        try:
            return not names(self.text).isdisjoint({*self.hidden_tables, *_SCHEMA_TABLES, *OF_STORAGE})
        except SQLTextError:
            return True

    def check_condition(self, sql: str) -> None:
        """Raise RequestError unless the condition is a single expression; also raise the errors of ``check_text``."""
        depth = 0
        try:
            for token in tokens(sql):
                depth += {"(": 1, ")": -1}.get(token.text, 0)
                if depth < 0 or token.text == ";" or token.kind == "comment":
                    raise RequestError(f"{self.sql_name} is not one expression.")
                if depth > _DEEPEST:
                    raise RequestError(f"{self.sql_name} is nested too deeply.")
        except SQLTextError:
            raise RequestError(f"{self.sql_name} is not one expression: a quote in it may have no end.") from None
        if depth:
            raise RequestError(f"{self.sql_name} is not one expression: a parenthesis in it has no end.")
        self.check_text(sql)

    def check_text(self, sql: str) -> None:
        """Raise DeniedError for SQL through which a secret or a hidden table could leak."""
        if (self.secret_columns or self.hidden_tables or self.closed_tables) and JOINS_UNSEEN.search(sql):
            raise DeniedError(
                f"{self.sql_name} joins by USING or NATURAL, which is not allowed where something is kept back. Use ON."
            )

    def error(self, reason: str) -> ExportError:
        """Return the exception to raise for a statement that could not be run, and reset the guard."""
        met, self._denial_reason = self._denial_reason, None
        met_hidden, self._touched_hidden_table = self._touched_hidden_table, False
        if met is not None:
            return DeniedError(f"{self.sql_name} is not allowed: {met}.")
        if (
            met_hidden or self.hidden_tables
        ):  # one message for all cases, so that it does not reveal which hidden tables exist
            reason = "it is not SQL, or it names what does not exist or what you may not see"
        return RequestError(f"{self.sql_name} cannot be run: {reason}.")
