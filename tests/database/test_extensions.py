"""Extensions of SQLite: loaded as sqlite-utils and Datasette load them, or a sentence that says why they cannot be."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from datasette_program_export.cli.main import program_export
from datasette_program_export.database import library
from datasette_program_export.errors import RequestError, UnsupportedError


class Loading:
    """A connection that notes what it is asked for."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def enable_load_extension(self, on: bool) -> None:
        self.asked.append(on)

    def execute(self, sql: str, values: tuple[str, ...]) -> Loading:
        if "nothing" in values[0]:
            raise sqlite3.OperationalError("nothing.so: cannot open shared object file")
        self.asked.append(values)
        return self

    def fetchone(self) -> None:
        return None


@pytest.fixture
def can_load(monkeypatch: pytest.MonkeyPatch) -> None:
    class Module:
        Connection = Loading
        Error = sqlite3.Error

    monkeypatch.setattr(library, "sqlite3", Module)


@pytest.mark.usefixtures("can_load")
def test_a_path_and_an_entry_point() -> None:
    """It is forbidden again afterwards, whatever happened: SQL from outside must not load anything."""
    load = library.loading(["mod_x", "./a b.so:sqlite3_x_init", "C:\\x.dll", "/tmp/a:b/c.so"])
    assert load is not None
    connection = Loading()
    load(connection)
    assert connection.asked == [
        True,
        ("mod_x",),
        ("./a b.so", "sqlite3_x_init"),
        ("C:\\x.dll",),
        ("/tmp/a:b/c.so",),
        False,
    ]
    connection = Loading()
    load = library.loading(["nothing.so"])
    with pytest.raises(RequestError, match=r"nothing\.so cannot be loaded"):
        load(connection)
    assert connection.asked == [True, False]


def test_a_python_that_cannot_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    class Module:
        Connection = object

    monkeypatch.setattr(library, "sqlite3", Module)
    assert library.loading([]) is None
    with pytest.raises(UnsupportedError, match="This Python cannot load SQLite extensions"):
        library.loading(["mod_spatialite"])


@pytest.mark.parametrize(
    "words",
    [
        ["database", "a.db"],
        ["table", "a.db", "t"],
        ["record", "a.db", "t", "1"],
        ["query", "a.db", "select 1"],
        ["plan", "a.db"],
        ["import", "a.json", "a.db"],
        ["prove", "a.json"],
        ["verify", "a.json", "--against", "a.db"],
    ],
    ids=lambda words: words[0],
)
def test_every_command_that_opens_a_database_takes_them(words: list[str], tmp_path: Path) -> None:
    """None is changed or made if one cannot be loaded, or none at all."""
    with sqlite3.connect(tmp_path / "a.db") as connection:
        connection.executescript("CREATE TABLE t(id INTEGER PRIMARY KEY); INSERT INTO t VALUES (1)")
    connection.close()
    words = [str(tmp_path / word) if word.startswith("a.") else word for word in words]
    whole = CliRunner().invoke(program_export, ["database", str(tmp_path / "a.db"), "-o", str(tmp_path / "a.json")])
    assert whole.exit_code == 0
    done = CliRunner().invoke(program_export, [*words, "--load-extension", str(tmp_path / "nothing.so")])
    assert done.exit_code in (1, 2), done.output
    assert "cannot load SQLite extensions" in done.output or "nothing.so cannot be loaded" in done.output
