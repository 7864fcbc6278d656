"""Rows as bytes, so that they are compared exactly: the MessagePack of the digests that prove a file.

1, 1.0 and '1' are different bytes. Of a large value its SHA-256 stands in the row.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from ..formats.dataset import Row, Value
from ..formats.description.digest import pack_rows

_LARGE = 1 << 16  # characters or bytes of a value; it must not depend on the other values of the row
_BAD_TEXT, _LARGE_TEXT, _LARGE_BLOB = 1, 2, 3
_pack = msgspec.msgpack.Encoder().encode
_split = msgspec.msgpack.Decoder(list[msgspec.Raw]).decode
_unpack_raw_rows = msgspec.msgpack.Decoder(list[list[Any]]).decode
Ext = msgspec.msgpack.Ext


@dataclass(frozen=True)
class LargeValue:
    """What is kept of a large value."""

    kind: str
    size: int
    sha256: str

    def __str__(self) -> str:
        return f"a {self.kind} of {self.size:,} bytes, SHA-256 {self.sha256}"


def packed(rows: Sequence[Row]) -> tuple[bytes, int]:
    """Return rows as bytes, one after the other, and how many bytes they take with their large values.

    Two rows have the same bytes exactly if SQLite stores the same in them."""
    size = 0
    if len(rows) == 1:  # perhaps a very large one: not copied as a whole
        short = tuple(map(_shortened, rows[0]))
        size = sum(len(value) for value in rows[0] if isinstance(value, (str, bytes)))
        rows = [short]
    data = pack_rows(rows)
    if len(data) > _LARGE and len(rows) > 1 and _longest(rows) > _LARGE:
        size = len(data)
        data = pack_rows([tuple(map(_shortened, row)) for row in rows])
    return data, max(size, len(data))


def _longest(rows: Sequence[Row]) -> int:
    """Return how many bytes the longest row takes: one with a large value takes more than that."""
    try:
        return max(map(len, map(_pack, rows)))
    except UnicodeEncodeError:
        return max(len(pack_rows([row])) for row in rows)


def split(data: bytes, rows: int) -> list[bytes]:
    """Return the bytes of each of so many rows."""
    found = list(map(bytes, _split(_header(rows) + data)))
    if len(data) > _LARGE and max(map(len, found)) > _LARGE:
        for place, row in enumerate(found):
            if len(row) > _LARGE:
                (values,) = raw_rows([row])
                found[place] = _pack([_shortened(value) for value in values])
    return found


def raw_rows(rows: Sequence[bytes]) -> list[list[Any]]:
    """Return the values of rows; what is no plain value stays an ``Ext``."""
    return _unpack_raw_rows(_header(len(rows)) + b"".join(rows))


def _header(rows: int) -> bytes:
    return b"\xdd" + rows.to_bytes(4, "big")  # of an array of this length


def _shortened(value: Value) -> Any:
    if not isinstance(value, (str, bytes)) or len(value) <= _LARGE:
        return value
    data = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
    kind = _LARGE_TEXT if isinstance(value, str) else _LARGE_BLOB
    return Ext(kind, len(data).to_bytes(8, "big") + hashlib.sha256(data).digest())


def _of_extension(code: int, data: memoryview) -> Any:
    if code == _BAD_TEXT:
        return bytes(data).decode("utf-8", "surrogateescape")
    kind = "text" if code == _LARGE_TEXT else "BLOB"
    return LargeValue(kind, int.from_bytes(data[:8], "big"), data[8:].hex())


unpacked: Callable[[bytes], list[Any]] = msgspec.msgpack.Decoder(list[Any], ext_hook=_of_extension).decode


def picking(places: Sequence[int]) -> Callable[[Sequence[bytes]], list[bytes]]:
    """Return a function that makes, of the bytes of rows, the bytes of rows with only the values at these places."""
    wanted = list(places)

    def pick(rows: Sequence[bytes]) -> list[bytes]:
        return [_pack([row[place] for place in wanted]) for row in raw_rows(rows)]

    return pick
