"""The types of new columns, found by looking at every value: a type is chosen only if it keeps each of them."""

from __future__ import annotations

import re
from decimal import Decimal

from ...formats.dataset import Value
from ..choices import Kind

_EXACT = 2**53  # up to here a REAL holds every whole number
_MOST = 2**63
# no zeros in front, which a number would lose (postal codes, telephone numbers); no 1e5, which may well be a name
_is_integer = re.compile(r"(?:0|-?[1-9][0-9]{0,18})\Z").match
_is_real = re.compile(r"-?(?:0|[1-9][0-9]*)\.[0-9]+(?:[eE][+-]?[0-9]{1,3})?\Z|-?[1-9]e[+-][0-9]{1,3}\Z").match


class ColumnType:
    """Looks at the values of one column; ``name`` is the type that keeps them all."""

    def __init__(self) -> None:
        self._kinds: set[str] = set()
        self._inexact = False

    def see(self, value: Value) -> None:
        """Look at a value of JSON, converted to SQLite's."""
        if value is None:
            return
        kind = {int: "INTEGER", float: "REAL", bytes: "BLOB"}.get(type(value), "TEXT")
        self._kinds.add(kind)
        if type(value) is int and abs(value) > _EXACT:
            self._inexact = True

    def see_text(self, cell: str, quoted: bool) -> None:
        """Look at a field of CSV. An empty one is NULL, unless it is quoted."""
        if "TEXT" in self._kinds or not (cell or quoted):
            return
        if _is_integer(cell) and -_MOST <= int(cell) < _MOST:
            self.see(int(cell))
        elif _is_real(cell) and Decimal(cell) == Decimal(repr(float(cell))):
            self._kinds.add("REAL")
        else:
            self._kinds.add("TEXT")

    def see_told(self, cell: str, kind: Kind) -> None:
        """Look at a field of CSV whose kind was told."""
        if kind == "number":
            self._kinds.add("INTEGER" if _is_integer(cell.strip()) and -_MOST <= int(cell) < _MOST else "REAL")
        else:
            self._kinds.add({"text": "TEXT", "boolean": "INTEGER"}.get(kind, "BLOB"))

    @property
    def name(self) -> str:
        """INTEGER, REAL, TEXT or BLOB; TEXT also for a column without any value."""
        kinds = self._kinds
        if kinds and kinds <= {"INTEGER", "REAL"}:
            if "REAL" not in kinds:
                return "INTEGER"
            return "TEXT" if self._inexact else "REAL"
        return "BLOB" if "BLOB" in kinds and "TEXT" not in kinds else "TEXT"
