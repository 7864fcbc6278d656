"""Reads csv and tsv of a package: texts become values, as the description says of each column."""

from __future__ import annotations

import csv
import io
from base64 import b64decode
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import IO

import msgspec

from ...errors import UnreadableError
from ..dataset import Row, Value
from ..members import Column, Member, MemberFile
from ..values import of_tag

_BATCH = 2000
WIDEST_FIELD = 2**31 - 1  # Python's own limit is 131,072 characters
_README = (
    "Tables as text ({kind}). A number is written with all its digits.\n"
    "An empty field is no value (NULL), unless datapackage.json names another word for it\n"
    "in that column (missingValues). The kind of a column tells how a cell is meant:\n"
    "integer, number, text, blob (base64), mixed (each cell is a JSON value)."
)
_json = msgspec.json.Decoder().decode


def _number(text: str) -> Value:
    return int(text) if text.lstrip("-").isdigit() else float(text)


_READ: dict[str, Callable[[str], Value]] = {
    "integer": int,
    "number": _number,
    "text": str,
    "blob": lambda text: b64decode(text, validate=True),
    "mixed": lambda text: of_tag(_json(text)),
}


def csv_member(kind: str, keeps_line_ends: bool = False) -> Member:
    """A member of a package that is text with some delimiter; ``kind`` tells which, in README.txt."""

    def read(file: MemberFile) -> Iterator[list[Row]]:
        return rows(file.content, file.delimiter, file.table, file.columns)

    return Member(_README.format(kind=kind), read, keeps_line_ends)


def rows(file: IO[bytes], delimiter: str, table: str, columns: Sequence[Column]) -> Iterator[list[Row]]:
    """The rows, in lists. Raises UnreadableError for anything else than was written."""
    csv.field_size_limit(WIDEST_FIELD)
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    lines = csv.reader(text, delimiter=delimiter, strict=True)
    readers = [_reader(column) for column in columns]
    try:
        if next(lines, None) != [c.name for c in columns]:
            raise UnreadableError(f"The first line of {table} does not name its columns as the description does.")
        while batch := list(islice(lines, _BATCH)):
            if any(len(row) != len(columns) for row in batch):
                raise ValueError
            yield list(zip(*(read(column) for read, column in zip(readers, zip(*batch)))))
    except UnreadableError:
        raise
    except (ValueError, csv.Error, UnicodeDecodeError, msgspec.MsgspecError, KeyError, RecursionError):
        raise UnreadableError(
            f"The file of {table} is not as its description says (before line {lines.line_num + 1:,})."
        ) from None


def _reader(column: Column) -> Callable[[Sequence[str]], list[Value]]:
    one, null = _READ[column.kind], column.null
    if null is None:
        return lambda cells: list(map(one, cells))
    return lambda cells: [None if cell == null else one(cell) for cell in cells]
