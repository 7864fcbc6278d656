"""A package is valid for those who did not write it: what it states holds for its rows as a validator compares them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings

from datasette_program_export import Request, export
from tests.support.databases.strategies import Built, databases
from tests.support.files.packages import made, opened, valid

PAIR_KEY = "CREATE TABLE p (a INTEGER, b INTEGER, UNIQUE (a, b))"
REFERS = "CREATE TABLE c (id INTEGER PRIMARY KEY, k TEXT REFERENCES p (k))"
# what holds in SQLite, and not for one who compares all values of a key by equality
OTHERWISE = {
    "one NULL of two": (
        PAIR_KEY,
        "CREATE TABLE c (id INTEGER PRIMARY KEY, x INTEGER, y INTEGER, FOREIGN KEY (x, y) REFERENCES p (a, b))",
        "INSERT INTO p VALUES (1, 2)",
        "INSERT INTO c VALUES (1, 1, NULL), (2, 1, 2), (3, 9, NULL)",
    ),
    "one NULL of two, of the same table": (
        "CREATE TABLE c (id INTEGER PRIMARY KEY, a, b, x, y, UNIQUE (a, b), FOREIGN KEY (x, y) REFERENCES c (a, b))",
        "INSERT INTO c VALUES (1, 1, 2, NULL, 2), (2, 2, 3, 1, 2)",
    ),
    "a collation that a newer index hides": (
        "CREATE TABLE p (k TEXT COLLATE NOCASE, v)",
        "CREATE UNIQUE INDEX one ON p (k)",
        "CREATE UNIQUE INDEX two ON p (k COLLATE BINARY)",
        REFERS,
        "INSERT INTO p VALUES ('A', 1)",
        "INSERT INTO c VALUES (1, 'a')",
    ),
    "blanks at the end": (
        "CREATE TABLE p (k TEXT COLLATE RTRIM PRIMARY KEY, v)",
        REFERS,
        "INSERT INTO p VALUES ('A', 1)",
        "INSERT INTO c VALUES (1, 'A ')",
    ),
    "1 and 1.0": (
        "CREATE TABLE p (k UNIQUE, v)",
        "CREATE TABLE c (id INTEGER PRIMARY KEY, k REFERENCES p (k))",
        "INSERT INTO p VALUES (1, 1), (2.5, 2)",
        "INSERT INTO c VALUES (1, 1.0), (2, 2.5)",
    ),
    "1 and '1'": (
        "CREATE TABLE p (k TEXT PRIMARY KEY, v)",
        "CREATE TABLE c (id INTEGER PRIMARY KEY, k INTEGER REFERENCES p (k))",
        "INSERT INTO p VALUES ('1', 1)",
        "INSERT INTO c VALUES (1, 1)",
    ),
    "a parent's key that is not unique": (
        "CREATE TABLE p (k TEXT, v)",
        REFERS,
        "INSERT INTO p VALUES ('a', 1), ('a', 2)",
        "INSERT INTO c VALUES (1, 'a'), (2, 'b'), (3, NULL)",
    ),
    "a parent that is nowhere": (REFERS, "INSERT INTO c VALUES (1, 'a'), (2, NULL)"),
}
# keys of SQLite's that other readers would see broken
KEYS = {
    "NULL in it": ("CREATE TABLE p (a TEXT, b, PRIMARY KEY (a, b))", "INSERT INTO p VALUES (NULL, 1), (NULL, 1)"),
    "an integer, and a REAL that is spelled alike": (
        "CREATE TABLE p (k PRIMARY KEY, v)",
        "INSERT INTO p VALUES (1152921504606847000, 1), (1152921504606846976.0, 2)",
    ),
}
# what could be guessed, or told apart, in another way
ROWS = {
    "ends of lines in a key": (
        "CREATE TABLE p (k TEXT PRIMARY KEY, v INTEGER)",
        REFERS,
        "INSERT INTO p VALUES ('A' || char(10), 1), ('A' || char(13), 2), ('A' || char(13, 10), 3)",
        "INSERT INTO c SELECT v, k FROM p",
    ),
    "blanks after each comma": (
        "CREATE TABLE p (v INTEGER, k TEXT PRIMARY KEY, w INTEGER)",
        "INSERT INTO p VALUES (1, ' ''a''', 1), (2, ' b', 2), (3, 'b', 3)",
    ),
    "the ends of numbers": (
        "CREATE TABLE p (k INTEGER PRIMARY KEY, r REAL UNIQUE)",
        "INSERT INTO p VALUES (9223372036854775807, -0.0), (-9223372036854775808, 5e-324), (9007199254740993, 1e308)",
        "INSERT INTO p VALUES (9007199254740992, 0.1), (1, 0.1000000000000001), (0, 9e999)",
    ),
    "texts that look like something else": (
        "CREATE TABLE p (k TEXT PRIMARY KEY, b BOOLEAN, d DATE)",
        "INSERT INTO p VALUES ('2020-01-01', 'true', '2020-01-01'), ('true', 'false', 'x'), ('1', '0', ''), "
        "('01', 'NaN', NULL), ('1.0', '1e5', 'inf'), ('', '#c', '//')",
    ),
    "texts without anything in them": ("CREATE TABLE t (a, b)", "INSERT INTO t VALUES ('', '')"),
    "classes of values in one key": (
        "CREATE TABLE t (k PRIMARY KEY, v)",
        "INSERT INTO t VALUES (1, 1), ('1', 1), (X'31', 1), (1.5, 1), ('', 1), (X'', 1), ('null', 1), (9e999, 1)",
    ),
}
NAMES = {
    "none": ('CREATE TABLE t ("", b)', "INSERT INTO t VALUES (1, 2)"),
    "blanks": ('CREATE TABLE t (" ", "b ", " c", "B", "d\r")', "INSERT INTO t VALUES (1, 2, 3, 4, 5)"),
    "a byte order mark": ('CREATE TABLE t ("\ufeffa", b)', "INSERT INTO t VALUES (1, 2)"),
    "numbers and formulas": ('CREATE TABLE t ("1", "=b")', "INSERT INTO t VALUES (1, 2)"),
    "the same letter twice": ('CREATE TABLE t ("e\u0301", "\u00e9", "\u00c9")', "INSERT INTO t VALUES (1, 2, 3)"),
}


def assert_valid(folder: Path, content: bytes) -> dict[str, Any]:
    """Frictionless finds nothing wrong; the resources by table."""
    report = valid(folder, content)
    assert report.valid, report.flatten(["type", "note"])
    return opened(content)[2]


@pytest.mark.parametrize("members", ["csv", "tsv"])
@pytest.mark.parametrize("case", OTHERWISE)
def test_a_reference_that_only_sqlite_sees_hold_is_not_stated(tmp_path: Path, case: str, members: str) -> None:
    resources = assert_valid(tmp_path, made(*OTHERWISE[case], members=members))
    assert "foreignKeys" not in resources["c"]["schema"]


def test_a_compound_reference_without_null_is_stated(tmp_path: Path) -> None:
    found = assert_valid(tmp_path, made(*OTHERWISE["one NULL of two"], "DELETE FROM c WHERE y IS NULL"))
    stated = {"fields": ["x", "y"], "reference": {"resource": "p", "fields": ["a", "b"]}}
    assert found["c"]["schema"]["foreignKeys"] == [stated]


@pytest.mark.parametrize("case", KEYS)
def test_a_key_that_only_sqlite_sees_hold_is_not_stated(tmp_path: Path, case: str) -> None:
    resources = assert_valid(tmp_path, made(*KEYS[case]))
    assert not {"primaryKey", "uniqueKeys"} & resources["p"]["schema"].keys()


@pytest.mark.parametrize("members", ["csv", "tsv", "ndjson"])
@pytest.mark.parametrize("case", ROWS)
def test_nothing_is_left_to_guess(tmp_path: Path, case: str, members: str) -> None:
    resources = assert_valid(tmp_path, made(*ROWS[case], members=members))
    if members == "csv" and "p" in resources:
        assert "primaryKey" in resources["p"]["schema"]


@pytest.mark.parametrize("how", [{}, {"members": "tsv"}, {"dialect": "spreadsheet"}], ids=str)
@pytest.mark.parametrize("case", NAMES)
def test_columns_of_any_name_are_known_by_their_place(tmp_path: Path, case: str, how: dict[str, str]) -> None:
    assert_valid(tmp_path, made(*NAMES[case], **how))


def test_a_header_that_is_read_as_it_is_is_said_to_be_one() -> None:
    stated = opened(made("CREATE TABLE t (a, b)"))[2]["t"]["dialect"]
    assert "header" not in stated and stated["skipInitialSpace"] is False
    assert opened(made(*NAMES["blanks"]))[2]["t"]["dialect"]["header"] is False


def any_database(examples: int) -> Callable:
    """Tries a test with so many databases at random, however long one takes."""
    return lambda test: settings(deadline=None, max_examples=examples, suppress_health_check=list(HealthCheck))(
        given(built=databases(with_persons=False))(test)
    )


def package_validates(folder: Path, built: Built) -> None:
    with closing(built.open()) as connection:
        assert_valid(folder, b"".join(export(connection, Request(format="package"))))


@any_database(15)
@example(Built(OTHERWISE["one NULL of two"], ()))
@example(Built(OTHERWISE["one NULL of two, of the same table"], ()))
@example(Built(KEYS["an integer, and a REAL that is spelled alike"], ()))
def test_any_database_s_package_validates(tmp_path_factory: pytest.TempPathFactory, built: Built) -> None:
    package_validates(tmp_path_factory.mktemp("any"), built)


@pytest.mark.long
@pytest.mark.timeout(600)
@any_database(500)
def test_the_packages_of_many_databases_validate(tmp_path_factory: pytest.TempPathFactory, built: Built) -> None:
    package_validates(tmp_path_factory.mktemp("many"), built)
