"""ImportService: the original's import, with each of its bugs done right."""

from __future__ import annotations

import gzip
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from datasette_program_export import ExportService, ImportService
from datasette_program_export.errors import RequestError
from datasette_program_export.service.import_models import DryRunResult, ImportResult, ValidationResult
from tests.support.files.changing import state

CHART_TABLES = ("chart_interpretations", "aspect_patterns", "transit_events")


def count(path: Path, table: str) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def emptied(demo: Path, *tables: str) -> Path:
    copy = demo.with_name("target.db")
    with closing(sqlite3.connect(demo)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
        for table in tables or ("clients", "birth_data", "charts", "session_notes", *CHART_TABLES):
            target.execute(f"DELETE FROM {table}")
        target.commit()
    return copy


def first_chart(demo: Path) -> dict[str, Any]:
    found: dict[str, Any] = ExportService(demo).export_table("charts", limit=1)["records"][0]
    return found


def result(found: ImportResult) -> ImportResult:
    """Every result is as its model says, and each value is an attribute and a key."""
    assert ImportResult.model_validate(found.model_dump()) == found and dict(found) == dict(found.items())
    assert all(found[name] is getattr(found, name) for name in found.keys())  # noqa: SIM118
    return found


def test_everything_exported_comes_back(demo: Path) -> None:
    target = emptied(demo)
    data = ExportService(demo).export_full_database()["data"]
    done = result(ImportService(target).import_full_database(data))
    assert done["success"] and done["errors"] == [] and done["failed_records"] == 0
    assert done["table_stats"]["charts"]["inserted"] == count(demo, "charts") == count(target, "charts")
    assert done["total_records"] == 912 and done["rollback_available"] and Path(done["backup_path"]).is_file()
    assert {k: v for k, v in done.items() if k.endswith("_records")}["inserted_records"] > 800


def test_charts_come_with_their_nested_lists(demo: Path) -> None:
    charts = ExportService(demo).export_charts([first_chart(demo)["id"]])
    chart = {**charts["charts"][0], **{n: charts[n] for n in ("interpretations", "aspect_patterns", "transit_events")}}
    target = emptied(demo, "charts", *CHART_TABLES)
    done = result(ImportService(target).import_charts([chart]))
    assert done["success"], done["errors"]
    assert done["inserted_records"] == 1 + sum(count(target, t) for t in CHART_TABLES) > 1


def test_clients_come_with_what_belongs_to_them(demo: Path) -> None:
    with closing(sqlite3.connect(demo)) as connection:
        ids = [key for (key,) in connection.execute("SELECT id FROM clients LIMIT 2")]
    clients = ExportService(demo).export_clients(ids)
    target = emptied(demo)
    done = result(ImportService(target).import_clients(clients, {"allow_dangling": True}))
    wanted = 2 + sum(clients["related_counts"].values())
    assert done["success"] and done["inserted_records"] == wanted, done["errors"]


@pytest.mark.parametrize(
    ("mode", "inserted", "updated", "skipped"),
    [("merge", 1, 1, 0), ("replace", 1, 1, 0), ("skip", 1, 0, 1), ("update", 0, 1, 1)],
)
def test_the_four_modes(mode: str, inserted: int, updated: int, skipped: int, demo: Path) -> None:
    chart = first_chart(demo)
    rows = [{**chart, "chart_name": "changed"}, {**chart, "id": "new"}]
    foretold = ImportService(demo).import_table("charts", rows, {"mode": mode}, dry_run=True)
    DryRunResult.model_validate(foretold)
    done = result(ImportService(demo).import_table("charts", rows, {"mode": mode}))
    assert (done["inserted_records"], done["updated_records"], done["skipped_records"]) == (inserted, updated, skipped)
    assert [foretold[f"would_{what}"] for what in ("insert", "update", "skip")] == [inserted, updated, skipped]
    assert foretold["would_fail"] == 0


def test_a_dry_run_shows_what_differs_and_writes_nothing(demo: Path) -> None:
    before = state(demo)
    rows = [{**first_chart(demo), "chart_name": "changed"}]
    foretold = ImportService(demo).import_table("charts", rows, dry_run=True)
    (conflict,) = foretold["conflict_report"]["conflicts"]
    assert conflict["field_name"] == "chart_name" and conflict["import_value"] == "changed"
    assert conflict["resolution"] == "merge_fields" and foretold["conflict_report"]["total_conflicts"] == 1
    assert foretold["table_previews"]["charts"]["sample_updates"][0]["chart_name"] == "changed"
    assert state(demo) == before


def test_bug_25_a_streamed_array_is_imported_into_the_table_that_is_named(demo: Path) -> None:
    text = "".join(ExportService(demo).stream_table_export("transit_events"))
    target = emptied(demo, "transit_events")
    done = result(ImportService(target).import_table("transit_events", text))
    assert done["success"] and done["inserted_records"] == count(demo, "transit_events")
    with pytest.raises(ValueError, match="names no table"):
        ImportService(target).import_full_database('[{"nothing": 1}]')  # fits no table by its columns


@pytest.mark.parametrize("table", ["chart_interpretations", "user_preferences", "charts"])
def test_bug_26_a_csv_goes_into_the_table_that_is_named(table: str, demo: Path) -> None:
    text = ExportService(demo).export_table(table, format="csv")["data"]
    done = result(ImportService(demo).import_table(table, text, {"mode": "skip"}))
    assert done["success"] and done["format"] == "csv", done["errors"]
    assert done["table_stats"][table]["skipped"] == count(demo, table)


def test_bug_27_replacing_a_chart_deletes_nothing_that_hangs_on_it(demo: Path) -> None:
    before = [count(demo, t) for t in CHART_TABLES]
    done = result(ImportService(demo).import_charts([{**first_chart(demo), "chart_name": "x"}], {"mode": "replace"}))
    assert done["updated_records"] == 1 and [count(demo, t) for t in CHART_TABLES] == before


def test_bug_28_an_unknown_table_is_an_error(demo: Path) -> None:
    done = result(ImportService(demo).import_full_database({"customers": [{"id": "x"}]}))
    assert not done["success"] and "customers is not in the target" in done["errors"][0]


def test_bug_29_a_missing_parent_is_reported(demo: Path) -> None:
    rows = [{**first_chart(demo), "id": "new", "birth_data_id": "nobody"}]
    found = ImportService(demo).validate(rows, {"table": "charts"})
    ValidationResult.model_validate(found)
    assert not found["valid"] and found["errors"][0]["field"] == "birth_data_id"
    done = result(ImportService(demo).import_table("charts", rows))
    assert done["conflict_report"]["conflicts_by_type"] == {"missing_foreign_key": 1}


def test_bug_30_a_dry_run_foretells_a_value_that_must_be_unique(demo: Path) -> None:
    one = {"city_name": "Lisbon", "country": "Portugal", "latitude": 1, "longitude": 1, "timezone": "x"}
    rows = [{"id": "a", **one, "geonames_id": 999}, {"id": "b", **one, "geonames_id": 999}]
    foretold = ImportService(demo).import_table("location_cache", rows, dry_run=True)
    done = result(ImportService(demo).import_table("location_cache", rows))
    assert foretold["would_fail"] == done["failed_records"] == 1 and not done["success"]
    assert foretold["would_insert"] == done["inserted_records"] == 0
    assert foretold["validation_result"]["errors"][0]["line_number"] == 2


def test_bug_31_what_is_reported_as_inserted_is_there_for_everybody(demo: Path) -> None:
    done = result(ImportService(demo).import_charts([{**first_chart(demo), "id": "new"}]))
    assert done["inserted_records"] == 1
    with closing(sqlite3.connect(demo)) as other:
        assert other.execute("SELECT count(*) FROM charts WHERE id = 'new'").fetchone() == (1,)
    with pytest.raises(ValueError, match="use_transactions"):
        ImportService(demo).import_charts([], {"use_transactions": False})


def test_bug_32_going_on_after_errors_keeps_the_good_rows_and_blames_the_right_one(demo: Path) -> None:
    chart = first_chart(demo)
    rows = [{**chart, "id": "one"}, {**chart, "id": "two", "chart_type": None}, {**chart, "id": "three"}]
    foretold = ImportService(demo).import_table("charts", rows, {"continue_on_error": True}, dry_run=True)
    done = result(ImportService(demo).import_table("charts", rows, {"continue_on_error": True}))
    assert done["success"] and (done["inserted_records"], done["failed_records"]) == (2, 1)
    assert (foretold["would_insert"], foretold["would_fail"]) == (2, 1)
    assert done["errors"] == ["Row 2 of charts: chart_type needs a value."]
    with closing(sqlite3.connect(demo)) as other:
        ids = other.execute("SELECT id FROM charts WHERE id IN ('one', 'two', 'three') ORDER BY rowid").fetchall()
    assert ids == [("one",), ("three",)]


def test_bug_32_what_hangs_on_a_row_that_was_left_out_is_left_out_too(demo: Path) -> None:
    chart = first_chart(demo)
    pattern = {"id": "p", "pattern_type": "yod", "planets_involved": [], "chart_id": "bad"}
    data = {"charts": [{**chart, "id": "bad", "chart_type": None}], "aspect_patterns": [pattern]}
    done = result(ImportService(demo).import_full_database(data, {"continue_on_error": True}))
    assert done["success"] and (done["inserted_records"], done["failed_records"]) == (0, 2)


def test_bug_32_a_value_that_no_database_can_hold_is_one_bad_row_too(demo: Path) -> None:
    chart = first_chart(demo)
    rows = [{**chart, "id": "one", "chart_name": 2**80}, {**chart, "id": "two"}]
    done = result(ImportService(demo).import_table("charts", rows, {"continue_on_error": True}))
    assert done["success"] and (done["inserted_records"], done["failed_records"]) == (1, 1)
    assert not ImportService(demo).import_table("charts", rows)["success"]
    broken = {"charts": rows, "nowhere": [{"id": 1}]}  # which is not a matter of a row
    assert not ImportService(demo).import_full_database(broken, {"continue_on_error": True})["success"]


def test_bug_33_every_option_is_read_and_any_other_is_an_error(demo: Path, tmp_path: Path) -> None:
    service, chart = ImportService(demo), first_chart(demo)
    with pytest.raises(RequestError, match="disable_foreign_key_checks"):
        service.import_charts([], {"disable_foreign_key_checks": True})
    bad = [{**chart, "id": str(n), "chart_type": None} for n in range(3)] + [{**chart, "id": "good"}]
    options = {"continue_on_error": True, "backup_path": str(tmp_path / "copy.db")}
    assert not service.import_charts(bad, {**options, "max_errors": 2})["success"]
    done = result(service.import_charts(bad, {**options, "max_errors": 3}))
    assert done["success"] and done["backup_path"] == str(tmp_path / "copy.db")
    text = "one;x\ntwo;y\n"
    with closing(sqlite3.connect(demo)) as target:
        target.execute("CREATE TABLE t (id TEXT PRIMARY KEY, x)")
        target.commit()
    how = {"csv_has_header": False, "csv_delimiter": ";", "create_backup": False}
    assert service.import_table("t", text, how)["inserted_records"] == 2


def test_bug_34_replacing_keeps_the_password(demo: Path) -> None:
    query = "SELECT password_hash FROM app_config"
    with closing(sqlite3.connect(demo)) as connection:
        connection.execute("UPDATE app_config SET password_hash = 'hash'")
        connection.commit()
    config = ExportService(demo).export_table("app_config")["records"]
    config[0]["app_version"] = "9"
    done = result(ImportService(demo).import_table("app_config", config, {"mode": "replace"}))
    assert done["updated_records"] == 1
    with closing(sqlite3.connect(demo)) as connection:
        assert connection.execute(query).fetchall() == [("hash",)]


def test_bug_35_every_method_that_is_documented_is_there(demo: Path) -> None:
    service = ImportService(demo)
    for method in (service.import_full_database, service.import_clients, service.import_charts):
        assert result(method({}))["success"] is False  # there is nothing in it, which is said
        assert method({"charts": []}, dry_run=True)["total_records"] == 0
    assert service.validate({"charts": []}).model_dump(exclude_defaults=True) == {"valid": True}
    assert service.import_table("charts", [])["success"]


def test_bug_36_compressed_bytes_are_read(demo: Path) -> None:
    data = gzip.compress(json.dumps({"charts": [{**first_chart(demo), "id": "new"}]}).encode())
    assert result(ImportService(demo).import_full_database(data))["inserted_records"] == 1


def test_bug_37_there_is_one_word_for_each_mode(demo: Path) -> None:
    with pytest.raises(ValueError, match="mode"):
        ImportService(demo).import_charts([], {"mode": "upsert"})
    with pytest.raises(ValueError, match="import_mode"):
        ImportService(demo).import_charts([], {"import_mode": "merge"})


def test_an_own_connection_and_no_error_shows_values(demo: Path) -> None:
    with closing(sqlite3.connect(demo)) as connection:
        rows = [{**first_chart(demo), "id": "new", "chart_name": "very private", "chart_type": None}]
        done = result(ImportService(connection).import_charts(rows))
    assert not done["success"] and "private" not in json.dumps(done["errors"])
