"""What the statements of another program's script may do in the private database in which they run."""

from __future__ import annotations

import re
from typing import Any

from ....database.guarding.functions import harmless_functions
from ....database.library import sqlite3
from ....database.schema import fold
from ....database.virtual_tables import TAKING_ROWS

_CREATES = {
    sqlite3.SQLITE_CREATE_TABLE,
    sqlite3.SQLITE_CREATE_INDEX,
    sqlite3.SQLITE_CREATE_VIEW,
    sqlite3.SQLITE_CREATE_TRIGGER,
    sqlite3.SQLITE_REINDEX,
    sqlite3.SQLITE_READ,
    sqlite3.SQLITE_INSERT,
}
_CHANGES = (sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE)
_ASKED_BY_MODULES = {("page_size", None), ("data_version", None)}
_ESCAPE = re.compile(r"\\(?:\\|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|\+([0-9A-Fa-f]{6})|([0-9A-Fa-f]{4}))")


class ScriptGuard:
    """An authorizer. ``reads`` is whether the statement may be one with VALUES; ``virtual`` are the folded names of
    the virtual tables, whose modules change the tables of which these consist."""

    def __init__(self) -> None:
        self.reads = False
        self.virtual: set[str] = set()

    def __call__(self, action: int, first: str | None, second: str | None, database: str | None, inner: Any) -> int:
        return sqlite3.SQLITE_OK if self._allows(action, first, second, database) else sqlite3.SQLITE_DENY

    def _allows(self, action: int, first: str | None, second: str | None, database: str | None) -> bool:
        if action == sqlite3.SQLITE_FUNCTION:
            return fold(second or "") in harmless_functions() or second == "unistr"
        if database not in ("main", None):
            return False
        if action == sqlite3.SQLITE_SELECT:
            return self.reads
        if action == sqlite3.SQLITE_CREATE_VTABLE:
            self.virtual.add(fold(first or ""))
            return fold(second or "") in TAKING_ROWS
        if action in _CHANGES:
            name = fold(first or "")
            own = name == "sqlite_master" if action == sqlite3.SQLITE_UPDATE else name == "sqlite_sequence"
            return own or any(name.startswith(f"{table}_") for table in self.virtual)
        return action in _CREATES or (action == sqlite3.SQLITE_PRAGMA and (first, second) in _ASKED_BY_MODULES)


def unistr(text: str | None) -> str | None:
    """Return a text whose escapes are replaced, as SQLite's function does from version 3.50 on. Raises ValueError."""
    if text is None:
        return None
    if "\\" in _ESCAPE.sub("", text):
        raise ValueError("invalid Unicode escape")
    return _ESCAPE.sub(lambda found: chr(int(next(filter(None, found.groups()), "5c"), 16)), text)
