"""What ImportService takes as data, and how wrong arguments are refused."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import date, datetime, timezone
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from datasette_program_export import ExportService, ImportService
from datasette_program_export.errors import RequestError
from datasette_program_export.service.import_models import ConflictType, ImportData
from tests.support.files.changing import state

KEY = UUID("11111111-2222-4333-8444-555555555555")


def rows_of(path: Path, sql: str) -> list[Any]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


def test_an_address_list_goes_into_the_table_of_people(demo: Path) -> None:
    text = "id,first_name,last_name,email\nnew-1,Ada,Lovelace,ada@example.org\nnew-2,Emmy,Noether,\n"
    done = ImportService(demo).import_full_database(text)
    assert done.success and done.format == "csv" and done.table_stats["clients"].inserted == 2, done.errors
    with pytest.raises(
        RequestError, match=r"tables have all columns of its first line \(.*\): give the argument table"
    ):
        ImportService(demo).import_full_database("id,chart_id\n1,2\n")


def test_values_of_python_become_what_sqlite_stores(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "CREATE TABLE t (id TEXT PRIMARY KEY, at TEXT, day TEXT, kind TEXT, raw BLOB, yes INTEGER, tags TEXT)"
        )

    class Kind(Enum):
        NATAL = "natal"

    row = {
        "id": KEY,
        "at": datetime(2024, 2, 29, 12, 30, tzinfo=timezone.utc),
        "day": date(2024, 2, 29),
        "kind": Kind.NATAL,
        "raw": b"\0\xff",
        "yes": True,
        "tags": ("a", "b"),
    }
    done = ImportService(path).import_table("t", [row])
    assert done.success, done.errors
    assert rows_of(path, "SELECT * FROM t") == [
        (str(KEY), "2024-02-29T12:30:00+00:00", "2024-02-29", "natal", b"\0\xff", 1, '["a","b"]')
    ]


def test_a_person_or_a_chart_alone(demo: Path) -> None:
    ((client,),) = rows_of(demo, "SELECT id FROM clients LIMIT 1")
    exported = ExportService(demo).export_clients([client])
    with closing(sqlite3.connect(demo)) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("DELETE FROM clients WHERE id = ?", (client,))
        connection.commit()
    alone = ImportService(demo).import_clients(exported, include_related=False)
    assert alone.success and alone.inserted_records == 1 and list(alone.table_stats) == ["clients"], alone.errors
    assert any("charts left out: include_related is False" in said for said in alone.validation_result.warnings)
    others = {"clients": [{"id": "x"}], "nowhere": [{"id": 1}, {"id": 2}]}
    assert ImportService(demo).import_clients(others, include_related=False).inserted_records == 1

    ((chart,),) = rows_of(demo, "SELECT id FROM charts LIMIT 1")
    (row,) = ExportService(demo).export_table("charts", filters={"id": chart})["records"]
    nested = {**row, "id": "new", "aspect_patterns": [{"id": "p", "pattern_type": "yod", "planets_involved": []}]}
    assert ImportService(demo).import_charts([nested], include_interpretations=False).inserted_records == 1
    assert rows_of(demo, "SELECT count(*) FROM aspect_patterns WHERE id = 'p'") == [(0,)]
    assert ImportService(demo).import_charts(data=[{**nested, "id": "newer"}]).inserted_records == 2


def test_data_may_be_a_model(demo: Path) -> None:
    data = ImportData(format="json", data={"clients": [{"id": "x", "first_name": "Ada"}]})
    done = ImportService(demo).import_full_database(data)  # type: ignore[call-overload]
    assert done.success and done.inserted_records == 1, done.errors


def test_results_count_rows_and_name_kinds_of_conflicts(demo: Path) -> None:
    ((client,),) = rows_of(demo, "SELECT id FROM clients LIMIT 1")
    data = {
        "clients": [{"id": client, "first_name": "other"}, {"id": "x"}],
        "birth_data": [{"id": "y", "client_id": "x"}],
    }
    found = ImportService(demo).validate(data)
    assert (found.record_count, found.valid_records, found.invalid_records) == (3, 2, 1) and not found.valid
    assert found.errors[0].value is None and found.errors[0].table == "birth_data" and found.errors[0].line_number == 1
    report = ImportService(demo).detect_conflicts({"clients": data["clients"]})
    assert report.conflicts_by_type == {ConflictType.DUPLICATE_ID: 1} == {"duplicate_id": 1}


WRONG_DATA = {
    "nothing": (
        None,
        "data: a dict {table: rows}, a list of rows, a text .JSON or CSV. or bytes is needed, not NoneType",
    ),
    "a number": (5, "not int"),
    "a set": ({1}, "not set"),
    "a path": (Path("x.json"), "not a path. For a file call load"),
    "a list with nothing": ([None], r"data\[0\]: a row \(a dict\) is needed, not NoneType"),
    "a list of lists": ([{"id": 1}, [2]], r"data\[1\]: a row"),
    "a table that is called 5": ({5: []}, "its keys are names of tables, not int"),
    "a column that is a pair": ([{(1, 2): 3}], "the keys of rows are names of columns"),
    "a decimal number": ([{"id": Decimal(1)}], "a value of the type Decimal cannot be imported"),
    "no number": ([{"id": float("nan")}], "holds NaN"),
}


@pytest.mark.parametrize("what", WRONG_DATA)
def test_what_is_no_data_is_a_wrong_argument(what: str, demo: Path) -> None:
    data, why = WRONG_DATA[what]
    service, before = ImportService(demo), state(demo)
    calls = (service.import_full_database, service.import_clients, service.import_charts, service.validate)
    for call in (*calls, lambda data: service.import_table("clients", data)):
        with pytest.raises(RequestError, match=why) as caught:
            call(data)
        assert isinstance(caught.value, ValueError) and "--" not in str(caught.value)
    assert state(demo) == before


def test_data_that_contain_themselves(demo: Path) -> None:
    rows: list[Any] = [{"id": "x"}]
    rows[0]["notes"] = rows
    with pytest.raises(RequestError, match="contains itself"):
        ImportService(demo).import_table("clients", rows)


@pytest.mark.parametrize("wrong", [None, 5, [None], b"clients", {"a": 1}])
def test_every_other_argument(wrong: Any, demo: Path) -> None:
    service: Any = ImportService(demo)
    with pytest.raises(RequestError, match="table_name: the name of a table is needed, not "):
        service.import_table(wrong, [])
    with pytest.raises(RequestError, match="dry_run: True or False is needed, not "):
        service.import_full_database({"clients": []}, dry_run=wrong)
    with pytest.raises(RequestError, match="include_related: True or False is needed, not "):
        service.import_clients([], include_related=wrong)
    with pytest.raises(RequestError, match="include_interpretations: True or False is needed, not "):
        service.import_charts([], include_interpretations=wrong)
    if wrong is not None:
        with pytest.raises(RequestError, match="option"):
            service.import_full_database({"clients": []}, wrong)
        with pytest.raises(RequestError, match="settings: Settings is needed, not "):
            ImportService(demo, settings=wrong)
    if wrong is not None and not isinstance(wrong, bytes):
        with pytest.raises(RequestError, match="backup_dir: a path is needed, not "):
            ImportService(demo, backup_dir=wrong)
