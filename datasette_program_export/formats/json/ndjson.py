"""ndjson: one JSON value per line (https://github.com/ndjson/ndjson-spec).

One table is written as its rows only, unless the layout ``envelope`` is requested. Several tables are
written in the envelope: a header line, then ``{"table": …, "row": …}`` lines, then a line with the
coverage, and last a line which says that the file is complete, with the SHA-256 of every byte before it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import IO, Any

import msgspec

from ...errors import UnreadableError
from ...files.lines import DigestingLines, within
from ...files.reading_limits import Limits
from ...options.request import Request
from ..dataset import Batches, Dataset, PackedRows, Row, TableStream, written_rows
from ..description.parsing import dumped
from ..document import Fields, check_integrity, described_dataset, description, proving_itself
from ..registry import Format, Options
from ..registry.members import Member, MemberFile
from ..values import member_value
from .quick_reading import rows_in_c
from .reading import Quick, RowReader
from .writing import RowLines

VERSION = 1
ENVELOPE = "envelope"
_README = """Tables with one row a line, each a JSON object. What is no text and no number
is an object itself: {"$base64": true, "encoded": ...} for bytes, {"$real": ...}
for infinities."""
_json = msgspec.json.Encoder().encode


def encode(dataset: Dataset, options: Options) -> Iterator[bytes]:
    """Yield the enveloped form, for several tables."""
    yield from proving_itself(
        _body(dataset), dataset, options.beside, lambda found: _json({"integrity": found}) + b"\n"
    )


def _body(dataset: Dataset) -> Iterator[bytes]:
    """Yield every line except the last."""
    schema = dumped(dataset.schema)
    yield _json({"format": "ndjson", "version": VERSION, "export": dataset.head, "schema": schema}) + b"\n"
    for table in dataset.tables:
        lines = RowLines(table.fields)
        start = _start(table.name)
        yield from written_rows(
            table,
            lines.plan(start + b"{", b"}}\n"),
            lambda rows: start + lines(rows)[:-1].replace(b"\n", b"}\n" + start) + b"}\n",  # noqa: B023
            lines.saw,
        )
        table.warnings.extend(lines.warnings(table.name))
    yield _json({"coverage": dumped(dataset.coverage())}) + b"\n"


def _start(table: str) -> bytes:
    return b'{"table":' + _json(table) + b',"row":'


def encode_table(table: TableStream, request: Request) -> Iterator[bytes]:
    """Yield one table's rows without the envelope."""
    lines = RowLines(table.fields)
    yield from written_rows(table, lines.plan(), lines, lines.saw)
    table.warnings.extend(lines.warnings(table.name))


def decode(file: IO[bytes], limits: Limits) -> Dataset:
    """Return the dataset of an enveloped document; ``file`` is read once, from its start.

    Raises UnreadableError, here or while the tables are read, as programjson's ``decode`` does."""
    lines = DigestingLines(file, limits)
    head = description(lines.line(), "The first line", limits)
    tail: dict[str, Any] = {}
    return described_dataset(
        head, ("ndjson", VERSION), lambda tables: _tables(lines, tables, tail, limits), tail, "The first line"
    )


def _tables(
    lines: DigestingLines, tables: Mapping[str, Fields], tail: dict[str, Any], limits: Limits
) -> Iterator[TableStream]:
    for name, fields in tables.items():
        rows = partial(_rows, lines, name, RowReader(name, fields, limits))
        yield TableStream(name, fields, Batches(rows_in_c(fields, _start(name) + b"{", b"}}\n", rows)))
    number = lines.number
    found = description(lines.line(), f"Line {number:,}", limits)
    if list(found) != ["coverage"]:
        raise UnreadableError(f"Line {number:,} is neither a row of the table whose turn it is, nor the coverage.")
    document = lines.digest.hexdigest()
    last = lines.rest()
    if not last.endswith(b"\n"):
        raise lines.cut()
    tail |= {**found, **description(last, "The last line", limits)}
    check_integrity(tail.get("integrity"), document)
    if last != _json({"integrity": tail["integrity"]}) + b"\n":
        raise UnreadableError("The last line is not as this program writes it.")


def _rows(lines: DigestingLines, name: str, read: RowReader, quick: Quick) -> Iterator[list[Row] | PackedRows]:
    start = _start(name)
    yield from read.blocks(lines, start, b"}", quick)
    first = lines.number
    while run := lines.run(start):
        for number, line in enumerate(run, first):
            if not line.endswith(b"}"):
                raise UnreadableError(f"Line {number:,} is not a row of {name}.")
        run[:] = [within(line, len(start), 1) for line in run]
        yield read(run, first)
        yield from read.blocks(lines, start, b"}", quick)
        first = lines.number


def read_member(file: MemberFile) -> Iterator[list[Row]]:
    """Yield the rows of one table's file in a package. Raises UnreadableError."""
    lines = DigestingLines(file.content, file.limits)
    read = RowReader(file.table, file.fields, file.limits, member_value)
    yield from read.lists(lines)
    first = lines.number
    while run := lines.run(b"{"):
        yield read(run, first)
        yield from read.lists(lines)
        first = lines.number
    if lines.peek(1):
        raise UnreadableError(f"Line {lines.number:,} of {file.path} is not a row.")


FORMAT = Format(
    name="ndjson",
    help="One row a line, for programs that read as they go.",
    extension="ndjson",
    suffixes=("jsonl", "nl"),
    media_type="application/x-ndjson",
    lossless=True,
    self_verifying=True,
    encode=encode,
    encode_table=encode_table,
    decode=decode,
    layouts=("rows", ENVELOPE),
    proving_layout=ENVELOPE,
    good_for="scripts and data tools",
    beginnings=(b'{"format":"ndjson",',),
    sized_as_planned=True,
    member=Member(_README, read_member, names_files=True),
)
