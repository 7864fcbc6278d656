"""``ExportService``: what is documented of it. What is left out: ``test_left_out``; the faults of its
forerunner: ``test_forerunner_bugs``."""

from __future__ import annotations

import inspect
import json
import re
import sqlite3
import uuid
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlite_utils
from pydantic import BaseModel, ValidationError

from datasette_program_export import ExportError, ExportService, Settings
from datasette_program_export.demo import ANNA, BOB, C1, C2, NOBODY, PASSWORD_HASH
from datasette_program_export.service import export_models as service_models
from tests.support.databases.building import database
from tests.support.files.service_results import read_csv, results, stored

DEFAULT = ["clients", "birth_data", "charts", "chart_interpretations", "interpretations", "aspect_patterns"]
DEFAULT += ["transit_events", "session_notes", "app_config", "user_preferences"]
RELATED = {"birth_data", "charts", "chart_interpretations", "aspect_patterns", "transit_events", "session_notes"}
PARTS = {"interpretations", "interpretation_count", "aspect_patterns", "transit_events"}


@pytest.mark.parametrize(
    "method, names, defaults",
    [
        (
            "export_full_database",
            "format include_tables exclude_tables include_metadata pretty csv_delimiter",
            ["json", None, None, True, True, ","],
        ),
        ("export_clients", "client_ids format include_related pretty csv_delimiter", ["json", True, True, ","]),
        ("export_charts", "chart_ids format include_interpretations pretty csv_delimiter", ["json", True, True, ","]),
        (
            "export_table",
            "table_name format filters limit offset pretty csv_delimiter",
            ["json", None, None, None, True, ","],
        ),
        ("stream_table_export", "table_name format chunk_size csv_delimiter", ["json", 1000, ","]),
        ("validate_export", "result", []),
    ],
)
def test_arguments_and_defaults_are_those_that_are_documented(method: str, names: str, defaults: list) -> None:
    parameters = list(inspect.signature(getattr(ExportService, method)).parameters.values())[1:]
    usual = [p for p in parameters if p.kind is not p.KEYWORD_ONLY]  # the others are tested where they are told of
    assert [p.name for p in usual] == names.split()
    assert [p.default for p in usual if p.default is not p.empty] == defaults


def test_results_have_the_documented_keys(service: ExportService) -> None:
    found = {name: set(result) for name, result in results(service).items()}
    every = {"format", "left_out", "data"}
    by_ids = every | {"table", "missing_ids"}
    table = every | {"table", "record_count", "filters", "limit", "offset", "records"}
    assert found == {
        "full": every | {"tables", "record_counts", "metadata"},
        "full, no metadata": every | {"tables", "record_counts"},
        "clients": by_ids | {"clients", "client_count", "related_data", "related_counts"},
        "clients alone": by_ids | {"clients", "client_count"},
        "charts": by_ids | {"charts", "chart_count"} | PARTS,
        "charts alone": by_ids | {"charts", "chart_count"},
        "table": table,
        "table, filtered": table,
    }
    assert set(results(service, "csv")["table"]) == table - {"records"}


@pytest.mark.parametrize("format", ["json", "csv"])
def test_the_models_describe_the_results(service: ExportService, format: str) -> None:
    models: dict[str, type[BaseModel]] = {
        "full": service_models.FullDatabaseExportResponse,
        "clients": service_models.ClientsExportResponse,
        "charts": service_models.ChartsExportResponse,
        "table": service_models.TableExportResponse,
    }
    for name, result in results(service, format).items():
        model = models[re.split("[ ,]", name)[0]].model_validate(result)
        assert model.model_dump(exclude_unset=True) == result
        service_models.ExportValidationResult.model_validate(service.validate_export(result))
    service_models.AvailableTablesResponse.model_validate(service.available_tables())
    service_models.ExportSummary.model_validate(service.summarize_export(service.export_table("charts")))


def test_the_models_of_requests_give_the_arguments(service: ExportService) -> None:
    for request, method in [
        (service_models.FullDatabaseExportRequest(include_tables=["charts"]), service.export_full_database),
        (service_models.ClientsExportRequest(client_ids=[ANNA]), service.export_clients),
        (service_models.ChartsExportRequest(chart_ids=[C1], format="csv"), service.export_charts),
        (service_models.TableExportRequest(table_name="charts", limit=2), service.export_table),
    ]:
        assert method(**request.model_dump())["data"]
    for wrong in ({"limit": -1}, {"offset": -1}, {"format": "xml"}, {"csv_delimiter": "\n"}, {"tables": []}):
        with pytest.raises(ValidationError):
            service_models.TableExportRequest(table_name="charts", **wrong)
    for model in (service_models.ClientsExportRequest, service_models.ChartsExportRequest):
        with pytest.raises(ValidationError):
            model.model_validate({"client_ids": [], "chart_ids": []})


def test_a_full_export_has_all_tables_but_caches_in_the_documented_order(demo_file: Path) -> None:
    result = ExportService(demo_file).export_full_database()
    assert result["tables"] == DEFAULT == list(result["record_counts"])
    found = json.loads(result["data"])
    assert list(found) == ["metadata", *DEFAULT]
    assert {t: len(found[t]) for t in DEFAULT} == result["record_counts"]
    about = result["metadata"]
    facts = {"export_timestamp", "export_format", "total_tables", "total_records", "table_counts"}
    assert set(about) == facts | {"left_out"} and about["left_out"] == result["left_out"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}", about["export_timestamp"])
    assert (about["export_format"], about["total_tables"]) == ("json", 10)
    assert about["total_records"] == sum(about["table_counts"].values())
    assert about["table_counts"] == result["record_counts"]
    assert set(ExportService(demo_file).export_full_database("csv")["data"]) == set(DEFAULT)


def test_tables_are_chosen_by_name(service: ExportService) -> None:
    def tables(**how: Any) -> list[str]:
        result = service.export_full_database(include_metadata=False, **how)
        assert list(json.loads(result["data"])) == result["tables"]
        return list(result["tables"])

    assert tables(include_tables=["transit_events", "location_cache", "clients"]) == [
        "transit_events",
        "location_cache",
        "clients",
    ]
    assert tables(include_tables=[]) == DEFAULT
    assert tables(exclude_tables=["clients", "no_such_table"]) == DEFAULT[1:]
    assert tables(include_tables=["charts", "clients"], exclude_tables=["charts"]) == ["clients"]
    with pytest.raises(ValueError, match=re.escape("Invalid table names: ['bad_table', 'worse']")):
        service.export_full_database(include_tables=["bad_table", "charts", "worse"])
    with pytest.raises(ValueError):
        service.export_full_database(include_tables=["charts"], exclude_tables=["charts"])


def test_clients_come_with_what_is_theirs_and_of_no_one_else(service: ExportService, demo_file: Path) -> None:
    result = service.export_clients([ANNA])
    assert (result["client_count"], result["missing_ids"]) == (1, [])
    assert set(result["related_data"]) == RELATED == set(result["related_counts"])
    found = json.loads(result["data"])
    told = {"left_out": result["left_out"]}
    assert found == {**told, "clients": result["clients"], **result["related_data"]}
    assert {t: len(rows) for t, rows in result["related_data"].items()} == result["related_counts"]
    births = stored(demo_file, "SELECT id FROM birth_data WHERE client_id = ? ORDER BY id", ANNA)
    assert births and [(r["id"],) for r in result["related_data"]["birth_data"]] == births
    assert {r["client_id"] for r in result["related_data"]["session_notes"]} <= {ANNA}
    charts = {r["id"] for r in result["related_data"]["charts"]}
    for table in ("chart_interpretations", "aspect_patterns", "transit_events"):
        assert {r["chart_id"] for r in result["related_data"][table]} <= charts
    assert BOB not in result["data"]
    assert set(service.export_clients([ANNA], "csv")["data"]) == {"clients", *RELATED}
    alone = service.export_clients([ANNA], include_related=False)
    assert json.loads(alone["data"]) == {"clients": result["clients"]} and not alone["left_out"]["sentences"]


def test_clients_with_nothing_and_ids_of_nobody_are_no_errors(service: ExportService) -> None:
    result = service.export_clients([NOBODY])
    assert result["client_count"] == 1
    assert result["related_data"] == {table: [] for table in RELATED}
    missing = service.export_clients(["nobody", ANNA, "nobody", ANNA, "neither"])
    assert (missing["client_count"], missing["missing_ids"]) == (1, ["nobody", "neither"])
    none = service.export_clients(["nobody"])
    assert (none["clients"], none["client_count"]) == ([], 0)
    assert none["related_data"] == {table: [] for table in RELATED}
    with pytest.raises(ValueError):
        service.export_clients([])


def test_ids_may_be_uuids(service: ExportService) -> None:
    assert service.export_clients([uuid.UUID(ANNA)])["client_count"] == 1
    assert service.export_charts([uuid.UUID(C1)])["chart_count"] == 1
    rows = service.export_table("charts", filters={"id": uuid.UUID(C1)})
    assert rows["record_count"] == 1


def test_one_text_is_not_a_list_of_ids(service: ExportService) -> None:
    """Else the letters of the text would be missing ids."""
    with pytest.raises((ValueError, TypeError)):
        service.export_clients(ANNA)


def test_ids_are_those_of_the_key_whatever_it_is_called(tmp_path: Path) -> None:
    with closing(
        database(tmp_path / "x.db", "CREATE TABLE clients (nr INTEGER PRIMARY KEY)", "INSERT INTO clients VALUES (7)")
    ):
        result = ExportService(tmp_path / "x.db").export_clients([7, 8])
        spelled = ExportService(tmp_path / "x.db").export_clients(["07"])
    assert (result["client_count"], result["missing_ids"]) == (1, [8])
    # found or missing, not both
    assert spelled["client_count"] + len(spelled["missing_ids"]) == 1


def test_a_table_without_an_id_has_no_rows_by_id(tmp_path: Path) -> None:
    """SQLite takes "id" for a text where there is no such column."""
    database(tmp_path / "x.db", "CREATE TABLE charts (x)", "INSERT INTO charts VALUES (1)").close()
    with pytest.raises(ValueError):
        ExportService(tmp_path / "x.db").export_charts(["id"])


def test_a_table_of_clients_may_be_spelled_with_a_capital(tmp_path: Path) -> None:
    with closing(
        database(tmp_path / "x.db", "CREATE TABLE Clients (id INTEGER PRIMARY KEY)", "INSERT INTO Clients VALUES (7)")
    ):
        assert ExportService(tmp_path / "x.db").export_clients([7])["client_count"] == 1


def test_charts_come_with_their_parts_and_without_their_parents(service: ExportService, demo_file: Path) -> None:
    result = service.export_charts([C2, C1, C2, "none"])
    assert (result["chart_count"], result["missing_ids"]) == (2, ["none"])
    found = json.loads(result["data"])
    assert found.pop("left_out") == result["left_out"]
    assert set(found) == {"charts", "chart_interpretations", "aspect_patterns", "transit_events"}
    assert found["charts"] == result["charts"] and isinstance(found["charts"][0]["chart_data"], dict)
    assert found["chart_interpretations"] == result["interpretations"]
    assert result["interpretation_count"] == len(result["interpretations"])
    for table in ("aspect_patterns", "transit_events"):
        expected = stored(demo_file, f"SELECT count(*) FROM {table} WHERE chart_id IN (?, ?)", C1, C2)
        assert [(len(result[table]),)] == expected and found[table] == result[table]
    assert set(service.export_charts([C1], "csv")["data"]) == set(found)
    alone = service.export_charts([C1], "csv", include_interpretations=False)
    assert set(alone["data"]) == {"charts"} and len(read_csv(alone["data"]["charts"])) == 1


def test_a_table_has_filters_limit_and_offset(service: ExportService, demo_file: Path) -> None:
    def ids(**how: Any) -> list[Any]:
        result = service.export_table("charts", **how)
        found = json.loads(result["data"])
        assert found == {k: v for k, v in result.items() if k != "data"}
        assert result["record_count"] == len(result["records"])
        assert result["filters"] == how.get("filters", {})
        return [row["id"] for row in result["records"]]

    every = [i for (i,) in stored(demo_file, "SELECT id FROM charts ORDER BY rowid")]
    assert ids() == every
    assert ids(limit=5, offset=2) == every[2:7]
    assert ids(offset=3) == every[3:]
    assert ids(limit=5, offset=len(every)) == []
    natal = [i for (i,) in stored(demo_file, "SELECT id FROM charts WHERE chart_type = 'natal' ORDER BY rowid")]
    assert 0 < len(natal) < len(every) and ids(filters={"chart_type": "natal"}) == natal
    assert ids(filters={"chart_type": "natal"}, limit=2, offset=1) == natal[1:3]
    nulls = stored(demo_file, "SELECT id FROM charts WHERE client_id IS NULL AND chart_type = 'natal' ORDER BY rowid")
    assert ids(filters={"client_id": None, "chart_type": "natal"}) == [i for (i,) in nulls]
    assert ids(filters={"id": "'; DROP TABLE charts --"}) == []


def test_a_filter_compares_as_sqlite_does(tmp_path: Path) -> None:
    with closing(
        database(tmp_path / "x.db", "CREATE TABLE t (id INTEGER PRIMARY KEY, n REAL, b BOOLEAN, j JSON)")
    ) as c:
        c.execute("""INSERT INTO t VALUES (1, 40.7128, 1, '{"a":[1,"ü"]}'), (2, 1, 0, '{}'), (3, 2, NULL, '[]')""")
        service = ExportService(tmp_path / "x.db")
        for filters, expected in [
            ({"n": "40.7128"}, [1]),
            ({"N": 1}, [2]),
            ({"b": True}, [1]),
            ({"b": "true"}, []),
            ({"j": {"a": [1, "ü"]}}, [1]),
            ({"j": []}, [3]),
            ({"b": None}, [3]),
        ]:
            assert [r["id"] for r in service.export_table("t", filters=filters)["records"]] == expected, filters


def test_unknown_tables_are_named(service: ExportService) -> None:
    for call in (service.export_table, lambda name: list(service.stream_table_export(name))):
        with pytest.raises(ValueError, match=r"^Unknown table: invalid_table$"):
            call("invalid_table")


def test_secrets_stay_out_and_cannot_be_asked_after(service: ExportService) -> None:
    for format in ("json", "csv"):
        for result in results(service, format).values():
            assert PASSWORD_HASH not in str(result)
        assert PASSWORD_HASH not in "".join(service.stream_table_export("app_config", format))
    assert "password_hash" not in service.export_table("app_config")["records"][0]
    for value in (PASSWORD_HASH, None, "x"):
        with pytest.raises(ExportError):
            service.export_table("app_config", filters={"password_hash": value})
    named = ExportService(service.source, Settings(secrets={"clients": ["notes"]}))
    assert "notes" not in json.loads(named.export_clients([ANNA])["data"])["clients"][0]


@pytest.mark.parametrize("kind", ["str", "Path", "connection", "memory", "sqlite_utils"])
def test_the_database_may_be_given_in_several_ways(demo_file: Path, kind: str) -> None:
    with closing(sqlite3.connect(demo_file)) as file, closing(sqlite3.connect(":memory:")) as memory:
        file.row_factory = sqlite3.Row
        file.backup(memory)
        if kind == "sqlite_utils":
            db: Any = sqlite_utils.Database(file)
        else:
            db = {"str": str(demo_file), "Path": demo_file, "connection": file, "memory": memory}[kind]
        expected = ExportService(demo_file).export_clients([ANNA])
        assert ExportService(db).export_clients([ANNA]) == expected
        assert "".join(ExportService(db).stream_table_export("clients"))
