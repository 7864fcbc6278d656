"""One contract for every format in the registry, golden bytes, and foreign readers."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import secrets
import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datasette_program_export import Request, Settings, export
from datasette_program_export.errors import RequestError, UnsupportedError
from datasette_program_export.formats.csv.writing import CsvLines
from datasette_program_export.formats.dataset import Field, TableStream
from datasette_program_export.formats.description.digest import TableDigest
from datasette_program_export.formats.registry import NAMES, format_for_file, get_format
from tests.support.databases.building import _Text, database, document, exported, value
from tests.support.databases.strategies import VALUES

MOMENT = datetime(2026, 11, 23, 4, 5, 6, tzinfo=timezone.utc)
AWKWARD = (
    """CREATE TABLE t (id INTEGER PRIMARY KEY, "a ""b"" \\c" TEXT, n NUMERIC, "" BLOB, j JSON, g AS (id * 2))""",
    """INSERT INTO t VALUES
       (1, 'O''Brien, "Müller"', 9223372036854775807, X'00ff', '{"a" : [1, 2.50, 1e-07]}'),
       (2, '', -0.0, X'', '{broken'),
       (3, NULL, 1e999, NULL, NULL),
       (4, char(13) || char(10) || char(0) || '李', 0.1, 'text', '[]'),
       (5, CAST(X'ff' AS TEXT), -1e999, 1.0, 5),
       (6, '=1+1', 1e16, '', '{"$real": 1}')""",
)
PAIR = (
    "CREATE TABLE p (id INTEGER PRIMARY KEY, name TEXT)",
    "CREATE TABLE c (id INTEGER PRIMARY KEY, p REFERENCES p, note TEXT)",
    "INSERT INTO p VALUES (1, 'a;b'), (2, NULL)",
    "INSERT INTO c VALUES (10, 1, 'x'), (11, 1, '')",
)


def made(*statements: str, table: str, **how) -> bytes:
    """An export of always the same moment."""
    with closing(database(None, *statements)) as connection:
        return b"".join(export(connection, Request(table=table, **how), created_at=MOMENT))


@pytest.mark.parametrize("name", NAMES)
def test_the_contract_of_a_format(name: str) -> None:
    """Facts in place; an empty table, one, several; the same bytes for the same data; small pieces."""
    form = get_format(name)
    assert (form.name, form.help.endswith("."), bool(form.media_type)) == (name, True, True)
    assert format_for_file(f"x.{form.extension}") == name
    empty = made("CREATE TABLE t (a, b)", table="t", format=name)
    assert empty == made("CREATE TABLE t (a, b)", table="t", format=name)
    assert made(*AWKWARD, table="t", format=name) == made(*AWKWARD, table="t", format=name)
    several = made(*PAIR, table="p", format=name, records=(("1",),))
    assert several == made(*PAIR, table="p", format=name, records=(("1",),))
    with closing(database(None, "CREATE TABLE t (a)")) as connection:
        connection.executemany("INSERT INTO t VALUES (?)", (("x" * 1000,) for _ in range(2000)))
        assert max(map(len, export(connection, Request(table="t", format=name)))) < 300_000


@pytest.mark.parametrize("name", NAMES)
def test_a_format_streams(name: str) -> None:
    """Rows go out while rows come in: by the order of events, not by a measurement."""
    if not get_format(name).streams:
        return  # of such a format no byte is given away before all is checked
    events: list[str] = []

    def batches() -> Iterator[list]:
        for i in range(3):
            events.append("in")
            yield [(i,)]

    stream = TableStream("t", (Field("a", "INTEGER"),), batches())
    form = get_format(name)
    if form.encode_table is None or form.one_table:  # in groups of rows
        with closing(database(None, "CREATE TABLE t (a)")) as connection:
            connection.executemany("INSERT INTO t VALUES (?)", ((secrets.token_hex(500),) for _ in range(3000)))
            made = export(connection, Request(table="t", format=name))
            rows = [made.progress.rows for _ in made]
        assert len(rows) > 3 and rows[len(rows) // 3] < 3000 == rows[-1]
        return
    for chunk in form.encode_table(stream, Request(table="t", format=name)):
        events.append("out" if chunk[:1] in b"{012" else "header")
    assert [e for e in events if e != "header"] == ["in", "out"] * 3


GOLDEN = {
    "programjson": b"""{"format":"programjson",
"version":1,
"export":{"created_at":"2026-11-23T04:05:06Z","generator":"GENERATOR","source":"memory","scope":"record","request":{"table":"p","records":[["1"]],"person":["none"]}},
"schema":{"tables":{"p":{"columns":[{"name":"id","type":"INTEGER"},{"name":"name","type":"TEXT"}],"primary_key":["id"],"foreign_keys":[],"sql":"CREATE TABLE p (id INTEGER PRIMARY KEY, name TEXT)"},"c":{"columns":[{"name":"id","type":"INTEGER"},{"name":"p","type":""},{"name":"note","type":"TEXT"}],"primary_key":["id"],"foreign_keys":[{"columns":["p"],"table":"p","other_columns":["id"]}],"sql":"CREATE TABLE c (id INTEGER PRIMARY KEY, p REFERENCES p, note TEXT)"}},"deferred":[],"objects":[],"not_carried":[],"database":{"encoding":"UTF-8"}},
"tables":{
"p":[
{"id":1,"name":"a;b"}
],
"c":[
{"id":10,"p":1,"note":"x"},
{"id":11,"p":1,"note":""}
]
},
"coverage":{"tables":{"p":{"belongs":1,"needed":0},"c":{"belongs":2,"needed":0}},"withheld":[],"no_permission":[],"secret":[],"left_out":[],"dangling":[],"warnings":[],"people":{"tables":[],"known_by":"guess"}},
"integrity":{"rows":3,"tables":{"p":{"rows":1,"sha256":"DIGEST"},"c":{"rows":2,"sha256":"DIGEST"}},"document":"DIGEST","complete":true}}
""",  # noqa: E501
    "ndjson": b"""{"id":1,"name":"a;b"}
{"id":2,"name":null}
""",
    # every other format's file is a zip of these
    "csv": b'id,name\r\n1,a;b\r\n2,\r\n',
    "tsv": b"id\tname\r\n1\ta;b\r\n2\t\r\n",
}  # fmt: skip


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_bytes(name: str) -> None:
    import re

    from datasette_program_export.exporting.exporter import GENERATOR

    how = {"records": (("1",),)} if name == "programjson" else {}
    found = made(*PAIR, table="p", format=name, **how)
    shown = re.sub(rb"[0-9a-f]{64}", b"DIGEST", found).replace(GENERATOR.encode(), b"GENERATOR")
    assert shown == GOLDEN[name]


def test_the_document_proves_itself() -> None:
    """``document`` is the SHA-256 of every byte before the "integrity" key; ``tables`` digest the rows."""
    found = made(*PAIR, table="p", records=(("1",),))
    before, key, _ = found.rpartition(b'"integrity"')
    assert key
    integrity = json.loads(found)["integrity"]
    assert integrity["document"] == hashlib.sha256(before).hexdigest()
    digest = TableDigest(3)
    digest.add([(10, 1, "x"), (11, 1, "")])
    assert integrity["tables"]["c"] == {"rows": 2, "sha256": digest.hexdigest()}
    assert found.endswith(b'"complete":true}}\n')


def test_awkward_values_in_programjson() -> None:
    found = made(*AWKWARD, table="t").decode()
    rows = [json.loads(line.rstrip(",")) for line in found.splitlines() if line.startswith('{"id"')]
    assert rows[0]['a "b" \\c'] == 'O\'Brien, "Müller"' and rows[0]["n"] == 9223372036854775807
    assert rows[0][""] == {"$base64": True, "encoded": "AP8="}
    assert '"j":{"a" : [1, 2.50, 1e-07]}' in found  # its own bytes, spaces and digits
    assert '"n":0,' in found.splitlines()[7]  # NUMERIC holds -0.0 as the integer 0: what SQLite stores is written
    assert rows[1]["j"] == "{broken" and rows[5]["j"] == '{"$real": 1}'
    assert rows[2]["n"] == {"$real": "Infinity"} and rows[4]["n"] == {"$real": "-Infinity"}
    assert rows[3]['a "b" \\c'] == "\r\n\0李"
    assert rows[4]['a "b" \\c'] == {"$base64": True, "encoded": "/w==", "type": "text"}
    assert rows[4]["j"] == 5 and [r["g"] for r in rows] == [2, 4, 6, 8, 10, 12]
    warnings = json.loads(found)["coverage"]["warnings"]
    assert warnings == ["t.j: 2 text(s) are not JSON that can be embedded as it is; they are written as strings."]


def test_pretty_is_the_same_data_and_never_touches_embedded_json() -> None:
    plain, pretty = made(*AWKWARD, table="t"), made(*AWKWARD, table="t", layout="pretty")
    a, b = json.loads(plain), json.loads(pretty)
    assert a["tables"] == b["tables"] and a["integrity"]["tables"] == b["integrity"]["tables"]
    assert b'        "j": {"a" : [1, 2.50, 1e-07]},\n' in pretty
    assert b["integrity"]["document"] == hashlib.sha256(pretty.rpartition(b'"integrity"')[0]).hexdigest()


def test_ndjson_of_several_tables_begins_with_what_it_is_and_ends_with_that_it_is_whole() -> None:
    lines = [json.loads(line) for line in made(*PAIR, table="p", format="ndjson", records=(("1",),)).splitlines()]
    assert lines[0]["format"] == "ndjson" and lines[0]["version"] == 1
    assert lines[1:-2] == [
        {"table": "p", "row": {"id": 1, "name": "a;b"}},
        {"table": "c", "row": {"id": 10, "p": 1, "note": "x"}},
        {"table": "c", "row": {"id": 11, "p": 1, "note": ""}},
    ]
    assert lines[-1]["integrity"]["rows"] == 3 and lines[-1]["integrity"]["complete"] is True


def test_csv_is_read_by_python_and_tells_null_from_empty_text() -> None:
    found = made(*AWKWARD, table="t", format="csv").decode()
    rows = list(csv.reader(io.StringIO(found.replace("\0", "NUL"), newline="")))
    assert rows[0] == ["id", 'a "b" \\c', "n", "", "j", "g"]
    assert rows[1] == ["1", 'O\'Brien, "Müller"', "9223372036854775807", "AP8=", '{"a" : [1, 2.50, 1e-07]}', "2"]
    assert rows[4][1] == "\r\nNUL李" and rows[6][1] == "=1+1"
    assert found.splitlines()[2].startswith('2,"",') and found.splitlines()[3].startswith("3,,Infinity,,,")


def test_csv_of_several_tables_is_a_zip_that_tells_what_it_holds() -> None:
    archive = zipfile.ZipFile(io.BytesIO(made(*PAIR, table="p", format="csv", records=(("1",),))))
    assert archive.testzip() is None
    assert archive.namelist() == ["data/p.csv", "data/c.csv", "README.txt", "datapackage.json"]
    assert archive.read("data/c.csv") == b'id,p,note\r\n10,1,x\r\n11,1,""\r\n'
    found = json.loads(archive.read("datapackage.json"))
    assert [(r["title"], r["path"]) for r in found["resources"]] == [("p", "data/p.csv"), ("c", "data/c.csv")]
    about = found["program_export"]
    assert about["integrity"]["complete"] is True
    assert about["coverage"]["tables"]["c"] == {"belongs": 2, "needed": 0}
    assert archive.infolist()[0].date_time == (2026, 11, 23, 4, 5, 6)


@settings(deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(VALUES, VALUES, VALUES), max_size=30))
def test_programjson_reads_back_to_the_same_values(rows: list[tuple]) -> None:
    with closing(database(None, "CREATE TABLE t (a, b JSON, c)")) as connection:
        connection.executemany("INSERT INTO t VALUES (?, ?, ?)", rows)
        stored = connection.execute("SELECT a, b, c FROM t").fetchall()
        text = exported(connection, "t").decode()
    found = []
    for line in text.split("\n"):
        if line.startswith('{"a":'):
            row = json.loads(line.rstrip(","))
            raw = line.partition(',"b":')[2].rpartition(',"c":')[0] if isinstance(row["b"], (dict, list)) else None
            b = row["b"] if raw is None or "$base64" in row["b"] or "$real" in row["b"] else raw
            found.append((value(row["a"]), value(b), value(row["c"])))
    assert [tuple(map(kind, r)) for r in found] == [tuple(map(kind, r)) for r in stored]


def kind(found: object) -> tuple:
    """A value with its storage class, so that 1, 1.0 and '1' differ, and -0.0 from 0.0."""
    return ("text", bytes(found)) if isinstance(found, _Text) else (type(found), repr(found))


cells = st.one_of(VALUES, st.text('",\r\n\t;a ', max_size=5))


@given(st.lists(st.tuples(cells, cells), min_size=1, max_size=30), st.sampled_from([",", ";", "\t"]))
def test_csv_columns_are_written_as_its_cells_are(rows: list[tuple], delimiter: str) -> None:
    """The quick way by columns gives what the definition, cell by cell, gives; Python reads it."""
    lines = CsvLines(delimiter, 2)
    by_cell = "".join(delimiter.join(map(lines.cell, row)) + "\r\n" for row in rows).encode()
    assert lines(rows) == by_cell
    read = list(csv.reader(io.StringIO(by_cell.decode().replace("\0", ""), newline=""), delimiter=delimiter))
    assert len(read) == len(rows) and all(len(row) == 2 for row in read)
    for row, found in zip(rows, read):
        for v, cell in zip(row, found):
            if isinstance(v, str):
                assert cell == v.replace("\0", "")
            elif isinstance(v, (int, float)):
                assert float(cell) == float(v) and (type(v) is int) == cell.lstrip("-").isdigit()


def test_an_error_in_the_database_never_becomes_data() -> None:
    """A view that fails at row 1500 of 3000: no trailer, in no format."""
    for name in NAMES:
        with closing(database(None, "CREATE TABLE t (id INTEGER PRIMARY KEY, j TEXT)")) as connection:
            connection.executemany(
                "INSERT INTO t VALUES (?, ?)", ((i, "{}" if i != 1500 else "broken") for i in range(3000))
            )
            connection.execute("CREATE VIEW v AS SELECT id, json_extract(j, '$.a') AS x FROM t")
            taken = b""
            with pytest.raises(RequestError, match="malformed JSON"):
                for chunk in export(connection, Request(table="v", format=name)):
                    taken += chunk
            form = get_format(name)
            assert taken or form.compressed or not form.streams  # those that are compressed look at all rows before
            assert b"malformed" not in taken and b"complete" not in taken


def test_what_a_format_cannot_do_is_said() -> None:
    with pytest.raises(RequestError, match="no format toml. Known: programjson"):
        made(*PAIR, table="p", format="toml")
    with pytest.raises(UnsupportedError, match="csv has no layout pretty"):
        made(*PAIR, table="p", format="csv", layout="pretty")


def test_two_thousand_columns() -> None:
    columns = ", ".join(f'"c {i}"' for i in range(1999))
    with closing(
        database(None, f"CREATE TABLE t (id INTEGER PRIMARY KEY, {columns})", "INSERT INTO t (id) VALUES (1)")
    ) as c:
        assert len(document(c, "t")["tables"]["t"][0]) == 2000


def test_large_rows_are_fetched_few_at_a_time() -> None:
    """Rows of a megabyte never come a hundred at once."""
    with closing(database(None, "CREATE TABLE t (b)")) as connection:
        connection.executemany("INSERT INTO t VALUES (zeroblob(1000000))", [()] * 40)
        sizes = [len(chunk) for chunk in export(connection, Request(table="t"))]
    assert sum(sizes) > 40_000_000 and max(sizes) < 25_000_000 and sorted(sizes)[-2] < 4_000_000


def test_sqlite_floats_of_seventeen_digits() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE t (r)")  # a REAL column would keep -0.0 as 0.0
        numbers = [176.59051753707058, 1e-07, 5e-324, 1.7976931348623157e308, -0.0, 1.0, 1e22, 123456789012345680.0]
        connection.executemany("INSERT INTO t VALUES (?)", ((n,) for n in numbers))
        connection.commit()
        found = [row["r"] for row in document(connection, "t", settings=Settings())["tables"]["t"]]
    assert [(type(n), repr(n)) for n in found] == [(float, repr(n)) for n in numbers]


def test_the_end_of_a_pretty_document() -> None:
    made = exported(database(None, "CREATE TABLE t (a)", "INSERT INTO t VALUES (1)"), "t", layout="pretty")
    assert made.endswith(b'",\n    "complete": true\n  }\n}\n') and made.startswith(
        b'{\n  "format": "programjson",\n  '
    )
    assert b'  "tables": {\n    "t": [\n      {\n        "a": 1\n      }\n    ]\n  },\n  "coverage": {' in made
