"""What a spreadsheet cuts when it saves a CSV is no change: what is there stays as it is."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from datasette_program_export import load
from datasette_program_export.formats.csv.shortened import is_shortened
from tests.support.databases.house import rows

Import = Callable[[str], Any]


@pytest.fixture(params=["id INTEGER PRIMARY KEY", "id INTEGER"], ids=["with a key", "without"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    with closing(sqlite3.connect(tmp_path / "t.db")) as connection:
        connection.execute(f"CREATE TABLE t ({request.param}, at REAL, note TEXT, seen TEXT)")
        connection.execute("INSERT INTO t VALUES (1, 8.548305363819765, '', '2019-01-08T11:16:26.432064')")
        connection.commit()
    return tmp_path / "t.db"


def imported(target: Path, *lines: str) -> Any:
    file = target.with_name("t.csv")
    file.write_text("\n".join(["id,at,note,seen", *lines, ""]))
    return load(target, file, table="t", on_conflict="update", backup=False)


def test_a_rounded_number_and_nothing_for_an_empty_text_are_unchanged(target: Path) -> None:
    found = imported(target, "1,8.54830536381977,,2019-01-08T11:16:26.432064").tables["t"]
    assert (found.unchanged, found.update, found.insert) == (1, 0, 0)


def test_what_is_cut_stays_in_a_row_that_is_changed(tmp_path: Path) -> None:
    target = tmp_path / "t.db"
    with closing(sqlite3.connect(target)) as connection:
        connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, at REAL, note TEXT, seen TEXT, name TEXT)")
        connection.execute("INSERT INTO t VALUES (1, 8.548305363819765, '', '2019-01-08T11:16:26.432064', 'a')")
        connection.commit()
    file = tmp_path / "t.csv"
    file.write_text("id,at,note,seen,name\n1,8.54830536381977,,2019-01-08T11:16:26.432,b\n")
    report = load(target, file, table="t", on_conflict="update", preview=True)
    assert [d.column for d in report.tables["t"].samples[0].differences] == ["name"]
    assert any("1 number(s) in t.at have 15 digits" in note.message for note in report.notes)
    load(target, file, table="t", on_conflict="update", backup=False)
    assert rows(target, "SELECT * FROM t") == [(1, 8.548305363819765, "", "2019-01-08T11:16:26.432064", "b")]


@pytest.mark.parametrize(
    "lines",
    [
        ["1,8.54830536381977,,x", "2,8.548305363819765,,y"],  # the file has more digits than a spreadsheet writes
        ["1,8.54830536381970,,x"],
        ["1,8.5483,,x"],
    ],
)
def test_another_number_is_a_change(target: Path, lines: list[str]) -> None:
    imported(target, *lines)
    wanted = float(lines[0].split(",")[1])
    assert (wanted,) in rows(target, "SELECT at FROM t WHERE id = 1")


def test_a_file_that_tells_nothing_from_an_empty_text_is_taken_at_its_word(target: Path) -> None:
    imported(target, "1,8.54830536381977,,x", '2,1,"",y')
    assert (None,) in rows(target, "SELECT note FROM t WHERE id = 1")


@pytest.mark.parametrize(
    "there, here, same",
    [
        ("", None, True),
        ("a", None, False),
        (b"", None, False),
        (None, "", False),
        (47.70741719672775, 47.7074171967278, True),  # half of a digit, up: LibreOffice
        (47.70741719672775, 47.7074171967277, True),  # the number itself is below: Excel
        (47.70741719672775, 47.7074171967276, False),
        (9007199254740993, 9007199254740990, True),
        (9007199254740993, 9007199254740992, False),
        (1, 1.0, False),
        ("2019-01-20T00:00:11.999552", "2019-01-20T00:00:11,999", True),
        ("2019-01-20 00:00:11.4326", "2019-01-20 00:00:11.433", True),
        ("2019-01-20 00:00:11.4326", "2019-01-20 00:00:11.434", False),
        ("2019-01-20 00:00:11.4326", "2019-01-20 00:00:11", False),
        (float("inf"), 1e308, False),
    ],
)
def test_what_a_spreadsheet_writes(there: Any, here: Any, same: bool) -> None:
    assert is_shortened(there, here) is same
