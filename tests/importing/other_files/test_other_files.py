"""Other people's files: every layout of the application's own export, lists of rows, CSV."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import random
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from datasette_program_export import ExportService, RefusedError, Request, export, load
from datasette_program_export.errors import RequestError, UnreadableError
from datasette_program_export.importing.other_files.json.surrogates import WholeCharacters
from tests.support.files.application_files import (
    CHARTS,
    FULL,
    JSON,
    READINGS,
    TABLE,
    WHOLE,
    csv_text,
    full,
    full_result_as_csv,
    nested_charts,
    written,
)


def emptied(path: Path) -> Path:
    """The same tables without a row of a chart."""
    copy = path.with_name("target.db")
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
        for table in (*READINGS, "charts", "session_notes", "birth_data", "clients", "interpretations"):
            target.execute(f"DELETE FROM {table}")
        target.commit()
    return copy


def contents(path: Path, table: str) -> list[tuple[Any, ...]]:
    """JSON without regard to its blanks, as an export of objects cannot keep them."""
    with closing(sqlite3.connect(path)) as connection:
        cursor = connection.execute(f"SELECT * FROM {table} ORDER BY id")
        names = [d[0] for d in cursor.description]
        return [
            tuple(json.loads(v) if v and n in JSON.get(table, ()) else v for n, v in zip(names, row)) for row in cursor
        ]


@pytest.mark.parametrize("layout", WHOLE, ids=lambda f: f.__name__)
def test_every_layout_of_the_application_s_own_export_comes_back(layout: Callable, demo: Path, tmp_path: Path) -> None:
    target = emptied(demo)
    report = load(target, written(layout(demo), tmp_path / "file.json"), on_conflict="update")
    for table in FULL:
        wanted = contents(demo, table)
        if layout is full_result_as_csv:  # it told NULL and '' by the same empty field
            wanted = [tuple(None if value == "" else value for value in row) for row in wanted]
        assert contents(target, table) == wanted, table
    assert report.tables["clients"].insert == 50 and report.layout
    assert "display_name" in " ".join(note.message for note in report.notes) or layout is full_result_as_csv


@pytest.mark.parametrize("layout", CHARTS, ids=lambda f: f.__name__)
def test_charts_come_back_with_their_readings(layout: Callable, demo: Path, tmp_path: Path) -> None:
    target = emptied(demo)
    load(target, written({k: v for k, v in full(demo).items() if k in ("clients", "birth_data")}, tmp_path / "p.json"))
    how = {"table": "charts"} if layout is nested_charts else {}
    load(target, written(layout(demo), tmp_path / "file.json"), **how)
    for table in ("charts", *READINGS):
        assert contents(target, table) == contents(demo, table), table


@pytest.mark.parametrize("layout", TABLE, ids=lambda f: f.__name__)
def test_an_export_of_one_table_comes_back(layout: Callable, demo: Path, tmp_path: Path) -> None:
    target = emptied(demo)
    load(target, written({k: v for k, v in full(demo).items() if k in ("clients", "birth_data")}, tmp_path / "p.json"))
    load(target, written(layout(demo), tmp_path / "file.json"))
    assert contents(target, "charts") == contents(demo, "charts")


@pytest.mark.parametrize("packed", [gzip.compress, bz2.compress], ids=["gzip", "bz2"])
def test_compressed_files_are_read_too(packed: Callable[[bytes], bytes], demo: Path, tmp_path: Path) -> None:
    target = emptied(demo)
    (tmp_path / "file").write_bytes(packed(json.dumps(full(demo)).encode()))
    load(target, tmp_path / "file", on_conflict="skip")
    assert contents(target, "charts") == contents(demo, "charts")


def test_the_results_of_our_own_service_come_back(demo: Path, tmp_path: Path) -> None:
    service = ExportService(demo)
    with closing(sqlite3.connect(demo)) as connection:
        ids = [key for (key,) in connection.execute("SELECT id FROM clients")]
    for number, result in enumerate(
        (service.export_full_database(), service.export_full_database("csv"), service.export_clients(ids))
    ):
        target = emptied(demo)
        load(target, written(result, tmp_path / f"{number}.json"), on_conflict="update")
        assert contents(target, "charts") == contents(demo, "charts")
        assert contents(target, "transit_events") == contents(demo, "transit_events")


@pytest.mark.parametrize(
    ("how", "encoding", "shown"),
    [
        ({}, "utf-8", "utf-8, delimiter comma, with a header"),
        ({"delimiter": ";"}, "utf-8-sig", "utf-8-sig, delimiter semicolon, with a header"),
        ({"delimiter": "\t"}, "utf-16", "utf-16, delimiter tab, with a header"),
        ({"delimiter": "|"}, "cp1252", "cp1252, delimiter pipe, with a header"),
    ],
)
def test_plain_csv_is_sniffed_and_shown(how: dict, encoding: str, shown: str, tmp_path: Path) -> None:
    rows = [{"id": 1, "name": "Zoë; a|b", "born": "1990-01-01"}, {"id": 2, "name": 'quote "x"\nline', "born": None}]
    (tmp_path / "people.csv").write_bytes(csv_text(rows, **how).encode(encoding))
    with closing(sqlite3.connect(tmp_path / "t.db")) as target:
        target.execute("CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, born DATE)")
    report = load(tmp_path / "t.db", tmp_path / "people.csv", table="people")
    assert report.layout == f"CSV into people: {shown}"
    with closing(sqlite3.connect(tmp_path / "t.db")) as target:
        assert target.execute("SELECT * FROM people").fetchall() == [tuple(row.values()) for row in rows]


@pytest.mark.parametrize("how", [{"delimiter": "::"}, {"encoding": "klingon"}, {"table": "nowhere"}])
def test_what_cannot_be_asked_of_a_csv_is_wrong_usage(how: dict, tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("id,name\n1,Anna\n")
    with closing(sqlite3.connect(tmp_path / "t.db")) as target:
        target.execute("CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT)")
    with pytest.raises(RequestError):
        load(tmp_path / "t.db", tmp_path / "people.csv", **{"table": "people", **how})


def test_csv_without_a_header_is_seen(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("1,Anna\n2,Bob\n")
    with closing(sqlite3.connect(tmp_path / "t.db")) as target:
        target.execute("CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT)")
    report = load(tmp_path / "t.db", tmp_path / "people.csv", table="people")
    assert report.layout and report.layout.endswith("without a header")
    assert report.tables["people"].insert == 2


@pytest.mark.parametrize("form", ["csv", "ndjson", "tsv"])
def test_one_table_of_ours_comes_back_to_the_last_bit(form: str, tmp_path: Path) -> None:
    """Rows alone: NULL beside '', BLOBs, large numbers, embedded JSON with its blanks."""
    values = [
        (1, None, b"\0\xff", 1e300, '{"a":  1}'),
        (2, "", None, -(2**63), "[1, 2]"),
        (3, '"', b"", 2**63 - 1, '{"b": "c", "d": [1.50]}'),
        (4, "a\r\nb,\tc", b"x", 0.1, None),
        (5, "NULL", None, float("inf"), "[]"),
    ]
    made = "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b BLOB, c NUMERIC, d JSON)"
    with closing(sqlite3.connect(tmp_path / "a.db")) as source, closing(sqlite3.connect(tmp_path / "b.db")) as target:
        source.execute(made)
        target.execute(made)
        source.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?)", values)
        source.commit()
    file = tmp_path / f"t.{form}"
    file.write_bytes(b"".join(export(tmp_path / "a.db", Request(table="t", format=form))))
    load(tmp_path / "b.db", file, table="t")
    with closing(sqlite3.connect(tmp_path / "b.db")) as target:
        assert target.execute("SELECT * FROM t").fetchall() == values


def test_what_is_no_json_does_not_come_into_a_column_of_json(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "t.db")) as target:
        target.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, d JSON)")
    (tmp_path / "t.csv").write_text('id,d\n1,[]\n2,"{""a"": 1"\n')
    with pytest.raises(RefusedError, match="Line 3 of t: d is not valid JSON"):
        load(tmp_path / "t.db", tmp_path / "t.csv", table="t")


def test_a_list_of_rows_needs_a_table(tmp_path: Path, demo: Path) -> None:
    with pytest.raises(RequestError, match="the argument table"):
        load(demo, written([{"id": "x"}], tmp_path / "list.json"))


def test_rows_that_give_different_columns_keep_what_they_do_not_give(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "t.db")) as target:
        target.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, a DEFAULT 'd', b DEFAULT 'e')")
        target.execute("INSERT INTO t VALUES (1, 'x', 'y'), (2, 'x', 'y')")
        target.commit()
    file = written({"t": [{"id": 1, "a": 5}, {"id": 2, "b": None}, {"a": 1, "id": 3}, {"id": 4}]}, tmp_path / "f.json")
    load(tmp_path / "t.db", file, on_conflict="update")
    with closing(sqlite3.connect(tmp_path / "t.db")) as target:
        assert target.execute("SELECT * FROM t").fetchall() == [(1, 5, "y"), (2, "x", None), (3, 1, "e"), (4, "d", "e")]


def test_a_replaced_row_goes_back_to_defaults_and_its_children_stay(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "t.db")) as target:
        target.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, a DEFAULT (1 + 1), b, api_key DEFAULT 'k')")
        target.execute("CREATE TABLE c (id INTEGER PRIMARY KEY, t REFERENCES t ON DELETE CASCADE)")
        target.execute("INSERT INTO t VALUES (1, 'x', 'y', 'secret')")
        target.execute("INSERT INTO c VALUES (1, 1)")
        target.commit()
    load(tmp_path / "t.db", written({"t": [{"id": 1, "b": "new"}]}, tmp_path / "f.json"), on_conflict="replace")
    with closing(sqlite3.connect(tmp_path / "t.db")) as target:
        assert target.execute("SELECT * FROM t").fetchall() == [(1, 2, "new", "secret")]
        assert target.execute("SELECT * FROM c").fetchall() == [(1, 1)]


def test_json_that_says_the_same_is_no_difference_and_keeps_its_blanks(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "t.db")) as target:
        target.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, j JSON, x)")
        target.execute("""INSERT INTO t VALUES (1, '{"a":  [1.50]}', 1), (2, '{"a": 1}', 2)""")
        target.commit()
    file = written({"t": [{"id": 1, "j": {"a": [1]}, "x": 1}, {"id": 2, "j": {"a": 1}, "x": 3}]}, tmp_path / "f.json")
    file.write_text(file.read_text().replace("[1]", "[1.50]"))
    report = load(tmp_path / "t.db", file, on_conflict="update")
    assert (report.tables["t"].unchanged, report.tables["t"].update) == (1, 1)
    assert [d.column for d in report.tables["t"].samples[0].differences] == ["x"]
    with closing(sqlite3.connect(tmp_path / "t.db")) as target:
        assert target.execute("SELECT j, x FROM t").fetchall() == [('{"a":  [1.50]}', 1), ('{"a": 1}', 3)]


def test_half_a_character_is_found_wherever_a_block_of_the_file_ends() -> None:
    """Against a plain scan of the whole text; the parser itself would write a question mark and say nothing."""
    dice = random.Random(1)
    parts = [b"\\ud83d\\ude00", b"\\\\", b"\\n", b"x" * 13, b"\\u00e9", b"\\\\ud800", b"\\ud800", b"\\ude00", b"y"]
    whole = re.compile(rb"(?:[^\\]|\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|(?!u[dD][89a-fA-F]).))*", re.DOTALL)
    refused = 0
    for _ in range(5000):
        data = b"".join(dice.choices(parts, [5, 5, 5, 5, 5, 5, 0.3, 0.3, 5], k=dice.randrange(12)))
        reader, found = WholeCharacters(io.BytesIO(data)), b""
        try:
            while piece := reader.read(dice.randrange(1, 9)):
                found += piece
        except UnreadableError:
            refused += 1
            assert not whole.fullmatch(data), data
        else:
            assert whole.fullmatch(data) and found == data, data
    assert 100 < refused < 4000
