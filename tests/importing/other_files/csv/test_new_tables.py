"""Plain rows into tables and columns that are not there yet: made in the import's own transaction, and shown before."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from datasette_program_export import RefusedError, load
from datasette_program_export.errors import RequestError

CSV = (
    "id,name,zip,price,large,day,empty,mixed,exponent\n"
    "1,Ann,00712,1.50,12345678901234567890,2024-01-01,,1,4e5\n"
    '-2,"Bo, the second",10115,2,1,2024-01-02,,x,1e3\n'
)
TYPES = {
    "id": "INTEGER",
    "name": "TEXT",
    "zip": "TEXT",
    "price": "REAL",
    "large": "TEXT",
    "day": "TEXT",
    "empty": "TEXT",
    "mixed": "TEXT",
    "exponent": "TEXT",
}


def rows(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


def types(path: Path, table: str) -> dict[str, str]:
    return {name: kind for _, name, kind, *_ in rows(path, f"PRAGMA table_info('{table}')")}


@pytest.fixture
def target(tmp_path: Path) -> Path:
    with closing(sqlite3.connect(tmp_path / "target.db")) as connection:
        connection.executescript(
            "CREATE TABLE other(id INTEGER PRIMARY KEY, a TEXT); INSERT INTO other VALUES (1, 'x')"
        )
    return tmp_path / "target.db"


def file(tmp_path: Path, name: str, text: str | list[Any] | dict[str, Any]) -> Path:
    (tmp_path / name).write_text(text if isinstance(text, str) else json.dumps(text), "utf-8")
    return tmp_path / name


def test_a_type_is_chosen_that_keeps_every_value(target: Path, tmp_path: Path) -> None:
    """No zeros in front are lost, no digits, no name that looks like a number; the preview shows the types."""
    plain = file(tmp_path, "people.csv", CSV)
    seen = load(target, plain, create=True, preview=True)
    assert seen.tables["people"].created and seen.tables["people"].new_columns == TYPES
    assert types(target, "people") == {}
    load(target, plain, create=True, expect=seen.foreseen)
    assert types(target, "people") == TYPES
    assert rows(target, "SELECT * FROM people") == [
        (1, "Ann", "00712", 1.5, "12345678901234567890", "2024-01-01", None, "1", "4e5"),
        (-2, "Bo, the second", "10115", 2.0, "1", "2024-01-02", None, "x", "1e3"),
    ]
    assert load(target, plain).tables["people"].unchanged == 2


def test_types_and_the_key_can_be_said(target: Path, tmp_path: Path) -> None:
    plain = file(tmp_path, "people.csv", CSV)
    found = load(target, plain, table="folk", create=True, types={"Price": "TEXT"}, pk=["id"])
    assert found.tables["folk"].new_columns == {**TYPES, "price": "TEXT"}
    assert rows(target, "SELECT id, price FROM folk ORDER BY id") == [(-2, "2"), (1, "1.50")]
    with pytest.raises(RefusedError, match="there already, with other values"):
        load(target, file(tmp_path, "folk.csv", CSV.replace("Ann", "Anna")))
    for wrong in ({"types": {"nothing": "TEXT"}}, {"pk": "nothing"}, {"types": {"id": "DATE"}}):
        with pytest.raises(RequestError, match="nothing|types"):
            load(target, plain, table="more", create=True, **wrong)


def test_rows_of_json_and_of_several_tables(tmp_path: Path) -> None:
    """Into a new database. A nested value is its JSON, a truth value 1 or 0."""
    new = tmp_path / "new.db"
    both = {
        "persons": [{"id": 1, "n": 1, "tags": ["a"], "b": True}, {"id": 2, "n": 2.5, "later": {"x": 1.50}}],
        "notes": [{"t": 5}, {"t": "five"}],
        "none": [],
    }
    found = load(new, file(tmp_path, "two.json", both), create=True)
    assert types(new, "persons") == {"id": "INTEGER", "n": "REAL", "tags": "TEXT", "b": "INTEGER", "later": "TEXT"}
    assert rows(new, "SELECT * FROM persons") == [(1, 1.0, '["a"]', 1, None), (2, 2.5, None, None, '{"x":1.5}')]
    assert rows(new, "SELECT t FROM notes") == [("5",), ("five",)]
    assert any("become what its type is" in note.message for note in found.notes)
    assert any("none has no rows" in note.message for note in found.notes)


def test_lines_of_json(tmp_path: Path) -> None:
    blob = {"$base64": True, "encoded": "AAEC"}
    lines = "\n".join(json.dumps(row) for row in ({"id": 1, "b": blob}, {"id": 2**60, "x": 0.5}, {"x": 2**60}))
    load(tmp_path / "new.db", file(tmp_path, "things.ndjson", lines), create=True)
    assert types(tmp_path / "new.db", "things") == {"id": "INTEGER", "b": "BLOB", "x": "TEXT"}
    assert rows(tmp_path / "new.db", "SELECT * FROM things") == [
        (1, b"\0\1\2", None),
        (2**60, None, "0.5"),
        (None, None, str(2**60)),
    ]


def test_a_file_without_a_header(target: Path, tmp_path: Path) -> None:
    load(target, file(tmp_path, "x.csv", "1;a\n2;b\n"), create=True, header=False)
    assert types(target, "x") == {"untitled_1": "INTEGER", "untitled_2": "TEXT"}
    assert rows(target, "SELECT * FROM x") == [(1, "a"), (2, "b")]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("other.csv", "id,more,a\n1,7,x\n2,8,y\n"),
        ("other.ndjson", '{"id":1,"more":7,"a":"x"}\n{"id":2,"A":"y","more":8}'),
        ("f.json", '{"other":[{"id":1,"a":"x","more":7},{"id":2,"a":"y","more":8}]}'),
    ],
)
def test_columns_that_a_table_lacks(name: str, text: str, target: Path, tmp_path: Path) -> None:
    """The rows that are there get a value only if that is asked for."""
    plain = file(tmp_path, name, text)
    with pytest.raises(RefusedError, match="no column more"):
        load(target, plain)
    with pytest.raises(RefusedError, match="there already, with other values"):
        load(target, plain, alter=True)
    assert types(target, "other") == {"id": "INTEGER", "a": "TEXT"}
    found = load(target, plain, alter=True, on_conflict="skip")
    assert found.tables["other"].new_columns == {"more": "INTEGER"} and not found.tables["other"].created
    assert rows(target, "SELECT * FROM other") == [(1, "x", None), (2, "y", 8)]
    load(target, plain, on_conflict="update")
    assert rows(target, "SELECT more FROM other") == [(7,), (8,)]


def test_a_schema_keeps_all_that_it_has(target: Path, tmp_path: Path) -> None:
    """Collations, generated columns, constraints, indexes and triggers stay when a column is added."""
    with closing(sqlite3.connect(target)) as connection:
        connection.executescript(
            "CREATE TABLE rich(id INTEGER PRIMARY KEY, n TEXT COLLATE NOCASE CHECK (n <> ''), twice AS (id * 2) STORED,"
            " o INTEGER REFERENCES other DEFERRABLE INITIALLY DEFERRED);"
            "CREATE INDEX i ON rich(n); CREATE TRIGGER tr AFTER INSERT ON rich BEGIN SELECT 1; END;"
        )
    before = rows(target, "SELECT sql FROM sqlite_master WHERE tbl_name = 'rich' AND name <> 'rich' ORDER BY name")
    load(target, file(tmp_path, "rich.csv", "id,n,o,more\n5,x,1,2\n"), alter=True)
    (sql,) = rows(target, "SELECT sql FROM sqlite_master WHERE name = 'rich'")
    assert all(part in sql[0] for part in ("COLLATE NOCASE", "CHECK", "STORED", "INITIALLY DEFERRED", '"more" INTEGER'))
    assert before == rows(
        target, "SELECT sql FROM sqlite_master WHERE tbl_name = 'rich' AND name <> 'rich' ORDER BY name"
    )
    assert rows(target, "SELECT id, n, twice, o, more FROM rich") == [(5, "x", 10, 1, 2)]


def test_a_document_of_our_own_into_an_older_schema(target: Path, tmp_path: Path) -> None:
    from datasette_program_export import Request, export

    with closing(sqlite3.connect(tmp_path / "newer.db")) as connection:
        connection.executescript(
            "CREATE TABLE other(id INTEGER PRIMARY KEY, a TEXT, d DECIMAL); INSERT INTO other VALUES (2, 'y', 1.5)"
        )
    (tmp_path / "f.json").write_bytes(b"".join(export(tmp_path / "newer.db", Request())))
    found = load(target, tmp_path / "f.json", alter=True)
    assert found.tables["other"].new_columns == {"d": "BLOB"}
    assert rows(target, "SELECT * FROM other") == [(1, "x", None), (2, "y", 1.5)]


def test_all_or_nothing(target: Path, tmp_path: Path) -> None:
    """A bad row, a preview, an odd name: no table is left behind."""
    before = rows(target, "SELECT * FROM sqlite_master")
    for text in ("id,a\n1,x\n1,2,3\n", "id,a,\n1,x,2\n", "id,ID\n1,2\n"):
        with pytest.raises((RefusedError, RequestError)):
            load(target, file(tmp_path, "x.csv", text), create=True)
    with pytest.raises(RequestError, match="cannot be made"):
        load(target, file(tmp_path, "x.csv", "id\n1\n"), table="sqlite_x", create=True)
    load(target, file(tmp_path, "x.csv", "id\n1\n"), create=True, preview=True)
    with pytest.raises(RefusedError, match="other rows would be changed"):
        load(target, file(tmp_path, "x.csv", "id\n1\n"), create=True, expect="0" * 64)
    assert rows(target, "SELECT * FROM sqlite_master") == before
    load(target, file(tmp_path, "x.csv", 'a "b",c.d,select\n1,2,3\n'), table='the "odd" one', create=True)
    assert rows(target, 'SELECT * FROM "the ""odd"" one"') == [(1, 2, 3)]


def test_a_name_that_is_taken_is_told(target: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(target)) as connection:
        connection.executescript("CREATE VIEW v AS SELECT 1; CREATE INDEX i ON other(a)")
    for name, why in (("v", "is a view"), ("i", "something called i: an index")):
        with pytest.raises(RefusedError, match=why):
            load(target, file(tmp_path, "x.csv", "id\n1\n"), table=name, create=True)


def test_a_connection_of_one_s_own_with_a_temporary_table_of_that_name(target: Path, tmp_path: Path) -> None:
    """It is not taken for the table, and the connection stays as it was."""
    with closing(sqlite3.connect(target)) as connection:
        connection.execute("CREATE TEMP TABLE x(other)")
        connection.row_factory = sqlite3.Row
        try:
            load(connection, file(tmp_path, "x.csv", "id\n1\n"), create=True)
        except RefusedError:
            assert rows(target, "SELECT name FROM sqlite_master") == [("other",)]
        else:
            assert connection.execute("SELECT id FROM main.x").fetchone()["id"] == 1
        assert connection.execute("PRAGMA recursive_triggers").fetchone()[0] == 0


def test_who_did_not_ask_is_told_how(target: Path, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="made with the argument create"):
        load(target, file(tmp_path, "x.csv", "id\n1\n"), table="x")
    with pytest.raises(RequestError, match="create"):
        load(tmp_path / "new.db", file(tmp_path, "x.csv", "id\n1\n"))
    assert not (tmp_path / "new.db").exists()
