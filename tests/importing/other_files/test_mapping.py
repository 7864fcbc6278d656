"""Columns that a file calls otherwise, or that are left away; and the table of a file that names none."""

from __future__ import annotations

import gzip
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from datasette_program_export import RefusedError, Request, export, load
from datasette_program_export.errors import RequestError

MAP = {"Nr": "id", "Full name": "name", "junk": None}


def rows(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


@pytest.fixture
def target(tmp_path: Path) -> Path:
    with closing(sqlite3.connect(tmp_path / "target.db")) as connection:
        connection.executescript(
            "CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT, nick TEXT DEFAULT '-');"
            "CREATE TABLE u(id INTEGER PRIMARY KEY, t_id INTEGER REFERENCES t, text TEXT)"
        )
    return tmp_path / "target.db"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "Nr,Full name,junk\n1,Ann,x\n2,Bo,\n"),
        ("a.csv", "junk;full NAME;nr\nx;Ann;1\n;Bo;2\n"),
        ("a.ndjson", '{"Nr":1,"Full name":"Ann","junk":7}\n{"Full name":"Bo","Nr":2}'),
        ("a.json", '[{"Nr":1,"Full name":"Ann"},{"junk":[1],"Full name":"Bo","Nr":2}]'),
        ("a.json", '{"t":[{"Nr":1,"Full name":"Ann","junk":null},{"Full name":"Bo","Nr":2}]}'),
    ],
)
def test_a_column_of_another_name(name: str, text: str, target: Path, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    seen = load(target, tmp_path / name, table="t", map=MAP, preview=True)
    assert [note.message for note in seen.notes] == ["junk of t is left away, as was asked."]
    load(target, tmp_path / name, table="t", map=MAP, expect=seen.foreseen)
    assert rows(target, "SELECT * FROM t") == [(1, "Ann", "-"), (2, "Bo", "-")]
    again = load(target, tmp_path / name, table="t", map=MAP)
    assert again.tables["t"].unchanged == 2 and again.tables["t"].samples == []


def test_names_that_change_places(target: Path, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,name,nick\n1,A,Ann\n")
    load(target, tmp_path / "a.csv", table="t", map={"name": "nick", "nick": "name"})
    assert rows(target, "SELECT * FROM t") == [(1, "Ann", "A")]


def test_a_document_of_our_own(target: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "other.db")) as connection:
        connection.executescript("CREATE TABLE t(Nr INTEGER PRIMARY KEY, name TEXT, more TEXT)")
        connection.executescript("INSERT INTO t VALUES (1, 'Ann', 'x')")
    (tmp_path / "f.json").write_bytes(b"".join(export(tmp_path / "other.db", Request())))
    load(target, tmp_path / "f.json", map={"Nr": "id", "more": None})
    assert rows(target, "SELECT * FROM t") == [(1, "Ann", "-")]


def test_one_table_of_several(target: Path, tmp_path: Path) -> None:
    """A point parts the table from the column, where a table has that name."""
    both = {"t": [{"key": 1, "text": "Ann"}], "u": [{"key": 5, "t_id": 1, "text": "hello"}]}
    (tmp_path / "a.json").write_text(json.dumps(both))
    load(target, tmp_path / "a.json", map={"key": "id", "t.text": "name"})
    assert rows(target, "SELECT id, name FROM t") == [(1, "Ann")]
    assert rows(target, "SELECT * FROM u") == [(5, 1, "hello")]


def test_with_new_tables_and_columns(target: Path, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Nr,Full name,Age\n1,Ann,7\n")
    names = {"Nr": "id", "Full name": "name", "Age": "years"}
    assert load(target, tmp_path / "a.csv", table="t", map=names, alter=True).tables["t"].new_columns == {
        "years": "INTEGER"
    }
    load(target, tmp_path / "a.csv", table="new", map={**names, "Nr": None}, create=True)
    assert rows(target, "SELECT * FROM new") == [("Ann", 7)]
    assert rows(target, "SELECT id, name, years FROM t") == [(1, "Ann", 7)]


@pytest.mark.parametrize(
    ("names", "why"),
    [
        ({**MAP, "nothing": "nick"}, "no column nothing"),
        ({"Nr": "id", "Full name": "nothing", "junk": None}, "no column Full name"),
        ({**MAP, "nothing": None}, "no column nothing"),
        ({**MAP, "junk": "name"}, "of the file in one column, name"),
        ({"Nr": "id", "Full name": "name"}, "no column junk"),
    ],
)
def test_what_cannot_be_mapped_is_told(names: dict[str, str | None], why: str, target: Path, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Nr,Full name,junk\n1,Ann,x\n")
    with pytest.raises((RefusedError, RequestError), match=why):
        load(target, tmp_path / "a.csv", table="t", map=names)
    assert rows(target, "SELECT * FROM t") == []


@pytest.mark.parametrize(
    ("name", "text", "table"),
    [
        ("t.csv", "id,name\n1,Ann\n", "t"),  # by its name
        ("T.ndjson", '{"id":1,"name":"Ann"}', "t"),
        ("x.csv", "id,name\n1,Ann\n", "t"),  # by its columns
        ("x.json", '[{"text":"hello","id":1}]', "u"),
        ("u.2024.csv.gz", "id,text\n1,a\n", "u"),
    ],
)
def test_the_table_is_found(name: str, text: str, table: str, target: Path, tmp_path: Path) -> None:
    data = text.encode()
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    assert list(load(target, tmp_path / name, preview=True).tables) == [table]


def test_a_table_that_cannot_be_found_is_asked_for(target: Path, tmp_path: Path) -> None:
    for text, why in (
        ("id\n1\n", "2 tables have all columns of its first line .t, u."),
        ("id,z\n1,2\n", "no table of the target has all columns"),
    ):
        (tmp_path / "x.csv").write_text(text)
        with pytest.raises(RequestError, match=why):
            load(target, tmp_path / "x.csv")
    (tmp_path / "x.csv").write_text("id\n1\n")
    assert list(load(target, tmp_path / "x.csv", visible=frozenset({"u"}), preview=True).tables) == ["u"]
