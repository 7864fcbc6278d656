"""yaml, version 1: one document of YAML 1.2 that says at its end that it is complete.

Its keys in order: format, version, export, schema, tables, coverage, integrity, as in programjson. A row is an entry
of its table's list, each value on its own line. Every text and every key is quoted, and values are those of
programjson; no text is embedded. ``docs/yaml.md`` describes the format.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import msgspec

from ....errors import UnsupportedError
from ...dataset import Dataset, TableStream, written_rows
from ...description.parsing import dumped
from ...document import proving_itself
from ...json.escaping import escaped
from ...json.writing import RowLines
from ...registry import Format, Options
from .form import COLON, COMMA, END, NO_ROWS, START, VERSION, member, table_key
from .reading import decode

_LONGEST_KEY = 1000  # of a line's beginning; a reader need not look further than 1,024 characters for the colon
_json = msgspec.json.Encoder().encode
# a number at the end of its line: YAML 1.1 knows none with an exponent but without a point, or the exponent's sign
_exponents = re.compile(rb"e(-?)([0-9]+)\n").sub


def encode(dataset: Dataset, options: Options) -> Iterator[bytes]:
    """Yield the document in pieces of a few kilobytes. Raises UnsupportedError for names too long for keys."""
    for name, table in dataset.schema.tables.items():
        for key in (name, *(column.name for column in table.columns)):
            if len(escaped(_json(key))) > _LONGEST_KEY:
                raise UnsupportedError("A table or column has a name that is too long for a key of YAML: take xml.")
    yield from proving_itself(_body(dataset), dataset, options.beside, lambda found: member("integrity", found))


def _body(dataset: Dataset) -> Iterator[bytes]:
    """Yield every byte before the ``"integrity"`` key."""
    head = {"format": "yaml", "version": VERSION, "export": dataset.head, "schema": dumped(dataset.schema)}
    for name, value in head.items():
        yield member(name, value)
    yield b'"tables":\n' if dataset.schema.tables else b'"tables": {}\n'
    for table in dataset.tables:
        yield table_key(table.name)
        yield from _rows(table)
    yield member("coverage", dumped(dataset.coverage()))


def _rows(table: TableStream) -> Iterator[bytes]:
    lines = RowLines([replace(field, holds_json=False) for field in table.fields])
    plan = lines.plan(START, END, COMMA, COLON)
    begun = False
    for data in written_rows(table, plan, lambda rows: lines.spread(rows, plan)):
        yield (b"" if begun else b"\n") + _exponents(_with_point, escaped(data))
        begun = True
    if not begun:
        yield NO_ROWS


def _with_point(found: re.Match[bytes]) -> bytes:
    before = found.string[found.start() - 2 : found.start() - 1]  # of the last digit before the exponent
    return (b".0e" if before in b" -" else b"e") + (found[1] or b"+") + found[2] + b"\n"


FORMAT = Format(
    name="yaml",
    help="Everything in one YAML file, each value on its own line; it says what it holds and that it is complete.",
    extension="yaml",
    suffixes=("yml",),
    media_type="application/yaml",
    lossless=True,
    self_verifying=True,
    encode=encode,
    decode=decode,
    good_for="programs and people that read YAML, and for loading it again",
    beginnings=(b'"format": "yaml"\n"version": ',),
    ending="yaml",
)
