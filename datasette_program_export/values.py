"""The one table of SQLite's values and how they are written.

    storage class   JSON                                             MessagePack (digest)
    NULL            null                                             nil
    INTEGER         digits                                           smallest integer form
    REAL            shortest digits that read back, with . or e      float64
      infinity      {"$real": "Infinity"}, {"$real": "-Infinity"}    float64
    TEXT            string                                           str
      not UTF-8     {"$base64": true, "encoded": …, "type": "text"}  ext type 1, its bytes
    BLOB            {"$base64": true, "encoded": …}                  bin

In Python a text that is not UTF-8 is a str with surrogates (PEP 383). SQLite keeps no NaN.
The digest of a table is the SHA-256 of its rows, each one MessagePack array, one behind the
other. msgspec does the encoding; it would write infinities as null and BLOBs as bare text
without a word, which is what the checks here are for.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec

from .records import Row, Value

_MAX = sys.float_info.max
_PLAIN = list[tuple[str | int | Annotated[float, msgspec.Meta(ge=-_MAX, le=_MAX)] | None, ...]]


def _tagged(name: str, **fields: str) -> Any:
    return msgspec.defstruct(name, [(f, object) for f in fields], rename=fields, gc=False)


_Blob = _tagged("Blob", tag="$base64", encoded="encoded")  # msgspec writes its bytes as base64 (RFC 4648)
_BadText = _tagged("BadText", tag="$base64", encoded="encoded", type="type")
_Real = _tagged("Real", real="$real")

_pack = msgspec.msgpack.Encoder().encode
_decode = msgspec.json.Decoder().decode


def is_plain(rows: list[Row]) -> bool:
    """Whether msgspec's JSON says every value as it is: no BLOB, no infinity (bad text raises by itself)."""
    try:
        msgspec.convert(rows, _PLAIN)
    except msgspec.ValidationError:
        return False
    return True


def undecoded(text: str) -> bytes | None:
    """The bytes of a text that is not valid UTF-8; None for any other text."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogateescape")
    return None


def json_value(value: Value) -> Any:
    """The value in a form that msgspec writes as the table above says."""
    if isinstance(value, bytes):
        return _Blob(True, value)
    if isinstance(value, float) and value - value != 0:
        return _Real("Infinity" if value > 0 else "-Infinity")
    if isinstance(value, str) and (raw := undecoded(value)) is not None:
        return _BadText(True, raw, "text")
    return value


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


# --- texts that hold JSON

_ENDS = {("{", "}"), ("[", "]")}
_DIGITS = bytes(48 if 48 <= byte <= 57 else 46 for byte in range(256))
_NOT_STRUCTURE = bytes(byte for byte in range(256) if byte not in b'{}[]"\\')
_ONE_KIND = bytes.maketrans(b"{}", b"[]")
_unescaped = re.compile(rb"\\.", re.DOTALL).sub
_long_number = re.compile(rb"[0-9]{300}").search


def embeddable(text: str) -> bytes | None:
    """The text's own bytes, when it can stand in a document as JSON and be read back to the same text.

    That is: UTF-8, an object or array from the first character to the last, on one line, that
    decodes as a whole, at most 64 deep, with no number of 300 digits (beyond what doubles can
    hold), and no top-level key that begins with ``$`` (those are the tags above)."""
    if (text[:1], text[-1:]) not in _ENDS or "\n" in text or "\r" in text:
        return None
    try:
        data = text.encode()
        decoded = _decode(data)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    if isinstance(decoded, dict) and any(key[:1] == "$" for key in decoded):
        return None
    # a run of 299 digits or more fills 24 neighbours of a stride of 12, which is quick to look for
    if b"0" * 24 in data[::12].translate(_DIGITS) and _long_number(data):
        return None
    return data if depth_is_at_most(data, 64) else None


def depth_is_at_most(data: bytes, limit: int) -> bool:
    """Whether valid JSON is nested no deeper: by counting where that is enough, else exactly."""
    opened = data.count(b"{") + data.count(b"[")
    for siblings in (b"", b"}, {", b"},{", b"],[", b"], ["):
        # one closed beside one opened: both cannot lie on the deepest path
        opened -= data.count(siblings) if siblings else 0
        if opened <= limit:
            return True
    skeleton = data.translate(_ONE_KIND, _NOT_STRUCTURE)
    if b"\\" in skeleton:
        skeleton = _unescaped(b"", data).translate(_ONE_KIND, _NOT_STRUCTURE)
    skeleton = b"".join(skeleton.split(b'"')[::2])
    for _ in range(limit):
        if not skeleton:
            break
        skeleton = skeleton.replace(b"[]", b"")  # one level; one kind of bracket, or it could be two
    return not skeleton
