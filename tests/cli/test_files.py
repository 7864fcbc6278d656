"""Files that the command writes: of a table without rows, and of one table as a zip."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from datasette_program_export.cli.main import program_export
from tests.support.databases.building import database


@pytest.mark.parametrize("form", ["csv", "tsv", "ndjson", "programjson", "package", "sqlite", "sql"])
def test_a_table_without_rows_is_a_file_too(form: str, tmp_path: Path) -> None:
    database(tmp_path / "a.db", "CREATE TABLE t (id INTEGER PRIMARY KEY)").close()
    for command in (["table", str(tmp_path / "a.db"), "t"], ["database", str(tmp_path / "a.db")]):
        suffix = {"package": "zip", "sqlite": "db", "programjson": "json"}.get(form, form)
        file = tmp_path / f"{command[0]}.{suffix}"
        done = CliRunner().invoke(program_export, [*command, "-f", form, "-o", str(file)])
        assert done.exit_code == 0 and file.exists(), done.output
        done = CliRunner().invoke(program_export, [*command, "-f", form])
        assert done.exit_code == 0, done.output


@pytest.mark.parametrize("form", ["csv", "tsv", "ndjson"])
@pytest.mark.parametrize("tables", [1, 2])
def test_a_name_that_ends_in_zip_is_a_zip_also_of_one_table(form: str, tables: int, tmp_path: Path) -> None:
    made = [f"CREATE TABLE t{n} (id INTEGER PRIMARY KEY)" for n in range(tables)]
    database(tmp_path / "a.db", *made).close()
    file = tmp_path / "a.zip"
    done = CliRunner().invoke(program_export, ["database", str(tmp_path / "a.db"), "-f", form, "-o", str(file)])
    assert done.exit_code == 0, done.output
    assert {f"data/t{n}.{form}" for n in range(tables)} <= set(zipfile.ZipFile(file).namelist())
    done = CliRunner().invoke(program_export, ["import", str(file), str(tmp_path / "new.db")])
    assert done.exit_code == 0, done.output
