"""Estimates how large a file will be in the formats that people choose by a purpose, from the samples of its tables."""

from __future__ import annotations

import zlib
from codecs import BOM_UTF8
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from ..database.snapshot import Row
from ..files.zip_writing import LEVEL
from ..formats.csv.writing import CsvLines, SpreadsheetLines
from ..formats.dataset import Field, Value
from ..formats.description.language.catalogue import ENGLISH, words_in
from ..formats.dossier.page.special import holds_chart
from ..formats.dossier.page.values import LONG, Values
from ..formats.registry import Format
from .plan import Plan

_DELIMITER = ","
_OF_A_MEMBER = 300  # bytes that a zip needs for each file in it, and its description for the table
_OF_A_README = 1_500  # bytes of a package's own description, compressed
_OF_A_WORKBOOK = 4_500  # bytes of a workbook's parts without rows, compressed
_SHEETS = 1.4  # how many times larger than plain tables its sheets are, compressed: each cell has an address
_OF_A_PAGE = 27_000  # bytes of a page's style, script and sentences
_OF_A_ROW, _OF_A_CELL, _OF_A_CARD = 60, 22, 40  # bytes of markup in it: of a row, of a cell in a line or in a card
_IN_A_LINE = 10  # columns; with more, a row is a card
_AS_TEXT = 4 / 3  # times larger, as base64
_OF_A_LINK = 45  # bytes of a link to another row, with its title
_OF_A_PARAGRAPH = 10
_OF_A_CHART, _CHART_AS_TABLES = 19_600, 1.36  # bytes of a wheel, and how many times a chart's JSON its tables are
_SHOWN = 3  # rows of a sample that are shown as in a page
_PRESSED = 5  # how many times smaller the description gets


@dataclass(frozen=True)
class TableSizes:
    """How large a table will be, in bytes: in a file for a spreadsheet, in a zip of plain tables, in a page to read.

    ``values`` are its texts and binary data alone."""

    spreadsheet: int
    zipped: int
    page: int
    values: int


def table_sizes(fields: tuple[Field, ...], sample: Sequence[Row], rows: int, links: int = 0) -> TableSizes:
    """Return the sizes of a table of ``rows`` rows, some of which are in the sample; each has ``links`` to others."""
    if not sample:
        return TableSizes(0, 0, 0, 0)
    names = tuple(field.name for field in fields)
    plain = _plain(names, sample)
    sheet = _sheet_head(names) + len(SpreadsheetLines(_DELIMITER, len(names))(list(sample)))
    more = max(0, rows - len(sample))
    zipped = len(zlib.compress(plain, LEVEL))
    if more:  # what one more row adds: the later ones repeat what stood in the earlier ones
        half = sample[: len(sample) // 2]
        begun = len(zlib.compress(_plain(names, half), LEVEL)) if half else 0
        zipped += round(more * max(1, zipped - begun) / (len(sample) - len(half)))
    times = 1 + more / len(sample)
    values = sum(len(v) for row in sample for v in row if isinstance(v, (str, bytes)))
    page = _shown(fields, sample[:: -(-len(sample) // _SHOWN)], links) * rows
    return TableSizes(round(sheet * times), zipped, round(page), round(values * times))


def _shown(fields: Sequence[Field], sample: Sequence[Row], links: int) -> float:
    """Return how many bytes a row takes in a page that people read, with its markup and ``links`` to other rows."""
    columns = [_cells(field, [row[place] for row in sample]) for place, field in enumerate(fields)]
    cards = len(fields) > _IN_A_LINE or any(size > LONG for cells in columns for size in cells)
    size = sum(map(sum, columns))
    if cards:
        size += sum((len(field.name) + _OF_A_CARD) * len(cells) for field, cells in zip(fields, columns))
    return size / len(sample) + _OF_A_ROW + _OF_A_LINK * links + (0 if cards else _OF_A_CELL * len(fields))


def _cells(field: Field, values: Sequence[Value]) -> list[int]:
    """Return about how many bytes each value takes that is shown. Charts are not drawn, and Markdown is not read."""
    filled = [value for value in values if value is not None and value != ""]
    if filled and holds_chart(filled[0]):
        return [
            _OF_A_CHART + round(len(value) * _CHART_AS_TABLES) for value in filled if isinstance(value, (str, bytes))
        ]
    show = Values(words_in(ENGLISH))
    return [_size_shown(show, field, value) for value in filled]


def _size_shown(show: Values, field: Field, value: Value) -> int:
    if isinstance(value, str) and len(value) > LONG and value[0] not in "{[":
        return len(value.encode("utf-8", "replace")) + _OF_A_PARAGRAPH
    return len(show(field, value).encode("utf-8", "replace"))


def _plain(names: tuple[str, ...], rows: Sequence[Row]) -> bytes:
    """Return rows as a member of a zip has them: as the format's own function writes them, which takes longer."""
    return _plain_head(names) + CsvLines(_DELIMITER, len(names))(list(rows))


@lru_cache(maxsize=256)
def _plain_head(names: tuple[str, ...]) -> bytes:
    return CsvLines(_DELIMITER, len(names))([names])


@lru_cache(maxsize=256)
def _sheet_head(names: tuple[str, ...]) -> int:
    return len(BOM_UTF8) + len(SpreadsheetLines(_DELIMITER, len(names))([names]))


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
    if form.purpose == "read":
        copy = round((zipped + described // _PRESSED + plan.picture_bytes) * _AS_TEXT)
        return _OF_A_PAGE + copy + sum(t.page_bytes or 0 for t in plan.tables)
    if form.purpose == "spreadsheet":
        return sum(t.spreadsheet_bytes or 0 for t in plan.tables)
    return None
