"""ndjson: one JSON value a line (https://github.com/ndjson/ndjson-spec).

One table: its rows only. Several tables: a header line, then ``{"table": …, "row": …}``
lines, then a trailer line that says that the file is complete.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from ..records import Dataset, TableStream
from ..request import Request
from . import Format
from .jsonrows import RowLines

VERSION = 1
_json = msgspec.json.Encoder().encode


def encode(dataset: Dataset, layout: str) -> Iterator[bytes]:
    """The enveloped form, for several tables."""
    yield _json({"format": "ndjson", "version": VERSION, "export": dataset.head, "schema": dataset.schema}) + b"\n"
    for table in dataset.tables:
        lines = RowLines(table.fields)
        start = b'{"table":' + _json(table.name) + b',"row":'
        for rows in table.batches:
            yield start + lines(rows)[:-1].replace(b"\n", b"}\n" + start) + b"}\n"
        table.warnings.extend(lines.warnings(table.name))
    yield _json({"coverage": dataset.coverage(), "integrity": {**dataset.integrity(), "complete": True}}) + b"\n"


def encode_table(table: TableStream, request: Request) -> Iterator[bytes]:
    """One table's rows."""
    lines = RowLines(table.fields)
    for rows in table.batches:
        yield lines(rows)
    table.warnings.extend(lines.warnings(table.name))


FORMAT = Format(
    name="ndjson",
    help="One row a line, for programs that read as they go.",
    extension="ndjson",
    suffixes=("jsonl", "nl"),
    media_type="application/x-ndjson",
    lossless=True,
    self_verifying=False,
    encode=encode,
    encode_table=encode_table,
)
