"""Readers of programjson and ndjson that know nothing of the package; an embedded text is taken as it is spelled."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import struct
from collections.abc import Iterator
from typing import NoReturn

from tests.support.files.cells import Cell, Found, Read


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


def json_cell(spelled: str, blobs: dict[str, bytes] | None = None) -> Cell:
    """A value of a document, by the rules of docs/programjson.md alone; ``blobs`` are the files of a package."""
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
    if "$file" in tags:
        assert blobs is not None and list(value) == ["$file"]
        return "blob", blobs.pop(value["$file"])
    raw = base64.b64decode(value["encoded"], validate=True)
    if value == {"$base64": True, "encoded": value["encoded"], "type": "text"}:
        return "text", raw
    assert value == {"$base64": True, "encoded": value["encoded"]}
    return "blob", raw


def json_table(
    name: str | None,
    rows: list[str],
    columns: tuple[str, ...] | None = None,
    blobs: dict[str, bytes] | None = None,
) -> Read:
    read = [list(members(row)) for row in rows]
    columns = columns if columns is not None else tuple(n for n, _ in read[0]) if read else ()
    for row in read:
        assert tuple(n for n, _ in row) == columns  # in order, none twice, none missing
    return Read(name, columns, [tuple(json_cell(spelled, blobs) for _, spelled in row) for row in read])


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
    return Found([json_table(n, rows, _columns(schema, n)) for n, rows in tables.items()], integrity["tables"])


def read_ndjson(data: bytes) -> Found:
    """Rows; or, where the first line says that it is a header, several tables."""
    assert not data or data.endswith(b"\n")
    lines = data.decode("utf-8").split("\n")[:-1]  # no other character ends a line
    first = json.loads(lines[0]) if lines else {}
    if list(first) != ["format", "version", "export", "schema"]:
        return Found([json_table(None, lines)])
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
    return Found([json_table(n, found, _columns(schema, n)) for n, found in rows.items()], integrity["tables"])
