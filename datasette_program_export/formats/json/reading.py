"""Reads lines of JSON as rows, for programjson and ndjson."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import Any, cast

import msgspec

from ...errors import UnreadableError
from ...files.lines import DigestingLines
from ...files.reading_limits import FEW_PARTS, LARGE, Limits, has_more_parts
from ..dataset import Field, PackedRows, Row, Value
from ..values import TAGS, Written, decode_written, untagged

_decode = msgspec.json.Decoder().decode

_BAD = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError, KeyError)
Line = bytes | memoryview
Quick = Callable[[DigestingLines], Iterator[PackedRows]]


def not_quick(_: DigestingLines) -> Iterator[PackedRows]:
    """Yield nothing: all rows are read here."""
    return iter(())


class RowReader:
    """Reads one table's rows. Raises UnreadableError for anything that ``RowLines`` would not have written.

    ``untag`` returns the value of a decoded tag; ``lines_each`` is how many lines of the file a row takes."""

    def __init__(
        self,
        table: str,
        fields: Sequence[Field],
        limits: Limits,
        untag: Callable[[Any], Any] = untagged,
        lines_each: int = 1,
    ) -> None:
        self.table = table
        self._untag = untag
        self._lines_each = lines_each
        self.names = [f.name for f in fields]
        self._limits = limits
        self._json = [f.holds_json for f in fields]
        self._rows: Callable[[Line], list[Row]]
        self._row: Callable[[Line], Row]
        places = [f"c{i}" for i in range(len(fields))]
        types = [(p, msgspec.Raw if j else Written) for p, j in zip(places, self._json)]
        try:
            row: Any = msgspec.defstruct(
                "Row", types, rename=dict(zip(places, self.names)), forbid_unknown_fields=True, gc=False
            )
        except ValueError:  # a name that msgspec does not accept; see RowLines
            named = msgspec.json.Decoder(list[dict[str, msgspec.Raw]]).decode
            one = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
            self._rows = lambda data: list(map(self._of_dict, named(self._with_few_keys(data))))
            self._row = lambda data: self._of_dict(one(self._with_few_keys(data)))
        else:
            decode, decode_one = msgspec.json.Decoder(list[row]).decode, msgspec.json.Decoder(row).decode
            self._rows = lambda data: list(map(msgspec.structs.astuple, decode(data)))
            self._row = lambda data: cast(Row, msgspec.structs.astuple(decode_one(data)))

    def lists(self, lines: DigestingLines) -> Iterator[list[Row]]:
        """Yield the rows of the next lines as ``blocks`` does, where each line is a row, and nothing else."""
        return cast(Iterator[list[Row]], self.blocks(lines))

    def blocks(
        self, lines: DigestingLines, start: bytes = b"", end: bytes = b"", quick: Quick = not_quick
    ) -> Iterator[list[Row] | PackedRows]:
        """Yield the rows of the next lines, many at once and not parted into lines, as long as that can be.

        ``start`` and ``end`` are what each line has before and behind its row. ``quick`` reads as many as it can, in
        another way, between the blocks. Raises UnreadableError."""
        behind = b"}" + end
        while True:
            yield from quick(lines)
            first = lines.number
            found = lines.block(start + b"{", behind)
            if not found[1]:
                return
            data, count = found
            inside = data[len(start) : -len(end) - 1]
            if start or end != b",":  # else there is a comma between the rows already
                inside = inside.replace(behind + b"\n" + start + b"{", b"},{")
            try:
                rows = self._untagged(self._rows(b"[" + inside + b"]"), count, inside.count(b"{") > count)
            except _BAD:
                parted = data[:-1].split(b"\n")  # which one is it?
                yield self([line[len(start) : len(line) - len(end)] for line in parted], first)
                rows = []
            del data, inside, found
            if rows:
                yield rows
            del rows

    def __call__(self, lines: list[Any], first: int) -> list[Row]:
        """Return the rows of these lines, each one JSON object; ``first`` is the first line's number in the file.

        It empties ``lines``, so that large ones are not held beside their rows. Raises UnreadableError."""
        try:
            rows = self._read(lines)
        except _BAD:
            pass
        else:
            lines.clear()
            return rows
        for number, line in zip(count(first, self._lines_each), lines):
            try:
                self._read([line])
            except _BAD:
                raise UnreadableError(f"Line {number:,} is not a row of {self.table}.") from None
        raise UnreadableError(
            f"Lines {first:,} to {first + len(lines) * self._lines_each - 1:,} are not rows of {self.table}."
        )

    def _read(self, lines: Sequence[Line]) -> list[Row]:
        rows = [self._row(lines[0])] if len(lines) == 1 else self._rows(b"[" + b",".join(lines) + b"]")
        return self._untagged(rows, len(lines), True)

    def _untagged(self, rows: list[Row], count: int, tagged: bool) -> list[Row]:
        """Return the rows, of which there must be ``count``, with the values of JSON, and those of tags if any."""
        if len(rows) != count:
            raise ValueError
        if not tagged and not any(self._json):
            return rows
        columns: list[Sequence[Any]] = list(zip(*rows))
        changed = False
        for i, column in enumerate(columns):
            if self._json[i]:
                columns[i], changed = [self._of_raw(value) for value in column], True
            elif not TAGS.isdisjoint(map(type, column)):
                columns[i], changed = [self._untag(value) for value in column], True
        return list(zip(*columns)) if changed else rows

    def _of_dict(self, row: dict[str, msgspec.Raw]) -> Row:
        if list(row) != self.names:
            raise ValueError
        return tuple(raw if holds else self._untag(decode_written(raw)) for raw, holds in zip(row.values(), self._json))

    def _with_few_keys(self, data: Line) -> Line:
        if len(data) > LARGE:
            self._limits.few_parts(data, f"A row of {self.table}")
        return data

    def _of_raw(self, raw: msgspec.Raw) -> Value:
        """Return a value of a column that holds JSON: for an object or array its text, except for tags."""
        data = memoryview(raw)
        start = bytes(data[:3])
        if start[:1] not in (b"{", b"[") or start == b'{"$':
            return cast(Value, self._untag(decode_written(data)))
        # msgspec does not check the content of a Raw, but it must be valid JSON. With very many parts their
        # objects would fill the memory: there it is enough that the brackets match, as they do in any Raw
        if not has_more_parts(data, FEW_PARTS):
            _decode(data)
        return str(data, "utf-8")
