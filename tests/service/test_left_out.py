"""What a result does not hold: it says so itself, in the words of documents, and so does the file made of it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from datasette_program_export import ExportService, Request, Settings, export, load
from datasette_program_export.demo import ANNA, C1, PASSWORD_HASH
from tests.support.databases.building import database
from tests.support.files.service_results import results


def coverage(path: Path, **request: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(b"".join(export(path, Request(**request))))["coverage"]
    return found


def test_a_row_of_another_person_is_counted_and_said(demo_file: Path, service: ExportService) -> None:
    """A chart of hers is filed under another client: withheld, as in the document of the same request."""
    result = service.export_clients([ANNA])
    told = result["left_out"]
    assert told["withheld"] == coverage(demo_file, table="clients", records=[(ANNA,)])["withheld"]
    assert told["withheld"][0].items() >= {"table": "charts", "rows": 1, "direction": "down"}.items()
    assert "1 chart of a person not asked for: not included (charts.birth_data_id)." in told["sentences"]
    assert json.loads(result["data"])["left_out"] == told
    everybody = service.export_clients([ANNA], others="include")
    assert everybody["related_counts"]["charts"] == result["related_counts"]["charts"] + 1
    assert everybody["left_out"]["withheld"] == [] and "as was asked for (others)" in str(everybody["left_out"])


def test_a_secret_column_is_named_and_comes_only_when_asked_for(service: ExportService) -> None:
    column = {"table": "app_config", "column": "password_hash", "why": "named as secret"}
    calls: list[Callable[..., Any]] = [
        lambda **how: service.export_full_database(include_tables=["app_config"], **how),
        lambda **how: service.export_table("app_config", **how),
    ]
    for call in calls:
        result = call()
        assert result["left_out"]["secret"] == [column] and PASSWORD_HASH not in result["data"]
        assert "app_config.password_hash: not included, named as secret." in result["data"]
        with_it = call(secrets="include")
        assert with_it["left_out"]["secret"] == [] and PASSWORD_HASH in with_it["data"]
        assert any("as was asked for (secrets)" in sentence for sentence in with_it["left_out"]["warnings"])
    stream = service.stream_table_export("app_config")
    assert stream.left_out is None and PASSWORD_HASH not in "".join(stream)
    assert stream.left_out is not None and stream.left_out["secret"] == [column]


def test_tables_that_are_skipped_are_named_with_the_reason_and_are_warnings(tmp_path: Path) -> None:
    with closing(database(tmp_path / "x.db", "CREATE TABLE t (id)", "CREATE VIEW v AS SELECT id FROM t")) as made:
        made.execute("PRAGMA writable_schema = ON")
        sql = "CREATE VIRTUAL TABLE far USING nobody_has_this(x)"
        made.execute("INSERT INTO sqlite_master VALUES ('table', 'far', 'far', 0, ?)", (sql,))
        made.commit()
    service = ExportService(tmp_path / "x.db")
    result = service.export_full_database()
    skipped = {part["table"]: part["why"] for part in result["left_out"]["skipped"]}
    assert set(skipped) == {"far", "v"} and all(skipped.values()) and result["tables"] == ["t"]
    report = service.validate_export(result)
    assert report["valid"]
    assert [w for w in report["warnings"] if "far" in w] == [f"Table 'far' is not included: {skipped['far']}"]
    assert json.loads(result["data"])["metadata"]["left_out"] == result["left_out"]


def test_what_was_left_out_on_purpose_is_told_but_no_warning(service: ExportService) -> None:
    how: dict[str, Any] = {"exclude_tables": ["location_cache", "clients"], "without": ["charts.chart_data"]}
    result = service.export_full_database(**how)
    parts = [(part["table"], part["column"], part["why"]) for part in result["left_out"]["skipped"]]
    asked = [("clients", None, None), ("location_cache", None, None), ("charts", "chart_data", None)]
    assert [part for part in parts if part[2] is None] == asked
    assert [part[0] for part in parts].count("location_cache") == 1  # not as a cache, too
    assert "chart_data" not in json.loads(result["data"])["charts"][0]
    assert not [w for w in service.validate_export(result)["warnings"] if "not included: as" in w or "clients" in w]


def test_references_to_what_is_not_there_are_counted(demo_file: Path, service: ExportService) -> None:
    told = service.export_charts([C1])["left_out"]["dangling"]
    assert {(part["table"], part["columns"][0], part["rows"]) for part in told} >= {("charts", "birth_data_id", 1)}


def test_who_was_taken_for_people_is_said_where_nobody_named_them(tmp_path: Path) -> None:
    with closing(
        database(
            tmp_path / "x.db",
            "CREATE TABLE clients (id INTEGER PRIMARY KEY, first_name TEXT, last_name TEXT, email TEXT)",
            "CREATE TABLE notes (id INTEGER PRIMARY KEY, client_id REFERENCES clients, text)",
            "INSERT INTO clients VALUES (1, 'A', 'B', 'c'), (2, 'D', 'E', 'f')",
            "INSERT INTO notes VALUES (1, 1, 'x'), (2, 2, 'y')",
        )
    ):
        told = ExportService(tmp_path / "x.db").export_clients([1])["left_out"]
    assert told["people"] == {"tables": ["clients"], "known_by": "guess", "doubtful": {}}
    assert told["sentences"] and "taken for people" in told["sentences"][0]


def test_a_text_that_is_no_json_in_a_column_of_json_is_a_warning(demo: Path) -> None:
    with closing(sqlite3.connect(demo)) as connection, connection:
        connection.execute("UPDATE charts SET chart_data = '{broken' WHERE id = ?", (C1,))
    service = ExportService(demo)
    stream = service.stream_table_export("charts")
    "".join(stream)
    assert stream.left_out is not None
    for told in (
        service.export_full_database()["left_out"],
        service.export_charts([C1])["left_out"],
        service.export_table("charts", pretty=False)["left_out"],
        stream.left_out,
    ):
        assert [w for w in told["warnings"] if w.startswith("charts.chart_data: 1 text(s) are not JSON")]
    assert service.export_table("charts", "csv")["left_out"]["warnings"] == []


@pytest.mark.parametrize("format", ["json", "csv"])
def test_nothing_left_out_is_said_with_the_same_keys(tmp_path: Path, format: str) -> None:
    database(tmp_path / "x.db", "CREATE TABLE clients (id INTEGER PRIMARY KEY)", "CREATE TABLE charts (id)").close()
    service = ExportService(tmp_path / "x.db", Settings(persons=["clients"]))
    result = service.export_clients([1], format)
    empty: dict[str, Any] = {k: [] for k in ("withheld", "secret", "skipped", "dangling", "warnings", "sentences")}
    people = {"tables": ["clients"], "known_by": "settings", "doubtful": {}}
    assert result["left_out"] == {**empty, "people": people}
    assert "left_out" not in result["data"]


def test_a_table_called_left_out_is_not_lost(tmp_path: Path) -> None:
    with closing(
        database(
            tmp_path / "x.db",
            "CREATE TABLE clients (id INTEGER PRIMARY KEY, password TEXT)",
            "CREATE TABLE left_out (id INTEGER PRIMARY KEY, client_id REFERENCES clients)",
            "INSERT INTO clients VALUES (1, 'x')",
            "INSERT INTO left_out VALUES (7, 1)",
        )
    ):
        result = ExportService(tmp_path / "x.db").export_clients([1])
    found = json.loads(result["data"])
    assert found["left_out"] == [{"id": 7, "client_id": 1}] and found["_left_out"] == result["left_out"]


def test_every_result_tells_and_its_sentences_are_those_of_a_document(demo_file: Path, service: ExportService) -> None:
    for name, result in results(service, "csv").items():
        told = result["left_out"]
        assert set(told) == {"withheld", "secret", "skipped", "dangling", "people", "warnings", "sentences"}, name
    whole = coverage(demo_file)
    told = service.export_full_database()["left_out"]
    assert (told["secret"], told["warnings"]) == (whole["secret"], whole["warnings"])
    assert [{k: v for k, v in part.items() if v is not None} for part in told["skipped"]] == whole["left_out"]


def test_a_file_that_tells_what_was_left_out_is_imported_again(demo: Path, tmp_path: Path) -> None:
    service = ExportService(demo)
    for result in (
        service.export_full_database(include_tables=["app_config", "clients"]),
        service.export_clients([ANNA], without=["charts"]),
        service.export_charts([C1]),
        service.export_table("session_notes", without=["session_notes.created_at"]),
    ):
        assert '"left_out"' in result["data"]
        (tmp_path / "saved.json").write_text(result["data"], encoding="utf-8")
        report = load(demo, tmp_path / "saved.json")
        assert sum(table.unchanged for table in report.tables.values()) > 0
