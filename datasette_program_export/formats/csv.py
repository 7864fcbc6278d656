"""csv, dialect exact: RFC 4180 with CRLF, always a header, UTF-8 without a mark.

NULL is an empty field and '' is ``""``: the only form that keeps them apart without
touching a value. In a table of one column, where an empty line would be no row to most
readers, NULL is ``NULL`` and a text of that spelling is quoted. A field is quoted when it
must be. Numbers are spelled as in JSON, infinities ``Infinity`` and ``-Infinity``; BLOBs,
and texts that are not UTF-8, are base64.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator

import msgspec

from ..records import Row, TableStream, Value
from ..values import undecoded
from . import Format

WIDEST_FIELD = 2**31 - 1  # for readers: Python's own limit is 131,072 characters
_json = msgspec.json.Encoder().encode
_TEXT_OR_NULL = frozenset((str, type(None)))


class CsvLines:
    """Encodes rows with one delimiter. ``cell`` is the definition; ``_column`` does the same, quicker."""

    def __init__(self, delimiter: str, columns: int) -> None:
        self.delimiter = delimiter
        self.null = "NULL" if columns == 1 else ""
        self._needs_quotes = re.compile('[\r\n"' + re.escape(delimiter) + "]").search

    def __call__(self, rows: list[Row]) -> bytes:
        try:
            return self._joined(map(self._column, zip(*rows)))
        except UnicodeEncodeError:
            return self._joined(map(self._cells, zip(*rows)))

    def _joined(self, columns: Iterable[Iterable[str]]) -> bytes:
        return ("\r\n".join(map(self.delimiter.join, zip(*columns))) + "\r\n").encode()

    def cell(self, value: Value) -> str:
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
            text = "".join(column)  # type: ignore[arg-type]  # succeeds when all are text
        except TypeError:
            numbers = _json(column)
            if b'"' not in numbers:  # neither text nor BLOB: numbers and NULL, spelled by msgspec at once
                nulls = numbers.count(b"null")
                if nulls == column.count(None):  # else one of them was an infinity
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


def table_encoder(delimiter: str) -> Callable[[TableStream], Iterator[bytes]]:
    """The function that writes one table with this delimiter."""

    def encode_table(table: TableStream) -> Iterator[bytes]:
        lines = CsvLines(delimiter, len(table.fields))
        yield lines([tuple(field.name for field in table.fields)])
        for rows in table.batches:
            yield lines(rows)

    return encode_table


FORMAT = Format(
    name="csv",
    help="A plain table, exact to the last digit; several tables come as a zip with one file each.",
    extension="csv",
    media_type="text/csv; charset=utf-8",
    lossless=False,
    self_verifying=False,
    described=True,
    encode_table=table_encoder(","),
)
