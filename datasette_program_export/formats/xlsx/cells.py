r"""How SQLite's values are written into the cells of a worksheet.

    value                                          cell
    NULL                                           empty
    INTEGER, REAL of at most 15 digits             a number
    a day or a time of day as text (2024-05-01)    a date, in the text's own form
    any other text                                 the text, never a formula
    everything else                                a backslash, then the value as JSON, as programjson writes it

A whole REAL is a number only in a column of REALs, where no INTEGER can stand. Texts that some program would change are
written as JSON too: those that begin with a backslash, hold control characters, or look like Excel's own escapes; also
texts that would mean another value if a person had typed them (``is_typed``). An empty cell is an empty text in a
column that has empty texts and no NULL.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Literal

import msgspec

from ...database.schema import affinity
from ..csv.spreadsheet import EXACT_INTEGERS, MOST_CHARACTERS, has_many_digits
from ..dataset import Field, Value
from ..values import json_value

MARK = "\\"
LONG = MARK + '{"$long":'  # a number and } follow: the text stands in parts on a sheet of its own
Empty = Literal["null", "text"]
DAY_0 = date(1899, 12, 30).toordinal()
_FIRST_DAY = date(1900, 3, 1)  # before it, Excel counts a 29 February that was none
_SMALLEST, _LARGEST = 1e-300, 1e300
_GENERAL, _HEADER, _TEXT, _DATE, _SPACE, _T = 0, 1, 2, 3, 4, 5  # the styles, in the order of ``parts``
is_moment = re.compile(r"\d{4}-\d\d-\d\d(?:[ T](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d)?\Z", re.ASCII).match
_has_odd = re.compile("^\\\\|[\0-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]|_x[0-9A-Fa-f]{4}_|x005F_").search
_not_xml = re.compile("[\0-\x1f\ud800-\udfff\ufffe\uffff]")
_odd_in_json = re.compile("[\x7f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)|(?<=x005F)_")
_has_markup = re.compile("[&<>]").search
is_made_text = re.compile(r"'[\d+=@-]", re.ASCII).match  # an apostrophe tells a spreadsheet that a text follows
_is_digits = re.compile(r"[+-]?\d[\d.,]*\Z", re.ASCII).match
NUMERIC = ("INTEGER", "REAL", "NUMERIC")
_json = msgspec.json.Encoder().encode


class Column:
    """Writes the cells of one column; ``empty`` says what an empty one means there.

    ``digits``, ``binary`` and ``long`` count what is not written as people expect it. ``keep`` stores a text that is
    too long for a cell and returns its number."""

    def __init__(self, field: Field, empty: Empty, keep: Callable[[str], int]) -> None:
        self.name, self.empty = field.name, empty
        self.digits = self.binary = self.long = 0
        self._affinity = affinity(field.type)
        self._keep = keep
        self._nothing = None if empty == "null" else ""

    def cells(self, values: Sequence[Value]) -> list[str]:
        """Return each cell as XML from behind its address; an empty text for an empty cell."""
        nothing, one = self._nothing, self._cell
        return ["" if value is nothing or value == nothing else one(value) for value in values]

    def marked(self, value: Value) -> str:
        """Return a cell that holds the value as JSON."""
        return self._fitting(MARK + json_text(value))

    def _cell(self, value: Value) -> str:
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, bytes):
            self.binary += 1
        elif value is not None:
            if self._is_number(value):
                return f"><v>{value!r}</v></c>"
            self.digits += has_many_digits(value)
            style = _TEXT if self._affinity == "TEXT" else _GENERAL  # there a number can be typed in its place
            return text_cell(MARK + json_text(value), style)
        return self.marked(value)

    def _is_number(self, value: int | float) -> bool:
        if isinstance(value, int):
            return -EXACT_INTEGERS < value < EXACT_INTEGERS and self._affinity not in ("TEXT", "REAL")
        if self._affinity == "TEXT" or (self._affinity != "REAL" and value.is_integer()):
            return False
        if value == 0:
            return str(value) == "0.0"
        return _SMALLEST < abs(value) < _LARGEST and not has_many_digits(value)

    def _text(self, text: str) -> str:
        if len(text) in (10, 19) and is_moment(text) and (style := style_of_moment(text)):
            return f' s="{style}"><v>{serial(text)}</v></c>'
        if not text or _has_odd(text) or is_typed(text, self._affinity):
            return self.marked(text)
        return self._fitting(text)

    def _fitting(self, text: str) -> str:
        if len(text) * 2 > MOST_CHARACTERS and length(text) > MOST_CHARACTERS:
            self.long += 1
            text = f"{LONG}{self._keep(text)}}}"
        return text_cell(text)


def is_typed(text: str, affinity: str) -> bool:
    """Return whether a text means another value where a person has typed it: `'007`, or a number as a text."""
    return bool(is_made_text(text) or (affinity in NUMERIC and _is_digits(text)))


def json_text(value: Value) -> str:
    """Return a value's JSON, in characters that every program keeps."""
    return _odd_in_json.sub(lambda found: f"\\u{ord(found[0]):04x}", _json(json_value(value)).decode())


def spelled(text: str) -> str:
    """Return a text as it stands in a cell: itself, or marked."""
    return MARK + json_text(text) if not text or _has_odd(text) else text


def line_cell(text: str) -> str:
    """Return a cell with a line for people; signs that a cell cannot hold are replaced."""
    return text_cell(_not_xml.sub("\ufffd", text)[: MOST_CHARACTERS // 2]) if text else ""


def length(text: str) -> int:
    """Return the length of a text as Excel counts it: in units of UTF-16."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def text_cell(text: str, style: int = _TEXT) -> str:
    """Return a cell with a text, as XML from behind its address."""
    if _has_markup(text):
        text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f' s="{style}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'


def header_cells(names: Iterable[str]) -> list[str]:
    """Return the cells of a first row."""
    return [text_cell(spelled(name), _HEADER) for name in names]


def style_for_new(values: Iterable[Value], affinity: str) -> int:
    """Return the style for new cells of a column with these values: what people type there is read as those are."""
    texts = [value for value in values if value is not None]
    found = {
        style_of_moment(text) if isinstance(text, str) and len(text) in (10, 19) and is_moment(text) else 0
        for text in texts
    }
    if len(found) == 1 and (style := found.pop()):
        return style
    return _TEXT if affinity == "TEXT" else _GENERAL


def style_of_moment(text: str) -> int:
    """Return the style of a date that shows just this text; 0 if there is no such day, or Excel counts it wrongly."""
    try:
        if date.fromisoformat(text[:10]) < _FIRST_DAY:
            return 0
    except ValueError:
        return 0
    return _DATE if len(text) == 10 else _SPACE if text[10] == " " else _T


def serial(text: str) -> str:
    """Return a moment as days since the end of 1899."""
    days = date.fromisoformat(text[:10]).toordinal() - DAY_0
    if len(text) == 10:
        return str(days)
    return repr(days + (int(text[11:13]) * 3600 + int(text[14:16]) * 60 + int(text[17:])) / 86400)
