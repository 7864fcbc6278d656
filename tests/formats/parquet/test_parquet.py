"""Parquet: what data tools find in it, how it proves itself, where it ends."""

from __future__ import annotations

import builtins
import io
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from datasette_program_export import Request, export, load, verify
from datasette_program_export.errors import RequestError
from datasette_program_export.formats.dataset import Field, TableStream
from datasette_program_export.formats.description.column_facts import ColumnFacts
from datasette_program_export.formats.parquet.columns import columns_of
from datasette_program_export.formats.registry import get_format
from datasette_program_export.importing.proof.prove import prove
from datasette_program_export.verifying.converter import Conversion
from tests.support.databases.building import database

pq = pytest.importorskip("pyarrow.parquet", reason="pyarrow, with which Parquet is read and written, is not installed")

MIXED = (
    'CREATE TABLE t (id INTEGER PRIMARY KEY, price DECIMAL(10,2), "price__any" TEXT, note, photo BLOB)',
    """INSERT INTO t VALUES
       (1, 10, 'a', 'text', X'00ff'),
       (2, 12.5, NULL, 7, X''),
       (3, 9223372036854775807, '', NULL, NULL),
       (4, 1e999, 'b', X'01', X'ff')""",
)


def made(path: Path, *statements: str, **how) -> Path:
    with closing(database(None, *statements)) as connection:
        path.write_bytes(b"".join(export(connection, Request(format="parquet", **how))))
    return path


def test_columns_are_typed_and_what_does_not_fit_stands_beside(tmp_path: Path) -> None:
    found = pq.read_table(made(tmp_path / "t.parquet", *MIXED, table="t"))
    assert {f.name: str(f.type) for f in found.schema} == {
        "id": "int64",
        "price": "double",
        "price__any_2": "string",
        "price__any": "string",
        "note": "string",
        "note__any": "string",
        "photo": "binary",
    }
    assert found["price"].to_pylist() == [10.0, 12.5, None, float("inf")]
    assert found["price__any_2"].to_pylist() == ["10", None, "9223372036854775807", None]
    assert found["note__any"].to_pylist() == [None, "7", None, '{"$base64":true,"encoded":"AQ=="}']


@pytest.mark.parametrize(
    "declared, classes, kind",
    [
        ("INTEGER", {int, float}, int),
        ("DECIMAL", {int, float}, float),
        ("REAL", {int, str}, float),
        ("", {int, float}, float),
        ("", {int, str}, str),
        ("TEXT", {int, bytes}, int),
        ("TEXT", set(), str),
        ("INT", {str}, str),
        ("BLOB", set(), bytes),
    ],
)
def test_the_type_of_a_column(declared: str, classes: set[type], kind: type) -> None:
    (column,) = columns_of([Field("a", declared)], [ColumnFacts({*classes, type(None)})])
    assert (column.kind, column.beside is None) == (kind, classes <= {kind})


def test_other_tools_read_it(tmp_path: Path) -> None:
    path = made(tmp_path / "t.parquet", *MIXED, table="t")
    duckdb = pytest.importorskip("duckdb", reason="DuckDB is not installed")
    assert duckdb.sql(f"SELECT sum(price) FROM '{path}' WHERE id < 3").fetchall() == [(22.5,)]
    polars = pytest.importorskip("polars", reason="polars is not installed")
    assert polars.read_parquet(path)["photo"].to_list() == [b"\0\xff", b"", None, b"\xff"]


def test_it_comes_back_by_every_way(tmp_path: Path) -> None:
    path = made(tmp_path / "t.parquet", *MIXED, table="t")
    report = verify(path)
    assert (report.status, report.problems, report.format, report.rows) == ("complete", [], "parquet", 4)
    assert prove(path).proven
    load(tmp_path / "new.db", path)
    with closing(database(None, *MIXED)) as connection, closing(sqlite3.connect(tmp_path / "new.db")) as new:
        asked = "SELECT *, typeof(price), typeof(note) FROM t"
        assert new.execute(asked).fetchall() == connection.execute(asked).fetchall()
    there = tmp_path / "t.programjson"
    there.write_bytes(b"".join(Conversion(path, Request(format="programjson"))))
    back = tmp_path / "back.parquet"
    back.write_bytes(b"".join(Conversion(there, Request(format="parquet"))))
    assert verify(back).tables["t"].sha256 == report.tables["t"].sha256


def test_several_tables_are_a_package_of_such_files(tmp_path: Path) -> None:
    more = "CREATE TABLE other (a REFERENCES t)"
    with closing(database(None, *MIXED, more)) as connection:
        file = export(connection, Request(format="parquet"))
        path = tmp_path / "all.zip"
        path.write_bytes(b"".join(file))
    assert file.filename.endswith(".zip")
    assert (verify(path).status, verify(path).rows, prove(path).proven) == ("complete", 4, True)


def test_every_changed_byte_and_every_cut_is_seen(tmp_path: Path) -> None:
    data = made(tmp_path / "t.parquet", *MIXED, table="t").read_bytes()
    other = tmp_path / "other.parquet"
    for place in range(4, len(data), 41):
        other.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        assert verify(other).status in ("changed", "cut", "damaged", "unknown"), place
        other.write_bytes(data[:place])
        assert verify(other).status == "cut", place


def test_rows_come_in_groups_of_a_bounded_size(tmp_path: Path) -> None:
    rows = ", ".join(f"(hex(randomblob(10000)), {i})" for i in range(400))
    path = made(tmp_path / "t.parquet", "CREATE TABLE t (a TEXT, b INTEGER)", f"INSERT INTO t VALUES {rows}")
    metadata = pq.read_metadata(path)
    assert metadata.num_row_groups >= 3
    assert all(metadata.row_group(i).total_byte_size < 9_000_000 for i in range(metadata.num_row_groups))
    assert verify(path).rows == 400


def test_without_facts_every_column_has_one_beside() -> None:
    def batches() -> Iterator[list]:
        yield [(1,), ("a",)]

    stream = TableStream("t", (Field("a", "INTEGER"),), batches())
    encode = get_format("parquet").encode_table
    assert encode is not None
    found = pq.read_table(io.BytesIO(b"".join(encode(stream, Request(table="t")))))
    assert found.to_pydict() == {"a": [1, None], "a__any": [None, '"a"']}


def test_a_missing_pyarrow_is_told_with_the_line_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = made(tmp_path / "t.parquet", *MIXED, table="t")
    real = builtins.__import__

    def without(name: str, *more):
        if name.startswith("pyarrow"):
            raise ImportError(name)
        return real(name, *more)

    monkeypatch.setattr(builtins, "__import__", without)
    line = r"pip install datasette-program-export\[parquet\]"
    with pytest.raises(RequestError, match=line):
        made(tmp_path / "again.parquet", *MIXED, table="t")
    with pytest.raises(RequestError, match=line):
        verify(path)
    with pytest.raises(RequestError, match=line):
        load(tmp_path / "new.db", path)


def test_rows_in_c_are_read_by_arrow_to_the_last_bit(tmp_path: Path) -> None:
    """What CSV could blur: nothing and an empty text, signs, line ends, the ends of what a number can be."""
    texts = ["", "NULL", '"', "x,y", "x\ny", "x\r\ny", " lead", "\u5317", "NaN", "inf", None, "true", "2020-01-01"]
    reals = [0.0, -0.0, 1.0, 0.1 + 0.2, 5e-324, 1.7976931348623157e308, float("inf"), float("-inf"), None, 1e16]
    whole = [0, -1, 2**63 - 1, -(2**63), None, 10**15]
    rows = [(texts[i % 13], reals[i % 10], whole[i % 6]) for i in range(2000)]
    with closing(database(tmp_path / "t.db", "CREATE TABLE t (a TEXT, b REAL, c INTEGER)")) as connection:
        connection.executemany("INSERT INTO t VALUES (?, ?, ?)", rows)
        connection.commit()
        rows = connection.execute("SELECT * FROM t").fetchall()  # no -0.0 any more: SQLite stores none in a REAL
    path = tmp_path / "t.parquet"
    path.write_bytes(b"".join(export(tmp_path / "t.db", Request(table="t", format="parquet"))))
    found = pq.read_table(path)
    assert found.column_names == ["a", "b", "c"]
    assert list(map(repr, zip(*(column.to_pylist() for column in found)))) == list(map(repr, rows))
    assert verify(path).status == "complete"


def test_only_values_that_come_again_go_into_a_dictionary(tmp_path: Path) -> None:
    with closing(database(tmp_path / "t.db", "CREATE TABLE t (id INTEGER PRIMARY KEY, city TEXT)")) as connection:
        connection.executemany("INSERT INTO t VALUES (?, ?)", [(i, f"city {i % 7}") for i in range(5000)])
        connection.commit()
    path = tmp_path / "t.parquet"
    path.write_bytes(b"".join(export(tmp_path / "t.db", Request(table="t", format="parquet"))))
    group = pq.ParquetFile(path).metadata.row_group(0)
    assert ["RLE_DICTIONARY" in group.column(place).encodings for place in range(2)] == [False, True]
