"""Parquet files of other programs: what their values become, and what is refused."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import date, time
from decimal import Decimal
from pathlib import Path

import pytest

from datasette_program_export import load

pa = pytest.importorskip("pyarrow", reason="pyarrow, with which Parquet is read, is not installed")
pq = pytest.importorskip("pyarrow.parquet")

KEPT = {
    "i": pa.array([-(2**63), 2**63 - 1, None], pa.int64()),
    "u": pa.array([0, 255, None], pa.uint64()),
    "yes": pa.array([True, False, None]),
    "f": pa.array([-0.0, float("inf"), 0.1]),
    "d": pa.array([Decimal("12.30"), Decimal("5.00"), None], pa.decimal128(10, 2)),
    "day": pa.array([date(2024, 5, 1), date(1, 1, 1), None]),
    "at": pa.array([1_714_558_272_123_456_789, 0, -1], pa.timestamp("ns")),
    "utc": pa.array([1_714_558_272_000, 0, None], pa.timestamp("ms", "Europe/Vienna")),
    "clock": pa.array([time(10, 11, 12, 5), time(0), None]),
    "text": pa.array(["a", "", None]).dictionary_encode(),
    "blob": pa.array([b"\0\xff", b"", None]),
    "list": pa.array([[1, None], [], None]),
    "object": pa.array([{"a": "x", "b": [Decimal("1.50")]}, None, {"a": None, "b": []}]),
}


def stored(path: Path, **how) -> list[tuple]:
    target = path.with_suffix(".db")
    target.unlink(missing_ok=True)
    load(target, path, table="t", create=True, **how)
    with closing(sqlite3.connect(target)) as connection:
        return connection.execute("SELECT * FROM t").fetchall()


def write(path: Path, columns: dict) -> Path:
    pq.write_table(pa.table(columns), path)
    return path


def test_every_value_is_kept_and_what_becomes_another_kind_is_told(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", KEPT)
    rows = stored(path)
    assert rows[0] == (
        -(2**63), 0, 1, 0.0, 12.3, "2024-05-01", "2024-05-01 10:11:12.123456789", "2024-05-01 10:11:12+00:00",
        "10:11:12.000005", "a", b"\0\xff", "[1,null]", '{"a":"x","b":[1.50]}',
    )  # fmt: skip
    assert rows[1][:8] == (
        2**63 - 1, 255, 0, float("inf"), 5, "0001-01-01", "1970-01-01 00:00:00", "1970-01-01 00:00:00+00:00",
    )  # fmt: skip
    assert rows[2][6] == "1969-12-31 23:59:59.999999999" and rows[2][7:12] == (None,) * 5
    report = load(tmp_path / "new.db", path, table="t", create=True, preview=True)
    told = " ".join(finding.message for finding in report.notes)
    for what in (
        "yes of t: true and false",
        "d of t: decimals",
        "day of t: dates",
        "utc of t: moments",
        "list, object",
    ):
        assert what in told


@pytest.mark.parametrize(
    "value, told",
    [
        (pa.array([1, 2**64 - 1], pa.uint64()), "Row 2 of t: a holds a whole number that is larger"),
        (pa.array([1.0, float("nan")]), "Row 2 of t: a holds NaN"),
        (pa.array([Decimal("0.1"), Decimal("1234567890123456789.5")], pa.decimal128(30, 1)), "more digits"),
        (pa.array([[1.0], [float("nan")]]), "a number that JSON cannot say"),
        (pa.array([2**59], pa.timestamp("ms")), "outside of the years"),
    ],
)
def test_what_sqlite_cannot_hold_is_refused_with_its_place(tmp_path: Path, value, told: str) -> None:
    path = write(tmp_path / "a.parquet", {"a": value})
    report = load(tmp_path / "new.db", path, table="t", create=True, preview=True)
    assert any(told in finding.message for finding in report.findings)


def test_nan_is_no_value_where_that_was_asked_for(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", {"a": pa.array([1.0, float("nan")]), "b": [1, 2]})
    assert stored(path, nan="null") == [(1.0, 1), (None, 2)]


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    data = write(tmp_path / "a.parquet", KEPT).read_bytes()
    other = tmp_path / "b.parquet"
    for cut in (4, 100, len(data) // 2, len(data) - 3):
        other.write_bytes(data[:cut])
        report = load(tmp_path / "new.db", other, table="t", create=True, preview=True)
        assert [f.message for f in report.findings] == ["The Parquet file is cut: its end is missing."]


def test_a_file_of_duckdb(tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb", reason="DuckDB is not installed")
    path = tmp_path / "a.parquet"
    duckdb.sql(f"COPY (SELECT 1::DECIMAL(4,1) d, uuid() u, [1, 2] l, DATE '2024-05-01' AS born) TO '{path}'")
    ((decimal, uuid, listed, day),) = stored(path)
    assert (decimal, len(uuid), listed, day) == (1, 36, "[1,2]", "2024-05-01")
