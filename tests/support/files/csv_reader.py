"""A reader of CSV and TSV that knows nothing of the package: what can be told by the file alone."""

from __future__ import annotations

import base64
import binascii
import csv
import io
import re
import struct

from tests.support.files.cells import Cell, Found, Read
from tests.support.files.package_reader import read_package

_number = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?").fullmatch


def csv_fields(text: str, delimiter: str) -> list[list[tuple[str, bool]]]:
    """Lines of fields, each with whether it was quoted (RFC 4180; every line must end by CRLF)."""
    fields = re.compile(rf'(?:"((?:[^"]|"")*)"|([^"\r\n{delimiter}]*))({delimiter}|\r\n)')
    lines: list[list[tuple[str, bool]]] = [[]]
    at = 0
    while at < len(text):
        found = fields.match(text, at)
        assert found, f"no field at {at}: {text[at : at + 40]!a}"
        inside, bare, end = found.groups()
        lines[-1].append((bare, False) if inside is None else (inside.replace('""', '"'), True))
        if end != delimiter:
            lines.append([])
        at = found.end()
    assert not lines[-1]
    return lines[:-1]


def csv_cell(field: tuple[str, bool], null: str) -> Cell:
    """What a field is by itself: NULL by the documented rule, a number where it is spelled as one, else text."""
    text, was_quoted = field
    if was_quoted:
        return "text", text.encode()
    if text == null:
        return "null", None
    if text in ("Infinity", "-Infinity"):
        return "real", struct.pack(">d", float(text))
    if (number := _number(text)) is None:
        return "text", text.encode()
    if number.group(2) or number.group(3):
        return "real", struct.pack(">d", float(text))
    return ("integer", int(text)) if -(2**63) <= int(text) < 2**63 else ("text", text.encode())


def csv_holds(field: tuple[str, bool], null: str, wanted: Cell) -> bool:
    """Whether a field reads back to this cell for somebody who knows its storage class."""
    (text, was_quoted), (kind, value) = field, wanted
    if (not was_quoted and text == null) or kind == "null":
        return kind == "null" and not was_quoted and text == null
    if kind == "integer":
        return not was_quoted and int(text) == value
    if kind == "real":
        return not was_quoted and struct.pack(">d", float(text)) == value
    if kind == "text" and text.encode() == value:
        return True
    try:
        return base64.b64decode(text, validate=True) == value
    except binascii.Error:
        return False


def read_csv(data: bytes, delimiter: str = ",") -> Found:
    """A single table, or a package of several."""
    if data.startswith(b"PK\x03\x04"):
        return read_package(data)
    return Found([_csv_table(None, data, delimiter)])


def _csv_table(name: str | None, data: bytes, delimiter: str) -> Read:
    text = data.decode("utf-8")
    fields = csv_fields(text, delimiter)
    plain = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    assert [[f for f, _ in line] for line in fields] == plain
    assert len({len(line) for line in fields}) == 1
    null = "NULL" if len(fields[0]) == 1 else ""
    columns = tuple(f for f, _ in fields[0])
    return Read(name, columns, [tuple(csv_cell(f, null) for f in line) for line in fields[1:]])


def read_tsv(data: bytes) -> Found:
    return read_csv(data, "\t")
