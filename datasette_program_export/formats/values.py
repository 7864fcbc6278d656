"""How SQLite's values are written in JSON and read back.

    storage class   JSON                                             MessagePack (digest)
    NULL            null                                             nil
    INTEGER         digits                                           smallest integer form
    REAL            shortest digits that read back, with . or e      float64
      infinity      {"$real": "Infinity"}, {"$real": "-Infinity"}    float64
    TEXT            string                                           str
      not UTF-8     {"$base64": true, "encoded": …, "type": "text"}  ext type 1, its bytes
    BLOB            {"$base64": true, "encoded": …}                  bin

In Python a text that is not UTF-8 is a str with surrogates (PEP 383). SQLite stores no NaN.
The digest of a table is the SHA-256 of its concatenated rows, each one MessagePack array.
msgspec does the encoding. It would silently write infinities as null and BLOBs as bare text,
which the checks here prevent.
"""

from __future__ import annotations

import sys
from base64 import b64decode
from binascii import Error as Base64Error
from typing import Annotated, Any, Union, cast

import msgspec

from ..database.text import decode_text, undecoded
from .dataset import Row, Value

_REALS = {"Infinity": float("inf"), "-Infinity": float("-inf")}


def of_tag(value: Any) -> Value:
    """Return a value from another program's JSON, decoding the tags of this program. Raises ValueError, KeyError."""
    if value is None or isinstance(value, (str, float)) or (type(value) is int and -(2**63) <= value < 2**63):
        return value
    if isinstance(value, dict):
        keys = list(value)
        if keys == ["$real"]:
            return _REALS[value["$real"]]
        if keys[:2] == ["$base64", "encoded"] and value["$base64"] is True:
            try:
                data = b64decode(value["encoded"], validate=True)
            except (Base64Error, TypeError):
                raise ValueError from None
            if keys[2:] == []:
                return data
            if keys[2:] == ["type"] and value["type"] == "text":
                return decode_text(data)
    raise ValueError


_MAX = sys.float_info.max
_PLAIN = list[tuple[str | int | Annotated[float, msgspec.Meta(ge=-_MAX, le=_MAX)] | None, ...]]


def _tagged(name: str, **fields: str) -> Any:
    return msgspec.defstruct(name, [(f, object) for f in fields], rename=fields, gc=False)


_Blob = _tagged("Blob", tag="$base64", encoded="encoded")  # msgspec writes its bytes as base64 (RFC 4648)
_BadText = _tagged("BadText", tag="$base64", encoded="encoded", type="type")
_Real = _tagged("Real", real="$real")


def is_plain(rows: list[Row]) -> bool:
    """Return whether msgspec's JSON is right for every value: no BLOB, no infinity (bad text raises an error)."""
    try:
        msgspec.convert(rows, _PLAIN)
    except msgspec.ValidationError:
        return False
    return True


def json_value(value: Value) -> Any:
    """Return the value in a form that msgspec writes as the table above shows."""
    if isinstance(value, bytes):
        return _Blob(True, value)
    if isinstance(value, float) and value - value != 0:
        return _Real("Infinity" if value > 0 else "-Infinity")
    if isinstance(value, str) and (raw := undecoded(value)) is not None:
        return _BadText(True, raw, "text")
    return value


class InFile(msgspec.Struct, frozen=True, rename={"path": "$file"}):
    """Stands for a BLOB that is a file of its own in a package, at this path; in JSON ``{"$file": path}``."""

    path: str


# --- texts that hold JSON


# The tags: msgspec decodes the base64 to bytes, so that its text is never made
_Tag: Any = msgspec.defstruct(
    "Tag",
    [
        ("base64", bool, False),
        ("encoded", bytes | None, None),
        ("type", str | None, None),
        ("real", str | None, None),
        ("file", str | None, None),
    ],
    rename={"base64": "$base64", "real": "$real", "file": "$file"},
    forbid_unknown_fields=True,
    gc=False,
)
TAGS = frozenset((_Tag,))
Written = Union[str, int, float, _Tag, None]  # all that is written: nested values are not even parsed  # noqa: UP007
decode_written = msgspec.json.Decoder(Written).decode


def written_value(text: str | bytes) -> Value:
    """Return a value from the JSON that was written for it. Raises ValueError, msgspec.MsgspecError."""
    return untagged(decode_written(text))


def member_value(value: Any) -> Value | InFile:
    """Return a decoded value of a package's file, which may stand for another file. Raises ValueError."""
    if type(value) is _Tag and value.file is not None and value == _Tag(file=value.file):
        return InFile(value.file)
    return untagged(value)


def untagged(value: Any) -> Value:
    """Return a decoded value, or the value of its tag. Raises ValueError."""
    if type(value) is not _Tag:
        if type(value) is int and not -(2**63) <= value < 2**63:
            raise ValueError
        return cast(Value, value)
    if value.file is not None:
        raise ValueError
    if value.real is not None:
        if value.base64 or value.encoded is not None or value.type is not None:
            raise ValueError
        return _REALS[value.real]
    if not value.base64 or value.encoded is None or value.type not in (None, "text"):
        raise ValueError
    data: bytes = value.encoded
    return data if value.type is None else data.decode("utf-8", "surrogateescape")
