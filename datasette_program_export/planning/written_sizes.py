"""Estimates how large a file will be in the formats that people choose by a purpose, from the samples of its tables."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from ..database.snapshot import Row
from ..errors import ExportError
from ..files.zip_writing import LEVEL
from ..formats.dataset import Field, TableStream
from ..formats.registry import Format, get_format
from ..options.request import DEFAULT_MEMBER, Request
from .plan import Plan

_OF_A_MEMBER = 300  # bytes that a zip needs for each file in it, and its description for the table
_OF_A_README = 1_500  # bytes of a package's own description, compressed
_OF_A_WORKBOOK = 4_500  # bytes of a workbook's parts without rows, compressed
_SHEETS = 1.4  # how many times larger than plain tables its sheets are, compressed: each cell has an address
_PRESSED = 5  # how many times smaller the description gets


@dataclass(frozen=True)
class TableSizes:
    """How large a table will be, in bytes: in a file for a spreadsheet, and in a zip of plain tables."""

    spreadsheet: int
    zipped: int


def table_sizes(fields: tuple[Field, ...], sample: Sequence[Row], rows: int) -> TableSizes:
    """Return the sizes of a table of ``rows`` rows, some of which are in the sample."""
    if not sample:
        return TableSizes(0, 0)
    plain = _written(fields, sample, Request(format=DEFAULT_MEMBER))
    sheet = _written(fields, sample, Request(format=DEFAULT_MEMBER, dialect="spreadsheet"))
    more = max(0, rows - len(sample))
    zipped = len(zlib.compress(plain, LEVEL))
    if more:  # what one more row adds: the later ones repeat what stood in the earlier ones
        half = sample[: len(sample) // 2]
        begun = len(zlib.compress(_written(fields, half, Request(format=DEFAULT_MEMBER)), LEVEL)) if half else 0
        zipped += round(more * max(1, zipped - begun) / (len(sample) - len(half)))
    return TableSizes(round(len(sheet) * (1 + more / len(sample))), zipped)


def _written(fields: tuple[Field, ...], sample: Sequence[Row], request: Request) -> bytes:
    encode = get_format(request.format).encode_table
    try:
        return b"".join(encode(TableStream("", fields, iter([list(sample)])), request)) if encode else b""
    except ExportError:  # a value that has no place in it; the export tells
        return b""


def holds_files(form: Format, several: bool) -> bool:
    """Return whether the files that rows name are in a file of a format; ``several`` as in ``size_as``."""
    return form.holds_files or (several and form.encode is None)


def size_as(plan: Plan, form: Format, several: bool) -> int | None:
    """Return about how many bytes the plan's file has in a format; None if nothing tells.

    ``several``: the file is a zip of tables where the format's files hold one table."""
    if plan.bytes is None:
        return None
    if form.sized_as_planned:
        return plan.bytes
    described = max(0, plan.bytes - sum(t.bytes or 0 for t in plan.tables))
    zipped = sum(t.zipped_bytes or 0 for t in plan.tables) + _OF_A_MEMBER * len(plan.tables)
    if holds_files(form, several):
        zipped += sum(one.bytes for one in plan.coverage.files)
    if form.purpose == "spreadsheet" and form.compressed:
        return round(zipped * _SHEETS) + described // _PRESSED + _OF_A_WORKBOOK
    if form.purpose == "keep" or (form.purpose == "spreadsheet" and several):
        return zipped + described // _PRESSED + _OF_A_README
    if form.purpose == "spreadsheet":
        return sum(t.spreadsheet_bytes or 0 for t in plan.tables)
    return None
