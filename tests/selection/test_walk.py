"""The walk and the owner rule where it is easy to be nearly right: cycles, stopped references, chains."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest

from datasette_program_export import Settings
from datasette_program_export.database.snapshot import Snapshot
from datasette_program_export.database.source import Source
from datasette_program_export.selection.key_tables import index_serves
from tests.support.databases.building import database, document

PERSON = Settings.model_validate({"subjects": {"person": {"person": True}}})
PEOPLE = (
    "CREATE TABLE person (id INTEGER PRIMARY KEY)",
    "CREATE TABLE tag (id INTEGER PRIMARY KEY)",
    "CREATE TABLE note (id INTEGER PRIMARY KEY, person INTEGER REFERENCES person, "
    "tag INTEGER REFERENCES tag, about INTEGER REFERENCES note)",
    "CREATE TABLE letter (id INTEGER PRIMARY KEY, person REFERENCES person, note REFERENCES note)",
    "PRAGMA foreign_keys=OFF",
    "INSERT INTO person VALUES (1), (2)",
    "INSERT INTO tag VALUES (1)",
)


def ids(found: dict, table: str) -> list[Any]:
    return [row["id"] for row in found["tables"].get(table, [])]


def test_a_thing_that_is_nobodys_does_not_make_its_rows_free() -> None:
    """Note 2 hangs on the tag asked for, and on a note of person 2, whose it is."""
    connection = database(None, *PEOPLE, "INSERT INTO note VALUES (1, 2, NULL, NULL), (2, NULL, 1, 1)")
    found = document(connection, "tag", "1", settings=PERSON)
    assert ids(found, "note") == []
    assert [(w["along"], w["rows"]) for w in found["coverage"]["withheld"]] == [("note.tag", 1)]


def test_in_a_cycle_the_parents_of_rows_that_came_late_come_too() -> None:
    connection = database(
        None,
        "CREATE TABLE node (id INTEGER PRIMARY KEY, parent REFERENCES node, friend REFERENCES node)",
        "INSERT INTO node VALUES (1, NULL, NULL), (2, 1, 9), (3, 2, 8), (8, 7, NULL), (9, NULL, NULL), (7, NULL, NULL)",
    )
    found = document(connection, "node", "1", parents="needed")
    assert ids(found, "node") == [1, 2, 3, 7, 8, 9]
    assert found["coverage"]["tables"]["node"] == {"belongs": 3, "needed": 3}


@pytest.mark.parametrize("above", [range(2, 9), range(10, 3, -1)], ids=["rising keys", "falling keys"])
def test_an_owner_is_found_however_long_the_way_is(above: range) -> None:
    """Only the last note of the chain names its person; one round from parents to children finds a part of it."""
    connection = database(None, *PEOPLE)
    chain = [1, *above]
    connection.executemany("INSERT INTO note VALUES (?, NULL, NULL, ?)", zip(chain, chain[1:]))
    connection.execute("INSERT INTO note VALUES (?, 2, NULL, NULL)", [chain[-1]])
    connection.execute("UPDATE note SET tag = 1 WHERE id = 1")
    found = document(connection, "tag", "1", settings=PERSON)
    assert ids(found, "note") == []
    assert found["coverage"]["withheld"][0]["rows"] == 1


def test_a_row_with_an_owner_of_its_own_inherits_none() -> None:
    """Note 2 is person 2's, though about a note of person 1; so note 4, which is about it, is person 2's too."""
    connection = database(
        None,
        *PEOPLE,
        "INSERT INTO note VALUES (1, 1, NULL, NULL), (2, 2, NULL, 1), (3, NULL, NULL, 1), (4, NULL, NULL, 2)",
        "INSERT INTO letter VALUES (1, 1, 3), (2, 1, 4)",
    )
    found = document(connection, "person", "1", settings=PERSON, stop=["note.about"])
    assert ids(found, "letter") == [1, 2] and ids(found, "note") == [1, 3]
    assert [(w["along"], w["rows"]) for w in found["coverage"]["withheld"] if w["table"] == "note"] == [
        ("letter.note", 1)
    ]


@pytest.mark.parametrize(
    "cases",
    ["(1, 9, NULL)", "(1, NULL, 2), (2, 9, NULL)"],
    ids=["its own person is missing", "its parent's person is missing"],
)
def test_what_hangs_on_an_adopted_row_is_found_from_below_too(cases: str) -> None:
    """The owner of the case asked for is not to be found; a part of it is met only upwards, from a page."""
    connection = database(
        None,
        *PEOPLE,
        "CREATE TABLE file (id INTEGER PRIMARY KEY, person REFERENCES person, above REFERENCES file)",
        "CREATE TABLE part (id INTEGER PRIMARY KEY, file REFERENCES file)",
        "CREATE TABLE page (id INTEGER PRIMARY KEY, file REFERENCES file, part REFERENCES part)",
        f"INSERT INTO file VALUES {cases}",
        "INSERT INTO part VALUES (5, 1)",
        "INSERT INTO page VALUES (7, 1, 5)",
    )
    found = document(connection, "file", "1", settings=PERSON, stop=["part.file"])
    assert (ids(found, "file"), ids(found, "page"), ids(found, "part")) == ([1], [7], [5])


NO_KEY = "CREATE TABLE bag (rowid, _rowid_, oid, name TEXT UNIQUE)"


def test_an_owner_is_not_sought_behind_rows_that_cannot_be_told_apart() -> None:
    connection = database(
        None,
        *PEOPLE,
        NO_KEY,
        "ALTER TABLE note ADD COLUMN bag REFERENCES bag (name)",
        "INSERT INTO bag VALUES (1, 1, 1, 'x')",
        "INSERT INTO note VALUES (1, NULL, 1, NULL, 'x')",
    )
    assert ids(document(connection, "tag", "1", settings=PERSON, parents="none"), "note") == [1]


def test_a_real_key_in_a_cycle_rounds_no_reference() -> None:
    """2**53 + 1 is no REAL: a copy of the reference as one would point to 2**53."""
    connection = database(
        None,
        "CREATE TABLE node (id REAL PRIMARY KEY, parent INTEGER REFERENCES node)",
        "INSERT INTO node VALUES (9007199254740992, NULL), (2, 9007199254740993), (3, 9007199254740992)",
    )
    found = document(connection, "node", "9007199254740992", cascade=True)
    assert [row["parent"] for row in found["tables"]["node"]] == [None, 9007199254740992]


@pytest.mark.parametrize("column, key", [("NOCASE", "BINARY"), ("BINARY", "NOCASE"), ("RTRIM", "BINARY")])
def test_a_key_whose_collation_is_not_its_columns(column: str, key: str) -> None:
    """The key alone tells rows apart; joined by the column's collation 'a' would bring 'A' or 'a '."""
    connection = database(
        None,
        "CREATE TABLE p (id INTEGER PRIMARY KEY)",
        f"CREATE TABLE t (id TEXT COLLATE {column} NOT NULL, p REFERENCES p, PRIMARY KEY (id COLLATE {key}))"
        " WITHOUT ROWID",
        "INSERT INTO p VALUES (1), (2)",
        "INSERT OR IGNORE INTO t VALUES ('a', 1), ('A', 2), ('a ', 2)",
    )
    assert ids(document(connection, "p", "1"), "t") == ["a"]
    assert ids(document(connection, "t", "a"), "t") == ["a"]


@pytest.mark.parametrize(
    ("index", "serves"),
    [
        ("(a)", False),
        ("(b)", False),
        ("(a, b)", True),
        ("(b, a)", True),
        ("(a, b, c)", True),
        ("(c, a, b)", False),
        ("(a, c, b)", False),
        ("(a, b) WHERE c IS NULL", False),
        ("(a, lower(b))", False),
        ("(a, b COLLATE NOCASE)", False),
    ],
)
def test_an_index_serves_a_compound_reference_when_it_begins_with_all_of_it(index: str, serves: bool) -> None:
    connection = database(
        None,
        "CREATE TABLE p (a INTEGER, b TEXT, PRIMARY KEY (a, b))",
        "CREATE TABLE c (a INTEGER, b TEXT, c, FOREIGN KEY (a, b) REFERENCES p (a, b))",
        f"CREATE INDEX i ON c {index}",
    )
    with closing(Snapshot(Source.of(connection))) as snapshot:
        child = snapshot.schema["c"]
        assert index_serves(child.foreign_keys[0], child, snapshot.schema["p"]) is serves


@pytest.mark.parametrize("types", [("INTEGER", "INTEGER"), ("TEXT", "TEXT"), ("TEXT", "INTEGER")])
def test_no_index_serves_where_a_part_of_the_reference_is_of_another_kind(types: tuple[str, str]) -> None:
    connection = database(
        None,
        "CREATE TABLE p (a INTEGER, b TEXT, PRIMARY KEY (a, b))",
        f"CREATE TABLE c (a {types[0]}, b {types[1]}, FOREIGN KEY (a, b) REFERENCES p (a, b))",
        "CREATE INDEX i ON c (a, b)",
    )
    with closing(Snapshot(Source.of(connection))) as snapshot:
        child = snapshot.schema["c"]
        assert not index_serves(child.foreign_keys[0], child, snapshot.schema["p"])
