"""Write tables held in memory as text, for ``ExportService``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from ..errors import RequestError
from ..formats.csv.writing import CsvLines
from ..formats.dataset import Field, Row, TableStream
from ..formats.json.writing import RowLines
from ..formats.registry import Format
from ..options.delimiters import SERVICE
from ..options.request import Request

FORMATS = ("json", "csv")
_json = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class Taken:
    """One table with all its rows in memory."""

    name: str
    fields: tuple[Field, ...]
    values: list[Row]

    @property
    def count(self) -> int:
        """The number of rows."""
        return len(self.values)

    def rows(self) -> list[dict[str, Any]]:
        """Return the rows as the JSON text shows them: JSON columns as objects, BLOBs as tagged base64."""
        lines = RowLines(self.fields)(self.values) if self.values else b""
        return [msgspec.json.decode(line) for line in lines.splitlines()]


def taken(table: TableStream) -> Taken:
    """Read all rows of a table into memory."""
    return Taken(table.name, table.fields, [row for batch in table.batches for row in batch])


def check_format(name: str) -> None:
    """Check the format before anything is read. Raises RequestError if it is unknown."""
    if name not in FORMATS:
        raise RequestError(f"Unsupported export format: {name}")


def check_delimiter(delimiter: str) -> None:
    """Check the CSV delimiter. Raises RequestError for one that would make an unreadable file."""
    if not isinstance(delimiter, str) or len(delimiter) != 1 or delimiter not in SERVICE:
        raise RequestError("Delimiter must be a single character: a comma, a semicolon, a tab...")


def csv_text(table: Taken, delimiter: str) -> str:
    """Return the table as CSV; the header is written even if there are no rows."""
    lines = CsvLines(delimiter, len(table.fields))
    head = lines([tuple(field.name for field in table.fields)])
    return (head + lines(table.values)).decode() if table.values else head.decode()


def json_text(tables: Sequence[Taken], head: Mapping[str, Any], pretty: bool, key: str | None = None) -> str:
    """Return ``{**head, table: [rows]}`` as JSON; ``key`` replaces the table's name.

    ``pretty`` puts each value on its own line but keeps embedded JSON unchanged; without it
    there are no blanks and no line breaks."""
    members = [(name, _json(value)) for name, value in head.items()]
    if pretty:
        members = [(n, msgspec.json.format(v, indent=2).replace(b"\n", b"\n  ")) for n, v in members]
    members += [(key or table.name, _array(table, pretty)) for table in tables]
    comma, colon = (b",\n  ", b": ") if pretty else (b",", b":")
    body = comma.join(_json(name) + colon + value for name, value in members)
    return (b"{\n  " + body + b"\n}" if pretty else b"{" + body + b"}").decode()


def _array(table: Taken, pretty: bool) -> bytes:
    if not table.values:
        return b"[]"
    lines = RowLines(table.fields)
    if not pretty:
        return b"[" + lines(table.values)[:-1].replace(b"\n", b",") + b"]"
    return b"[\n" + b",\n".join(lines.indented(row, 4) for row in table.values) + b"\n  ]"


def pieces(name: str, rows: int, delimiter: str) -> Format:
    """Return a Format that yields one piece for every ``rows`` rows, and one piece each for begin and end."""

    def array(table: TableStream, request: Request) -> Iterator[bytes]:
        lines, comma = RowLines(table.fields), b"\n"
        yield b"["
        for group in _groups(table.batches, rows):
            yield comma + b",\n".join(lines.indented(row, 2) for row in group)
            comma = b",\n"
        yield b"\n]" if comma == b",\n" else b"\n\n]"

    def csv(table: TableStream, request: Request) -> Iterator[bytes]:
        lines = CsvLines(delimiter, len(table.fields))
        yield lines([tuple(field.name for field in table.fields)])
        for group in _groups(table.batches, rows):
            yield lines(group)

    return Format(
        name=name,
        help="",
        extension=name,
        media_type="text/csv; charset=utf-8" if name == "csv" else "application/json",
        lossless=False,
        self_verifying=False,
        encode_table=csv if name == "csv" else array,
    )


def _groups(batches: Iterator[list[Row]], size: int) -> Iterator[list[Row]]:
    """Yield the same rows in lists of ``size``; the last may be shorter."""
    waiting: list[Row] = []
    for batch in batches:
        waiting += batch
        while len(waiting) >= size:
            yield waiting[:size]
            waiting = waiting[size:]
    if waiting:
        yield waiting
