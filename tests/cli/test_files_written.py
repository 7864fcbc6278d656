"""The files that commands write: who can read them, and that they are what their names say."""

from __future__ import annotations

import os
import sqlite3
import stat
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from datasette_program_export.cli.main import program_export


def run(*words: object) -> Result:
    return CliRunner().invoke(program_export, [str(w) for w in words])


def mode(path: Path) -> str:
    return oct(stat.S_IMODE(path.stat().st_mode))


@pytest.fixture(params=[0o022, 0o027, 0o077], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


@pytest.fixture
def one_table(tmp_path: Path) -> Path:
    with closing(sqlite3.connect(tmp_path / "one.db")) as connection:
        connection.executescript("CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT); INSERT INTO t VALUES (1, 'x')")
    return tmp_path / "one.db"


def test_the_umask_decides_who_can_read_a_file(demo_file: Path, tmp_path: Path, umask: int) -> None:
    usual = oct(0o666 & ~umask)
    for words in (["-o", tmp_path / "a.json"], ["-o", tmp_path / "p.zip", "--prove"], ["-o", tmp_path / "a.db"]):
        assert run("database", demo_file, *words).exit_code == 0
        assert mode(words[1]) == usual
    assert run("import", tmp_path / "a.json", tmp_path / "new.db").exit_code == 0
    assert mode(tmp_path / "new.db") == usual


def test_secrets_are_for_their_owner_only(demo_file: Path, tmp_path: Path, umask: int) -> None:
    for words in (["-o", tmp_path / "s.json"], ["-o", tmp_path / "s.zip", "--prove"]):
        words[1].touch(0o644)
        assert run("database", demo_file, "--secrets", "include", *words).exit_code == 0
        assert mode(words[1]) == "0o600"
    assert run("import", tmp_path / "s.json", tmp_path / "new.db").exit_code == 0
    assert mode(tmp_path / "new.db") == "0o600"


def test_a_file_that_is_replaced_keeps_its_readers(one_table: Path, tmp_path: Path) -> None:
    (tmp_path / "x.csv").touch()
    (tmp_path / "x.csv").chmod(0o640)
    assert run("table", one_table, "t", "-o", tmp_path / "x.csv").exit_code == 0
    assert mode(tmp_path / "x.csv") == "0o640"


@pytest.mark.parametrize(
    "words",
    [
        ["-f", "csv", "-o", "x.json"],
        ["-f", "package", "-o", "x.csv"],
        ["-f", "sqlite", "-o", "x.sql"],
        ["-f", "csv", "-o", "x.tsv"],
        ["--compress", "gzip", "-o", "x.csv"],
        ["-f", "json", "--compress", "gzip", "-o", "x.json.zst"],
    ],
)
def test_a_name_that_says_something_else_is_refused(words: list[str], one_table: Path, tmp_path: Path) -> None:
    words = [word.replace("x.", f"{tmp_path}/x.") for word in words]
    assert run("database", one_table, *words).exit_code == 2
    assert [path.name for path in tmp_path.iterdir()] == ["one.db"]


@pytest.mark.parametrize("form", ["csv", "tsv", "ndjson"])
def test_one_table_in_a_zip_is_a_zip(form: str, one_table: Path, tmp_path: Path) -> None:
    """So a script over many databases meets the same file whether they have one table or several."""
    for words in (["database", one_table], ["table", one_table, "t"]):
        assert run(*words, "-f", form, "-o", tmp_path / "x.zip").exit_code == 0
        assert f"data/t.{form}" in zipfile.ZipFile(tmp_path / "x.zip").namelist()
        assert run("verify", tmp_path / "x.zip").exit_code == 0
    assert run("database", one_table, "-f", form, "--dialect", "spreadsheet", "-o", tmp_path / "x.zip").exit_code == 0


def test_an_ending_that_says_nothing_is_as_it_was(one_table: Path, tmp_path: Path) -> None:
    for name in ("x.txt", "x", "x.csv", "x.CSV"):
        assert run("database", one_table, "-f", "csv", "-o", tmp_path / name).exit_code == 0
        assert (tmp_path / name).read_bytes() == b"id,a\r\n1,x\r\n"
