"""What a cell of a CSV file means in its column: read as the column needs it and told, or asked about. Never guessed.

The rules, by the column's declared type:

- Numbers. A number that SQLite would store as another one (more than 64 bits or 17 digits) is refused. Words for
  truth values become 1 and 0; thousands and decimal commas need to be told (``decimal``).
- Dates. What is not year-month-day needs to be told (``dates``).
- BLOBs are base64, or what is told (``cells``). Elsewhere base64 is a text, asked about where the file is ours.
- Without a type. A number is a text, asked about where the file is ours.

In a file that this program wrote (``form.py``) ``true`` was a text, and stays one.
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import date

import msgspec

from ....database.schema import Column
from ....formats.dataset import Value
from ...choices import Decimal, ImportChoices
from ..numbers import is_number, keeps_digits, significant_digits
from .form import Form, unguarded, without_apostrophe
from .notes import NOTES

_INFINITE = {"Infinity": float("inf"), "-Infinity": float("-inf")}
_TRUTH = {"true": 1, "false": 0}
_WORDS = {**_TRUTH, "yes": 1, "no": 0, "t": 1, "f": 0, "y": 1, "n": 0, "on": 1, "off": 0, "1": 1, "0": 0}
_is_grouped = re.compile(r"\s*[+-]?(?=[\d.,])[\d'\u2019\u00a0\u202f .,]*[,'\u2019\u00a0\u202f ][\d.,]*\d\s*\Z").match
_is_points = re.compile(r"\s*[+-]?\d{1,3}(?:\.\d{3}){2,}\s*\Z", re.ASCII).match
_is_thousand = re.compile(r"\s*[+-]?[1-9]\d{0,2}\.\d{3}\s*\Z", re.ASCII).match
_COMMA = re.compile(r"[+-]?(?:\d{1,3}(?:[.'\u2019\u00a0\u202f ]\d{3})+|\d+)(?:,\d+)?\Z", re.ASCII)
_POINT = re.compile(r"[+-]?(?:\d{1,3}(?:[,'\u2019\u00a0\u202f ]\d{3})+|\d+)(?:\.\d+)?\Z", re.ASCII)
_GROUPS = re.compile("['\u2019\u00a0\u202f ]")
_is_base64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)\Z", re.ASCII).match
_is_long_base64 = re.compile(r"(?=.*[A-Z])(?=.*[a-z])(?=.*\d)(?:[A-Za-z0-9+/]{4}){4,}\Z", re.ASCII).match
_DATE = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d\d)(?!\d)(.*)\Z", re.ASCII | re.DOTALL)
_is_iso = re.compile(r"\d{4}-\d\d-\d\d(?:[ T][\d:.+Z-]*)?\Z", re.ASCII).match
_is_date_type = re.compile("DATE|TIMESTAMP", re.IGNORECASE).search
_is_number_type = re.compile("NUM|DEC|MONEY|CURR|BOOL|BIT|DATE|TIME", re.IGNORECASE).search
_is_like_hex = re.compile(r"(?:0[xX](?:[0-9a-fA-F]{2})+|(?:[0-9a-fA-F]{2}){4,})\Z").match
SHEET_DIGITS = 15  # of a number, as a spreadsheet writes it
_LONG = 64  # characters: no number with thousands is longer, and the patterns may look at each sign several times
_HEX = re.compile(r"(?:0x|\\x|x')?([0-9a-f]*)'?\Z", re.IGNORECASE)


def as_plain_number(cell: str, decimal: Decimal | None) -> str:
    """Return a number that is written as ``decimal`` says with a point and without thousands; other cells as they are.

    Where a decimal comma is told, what has a point and is no such number is returned as a text that is none."""
    if decimal is None:
        return cell
    text = cell.strip()
    if not (_COMMA if decimal == "comma" else _POINT).match(text):
        return f" {cell}" if decimal == "comma" and "." in cell else cell
    return _with_point(text, decimal)


def _with_point(text: str, decimal: Decimal) -> str:
    plain = _GROUPS.sub("", text)
    return plain.replace(".", "").replace(",", ".") if decimal == "comma" else plain.replace(",", "")


class CellError(Exception):
    """A cell that cannot be read as its column needs, or in two ways; the text says what it is and what to say."""


class ColumnReader:
    """Reads the cells of one column, which is None if it is not stored; ``met`` counts what is to be told."""

    def __init__(self, column: Column | None, choices: ImportChoices, form: Form, alone: bool) -> None:
        self.met: Counter[str] = Counter()
        self.is_exact = form == "exact"  # or it holds what a spreadsheet does not write
        self._form, self._choices = form, choices
        self._ours = form == "exact"
        self._null = "NULL" if alone and self._ours else None  # there an empty line would be no row
        self.name = column.name if column is not None else ""
        self.kind = choices.kind_of(self.name) if column is not None else "text"
        declared = column.type.upper() if column is not None else ""
        self._affinity = column.affinity if column is not None else "TEXT"
        self._empty: Value = b"" if "BLOB" in declared else ""
        filled = form == "spreadsheet" and column is not None and column.notnull and self._affinity == "TEXT"
        self._nothing: Value = "" if filled else None
        self._is_truth = "BOOL" in declared or declared.startswith("BIT")
        self._is_date = bool(_is_date_type(declared))
        self._named_number = self._affinity in ("INTEGER", "REAL") or bool(_is_number_type(declared))
        if self.kind is None:
            numbers = self._affinity in ("INTEGER", "REAL", "NUMERIC")
            natural = self._number if numbers else self._blob if "BLOB" in declared else self._text
            self._read = self._dated if self._is_date and self._affinity != "REAL" else natural
            self._rest = natural
        else:
            told = {"text": self._as_text, "number": self._as_number, "boolean": self._as_truth}
            self._read = {**told, "base64": self._blob, "hex": self._hex}[self.kind]
        if self._affinity == "BLOB" and "BLOB" not in declared and self.kind is None:
            self._read = self._untyped

    def __call__(self, cell: str, quoted: bool) -> Value:
        """Return the value. Raises CellError."""
        if not cell:
            self.is_exact |= quoted
            return self._empty if quoted else self._nothing
        if not quoted and cell == self._null:
            return None
        if not self._ours and cell[0] in "='":
            text = unguarded(cell)
            if text is None and self._form == "spreadsheet":
                text = without_apostrophe(cell)
            if text is not None:
                self.met["guards"] += 1
                return self._guarded(text)
        return self._read(cell)

    def _guarded(self, text: str) -> Value:
        """Read what stood in a guard: a text as it is, but for binary data and numbers of many digits."""
        if self._read in (self._blob, self._hex):
            return self._read(text)
        if self._affinity in ("INTEGER", "REAL", "NUMERIC") and is_number(text):
            return self._spelled(text)
        if self._affinity == "BLOB" and text.lstrip("-").isdigit() and len(text) > 15:
            return int(text) if keeps_digits(text, True) else text
        return text

    def _number(self, cell: str) -> Value:
        if cell.isdecimal() and cell.isascii() and cell[0] != "0" and len(cell) < 16:
            return cell
        if is_number(cell):
            if self._choices.decimal == "comma" and "." in cell and self._named_number:
                return self._localized(cell)
            if self._affinity == "INTEGER" and not self._ours and _is_thousand(cell):
                return self._localized(cell)
            return self._spelled(cell)
        if cell in _INFINITE and self._affinity != "INTEGER":
            self.met["infinity"] += 1
            return _INFINITE[cell]
        word = cell.strip().lower()
        if word in _WORDS and (self._is_truth or (word in _TRUTH and self._affinity == "INTEGER")):
            if self._ours and cell in _TRUTH and self._affinity != "INTEGER":
                self.met["words"] += 1
                return cell
            if self._ours:
                raise CellError(
                    f"is a word for true or false, or a text: use the argument cells with {self.name}=boolean or text"
                )
            self.met["truth"] += 1
            return _WORDS[word]
        if self._named_number and len(cell) < _LONG and (_is_grouped(cell) or _is_points(cell)):
            return self._localized(cell)
        if _is_base64(cell) or _is_long_base64(cell):
            raise CellError(
                f"could be binary data (base64) or a text: use the argument cells with {self.name}=base64 or text"
            )
        self.met["texts"] += self._affinity == "NUMERIC" and self._named_number and not self._is_date
        return cell

    def _count_digits(self, number: str) -> None:
        if len(number) > SHEET_DIGITS:
            digits = significant_digits(number)
            self.is_exact |= digits > SHEET_DIGITS
            self.met["digits"] += digits == SHEET_DIGITS

    def _spelled(self, cell: str) -> Value:
        """Return a number's text; it is stored as a number with these digits, or refused."""
        self._count_digits(cell)
        if not keeps_digits(cell, self._affinity != "REAL"):
            raise CellError(
                "has more digits than SQLite stores (64 bits, or 17 digits), so it would become another number: "
                f"the argument cells with {self.name}=number rounds it"
            )
        bare = cell.strip().lstrip("+-")
        odd = (bare[0] == "0" and bare[1:2].isdigit()) or cell.strip()[0] == "+"
        if not self._named_number:  # such as STRING: SQLite takes it for a number
            odd = odd or cell != cell.strip() or not (bare.isdigit() or re.fullmatch(r"\d+\.\d*[1-9]", bare))
        self.met["spelling"] += odd
        return cell

    def _localized(self, cell: str) -> Value:
        """Return a number with thousands or a decimal comma as one with a point."""
        wish, text = self._choices.decimal, cell.strip()
        if wish is None:
            raise CellError(
                "is a number with a decimal comma or thousands, which can be read in two ways: "
                f"use the argument decimal with comma or point (or the argument cells with {self.name}=text)"
            )
        if not (_COMMA if wish == "comma" else _POINT).match(text):
            raise CellError(f"is no number with a decimal {wish}: write all numbers of the column in one way")
        plain = _with_point(text, wish)
        self.met["decimal"] += 1
        return plain if self.kind == "number" else self._spelled(plain)

    def _dated(self, cell: str) -> Value:
        if _is_iso(cell):
            return cell
        found = _DATE.match(cell.strip())
        if found is None:
            return self._rest(cell)
        wish = self._choices.dates
        if wish == "text":
            return cell
        if wish is None:
            raise CellError(
                "is a date that is not year-month-day, so day and month can be taken for each other: "
                "use the argument dates with day-first, month-first or text (as it is)"
            )
        first, second = int(found[1]), int(found[3])
        day, month = (first, second) if wish == "day-first" else (second, first)
        try:
            if len(found[4]) != 4:
                raise ValueError
            read = date(int(found[4]), month, day).isoformat()
        except ValueError:
            raise CellError(f"is no date that is written {wish}, with a year of four digits") from None
        self.met["dates"] += 1
        return read + found[5]

    def _blob(self, cell: str) -> Value:
        if self.kind is None and not self._ours and _is_like_hex(cell):
            raise CellError(
                f"could be hexadecimal or base64: use the argument cells with {self.name}=hex or {self.name}=base64"
            )
        try:
            read = msgspec.convert(cell, bytes)  # base64, without a copy of the text
        except msgspec.ValidationError:
            raise CellError(
                "is no base64, as binary data is written: "
                f"use the argument cells with {self.name}=hex or {self.name}=text"
            ) from None
        self.met["base64"] += 1
        return read

    def _text(self, cell: str) -> Value:
        if self._ours and cell[-1] == "=" and _is_base64(cell):
            raise CellError(
                f"could be binary data (base64) or a text: use the argument cells with {self.name}=text or base64"
            )
        return cell

    def _untyped(self, cell: str) -> Value:
        if is_number(cell):
            if self._ours:
                raise CellError(
                    "could be a number or a text, as the column has no type: "
                    f"use the argument cells with {self.name}=number or text. "
                    "A package of this program tells them apart"
                )
            if self._form == "spreadsheet":
                return self._as_number(cell)
            self.met["numbers"] += 1
        return self._text(cell)

    def _as_text(self, cell: str) -> Value:
        return cell

    def _as_number(self, cell: str) -> Value:
        text = cell
        if not is_number(text) or (self._choices.decimal == "comma" and "." in text):
            if cell in _INFINITE:
                return _INFINITE[cell]
            if len(cell) >= _LONG or not (_is_grouped(cell) or _is_points(cell) or is_number(cell)):
                if self._affinity == "BLOB":
                    return cell  # a column without a type holds texts, too
                raise CellError("is no number")
            text = str(self._localized(cell))
        self._count_digits(text)
        whole = text.strip().lstrip("+-").isdecimal()
        self.met["rounded"] += not keeps_digits(text, self._affinity != "REAL")
        if self._affinity == "TEXT":
            return text
        return int(text) if whole and keeps_digits(text, True) else float(text)

    def _as_truth(self, cell: str) -> Value:
        word = cell.strip().lower()
        if word not in _WORDS:
            raise CellError("is no word for true or false")
        self.met["truth"] += word not in ("0", "1")
        return _WORDS[word]

    def _hex(self, cell: str) -> Value:
        found = _HEX.match(cell.strip())
        if found is None or len(found[1]) % 2:
            raise CellError("is no hexadecimal number of whole bytes")
        return bytes.fromhex(found[1])

    def notes(self, table: str) -> list[str]:
        """Return sentences about what was met."""
        facts = {"name": f"{table}.{self.name}", "column": self.name}
        told = {"decimal": self._choices.decimal, "dates": self._choices.dates}
        return [NOTES[what].format(count=f"{n:,}", **facts, **told) for what, n in self.met.items() if n]
