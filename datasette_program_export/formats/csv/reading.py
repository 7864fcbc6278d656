"""Reads csv and tsv of a package: converts texts to values as the description says for each column."""

from __future__ import annotations

import csv
from base64 import b64decode
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import IO, Any

import msgspec

from ...errors import UnreadableError
from ...files.reading_limits import Limits
from ..dataset import Row, Value
from ..registry.members import Column, Member, MemberFile
from ..values import InFile, decode_written, member_value
from .records import records

_README = (
    "Tables as text ({kind}). A number is written with all its digits.\n"
    "An empty field is no value (NULL), unless datapackage.json names another word for it\n"
    "in that column (missingValues). The kind of a column tells how a cell is meant:\n"
    "integer, number, text, blob (base64), mixed (each cell is a JSON value),\n"
    "file (the name of a file in this package, or base64, which has no dot)."
)


def _number(text: str) -> Value:
    return int(text) if text.lstrip("-").isdigit() else float(text)


def _mixed(text: str | bytes) -> Any:
    return member_value(decode_written(text))


def _file(text: str | bytes) -> Any:
    """Return the BLOB of a cell, or the file that it names: there is no dot in base64."""
    if ("." if isinstance(text, str) else b".") in text:  # type: ignore[operator]
        return InFile(text if isinstance(text, str) else text.decode())
    return b64decode(text, validate=True)


_READ: dict[str, Callable[[str], Value]] = {
    "integer": int,
    "number": _number,
    "text": str,
    "blob": partial(msgspec.convert, type=bytes),  # base64, without a copy of the text
    "mixed": _mixed,
    "file": _file,
}


def csv_member(kind: str, keeps_line_ends: bool = False) -> Member:
    """Return the package member for text with a delimiter; ``kind`` names the format in README.txt."""

    def read(file: MemberFile) -> Iterator[list[Row]]:
        return rows(file.content, file.delimiter, file.table, file.columns, file.limits)

    return Member(_README.format(kind=kind), read, keeps_line_ends, names_files=True)


def rows(file: IO[bytes], delimiter: str, table: str, columns: Sequence[Column], limits: Limits) -> Iterator[list[Row]]:
    """Yield the rows in lists. Raises UnreadableError for anything that this program would not have written."""
    names: list[str] | None = [c.name for c in columns]
    begins = 1  # the first line of the current piece
    try:
        for begun, batch in records(file, delimiter, len(columns), limits):
            begins = begun
            if names is not None:
                if batch.pop(0) != names:
                    raise UnreadableError(
                        f"The first line of {table} does not name its columns as the description does."
                    )
                names = None
            if any(len(row) != len(columns) for row in batch):
                raise ValueError
            if batch:
                yield _values(columns, batch)
    except UnreadableError as error:
        raise UnreadableError(f"{table}: {error}", error.reason) if names is None else error from None
    except (ValueError, csv.Error, UnicodeDecodeError, msgspec.MsgspecError, KeyError, RecursionError):
        raise UnreadableError(
            f"The file of {table} is not as its description says (line {begins:,} or later)."
        ) from None
    if names is not None:
        raise UnreadableError(f"The first line of {table} does not name its columns as the description does.")


def _values(columns: Sequence[Column], batch: list[list[Any]]) -> list[Row]:
    """Return the rows of these records, and empty ``batch``."""
    if type(batch[0][0]) is bytes:
        fields = batch.pop()[::-1]
        return [tuple([_of_large(column, fields.pop()) for column in columns])]
    cells = list(zip(*batch))
    batch.clear()
    return list(zip(*map(_column, columns, cells)))


def _column(column: Column, cells: Sequence[str]) -> list[Value]:
    one, null = _READ[column.kind], column.null
    if null is None:
        return list(map(one, cells))
    return [None if cell == null else one(cell) for cell in cells]


def _of_large(column: Column, field: bytes) -> Value:
    """Convert a field of a large record; a text is made from it only if it is the value."""
    if column.null is not None and field == column.null.encode():
        return None
    if column.kind == "mixed":
        return _mixed(field)  # type: ignore[no-any-return]
    if column.kind == "file":
        return _file(field)  # type: ignore[no-any-return]
    if column.kind == "blob":
        return b64decode(field, validate=True)
    return _READ[column.kind](field.decode())
