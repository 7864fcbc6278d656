"""The SQL script: run by Python and by the sqlite3 program it makes the same database, and it proves itself."""

from __future__ import annotations

import json
import math
import random
import sqlite3
import struct
import subprocess
from contextlib import closing
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from datasette_program_export import Request, Settings, export
from datasette_program_export.demo import ANNA
from datasette_program_export.errors import BrokenExportError, CancelledError, UnsupportedError
from datasette_program_export.formats.description.digest import TableDigest
from datasette_program_export.formats.sqlite import script as sql_format
from datasette_program_export.formats.sqlite.literals import Literals, real
from datasette_program_export.formats.sqlite.script_reading import check_script
from tests.support.databases.building import database
from tests.support.databases.strategies import VALUES, Built, databases
from tests.support.files.sqlite_files import HOUSE, ODD, SOME, commands, contents, dangles_as_announced, described, same

MOMENT = datetime(2026, 11, 23, 4, 5, 6, tzinfo=timezone.utc)


def script(source: Any, how: dict[str, Any] | None = None, **request: Any) -> str:
    asked = Request(**{"format": "sql", **request})
    return b"".join(export(source, asked, created_at=MOMENT, **(how or {}))).decode()


def run(text: str) -> sqlite3.Connection:
    """A new database, made by Python."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.executescript(text)
    return connection


def run_by_shell(text: str, folder: Path) -> sqlite3.Connection:
    """A new database, made by the sqlite3 program from a file with this text."""
    path, database_file = folder / "script.sql", folder / "shell.db"
    database_file.unlink(missing_ok=True)
    path.write_bytes(text.encode())
    with path.open("rb") as file:
        done = subprocess.run(["sqlite3", "-bail", str(database_file)], stdin=file, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return sqlite3.connect(database_file)


LINES = (
    "one\ntwo",
    "one\r\ntwo\r",
    "a\\r\r",
    ".quit\n.quit",
    "x\n;\n/\ngo\n-- not a comment",
    "';\n.quit\n--",
    "\0",
    "",
)


@pytest.mark.parametrize("way", ["python", "shell"])
def test_an_odd_database_is_the_same_in_every_word_and_value(way: str, tmp_path: Path) -> None:
    with closing(database(None, *ODD)) as source:
        source.executemany("INSERT INTO log VALUES (?)", ((line,) for line in LINES))
        text = script(source)
        with closing(run(text) if way == "python" else run_by_shell(text, tmp_path)) as copy:
            same(copy, source, "program_export_2")
            for pragma in ("user_version", "application_id", "encoding"):
                query = f"PRAGMA {pragma}"
                assert copy.execute(query).fetchone() == source.execute(query).fetchone()
            assert copy.execute("SELECT * FROM sqlite_sequence").fetchall() == [("a", 5)]
            dangles_as_announced(copy, described(copy, "program_export_2")["coverage"])


def test_indexes_views_and_triggers_work() -> None:
    with closing(database(None, *HOUSE)) as source, closing(run(script(source))) as copy:
        copy.execute("INSERT INTO names VALUES ('X', 1)")
        assert copy.execute("SELECT word FROM log").fetchall() == [("X",)]


GOLDEN = """\
-- memory, table, exported at 2026-11-23T04:05:06Z by GENERATOR
-- For a new database: sqlite3 -bail new.db < this-file
-- The last line is there when the script is whole; what it holds, and what not, tells the table program_export
PRAGMA encoding='UTF-8';
PRAGMA foreign_keys=OFF;
PRAGMA ignore_check_constraints=ON;
BEGIN;
CREATE TABLE t (a INT, b, c AS (a));
INSERT INTO "t"("a","b") VALUES
(1,'it''s'),
(2,CAST(X'ff00' AS TEXT)),
(NULL,X'00'),
(-9223372036854775807-1,0.1),
(5,2.0);
CREATE INDEX t_b ON t (b);
"""


def test_a_person_can_read_it() -> None:
    from datasette_program_export.exporting.exporter import GENERATOR

    rows = "(1, 'it''s'), (2, CAST(x'ff00' AS TEXT)), (NULL, x'00'), (-9223372036854775808, 0.1), (5, 2.0)"
    made = ("CREATE TABLE t (a INT, b, c AS (a))", "CREATE INDEX t_b ON t (b)", f"INSERT INTO t VALUES {rows}")
    with closing(database(None, *made)) as source:
        text = script(source, table="t")
    assert text.replace(GENERATOR, "GENERATOR").startswith(GOLDEN)
    *_, counted, last = text.splitlines()
    assert counted == "-- 5 rows" and last.startswith("-- complete; sha256 of every byte before this line: ")


@given(built=databases(with_persons=False), rows=st.lists(st.tuples(VALUES, VALUES), max_size=20))
@settings(max_examples=60, deadline=None, suppress_health_check=SOME)
def test_any_database_comes_back(tmp_path: Path, built: Built, rows: list[tuple]) -> None:
    with closing(built.open()) as source:
        source.execute("CREATE TABLE extra (a, b)")
        source.executemany("INSERT INTO extra VALUES (?, ?)", rows)
        with closing(run(script(source, how={"settings": Settings()}))) as copy:
            same(copy, source)
            told = described(copy)
            dangles_as_announced(copy, told["coverage"])
            digest = TableDigest(2)
            digest.add(copy.execute("SELECT * FROM extra").fetchall())
            assert told["integrity"]["tables"]["extra"]["sha256"] == digest.hexdigest()


@given(rows=st.lists(st.tuples(st.one_of(VALUES, st.text("'\\r1\r\n\0a"))), min_size=1, max_size=20))
@settings(max_examples=40, deadline=None, suppress_health_check=SOME)
def test_the_sqlite3_program_reads_the_same(tmp_path: Path, rows: list[tuple]) -> None:
    with closing(database(None, "CREATE TABLE t (a)")) as source:
        source.executemany("INSERT INTO t VALUES (?)", rows)
        with closing(run_by_shell(script(source, table="t"), tmp_path)) as copy:
            assert contents(copy, "t") == contents(source, "t")


@given(rows=st.lists(st.tuples(VALUES), min_size=1, max_size=20))
@settings(max_examples=40, deadline=None, suppress_health_check=SOME)
def test_of_a_utf_16_database_too(rows: list[tuple]) -> None:
    with closing(database(None, "PRAGMA encoding='UTF-16be'", "CREATE TABLE t (a)")) as source:
        source.executemany("INSERT INTO t VALUES (?)", rows)
        for text in (chr(0xFFFF), "\ufeff\ufffe", "a\0b", "half \ud83d"):
            raw = text.encode("utf-16-be", "surrogatepass").hex()
            source.execute(f"INSERT INTO t VALUES (CAST(X'{raw}' AS TEXT))")
        with closing(run(script(source))) as copy:
            same(copy, source)
            cast = "SELECT CAST(a AS BLOB) FROM t WHERE typeof(a) = 'text'"
            assert copy.execute(cast).fetchall() == source.execute(cast).fetchall()


def doubles() -> st.SearchStrategy[float]:
    """All doubles alike: also by their bits, and decimal ones."""
    by_bits = st.integers(0, 2**64 - 1).map(lambda bits: struct.unpack("<d", struct.pack("<Q", bits))[0])
    decimal = st.builds(lambda digits, places: digits / 10**places, st.integers(-(10**15), 10**15), st.integers(0, 22))
    return st.one_of(st.floats(allow_nan=False), by_bits.filter(lambda x: not math.isnan(x)), decimal)


@given(st.lists(doubles(), min_size=1, max_size=300))
@example([0.0, -0.0, 5e-324, -5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, math.inf, -math.inf])
@example([1e22, 1e23, 2.0**53, 2.0**53 + 2, 2.0**62, 2.0**63, 2.0**64, 176.59051753707058, 1e-07, 0.1, 1e15, 1e16])
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_double_is_read_back_bit_for_bit(numbers: list[float]) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        found = [row[0] for row in connection.execute("VALUES" + ", ".join(f"({real(n)})" for n in numbers))]
    assert [struct.pack("<d", n) for n in found] == [struct.pack("<d", n) for n in numbers]


def test_decimals_that_sqlite_misreads_are_not_left_to_it() -> None:
    """Of decimals with few digits, too: SQLite 3.40 takes one in some thousands for its neighbour."""
    chance = random.Random(3)
    numbers = [chance.randrange(10**12) / 10**6 for _ in range(60_000)]
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE t (a)")
        for i in range(0, len(numbers), 500):
            connection.execute("INSERT INTO t VALUES" + ",".join(f"({real(n)})" for n in numbers[i : i + 500]))
        assert [a for (a,) in connection.execute("SELECT a FROM t")] == numbers
    plain = sum("*" not in real(n) for n in numbers)
    assert 0.99 * len(numbers) < plain < len(numbers)


cells = st.one_of(VALUES, st.text("'\r\n\0a", max_size=5), st.just("\udcff"))


@given(st.lists(st.tuples(cells, cells), min_size=1, max_size=20), st.sampled_from(["UTF-8", "UTF-16le"]))
def test_columns_are_written_as_single_values_are(rows: list[tuple], encoding: str) -> None:
    write = Literals(encoding)
    one_by_one = "\n" + ",\n".join("(" + ",".join(map(write.literal, row)) + ")" for row in rows)
    assert write(rows) == one_by_one
    for place in (0, 1):  # of one kind, too
        for kind in (int, str, float):
            if column := [(row[place],) for row in rows if type(row[place]) is kind]:
                assert write(column) == "\n" + ",\n".join(f"({write.literal(value)})" for (value,) in column)


def test_every_flipped_bit_and_every_cut_is_found(demo_file: Path, tmp_path: Path) -> None:
    whole = script(demo_file, table="clients", records=((ANNA,),)).encode()
    path = tmp_path / "anna.sql"
    path.write_bytes(whole)
    assert check_script(path) is None
    chance = random.Random(7)
    last_line = range(len(whole) - 120, len(whole))
    for place in [*(chance.randrange(len(whole)) for _ in range(200)), *last_line]:
        broken = bytearray(whole)
        broken[place] ^= 1 << chance.randrange(8)
        path.write_bytes(broken)
        assert check_script(path), f"byte {place}"
    for size in (0, 1, len(whole) // 2, whole.rindex(b"-- complete"), len(whole) - 1):
        path.write_bytes(whole[:size])
        assert check_script(path), f"cut at {size}"
    path.write_bytes(whole + b"\n")
    assert check_script(path)


def test_it_says_what_it_holds(demo_file: Path) -> None:
    with closing(run(script(demo_file, table="clients", records=((ANNA,),)))) as copy:
        told = described(copy)
    assert list(told) == ["format", "version", "export", "schema", "coverage", "integrity"]
    assert told["format"] == "sql" and told["integrity"]["complete"] is True and told["integrity"]["rows"] == 28


def test_objects_whose_text_ends_in_a_comment_are_whole(tmp_path: Path) -> None:
    made = (
        "CREATE TABLE t (a)",
        "CREATE VIEW v AS SELECT a FROM t -- why;",
        "CREATE VIEW w AS SELECT a FROM v /* open",
    )
    with closing(database(None, *made)) as source:
        text = script(source)
    for copy in (run(text), run_by_shell(text, tmp_path)):
        with closing(copy):
            assert copy.execute("SELECT * FROM w").fetchall() == []
            assert copy.execute("SELECT count(*) FROM program_export").fetchone() == (6,)


def test_a_name_that_sqlite_keeps_for_itself_is_refused_before_the_first_byte() -> None:
    from datasette_program_export.formats.description.schema import DatabaseFacts, DocumentSchema, DocumentTable
    from datasette_program_export.formats.sqlite.statements import Blueprint

    table = DocumentTable(columns=(), primary_key=(), foreign_keys=(), sql='CREATE TABLE "sqlite_x" ("a")')
    schema = DocumentSchema({"sqlite_x": table}, (), (), (), DatabaseFacts("UTF-8"))
    with pytest.raises(UnsupportedError, match="names that begin with sqlite_ are SQLite's own"):
        Blueprint.of(schema)


def test_large_rows_have_statements_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite reads no statement of more than a billion bytes."""
    made = ("CREATE TABLE t (a)", "INSERT INTO t VALUES ('a'), (zeroblob(1000)), ('b')")
    with closing(database(None, *made)) as source:
        assert script(source).count('INSERT INTO "t"') == 1
        monkeypatch.setattr(sql_format, "_LONG", 1000)
        text = script(source)
        assert text.count('INSERT INTO "t"') == 3
        with closing(run(text)) as copy:
            same(copy, source)
        monkeypatch.setattr(sql_format, "_LONGEST", 1000)
        with pytest.raises(BrokenExportError, match="A row of t is larger"):
            script(source)


def test_it_is_checked_with_common_tools_as_the_page_says(demo_file: Path, tmp_path: Path) -> None:
    (tmp_path / "practice.sql").write_text(script(demo_file))
    (command,) = [code for code in commands() if "practice.sql" in code and "tail" in code]
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, cwd=tmp_path)
    taken, told = done.stdout.splitlines()
    assert taken.partition(" ")[0] == told.rpartition(" ")[2] and len(taken) > 64


def test_it_can_be_cancelled() -> None:
    with closing(database(None, "CREATE TABLE t (a)")) as source:
        source.executemany("INSERT INTO t VALUES (?)", ((i,) for i in range(2000)))
        made = export(source, Request(format="sql"))
        chunks = iter(made)
        next(chunks)
        made.cancel()
        with pytest.raises(CancelledError):
            list(chunks)


@pytest.mark.parametrize("file", ["chinook.db", "northwind_small.db"])
def test_real_databases_come_back(real_data: Path, tmp_path: Path, file: str) -> None:
    text = script(real_data / file)
    with closing(sqlite3.connect(real_data / file)) as source:
        for copy in (run(text), run_by_shell(text, tmp_path)):
            with closing(copy):
                same(copy, source)
                assert json.loads(dict(copy.execute("SELECT * FROM program_export"))["integrity"])["complete"] is True
