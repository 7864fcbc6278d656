"""The texts of ``ExportService``: how they are laid out, in pieces, checked; and the examples of its guide."""

from __future__ import annotations

import csv
import io
import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from datasette_program_export import ExportService
from datasette_program_export.demo import ANNA, BOB, C1, C2
from tests.support.databases.building import database
from tests.support.files.service_results import read_csv, results, stored

# JSON in spellings that a writer of JSON would change
ODD_JSON = (
    '{ "b":1.0, "a" : [1e-07,1E+2 , -0] ,"b":2}',
    '{"u":"\\u00e9\\/", "e":"\x7f", "k": {"a b" : 12345678901234567890123}}',
    "[ ]",
)
AWKWARD = ("a,b", 'say "x"', "line\nbreak", "cr\r\nlf", ";\t|", " blank ", "=1+1", "’ü 日本 😀", "'", "\\", "NULL")


@pytest.fixture
def service(demo_file: Path) -> ExportService:
    return ExportService(demo_file)


@pytest.fixture
def odd(tmp_path: Path) -> ExportService:
    """A table of awkward texts and JSON, one row each."""
    with closing(database(tmp_path / "odd.db", "CREATE TABLE odd (id INTEGER PRIMARY KEY, t TEXT, j JSON)")) as made:
        made.execute("CREATE TABLE blank (id INTEGER PRIMARY KEY, j JSON)")
        for i, text in enumerate(AWKWARD):
            made.execute("INSERT INTO odd VALUES (?, ?, ?)", (i, text, ODD_JSON[i % len(ODD_JSON)]))
    return ExportService(tmp_path / "odd.db")


def texts(service: ExportService, table: str, **how: Any) -> list[str]:
    """One table by every door that gives a text of JSON."""
    return [
        service.export_full_database(include_tables=[table], **how)["data"],
        service.export_table(table, **how)["data"],
    ]


def test_embedded_json_keeps_its_bytes_and_texts_their_characters(odd: ExportService) -> None:
    streamed = "".join(odd.stream_table_export("odd"))
    for text in [*texts(odd, "odd"), *texts(odd, "odd", pretty=False), streamed]:
        for spelled in ODD_JSON:
            assert text.count(spelled) == sum(ODD_JSON[i % 3] == spelled for i in range(len(AWKWARD)))
        found = json.loads(text)
        rows = found if isinstance(found, list) else found.get("odd") or found["records"]
        assert [r["t"] for r in rows] == list(AWKWARD)
        assert "日本 😀" in text


def test_without_pretty_there_is_no_blank_and_no_line_break(odd: ExportService, service: ExportService) -> None:
    related = [service.export_clients([ANNA], pretty=False), service.export_charts([C1, C2], pretty=False)]
    whole = [service.export_full_database(pretty=False), service.export_table("charts", pretty=False, limit=3)]
    embedded = set(ODD_JSON)
    for table, column in [
        ("charts", "chart_data"),
        ("charts", "calculation_params"),
        ("aspect_patterns", "planets_involved"),
        ("user_preferences", "aspect_orbs"),
        ("user_preferences", "displayed_points"),
    ]:
        assert service.source.path is not None
        embedded |= {v for (v,) in stored(service.source.path, f"SELECT {column} FROM {table}") if v}
    filtered = odd.export_table("odd", filters={"j": [1, {"a": 2}], "t": "x y"}, pretty=False)
    for text in [*(r["data"] for r in (*related, *whole, filtered)), *texts(odd, "odd", pretty=False)]:
        for spelled in sorted(embedded, key=len, reverse=True):
            text = text.replace(spelled, "0")
        assert not re.search(r"\s", re.sub(r'"(?:[^"\\]|\\.)*"', '""', text))


def test_pretty_is_indented_by_two(service: ExportService) -> None:
    for result in (
        service.export_full_database(include_tables=["clients", "session_notes"]),
        service.export_clients([ANNA, BOB], include_related=False),
        service.export_table("session_notes", filters={"client_id": ANNA}, limit=2),
        service.export_table("session_notes", limit=0),
    ):
        assert result["data"] == json.dumps(json.loads(result["data"]), indent=2, ensure_ascii=False)


def test_pretty_or_not_it_says_the_same(service: ExportService) -> None:
    for pretty, compact in [
        (service.export_full_database(include_metadata=False, pretty=p) for p in (True, False)),
        (service.export_clients([ANNA], pretty=p) for p in (True, False)),
        (service.export_charts([C1], pretty=p) for p in (True, False)),
        (service.export_table("charts", pretty=p) for p in (True, False)),
    ]:
        assert json.loads(pretty["data"]) == json.loads(compact["data"])
        assert "\n" in pretty["data"] and "\n" not in compact["data"].replace("\\n", "")


def test_tables_called_like_what_stands_beside_them_are_not_lost(tmp_path: Path) -> None:
    with closing(database(tmp_path / "x.db", "CREATE TABLE metadata (a)", "CREATE TABLE _metadata (a)")) as made:
        made.execute("INSERT INTO metadata VALUES (1)")
        made.execute("INSERT INTO _metadata VALUES (2)")
        service = ExportService(tmp_path / "x.db")
        pairs = json.loads(service.export_full_database()["data"], object_pairs_hook=list)
    names = [name for name, _ in pairs]
    assert len(names) == len(set(names)) == 3
    assert dict(pairs)["metadata"] == [[("a", 1)]] and dict(pairs)["_metadata"] == [[("a", 2)]]


@pytest.mark.parametrize("chunk_size", [1, 7, 1000])
def test_pieces_join_to_what_the_table_holds(odd: ExportService, service: ExportService, chunk_size: int) -> None:
    for exporter, table in [(odd, "odd"), (odd, "blank"), (service, "charts"), (service, "session_notes")]:
        whole = exporter.export_table(table)
        pieces = list(exporter.stream_table_export(table, chunk_size=chunk_size))
        assert json.loads("".join(pieces)) == whole["records"]
        assert len(pieces) == 2 + -(-whole["record_count"] // chunk_size)
        lines = list(exporter.stream_table_export(table, "csv", chunk_size, csv_delimiter=";"))
        assert "".join(lines) == exporter.export_table(table, "csv", csv_delimiter=";")["data"]
    assert "".join(odd.stream_table_export("blank", chunk_size=chunk_size)) == "[\n\n]"


def test_pieces_are_small_and_their_number_is_sane(odd: ExportService) -> None:
    pieces = list(odd.stream_table_export("odd", chunk_size=1))
    assert len(pieces) > len(AWKWARD) and max(map(len, pieces)) < 10_000
    for wrong in (0, -1):
        with pytest.raises(ValueError, match="chunk_size"):
            next(odd.stream_table_export("odd", chunk_size=wrong))


def test_a_stream_that_is_left_lets_go_of_the_database(demo: Path) -> None:
    stream = ExportService(demo).stream_table_export("charts", chunk_size=1)
    assert next(stream) == "["
    next(stream)
    with closing(sqlite3.connect(demo)) as writer:
        stream.close()
        writer.execute("UPDATE clients SET notes = 'x'")
        writer.commit()
        assert writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", ":", " ", "'", "^", "]", "\\"])
def test_csv_reads_back_with_pythons_csv(odd: ExportService, delimiter: str) -> None:
    for text in (
        odd.export_table("odd", "csv", csv_delimiter=delimiter)["data"],
        odd.export_full_database("csv", csv_delimiter=delimiter)["data"]["odd"],
        "".join(odd.stream_table_export("odd", "csv", 1, delimiter)),
    ):
        rows = read_csv(text, delimiter)
        assert [(r["id"], r["t"], r["j"]) for r in rows] == [
            (str(i), t, ODD_JSON[i % len(ODD_JSON)]) for i, t in enumerate(AWKWARD)
        ]
        assert text.startswith(delimiter.join(["id", "t", "j"]) + "\r\n") and text.endswith("\r\n")


@pytest.mark.parametrize("format", ["json", "csv"])
def test_a_whole_result_is_valid(service: ExportService, format: str) -> None:
    for name, result in results(service, format).items():
        report = service.validate_export(result)
        assert (report["valid"], report["errors"]) == (True, []), name


def test_what_is_wrong_with_a_result_is_said(service: ExportService) -> None:
    assert service.validate_export({"record_counts": {"charts": 0, "clients": 2}}) == {
        "valid": False,
        "warnings": ["Table 'charts' has 0 records"],
        "errors": ["Export result missing 'data' field"],
    }
    assert service.validate_export({"format": "json", "data": None})["valid"] is False
    assert service.validate_export({"format": "json", "data": "{"})["valid"] is False
    for odd in ("[]", "1", '"x"', "null"):
        assert service.validate_export({"format": "json", "record_counts": {"charts": 1}, "data": odd})["errors"]


@pytest.mark.parametrize("format", ["json", "csv"])
@pytest.mark.parametrize("name", ["full", "clients", "clients alone", "charts", "charts alone", "table"])
def test_a_result_that_lost_rows_is_not_valid(service: ExportService, name: str, format: str) -> None:
    """Its ``data`` are those of an export of fewer rows."""
    result = results(service, format)[name]
    table = "charts" if name in ("full", "table") else name.split()[0]
    if format == "csv":
        lost = result["data"] if isinstance(result["data"], str) else result["data"][table]
        lost = lost.split("\r\n")[0] + "\r\n"
        data: Any = lost if isinstance(result["data"], str) else {**result["data"], table: lost}
    else:
        data = json.loads(result["data"])
        data["records" if name == "table" else table] = []
        data = json.dumps(data)
    assert service.validate_export({**result, "data": data})["valid"] is False


# The examples of a guide, one by one


def test_example_the_whole_database_to_a_file(demo: Path, tmp_path: Path) -> None:
    service = ExportService(demo)
    result = service.export_full_database(format="json", include_metadata=True, pretty=True)
    (tmp_path / "export.json").write_text(result["data"], encoding="utf-8")
    found = json.loads((tmp_path / "export.json").read_text(encoding="utf-8"))
    assert found["metadata"]["total_records"] == sum(len(v) for k, v in found.items() if k != "metadata")


def test_example_clients_with_related_data(demo: Path) -> None:
    result = ExportService(demo).export_clients(client_ids=[ANNA, BOB], format="json", include_related=True)
    assert result["client_count"] == 2
    assert sum(result["related_counts"].values()) == sum(len(rows) for rows in result["related_data"].values())


def test_example_charts_with_interpretations(demo: Path) -> None:
    result = ExportService(demo).export_charts(chart_ids=[C1], format="json", include_interpretations=True)
    assert result["chart_count"] == 1
    assert isinstance(json.loads(result["data"])["charts"][0]["chart_data"]["planets"], dict)


def test_example_a_filtered_table_as_csv_with_semicolons(demo: Path, tmp_path: Path) -> None:
    result = ExportService(demo).export_table(
        table_name="charts", format="csv", filters={"chart_type": "natal"}, limit=100, csv_delimiter=";"
    )
    with (tmp_path / "charts.csv").open("w", encoding="utf-8", newline="") as file:
        file.write(result["data"])
    with (tmp_path / "charts.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    assert len(rows) == result["record_count"] > 0 and {r["chart_type"] for r in rows} == {"natal"}


def test_example_a_large_table_streamed_to_a_file(demo: Path, tmp_path: Path) -> None:
    service = ExportService(demo)
    with (tmp_path / "transits.json").open("w", encoding="utf-8") as file:
        for piece in service.stream_table_export("transit_events", format="json", chunk_size=500):
            file.write(piece)
    with (tmp_path / "transits.json").open(encoding="utf-8") as file:
        count = stored(demo, "SELECT count(*) FROM transit_events")[0][0]
        assert len(json.load(file)) == count > 0
    assert io.StringIO("".join(service.stream_table_export("transit_events", "csv"))).readline().startswith("id,")
