"""A reader of XML with lxml that knows the schema and its page alone; every file must be valid."""

from __future__ import annotations

import base64
import hashlib
import json
import struct
from importlib.resources import files

from lxml import etree

from tests.support.files.cells import Cell, Found, Read

_SPACE = "{urn:datasette-program-export:xml:1}"
SCHEMA = etree.XMLSchema(
    etree.fromstring(files("datasette_program_export").joinpath("formats/markup/xml/program-export.xsd").read_bytes())
)


def read_xml(data: bytes) -> Found:
    root = etree.fromstring(data, etree.XMLParser(huge_tree=True, resolve_entities=False))
    SCHEMA.assertValid(root)
    *_, end = root
    assert data.endswith(b"</program-export>\n") and end.tag == f"{_SPACE}integrity"
    assert end.get("document") == hashlib.sha256(data[: data.rindex(b"<integrity ")]).hexdigest()
    schema = json.loads(root.findtext(f"{_SPACE}schema"))["tables"]
    tables = [_table(table) for table in root.findall(f"{_SPACE}table")]
    assert [t.name for t in tables] == list(schema)
    assert [t.columns for t in tables] == [tuple(c["name"] for c in t["columns"]) for t in schema.values()]
    digests = {_named(t, "name"): {"rows": int(t.get("rows")), "sha256": t.get("sha256")} for t in end}
    assert int(end.get("rows")) == sum(len(table.rows) for table in tables)
    return Found(tables, digests)


def _table(table: etree._Element) -> Read:
    columns = tuple(_named(column, "name") for column in table.findall(f"{_SPACE}column"))
    rows = []
    for row in table.findall(f"{_SPACE}row"):
        assert tuple(_named(value, "column") for value in row) == columns
        rows.append(tuple(map(_cell, row)))
    return Read(_named(table, "name"), columns, rows)


def _named(element: etree._Element, name: str) -> str:
    plain, encoded = element.get(name), element.get(f"{name}-base64")
    assert (plain is None) != (encoded is None)
    return plain if plain is not None else base64.b64decode(encoded).decode("utf-8", "surrogateescape")


def _cell(element: etree._Element) -> Cell:
    kind, text = element.tag.removeprefix(_SPACE), element.text or ""
    if kind == "null":
        return "null", None
    if kind == "integer":
        return "integer", int(text)
    if kind == "real":
        return "real", struct.pack(">d", float(text))
    encoded = kind == "blob" or element.get("encoding") == "base64"
    return kind, base64.b64decode(text, validate=True) if encoded else text.encode()
