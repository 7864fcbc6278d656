"""Readers of every format that know nothing of the package: each gives back the tables, cell by cell.

A cell is its storage class and its exact content, so that 1, 1.0 and '1' differ, and -0.0 from 0.0.
A new format needs a line in ``READERS``.
"""

from __future__ import annotations

import base64
import binascii
import csv
import hashlib
import io
import json
import re
import sqlite3
import struct
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NoReturn

from tests.support.databases.building import quoted

Cell = tuple[str, Any]
csv.field_size_limit(sys.maxsize)


@dataclass
class Read:
    """One table as a reader found it. ``name`` is None where a file does not tell it."""

    name: str | None
    columns: tuple[str, ...]
    rows: list[tuple[Cell, ...]]


@dataclass
class Found:
    """What a file holds: tables, and the digests that it tells of them, where it tells any."""

    tables: list[Read]
    digests: dict[str, Any] | None = None


# --- what a database holds, by SQLite itself


def cell(storage_class: str, value: Any) -> Cell:
    """A value as SQLite gave it, text as bytes."""
    if storage_class == "real":
        return "real", struct.pack(">d", value)
    assert {"null": type(None), "integer": int}.get(storage_class, bytes) is type(value), storage_class
    return storage_class, value


def stored(connection: sqlite3.Connection, table: str, order: str = "") -> Read:
    """A table or view with every cell's ``typeof`` and exact content."""
    connection.text_factory = bytes
    columns = [name.decode() for _, name, *_, hidden in _xinfo(connection, table) if hidden != 1]
    asked = ", ".join(f"typeof({quoted(c)}), {quoted(c)}" for c in columns)
    rows = connection.execute(f"SELECT {asked} FROM {quoted(table)} {order}")
    kinds = [tuple(cell(k.decode(), v) for k, v in zip(row[::2], row[1::2])) for row in rows]
    return Read(table, tuple(columns), kinds)


def _xinfo(connection: sqlite3.Connection, table: str) -> list[Any]:
    connection.text_factory = bytes
    return connection.execute(f"PRAGMA table_xinfo({quoted(table)})").fetchall()


def in_order(connection: sqlite3.Connection, table: str) -> str:
    """The ORDER BY that gives a table's own order: by rowid, or by key where there is none to see."""
    names = {name.decode().lower() for _, name, *_ in _xinfo(connection, table)}
    for alias in ("rowid", "_rowid_", "oid"):
        if alias not in names:
            try:
                connection.execute(f"SELECT {alias} FROM {quoted(table)} LIMIT 0")
            except sqlite3.OperationalError:
                break  # WITHOUT ROWID, or a view
            return f"ORDER BY {alias}"
    keyed = sorted((pk, name.decode()) for _, name, _, _, _, pk, _ in _xinfo(connection, table) if pk)
    return f"ORDER BY {', '.join(quoted(name) for _, name in keyed)}" if keyed else ""


def table_names(connection: sqlite3.Connection) -> list[str]:
    """The tables of a database without SQLite's own and the parts of search indexes."""
    connection.text_factory = bytes
    kinds = {name.decode(): kind for _, name, kind, *_ in connection.execute("PRAGMA main.table_list")}
    return [n for n, kind in kinds.items() if kind in (b"table", b"virtual") and not n.startswith("sqlite_")]


def computed_columns(connection: sqlite3.Connection, table: str) -> set[str]:
    """The columns that SQLite makes from others."""
    return {name.decode() for _, name, *_, hidden in _xinfo(connection, table) if hidden in (2, 3)}


# --- MessagePack, as far as the digest needs it (https://github.com/msgpack/msgpack/blob/master/spec.md)


def digest(rows: list[tuple[Cell, ...]]) -> str:
    """The SHA-256 of the rows, each as a MessagePack array."""
    found = hashlib.sha256()
    for row in rows:
        found.update(_sized(len(row), (0x90, 16), (None, None, 0xDC, 0xDD)) + b"".join(map(_packed, row)))
    return found.hexdigest()


def _packed(found: Cell) -> bytes:
    kind, value = found
    if kind == "null":
        return b"\xc0"
    if kind == "real":
        return b"\xcb" + value
    if kind == "integer":
        return _packed_integer(value)
    if kind == "blob":
        return _sized(len(value), None, (0xC4, 0xC5, 0xC6)) + value
    try:
        value.decode("utf-8")
    except UnicodeDecodeError:
        fixed = {1: 0xD4, 2: 0xD5, 4: 0xD6, 8: 0xD7, 16: 0xD8}.get(len(value))
        head = bytes([fixed]) if fixed else _sized(len(value), None, (0xC7, 0xC8, 0xC9))
        return head + b"\x01" + value
    return _sized(len(value), (0xA0, 32), (0xD9, 0xDA, 0xDB)) + value


def _packed_integer(value: int) -> bytes:
    if -32 <= value < 128:
        return struct.pack(">b" if value < 0 else ">B", value)
    forms = ((0xCC, "B"), (0xCD, "H"), (0xCE, "I"), (0xCF, "Q"))
    if value < 0:
        forms = ((0xD0, "b"), (0xD1, "h"), (0xD2, "i"), (0xD3, "q"))
    for first, form in forms:
        try:
            return bytes([first]) + struct.pack(">" + form, value)
        except struct.error:
            continue
    raise OverflowError(value)


def _sized(size: int, small: tuple[int, int] | None, firsts: tuple[int | None, ...]) -> bytes:
    if small is not None and size < small[1]:
        return bytes([small[0] + size])
    places = [1, 2, 4] if len(firsts) == 3 else [0, 1, 2, 4]
    for width, first in zip(places, firsts):
        if first is not None and size < 256**width:
            return bytes([first]) + size.to_bytes(width, "big")
    raise OverflowError(size)


# --- JSON, by Python's own reader; a text that is embedded must be taken as it is spelled


def _not_json(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON")


_value_at = json.JSONDecoder(parse_constant=_not_json).raw_decode
_blank = re.compile(r"[ \n\r\t]*").match


def members(text: str) -> Iterator[tuple[str, str]]:
    """The members of a JSON object: name, and value as it is spelled."""
    assert text[0] == "{" and text[-1] == "}"
    at = _blank(text, 1).end()
    while text[at] != "}":
        name, at = _value_at(text, at)
        at = _blank(text, at).end()
        assert isinstance(name, str) and text[at] == ":"
        start = _blank(text, at + 1).end()
        _, at = _value_at(text, start)
        yield name, text[start:at]
        at = _after_comma(text, at, "}")
    assert at == len(text) - 1


def items(text: str) -> Iterator[str]:
    """The items of a JSON array as they are spelled."""
    assert text[0] == "[" and text[-1] == "]"
    at = _blank(text, 1).end()
    while text[at] != "]":
        start = at
        _, at = _value_at(text, start)
        yield text[start:at]
        at = _after_comma(text, at, "]")


def _after_comma(text: str, at: int, end: str) -> int:
    at = _blank(text, at).end()
    if text[at] == ",":
        at = _blank(text, at + 1).end()
        assert text[at] != end
        return at
    assert text[at] == end
    return at


def json_cell(spelled: str) -> Cell:
    """A value of a document, by the rules of docs/programjson.md alone."""
    value, end = _value_at(spelled)
    assert end == len(spelled)
    if value is None:
        return "null", None
    if isinstance(value, bool):
        raise ValueError("SQLite holds no booleans")
    if isinstance(value, int):
        assert -(2**63) <= value < 2**63
        return "integer", value
    if isinstance(value, float):
        return "real", struct.pack(">d", value)
    if isinstance(value, str):
        return "text", value.encode("utf-8")
    tags = [name for name in value if name.startswith("$")] if isinstance(value, dict) else []
    if not tags:
        return "text", spelled.encode("utf-8")  # embedded
    if "$real" in tags:
        assert value in ({"$real": "Infinity"}, {"$real": "-Infinity"})
        return "real", struct.pack(">d", float(value["$real"]))
    raw = base64.b64decode(value["encoded"], validate=True)
    if value == {"$base64": True, "encoded": value["encoded"], "type": "text"}:
        return "text", raw
    assert value == {"$base64": True, "encoded": value["encoded"]}
    return "blob", raw


def _json_table(name: str | None, rows: list[str], columns: tuple[str, ...] | None = None) -> Read:
    read = [list(members(row)) for row in rows]
    columns = columns if columns is not None else tuple(n for n, _ in read[0]) if read else ()
    for row in read:
        assert tuple(n for n, _ in row) == columns  # in order, none twice, none missing
    return Read(name, columns, [tuple(json_cell(spelled) for _, spelled in row) for row in read])


def _columns(schema: dict, table: str) -> tuple[str, ...]:
    return tuple(c["name"] for c in schema["tables"][table]["columns"])


def _embedded_only_where_said(schema: dict, table: str, rows: list[str]) -> None:
    plain = {c["name"] for c in schema["tables"][table]["columns"] if not c.get("json")}
    for row in rows:
        for name, value in json.loads(row).items():
            is_tag = isinstance(value, dict) and any(k.startswith("$") for k in value)
            assert name not in plain or is_tag or not isinstance(value, (dict, list)), (table, name)


def read_programjson(data: bytes) -> Found:
    text = data.decode("utf-8")
    assert text.endswith("}\n")
    parts = dict(members(text[:-1]))
    schema, integrity = json.loads(parts["schema"]), json.loads(parts["integrity"])
    assert list(parts)[-1] == "integrity" and integrity["complete"] is True
    before = text[: text.rindex('"integrity"', 0, text.rindex(parts["integrity"]))]  # a table may be called so, too
    assert integrity["document"] == hashlib.sha256(before.encode()).hexdigest()
    tables = {name: list(items(rows)) for name, rows in members(parts["tables"])}
    assert list(tables) == list(schema["tables"])
    for name, rows in tables.items():
        _embedded_only_where_said(schema, name, rows)
    return Found([_json_table(n, rows, _columns(schema, n)) for n, rows in tables.items()], integrity["tables"])


def read_ndjson(data: bytes) -> Found:
    """Rows; or, where the first line says that it is a header, several tables."""
    assert not data or data.endswith(b"\n")
    lines = data.decode("utf-8").split("\n")[:-1]  # no other character ends a line
    first = json.loads(lines[0]) if lines else {}
    if list(first) != ["format", "version", "export", "schema"]:
        return Found([_json_table(None, lines)])
    integrity, schema = json.loads(lines[-1])["integrity"], first["schema"]
    assert list(json.loads(lines[-2])) == ["coverage"]
    before = data[: data.rindex(b"\n", 0, -1) + 1]
    assert integrity["document"] == hashlib.sha256(before).hexdigest()
    assert integrity["complete"] is True
    rows: dict[str, list[str]] = {name: [] for name in schema["tables"]}
    for line in lines[1:-2]:
        envelope = dict(members(line))
        assert list(envelope) == ["table", "row"]
        rows[json.loads(envelope["table"])].append(envelope["row"])
    for name, found in rows.items():
        _embedded_only_where_said(schema, name, found)
    return Found([_json_table(n, found, _columns(schema, n)) for n, found in rows.items()], integrity["tables"])


# --- csv: what a reader can tell who has the file alone

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


# --- packages: with the description, every cell is told


def read_package(data: bytes) -> Found:
    """A zip whose last file is datapackage.json, and whose last 64 bytes are the digest of all before."""
    assert data[-64:] == hashlib.sha256(data[:-64]).hexdigest().encode()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = archive.namelist()
        assert len({n.casefold() for n in names}) == len(names)  # also where case does not count
        assert not any(part.startswith(".") for n in names for part in n.split("/"))
        found = json.loads(archive.read("datapackage.json"))
        about = found["program_export"]
        assert about["integrity"]["complete"] is True
        assert [r["path"] for r in found["resources"]] + ["README.txt", "datapackage.json"] == names
        assert [r["title"] for r in found["resources"]] == list(about["schema"]["tables"])
        tables = []
        for resource in found["resources"]:
            content = archive.read(resource["path"])
            assert resource["hash"] == "sha256:" + hashlib.sha256(content).hexdigest()
            assert resource["bytes"] == len(content)
            tables.append(_resource(resource, content))
    return Found(tables, about["integrity"]["tables"])


def _resource(resource: dict, content: bytes) -> Read:
    fields = resource["schema"]["fields"]
    columns = tuple(f["name"] for f in fields)
    if resource["format"] == "ndjson":
        return _json_table(resource["title"], content.decode().split("\n")[:-1], columns)
    text = io.StringIO(content.decode("utf-8"), newline="")
    lines = list(csv.reader(text, delimiter=resource["dialect"]["delimiter"], strict=True))
    assert tuple(lines[0]) == columns
    rows = [tuple(_described_cell(text, field) for text, field in zip(line, fields, strict=True)) for line in lines[1:]]
    return Read(resource["title"], columns, rows)


def _described_cell(text: str, field: dict) -> Cell:
    """What a cell is by the description of its column; for NULL that is a text which no other value has."""
    if text in field["missingValues"]:
        return "null", None
    kind = field["program_export"]["kind"]
    if kind == "text":
        return "text", text.encode()
    if kind == "blob":
        return "blob", base64.b64decode(text, validate=True)
    if kind == "mixed":
        return json_cell(text)
    assert kind in ("integer", "number")
    if text.lstrip("-").isdigit():
        return "integer", int(text)
    assert kind == "number"
    return "real", struct.pack(">d", float(text))


def read_tsv(data: bytes) -> Found:
    return read_csv(data, "\t")


# --- SQLite's own forms


def _tables_of(connection: sqlite3.Connection) -> Found:
    """The tables; of those called program_export the one of the highest number describes the rest."""
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    tables = [stored(connection, name, in_order(connection, name)) for name in table_names(connection)]
    numbers = {str(t.name): re.fullmatch("program_export(?:_([0-9]+))?", str(t.name)) for t in tables}
    describing = max((int(found.group(1) or 1), name) for name, found in numbers.items() if found)[1]
    (rows,) = (table.rows for table in tables if table.name == describing)
    integrity = json.loads({key: value for (_, key), (_, value) in rows}[b"integrity"])
    assert integrity["complete"] is True
    return Found([table for table in tables if table.name != describing], integrity["tables"])


def read_sqlite(data: bytes) -> Found:
    """The bytes are a database file."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "export.db"
        path.write_bytes(data)
        with closing(sqlite3.connect(path)) as connection:
            return _tables_of(connection)


def read_sql(data: bytes) -> Found:
    """The statements make a database."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(data.decode("utf-8"))
        assert not connection.in_transaction
        return _tables_of(connection)


READERS: dict[str, Callable[[bytes], Found]] = {
    "programjson": read_programjson,
    "ndjson": read_ndjson,
    "csv": read_csv,
    "tsv": read_tsv,
    "package": read_package,
    "sqlite": read_sqlite,
    "sql": read_sql,
}


def reader_of(name: str) -> Callable[[bytes], Found]:
    """The foreign reader of a format."""
    assert name in READERS, f"no foreign reader for format {name}: add one to tests/support/files/readers.py"
    return READERS[name]
