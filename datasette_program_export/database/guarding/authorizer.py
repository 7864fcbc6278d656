"""What an SQL statement may do, decided by SQLite's authorizer (https://www.sqlite.org/c3ref/set_authorizer.html).

Our own statements may also write TEMP tables. A statement that holds other people's SQL
(a view, a filter, a query) may only read, and never a secret column. A forbidden column is
DENIED, never IGNORED: ignoring reads NULL, so that rows would drop out of joins and filters
without a word. Joins by USING and NATURAL read columns without asking the authorizer at
all: where there are secrets, views and filters that hold those words are refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from ...errors import DeniedError, ExportError, RequestError
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
# full-text search, json_each and their like ask for these when they are first used
_OF_VIRTUAL_TABLES = {
    (sqlite3.SQLITE_PRAGMA, "data_version"),
    (sqlite3.SQLITE_PRAGMA, "page_size"),
    (sqlite3.SQLITE_UPDATE, "sqlite_master"),
}
_DENIED_FUNCTIONS = {"load_extension", "fts3_tokenizer"}
_SCHEMA_TABLES = ("sqlite_master", "sqlite_schema", "sqlite_temp_master", "sqlite_temp_schema")
OF_STORAGE = ("dbstat", "sqlite_dbpage", "sqlite_stmt")  # there without being made
JOINS_UNSEEN = re.compile(r"\b(using|natural)\b", re.IGNORECASE)

_DEEPEST = 1_000  # SQLite takes no deeper expression (SQLITE_MAX_EXPR_DEPTH)

Authorizer = Callable[..., int]


def own_statements(action: int, first: str | None, second: str | None, database: str | None, inner: str | None) -> int:
    """Reading anything, writing TEMP tables; no ATTACH, no PRAGMA, no write to the database."""
    if action in _READ or action in _MAKE_TEMP or (action in _WRITE_TEMP and database == "temp"):
        return sqlite3.SQLITE_OK
    return _shared(action, first, second)


def _shared(action: int, first: str | None, second: str | None) -> int:
    allowed = (action == sqlite3.SQLITE_FUNCTION and second not in _DENIED_FUNCTIONS) or (
        (action, first) in _OF_VIRTUAL_TABLES
    )
    return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY


@dataclass
class Guard:
    """For a statement with other people's SQL in it: read, but nothing secret.

    ``blame`` says whose SQL it is, for messages: ``The condition``. ``columns`` are secret
    columns by table, ``tables`` refused tables and views, each with the reason; ``hidden``
    are tables that this person may not see: only a view that they may see reads them, under
    one of the names in ``views``. All names folded. ``target`` is the TEMP table that the
    statement may fill, ``text`` the part of the SQL that comes from outside."""

    blame: str = "The statement"
    columns: Mapping[str, Iterable[str]] = field(default_factory=dict)
    tables: Mapping[str, str] = field(default_factory=dict)
    hidden: frozenset[str] = frozenset()
    views: ViewNames = field(default_factory=ViewNames)
    target: str | None = None
    text: str = ""
    _met: str | None = field(default=None, init=False)
    _met_hidden: bool = field(default=False, init=False)

    def __call__(
        self, action: int, first: str | None, second: str | None, database: str | None, inner: str | None
    ) -> int:
        if action == sqlite3.SQLITE_READ:
            return self._read(fold(first or ""), fold(second or ""), database, inner)
        if action in _READ:
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_INSERT and database == "temp" and first == self.target:
            return sqlite3.SQLITE_OK
        return _shared(action, first, second)

    def _read(self, table: str, column: str, database: str | None, inner: str | None) -> int:
        if database == "temp":
            return sqlite3.SQLITE_OK if table == fold(self.target or "") else sqlite3.SQLITE_DENY
        if database not in ("main", "", None):
            self._met = f"it reads the database {database}, and an export is of one database at one moment"
        elif self._is_hidden(table) and not self._in_a_view(inner) and (column or self._names_hidden):
            self._met_hidden = True
        elif table in self.tables:
            self._met = self.tables[table]
        elif column in self.columns.get(table, ()):
            self._met = f"it reads {table}.{column}, which is left out as secret"
        else:
            return sqlite3.SQLITE_OK
        return sqlite3.SQLITE_DENY

    def _is_hidden(self, table: str) -> bool:
        return table in self.hidden or (bool(self.hidden) and table in (*_SCHEMA_TABLES, *OF_STORAGE))

    def _in_a_view(self, inner: str | None) -> bool:
        """Whether ``inner`` is a view that this person may see, and no common table of the text's own."""
        return inner is not None and fold(inner) in self._trusted

    @cached_property
    def _trusted(self) -> frozenset[str]:
        """Beside common tables of its own, a text reads hidden tables only in views whose names are no secret:
        else their names could be found out by trying."""
        try:
            defined = names_defined(self.text)
        except SQLTextError:
            return frozenset()
        return self.views.seen - defined if defined else self.views.reached

    @cached_property
    def _names_hidden(self) -> bool:
        """Whether the text could name a hidden table or view. Where SQLite needs no column of a table
        in a view, it asks as if the table stood outside of the view: then the text must tell."""
        try:
            return not names(self.text).isdisjoint({*self.hidden, *_SCHEMA_TABLES, *OF_STORAGE})
        except SQLTextError:
            return True

    def check_condition(self, sql: str) -> None:
        """Raise RequestError for a condition that is not one expression, DeniedError as ``check_text``."""
        depth = 0
        try:
            for token in tokens(sql):
                depth += {"(": 1, ")": -1}.get(token.text, 0)
                if depth < 0 or token.text == ";" or token.kind == "comment":
                    raise RequestError(f"{self.blame} is not one expression.")
                if depth > _DEEPEST:
                    raise RequestError(f"{self.blame} is nested too deeply.")
        except SQLTextError:
            raise RequestError(f"{self.blame} is not one expression: a quote in it may have no end.") from None
        if depth:
            raise RequestError(f"{self.blame} is not one expression: a parenthesis in it has no end.")
        self.check_text(sql)

    def check_text(self, sql: str) -> None:
        """Raise DeniedError for SQL through which a secret or a hidden table could pass unseen."""
        if (self.columns or self.hidden) and JOINS_UNSEEN.search(sql):
            raise DeniedError(
                f"{self.blame} joins by USING or NATURAL, which is not allowed where something is kept back. Use ON."
            )

    def error(self, reason: str) -> ExportError:
        """What to raise for a statement that could not be run."""
        met, self._met = self._met, None
        met_hidden, self._met_hidden = self._met_hidden, False
        if met is not None:
            return DeniedError(f"{self.blame} is not allowed: {met}.")
        if met_hidden or self.hidden:  # one sentence for all, so that nobody learns what else there is
            reason = "it is not SQL, or it names what does not exist or what you may not see"
        return RequestError(f"{self.blame} cannot be run: {reason}.")
