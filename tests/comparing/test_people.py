"""Whose rows differ: counted for each person, where it is known who people are."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from datasette_program_export import compare, export
from datasette_program_export.cli.main import program_export
from datasette_program_export.comparing.comparer import Bounds
from datasette_program_export.demo import ANNA
from datasette_program_export.errors import SpoolFullError
from datasette_program_export.options.settings import Settings
from tests.support.databases.building import database

SHOP = (
    "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT)",
    "CREATE TABLE orders (id INTEGER PRIMARY KEY, person_id INTEGER REFERENCES people)",
    "CREATE TABLE lines (order_id INTEGER REFERENCES orders, what TEXT)",
    "INSERT INTO people VALUES (1, 'a'), (2, 'b'), (3, 'c')",
    "INSERT INTO orders VALUES (10, 1), (20, 2), (30, NULL)",
    "INSERT INTO lines VALUES (10, 'x'), (10, 'y'), (20, 'z'), (30, 'w')",
)
CHANGES = """
UPDATE people SET name = 'B' WHERE id = 2;
DELETE FROM lines WHERE what <> 'z';
INSERT INTO lines VALUES (20, 'new')
"""


def test_rows_are_counted_for_each_person(tmp_path: Path) -> None:
    """Of a table of people, of one that names them, and of one that refers to that; nobody's rows are nobody's."""
    for name in ("a.db", "b.db"):
        database(tmp_path / name, *SHOP).close()
    with closing(sqlite3.connect(tmp_path / "b.db")) as connection:
        connection.executescript(CHANGES)
    settings = Settings(persons=["people"])
    found = compare(tmp_path / "a.db", tmp_path / "b.db", settings=settings, output=tmp_path / "all.ndjson").tables
    assert [(p.key, p.changed) for p in found["people"].people] == [({"id": 2}, 1)]
    counts = [(p.key["id"], p.gone, p.new) for p in found["lines"].people]
    assert counts == [(1, 2, 0), (2, 0, 1)] and found["lines"].people_count == 2
    assert found["orders"].people == []
    written = [json.loads(line) for line in (tmp_path / "all.ndjson").read_text().splitlines()]
    assert sorted((one["table"], one.get("person", {}).get("id", 0)) for one in written) == [
        ("lines", 0), ("lines", 1), ("lines", 1), ("lines", 2), ("people", 2),
    ]  # fmt: skip
    secret = Settings(persons=["people"], secrets={"people": ["id"], "orders": ["person_id"]})
    tables = compare(tmp_path / "a.db", tmp_path / "b.db", settings=secret).tables
    assert all(table.people == [] for table in tables.values())
    guessed = compare(tmp_path / "a.db", tmp_path / "b.db").tables
    assert guessed["lines"].people == []  # a guess of who people are is not told as a fact


@pytest.fixture
def upgraded(demo: Path, tmp_path: Path) -> Path:
    """An export of the demo from before its column was renamed, a table added, and three rows lost."""
    file = tmp_path / "before.programjson"
    file.write_bytes(b"".join(export(demo)))
    with closing(sqlite3.connect(demo)) as connection:
        connection.executescript(f"""
            ALTER TABLE clients RENAME COLUMN last_name TO surname;
            CREATE TABLE tags (id INTEGER PRIMARY KEY, tag TEXT);
            DELETE FROM transit_events WHERE rowid IN (
                SELECT t.rowid FROM transit_events t JOIN charts c ON c.id = t.chart_id WHERE c.client_id = '{ANNA}'
                LIMIT 3)
        """)
    return file


def test_an_upgrade_by_command(demo: Path, upgraded: Path) -> None:
    """The sentence says what was lost; a new name is proposed from values, and counts when an option confirms it."""

    def run(*words: str) -> tuple[int, list[str]]:
        done = CliRunner().invoke(program_export, ["compare", str(upgraded), str(demo), *words])
        return done.exit_code, done.output.splitlines()

    code, said = run()
    assert code == 1
    assert said[0] == (
        "The column last_name of clients is gone, 3 rows of transit_events are gone. New: 1 table, 1 column. "
        "Not compared: 1 column."
    )
    (option,) = {line.partition("If so: ")[2] for line in said if "is called surname now" in line}
    assert option == "--map clients.last_name=surname"
    code, said = run(*option.split())
    assert code == 1 and said[0] == "3 rows of transit_events are gone. New: 1 table. Not compared: 1 column."
    assert f'      by person: id "{ANNA}": 3 gone' in said


def test_a_site_bounds_what_is_read_and_written(tmp_path: Path) -> None:
    """Tables that a person may not see are told like those that are not there; too many differences are refused."""
    for name in ("a.db", "b.db"):
        database(tmp_path / name, *SHOP).close()
    with closing(sqlite3.connect(tmp_path / "b.db")) as connection:
        connection.executescript("DROP TABLE lines")
    bounds = Bounds(names=("before", "now"), visible={"people"}, output_bytes=10)
    found = compare(tmp_path / "a.db", tmp_path / "b.db", bounds=Bounds(visible={"people"}))
    assert found.tables["people"].unchanged == 3
    (tmp_path / "a.programjson").write_bytes(b"".join(export(tmp_path / "a.db")))
    found = compare(tmp_path / "a.programjson", tmp_path / "b.db", bounds=bounds)
    notes = {found.tables[name].note for name in ("orders", "lines")}
    assert notes == {"now has no such table, or you may not see it"} and found.before == "before"
    with pytest.raises(SpoolFullError, match="jobs_disk_mb"):
        compare(tmp_path / "b.db", tmp_path / "a.db", output=tmp_path / "all.json", bounds=Bounds(output_bytes=10))
