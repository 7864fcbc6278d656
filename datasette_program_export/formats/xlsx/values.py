"""What a cell of a workbook of ours means as a value of SQLite; it may have been changed by a person."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

import msgspec

from ...database.schema import affinity
from ...errors import UnreadableError
from ..dataset import Field, Value
from ..values import written_value
from .cells import DAY_0, LONG, MARK, NUMERIC, Empty, is_made_text, is_typed

_SHIFT_OF_1904 = 1462  # days
_MS = 86_400_000
_is_number = re.compile(r"[+-]?\d+\.?\d*\Z", re.ASCII).match
_has_comma = re.compile(r"[+-]?(?:\d+,(?:\d{1,2}|\d{4,})|(?:0|\d{4,}),\d{3})\Z", re.ASCII).match  # and no thousands
_LEAP = 60  # the day that Excel counts and that was none: 29 February 1900


class Meaning:
    """Reads the cells of one column. ``long`` returns a text of the sheet for long ones by its number."""

    def __init__(self, field: Field, empty: Empty, long: Callable[[int], str], from_1904: bool) -> None:
        self.name = field.name
        self.empty: Value = None if empty == "null" else ""
        self._affinity = affinity(field.type)
        self._long, self._from_1904 = long, from_1904

    def __call__(self, kind: str, text: str) -> Value:
        """Return the value. Raises ValueError with what is wrong, as the end of a sentence."""
        if kind == "text":
            return self._text(text)
        if kind in ("number", "boolean"):
            return self._number(text)
        if kind == "formula":
            raise ValueError("holds a formula without a result: save the file in a spreadsheet first")
        if kind == "error":
            raise ValueError(f"shows the error {text[:20]}")
        return moment_of(float(text), kind, self._from_1904)

    def _text(self, text: str) -> Value:
        if text.startswith(LONG):
            try:
                text = self._long(int(text[len(LONG) : -1]))
            except (ValueError, IndexError):
                raise ValueError("names a long text that is not there") from None
        if not text.startswith(MARK):
            return self._typed(text) if text else self.empty
        try:
            return written_value(text[1:])
        except (ValueError, KeyError, msgspec.MsgspecError, RecursionError):
            raise ValueError(
                'begins with a backslash, and no JSON value follows: write a text that begins so as \\"\\\\text"'
            ) from None

    def _typed(self, text: str) -> Value:
        """Read a text that is no JSON: a person may have typed it."""
        if is_made_text(text):
            return text[1:]
        if self._affinity not in NUMERIC or not is_typed(text, self._affinity):
            return text
        if _is_number(text):
            return self._number(text)
        if _has_comma(text):
            return self._number(text.replace(",", "."))
        if self._affinity == "NUMERIC":  # perhaps a date
            return text
        raise ValueError("is a number that can be read in two ways: write it with a point, and without thousands")

    def _number(self, text: str) -> Value:
        number = float(text)
        if self._affinity == "REAL":
            return number
        value = int(text) if text.lstrip("-").isdigit() else int(number) if number.is_integer() else number
        if isinstance(value, int) and not -(2**63) <= value < 2**63:
            value = number
        return f"{value}" if self._affinity == "TEXT" else value


def moment_of(number: float, kind: str, from_1904: bool = False) -> str:
    """Return a number of days as the text of a day, of a time of day, or of both. Raises ValueError."""
    number += _SHIFT_OF_1904 * from_1904
    days, parts = divmod(round(number * _MS), _MS)
    if kind != "time" and not 0 <= days < 2_958_466:
        raise ValueError("holds a date that is none")
    seconds, ms = divmod(parts, 1000)
    clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}" + (f".{ms:03}" if ms else "")
    if kind == "time" and days == 0:
        return clock
    if kind == "time":
        hours = days * 24 + seconds // 3600
        return f"{hours:02}{clock[2:]}"
    day = (
        "1900-02-29" if days == _LEAP and not from_1904 else date.fromordinal(DAY_0 + days + (days < _LEAP)).isoformat()
    )
    if kind == "date" and not parts:
        return day
    return f"{day}{'T' if kind == 'dateTtime' else ' '}{clock}"


def unreadable(sheet: str, number: int, column: str, why: object) -> UnreadableError:
    """Return the error for a cell."""
    return UnreadableError(f"Line {number:,} of the sheet {sheet}: {column} {why}.", "changed")
