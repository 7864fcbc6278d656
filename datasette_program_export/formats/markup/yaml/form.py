"""The lines of a YAML document of this program: what stands before, between and behind its values."""

from __future__ import annotations

from typing import Any

import msgspec

from ...json.escaping import escaped

VERSION = 1
ROW = b"    "  # begins every line of a row
START = ROW + b"- "
COMMA = b"\n" + ROW + b"  "
COLON = b": "
END = b"\n"
NO_ROWS = b" []\n"
_json = msgspec.json.Encoder().encode


def member(name: str, value: Any) -> bytes:
    """Return a key of the document with its value, on one line."""
    return _json(name) + COLON + escaped(msgspec.json.format(_json(value), indent=0)) + END


def table_key(name: str) -> bytes:
    """Return the key that begins a table; what is behind it depends on its rows."""
    return b"  " + escaped(_json(name)) + b":"
