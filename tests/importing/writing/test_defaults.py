"""What new rows get where the application fills a column and its database does not."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from click.testing import CliRunner

from datasette_program_export import RefusedError, Request, export, load
from datasette_program_export.cli.main import program_export
from datasette_program_export.options.preset import load_preset

# as the application's ORM makes them: no column has a DEFAULT
TABLES = """
CREATE TABLE clients (first_name VARCHAR, id VARCHAR NOT NULL PRIMARY KEY,
  created_at VARCHAR NOT NULL, updated_at VARCHAR NOT NULL);
CREATE TABLE birth_data (client_id VARCHAR NOT NULL REFERENCES clients, birth_date VARCHAR NOT NULL, birth_time VARCHAR,
  time_unknown BOOLEAN NOT NULL, latitude FLOAT NOT NULL, longitude FLOAT NOT NULL, timezone VARCHAR NOT NULL,
  id VARCHAR NOT NULL PRIMARY KEY, created_at VARCHAR NOT NULL, updated_at VARCHAR NOT NULL);
CREATE TABLE charts (birth_data_id VARCHAR NOT NULL REFERENCES birth_data, chart_type VARCHAR NOT NULL,
  zodiac_type VARCHAR NOT NULL, chart_data VARCHAR NOT NULL, id VARCHAR NOT NULL PRIMARY KEY,
  created_at VARCHAR NOT NULL, updated_at VARCHAR NOT NULL);
CREATE TABLE chart_interpretations (chart_id VARCHAR NOT NULL REFERENCES charts, ai_description VARCHAR NOT NULL,
  version INTEGER NOT NULL, is_approved VARCHAR, id VARCHAR NOT NULL PRIMARY KEY,
  created_at VARCHAR NOT NULL DEFAULT 'its own', updated_at VARCHAR NOT NULL);
"""
ROWS = {
    "clients": [{"id": "a", "first_name": "Ann"}, {"id": "b", "created_at": "2020-01-01", "updated_at": "2021-01-01"}],
    "birth_data": [
        {"id": "x", "client_id": "a", "birth_date": "2000-01-01", "latitude": 1, "longitude": 2, "timezone": "UTC"}
    ],
    "charts": [{"id": "c", "birth_data_id": "x", "chart_type": "natal", "chart_data": {}}],
    "chart_interpretations": [{"id": "i", "chart_id": "c", "ai_description": "text"}],
}


@pytest.fixture
def target(tmp_path: Path) -> Path:
    with closing(sqlite3.connect(tmp_path / "target.db")) as connection:
        connection.executescript(TABLES)
    return tmp_path / "target.db"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "rows.json").write_text(json.dumps(ROWS))
    return tmp_path / "rows.json"


def rows(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


def test_new_rows_get_what_the_application_gives_them(target: Path, file: Path) -> None:
    """As the preview says; a default of the table itself wins, and what the file gives stays."""
    seen = load(target, file, preview=True)
    assert seen.tables["birth_data"].defaults == {"created_at": "now", "updated_at": "now", "time_unknown": "0"}
    assert seen.tables["charts"].defaults["zodiac_type"] == "tropical"
    load(target, file, expect=seen.foreseen)
    assert rows(target, "SELECT time_unknown, typeof(time_unknown) FROM birth_data") == [(0, "integer")]
    assert rows(target, "SELECT zodiac_type FROM charts") == [("tropical",)]
    assert rows(target, "SELECT version, is_approved, created_at FROM chart_interpretations") == [
        (1, "pending", "its own")
    ]
    (ann, bob) = rows(target, "SELECT created_at, updated_at FROM clients ORDER BY id")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?", ann[0]) and ann[0] == ann[1]
    assert bob == ("2020-01-01", "2021-01-01")
    assert len(set(rows(target, "SELECT updated_at FROM charts UNION SELECT updated_at FROM birth_data"))) == 1


def test_rows_that_are_there_keep_theirs(target: Path, file: Path) -> None:
    load(target, file)
    with closing(sqlite3.connect(target)) as connection:
        connection.execute("UPDATE charts SET zodiac_type = 'sidereal', created_at = 'then', chart_type = 'other'")
        connection.commit()
    found = load(target, file, on_conflict="update")
    assert found.total("update") == 1 and found.total("unchanged") == 4
    assert rows(target, "SELECT zodiac_type, created_at, chart_type FROM charts") == [("sidereal", "then", "natal")]


def test_one_bad_row_is_still_found(target: Path, file: Path) -> None:
    """Also where rows are written one by one, and where a given NULL is refused: it is no column that is missing."""
    changed = {**ROWS, "charts": [*ROWS["charts"], {**ROWS["charts"][0], "id": "d", "zodiac_type": None}]}
    file.write_text(json.dumps(changed))
    with pytest.raises(RefusedError, match="Row 2 of charts: zodiac_type needs a value"):
        load(target, file)
    found = load(target, file, leave_out_bad_rows=True)
    assert found.set_aside == 1 and rows(target, "SELECT id, zodiac_type FROM charts") == [("c", "tropical")]


def test_csv_into_such_a_database_and_the_command_tells(target: Path, tmp_path: Path) -> None:
    (tmp_path / "clients.csv").write_text("id,first_name\na,Ann\n")
    done = CliRunner().invoke(program_export, ["import", str(tmp_path / "clients.csv"), str(target), "--preview"])
    assert "not in the file, as the application sets it in new rows: created_at now, updated_at now" in done.output


def test_another_application_s_columns_are_left_alone(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "other.db")) as connection:
        connection.executescript("CREATE TABLE clients(id INTEGER PRIMARY KEY, created_at TEXT, version INTEGER)")
    (tmp_path / "clients.csv").write_text("id\n1\n")
    assert load(tmp_path / "other.db", tmp_path / "clients.csv").tables["clients"].defaults == {}
    assert rows(tmp_path / "other.db", "SELECT * FROM clients") == [(1, None, None)]


def test_the_preset_knows_only_tables_that_it_may_meet() -> None:
    preset = load_preset("the-program")
    known = {*preset.subjects, *preset.json_columns, *preset.secrets, *preset.order, "*", "interest_profiles"}
    assert set(preset.defaults) <= known


CELLS = """
CREATE TABLE clients (id TEXT PRIMARY KEY, name TEXT NOT NULL, active INTEGER NOT NULL DEFAULT 1,
  kind TEXT NOT NULL DEFAULT "a person", since TEXT NOT NULL DEFAULT (date('2020-01-01', '+1 day')),
  note TEXT DEFAULT 'x');
INSERT INTO clients VALUES ('a', 'Ann', 0, 'firm', '1999-01-01', NULL);
"""


@pytest.fixture
def cells(tmp_path: Path) -> Path:
    with closing(sqlite3.connect(tmp_path / "cells.db")) as connection:
        connection.executescript(CELLS)
    return tmp_path / "cells.db"


def with_a_row(database: Path, form: str) -> Path:
    """The table as a file in which a person typed one more row: a key and a name."""
    file = database.with_suffix(f".{form}")
    file.write_bytes(b"".join(export(database, Request(table="clients", format=form))))
    if form == "csv":
        file.write_text(file.read_text() + "b,Bob,,,,\n")
    else:
        book = openpyxl.load_workbook(file)
        book["clients"].append(["b", "Bob"])
        book.save(file)
    return file


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_an_empty_cell_of_a_new_row_means_the_default_where_a_value_is_needed(form: str, cells: Path) -> None:
    file = with_a_row(cells, form)
    preview = load(cells, file, preview=True)
    told = preview.tables["clients"]
    assert (told.insert, told.unchanged, told.update) == (1, 1, 0)
    assert set(told.defaults) == {"active", "kind", "since"} and told.defaults["active"] == "1"
    new = ("b", "Bob", 1, "a person", "2020-01-02", None)  # no default where a cell may be empty
    assert tuple(told.new_rows[0].values()) == new
    load(cells, file, expect=preview.foreseen)
    assert rows(cells, "SELECT * FROM clients") == [("a", "Ann", 0, "firm", "1999-01-01", None), new]
    assert load(cells, file, on_conflict="skip").tables["clients"].insert == 0


def test_a_cell_that_a_person_emptied_is_not_filled(cells: Path) -> None:
    (cells.parent / "clients.csv").write_text("id,name,active\na,Ann,\n")
    with pytest.raises(RefusedError, match="Line 2 of clients: active needs a value"):
        load(cells, cells.parent / "clients.csv", on_conflict="update")


@pytest.mark.parametrize("row", [{"id": "b", "name": "Bob", "active": None}, {"id": "b", "name": None}])
def test_a_null_in_json_is_meant(row: dict[str, Any], cells: Path) -> None:
    (cells.parent / "rows.json").write_text(json.dumps({"clients": [row]}))
    with pytest.raises(RefusedError, match="needs a value"):
        load(cells, cells.parent / "rows.json")


def test_the_application_s_default_fills_an_empty_cell(target: Path) -> None:
    (target.parent / "clients.csv").write_text("id,first_name,created_at,updated_at\na,Ann,,2020-01-01\n")
    report = load(target, target.parent / "clients.csv")
    assert set(report.tables["clients"].defaults) == {"created_at"}
    ((made, changed),) = rows(target, "SELECT created_at, updated_at FROM clients")
    assert changed == "2020-01-01" and re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+", made)
