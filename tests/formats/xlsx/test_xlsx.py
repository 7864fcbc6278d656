"""Workbooks: what spreadsheets and other readers find in them, where they end, and what people change in them."""

from __future__ import annotations

import io
import sqlite3
import zipfile
from contextlib import closing
from datetime import date
from datetime import datetime as moment
from pathlib import Path

import openpyxl
import pytest
import python_calamine

from datasette_program_export import Request, export, load, verify
from datasette_program_export.formats.xlsx import pages
from datasette_program_export.formats.xlsx.book_reading import kind_of_format
from datasette_program_export.formats.xlsx.sheet_names import SheetNames
from tests.support.databases.building import database
from tests.support.workbooks.xlsx_reader import read_xlsx

PEOPLE = (
    "CREATE TABLE visits (id INTEGER PRIMARY KEY, name TEXT, at TEXT, paid REAL, big INTEGER, note TEXT, photo BLOB)",
    """INSERT INTO visits VALUES
       (1, 'Ann', '2024-05-01', 1.0, 9223372036854775807, '', X'00ff'),
       (2, '=1+1', '2024-05-01 10:11:12', 0.5, 999999999999999, NULL, NULL),
       (3, '007', '2024-05-01T10:11:12', 0.1 + 0.2, -7, 'a' || char(13) || '_x0041_', X''),
       (4, '+49 1', '1899-12-31', NULL, NULL, char(10) || ' ü ', NULL)""",
)


def made(path: Path, *statements: str, **how) -> Path:
    with closing(database(None, *statements)) as connection:
        path.write_bytes(b"".join(export(connection, Request(format="xlsx", **how))))
    return path


def test_numbers_and_dates_are_real_and_no_text_is_a_formula(tmp_path: Path) -> None:
    path = made(tmp_path / "a.xlsx", *PEOPLE)
    sheet = openpyxl.load_workbook(path)["visits"]
    assert [[c.value for c in row[1:5]] for row in sheet.iter_rows(min_row=2, max_row=3)] == [
        ["Ann", moment.fromisoformat("2024-05-01"), 1, "\\9223372036854775807"],
        ["=1+1", moment.fromisoformat("2024-05-01 10:11:12"), 0.5, 999999999999999],
    ]
    assert b"<f>" not in b"".join(map(zipfile.ZipFile(path).read, zipfile.ZipFile(path).namelist()))
    assert (sheet.freeze_panes, sheet.auto_filter.ref, sheet["A1"].font.b) == ("A2", "A1:G5", True)
    rows = python_calamine.load_workbook(path).get_sheet_by_name("visits").to_python()
    assert rows[1][:4] == [1, "Ann", date(2024, 5, 1), 1] and rows[3][1:3:1] == [
        "007",
        moment.fromisoformat("2024-05-01 10:11:12"),
    ]
    assert len(rows) == 5


def test_no_part_has_fields_for_sizes_at_which_excel_warns(tmp_path: Path) -> None:
    data = made(tmp_path / "a.xlsx", *PEOPLE).read_bytes()
    assert all(info.extra == b"" for info in zipfile.ZipFile(io.BytesIO(data)).infolist())
    assert data[28:30] == b"\0\0"  # of the first local header


@pytest.mark.parametrize("again", [False, True])
def test_it_proves_itself_also_when_a_spreadsheet_has_saved_it(tmp_path: Path, again: bool) -> None:
    path = made(tmp_path / "a.xlsx", *PEOPLE)
    if again:
        openpyxl.load_workbook(path).save(path)
    report = verify(path)
    assert (report.status, report.problems, report.format, report.rows) == ("complete", [], "xlsx", 4)
    with closing(database(None, *PEOPLE)) as connection:
        wanted = connection.execute("SELECT * FROM visits").fetchall()
    load(tmp_path / "new.db", path)
    with closing(sqlite3.connect(tmp_path / "new.db")) as connection:
        assert connection.execute("SELECT * FROM visits").fetchall() == wanted


def test_what_is_not_shown_as_people_expect_is_said(tmp_path: Path) -> None:
    with closing(database(None, *PEOPLE)) as connection:
        made = export(connection, Request(format="xlsx"))
        data = b"".join(made)
    assert made.coverage.warnings == (
        "visits.paid: 1 number(s) of more than 15 digits stand as text: \\ and digits.",
        "visits.big: 1 number(s) of more than 15 digits stand as text: \\ and digits.",
        "visits.photo: 2 value(s) of binary data stand as text: \\ and base64 in JSON.",
    )
    told = [cell.value for (cell,) in openpyxl.load_workbook(io.BytesIO(data))["Read me"].iter_rows()]
    assert {f"  - {warning}" for warning in made.coverage.warnings} | {"  visits: 4"} <= set(told)


def test_texts_that_are_too_long_for_a_cell_stand_in_parts(tmp_path: Path) -> None:
    long = ["x" * 32_767, "ü" * 32_768, "\U0001f600" * 16_384, "\r" * 20_000, "y" * 100_000]
    rows = ", ".join(f"('{text}')" for text in long)
    path = made(tmp_path / "a.xlsx", "CREATE TABLE t (a TEXT)", f"INSERT INTO t VALUES {rows}")
    (table,) = read_xlsx(path.read_bytes()).tables
    assert [cell[1].decode() for (cell,) in table.rows] == long
    assert verify(path).status == "complete"
    sheet = openpyxl.load_workbook(path)["t"]
    assert sheet["A2"].value == long[0] and sheet["A3"].value == '\\{"$long":1}'


def test_more_rows_than_a_sheet_holds_go_on_in_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "MOST_LINES", 250)
    rows = ", ".join(f"({i})" for i in range(1000))
    path = made(tmp_path / "a.xlsx", "CREATE TABLE t (a INTEGER)", f"INSERT INTO t VALUES {rows}")
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["Read me", "t", "t (2)", "t (3)", "t (4)", "t (5)", "program_export"]
    assert [book[name].max_row for name in book.sheetnames[1:6]] == [250, 250, 250, 250, 5]
    assert [cell[1] for (cell,) in read_xlsx(path.read_bytes()).tables[0].rows] == list(range(1000))
    assert verify(path).status == "complete"


def test_names_of_sheets_are_those_that_excel_takes() -> None:
    names = ["a/b", "a?b", "A_B", "x" * 40, "x" * 41, "History", "read me", "'q'", "", "\U0001f600" * 20]
    found = SheetNames().of(names)
    assert list(found.values())[:7] == [
        "a_b",
        "a_b (2)",
        "A_B (3)",
        "x" * 31,
        "x" * 27 + " (2)",
        "History (2)",
        "read me (2)",
    ]
    assert all(len(name.encode("utf-16-le")) <= 62 and name.strip("'") for name in found.values())
    assert len({name.casefold() for name in found.values()}) == len(names)


@pytest.mark.parametrize(
    "code, kind",
    [
        ("yyyy\\-mm\\-dd", "date"),
        ('yyyy\\-mm\\-dd"T"hh:mm:ss', "dateTtime"),
        ("yyyy\\-mm\\-dd\\Thh:mm:ss", "dateTtime"),
        ("yyyy-mm-dd hh:mm:ss", "date time"),
        ("[h]:mm:ss", "time"),
        ('#,##0.00\\ "days"', "number"),
        ("General", "number"),
        ("[Red]0.00;[Green]-0.00", "number"),
        ("0.00E+00", "number"),
    ],
)
def test_number_formats_that_show_dates(code: str, kind: str) -> None:
    assert kind_of_format(code) == kind


def edited(path: Path, change) -> Path:
    book = openpyxl.load_workbook(path)
    change(book["visits"])
    book.save(path)
    return path


def test_what_a_person_changes_is_imported_and_nothing_else(tmp_path: Path) -> None:
    path = made(tmp_path / "a.xlsx", *PEOPLE)

    def change(sheet) -> None:
        sheet["B2"], sheet["C3"], sheet["D4"] = "Anna", moment.fromisoformat("2025-01-02 03:04:05"), 2
        sheet["B5"] = 49  # typed as a number, in a column of texts
        sheet.append([9, "New"])

    edited(path, change)
    report = verify(path)
    assert report.status == "changed" and "visits: 5 rows, but 4 are announced." in report.problems
    target = tmp_path / "target.db"
    with closing(sqlite3.connect(target)) as connection:
        for statement in PEOPLE:
            connection.execute(statement)
        connection.commit()
        before = {row[0]: row for row in connection.execute("SELECT * FROM visits")}
    preview = load(target, path, on_conflict="update", preview=True)
    assert any("changed after it was written" in finding.message for finding in preview.notes)
    done = load(target, path, on_conflict="update")
    assert (done.total("insert"), done.total("update")) == (1, 4)
    with closing(sqlite3.connect(target)) as connection:
        after = {row[0]: row for row in connection.execute("SELECT * FROM visits")}
    changed = {1: (1, "Anna"), 2: (2, "2025-01-02 03:04:05"), 3: (3, 2.0), 4: (4, "49")}
    places = {1: 1, 2: 2, 3: 3, 4: 1}
    for key, row in before.items():
        wanted = list(row)
        wanted[places[key]] = changed[key][1]
        assert list(after[key]) == wanted
    assert after[9] == (9, "New", None, None, None, None, None)


@pytest.mark.parametrize(
    "cell, value, told",
    [
        ("B2", "=A2&A3", "Line 2 of the sheet visits: name holds a formula without a result"),
        ("B3", "\\server", "Line 3 of the sheet visits: name begins with a backslash, and no JSON value follows"),
        ("B1", "names", "does not name its columns as they were written"),
        ("Z3", "x", "Line 3 of the sheet visits: there is a value beside the columns"),
    ],
)
def test_what_cannot_be_taken_is_refused_with_its_place(tmp_path: Path, cell: str, value: str, told: str) -> None:
    path = edited(made(tmp_path / "a.xlsx", *PEOPLE), lambda sheet: sheet.__setitem__(cell, value))
    assert told in verify(path).problems[0]
    report = load(tmp_path / "new.db", path, preview=True)
    assert [told in finding.message for finding in report.findings] == [True]


def test_texts_that_a_person_could_mean_otherwise_come_back_as_they_were(tmp_path: Path) -> None:
    """Only what is typed is read as a number, or without its apostrophe; what was exported is marked."""
    texts = ["'007", "'+49", "'s-Hertogenbosch", "64,5", "1,234", "1.2.3"]
    with closing(sqlite3.connect(tmp_path / "a.db")) as connection:
        connection.execute("CREATE TABLE visits (id INTEGER PRIMARY KEY, name TEXT, at REAL, day DATE)")
        connection.executemany("INSERT INTO visits (name, at, day) VALUES (?, ?, ?)", [(t, t, t) for t in texts])
        connection.commit()
    path = tmp_path / "a.xlsx"
    path.write_bytes(b"".join(export(tmp_path / "a.db", Request(format="xlsx"))))
    assert verify(path).status == "complete"

    def change(sheet) -> None:
        sheet["B2"], sheet["C2"], sheet["C3"] = "'008", "65,5", "12.5"

    load(tmp_path / "new.db", edited(path, change))
    with closing(sqlite3.connect(tmp_path / "new.db")) as connection:
        rows = connection.execute("SELECT name, at FROM visits").fetchall()
    assert rows == [("008", 65.5), ("'+49", 12.5), *((text, text) for text in texts[2:])]
    problem = verify(edited(path, lambda sheet: sheet.__setitem__("C4", "1,234"))).problems[0]
    assert problem.startswith("Line 4 of the sheet visits: at is a number that can be read in two ways")


def test_a_day_with_its_time_has_room_to_be_shown(tmp_path: Path) -> None:
    made(tmp_path / "a.xlsx", "CREATE TABLE t (a TEXT)", "INSERT INTO t VALUES ('2024-05-01 10:11:12'), ('x')")
    assert openpyxl.load_workbook(tmp_path / "a.xlsx")["t"].column_dimensions["A"].width >= 20
