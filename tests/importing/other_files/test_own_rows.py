"""This program's own csv, tsv and ndjson of one table: they come back as they were, or what cannot be told is asked."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from datasette_program_export import Request, export, load
from datasette_program_export.importing.report import ImportReport

KEY = "id INTEGER PRIMARY KEY"


def back(folder: Path, columns: str, rows: list[tuple[Any, ...]], form: str, **how: Any) -> tuple[Any, ImportReport]:
    """Export the table, and import the file where there is the same table without rows; None if it is refused."""
    choices = {key: how.pop(key) for key in ("cells", "dates") if key in how}
    for name in ("a.db", "b.db"):
        (folder / name).unlink(missing_ok=True)
        with closing(sqlite3.connect(folder / name)) as connection:
            connection.execute(f"CREATE TABLE t ({columns})")
            if name == "a.db":
                connection.executemany(f"INSERT INTO t VALUES ({', '.join('?' * len(rows[0]))})", rows)
            connection.commit()
    file = folder / f"t.{form}"
    file.write_bytes(b"".join(export(folder / "a.db", Request(table="t", format=form, **how))))
    report = load(folder / "b.db", file, table="t", preview=True, **choices)
    if not report.ok:
        return None, report
    load(folder / "b.db", file, table="t", backup=False, **choices)
    kinds = "SELECT *, {} FROM t ORDER BY rowid"
    found = []
    for name in ("a.db", "b.db"):
        with closing(sqlite3.connect(folder / name)) as connection:
            names = [row[1] for row in connection.execute("PRAGMA table_info(t)")]
            typed = ", ".join(f'typeof("{n}"), hex("{n}")' for n in names)
            found.append(connection.execute(kinds.format(typed)).fetchall())
    assert found[0] == found[1], (form, report.notes)
    return [row[: len(rows[0])] for row in found[1]], report


@pytest.mark.parametrize("form", ["csv", "tsv", "ndjson"])
@pytest.mark.parametrize(
    ("columns", "rows"),
    [
        (f"{KEY}, flag BIT", [(1, "true"), (2, 1), (3, 0), (4, "false"), (5, None)]),
        (f"{KEY}, flag BOOLEAN, d DATE", [(1, "true", "2024-01-02"), (2, "n/a", "2024-01-02 10:30"), (3, 1, 20240102)]),
        (f'{KEY}, " Amount " TEXT, Amount TEXT', [(1, "5", "6")]),
        (f"{KEY}, a TEXT", [(1, "x\0y"), (2, "\0"), (3, " x "), (4, "=1"), (5, "'=1"), (6, '="7"')]),
        (f"{KEY}, a TEXT, b TEXT", [(1, "NULL", None), (2, "", None), (3, None, "")]),
        ("a TEXT, b TEXT", [(None, None), ("", None), ("x", "y")]),
        ("a TEXT", [(None,), ("",), ("NULL",)]),
        (f"{KEY}, n NUMERIC, r REAL", [(1, 2**63 - 1, 0.1), (2, -(2**63), 1e308), (3, 1e300, -0.0), (4, float("inf"), 5)]),  # noqa: E501
        (f"{KEY}, big TEXT", [(1, "12345678901234567890"), (2, "007"), (3, "1e5")]),
    ],
)  # fmt: skip
def test_what_a_reader_can_tell_apart_comes_back(form: str, columns: str, rows: list, tmp_path: Path) -> None:
    found, _ = back(tmp_path, columns, rows, form)
    assert found is not None


@pytest.mark.parametrize("form", ["csv", "tsv"])
@pytest.mark.parametrize(
    ("columns", "row", "words"),
    [
        ("geom POINT", b"GP", "could be binary data"),
        ("geom LINESTRING", b"GP", "could be binary data"),
        ("data TEXT", b"\0\xff", "could be binary data"),
        ("v", b"\0\xff", "could be binary data"),
        ("v", 1, "could be a number or a text"),
        ("v", "1", "could be a number or a text"),
        ("v", 1.5, "could be a number or a text"),
        ("b BLOB", "hello world!", "is no base64"),
        ("n INTEGER", "n/a", "is no number"),
        ("n INTEGER", "true", "is a word for true or false"),
        ("flag BIT", "TRUE", "is a word for true or false, or a text"),
        ("flag BOOLEAN", "yes", "is a word for true or false, or a text"),
    ],
)
def test_what_cannot_be_told_is_asked_about(form: str, columns: str, row: Any, words: str, tmp_path: Path) -> None:
    found, report = back(tmp_path, f"{KEY}, {columns}", [(1, row)], form)
    assert found is None and words in report.findings[0].message
    kind = "base64" if isinstance(row, bytes) else "number" if isinstance(row, (int, float)) else "text"
    found, _ = back(tmp_path, f"{KEY}, {columns}", [(1, row)], form, cells={columns.split()[0]: kind})
    assert found == [(1, row)]


@pytest.mark.parametrize(
    ("columns", "rows"),
    [
        (f"{KEY}, geom POINT, l LINESTRING, t TEXT, v", [(1, b"GP", b"\0\xff", b"x", b"abc")]),
        (f"{KEY}, n INTEGER, r REAL", [(1, "", "Infinity"), (2, "n/a", float("-inf")), (3, None, "")]),
        ("id TEXT PRIMARY KEY, x", [(None, 1), (None, "1"), ("a", 1.0)]),
        (f"{KEY}, flag BIT, d DATE, v", [(1, "true", "1/2/2024", "5"), (2, 1, 5, 5)]),
        (f"{KEY}, j JSON", [(1, '{"a":  1.50}'), (2, "no json"), (3, '{"a": 1e400}'), (4, '{"a": 1, "a": 2}')]),
    ],
)
def test_ndjson_says_itself_what_each_value_is(columns: str, rows: list, tmp_path: Path) -> None:
    found, report = back(tmp_path, columns, rows, "ndjson")
    assert found is not None, report.findings


@pytest.mark.parametrize("form", ["csv", "tsv"])
def test_a_date_that_could_be_two_is_asked_about_in_any_file(form: str, tmp_path: Path) -> None:
    found, report = back(tmp_path, f"{KEY}, d DATE", [(1, "1/2/2024")], form)
    assert found is None and "the argument dates" in report.findings[0].message
    found, _ = back(tmp_path, f"{KEY}, d DATE", [(1, "1/2/2024")], form, dates="text")
    assert found == [(1, "1/2/2024")]


def test_texts_in_columns_for_numbers_are_told(tmp_path: Path) -> None:
    _, report = back(tmp_path, f"{KEY}, n INTEGER", [(1, "n/a"), (2, 5)], "ndjson")
    assert [n.message for n in report.notes] == ["1 value(s) of t.n are texts, as in the file."]


def test_of_another_program_s_lines_a_text_is_no_number(tmp_path: Path) -> None:
    """A blank behind a colon, keys in another order, another line end: this program writes none of these."""
    for line in ('{"id": 1, "n": "x"}\n', '{"n":"x","id":1}\n', '{"id":1,"n":"x"}\r\n', '{"ID":1,"n":"x"}\n'):
        (tmp_path / "f.ndjson").write_bytes(line.encode())
        (tmp_path / "t.db").unlink(missing_ok=True)
        with closing(sqlite3.connect(tmp_path / "t.db")) as connection:
            connection.execute(f"CREATE TABLE t ({KEY}, n INTEGER)")
        report = load(tmp_path / "t.db", tmp_path / "f.ndjson", table="t", preview=True)
        assert "n is no number" in report.findings[0].message, line


@pytest.mark.parametrize("form", ["csv"])
def test_a_file_for_a_spreadsheet_comes_back_without_its_guards(form: str, tmp_path: Path) -> None:
    columns = f"{KEY}, a TEXT, n INTEGER, v, b BLOB, d DATE, f BOOLEAN, r REAL, e TEXT NOT NULL"
    rows = [
        (1, "00123", 2**60, "7", b"+\xff\xef", "1/2/2024", "true", 0.5, ""),
        (2, "=SUM(1)", 5, 7, b"\0", "2024-01-31", 1, 1e300, "x"),
        (3, "-" + "9" * 300, -(2**62), "x", None, None, None, None, "1/2"),
        (4, "@a\nb", None, 2**60, None, None, 0, 1.5, "true"),
        (5, "'quoted", None, None, None, None, 0, 1.5, "3-4"),
    ]
    found, report = back(tmp_path, columns, rows, form, dialect="spreadsheet")
    assert found == rows
    assert report.layout is not None and report.layout.endswith("made for a spreadsheet by this program")
    assert any("guards are taken off" in n.message for n in report.notes)


def test_names_that_were_guarded_for_a_spreadsheet(tmp_path: Path) -> None:
    found, _ = back(tmp_path, f'{KEY}, "=x" TEXT, "2024" INTEGER', [(1, "+5", 2**60)], "csv", dialect="spreadsheet")
    assert found == [(1, "+5", 2**60)]
