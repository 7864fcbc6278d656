"""Workbooks of other programs: which sheet, which types, and what is refused."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter

from datasette_program_export import load
from datasette_program_export.errors import RequestError

ROWS = [
    ["id", "name", "born", "seen", "paid"],
    [1, "Ann", date(1990, 2, 3), datetime.fromisoformat("2024-05-01 10:11:12"), 1.5],
    [2, "=Bob", None, None, 2],
    [3, 'with "quotes", and\nlines', date(1890, 1, 1).isoformat(), None, 1e15],
]


def by_openpyxl(path: Path, sheets: dict[str, list[list[Any]]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
            for cell in sheet[sheet.max_row]:
                if cell.data_type == "f" and cell.value == "=Bob":
                    cell.data_type = "s"
    book.save(path)
    return path


def by_xlsxwriter(path: Path, sheets: dict[str, list[list[Any]]]) -> Path:
    with xlsxwriter.Workbook(
        str(path), {"default_date_format": "yyyy-mm-dd hh:mm:ss", "strings_to_formulas": False}
    ) as book:
        day = book.add_format({"num_format": "dd/mm/yyyy"})
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for r, row in enumerate(rows):
                for c, value in enumerate(row):
                    if type(value) is date:
                        sheet.write_datetime(r, c, value, day)
                    else:
                        sheet.write(r, c, value)
    return path


def rows_of(path: Path, table: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(f"SELECT * FROM {table}").fetchall()


@pytest.mark.parametrize("write", [by_openpyxl, by_xlsxwriter])
def test_a_table_is_made_of_a_sheet_with_its_types(tmp_path: Path, write: Any) -> None:
    path = write(tmp_path / "people.xlsx", {"Sheet1": ROWS})
    report = load(tmp_path / "new.db", path, create=True)
    assert (report.status, report.format, report.layout) == ("imported", "xlsx", "the sheet Sheet1 into people")
    assert rows_of(tmp_path / "new.db", "people") == [
        (1, "Ann", "1990-02-03", "2024-05-01 10:11:12", 1.5),
        (2, "=Bob", None, None, 2.0),
        (3, 'with "quotes", and\nlines', "1890-01-01", None, 1e15),
    ]


def test_of_several_sheets_one_is_asked_for(tmp_path: Path) -> None:
    path = by_xlsxwriter(tmp_path / "book.xlsx", {"people": ROWS, "notes": [["id", "text"], [1, "x"]]})
    with pytest.raises(RequestError, match=r"several sheets \(people, notes\): give the argument sheet"):
        load(tmp_path / "new.db", path, create=True)
    with pytest.raises(RequestError, match="has no sheet other. It has: people, notes."):
        load(tmp_path / "new.db", path, create=True, sheet="other")
    load(tmp_path / "new.db", path, create=True, sheet="notes")
    assert rows_of(tmp_path / "new.db", "notes") == [(1, "x")]


def test_a_formula_is_its_result_and_an_error_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "sums.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["id", "sum"])
        sheet.write(1, 0, 1)
        sheet.write_formula(1, 1, "=1+1", None, 2)
    load(tmp_path / "new.db", path, create=True)
    assert rows_of(tmp_path / "new.db", "sums") == [(1, 2)]
    by_openpyxl(path, {"a": [["id", "sum"], [1, "=1+1"]]})
    report = load(tmp_path / "new.db", path, preview=True)
    assert "Line 2 of the sheet a: cell 2 holds a formula without a result" in report.findings[0].message
