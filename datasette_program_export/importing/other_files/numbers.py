"""Numbers as texts: whether one that is read back from SQLite would be the one that was written."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

MOST = 2**63
is_number = re.compile(r"\s*[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?\s*\Z", re.ASCII).match
_is_whole = re.compile(r"\s*[+-]?\d+\s*\Z", re.ASCII).match
_MOST_DIGITS = 800  # a double has at most 767 (https://www.exploringbinary.com), and Python formats so many quickly


def significant_digits(text: str) -> int:
    """Return how many digits of a number count: those from the first to the last that is no zero."""
    mantissa = text.strip().lstrip("+-").lower().partition("e")[0]
    return len(mantissa.replace(".", "").strip("0"))


def keeps_digits(text: str, whole: bool) -> bool:
    """Return whether SQLite stores just this number; ``whole`` means that its column takes 64-bit integers.

    A number with up to 17 digits is kept if these digits are the double's own, as ``%.17g`` writes them."""
    if len(text) < 16 and "e" not in text and "E" not in text:  # a double keeps 15 digits
        return True
    if _is_whole(text) and whole:
        return len(text) < _MOST_DIGITS and -MOST <= int(text) < MOST
    try:
        written, stored = Decimal(text.strip()), float(text)
    except (InvalidOperation, ValueError, OverflowError):
        return False
    if stored - stored != 0:
        return False
    digits = len("".join(map(str, written.as_tuple().digits)).strip("0")) or 1
    return digits <= _MOST_DIGITS and Decimal(format(stored, f".{digits}g")) == written
