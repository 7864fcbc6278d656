"""programjson, version 1: one JSON object that says at its end that it is complete.

Its keys in order: format, version, export, schema, tables, coverage, integrity. In the
layout ``rows`` every row has its own line; in ``pretty`` every value has. ``integrity`` comes
last: the row count, a digest per table, ``document`` (the SHA-256 of every byte before the
``"integrity"`` key) and ``complete``. ``docs/programjson.md`` describes the format.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from functools import partial
from typing import IO, Any

import msgspec

from ...errors import UnreadableError
from ...files.lines import DigestingLines, within
from ...files.reading_limits import LARGE, Limits
from ..dataset import Batches, Dataset, PackedRows, Row, TableStream, written_rows
from ..description.parsing import dumped
from ..document import Fields, check_integrity, described_dataset, description, proving_itself
from ..registry import Format, Options
from .quick_reading import rows_in_c
from .reading import Quick, RowReader
from .writing import RowLines

VERSION = 1
_json = msgspec.json.Encoder().encode


def encode(dataset: Dataset, options: Options) -> Iterator[bytes]:
    """Yield the document in pieces of a few kilobytes."""
    write = _Writer(pretty=options.request.layout == "pretty")
    yield from proving_itself(
        write.body(dataset), dataset, options.beside, lambda found: write.key("integrity", found) + write.end
    )


class _Writer:
    def __init__(self, pretty: bool) -> None:
        self.pretty = pretty
        self.end = b"\n}\n" if pretty else b"}\n"

    def key(self, name: str, value: Any, last: bool = True) -> bytes:
        data = _json(name) + (b": " if self.pretty else b":")
        data += msgspec.json.format(_json(value), indent=2).replace(b"\n", b"\n  ") if self.pretty else _json(value)
        return data if last else data + (b",\n  " if self.pretty else b",\n")

    def body(self, dataset: Dataset) -> Iterator[bytes]:
        """Yield every byte before the ``"integrity"`` key."""
        yield b"{\n  " if self.pretty else b"{"
        head = {"format": "programjson", "version": VERSION, "export": dataset.head, "schema": dumped(dataset.schema)}
        for name, value in head.items():
            yield self.key(name, value, last=False)
        yield b'"tables": {' if self.pretty else b'"tables":{'
        comma = b""
        for table in dataset.tables:
            yield comma + (b"\n    " if self.pretty else b"\n") + _json(table.name)
            yield b": [" if self.pretty else b":["
            yield from self.rows(table)
            yield b"\n    ]" if self.pretty else b"\n]"
            comma = b","
        yield b"\n  },\n  " if self.pretty else b"\n},\n"
        yield self.key("coverage", dumped(dataset.coverage()), last=False)

    def rows(self, table: TableStream) -> Iterator[bytes]:
        lines = RowLines(table.fields)
        if self.pretty:
            plan = lines.plan(b",\n      {\n        ", b"\n      }", b",\n        ", b": ")
        else:
            plan = lines.plan(b",\n{", b"}")

        def write(rows: list[Row]) -> bytes:
            if self.pretty:
                return lines.spread(rows, plan)
            return b",\n" + lines(rows)[:-1].replace(b"\n", b",\n")

        first = 1
        for data in written_rows(table, plan, write, lines.saw):  # large pieces: each is copied as seldom as possible
            yield data[first:]  # the first row has no comma before it
            first = 0
        table.warnings.extend(lines.warnings(table.name))


def decode(file: IO[bytes], limits: Limits) -> Dataset:
    """Return the dataset of a document; ``file`` is read once, from its start.

    Raises UnreadableError, here or while the tables are read, for a byte that was changed anywhere and
    for a missing end. The caller compares the digests of the rows."""
    return _Reader(DigestingLines(file, limits), limits).dataset()


class _Reader:
    def __init__(self, lines: DigestingLines, limits: Limits) -> None:
        self.lines = lines
        self.limits = limits
        self.pretty = lines.peek(2) == b"{\n"
        self.write = _Writer(self.pretty)
        self.tail: dict[str, Any] = {}

    def dataset(self) -> Dataset:
        return described_dataset(self._head(), ("programjson", VERSION), self._tables, self.tail)

    def _head(self) -> Mapping[str, Any]:
        """Return everything before the rows."""
        data = bytearray()
        last = b'  "tables": {\n' if self.pretty else b'"tables":{\n'
        while (line := self.lines.line()) != last:
            data += line
            if len(data) > self.limits.description:
                raise UnreadableError("The description at the beginning has no end.")
        return description(_closed(data), "The description at the beginning", self.limits)

    def _tables(self, tables: Mapping[str, Fields]) -> Iterator[TableStream]:
        margin = b"    " if self.pretty else b""
        for place, (name, fields) in enumerate(tables.items()):
            start = margin + _json(name) + (b": [\n" if self.pretty else b":[\n")
            if self.lines.line() != start:
                raise UnreadableError(f"Line {self.lines.number - 1:,} should begin the table {name}.")
            read = RowReader(name, fields, self.limits)
            yield TableStream(name, fields, Batches(rows_in_c(fields, b"{", b"},\n", partial(self._rows, read))))
            end = margin + (b"],\n" if place + 1 < len(tables) else b"]\n")
            if self.lines.line() != end:
                raise UnreadableError(f"Line {self.lines.number - 1:,} should end the table {name}.")
        self._tail()

    def _rows(self, read: RowReader, quick: Quick) -> Iterator[list[Row] | PackedRows]:
        yield from self._blocks(read, quick)
        first = self.lines.number
        while rows := self._spread(read) if self.pretty else self.lines.run(b"{"):
            rows[:-1] = [row[:-1] if row.endswith(b",") else b"" for row in rows[:-1]]
            if len(rows) > 1 and len(rows[-1]) > LARGE:  # read a large row by itself, so that it is not copied
                last = [rows.pop()]
                yield read(rows, first)
                rows = last
            rows[-1:] = [within(rows[-1], 0, rows[-1].endswith(b","))]
            yield read(rows, first)
            yield from self._blocks(read, quick)
            first = self.lines.number

    def _blocks(self, read: RowReader, quick: Quick) -> Iterator[list[Row] | PackedRows]:
        return iter(()) if self.pretty else read.blocks(self.lines, end=b",", quick=quick)

    def _spread(self, read: RowReader) -> list[Any]:
        """Return some rows in the layout ``pretty``."""
        rows: list[bytes] = []
        size, room = 0, len(read.names) + 2
        while len(rows) < 500 and size < LARGE and self.lines.peek(7) == b"      {":
            first, row, left = self.lines.number, io.BytesIO(), room
            while not (line := self.lines.line()).startswith(b"      }"):
                row.write(line)
                left -= 1
                if not left:
                    raise UnreadableError(f"Line {self.lines.number - 1:,} should end a row of {read.table}.")
                self.limits.fits(row.tell(), f"The row that begins in line {first:,}")
            row.write(line.rstrip())
            rows.append(row.getvalue())
            size += len(rows[-1])
            self.limits.fits_row(rows[-1], f"The row that begins in line {first:,}")
        return rows

    def _tail(self) -> None:
        """Read everything after the rows: each byte of it must be as it was written."""
        last = b'  "integrity": {' if self.pretty else b'"integrity":{'
        data = bytearray(self.lines.line())
        while self.lines.peek(len(last)) != last:
            data += self.lines.line()
            if len(data) > self.limits.description:
                raise UnreadableError("The description at the end has no end.")
        margin = self.lines.take(len(last) - len(last.lstrip()))
        announced = self.lines.digest.hexdigest()
        written = self.lines.rest()
        del data[: data.index(b"\n") + 1]
        found = description(b"{" + _closed(data), "The description at the end", self.limits)
        end = b"\n}\n" if self.pretty else b"}\n"
        if not written.endswith(end):
            raise self.lines.cut(", in the last words")
        integrity = description(b"{" + written.removesuffix(end) + b"}", "The end", self.limits)
        self.tail |= {**found, **integrity}
        check_integrity(self.tail.get("integrity"), announced)
        if margin + written != margin + self.write.key("integrity", self.tail["integrity"]) + end:
            raise UnreadableError("The end is not as this program writes it.")
        if list(found) != ["coverage"]:
            raise UnreadableError("The coverage is not as this program writes it.")


def _closed(data: bytearray) -> bytes:
    """Return the members of an object with a closing brace in place of the last comma."""
    while data and data[-1] in b" \t\r\n":
        data.pop()
    data[-1:] = b"}"
    return bytes(data)


FORMAT = Format(
    name="programjson",
    help="Everything in one JSON file that says what it holds, what was left out, and that it is complete.",
    extension="json",
    suffixes=("programjson",),
    media_type="application/json",
    lossless=True,
    self_verifying=True,
    encode=encode,
    decode=decode,
    layouts=("rows", "pretty"),
    good_for="keeping a copy, and for loading it again",
    purpose="load",
    beginnings=(b'{"format":"programjson",\n', b'{\n  "format": "programjson",\n'),
    ending="json",
    sized_as_planned=True,
)
