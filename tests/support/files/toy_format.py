"""A format of the tests: a mark before a programjson document; as rows alone, a JSON array for each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

import msgspec

from datasette_program_export.errors import UnreadableError
from datasette_program_export.files.reading_limits import Limits
from datasette_program_export.formats.dataset import Dataset, Row, TableStream
from datasette_program_export.formats.json import programjson
from datasette_program_export.formats.registry import Format, Options
from datasette_program_export.formats.registry.members import Member, MemberFile
from datasette_program_export.formats.values import json_value, of_tag
from datasette_program_export.options.request import Request

MARK = b"%TOY\n"


def encode(dataset: Dataset, options: Options) -> Iterator[bytes]:
    yield MARK
    yield from programjson.encode(dataset, options)


def encode_table(table: TableStream, request: Request) -> Iterator[bytes]:
    for rows in table.batches:
        yield b"".join(msgspec.json.encode([json_value(v) for v in row]) + b"\n" for row in rows)


def decode(file: IO[bytes], limits: Limits) -> Dataset:
    if file.read(len(MARK)) != MARK:
        raise UnreadableError("No toy.")
    return programjson.decode(file, limits)


def read_member(file: MemberFile) -> Iterator[list[Row]]:
    for line in file.content:
        yield [tuple(map(of_tag, msgspec.json.decode(line)))]


FORMAT = Format(
    name="toy",
    help="A document to play with.",
    extension="toy",
    suffixes=("plaything",),
    media_type="application/x-toy",
    lossless=True,
    self_verifying=True,
    encode=encode,
    encode_table=encode_table,
    decode=decode,
    layouts=("rows", "envelope"),
    proving_layout="envelope",
    good_for="playing",
    beginnings=(MARK,),
    ending="toy",
    member=Member("Toys, an array a line.", read_member),
)
