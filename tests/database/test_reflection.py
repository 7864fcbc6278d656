"""Any schema, however odd, is read as SQLite means it."""

from __future__ import annotations

import sqlite3

import pytest

from datasette_program_export.database.reflection import reflect
from datasette_program_export.database.schema import affinity, fold
from datasette_program_export.errors import SourceError
from tests.support.databases.building import database


def keys(connection: sqlite3.Connection, table: str) -> list[tuple]:
    found = reflect(connection)[table].foreign_keys
    return [(k.columns, k.other_table, k.other_columns, k.problem) for k in found]


def test_references_are_resolved_as_sqlite_resolves_them() -> None:
    connection = database(
        None,
        'CREATE TABLE "Parent" (a TEXT, b TEXT, c UNIQUE, PRIMARY KEY (b, a))',
        """CREATE TABLE child (x, y, z REFERENCES PARENT(C), w REFERENCES gone(id), v REFERENCES parent(nix),
           u REFERENCES parent, FOREIGN KEY (X, Y) REFERENCES parent, FOREIGN KEY (x, y) REFERENCES parent (a, b))""",
        "CREATE VIEW seen AS SELECT 1 AS id",
        "CREATE TABLE of_view (x REFERENCES seen(id), nix, FOREIGN KEY (nix) REFERENCES Parent(c))",
    )
    assert keys(connection, "child") == [
        (("z",), "Parent", ("c",), None),
        (("w",), "gone", ("id",), "the table does not exist"),
        (("v",), "Parent", ("nix",), "it has no column nix"),
        (("u",), "Parent", ("b", "a"), "the number of columns differs"),
        (("x", "y"), "Parent", ("b", "a"), None),
        (("x", "y"), "Parent", ("a", "b"), None),
    ]
    assert keys(connection, "of_view")[0][3] == "it is a view, not a table"


@pytest.mark.parametrize(
    ("sql", "rowid", "key", "integer_key"),
    [
        ("(id INTEGER PRIMARY KEY, n)", "rowid", ["rowid"], "id"),
        ("(id INTEGER PRIMARY KEY DESC, n)", "rowid", ["rowid"], None),
        ("(id INT PRIMARY KEY)", "rowid", ["rowid"], None),
        ("(RowId TEXT, n)", "_rowid_", ["_rowid_"], None),
        ("(rowid, _ROWID_, n)", "oid", ["oid"], None),
        ("(rowid, _rowid_, oid)", None, [], None),
        ("(rowid INTEGER PRIMARY KEY, _rowid_, oid)", "rowid", ["rowid"], "rowid"),
        ("(rowid, _rowid_, oid TEXT NOT NULL PRIMARY KEY)", None, ["oid"], None),
        ("(rowid, _rowid_, oid TEXT PRIMARY KEY)", None, [], None),
        ("(a, b, PRIMARY KEY (b, a)) WITHOUT ROWID", None, ["b", "a"], None),
    ],
)
def test_what_identifies_a_row(sql: str, rowid: str | None, key: list[str], integer_key: str | None) -> None:
    table = reflect(database(None, f"CREATE TABLE t {sql}"))["t"]
    assert (table.rowid, [part.name for part in table.key], table.integer_key) == (rowid, key, integer_key)


def test_a_declared_key_has_the_collations_of_its_index_not_of_its_columns() -> None:
    table = reflect(database(None, "CREATE TABLE t (a COLLATE NOCASE, PRIMARY KEY (a COLLATE BINARY)) WITHOUT ROWID"))[
        "t"
    ]
    assert [part.collation for part in table.key] == ["BINARY"]


@pytest.mark.parametrize("newest", ["(k)", "(k COLLATE BINARY)", "(k COLLATE NOCASE)", "(k COLLATE RTRIM)"])
@pytest.mark.parametrize("declared", ["BINARY", "NOCASE", "RTRIM"])
def test_a_column_has_its_own_collation_whatever_its_indexes_have(declared: str, newest: str) -> None:
    """References go by the column's, and the indexes on it do not tell which that is."""
    indexes = [f"CREATE UNIQUE INDEX i{i} ON t {on}" for i, on in enumerate(["(k)", newest])]
    columns = f"k TEXT COLLATE {declared}, u AS (k = 'x' COLLATE RTRIM), v AS (k || '') COLLATE NOCASE, w"
    table = reflect(database(None, f"CREATE TABLE t ({columns})", *indexes))["t"]
    assert [table.collation(c) for c in ("K", "u", "v", "w")] == [declared, "BINARY", "NOCASE", "BINARY"]
    assert table.key_collation("k") == table.indexes[0].collations[0]


def test_a_collation_that_is_not_here_is_told_by_the_index() -> None:
    connection = database(None)
    connection.create_collation("mine", lambda a, b: (a > b) - (a < b))
    connection.execute("CREATE TABLE t (k TEXT COLLATE mine UNIQUE, n COLLATE NOCASE)")
    connection.create_collation("mine", None)
    table = reflect(connection)["t"]
    assert (table.collation("k"), table.collation("n")) == ("mine", "NOCASE")


def test_kinds_generated_columns_and_shadow_tables() -> None:
    schema = reflect(
        database(
            None,
            "CREATE TABLE t (a INTEGER, b INTEGER AS (a + 1), c INTEGER AS (a + 2) STORED) STRICT",
            "CREATE VIEW v AS SELECT a FROM t",
            "CREATE VIRTUAL TABLE docs USING fts5(body, content='t')",
        )
    )
    assert {name: table.kind for name, table in schema.items() if "_" not in name} == {
        "t": "table",
        "v": "view",
        "docs": "virtual",
    }
    assert [(c.name, c.generated) for c in schema["t"].columns] == [("a", False), ("b", True), ("c", True)]
    assert schema["t"].strict
    assert schema["docs"].module == "fts5" and [c.name for c in schema["docs"].visible_columns] == ["body"]
    assert schema["docs_data"].kind == "shadow" and schema["docs_data"].owner == "docs"


def test_odd_names_are_names_too() -> None:
    names = ["", " ", "Order Details", "a/b", "a.b", 'q"uote', "brack]et", "漢字", "select", "x'y", "%", "ß"]
    statements = [
        f'CREATE TABLE "{n.replace(chr(34), chr(34) * 2)}" ("{n.replace(chr(34), chr(34) * 2)}")' for n in names
    ]
    schema = reflect(database(None, *statements))
    assert list(schema) == names
    assert [t.columns[0].name for t in schema.values()] == names


def test_only_ascii_letters_lose_their_case() -> None:
    assert fold("ÄSTAB") == "Ästab"
    assert list(reflect(database(None, "CREATE TABLE É (a)", "CREATE TABLE é (a)"))) == ["É", "é"]


def test_what_sqlite_cannot_describe_is_named_and_the_rest_is_read(tmp_path) -> None:
    connection = database(
        tmp_path / "x.db",
        "CREATE TABLE good (a)",
        "CREATE TABLE gone (a)",
        "CREATE VIEW broken AS SELECT a FROM gone",
        "PRAGMA writable_schema=ON",
        "INSERT INTO sqlite_master VALUES ('table', 'odd', 'odd', 0, 'CREATE VIRTUAL TABLE odd USING nomodule(x)')",
        "DELETE FROM sqlite_master WHERE name = 'gone'",
    )
    connection.close()
    schema = reflect(sqlite3.connect(tmp_path / "x.db"))
    assert schema["good"].problem is None
    assert schema["broken"].problem == "no such table: main.gone"
    assert schema["odd"].problem == "no such module: nomodule"


def test_names_that_are_no_utf8_are_told_not_tripped_over(tmp_path) -> None:
    connection = database(tmp_path / "x.db", "CREATE TABLE good (a)", "CREATE TABLE badname (a)")
    connection.execute("PRAGMA writable_schema=ON")
    for column in ("name", "tbl_name", "sql"):
        connection.execute(
            f"UPDATE sqlite_master SET {column} = CAST(replace(CAST({column} AS BLOB), 'badname', X'62ff64') AS TEXT) "
            "WHERE tbl_name <> 'good'"
        )
    connection.close()
    schema = reflect(sqlite3.connect(tmp_path / "x.db"))
    assert schema["good"].problem is None
    assert [t.problem for t in schema.values() if t.name != "good"] == [
        "its name is not valid UTF-8, so no statement can name it"
    ]


@pytest.mark.parametrize(
    "content", [b"no database at all, only some text that is longer than a header " * 20, b"short"]
)
def test_a_file_that_is_no_database_is_said_to_be_none(tmp_path, content: bytes) -> None:
    (tmp_path / "x.db").write_bytes(content)
    with pytest.raises(SourceError, match="file is not a database"):
        reflect(sqlite3.connect(tmp_path / "x.db"))


def test_an_empty_file_is_an_empty_database(tmp_path) -> None:
    (tmp_path / "x.db").touch()
    assert len(reflect(sqlite3.connect(tmp_path / "x.db"))) == 0


def test_a_table_named_like_a_pragma_does_not_deceive() -> None:
    connection = database(None, "CREATE TABLE pragma_table_list (schema, name, type)", "CREATE TABLE t (a)")
    assert [t.kind for t in reflect(connection).values()] == ["table", "table"]


@pytest.mark.parametrize(
    ("declared", "expected"),
    [("VARCHAR(10)", "TEXT"), ("BIGINT", "INTEGER"), ("FLOATING POINT", "INTEGER"), ("", "BLOB"), ("DATE", "NUMERIC")]
    + [("DOUBLE", "REAL"), ("CHARINT", "INTEGER"), ("ANY", "NUMERIC"), ("JSON", "NUMERIC"), ("STRING", "NUMERIC")],
)
def test_affinity_is_sqlites(declared: str, expected: str) -> None:
    assert affinity(declared) == expected


def test_any_in_a_strict_table_keeps_types_apart() -> None:
    assert affinity("ANY", strict=True) == "BLOB"
