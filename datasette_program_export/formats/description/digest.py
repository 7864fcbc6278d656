"""The digest of a table: SHA-256 over its rows as MessagePack arrays."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from ...database.text import undecoded
from ...files.beside import Beside, Hash

Value = int | float | str | bytes | None
Row = tuple[Value, ...]
_LARGE = 1 << 20  # characters or bytes
_pack = msgspec.msgpack.Encoder().encode


def pack_rows(rows: Sequence[Row]) -> bytes:
    """Return the rows as concatenated MessagePack arrays."""
    try:
        packed = _pack(rows)
    except UnicodeEncodeError:
        packed = _pack([tuple(map(_pack_value, row)) for row in rows])
    # remove the header of the outer array
    return packed[1 if len(rows) < 16 else 3 if len(rows) < 65536 else 5 :]


def _pack_value(value: Value) -> Any:
    if isinstance(value, str) and (raw := undecoded(value)) is not None:
        return msgspec.msgpack.Ext(1, raw)
    return value


def _is_large(row: Row) -> bool:
    return any(isinstance(value, (str, bytes)) and len(value) > _LARGE for value in row)


def _packed_pieces(row: Row) -> Iterator[bytes]:
    """Yield the bytes that ``pack_rows`` makes of a row, with large values in pieces (so with 32-bit lengths)."""
    yield _pack([None] * len(row))[: -len(row)] if row else _pack([])
    for value in row:
        if not isinstance(value, (str, bytes)) or len(value) <= _LARGE:
            yield pack_rows([(value,)])[1:]
        elif isinstance(value, bytes):
            yield b"\xc6" + len(value).to_bytes(4, "big")
            yield value
        else:
            slices = range(0, len(value), _LARGE)
            try:
                size = sum(len(value[i : i + _LARGE].encode()) for i in slices)
                yield b"\xdb" + size.to_bytes(4, "big")
            except UnicodeEncodeError:
                size = sum(len(value[i : i + _LARGE].encode("utf-8", "surrogateescape")) for i in slices)
                yield b"\xc9" + size.to_bytes(4, "big") + b"\x01"
            for i in slices:
                yield value[i : i + _LARGE].encode("utf-8", "surrogateescape")


class TableDigest:
    """The digest of one table, computed while its rows are read. ``left_out`` are the columns that SQLite computes.

    ``beside`` is a second thread that computes it. Where it is not ``wanted``, rows are only counted."""

    def __init__(
        self, width: int, left_out: Sequence[int] = (), beside: Beside | None = None, wanted: bool = True
    ) -> None:
        self.rows = 0
        self.wanted = wanted
        self._hash = hashlib.sha256() if beside is None else Hash(beside)
        self._kept = [i for i in range(width) if i not in left_out] if left_out else None

    def add(self, rows: list[Row]) -> int:
        """Add these rows; return their size in MessagePack, in bytes."""
        kept = self._kept
        if len(rows) == 1 and _is_large(rows[0]):
            return self._add_large(rows[0] if kept is None else tuple(rows[0][i] for i in kept))
        packed = pack_rows(rows if kept is None else [tuple(row[i] for i in kept) for row in rows])
        if self.wanted:
            self._hash.update(packed)
        self.rows += len(rows)
        return len(packed)

    def add_packed(self, packed: bytes | memoryview, rows: int) -> None:
        """Add rows that are MessagePack arrays already, without the columns that are left out."""
        if self.wanted:
            self._hash.update(packed)
        self.rows += rows

    def _add_large(self, row: Row) -> int:
        """Add a row that is too large to be copied as a whole."""
        size = 0
        for piece in _packed_pieces(row):
            if self.wanted:
                self._hash.update(piece)
            size += len(piece)
        self.rows += 1
        return size

    def hexdigest(self) -> str:
        """Return the digest of the rows so far."""
        if not self.wanted:
            raise AssertionError("nobody wanted this digest")
        return self._hash.hexdigest()


def sum_of_rows(rows: Sequence[Row]) -> int:
    """Return a number that does not depend on the order of the rows; sums can be added. Valid in one process only."""
    try:
        return sum(map(hash, map(_pack, rows)))
    except UnicodeEncodeError:
        return sum(hash(pack_rows([row])) for row in rows)
