"""Every shape that a database of The Program can have: recognised, and exported with all that is in it."""

from __future__ import annotations

import csv
import io
import json
import shutil
import sqlite3
import zipfile
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from datasette_program_export import ExportError, ExportService, Request, Settings, export
from datasette_program_export.cli.main import program_export
from datasette_program_export.database.snapshot import Snapshot
from datasette_program_export.database.source import Source
from datasette_program_export.selection.annotated_schema import AnnotatedSchema, annotate
from tests.support.databases.building import definitions, document, load, violations
from tests.support.databases.shapes import SHAPES, Tables, columns_of, json_columns, key
from tests.support.sites.server import make_datasette

# What belongs to a chart and, by whatever stands between, to a person
OF_CHARTS = {"chart_interpretations", "aspect_patterns", "transit_events", "journal_entries"}
OF_PERSONS = OF_CHARTS | {"birth_data", "charts", "session_notes", "user_events", "transit_contexts"}
API_KEYS = {f"{name}_api_key" for name in ("anthropic", "google", "guardian", "nyt", "newsapi")}
VIEWS = {"client_summary", "recent_charts"}


@dataclass(frozen=True)
class Shape:
    """One of the shapes, as a file."""

    name: str
    path: Path
    tables: Tables
    count: int

    @property
    def person(self) -> str:
        return "clients" if "clients" in self.tables else "birth_data"

    @property
    def secrets(self) -> set[str]:
        return {"password_hash", *(API_KEYS if self.name in ("S4", "S5", "S5b") else ())}

    def rows(self, table: str) -> list[dict[str, Any]]:
        """A table's rows, read by SQLite itself, without secrets."""
        with closing(sqlite3.connect(self.path)) as connection:
            cursor = connection.execute(f"SELECT * FROM {table}")
            names = [c[0] for c in cursor.description]
            found = [dict(zip(names, row)) for row in cursor]
        return [{n: v for n, v in row.items() if n not in self.secrets} for row in found]

    def known(self) -> AnnotatedSchema:
        with closing(Snapshot(Source.of(self.path))) as snapshot:
            return annotate(snapshot.schema, Settings())


@pytest.fixture(params=list(SHAPES))
def shape(request: pytest.FixtureRequest, tmp_path: Path) -> Shape:
    write, tables, count = SHAPES[request.param]
    return Shape(request.param, write(tmp_path / "practice.db"), tables, count)


def only(*names: str) -> Any:
    return pytest.mark.parametrize("shape", names, indirect=True)


def whole(shape: Shape, **how: Any) -> bytes:
    with export(shape.path, Request(**how)) as made:
        return b"".join(made)


def tables_of(shape: Shape) -> set[str]:
    with closing(sqlite3.connect(shape.path)) as connection:
        return {n for (n,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def as_stored(row: dict[str, Any]) -> dict[str, Any]:
    """A row of an export with its embedded JSON as text, however it is spelled."""
    return {n: json.dumps(v) if isinstance(v, (dict, list)) else v for n, v in row.items()}


def same_values(row: dict[str, Any], holds_json: set[str]) -> dict[str, Any]:
    """A stored row with its JSON spelled as ``as_stored`` spells it."""
    return {n: json.dumps(json.loads(v)) if n in holds_json and v is not None else v for n, v in row.items()}


def check_all_rows(shape: Shape, table: str, rows: list[dict[str, Any]]) -> None:
    holds_json = {column for name, column in json_columns(shape.tables) if name == table}
    expected = [same_values(row, holds_json) for row in shape.rows(table)]
    given = [same_values(as_stored(row), holds_json) for row in rows]
    assert sorted(given, key=str) == sorted(expected, key=str), table


def test_it_is_what_it_is_meant_to_be(shape: Shape) -> None:
    """The fixture itself, against the facts: tables, columns, rows."""
    assert len(tables_of(shape)) == shape.count
    assert tables_of(shape) - {"alembic_version"} == set(shape.tables)
    for table in shape.tables:
        assert {c.name for c in columns_of(shape.tables, table)} <= {
            c.name for c in shape.known().schema[table].columns
        }


def test_the_preset_is_recognised_with_the_right_people(shape: Shape) -> None:
    known = shape.known()
    assert (known.preset_name, known.persons) == ("the-program", (shape.person,))
    assert json.loads(whole(shape))["export"]["preset"] == "the-program"
    assert known.caches() == {"location_cache"}
    secrets = {t: set(known.secret_columns(known.schema[t])) for t in shape.tables}
    assert {table: columns for table, columns in secrets.items() if columns} == {"app_config": shape.secrets}


def test_the_whole_database_comes_out_but_for_caches_views_and_secrets(shape: Shape) -> None:
    found = json.loads(whole(shape))
    assert set(found["tables"]) == tables_of(shape) - {"location_cache"}
    for table, rows in found["tables"].items():
        check_all_rows(shape, table, rows)
    views = VIEWS if shape.name in ("S1", "S5") else set()
    assert {entry["table"] for entry in found["coverage"]["left_out"]} == {"location_cache", *views}
    assert {(e["table"], e["column"]) for e in found["coverage"]["secret"]} == {
        ("app_config", name) for name in shape.secrets
    }
    assert found["integrity"]["complete"] is True


def test_a_cache_comes_when_it_is_named(shape: Shape) -> None:
    found = json.loads(whole(shape, tables=("location_cache",)))
    assert len(found["tables"]["location_cache"]) == 2
    service = ExportService(shape.path)
    assert service.export_full_database(include_tables=["location_cache"])["record_counts"] == {"location_cache": 2}


def test_what_dangles_after_loading_is_what_was_announced(shape: Shape) -> None:
    for found in (json.loads(whole(shape)), document(shape.path, shape.person, key(shape.person, 1))):
        announced = Counter({(d["table"], d["other_table"].lower()): d["rows"] for d in found["coverage"]["dangling"]})
        assert announced == ({("aspect_patterns", "charts"): 1} if found["export"]["scope"] == "database" else {})
        with closing(sqlite3.connect(shape.path)) as source, closing(sqlite3.connect(":memory:")) as copy:
            load(copy, found, definitions(source))
            assert violations(copy) == announced
            if found["export"]["scope"] == "database":
                assert violations(source) == announced


def test_a_person_comes_with_all_that_is_theirs_and_nothing_of_others(shape: Shape) -> None:
    found = document(shape.path, shape.person, key(shape.person, 1))
    expected = {shape.person, *(OF_PERSONS & set(shape.tables))}
    assert {t: [r["id"] for r in rows] for t, rows in found["tables"].items() if rows} == {
        table: [key(table, 1)] for table in expected
    }
    assert found["coverage"]["withheld"] == []


def test_json_is_embedded_with_its_own_spelling(shape: Shape) -> None:
    # a column that one shape has and another has not: see the test below
    wanted = json_columns(shape.tables) - {("user_preferences", "enabled_paradigms")}
    data = whole(shape)
    found = json.loads(data)
    for table, column in wanted:
        first = next(r for r in found["tables"][table] if str(r["id"]) in ("1", key(table, 1)))
        assert isinstance(first[column], (dict, list)), (table, column)
    assert b'{"longitude": 176.59051753707058,"orb":1e-07, "sign": "fish \xe2\x99\x93"}' in data


@only("S4", "S5", "S5b")
def test_json_of_a_column_that_older_files_lack_is_embedded_too(shape: Shape) -> None:
    with closing(sqlite3.connect(shape.path)) as connection, connection:
        connection.execute("""UPDATE user_preferences SET enabled_paradigms = '["tarot"]'""")
    assert json.loads(whole(shape))["tables"]["user_preferences"][0]["enabled_paradigms"] == ["tarot"]


async def test_secrets_stay_out_by_every_door(shape: Shape) -> None:
    service = ExportService(shape.path)
    written = [whole(shape).decode()]
    with zipfile.ZipFile(io.BytesIO(whole(shape, format="csv"))) as archive:
        written += [archive.read(name).decode() for name in archive.namelist()]
    for format in ("json", "csv"):
        written += [
            str(service.export_full_database(format)),
            str(service.export_table("app_config", format)),
            "".join(service.stream_table_export("app_config", format)),
        ]
    datasette = make_datasette(shape.path)
    over_http = (await datasette.client.get("/practice.programjson")).text
    assert json.loads(over_http)["tables"] == json.loads(written[0])["tables"]
    for text in [*written, over_http]:
        assert "SECRET" not in text
    with pytest.raises(ExportError, match="password_hash"):
        service.export_table("app_config", filters={"password_hash": "SECRET-password_hash"})


def test_the_service_exports_it_whole(shape: Shape) -> None:
    service = ExportService(shape.path)
    result = service.export_full_database()
    found = json.loads(result["data"])
    assert set(result["tables"]) == tables_of(shape) - {"location_cache"}
    assert list(found) == ["metadata", *result["tables"]]
    for table in result["tables"]:
        check_all_rows(shape, table, found[table])
        assert result["record_counts"][table] == len(found[table])
    assert service.validate_export(result)["valid"] is True
    asked = ["clients", "birth_data", "charts", "chart_interpretations", "interpretations", "aspect_patterns"]
    asked += ["transit_events", "session_notes", "app_config", "user_preferences"]
    assert [t for t in result["tables"] if t in asked] == [t for t in asked if t in shape.tables]
    assert result["tables"] == service.available_tables()["default_tables"]
    texts = service.export_full_database("csv")["data"]
    for table, text in texts.items():
        assert len(list(csv.DictReader(io.StringIO(text, newline="")))) == result["record_counts"][table]


def test_the_service_and_the_command_export_clients_of_every_shape(shape: Shape) -> None:
    """Where the app has no clients any more, its birth records are the people."""
    result = ExportService(shape.path).export_clients([key(shape.person, 1), "nobody"])
    assert (result["table"], result["client_count"], result["missing_ids"]) == (shape.person, 1, ["nobody"])
    theirs = (OF_PERSONS & set(shape.tables)) - {shape.person}
    assert {t: n for t, n in result["related_counts"].items() if n} == dict.fromkeys(theirs, 1)
    assert json.loads(result["data"])[shape.person] == result["clients"]
    assert ExportService(shape.path).validate_export(result)["valid"]
    done = CliRunner().invoke(program_export, ["client", str(shape.path), key(shape.person, 1), "-f", "programjson"])
    assert done.exit_code == 0, done.stderr
    assert len(json.loads(done.stdout)["tables"][shape.person]) == 1


def test_the_service_exports_charts_with_their_readings_only(shape: Shape) -> None:
    result = ExportService(shape.path).export_charts([key("charts", 1)])
    assert result["chart_count"] == result["interpretation_count"] == 1
    assert len(result["aspect_patterns"]) == len(result["transit_events"]) == 1
    names = {"element_key": "chart_interpretations element_key 1"}
    if shape.name in ("S3", "S3b", "S5b"):
        names = {"element_id": "chart_interpretations element_id 1"}
    assert result["interpretations"][0].items() >= names.items()
    # what the result tells of is what its text holds: no journal, which is of the person
    held = json.loads(result["data"])
    assert held.pop("left_out") == result["left_out"]
    assert set(held) == {"charts", "chart_interpretations", "aspect_patterns", "transit_events"}
    skipped = {part["table"]: part["why"] for part in result["left_out"]["skipped"]}
    assert ("journal_entries" in skipped) == ("journal_entries" in shape.tables)
    assert set(skipped.values()) <= {"an export of charts has their readings, patterns and transits only"}


@only("S3")
def test_rows_that_are_only_in_the_wal_come_out_and_stay_there(shape: Shape, tmp_path: Path) -> None:
    wal = Path(f"{shape.path}-wal")
    before = shape.path.read_bytes(), wal.read_bytes()
    alone = Path(shutil.copy(shape.path, tmp_path / "alone.db"))
    with closing(sqlite3.connect(alone)) as connection:
        assert connection.execute("SELECT count(*) FROM charts").fetchone() == (0,)
    assert len(json.loads(whole(shape))["tables"]["charts"]) == 2
    assert ExportService(shape.path).export_table("charts")["record_count"] == 2
    assert (shape.path.read_bytes(), wal.read_bytes()) == before


@only("S4")
def test_circles_are_named_and_rows_of_nobody_are_kept(shape: Shape) -> None:
    found = json.loads(whole(shape))
    assert {d.split(".")[0] for d in found["schema"]["deferred"]} <= {"image_collections", "generated_images"}
    assert found["schema"]["deferred"]
    assert key("journal_entries", 3) in {r["id"] for r in found["tables"]["journal_entries"]}
    second = document(shape.path, "image_collections", key("image_collections", 2))["tables"]
    # down to its pictures; up to what they were made from, which needs its own collection
    assert {r["id"] for r in second["generated_images"]} >= {key("generated_images", 2)}
    assert len(second["image_collections"]) == len({r["id"] for r in second["image_collections"]})


@only("S5b")
def test_an_older_reading_has_its_own_key_and_no_new_one(shape: Shape) -> None:
    rows = ExportService(shape.path).export_table("chart_interpretations")["records"]
    assert all(row["element_id"] and row["element_key"] is None for row in rows)
    assert rows[0]["astro_system"] == "western"
