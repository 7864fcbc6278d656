"""The faults of the exporter that ``ExportService`` takes the place of, by their numbers: here it is done right.

17 and 18 (part), 19, 20, 23 and 24 are of its HTTP routes and its pages."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from datasette_program_export import ExportError, ExportService
from datasette_program_export.demo import ANNA, C1, C2
from tests.support.databases.building import database, definitions
from tests.support.databases.shapes import key, s2


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A small database, with six charts of the first person."""
    file = s2(tmp_path / "practice.db")
    with closing(database(file)) as connection:
        names = ", ".join(c for _, c, *_ in connection.execute("PRAGMA table_info(charts)") if c != "id")
        for number in (3, 4, 5, 6):
            connection.execute(
                f"INSERT INTO charts (id, {names}) SELECT ?, {names} FROM charts WHERE id = ?",
                (key("charts", number), key("charts", 1)),
            )
        connection.execute("DELETE FROM aspect_patterns WHERE id = ?", (key("aspect_patterns", 3),))
    return file


CHARTS = [key("charts", n) for n in range(1, 7)]


def change(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def every_way(exporter: ExportService, **how: Any) -> Iterator[Callable[[], Any]]:
    """A call of each method that exports."""
    yield lambda: exporter.export_full_database(**how)
    yield lambda: exporter.export_clients([key("clients", 1)], **how)
    yield lambda: exporter.export_charts(CHARTS, **how)
    yield lambda: exporter.export_table("charts", **how)
    yield lambda: list(exporter.stream_table_export("charts", **how))


def strict(text: str) -> Any:
    """JSON as the standard has it: no NaN, no Infinity, no name twice."""

    def unheard_of(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len({name for name, _ in pairs}) == len(pairs)
        return dict(pairs)

    return json.loads(text, parse_constant=unheard_of, object_pairs_hook=once)


def test_bug_01_metadata_is_in_the_file(path: Path) -> None:
    result = ExportService(path).export_full_database()
    assert strict(result["data"])["metadata"] == result["metadata"]
    without = ExportService(path).export_full_database(include_metadata=False)
    assert "metadata" not in without and "metadata" not in strict(without["data"])


def test_bug_02_a_table_named_twice_is_one_table(path: Path) -> None:
    result = ExportService(path).export_full_database(include_tables=["charts", "clients", "CHARTS", "charts"])
    assert result["tables"] == ["charts", "clients"]
    assert (result["metadata"]["total_tables"], result["metadata"]["total_records"]) == (2, 8)


def test_bug_03_what_is_odd_in_a_row_does_not_empty_its_table(path: Path) -> None:
    change(
        path,
        f"UPDATE charts SET chart_data = '{{broken' WHERE id = '{CHARTS[0]}'",
        "UPDATE birth_data SET city = x'00ff'",
        "UPDATE clients SET notes = CAST(x'ff' AS TEXT)",
    )
    result = ExportService(path).export_full_database()
    assert result["record_counts"]["charts"] == 6 and result["record_counts"]["birth_data"] == 2
    found = strict(result["data"])
    assert found["charts"][0]["chart_data"] == "{broken" and isinstance(found["charts"][1]["chart_data"], dict)
    assert {r["city"]["encoded"] for r in found["birth_data"]} == {"AP8="}
    assert ExportService(path).export_charts(CHARTS)["chart_count"] == 6
    texts = ExportService(path).export_full_database("csv")["data"]
    assert len(list(csv.reader(io.StringIO(texts["birth_data"], newline="")))) == 3


def test_bug_03_a_damaged_table_is_an_error_and_not_an_empty_table(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=delete")
        (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'charts'").fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    with path.open("r+b") as file:
        file.seek((root - 1) * size)
        file.write(b"\xff" * size)
    for call in every_way(ExportService(path)):
        with pytest.raises(ExportError):
            call()


@pytest.mark.parametrize("what", ["full", "clients", "charts"])
def test_bug_04_all_tables_are_of_one_moment(path: Path, what: str) -> None:
    exporter, seen = ExportService(path), []

    def changed(table: str, rows: int) -> None:
        if not seen:
            change(path, "DELETE FROM charts", "DELETE FROM chart_interpretations", "DELETE FROM aspect_patterns")
        seen.append(table)

    result = {
        "full": lambda: exporter.export_full_database(progress=changed),
        "clients": lambda: exporter.export_clients([key("clients", 1), key("clients", 2)], progress=changed),
        "charts": lambda: exporter.export_charts(CHARTS, progress=changed),
    }[what]()
    found = strict(result["data"])
    assert (len(found["charts"]), len(found["chart_interpretations"]), len(found["aspect_patterns"])) == (6, 2, 2)
    assert len(seen) > 1
    assert exporter.export_table("charts")["record_count"] == 0


def test_bug_05_the_order_is_the_same_by_every_door(path: Path) -> None:
    change(
        path,
        f"UPDATE charts SET rowid = 100 WHERE id = '{CHARTS[0]}'",
        f"UPDATE charts SET rowid = 99 WHERE id = '{CHARTS[1]}'",
    )
    exporter = ExportService(path)
    expected = [*CHARTS[2:], CHARTS[1], CHARTS[0]]
    assert [r["id"] for r in exporter.export_table("charts")["records"]] == expected
    assert [r["id"] for r in exporter.export_charts(CHARTS)["charts"]] == expected
    assert [r["id"] for r in exporter.export_charts(CHARTS, include_interpretations=False)["charts"]] == expected
    # an index that a filter uses has an order of its own
    change(path, "CREATE INDEX backwards ON charts (chart_type, id DESC)")
    first = exporter.export_table("charts", filters={"chart_type": "charts chart_type 1"})["records"]
    assert [r["id"] for r in first] == [i for i in expected if i != CHARTS[1]]
    assert [r["id"] for r in strict(exporter.export_full_database()["data"])["charts"]] == expected
    assert [r["id"] for r in strict("".join(exporter.stream_table_export("charts", chunk_size=2)))] == expected


def test_bug_06_the_text_of_charts_and_of_a_table_can_be_taken_in_again(path: Path) -> None:
    exporter = ExportService(path)
    tables = strict(exporter.export_charts(CHARTS)["data"])
    tables.pop("left_out")
    one = strict(exporter.export_table("charts")["data"])
    assert one["table"] == "charts" and one["records"] == tables["charts"]
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(":memory:")) as copy:
        for sql in definitions(source):
            copy.execute(sql)
        for name, rows in tables.items():
            for row in rows:
                values = [json.dumps(v) if isinstance(v, (dict, list)) else v for v in row.values()]
                copy.execute(f"INSERT INTO {name} ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", values)
        assert copy.execute("SELECT count(*) FROM charts").fetchone() == (6,)


def test_bug_07_an_unknown_format_is_an_error_before_anything_is_read(path: Path) -> None:
    calls = list(every_way(ExportService(path), format="xml"))
    path.write_bytes(b"not a database")
    for call in calls:
        with pytest.raises(ValueError, match="^Unsupported export format: xml$"):
            call()


@pytest.mark.parametrize("name", ["no_such_column", "rowid", "oid", "", 'id"', "charts.id"])
def test_bug_08_a_filter_on_an_unknown_column_is_an_error(path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="Unknown column"):
        ExportService(path).export_table("charts", filters={name: "x"})


@pytest.mark.parametrize("name", ["to_dict", "metadata", "display_name", "birth_data", "__class__"])
def test_bug_09_a_filter_on_a_method_or_relationship_is_an_error(path: Path, name: str) -> None:
    with pytest.raises(ValueError, match=f"Unknown column: {name}"):
        ExportService(path).export_table("charts", filters={name: "x"})


@pytest.mark.parametrize("value", [["x"], ("x",), {"a": 1}, {1, 2}, object(), 2**70])
def test_bug_09_a_value_that_no_column_can_hold_is_an_error_without_sql(path: Path, value: Any) -> None:
    with pytest.raises(ValueError) as error:
        ExportService(path).export_table("charts", filters={"chart_name": value})
    assert "SELECT" not in str(error.value)


def test_bug_10_a_limit_of_nothing_is_nothing_and_less_is_an_error(path: Path) -> None:
    exporter = ExportService(path)
    assert exporter.export_table("charts", limit=0)["record_count"] == 0
    assert exporter.export_table("charts", limit=0, format="csv")["record_count"] == 0
    assert exporter.export_table("charts", offset=0)["record_count"] == 6
    for how in ({"limit": -1}, {"offset": -1}):
        with pytest.raises(ValueError, match=next(iter(how))):
            exporter.export_table("charts", **how)


def test_bug_11_infinity_does_not_make_what_is_not_json(path: Path) -> None:
    change(
        path, "UPDATE transit_events SET orb = 9e999 WHERE id LIKE '%1'", "UPDATE charts SET chart_data = '{\"a\":NaN}'"
    )
    exporter = ExportService(path)
    found = strict(exporter.export_full_database()["data"])
    assert found["transit_events"][0]["orb"] == {"$real": "Infinity"}
    assert found["charts"][0]["chart_data"] == '{"a":NaN}'
    for pretty in (True, False):
        assert strict(exporter.export_table("transit_events", pretty=pretty)["data"])["records"]
        filtered = exporter.export_table("transit_events", filters={"orb": float("inf")}, pretty=pretty)
        assert filtered["record_count"] == 1
        # null would be another filter
        assert strict(filtered["data"])["filters"] != {"orb": None}
    strict("".join(exporter.stream_table_export("transit_events")))


def test_bug_12_csv_tells_null_from_an_empty_text(path: Path) -> None:
    change(path, "UPDATE clients SET notes = '', phone = NULL")
    text = ExportService(path).export_table("clients", "csv")["data"].split("\r\n")[1]
    assert text.split(",")[3:5] == ["", '""']


def test_bug_13_the_csv_of_an_empty_table_has_a_header(path: Path) -> None:
    change(path, "DELETE FROM session_notes")
    exporter, header = ExportService(path), "client_id,note_date,note_content,id,created_at,updated_at\r\n"
    assert exporter.export_table("session_notes", "csv")["data"] == header
    assert exporter.export_full_database("csv")["data"]["session_notes"] == header
    assert exporter.export_clients([key("clients", 1)], "csv")["data"]["session_notes"] == header
    assert "".join(exporter.stream_table_export("session_notes", "csv")) == header


def test_bug_14_csv_streams_and_keeps_quoted_line_breaks(path: Path) -> None:
    change(path, "UPDATE charts SET chart_name = 'one' || char(10) || 'two,' || char(13, 10) || 'x'")
    pieces = ExportService(path).stream_table_export("charts", "csv", chunk_size=2)
    rows = list(csv.DictReader(io.StringIO("".join(pieces), newline="")))
    assert [r["id"] for r in rows] == CHARTS and {r["chart_name"] for r in rows} == {"one\ntwo,\r\nx"}


@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_bug_15_pages_lose_no_row_when_others_write(path: Path, journal: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA journal_mode={journal}")
    pieces = ExportService(path).stream_table_export("charts", chunk_size=2)
    begun = next(pieces) + next(pieces)
    change(
        path, f"DELETE FROM charts WHERE id = '{CHARTS[0]}'", f"UPDATE charts SET rowid = 77 WHERE id = '{CHARTS[2]}'"
    )
    assert [r["id"] for r in strict(begun + "".join(pieces))] == CHARTS


def rows_in(text: str) -> int:
    return sum(len(rows) for rows in strict(text).values() if isinstance(rows, list))


def test_bug_16_everything_that_comes_is_counted(path: Path) -> None:
    exporter = ExportService(path)
    clients = exporter.export_clients([key("clients", 1)])
    total = clients["client_count"] + sum(clients["related_counts"].values())
    assert total == rows_in(clients["data"]) == 11
    charts = exporter.export_charts(CHARTS)
    listed = [charts[part] for part in ("charts", "interpretations", "aspect_patterns", "transit_events")]
    assert sum(map(len, listed)) == rows_in(charts["data"]) == 12


def test_bug_18_to_20_csv_comes_from_every_method(path: Path) -> None:
    for call in every_way(ExportService(path), format="csv"):
        found = call()
        data = found["data"] if isinstance(found, dict) else "".join(found)
        assert all(text.count("\r\n") >= 1 for text in (data.values() if isinstance(data, dict) else [data]))


def test_bug_21_clients_can_be_exported(demo: Path) -> None:
    assert ExportService(demo).export_clients([ANNA])["client_count"] == 1


BESIDE = {
    "statistics": "ANALYZE",
    "texts of its own": "CREATE VIRTUAL TABLE own USING fts5(title, body)",
    "a search index": "CREATE VIRTUAL TABLE found USING fts5(note_content, content='session_notes')",
    "an index of secrets": "CREATE VIRTUAL TABLE hashes USING fts5(password_hash, content='app_config')",
    "boxes": "CREATE VIRTUAL TABLE box USING rtree(id, x0, x1)",
    "only secrets": "CREATE TABLE visits (token TEXT PRIMARY KEY)",
}


@pytest.mark.parametrize("statement", BESIDE.values(), ids=BESIDE)
def test_bug_22_every_table_that_is_offered_can_be_had(path: Path, statement: str) -> None:
    change(path, statement)
    exporter = ExportService(path)
    offered = exporter.available_tables()
    names = offered["tables"]
    assert {"clients", "session_notes", "location_cache"} <= set(names) and set(offered["default_tables"]) <= set(names)
    assert list(offered["table_descriptions"]) == names and all(offered["table_descriptions"].values())
    assert exporter.export_full_database()["tables"] == offered["default_tables"]
    for name in names:
        assert exporter.export_full_database(include_tables=[name])["tables"] == [name]
        assert exporter.export_table(name)["table"] == name


def test_bug_22_a_full_export_has_what_a_virtual_table_holds_of_its_own(demo: Path) -> None:
    change(demo, "CREATE VIRTUAL TABLE own USING fts5(title)", "INSERT INTO own VALUES ('moon')")
    assert strict(ExportService(demo).export_full_database()["data"])["own"] == [{"rowid": 1, "title": "moon"}]


def test_bug_23_counts_are_counted(demo: Path) -> None:
    result = ExportService(demo).export_full_database()
    with closing(sqlite3.connect(demo)) as connection:
        for table, count in result["record_counts"].items():
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (count,)


@pytest.mark.parametrize("delimiter", ["", "\n", "\r", '"', "\0", ";;", "a", "1"])
def test_bug_51_a_delimiter_that_makes_an_unreadable_file_is_refused(path: Path, delimiter: str) -> None:
    for call in every_way(ExportService(path), format="csv", csv_delimiter=delimiter):
        with pytest.raises(ValueError, match="Delimiter must be a single character"):
            call()


@pytest.mark.parametrize("delimiter", [".", "-", "+", "=", "/"])
def test_bug_51_a_delimiter_that_numbers_or_base64_hold_is_refused_or_quoted(tmp_path: Path, delimiter: str) -> None:
    with closing(database(tmp_path / "x.db", "CREATE TABLE t (a, b, c)")) as made:
        made.execute("INSERT INTO t VALUES (-1.5, 1e-30, x'ffffff00')")
        made.execute("INSERT INTO t VALUES (-2, 3, x'fb')")
        try:
            text = ExportService(tmp_path / "x.db").export_table("t", "csv", csv_delimiter=delimiter)["data"]
        except ValueError:
            return
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    assert rows == [["a", "b", "c"], ["-1.5", "1e-30", "////AA=="], ["-2", "3", "+w=="]]


def test_a_chart_export_is_the_same_as_that_of_its_client(demo: Path) -> None:
    """No second way to read rows: the same chart has the same parts by both doors."""
    exporter = ExportService(demo)
    related = exporter.export_clients([ANNA])["related_data"]
    mine = [r["id"] for r in related["charts"]]
    assert {C1, C2} & set(mine)
    charts = exporter.export_charts(mine)
    assert charts["charts"] == related["charts"] and charts["interpretations"] == related["chart_interpretations"]


def test_ids_that_json_would_change_are_refused(path: Path) -> None:
    for value in (b"x", float("inf")):
        with pytest.raises(ValueError, match="cannot be bytes or an infinity"):
            ExportService(path).export_clients([value])
