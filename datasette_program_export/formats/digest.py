"""The digest of a table: SHA-256 over its rows as MessagePack arrays."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec

from ..database.text import undecoded
from .dataset import Row, Value

_pack = msgspec.msgpack.Encoder().encode


def pack_rows(rows: Sequence[Row]) -> bytes:
    """The rows as MessagePack arrays, one behind the other."""
    try:
        packed = _pack(rows)
    except UnicodeEncodeError:
        packed = _pack([tuple(map(_pack_value, row)) for row in rows])
    # what comes first is the header of the outer array
    return packed[1 if len(rows) < 16 else 3 if len(rows) < 65536 else 5 :]


def _pack_value(value: Value) -> Any:
    if isinstance(value, str) and (raw := undecoded(value)) is not None:
        return msgspec.msgpack.Ext(1, raw)
    return value


class TableDigest:
    """The digest of one table, taken as its rows pass. ``left_out`` are columns SQLite computes itself."""

    def __init__(self, width: int, left_out: Sequence[int] = ()) -> None:
        self.rows = 0
        self._hash = hashlib.sha256()
        self._kept = [i for i in range(width) if i not in left_out] if left_out else None

    def add(self, rows: list[Row]) -> int:
        """Take these rows in; returns how many bytes they are in MessagePack."""
        kept = self._kept
        packed = pack_rows(rows if kept is None else [tuple(row[i] for i in kept) for row in rows])
        self._hash.update(packed)
        self.rows += len(rows)
        return len(packed)

    def hexdigest(self) -> str:
        return self._hash.hexdigest()


def sum_of_rows(rows: Sequence[Row]) -> int:
    """A number that is the same for the same rows in any order; sums may be added up. Only within one process."""
    try:
        return sum(map(hash, map(_pack, rows)))
    except UnicodeEncodeError:
        return sum(hash(pack_rows([row])) for row in rows)
