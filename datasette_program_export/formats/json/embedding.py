"""Decides which texts can be embedded in a document as JSON and read back to the same text."""

from __future__ import annotations

import re

import msgspec

_decode = msgspec.json.Decoder().decode


_ENDS = {("{", "}"), ("[", "]")}


_DIGITS = bytes(48 if 48 <= byte <= 57 else 46 for byte in range(256))


_NOT_STRUCTURE = bytes(byte for byte in range(256) if byte not in b'{}[]"\\')


_ONE_KIND = bytes.maketrans(b"{}", b"[]")


_unescaped = re.compile(rb"\\.", re.DOTALL).sub


_long_number = re.compile(rb"[0-9]{300}").search


def embeddable(text: str) -> bytes | None:
    """Return the text's bytes if they can be embedded in a document as JSON and read back to the same text, else None.

    The text must be UTF-8, an object or array from the first character to the last, on one line, valid
    JSON as a whole, at most 64 levels deep, with no number of 300 digits (beyond what doubles can
    hold), and with no top-level key that begins with ``$`` (reserved for the tags in ``values.py``)."""
    if (text[:1], text[-1:]) not in _ENDS or "\n" in text or "\r" in text:
        return None
    try:
        data = text.encode()
        decoded = _decode(data)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    if isinstance(decoded, dict) and any(key[:1] == "$" for key in decoded):
        return None
    # 299 digits or more fill 24 adjacent places of a stride of 12, which is a fast test
    if b"0" * 24 in data[::12].translate(_DIGITS) and _long_number(data):
        return None
    return data if depth_is_at_most(data, 64) else None


def depth_is_at_most(data: bytes, limit: int) -> bool:
    """Return whether valid JSON is at most ``limit`` levels deep: by counting if that suffices, otherwise exactly."""
    opened = data.count(b"{") + data.count(b"[")
    for siblings in (b"", b"}, {", b"},{", b"],[", b"], ["):
        # of one bracket closed beside one opened, at most one lies on the deepest path
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
        skeleton = skeleton.replace(b"[]", b"")  # removes one level; with two kinds of brackets it could take two
    return not skeleton
