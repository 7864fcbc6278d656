"""CSV that names no table goes into the only table that has all columns of its first line."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from datasette_program_export import RefusedError, load
from datasette_program_export.errors import RequestError


@pytest.fixture
def club(tmp_path: Path) -> Path:
    path = tmp_path / "club.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "CREATE TABLE members (id INTEGER PRIMARY KEY, name, email, initial TEXT AS (substr(name, 1, 1)));"
            "CREATE TABLE guests (id INTEGER PRIMARY KEY, name TEXT, host INTEGER);"
            "CREATE VIEW everybody AS SELECT id, name, email FROM members;"
        )
    return path


def loaded(club: Path, text: str, **choices: bool) -> dict[str, int]:
    file = club.with_name("rows.csv")
    file.write_text(text)
    return {name: table.insert for name, table in load(club, file, **choices).tables.items()}


@pytest.mark.parametrize(
    "text", ["id,name,email\n1,Anna,a@b.c\n", "EMAIL;ID\na@b.c;1\n", "name\tinitial\temail\nA\tA\tb\n"]
)
def test_the_only_table_with_these_columns(club: Path, text: str) -> None:
    assert loaded(club, text) == {"members": 1}


def test_several_tables_are_named(club: Path) -> None:
    with pytest.raises(RequestError, match=r"2 tables have all columns of its first line \(members, guests\)"):
        loaded(club, "id,name\n1,Anna\n")


@pytest.mark.parametrize("text", ["id,name,town\n1,Anna,Ulm\n", "1,Anna\n2,Berta\n", "initial\nA\n"])
def test_no_table_is_guessed_from_a_part_of_the_columns(club: Path, text: str) -> None:
    with pytest.raises(
        RequestError, match="no table of the target has all columns of its first line: give the argument table"
    ):
        loaded(club, text)


def test_nothing_is_found_without_a_header_or_where_it_is_not_wanted(club: Path) -> None:
    for choices in ({"header": False}, {"find_table": False}):
        with pytest.raises(RequestError, match="The file names no table: give the argument table"):
            loaded(club, "id,name,email\n1,Anna,a@b.c\n", **choices)


def test_a_bad_row_of_the_table_that_was_found_is_named(club: Path) -> None:
    with pytest.raises(RefusedError, match="Line 2 of members: id is no number"):
        loaded(club, "id,email\none,a@b.c\n")
