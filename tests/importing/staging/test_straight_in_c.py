"""Rows that are written into a new database in C: the same database and report as by Python, or Python judges them."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datasette_program_export import ImportReport, RefusedError, Request, export, load
from datasette_program_export.database.fetching import rows_in_c
from datasette_program_export.database.fetching.insert_in_c import InsertInC, can_insert
from datasette_program_export.database.schema import Column
from datasette_program_export.formats.description.digest import pack_rows
from datasette_program_export.formats.json import quick_reading
from datasette_program_export.importing import importer
from datasette_program_export.importing.running import straight
from datasette_program_export.importing.staging.affinity_check import AffinityCheck
from tests.support.databases.building import quoted
from tests.support.databases.strategies import VALUES
from tests.support.databases.torture import AFFINITIES, WORDS, write
from tests.support.native import Ways, extension, in_c
from tests.support.runs.thorough import examples

__all__ = ["extension", "in_c"]
KINDS = [kind for kind in AFFINITIES if kind]
NUMBERS = st.from_regex(r"\A[ \t\n\v\f\r]{0,2}[+-]?[0-9]{0,3}\.?[0-9]{0,2}([eE][+-]?[0-9]{0,2})?[ \n]?\Z")


def opened() -> Any:
    return rows_in_c.connect(sqlite3, ":memory:", isolation_level=None)


@given(st.lists(st.tuples(*[VALUES | NUMBERS | st.sampled_from(WORDS)] * len(KINDS)), min_size=1, max_size=20))
@settings(max_examples=examples(200), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_c_writes_what_python_writes_or_leaves_it_to_python(in_c: Ways, rows: list[tuple[Any, ...]]) -> None:
    columns = [Column(kind.lower(), kind, kind) for kind in KINDS]
    check = AffinityCheck(KINDS)
    check.look(rows)
    with closing(opened()) as connection:
        assert can_insert(connection)
        for table in ("python", "c"):
            connection.execute(f"CREATE TABLE {table} ({', '.join(f'{kind} {kind}' for kind in KINDS)})")
        first = InsertInC(connection, "c", columns).add(memoryview(pack_rows(rows)), len(rows), 3)
        try:
            connection.executemany(f"INSERT INTO python VALUES ({', '.join('?' * len(KINDS))})", rows)
        except UnicodeEncodeError:
            assert first is None
            return
        assert (first is None) == bool(check.found)
        if first is not None:
            assert repr(first) == repr(rows[:3])
            look = "SELECT " + ", ".join(f"typeof({kind}), quote({kind}), {kind}" for kind in KINDS)
            found = [repr(connection.execute(f"{look} FROM {table}").fetchall()) for table in ("python", "c")]
            assert found[0] == found[1]


def test_what_is_no_packed_row_is_an_error_and_no_schema_can_call_it(in_c: Ways) -> None:
    with closing(opened()) as connection:
        assert can_insert(connection)
        connection.execute("CREATE TABLE t (a)")
        good = pack_rows([(1,), ("ab",)])
        insert = InsertInC(connection, "t", [Column("a", "", "BLOB")])
        for bad in (good[:-1], good + b"\xc0", b"\x92\x01\x02\x92\x01\x02", b"\x01\x01", b"\x91\xcf" + b"\xff" * 8):
            with pytest.raises(sqlite3.OperationalError, match="no such rows"):
                insert.add(memoryview(bad), 2, 0)
        with pytest.raises(sqlite3.OperationalError, match="no such table"):
            InsertInC(connection, "no", [Column("a", "", "BLOB")]).add(memoryview(good), 2, 0)
        connection.execute(
            "CREATE TABLE called (a, b DEFAULT (program_export_insert('DELETE FROM t', '', x'90', 1, 0)))"
        )
        with pytest.raises(sqlite3.OperationalError, match="unsafe use"):
            connection.execute("INSERT INTO called (a) VALUES (1)")


def outcome(target: Path, file: Path) -> tuple[Any, ...]:
    """What an import tells, and the database that it makes."""
    report: ImportReport | None
    try:
        report, told = load(target, file), ""
    except RefusedError as error:
        report, told = error.report, str(error)
    assert report is not None
    if not target.exists():
        return report, told
    with closing(sqlite3.connect(target)) as connection:
        connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        objects = connection.execute("SELECT type, name, sql FROM sqlite_master ORDER BY 1, 2").fetchall()
        rows = [
            repr(connection.execute(f"SELECT * FROM {quoted(o[1])}").fetchall()) for o in objects if o[0] == "table"
        ]
        return report, told, objects, rows


@pytest.fixture
def packed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows were written in C, in each call; few lines are worth it here."""
    counts: list[int] = []
    monkeypatch.setattr(quick_reading, "_FEW", 1)
    add = InsertInC.add

    def counted(self: InsertInC, rows: memoryview, count: int, first: int) -> Any:
        counts.append(count)
        return add(self, rows, count, first)

    monkeypatch.setattr(InsertInC, "add", counted)
    return counts


@pytest.mark.parametrize(("form", "asked"), [("programjson", {}), ("ndjson", {"layout": "envelope"})])
def test_every_awkward_table_is_the_same_by_all_ways(
    form: str, asked: dict[str, str], tmp_path: Path, in_c: Ways, packed: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "torture.db")
    with closing(sqlite3.connect(tmp_path / "torture.db")) as connection:
        kind = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite%'"
        tables = [name for (name,) in connection.execute(kind)]
    quick: list[bool] = []
    through = straight.import_straight
    monkeypatch.setattr(importer, "import_straight", lambda *given: _noted(quick, through(*given)))
    goes = importer.goes_straight
    for number, table in enumerate(tables if form == "programjson" else tables[::5]):
        file = tmp_path / f"{number}.file"
        file.write_bytes(b"".join(export(tmp_path / "torture.db", Request(format=form, table=table, **asked))))
        found = []
        for way in ("c", "python", "usual"):
            in_c(way == "c")
            monkeypatch.setattr(importer, "goes_straight", goes if way != "usual" else lambda *_: False)
            target = tmp_path / f"{number}" / "new.db"
            target.parent.mkdir(exist_ok=True)
            before = len(packed)
            found.append(outcome(target, file))
            assert way == "c" or len(packed) == before
            target.unlink(missing_ok=True)
            assert list(target.parent.iterdir()) == []
        assert found[0] == found[1] == found[2], table
        assert quick[-2] == quick[-1], table
    assert packed and any(quick)


def _noted(quick: list[bool], report: ImportReport | None) -> ImportReport | None:
    quick.append(report is not None)
    return report


def test_rows_come_in_c_and_in_lists_in_turns(tmp_path: Path, in_c: Ways, packed: list[int]) -> None:
    """A line that only Python judges stands between those that C reads."""
    source, file = tmp_path / "source.db", tmp_path / "file"
    rows: Sequence[Any] = [(i, "x" * (70_000 if i == 50 else 20), i / 3) for i in range(100)]
    with closing(sqlite3.connect(source)) as connection, connection:
        connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, size REAL)")
        connection.executemany("INSERT INTO t VALUES (?, ?, ?)", rows)
    file.write_bytes(b"".join(export(source, Request(format="programjson"))))
    report = load(tmp_path / "new.db", file)
    assert packed and sum(packed) < 100 and report.tables["t"].rows == 100
    with closing(sqlite3.connect(tmp_path / "new.db")) as connection:
        assert connection.execute("SELECT * FROM t ORDER BY id").fetchall() == rows


def test_a_row_that_breaks_a_rule_is_told_by_the_usual_way(tmp_path: Path, in_c: Ways, packed: list[int]) -> None:
    source, file = tmp_path / "source.db", tmp_path / "file"
    with closing(sqlite3.connect(source)) as connection, connection:
        connection.execute("CREATE TABLE t (id TEXT, name TEXT)")
        connection.executemany("INSERT INTO t VALUES (?, 'x')", [(str(i) if i != 50 else None,) for i in range(100)])
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_master SET sql = 'CREATE TABLE t (id TEXT NOT NULL, name TEXT)'")
    file.write_bytes(b"".join(export(source, Request(format="programjson"))))
    with pytest.raises(RefusedError, match="Row 51 of t"):
        load(tmp_path / "new.db", file)
    assert packed and not (tmp_path / "new.db").exists()
