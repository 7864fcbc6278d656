"""An import that expects a preview's digest does to each row what that preview showed, or nothing."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from datasette_program_export import RefusedError, load
from datasette_program_export.cli.main import program_export
from datasette_program_export.errors import RequestError
from tests.support.databases.building import database

SCHEMA = (
    "CREATE TABLE t (id INTEGER PRIMARY KEY, phone, note DEFAULT 'none')",
    "CREATE TABLE log (what)",
    "INSERT INTO t VALUES (1, 'old', 'mine'), (2, 'two', 'mine')",
)
FILE = "id,phone\n1,new\n2,two\n3,three\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "t.csv"
    file.write_text(FILE)
    return file


@pytest.fixture
def target(tmp_path: Path) -> Path:
    place = tmp_path / "target.db"
    database(place, *SCHEMA).close()
    return place


def run(target: Path, *statements: str) -> None:
    with closing(sqlite3.connect(target, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def rows(target: Path) -> list[tuple]:
    with closing(sqlite3.connect(target)) as connection:
        return connection.execute("SELECT * FROM t ORDER BY id").fetchall()


def foreseen(target: Path, file: Path, **choices) -> str:
    digest = load(target, file, table="t", preview=True, **choices).foreseen
    assert digest is not None
    return digest


def refused(target: Path, file: Path, digest: str, **choices) -> bool:
    before = rows(target)
    try:
        report = load(target, file, table="t", expect=digest, **choices)
    except RefusedError as error:
        assert [f.kind for f in error.report.findings] == ["foreseen"] and "look again" in str(error)
        assert error.report.safety_copy is None and rows(target) == before
        return True
    assert report.foreseen == digest
    return False


# what happened between the preview and the import, by policy: is it refused?
@pytest.mark.parametrize(
    ("policy", "statement", "expected"),
    [
        ("update", "SELECT 1", False),
        ("update", "UPDATE t SET phone = 'typed' WHERE id = 1", True),
        ("update", "UPDATE t SET phone = 'new' WHERE id = 1", True),  # nothing is left to do there
        ("update", "UPDATE t SET phone = 'typed' WHERE id = 2", True),  # was the same, and would be overwritten
        ("update", "UPDATE t SET note = 'typed' WHERE id = 1", False),  # not overwritten
        ("update", "UPDATE t SET phone = CAST('old' AS BLOB) WHERE id = 1", True),
        ("update", "INSERT INTO t VALUES (9, 'other', NULL)", False),
        ("update", "INSERT INTO t VALUES (3, 'three', NULL)", True),
        ("update", "DELETE FROM t WHERE id = 1", True),
        ("update", "UPDATE t SET id = 10 WHERE id = 1", True),
        ("update", "UPDATE t SET id = id + 1 WHERE id > 1", True),
        ("replace", "UPDATE t SET note = 'typed' WHERE id = 1", True),  # would be set to its default
        ("replace", "UPDATE t SET note = 'typed' WHERE id = 2", False),
        ("skip", "UPDATE t SET phone = 'typed' WHERE id = 1", False),  # it stays as typed
        ("skip", "UPDATE t SET phone = 'typed' WHERE id = 2", True),  # would be told as skipped
        ("skip", "DELETE FROM t WHERE id = 1", True),
    ],
)
def test_only_what_changes_the_outcome_is_refused(
    target: Path, file: Path, policy: str, statement: str, expected: bool
) -> None:
    digest = foreseen(target, file, on_conflict=policy)
    run(target, statement)
    assert refused(target, file, digest, on_conflict=policy) is expected


def test_swapped_values_and_equal_counts_are_another_outcome(target: Path, file: Path) -> None:
    file.write_text("id,phone\n1,new\n2,new\n")
    digest = foreseen(target, file, on_conflict="update")
    run(target, "UPDATE t SET phone = CASE id WHEN 1 THEN 'two' ELSE 'old' END")
    assert refused(target, file, digest, on_conflict="update")


@pytest.mark.parametrize("choices", [{"on_conflict": "skip"}, {"on_conflict": "replace"}, {"insert": False}], ids=str)
def test_another_choice_is_another_outcome(target: Path, file: Path, choices: dict) -> None:
    digest = foreseen(target, file, on_conflict="update")
    assert refused(target, file, digest, **{"on_conflict": "update", **choices})


def test_another_file_is_another_outcome(target: Path, file: Path) -> None:
    digest = foreseen(target, file, on_conflict="update")
    file.write_text(FILE.replace("three", "drei"))
    assert refused(target, file, digest, on_conflict="update")


def test_rows_without_a_key_are_told_by_their_values(tmp_path: Path) -> None:
    target = tmp_path / "target.db"
    database(target, "CREATE TABLE t (a, b)", "INSERT INTO t VALUES ('1', '2')").close()
    file = tmp_path / "t.csv"
    file.write_text("a,b\n1,2\n1,2\n3,4\n")
    digest = load(target, file, table="t", preview=True).foreseen
    run(target, "INSERT INTO t VALUES ('1', '2')")
    with pytest.raises(RefusedError):
        load(target, file, table="t", expect=digest)
    run(target, "DELETE FROM t WHERE rowid = 1")
    assert load(target, file, table="t", expect=digest).tables["t"].insert == 2


def test_a_new_database_is_foreseen_too(target: Path, tmp_path: Path) -> None:
    made = CliRunner().invoke(program_export, ["database", str(target), "-o", str(tmp_path / "all.json")])
    assert made.exit_code == 0
    digest = load(tmp_path / "new.db", tmp_path / "all.json", preview=True).foreseen
    assert load(tmp_path / "new.db", tmp_path / "all.json", expect=digest).foreseen == digest
    again = load(tmp_path / "new.db", tmp_path / "all.json", preview=True)
    assert again.foreseen != digest and again.tables["t"].foreseen is None


def test_what_is_refused_foresees_nothing(target: Path, file: Path) -> None:
    assert load(target, file, table="t", preview=True).foreseen is None


def test_what_is_no_digest_is_named(target: Path, file: Path) -> None:
    with pytest.raises(RequestError, match="expect"):
        load(target, file, table="t", expect="yes")


def test_the_command_tells_the_option_that_imports_just_this(target: Path, file: Path) -> None:
    command = ["import", str(file), str(target), "--table", "t", "--on-conflict", "update"]
    shown = CliRunner().invoke(program_export, [*command, "--preview"])
    digest = shown.output.partition("--expect ")[2].split()[0]
    run(target, "UPDATE t SET phone = 'typed' WHERE id = 1")
    other = CliRunner().invoke(program_export, [*command, "--expect", digest])
    assert other.exit_code == 1 and "look again" in other.output and rows(target)[0][1] == "typed"
    run(target, "UPDATE t SET phone = 'old' WHERE id = 1")
    assert CliRunner().invoke(program_export, [*command, "--expect", digest]).exit_code == 0
    assert rows(target)[0] == (1, "new", "mine")
