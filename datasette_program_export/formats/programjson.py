"""programjson, version 1: one JSON object that says at its end that it is complete.

Keys in this order: format, version, export, schema, tables, coverage, integrity. In the
layout ``rows`` every row is one line; in ``pretty`` every value is one. ``integrity`` comes
last: rows, a digest per table, ``document`` (the SHA-256 of every byte before the
``"integrity"`` key) and ``complete``. Described in ``docs/programjson.md``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import msgspec

from ..records import Dataset, TableStream
from . import Format
from .jsonrows import RowLines

VERSION = 1
_json = msgspec.json.Encoder().encode


def encode(dataset: Dataset, layout: str) -> Iterator[bytes]:
    """The document in pieces of some kilobytes."""
    write = _Writer(pretty=layout == "pretty")
    hashed = hashlib.sha256()
    for chunk in write.body(dataset):
        hashed.update(chunk)
        yield chunk
    integrity = {**dataset.integrity(), "document": hashed.hexdigest(), "complete": True}
    yield write.key("integrity", integrity) + write.end


class _Writer:
    def __init__(self, pretty: bool) -> None:
        self.pretty = pretty
        self.end = b"\n}\n" if pretty else b"}\n"

    def key(self, name: str, value: Any, last: bool = True) -> bytes:
        data = _json(name) + (b": " if self.pretty else b":")
        data += msgspec.json.format(_json(value), indent=2).replace(b"\n", b"\n  ") if self.pretty else _json(value)
        return data if last else data + (b",\n  " if self.pretty else b",\n")

    def body(self, dataset: Dataset) -> Iterator[bytes]:
        """Every byte before the ``"integrity"`` key."""
        yield b"{\n  " if self.pretty else b"{"
        head = {"format": "programjson", "version": VERSION, "export": dataset.head, "schema": dataset.schema}
        for name, value in head.items():
            yield self.key(name, value, last=False)
        yield b'"tables": {' if self.pretty else b'"tables":{'
        comma = b""
        for table in dataset.tables:
            yield comma + (b"\n    " if self.pretty else b"\n") + _json(table.name)
            yield b": [" if self.pretty else b":["
            yield from self.rows(table)
            yield b"\n    ]" if self.pretty else b"\n]"
            comma = b","
        yield b"\n  },\n  " if self.pretty else b"\n},\n"
        yield self.key("coverage", dataset.coverage(), last=False)

    def rows(self, table: TableStream) -> Iterator[bytes]:
        lines = RowLines(table.fields)
        comma = b"\n"
        for rows in table.batches:
            if self.pretty:
                data = b",\n".join(lines.indented(row, 6) for row in rows)
            else:
                data = lines(rows).replace(b"\n", b",\n")[:-2]
            yield comma + data
            comma = b",\n"
        table.warnings.extend(lines.warnings(table.name))


FORMAT = Format(
    name="programjson",
    help="Everything in one JSON file that says what it holds, what was left out, and that it is complete.",
    extension="json",
    suffixes=("programjson",),
    media_type="application/json",
    lossless=True,
    self_verifying=True,
    encode=encode,
    layouts=("rows", "pretty"),
)
