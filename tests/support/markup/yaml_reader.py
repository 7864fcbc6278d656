"""A reader of YAML with PyYAML, or whatever loads a document, that knows only what stands on the page about YAML."""

from __future__ import annotations

import base64
import hashlib
import struct
from collections.abc import Callable
from typing import Any

import yaml

from tests.support.files.cells import Cell, Found, Read


def read_yaml(data: bytes, load: Callable[[bytes], Any] = lambda data: yaml.load(data, yaml.CSafeLoader)) -> Found:
    document = load(data)
    assert list(document) == ["format", "version", "export", "schema", "tables", "coverage", "integrity"]
    integrity, schema = document["integrity"], document["schema"]["tables"]
    assert integrity["complete"] is True and list(document["tables"]) == list(schema)
    before = data[: data.rindex(b'\n"integrity": ') + 1]
    assert integrity["document"] == hashlib.sha256(before).hexdigest()
    tables = []
    for name, rows in document["tables"].items():
        columns = tuple(column["name"] for column in schema[name]["columns"])
        assert all(tuple(row) == columns for row in rows)
        tables.append(Read(name, columns, [tuple(map(yaml_cell, row.values())) for row in rows]))
    return Found(tables, integrity["tables"])


def yaml_cell(value: Any) -> Cell:
    """A value as it was loaded, by the rules of docs/yaml.md."""
    if value is None:
        return "null", None
    if type(value) is bool:
        raise ValueError("SQLite holds no booleans")
    if isinstance(value, int):
        return "integer", int(value)
    if isinstance(value, float):
        return "real", struct.pack(">d", value)
    if isinstance(value, str):
        return "text", value.encode("utf-8")
    if "$real" in value:
        return "real", struct.pack(">d", {"Infinity": float("inf"), "-Infinity": float("-inf")}[value["$real"]])
    raw = base64.b64decode(value["encoded"], validate=True)
    if "type" in value:
        assert value == {"$base64": True, "encoded": value["encoded"], "type": "text"}
        return "text", raw
    assert value == {"$base64": True, "encoded": value["encoded"]}
    return "blob", raw
