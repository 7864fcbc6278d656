"""The options of ``ExportService`` that are given by name: what they do, and that a wrong one says what is wanted."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import tracemalloc
from contextlib import closing
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from datasette_program_export import ExportError, ExportService, Request, Settings, export, plan
from datasette_program_export.demo import ANNA, C1, C2
from datasette_program_export.service.export_models import ExportSummary
from tests.support.databases.building import database
from tests.support.files.service_results import read_csv
from tests.support.source_code import PACKAGE


def test_columns_are_chosen_and_ordered_and_rows_sorted(service: ExportService) -> None:
    result = service.export_table("charts", columns=["chart_type", "id"], sort=["chart_type", "id desc"])
    found = [(row["chart_type"], row["id"]) for row in result["records"]]
    assert [list(row) for row in result["records"]] == [["chart_type", "id"]] * len(found)
    assert found == sorted(sorted(found, key=lambda row: row[1], reverse=True), key=lambda row: row[0])
    assert service.export_table("charts", columns=["id"], sort=[("id", True)], limit=1)["records"][0]["id"] == max(
        row[1] for row in found
    )
    stream = service.stream_table_export("charts", "csv", columns=["id"], sort=["id"], filters={"id": C2})
    assert [row["id"] for row in read_csv("".join(stream))] == [C2]


def test_tables_and_columns_are_left_out(service: ExportService) -> None:
    result = service.export_clients([ANNA], without=["session_notes", "charts.chart_data"])
    assert "session_notes" not in result["related_data"] and "chart_data" not in result["related_data"]["charts"][0]
    assert "chart_data" not in service.export_table("charts", without=["charts.chart_data"])["records"][0]
    assert "chart_data" not in service.export_charts([C1], without=["charts.chart_data"])["charts"][0]
    with pytest.raises(ValueError, match="what the ids are compared with"):
        service.export_charts([C1], without=["Charts.ID"])


@pytest.mark.parametrize("how", ["gzip", "zstd"])
def test_what_is_compressed_says_the_same(service: ExportService, how: Any) -> None:
    if how == "zstd":
        pytest.importorskip("zstandard")
    for plain, packed in [
        (service.export_table("charts"), service.export_table("charts", compress=how)),
        (service.export_table("charts", "csv"), service.export_table("charts", "csv", compress=how)),
        (service.export_clients([ANNA], "csv"), service.export_clients([ANNA], "csv", compress=how)),
        (service.export_charts([C1]), service.export_charts([C1], compress=how)),
    ]:
        assert service.validate_export(packed) == service.validate_export(plain)
        assert packed["format"] == plain["format"]
        if how == "gzip" and isinstance(packed["data"], bytes):
            assert gzip.decompress(packed["data"]).decode() == plain["data"]
    cut = {**packed, "data": packed["data"][:-9]}
    assert service.validate_export(cut)["errors"][0].startswith("'data' is not whole")


def test_progress_counts_all_rows_and_may_end_the_export(service: ExportService) -> None:
    seen: list[tuple[str, int]] = []
    result = service.export_full_database(progress=lambda table, rows: seen.append((table, rows)))
    assert seen[-1][1] == sum(result["record_counts"].values()) and [r for _, r in seen] == sorted(r for _, r in seen)
    assert {table for table, _ in seen} == {table for table, count in result["record_counts"].items() if count}
    streamed: list[int] = []
    "".join(service.stream_table_export("charts", chunk_size=10, progress=lambda table, rows: streamed.append(rows)))
    assert streamed[-1] == result["record_counts"]["charts"]

    for error in (KeyboardInterrupt(), BrokenPipeError("mine"), ValueError("mine")):

        def stop(table: str, rows: int, error: BaseException = error) -> None:
            raise error

        for format in ("json", "csv"):
            with pytest.raises(type(error)) as raised:
                service.export_full_database(format, progress=stop)
            assert raised.value is error


def test_ids_come_in_any_collection(service: ExportService) -> None:
    for ids in ([C1], (C1,), {C1}, iter([C1]), [UUID(C1)]):
        assert service.export_charts(ids)["chart_count"] == 1


@pytest.mark.parametrize(
    "method, how, told",
    [
        ("export_clients", {"client_ids": None}, "A list of ids of clients"),
        ("export_clients", {"client_ids": 3}, "A list of ids of clients"),
        ("export_clients", {"client_ids": {ANNA: 1}}, "A list of ids of clients"),
        ("export_clients", {"client_ids": [None]}, "An id of clients cannot be a NoneType"),
        ("export_clients", {"client_ids": [ANNA], "others": "all"}, "others must be"),
        ("export_clients", {"client_ids": [ANNA], "others": "include", "include_related": False}, "others"),
        ("export_clients", {"client_ids": [ANNA], "without": "charts"}, "without: a list of names"),
        ("export_clients", {"client_ids": [ANNA], "without": ["no_such"]}, "no_such to leave out"),
        ("export_charts", {"chart_ids": [C1], "secrets": True}, "secrets must be"),
        ("export_charts", {"chart_ids": [C1], "compress": "zip"}, "compress must be gzip or zstd"),
        ("export_full_database", {"include_tables": 5}, "include_tables: a list of names"),
        ("export_full_database", {"include_tables": "charts"}, "include_tables: a list of names"),
        ("export_full_database", {"exclude_tables": [None]}, "exclude_tables: a list of names"),
        ("export_full_database", {"progress": 1}, "progress must be a function"),
        ("export_full_database", {"csv_delimiter": None}, "Delimiter must be"),
        ("export_table", {"table_name": None}, "Unknown table"),
        ("export_table", {"table_name": "charts", "filters": ["a"]}, "filters: a mapping"),
        ("export_table", {"table_name": "charts", "filters": {None: 1}}, "Unknown column"),
        ("export_table", {"table_name": "charts", "columns": []}, "columns: at least one"),
        ("export_table", {"table_name": "charts", "columns": "id"}, "columns: a list of names"),
        ("export_table", {"table_name": "charts", "columns": ["no"]}, "charts has no column no"),
        ("export_table", {"table_name": "charts", "sort": "id"}, "sort: a list"),
        ("export_table", {"table_name": "charts", "sort": [3]}, "sort: a column is given as"),
        ("export_table", {"table_name": "charts", "sort": ["no desc"]}, "charts has no column no"),
        ("export_table", {"table_name": "charts", "limit": "ten"}, "limit"),
        ("validate_export", {"result": None}, "result: what an export returned"),
        ("summarize_export", {"result": "x"}, "result: what an export returned"),
    ],
)
def test_a_wrong_argument_is_named(service: ExportService, method: str, how: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError) as error:
        getattr(service, method)(**how)
    assert told in str(error.value)


def test_people_who_are_not_known_are_to_be_named(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    with closing(database(path, "CREATE TABLE patients (nr INTEGER PRIMARY KEY)", "INSERT INTO patients VALUES (7)")):
        with pytest.raises(ValueError, match="The setting persons names the table"):
            ExportService(path).export_clients([7])
        result = ExportService(path, Settings(persons=["patients"])).export_clients([7, "8"])
    assert (result["table"], result["clients"], result["missing_ids"]) == ("patients", [{"nr": 7}], ["8"])


def test_a_result_is_summed_up(service: ExportService) -> None:
    full = service.export_full_database()
    told = service.summarize_export(full)
    ExportSummary.model_validate(told)
    assert told["timestamp"] == full["metadata"]["export_timestamp"] and told["tables"] == full["tables"]
    assert told["total_records"] == full["metadata"]["total_records"]
    assert told["size_estimate"] == f"{len(full['data'].encode()) / 1000:.1f} kB"
    table = service.summarize_export(service.export_table("charts", limit=3))
    assert (table["tables"], table["total_records"], table["format"]) == (["charts"], 3, "json")
    clients = service.export_clients([ANNA], "csv")
    related = clients["related_counts"]
    assert service.summarize_export(clients)["total_records"] == 1 + sum(related.values())


def test_memory_holds_the_text_of_a_full_export_and_little_else(tmp_path: Path) -> None:
    """Neither the rows, nor the text as bytes beside the text."""
    with closing(database(tmp_path / "x.db", "CREATE TABLE t (id INTEGER PRIMARY KEY, a, b, c)")) as made:
        rows = ((i, "a" * 100, f"text {i} " * 10, i / 7) for i in range(80_000))
        made.executemany("INSERT INTO t VALUES (?, ?, ?, ?)", rows)
        made.commit()
    service = ExportService(tmp_path / "x.db")
    service.export_full_database(include_metadata=False)["data"]  # imports are done
    for how in ({"format": "json"}, {"format": "json", "pretty": False}, {"format": "csv"}):
        tracemalloc.start()
        try:
            data = service.export_full_database(**how)["data"]  # type: ignore[arg-type]
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        size = len(data if isinstance(data, str) else data["t"])
        assert size > 16_000_000 and peak < 1.6 * size + 20_000_000, (how, peak, size)


def test_python_values_are_written_as_json(service: ExportService) -> None:
    moment = datetime(2025, 1, 2, 3, 4, 5, 6, timezone(timedelta(hours=1)))
    key = UUID(C1)
    data = {"at": moment, "on": date(2025, 1, 2), "id": key, "n": 2**80, "d": Decimal("1.50"), "t": ("é", None, True)}
    found = json.loads(service._to_json(data))
    assert found == {
        **data,
        "at": moment.isoformat(),
        "on": "2025-01-02",
        "id": C1,
        "d": "1.50",
        "t": ["é", None, True],
    }
    assert service._to_json({"a": [1]}) == '{\n  "a": [\n    1\n  ]\n}'
    assert service._to_json({"a": [1, "é"], 2: {}}, pretty=False) == '{"a":[1,"é"],"2":{}}'
    assert service._to_json([float("inf"), b"\0"], pretty=False) == (
        '[{"$real":"Infinity"},{"$base64":true,"encoded":"AA=="}]'
    )
    for value in (float("nan"), object(), {1, 2}):
        with pytest.raises(ValueError, match="JSON has no"):
            service._to_json({"x": [value]})


def test_python_values_are_written_as_csv(service: ExportService) -> None:
    rows = [
        {"id": UUID(C1), "text": 'a,"b"\n', "tags": {"k": ["é", 1]}, "none": None},
        {"id": 2, "text": "", "tags": [], "late": date(2025, 1, 2), "yes": True},
    ]
    text = service._to_csv(rows, "notes")
    assert text.splitlines()[0] == "id,text,tags,none,late,yes"
    first, second = read_csv(text)
    assert (first["id"], first["text"], first["none"]) == (C1, 'a,"b"\n', "")
    assert json.loads(first["tags"]) == {"k": ["é", 1]}
    assert (second["tags"], second["late"], second["yes"]) == ("[]", "2025-01-02", "true")
    assert service._to_csv(rows, "notes", delimiter=";").startswith("id;text;")
    assert service._to_csv([], "notes") == ""
    with pytest.raises(ValueError, match="A row of notes"):
        service._to_csv([3], "notes")  # type: ignore[list-item]
    with pytest.raises(ValueError, match="Delimiter"):
        service._to_csv(rows, "notes", delimiter="\n")


def test_without_a_request_everything_is_meant(demo_file: Path) -> None:
    whole = json.loads(b"".join(export(demo_file)))
    assert whole["tables"] == json.loads(b"".join(export(demo_file, Request())))["tables"]
    assert plan(demo_file).rows == plan(demo_file, Request()).rows > 0


def test_objects_tell_what_they_are(demo_file: Path) -> None:
    assert repr(ExportService(demo_file)) == f"ExportService({str(demo_file)!r})"
    made = export(demo_file, Request(table="clients", records=[(ANNA,)]))
    assert repr(made) == f"<export of {demo_file.stem}: record clients as programjson, 0 rows so far>"
    assert ANNA not in repr(made)


def test_each_method_says_its_arguments_results_and_errors_with_an_example() -> None:
    public = [n for n in dir(ExportService) if not n.startswith("_")]
    assert len(public) == 8
    for name in [*public, "__init__"]:
        told = getattr(ExportService, name).__doc__
        assert "Example: " in told, name
        assert name == "available_tables" or "Raises" in told or "Every error" in told, name


def test_a_type_checker_knows_the_keys_of_results(tmp_path: Path) -> None:
    code = """
from datasette_program_export import ExportService
def use(service: ExportService) -> None:
    full = service.export_full_database(compress="gzip")
    reveal_type(full["record_counts"])
    reveal_type(service.export_clients([1])["left_out"]["withheld"][0]["rows"])
    reveal_type(service.stream_table_export("t").left_out)
    full["recordcounts"]
    service.export_table("t", secrets="all")
"""
    (tmp_path / "use.py").write_text(code)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", str(tmp_path / "use.py")],
        cwd=PACKAGE.parent,  # where it finds the package
        capture_output=True,
        text=True,
        check=False,
    )
    shown = done.stdout.replace("builtins.", "")
    for told in ('"dict[str, int]"', '"int"', "LeftOut", 'has no key "recordcounts"'):
        assert told in shown, done.stdout + done.stderr
    assert done.stdout.count("error:") == 2, done.stdout


def test_what_is_secret_cannot_be_asked_for_by_name(service: ExportService) -> None:
    chosen: list[dict[str, Any]] = [{"columns": ["password_hash"]}, {"sort": ["password_hash"]}]
    for how in (*chosen, {"filters": {"password_hash": "x"}}):
        with pytest.raises(ExportError, match="secret"):
            service.export_table("app_config", **how)
