"""What a JSON text means, however it is spelled: two texts mean the same if their canonical texts are equal.

Blanks, the order of keys, escapes (``\\u00e9``) and the spelling of numbers (``1.50``, ``15e-1``) do not matter; whole
numbers are exact, others are those of 64 bits.
"""

from __future__ import annotations

import json
from typing import Any

_LARGEST = 4_000_000  # bytes: a decoded text takes many times its size
_EXACT = 2**53


def canonical(text: Any) -> str | None:
    """Return a JSON text in its one canonical spelling, or None for what is no JSON or very large.

    ``text`` is a str, or the text's bytes in an encoding of SQLite's."""
    if not isinstance(text, (str, bytes)) or len(text) > _LARGEST:
        return None
    try:
        found = json.loads(text, parse_float=_number, parse_constant=_refuse)
        return json.dumps(found, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (ValueError, RecursionError):  # also bytes that are no text, and numbers beyond all
        return None


def _number(text: str) -> float | int:
    value = float(text)
    return int(value) if value.is_integer() and 0 < abs(value) < _EXACT else value


def _refuse(constant: str) -> None:
    raise ValueError(constant)
