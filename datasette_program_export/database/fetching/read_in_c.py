"""Rows that were written as JSON, read in C by the optional package datasette-program-export-native.

It reads whole lines as MessagePack, as long as they are rows to the last byte as this program writes them. Any other
line ends that before it: Python's code in ``formats/`` judges it, and is the definition of what a line means.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from ..library import sqlite3
from .rows_in_c import connect, load, sized

_CALL = "SELECT program_export_read(?, ?)"
_HEAD = struct.Struct("<3I")


@dataclass(frozen=True)
class LinePlan:
    """How rows stand in lines: ``before`` is what stands before each column's value, ``row_end`` ends a row, with LF.

    ``holds_json`` and ``kept`` are places of columns: which have texts embedded as JSON, and whose values are wanted
    by themselves too."""

    before: Sequence[bytes]
    row_end: bytes
    holds_json: Sequence[int]
    kept: Sequence[int]

    def __bytes__(self) -> bytes:
        parts = [sized(self.row_end)]
        for place, before in enumerate(self.before):
            parts += [bytes([(place in self.holds_json) + 2 * (place in self.kept)]), sized(before)]
        return b"".join(parts)


@dataclass(frozen=True)
class LinesRead:
    """So many rows that took so many bytes: ``packed`` as MessagePack arrays, and ``kept``, an array of columns."""

    rows: int
    size: int
    packed: memoryview
    kept: memoryview


class LinesInC:
    """Reads lines by a plan, in a private connection; use it in one thread, and close it (in any)."""

    def __init__(self, plan: LinePlan) -> None:
        self._plan = bytes(plan)
        self._connection: Any = connect(sqlite3, ":memory:", check_same_thread=False)
        self.usable = _can_read(self._connection)

    def read(self, lines: bytes | memoryview) -> LinesRead | None:
        """Return the rows of the first of these lines; None if Python must judge the first, or there is no C."""
        if not self.usable:
            return None
        found = self._connection.execute(_CALL, (self._plan, lines)).fetchone()[0]
        if found is None:
            return None
        rows, size, packed = _HEAD.unpack_from(found)
        rest = memoryview(found)[_HEAD.size :]
        return LinesRead(rows, size, rest[:packed], rest[packed:])

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def is_readable() -> bool:
    """Return whether this process can read rows in C."""
    with closing(connect(sqlite3, ":memory:")) as connection:
        return _can_read(connection)


def _can_read(connection: Any) -> bool:
    try:
        if not load(connection, sqlite3):
            return False
        # an older package has no such function
        connection.execute(_CALL, (bytes(LinePlan([b"["], b"]\n", (), ())), b"")).fetchone()
    except sqlite3.Error:
        return False
    return True
