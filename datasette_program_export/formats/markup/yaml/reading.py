"""Reads a YAML document of this program by its own lines, exactly; other YAML is no business of this module."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import IO, Any

from ....errors import UnreadableError
from ....files.lines import DigestingLines
from ....files.reading_limits import LARGE, Limits
from ...dataset import Dataset, Row, TableStream
from ...document import Fields, check_integrity, described_dataset, description
from ...json.reading import RowReader
from .form import COMMA, END, NO_ROWS, ROW, START, VERSION, member, table_key


def decode(file: IO[bytes], limits: Limits) -> Dataset:
    """Return the dataset of a document; ``file`` is read once, from its start.

    Raises UnreadableError, here or while the tables are read, for a byte that was changed anywhere and
    for a missing end. The caller compares the digests of the rows."""
    return _Reader(DigestingLines(file, limits), limits).dataset()


class _Reader:
    def __init__(self, lines: DigestingLines, limits: Limits) -> None:
        self._lines, self._limits = lines, limits
        self._tail: dict[str, Any] = {}

    def dataset(self) -> Dataset:
        head = {name: self._member(name, self._lines.line()) for name in ("format", "version", "export", "schema")}
        return described_dataset(head, ("yaml", VERSION), self._tables, self._tail)

    def _member(self, name: str, line: bytes) -> Any:
        start = b'"%s": ' % name.encode()
        if not line.startswith(start):
            raise UnreadableError(f"Line {self._lines.number - 1:,} should hold {name}.")
        found = b'{"value":' + line[len(start) : -1] + b"}"
        return description(found, f"The line of {name}", self._limits)["value"]

    def _tables(self, tables: Mapping[str, Fields]) -> Iterator[TableStream]:
        self._expect(b'"tables":\n' if tables else b'"tables": {}\n', "begin the tables")
        for name, fields in tables.items():
            has_rows = self._expect(table_key(name), f"begin the table {name}", (b"\n", NO_ROWS)) == b"\n"
            yield TableStream(name, fields, self._rows(name, fields) if has_rows else iter(()))
        coverage = self._member("coverage", self._lines.line())
        document = self._lines.digest.hexdigest()
        last = self._lines.rest()
        if not last.endswith(END):
            raise self._lines.cut()
        integrity = self._member("integrity", last)
        self._tail |= {"coverage": coverage, "integrity": integrity}
        check_integrity(integrity, document)
        if last != member("integrity", integrity):
            raise UnreadableError("The last line is not as this program writes it.")

    def _expect(self, start: bytes, what: str, ends: tuple[bytes, ...] = (b"",)) -> bytes:
        """Return the end of a line that begins so. Raises UnreadableError if it is none of these."""
        line = self._lines.line()
        if not line.startswith(start) or line[len(start) :] not in ends:
            raise UnreadableError(f"Line {self._lines.number - 1:,} should {what}.")
        return line[len(start) :]

    def _rows(self, name: str, fields: Fields) -> Iterator[list[Row]]:
        plain = [replace(field, holds_json=False) for field in fields]
        read, width = RowReader(name, plain, self._limits, lines_each=len(fields)), len(fields)
        held: list[bytes] = []
        while lines := self._lines.run(ROW):
            held += lines
            del lines
            first = self._lines.number - len(held)
            rest = len(held) % width
            self._limits.fits(sum(map(len, held[-rest:])) if rest else 0, f"A row of {name}")
            if len(held) >= width and sum(map(len, held[:width])) > LARGE:  # a large line comes alone: the first row
                yield read([self._large(held, width, name, first)], first)
                first += width
            if whole := held[: len(held) - rest]:
                del held[: len(whole)]
                yield read(self._as_json(whole, width, name, first), first)
        if held:
            raise UnreadableError(f"Line {self._lines.number - 1:,} should end a row of {name}.")

    def _as_json(self, lines: list[bytes], width: int, name: str, first: int) -> list[Any]:
        """Return rows as objects of JSON. Raises UnreadableError."""
        rows = b"\n".join(lines).replace(COMMA, b",").split(b"\n" + START)
        if len(rows) != len(lines) // width or not rows[0].startswith(START):
            raise UnreadableError(f"A row of {name} behind line {first:,} has not one line for each column.")
        rows[0] = rows[0][len(START) :]
        return [b"{" + row + b"}" for row in rows]

    def _large(self, held: list[bytes], width: int, name: str, first: int) -> bytes:
        """Take the first row away, so that it is not held twice, and return it. Raises UnreadableError."""
        starts = (START, *[COMMA[1:]] * (width - 1))
        if not all(map(bytes.startswith, held, starts)):
            raise UnreadableError(f"The row of {name} in line {first:,} is not as this program writes it.")
        row = b"{" + b",".join(memoryview(line)[len(START) :] for line in held[:width]) + b"}"
        del held[:width]
        self._limits.fits_row(row, f"The row that begins in line {first:,}")
        return row
