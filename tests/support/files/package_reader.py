"""A reader of packages that knows nothing of this one: with the description, every cell is told."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import struct
import sys
import zipfile
from collections.abc import Callable

from tests.support.files.cells import Cell, Found, Read
from tests.support.files.json_reader import json_cell, json_table

csv.field_size_limit(sys.maxsize)


def read_package(data: bytes, other: Callable[[str, tuple[str, ...], bytes], Read] | None = None) -> Found:
    """A zip whose last file is datapackage.json, and whose last 64 bytes are the digest of all before.

    ``other`` reads the files that are no texts."""
    assert data[-64:] == hashlib.sha256(data[:-64]).hexdigest().encode()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = archive.namelist()
        assert len({n.casefold() for n in names}) == len(names)  # also where case does not count
        assert not any(part.startswith(".") for n in names for part in n.split("/"))
        found = json.loads(archive.read("datapackage.json"))
        about = found["program_export"]
        assert about["integrity"]["complete"] is True
        files = about.get("blobs", {})
        plain = [name for name in names if name not in files]
        assert [r["path"] for r in found["resources"]] + ["README.txt", "datapackage.json"] == plain
        blobs = {path: archive.read(path) for path in files}
        for path, content in blobs.items():
            assert files[path] == {"bytes": len(content), "hash": "sha256:" + hashlib.sha256(content).hexdigest()}
        assert [r["title"] for r in found["resources"]] == list(about["schema"]["tables"])
        tables = []
        for resource in found["resources"]:
            content = archive.read(resource["path"])
            assert resource["hash"] == "sha256:" + hashlib.sha256(content).hexdigest()
            assert resource["bytes"] == len(content)
            if other is None:
                tables.append(_resource(resource, content, blobs))
            else:
                names = tuple(field["name"] for field in resource["schema"]["fields"])
                tables.append(other(resource["title"], names, content))
    assert not blobs, "each file is named by one cell"
    return Found(tables, about["integrity"]["tables"])


def _resource(resource: dict, content: bytes, blobs: dict[str, bytes]) -> Read:
    fields = resource["schema"]["fields"]
    columns = tuple(f["name"] for f in fields)
    if resource["format"] == "ndjson":
        return json_table(resource["title"], content.decode().split("\n")[:-1], columns, blobs)
    text = io.StringIO(content.decode("utf-8"), newline="")
    lines = list(csv.reader(text, delimiter=resource["dialect"]["delimiter"], strict=True))
    assert tuple(lines[0]) == columns
    rows = [
        tuple(_described_cell(text, field, blobs) for text, field in zip(line, fields, strict=True))
        for line in lines[1:]
    ]
    return Read(resource["title"], columns, rows)


def _described_cell(text: str, field: dict, blobs: dict[str, bytes]) -> Cell:
    """What a cell is by the description of its column; for NULL that is a text which no other value has."""
    if text in field["missingValues"]:
        return "null", None
    kind = field["program_export"]["kind"]
    if kind == "text":
        return "text", text.encode()
    if kind == "file" and "." in text:
        return "blob", blobs.pop(text)
    if kind in ("blob", "file"):
        return "blob", base64.b64decode(text, validate=True)
    if kind == "mixed":
        return json_cell(text, blobs)
    assert kind in ("integer", "number")
    if text.lstrip("-").isdigit():
        return "integer", int(text)
    assert kind == "number"
    return "real", struct.pack(">d", float(text))
