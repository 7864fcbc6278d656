"""A reference without an index is told with the command that adds the index; run as it is, nothing is left to tell."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from sqlite_utils import Database

from datasette_program_export import Request, Settings, Source, plan
from tests.support.databases.building import database

SLOW = "walked through once; large tables take a moment."
PARENT = "CREATE TABLE p (id INTEGER PRIMARY KEY, a TEXT, b TEXT COLLATE NOCASE, UNIQUE (a, b))"
ROW = "INSERT INTO p VALUES (1, 'x', 'y')"


def notes(path: Path | str, settings: Settings | None = None) -> list[str]:
    return plan(path, Request(table="p", records=[("1",)]), settings=settings).notes


def run(command: str, folder: Path) -> None:
    """As a shell would, with the sqlite-utils that is installed here."""
    program, *words = shlex.split(command)
    assert program == "sqlite-utils"
    done = subprocess.run([sys.executable, "-m", "sqlite_utils", *words], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def advised(told: list[str]) -> list[str]:
    assert all(SLOW in note for note in told)
    return [note.partition(" This adds the index: ")[2] for note in told]


@pytest.mark.parametrize(
    ("statements", "commands"),
    [
        (["CREATE TABLE child (x INTEGER REFERENCES p, y)"], ["create-index {} child x"]),
        (
            ["CREATE TABLE child (x INTEGER REFERENCES p)", "CREATE TABLE other (y INTEGER REFERENCES p)"],
            ["create-index {} child x", "create-index {} other y"],
        ),
        (
            ["CREATE TABLE child (k TEXT COLLATE NOCASE, n TEXT, FOREIGN KEY (n, k) REFERENCES p(a, b))"],
            ["create-index {} child n k"],
        ),
        (["""CREATE TABLE "a child's" ("x y" INTEGER REFERENCES p)"""], ["create-index {} 'a child'\"'\"'s' 'x y'"]),
        (['CREATE TABLE "-t" ("漢 `$x" INTEGER REFERENCES p)'], ["create-index -- {} -t '漢 `$x'"]),
        (['CREATE TABLE child ("-x" INTEGER REFERENCES p)'], ["index-foreign-keys {}"]),
        (
            ["CREATE TABLE child (x INTEGER REFERENCES p)", "CREATE INDEX idx_child_x ON child (x) WHERE x > 9"],
            ["create-index --name=idx_child_x_2 {} child x"],
        ),
        (
            ["CREATE TABLE a_b (c INTEGER REFERENCES p)", "CREATE TABLE a (b_c INTEGER REFERENCES p)"],
            ["create-index {} a_b c", "create-index --name=idx_a_b_c_2 {} a b_c"],
        ),
    ],
    ids=["one", "two", "compound", "quoted", "table like an option", "column like an option", "partial", "same name"],
)
def test_the_command_makes_the_note_vanish(tmp_path: Path, statements: list[str], commands: list[str]) -> None:
    file = tmp_path / "my data.db"
    database(file, PARENT, ROW, *statements).close()
    told = advised(notes(file))
    assert sorted(told) == sorted(f"sqlite-utils {c.format(shlex.quote(str(file)))}" for c in commands)
    for number, command in enumerate(told, 1):
        run(command, tmp_path)
        assert len(notes(file)) == len(told) - number
    assert notes(file) == []


def test_a_reference_from_the_settings_too(tmp_path: Path) -> None:
    """No command for a column that create-index takes for descending order: index-foreign-keys knows it not."""
    file = tmp_path / "x.db"
    database(file, PARENT, ROW, "CREATE TABLE child (x INTEGER, [-y] INTEGER)").close()
    for column, command in (("-y", ""), ("x", f"sqlite-utils create-index {file} child x")):
        key = {"table": "child", "columns": [column], "other_table": "p", "other_columns": ["id"]}
        declared = Settings(virtual_foreign_keys=[key])
        assert advised(notes(file, declared)) == [command]
    run(command, tmp_path)
    assert notes(file, declared) == []


@pytest.mark.parametrize(
    "column", ["a_b TEXT REFERENCES q(k)", "a_b INTEGER REFERENCES q(k)"], ids=["collation", "type"]
)
def test_where_an_index_would_not_serve_none_is_advised(tmp_path: Path, column: str) -> None:
    """With it the note would stay: the parent's collation and type decide what is the same."""
    file = tmp_path / "x.db"
    database(
        file,
        "CREATE TABLE q (p INTEGER REFERENCES p, k TEXT COLLATE NOCASE PRIMARY KEY)",
        PARENT,
        ROW,
        "CREATE INDEX q_p ON q (p)",
        "INSERT INTO q VALUES (1, 'k')",
        f"CREATE TABLE child ({column})",
    ).close()
    (note,) = notes(file)
    assert note == (
        f"child.a_b and q.k differ in type or collation, so that no plain index serves the reference: child is {SLOW}"
    )
    run(f"sqlite-utils create-index {file} child a_b", tmp_path)
    assert notes(file) == [note]


def test_the_path_is_told_as_it_was_given_and_a_folder_only_to_who_gave_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "x.db"
    connection = database(file, PARENT, ROW, "CREATE TABLE child (x INTEGER REFERENCES p)")
    monkeypatch.chdir(tmp_path)
    command = "sqlite-utils create-index x.db child x"
    assert advised(notes("x.db")) == advised(notes(Source("site", file))) == [command]
    for given in (connection, Database(connection)):
        assert advised(notes(given)) == [f"sqlite-utils create-index {file} child x"]
    connection.close()
    memory = database(None, PARENT, ROW, "CREATE TABLE child (x INTEGER REFERENCES p)")
    assert notes(memory) == [f"child.x has no index, so child is {SLOW}"]
    run(command, tmp_path)
    assert notes("x.db") == []
