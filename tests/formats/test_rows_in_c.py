"""Rows written in C are the bytes that Python writes; whatever C cannot judge is left to Python."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datasette_program_export import Request, Settings, export
from datasette_program_export.cli.main import program_export
from datasette_program_export.database.fetching import rows_in_c
from datasette_program_export.database.snapshot import Snapshot
from datasette_program_export.database.source import Source
from datasette_program_export.errors import CancelledError, RequestError
from datasette_program_export.formats.registry import NAMES, get_format
from tests.support import native
from tests.support.databases.strategies import VALUES
from tests.support.databases.torture import JOURNALS, JSON_COLUMNS, write
from tests.support.native import Ways
from tests.support.runs.thorough import ALL, examples, some

MOMENT = datetime(2026, 1, 1, tzinfo=timezone.utc)


def exported(source: Any, known: Settings | None = None, **how: Any) -> tuple[bytes, tuple[str, ...]]:
    """What an export writes, and its warnings."""
    with export(source, Request(**how), settings=known, created_at=MOMENT) as chunks:
        return b"".join(chunks), chunks.coverage.warnings


def made(path: Path, statement: str) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=wal")
        connection.execute(statement)
    return path


def chunks_in_c(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A list that receives the number of rows of each chunk that C writes."""
    seen: list[int] = []
    read = rows_in_c.read_chunk

    def looked_at(*given: Any) -> rows_in_c.Chunk:
        chunk = read(*given)
        seen.append(chunk.rows)
        return chunk

    monkeypatch.setattr("datasette_program_export.database.snapshot.read_chunk", looked_at)
    return seen


@pytest.mark.parametrize("encoding", some(tuple(JOURNALS), 2))
@pytest.mark.parametrize("name", NAMES if ALL else ("programjson", "ndjson", "csv"))
def test_every_awkward_value_in_every_format(
    name: str, encoding: str, in_c: Ways, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, known = write(tmp_path / "torture.db", encoding, only="values"), Settings(json_columns=JSON_COLUMNS)
    seen = chunks_in_c(monkeypatch)
    with closing(sqlite3.connect(path)) as connection:
        tables = [
            row[0]
            for row in connection.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB 'sqlite_*'"
            )
        ]
    if not ALL:  # every table in one encoding at least
        tables = tables[tuple(JOURNALS).index(encoding) // 2 :: 2]
    for layout in get_format(name).layouts:
        for table in [None, *tables]:
            how: dict[str, Any] = {"format": name, "layout": layout, "table": table}
            in_c(True)
            written = exported(path, known, **how)
            in_c(False)
            assert written == exported(path, known, **how), (table, layout)
    assert (sum(seen) > 1000) == (name not in ("sql", "xml", "dossier"))  # which take rows from Python only


rows = st.lists(st.tuples(VALUES, VALUES, st.one_of(VALUES, st.text('{}[]",:\\u$0e9+-. tn', max_size=12))), max_size=40)


@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=rows)
@pytest.mark.parametrize("name", ["programjson", "csv"])
def test_random_rows(name: str, rows: list[Any], in_c: Ways) -> None:
    known = Settings(json_columns={"t": ["c"]})
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, a, b, c, g AS (a || 'x'))")
        for times in range(2):  # with as many rows as it takes for C
            connection.executemany("INSERT INTO t (a, b, c) VALUES (?, ?, ?)", rows * (1 + 9 * times))
        connection.commit()
        in_c(True)
        written = exported(connection, known, table="t", format=name)
        in_c(False)
        assert written == exported(connection, known, table="t", format=name)


JSON = (
    *("{}", "[]", "[1,2]", '{"a":1}', '{"$a":1}', '{"\\u0024a":1}', '{"a":{"$b":1}}', "[1e400]", "[1e5]", "[01]"),
    *("[1,]", '["\\ud800"]', '["\\ud83d\\ude00"]', '["\\ud83d\\u0041"]', '["\\udc00"]', "[ 1 ]", "[\t1]", "[\n1]"),
    *("[" * 64 + "]" * 64, "[" * 65 + "]" * 65, '["a\tb"]', '["\x7f"]', "[nul]", "[null,true,false]", "[-]", "[-0]"),
    *("[1.]", "[.5]", "[1E+5]", "[1e+]", '{"a":1,"a":2}', '["\\x"]', '["\\/"]', '{"a" : 1 }', "[1]x]", "[[]", "{]"),
    *('[" \\" ]"]', '{"":1}', "{a:1}", "[" + "9" * 320 + "]", "[0." + "1" * 320 + "]", "[1e99]", "[1e-999]", '["\0"]'),
    *(
        "[--1]",
        "[+1]",
        '["\\u00zz"]',
        '["\\u00',
        "[1e308]",
        "[1.8e308]",
        "[0e999]",
        '["é李😀"]',
        "[NaN]",
        '["\\U0041"]',
    ),
)


def test_a_text_is_embedded_as_json_exactly_where_python_embeds_it(in_c: Ways, tmp_path: Path) -> None:
    """Also behind a number so large that C leaves the rest to Python: no row is lost there, or written twice."""
    known = Settings(json_columns={"t": ["c"]})
    for turn in range(4):
        texts = [*JSON[turn:], *JSON[:turn]] * 3
        path = made(tmp_path / f"{turn}.db", "CREATE TABLE t (id INTEGER PRIMARY KEY, c)")
        with closing(sqlite3.connect(path)) as connection:
            connection.executemany("INSERT INTO t (c) VALUES (?)", [(text,) for text in texts])
            connection.commit()
        in_c(True)
        written = exported(path, known, table="t")
        in_c(False)
        assert written == exported(path, known, table="t")
        assert any("are not JSON" in warning for warning in written[1])


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """A table of 5,000 rows whose key does not give their order in the file, one row of them of 2 MB."""
    path = made(tmp_path / "many.db", "CREATE TABLE t (k TEXT PRIMARY KEY, v, size) WITHOUT ROWID")
    with closing(sqlite3.connect(path)) as connection:
        rows = ((f"{i * 7919 % 5000:05}", "x" * 100, i) for i in range(5000))
        connection.executemany("INSERT INTO t VALUES (?, ?, ?)", rows)
        connection.execute("UPDATE t SET v = zeroblob(2000000) WHERE k = '04000'")
        connection.commit()
    return path


@pytest.mark.parametrize("how", [{}, {"sort": "v"}, {"sort": "-size"}, {"limit": 4500, "offset": 3}])
def test_order_limits_and_a_large_row(
    how: dict[str, Any], many: Path, in_c: Ways, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = chunks_in_c(monkeypatch)
    if "sort" in how:
        how = {"sort": ((how["sort"].lstrip("-"), how["sort"].startswith("-")),)}
    for name in ("programjson", "csv"):
        in_c(True)
        written = exported(many, table="t", format=name, **how)
        in_c(False)
        assert written == exported(many, table="t", format=name, **how)
    assert 0 < sum(seen) < 10_000  # up to the large row


def test_a_wide_table_is_left_to_python(in_c: Ways, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = chunks_in_c(monkeypatch)
    for width, chunks in ((rows_in_c.MOST_COLUMNS, True), (rows_in_c.MOST_COLUMNS + 1, False)):
        names = ", ".join(f"c{i}" for i in range(width))
        path = made(tmp_path / f"{width}.db", f"CREATE TABLE t ({names})")
        with closing(sqlite3.connect(path)) as connection:
            connection.executemany(f"INSERT INTO t VALUES ({', '.join('?' * width)})", [range(width)] * 100)
            connection.commit()
        seen.clear()
        assert exported(path, table="t", format="ndjson")[0].count(b"\n") == 100
        assert bool(seen) == chunks


def test_sql_from_outside_cannot_call_it(many: Path, in_c: Ways) -> None:
    for call in ("open(x'6a')", "row(1, k)", "last(1)", "rest(1)", "end(1)"):
        with pytest.raises(RequestError):
            exported(many, sql=f"SELECT program_export_{call} FROM t")
        with pytest.raises(RequestError):
            exported(many, table="t", where=(f"program_export_{call} IS NULL",))


def test_only_connections_that_are_opened_for_an_export_have_the_functions(many: Path, in_c: Ways) -> None:
    with closing(Snapshot(Source.of(many))) as snapshot:
        assert snapshot.writes_rows
        with closing(sqlite3.connect(many)) as other, pytest.raises(sqlite3.OperationalError, match="no such function"):
            other.execute("SELECT program_export_end(0)")
        with pytest.raises(sqlite3.DatabaseError):  # nor can SQL load anything
            snapshot.connection.execute("SELECT load_extension('rows')").fetchall()


def test_cancelling_stops_it(many: Path, in_c: Ways) -> None:
    with closing(sqlite3.connect(many)) as connection:
        connection.execute("UPDATE t SET v = '' WHERE k = '04000'")
        connection.execute("INSERT INTO t SELECT k || x.value, v, size FROM t, json_each('[1,2,3,4,5]') AS x")
        connection.commit()
    chunks = export(many, Request(table="t", format="ndjson"))
    with chunks:
        next(iter(chunks))
        chunks.cancel()
        with pytest.raises(CancelledError):
            list(chunks)


def test_calls_that_nobody_makes_are_errors_or_nothing(extension: Path, in_c: Ways) -> None:
    with closing(rows_in_c.connect(sqlite3, ":memory:")) as connection:
        assert rows_in_c.load(connection, sqlite3)
        for function in ("last", "rest", "end"):
            assert connection.execute(f"SELECT program_export_{function}(7)").fetchone() == (None,)
        for call in ("open(NULL)", "open(x'')", "open(x'6a')", "open(x'6a64ffffffff')", "open(1)", "row()", "row(1)"):
            with pytest.raises(sqlite3.OperationalError):
                connection.execute(f"SELECT program_export_{call}")
        plan = bytes(rows_in_c.RowPlan([b"["], b"]\n"))
        number = connection.execute("SELECT program_export_open(?)", [plan]).fetchone()[0]
        with pytest.raises(sqlite3.OperationalError):
            connection.execute(f"SELECT program_export_row({number}, 1, 2)")
        with pytest.raises(sqlite3.OperationalError, match="comes first"):
            connection.execute(f"SELECT program_export_rest({number})")
        assert connection.execute(f"SELECT program_export_row({number}, 1), program_export_last({number})").fetchone()
        with pytest.raises(sqlite3.OperationalError, match="not fetched whole"):
            connection.execute(f"SELECT program_export_row({number}, 2)")
        connection.execute("CREATE VIEW v AS SELECT program_export_end(1)")  # only our own statements call it
        with pytest.raises(sqlite3.OperationalError, match="unsafe use"):
            connection.execute("SELECT * FROM v")


def test_the_version_tells_what_writes_the_rows(in_c: Ways, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datasette_program_export.cli.main.find_spec", lambda name: None)
    assert "(rows in Python)" in CliRunner().invoke(program_export, ["--version"]).output
    monkeypatch.setattr("datasette_program_export.cli.main.find_spec", lambda name: object())
    assert "(rows in C)" in CliRunner().invoke(program_export, ["--version"]).output
    in_c(False)
    assert "cannot load" in CliRunner().invoke(program_export, ["--version"]).output


@pytest.mark.long
def test_a_minute_of_random_values_under_sanitizers(tmp_path: Path) -> None:
    """Memory and undefined behaviour are watched by the compiler's sanitizers, in a process of its own."""
    extension = native.compiled(tmp_path, *native.SANITIZERS)
    libraries = ("libasan.so", "libstdc++.so.6")  # the second, as an exception is thrown where rows are broken
    found = [subprocess.run(["g++", f"-print-file-name={name}"], capture_output=True, text=True) for name in libraries]
    watchers = " ".join(one.stdout.strip() for one in found)
    fuzz = Path(__file__).parents[1] / "support" / "native" / "fuzz_rows_in_c.py"
    environment = {**os.environ, "LD_PRELOAD": watchers, "ASAN_OPTIONS": "detect_leaks=0"}
    done = subprocess.run(
        [sys.executable, str(fuzz), str(extension), "60"], capture_output=True, text=True, env=environment, timeout=110
    )
    assert done.returncode == 0, done.stderr[-3000:] + done.stdout[-1000:]
    assert "differ" not in done.stdout
