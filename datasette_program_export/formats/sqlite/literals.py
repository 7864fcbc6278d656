"""SQLite's values as SQL literals that every version from 3.37 on reads back exactly.

SQLite's own parser of decimal numbers is off by one in the last place for some numbers. Where that
is possible, a REAL is written as an exact product or quotient of integers.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from itertools import count

from ...database.text import odd_text, undecoded
from ..dataset import Row, Value

_POWER = 62  # the exponent of the largest power of two that is an integer literal
_SMALLEST = -(2**63)
_MARKS = re.compile(r"\\r([0-9]{1,9})")


def real(number: float) -> str:
    """Return an SQL expression of exactly this double."""
    if number - number != 0:
        return "9e999" if number > 0 else "-9e999"
    text = repr(number)
    if number == 0:
        return text if text == "0.0" else "0.0*-1"
    return text if _is_read_right(number, text) else _exact(number)


def _is_read_right(number: float, text: str) -> bool:
    """Return whether any way of parsing gives this double, even rounding to 64 bits first and then to 53."""
    if "e" in text:
        return False
    if text.endswith(".0"):
        return abs(number) < 2**53
    whole, _, fraction = text.lstrip("-").partition(".")
    digits = int(whole + fraction)
    if digits >= 10**15:
        return False
    scale: int = 10 ** len(fraction)
    if scale <= 10_000:
        return True  # the decimal cannot lie so close to the middle between two doubles
    steps = 1 / math.ulp(number)
    off_by = digits * int(steps) - int(abs(number) * steps) * scale
    return abs(off_by) * 512 < scale * 255


def _exact(number: float) -> str:
    numerator, denominator = number.as_integer_ratio()
    if 1 < denominator <= 1 << _POWER:
        return f"{numerator}*1.0/{denominator}"
    fraction, exponent = math.frexp(number)
    whole = int(fraction * 2**53)
    twos = (whole & -whole).bit_length() - 1
    exponent += twos - 53
    sign, left = ("/", -exponent) if exponent < 0 else ("*", exponent)
    text = f"{whole >> twos}*1.0"
    while left:
        step = min(left, _POWER)
        text += f"{sign}{1 << step}"
        left -= step
    return text


def _mark(text: str) -> str:
    """Return a mark that is not in the text, which is searched once: a backslash and r, with a number if necessary."""
    if "\\r" not in text:
        return "\\r"
    taken = {run[:end] for run in _MARKS.findall(text) for end in range(1, len(run) + 1)}
    return "\\r" + next(number for number in map(str, count(1)) if number not in taken)


class Literals:
    """Writes rows as SQL. ``literal`` is the definition; ``_column`` gives the same result faster."""

    def __init__(self, encoding: str) -> None:
        self.encoding = encoding
        self._odd = ("\0", "\r") if encoding == "UTF-8" else ("\0", "\r", "\ufffe", "\uffff")

    def __call__(self, rows: Sequence[Row]) -> str:
        """Return the rows as a VALUES list, each row on its own line."""
        return "\n(" + "),\n(".join(map(",".join, zip(*map(self._column, zip(*rows))))) + ")"

    def literal(self, value: Value) -> str:
        """Return a value as an SQL expression that gives exactly this value."""
        if value is None:
            return "NULL"
        if isinstance(value, int):
            return str(value) if value != _SMALLEST else f"{_SMALLEST + 1}-1"
        if isinstance(value, float):
            return real(value)
        if isinstance(value, bytes):
            return f"X'{value.hex()}'"
        return self.text(value)

    def text(self, value: str) -> str:
        """Return a text as an SQL expression; its bytes where SQLite or its shell would change it."""
        raw = odd_text(value, self.encoding)
        if raw is None and "\0" in value:
            raw = value.encode(self.encoding)
        if raw is not None:
            return f"CAST(X'{raw.hex()}' AS TEXT)"
        quoted = "'" + value.replace("'", "''") + "'"
        if "\r" not in value:
            return quoted
        mark = _mark(value)  # the sqlite3 program drops a CR at the end of a line
        return f"replace({quoted.replace(chr(13), mark)},'{mark}',char(13))"

    def _column(self, column: tuple[Value, ...]) -> Iterable[str]:
        kinds = set(map(type, column))
        if kinds == {int}:
            return map(str, column) if _SMALLEST not in column else map(self.literal, column)
        if kinds == {float}:
            return map(real, column)  # type: ignore[arg-type]
        if kinds == {str}:
            together = "".join(column)  # type: ignore[arg-type]
            if not any(c in together for c in self._odd) and (together.isascii() or undecoded(together) is None):
                if "'" in together:
                    return ["'" + value.replace("'", "''") + "'" for value in column]  # type: ignore
                return ["'" + value + "'" for value in column]  # type: ignore[operator]
        return map(self.literal, column)
