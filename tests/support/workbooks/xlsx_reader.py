"""A reader of workbooks with openpyxl that knows only what stands on the page about spreadsheets."""

from __future__ import annotations

import datetime
import hashlib
import io
import json
import re
import struct
from typing import Any

import openpyxl

from tests.support.files.cells import Cell, Found, Read
from tests.support.files.json_reader import json_cell


def read_xlsx(data: bytes) -> Found:
    """The hidden sheet tells the tables, their sheets, and what an empty cell is in each column."""
    book = openpyxl.load_workbook(io.BytesIO(data))
    assert len({name.casefold() for name in book.sheetnames}) == len(book.sheetnames)
    assert all(len(name) <= 31 for name in book.sheetnames)
    assert book["program_export"].sheet_state == "veryHidden" and book.active.title == "Read me"
    digest, *parts = (cell.value for (cell,) in book["program_export"].iter_rows())
    assert hashlib.sha256("".join(parts).encode()).hexdigest() == digest
    about = json.loads("".join(parts))
    assert about["integrity"]["complete"] is True
    long: dict[int, str] = {}
    for sheet in book.worksheets:
        if re.fullmatch(r"Long texts( \(\d+\))?", sheet.title):
            for number, _, text in list(sheet.iter_rows(values_only=True))[1:]:
                long[number] = long.get(number, "") + text
    tables = []
    for name, found in about["sheets"].items():
        columns = about["schema"]["tables"][name]["columns"]
        rows = []
        for title in found["names"]:
            header, *lines = book[title].iter_rows(min_col=1, max_col=len(columns))
            assert book[title].freeze_panes == "A2" and book[title].auto_filter.ref.startswith("A1:")
            assert [_cell(c, {"type": ""}, "text", long)[1].decode() for c in header] == [c["name"] for c in columns]
            rows += [tuple(_cell(c, k, e, long) for c, k, e in zip(line, columns, found["empty"])) for line in lines]
        tables.append(Read(name, tuple(c["name"] for c in columns), rows))
    return Found(tables, about["integrity"]["tables"])


def _cell(cell: Any, column: dict, empty: str, long: dict[int, str]) -> Cell:
    value = cell.value
    assert cell.data_type != "f" or isinstance(value, str)
    if value is None:
        return ("null", None) if empty == "null" else ("text", b"")
    if isinstance(value, datetime.datetime):
        form = {"yyyy\\-mm\\-dd": "%Y-%m-%d", 'yyyy\\-mm\\-dd"T"hh:mm:ss': "%Y-%m-%dT%H:%M:%S"}
        return "text", value.strftime(form.get(cell.number_format, "%Y-%m-%d %H:%M:%S")).encode()
    if isinstance(value, float) or (isinstance(value, int) and re.search("REAL|FLOA|DOUB", column["type"].upper())):
        return "real", struct.pack(">d", value)
    if isinstance(value, int):
        return "integer", value
    if value.startswith('\\{"$long":'):
        value = long[int(value[10:-1])]
    return json_cell(value[1:]) if value.startswith("\\") else ("text", value.encode())
