"""Rows as bytes, so that SQLite compares them exactly: the MessagePack of the digests that prove a file.

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
_unpack_raw = msgspec.msgpack.Decoder(list[Any]).decode


@dataclass(frozen=True)
class LargeValue:
    """What is kept of a large value."""

    kind: str
    size: int
    sha256: str

    def __str__(self) -> str:
        return f"a {self.kind} of {self.size:,} bytes, SHA-256 {self.sha256}"


def packed(rows: Sequence[Row]) -> list[bytes]:
    """Return each row as bytes; two rows have the same bytes exactly if SQLite stores the same in them."""
    try:
        found = [_pack(row) for row in rows]
    except UnicodeEncodeError:
        found = [pack_rows([row]) for row in rows]
    for place, data in enumerate(found):
        if len(data) > _LARGE:
            found[place] = pack_rows([tuple(map(_shortened, rows[place]))])
    return found


def _shortened(value: Value) -> Any:
    if not isinstance(value, (str, bytes)) or len(value) <= _LARGE:
        return value
    data = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
    kind = _LARGE_TEXT if isinstance(value, str) else _LARGE_BLOB
    return msgspec.msgpack.Ext(kind, len(data).to_bytes(8, "big") + hashlib.sha256(data).digest())


def _of_extension(code: int, data: memoryview) -> Any:
    if code == _BAD_TEXT:
        return bytes(data).decode("utf-8", "surrogateescape")
    kind = "text" if code == _LARGE_TEXT else "BLOB"
    return LargeValue(kind, int.from_bytes(data[:8], "big"), data[8:].hex())


unpacked: Callable[[bytes], list[Any]] = msgspec.msgpack.Decoder(list[Any], ext_hook=_of_extension).decode


def picking(places: Sequence[int]) -> Callable[[bytes], bytes]:
    """Return a function that makes the bytes of a row with only the values at these places."""
    wanted = list(places)

    def pick(data: bytes) -> bytes:
        row = _unpack_raw(data)
        return _pack([row[place] for place in wanted])

    return pick
