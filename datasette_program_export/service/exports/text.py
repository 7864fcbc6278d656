"""Write tables as text while they are read, for ``ExportService``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from ...files.compression import compressed
from ...formats.csv.writing import CsvLines
from ...formats.dataset import Field, Row, TableStream, Value
from ...formats.json.writing import RowLines
from ...formats.registry import Format
from ...options.request import Request
from .options import Output

_json = msgspec.json.Encoder().encode
_rows_of = msgspec.json.Decoder().decode_lines
_PIECE = 1_000_000  # characters


@dataclass
class Taken:
    """What is kept of a table that was read: the number of its rows and, if ``keep``, the rows as objects.

    ``values`` are those of the column ``key``. ``text`` is the table as csv."""

    name: str
    keep: bool = False
    key: str | None = None
    count: int = 0
    rows: list[dict[str, Any]] = field(default_factory=list)
    values: list[Value] = field(default_factory=list)
    text: str | bytes = ""

    def batches(self, table: TableStream) -> Iterator[list[Row]]:
        """Yield the rows of the table, keeping what is asked for."""
        places = [i for i, column in enumerate(table.fields) if column.name == self.key]
        lines = RowLines(table.fields)
        for batch in filter(None, table.batches):
            self.count += len(batch)
            if self.keep:
                self.rows += _rows_of(lines(batch))
            for place in places:
                self.values += [row[place] for row in batch]
            yield batch


def csv_pieces(fields: Iterable[Field], batches: Iterable[list[Row]], delimiter: str) -> Iterator[bytes]:
    """Yield a table as CSV, a piece for each batch; the header is written even if there are no rows."""
    names = tuple(column.name for column in fields)
    lines = CsvLines(delimiter, len(names))
    yield lines([names])
    yield from map(lines, batches)


def array_pieces(table: TableStream, batches: Iterable[list[Row]], pretty: bool) -> Iterator[bytes]:
    """Yield a table as a JSON array of objects, a piece for each batch.

    ``pretty`` puts each value on its own line but keeps embedded JSON unchanged; without it
    there are no blanks and no line breaks."""
    lines = RowLines(table.fields)
    comma = start = b"[\n" if pretty else b"["
    for batch in batches:
        yield comma + (lines.indented(batch, 4) if pretty else lines(batch)[:-1].replace(b"\n", b","))
        comma = b",\n" if pretty else b","
    yield b"[]" if comma is start else b"\n  ]" if pretty else b"]"
    table.warnings.extend(lines.warnings(table.name))


def object_pieces(
    tables: Iterable[TableStream], keep: Callable[[TableStream], Iterator[list[Row]]], pretty: bool, key: str | None
) -> Iterator[bytes]:
    """Yield ``table: [rows]`` for each table, with commas between; ``key`` replaces the tables' names."""
    comma, colon = b"", b": " if pretty else b":"
    for table in tables:
        yield comma + _json(key or table.name) + colon
        yield from array_pieces(table, keep(table), pretty)
        comma = b",\n  " if pretty else b","


def with_head(head: Mapping[str, Any], body: Iterable[bytes], pretty: bool) -> Iterator[bytes]:
    """Yield the JSON object that has the members of ``head``, then those of ``body``."""
    members = [(_json(name), _json(value)) for name, value in head.items()]
    if pretty:
        members = [(n, msgspec.json.format(v, indent=2).replace(b"\n", b"\n  ")) for n, v in members]
    colon, comma = (b": ", b",\n  ") if pretty else (b":", b",")
    yield (b"{\n  " if pretty else b"{") + b"".join(name + colon + value + comma for name, value in members)
    yield from body
    yield b"\n}" if pretty else b"}"


def written(pieces: Iterable[bytes], output: Output) -> str | bytes:
    """Return the pieces as one text, or as bytes if they are to be compressed."""
    if output.compress is not None:
        return b"".join(compressed(pieces, output.compress))
    text, waiting, size = "", [], 0
    for piece in pieces:
        waiting.append(piece)
        size += len(piece)
        if size > max(_PIECE, len(text) // 32):
            text += b"".join(waiting).decode()  # CPython enlarges a text that nobody else has, without a second one
            waiting, size = [], 0
    text += b"".join(waiting).decode()
    return text


def pieces(name: str, rows: int, delimiter: str) -> Format:
    """Return a Format that yields one piece for every ``rows`` rows, and one piece each for begin and end."""

    def array(table: TableStream, request: Request) -> Iterator[bytes]:
        lines, comma = RowLines(table.fields), b"\n"
        yield b"["
        for group in _groups(table.batches, rows):
            yield comma + lines.indented(group, 2)
            comma = b",\n"
        yield b"\n]" if comma == b",\n" else b"\n\n]"
        table.warnings.extend(lines.warnings(table.name))

    def csv(table: TableStream, request: Request) -> Iterator[bytes]:
        return csv_pieces(table.fields, _groups(table.batches, rows), delimiter)

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
