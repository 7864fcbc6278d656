"""csv: RFC 4180 with CRLF, UTF-8 and a header, in two dialects.

``exact``: without a byte order mark. NULL is an empty field and '' is ``""``: the only form
that distinguishes them without changing a value. In a table of one column, where most readers would
skip an empty line, NULL is ``NULL`` and a text with this spelling is quoted. A field is quoted only if
necessary. Numbers are spelled as in JSON, infinities ``Infinity`` and ``-Infinity``; BLOBs,
and texts that are not UTF-8, are base64.

``spreadsheet``: with a byte order mark, by which Excel recognises UTF-8 (and tells a first column ``ID``
from its SYLK format). NULL and '' are both empty. Texts, column names and base64 are guarded as
``spreadsheet.py`` describes, and so are integers of more than 15 digits. Other numbers are as in
``exact``. This dialect is not meant to be imported again.
"""

from __future__ import annotations

import re
from base64 import b64encode
from codecs import BOM_UTF8
from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec

from ...database.fetching.rows_in_c import RowPlan
from ...database.text import undecoded
from ...options.request import PACKAGE, Request
from ..dataset import Row, TableStream, Value, written_rows
from ..registry import Format
from .mistakable import Examined
from .reading import csv_member
from .spreadsheet import (
    EXACT_INTEGERS,
    MOST_CHARACTERS,
    UUID,
    guarded,
    is_taken_for_something_else,
    is_too_long,
    overflow,
)

_json = msgspec.json.Encoder().encode
_TEXT_OR_NULL = frozenset((str, type(None)))
_are_dates = re.compile(r"(?:[0-9][0-9:. /+-]{0,20}(?:T[0-9:. +-]{0,20}Z?)?\n)*\Z").match


class CsvLines:
    """Encodes rows with one delimiter. ``cell`` is the definition; ``_column`` gives the same result faster."""

    def __init__(self, delimiter: str, columns: int, null: str | None = None) -> None:
        self.delimiter = delimiter
        self._columns = columns
        self.null = null or ("NULL" if columns == 1 else "")
        self._needs_quotes = re.compile('[\r\n"' + re.escape(delimiter) + "]").search

    def plan(self, computed: Sequence[int]) -> RowPlan:
        """Return how these rows are written; ``computed`` are the columns that SQLite computes."""
        delimiter = self.delimiter.encode()
        before = [b"", *[delimiter] * (self._columns - 1)]
        return RowPlan(before, b"\r\n", True, delimiter, self.null.encode(), computed=computed)

    def __call__(self, rows: list[Row]) -> bytes:
        try:
            return self._joined(map(self._column, zip(*rows)))
        except UnicodeEncodeError:
            return self._joined(map(self._cells, zip(*rows)))

    def _joined(self, columns: Iterable[Iterable[str]]) -> bytes:
        return ("\r\n".join(map(self.delimiter.join, zip(*columns))) + "\r\n").encode()

    def cell(self, value: Value) -> str:
        """Return a value as the text of a field: NULL as ``null``, bytes in base64."""
        if value is None:
            return self.null
        if isinstance(value, str):
            if (raw := undecoded(value)) is not None:
                return b64encode(raw).decode()
            return (
                '"' + value.replace('"', '""') + '"'
                if value == self.null or not value or self._needs_quotes(value)
                else value
            )
        if isinstance(value, bytes):
            return b64encode(value).decode() or '""'
        if isinstance(value, float) and value - value != 0:
            return "Infinity" if value > 0 else "-Infinity"
        return _json(value).decode()

    def _cells(self, column: tuple[Value, ...]) -> Iterable[str]:
        return map(self.cell, column)

    def _column(self, column: tuple[Value, ...]) -> Iterable[str]:
        if self.null:
            return self._cells(column)
        try:
            text = "".join(column)  # type: ignore[arg-type]  # succeeds if all are text
        except TypeError:
            numbers = _json(column)
            if b'"' not in numbers:  # neither text nor BLOB: msgspec has spelled all numbers and NULLs at once
                nulls = numbers.count(b"null")
                if nulls == column.count(None):  # otherwise one of them was an infinity
                    return numbers[1:-1].replace(b"null", b"").decode().split(",")
                return self._cells(column)
            if not set(map(type, column)) <= _TEXT_OR_NULL or "" in column:
                return self._cells(column)
            column = tuple(value or "" for value in column)
            text = "".join(column)  # type: ignore[arg-type]
            return self._texts(column, text)  # type: ignore[arg-type]
        if not all(column):
            return self._cells(column)
        return self._texts(column, text)  # type: ignore[arg-type]

    def _texts(self, column: tuple[str, ...], joined: str) -> Iterable[str]:
        if not any(c in joined for c in (self.delimiter, '"', "\n", "\r")):
            return column
        needs_quotes = self._needs_quotes
        return ['"' + value.replace('"', '""') + '"' if needs_quotes(value) else value for value in column]


class SpreadsheetLines(CsvLines):
    """Encodes rows for a spreadsheet, and counts the cells and lines that do not fit into one."""

    def __init__(self, delimiter: str, columns: int) -> None:
        super().__init__(delimiter, columns)
        self.null = ""
        self.lines = 0
        self.too_long = [0] * columns
        self._has_wide_lines = False
        self._known: dict[str | None, str] = {None: ""}  # cells of frequent texts
        # no line matches two alternatives: otherwise a mismatch would try all ways, 2 to the number of lines
        word = '[^\\W\\d_][^\\d\r\n"' + re.escape(delimiter) + "]*"
        self._are_plain = re.compile(rf"(?:(?=[A-Fa-f-]*[0-9]){UUID}\n|(?!(?i:true|false)\n){word}\n|\n)*\Z").match

    def __call__(self, rows: list[Row]) -> bytes:
        data = super().__call__(rows)
        self.lines += len(rows)
        if self._has_wide_lines:
            self._has_wide_lines = False
            self._weigh(rows)
        return data

    def _joined(self, columns: Iterable[Iterable[str]]) -> bytes:
        lines = list(map(self.delimiter.join, zip(*columns)))
        self._has_wide_lines = 2 * max(map(len, lines)) > MOST_CHARACTERS
        return ("\r\n".join(lines) + "\r\n").encode()

    def cell(self, value: Value) -> str:
        """Return a value as the text of a field that a spreadsheet shows as it is, and never runs."""
        if isinstance(value, (str, bytes)):
            return self._text(_as_text(value))
        if isinstance(value, int) and not -EXACT_INTEGERS < value < EXACT_INTEGERS:
            return self._quoted(guarded(str(value)))
        return super().cell(value)

    def _text(self, text: str) -> str:
        return self._quoted(guarded(text) if is_taken_for_something_else(text) else text)

    def _quoted(self, text: str) -> str:
        return '"' + text.replace('"', '""') + '"' if self._needs_quotes(text) else text

    def _column(self, column: tuple[Value, ...]) -> Iterable[str]:
        types = set(map(type, column))
        if types <= _TEXT_OR_NULL:
            return self._texts_and_nulls(column)  # type: ignore[arg-type]
        if str in types or bytes in types:
            return self._cells(column)
        if int in types:
            integers = column if len(types) == 1 else [value for value in column if type(value) is int]
            if not -EXACT_INTEGERS < min(integers) <= max(integers) < EXACT_INTEGERS:  # type: ignore[type-var,operator]
                return self._cells(column)
        return super()._column(column)

    def _texts_and_nulls(self, column: tuple[str | None, ...]) -> Iterable[str]:
        try:
            return list(map(self._known.__getitem__, column))
        except KeyError:
            texts = [value or "" for value in column]
        distinct = set(texts)
        if 4 * len(distinct) > len(texts):
            joined = "\n".join(texts) + "\n"
            if joined.count("\n") == len(texts):  # then one match shows that all need nothing, or all the same
                if self._are_plain(joined):
                    return texts
                if _are_dates(joined):
                    return ['"=""' + text + '"""' for text in texts]
        written = {text: self._text(text) for text in distinct}
        if 4 * len(distinct) <= len(texts) and len(self._known) < 1000:
            self._known.update((text, cell) for text, cell in written.items() if len(text) < 100)
        return map(written.__getitem__, texts)

    def _weigh(self, rows: list[Row]) -> None:
        for place, column in enumerate(zip(*rows)):
            texts = (_as_text(value) for value in column if isinstance(value, (str, bytes)))
            self.too_long[place] += sum(map(is_too_long, texts))


def _as_text(value: str | bytes) -> str:
    """Return a text unchanged, and a BLOB or a text that is not UTF-8 as base64."""
    raw = value if isinstance(value, bytes) else undecoded(value)
    return b64encode(raw).decode() if raw is not None else value  # type: ignore[return-value]


def table_encoder(delimiter: str) -> Callable[[TableStream, Request], Iterator[bytes]]:
    """Return the function that writes one table, with this delimiter unless the request has one."""

    def encode_table(table: TableStream, request: Request) -> Iterator[bytes]:
        chosen, columns = request.delimiter or delimiter, len(table.fields)
        names = tuple(field.name for field in table.fields)
        if request.dialect == "exact":
            lines = CsvLines(chosen, columns, table.null)
            yield lines([names])
            computed = [i for i, f in enumerate(table.fields) if f.generated]
            if request.format == PACKAGE:  # which describes its columns
                yield from written_rows(table, lines.plan(computed), lines)
                return
            examined = Examined(table.name, table.fields, request.format)
            yield from written_rows(table, lines.plan(computed), examined.through(lines), examined.saw)
            table.warnings.extend(examined.sentences())
            return
        sheet = SpreadsheetLines(chosen, columns)
        yield BOM_UTF8 + sheet([names])
        yield from map(sheet, table.batches)
        table.warnings.extend(overflow(table.name, names, sheet.too_long, sheet.lines))

    return encode_table


FORMAT = Format(
    name="csv",
    help="A plain table, exact to the last digit, or for spreadsheets; several tables come as a zip of files.",
    extension="csv",
    media_type="text/csv; charset=utf-8",
    lossless=False,
    self_verifying=False,
    described=True,
    encode_table=table_encoder(","),
    delimiter=",",
    any_delimiter=True,
    good_for="programs that read tables",
    purpose="spreadsheet",
    ending="csv",
    member=csv_member("CSV, RFC 4180, UTF-8", keeps_line_ends=True),
)
