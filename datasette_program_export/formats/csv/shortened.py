"""Whether a value of a file is that of a row here, as far as a spreadsheet writes it: with 15 digits of a number.

A spreadsheet that saves a CSV also writes nothing for an empty text, and three digits of a second. Only columns are
compared so in which the file tells no more (``other_files/csv``): what is there then stays as it is.
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

_DIGITS = 15
_half_up = Context(_DIGITS, ROUND_HALF_UP).create_decimal
_is_moment = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d([.,]\d+)\Z", re.ASCII).match
_SECONDS = 19  # characters up to the seconds


def is_shortened(there: Any, here: Any) -> bool:
    """Return whether ``here``, of the file, is what a spreadsheet writes for ``there``."""
    if here is None:
        return isinstance(there, str) and there == ""
    if type(there) is not type(here):
        return False
    if isinstance(here, str):
        return _is_shorter_moment(there, here)
    return isinstance(here, (int, float)) and there != here and here in (comparable(there), float(f"{there:.15g}"))


def comparable(value: Any) -> Any:
    """Return what a spreadsheet keeps of a value: the same for all values that it writes alike.

    LibreOffice rounds the shortest spelling of a number, half of a digit up; Excel rounds the number itself."""
    if isinstance(value, (int, float)) and value - value == 0:
        return type(value)(_half_up(repr(value)))
    return None if value == "" else value


def _is_shorter_moment(there: str, here: str) -> bool:
    if not _SECONDS < len(here) < len(there) or here[:_SECONDS] != there[:_SECONDS]:
        return False
    long, short = _is_moment(there), _is_moment(here)
    if long is None or short is None:
        return False
    digits = short[1][1:]
    return digits in (long[1][1:][: len(digits)], f"{Decimal('0' + long[1].replace(',', '.')):.{len(digits)}f}"[2:])
