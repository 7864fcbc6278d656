"""How large a file will be, from a sample of its rows: how far that may be off, and what the sample told."""

from __future__ import annotations

import json
import random
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datasette_program_export import Request, export, plan
from datasette_program_export.demo import ANNA
from datasette_program_export.files.zip_writing import LEVEL
from datasette_program_export.formats.dataset import Field, TableStream
from datasette_program_export.formats.registry import get_format
from datasette_program_export.options.request import DEFAULT_MEMBER
from datasette_program_export.planning.estimates import ROWS
from datasette_program_export.planning.plan import PlannedTable
from datasette_program_export.planning.written_sizes import size_as, table_sizes
from tests.support.databases.building import database, quoted

SOME = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))


def made(path: Path, texts: list[str], table: str = "t") -> Path:
    connection = database(path, f"CREATE TABLE {quoted(table)} (id INTEGER PRIMARY KEY, a TEXT)")
    connection.execute("BEGIN")
    connection.executemany(f"INSERT INTO {quoted(table)} (a) VALUES (?)", ((text,) for text in texts))
    connection.execute("COMMIT")
    connection.close()
    return path


def true_size(texts: list[str]) -> int:
    """What the rows take as JSON, each with the comma and the end of its line."""
    lines = (json.dumps({"id": n, "a": text}, separators=(",", ":")) for n, text in enumerate(texts, 1))
    return sum(len(line) + 2 for line in lines)


def looked_at(path: Path, **request: Any) -> PlannedTable:
    (table,) = plan(path, Request(**({"table": "t"} | request))).tables
    assert table.sampled is not None
    return table


@given(
    rows=st.lists(
        st.tuples(*[st.none() | st.integers(-(2**60), 2**60) | st.floats() | st.text() | st.binary()] * 2), min_size=1
    )
)
@SOME
def test_the_sizes_are_those_of_what_the_formats_functions_write(rows: list[Any]) -> None:
    fields = Field("a", "TEXT"), Field("b", "")
    sizes = table_sizes(fields, rows, len(rows))
    encode = get_format(DEFAULT_MEMBER).encode_table
    assert encode is not None
    plain, sheet = (
        b"".join(encode(TableStream("t", fields, iter([rows])), Request(format=DEFAULT_MEMBER, dialect=dialect)))
        for dialect in ("exact", "spreadsheet")
    )
    assert (sizes.spreadsheet, sizes.zipped) == (len(sheet), len(zlib.compress(plain, LEVEL)))


@given(sizes=st.lists(st.integers(0, 500), max_size=ROWS))
@SOME
def test_of_few_rows_the_size_is_known(tmp_path_factory: pytest.TempPathFactory, sizes: list[int]) -> None:
    texts = ["x" * size for size in sizes]
    table = looked_at(made(tmp_path_factory.mktemp("few") / "x.db", texts))
    assert (table.bytes, table.bytes_error) == (true_size(texts), 0)
    assert table.sampled.rows == len(texts)


@given(rows=st.integers(ROWS + 1, 400), size=st.integers(0, 300))
@SOME
def test_rows_of_one_size_leave_no_doubt(tmp_path_factory: pytest.TempPathFactory, rows: int, size: int) -> None:
    """But for the digits of the key, which are the only difference."""
    texts = ["x" * size] * rows
    table = looked_at(made(tmp_path_factory.mktemp("one") / "x.db", texts))
    assert abs(table.bytes - true_size(texts)) <= table.bytes_error + rows // 10
    assert table.bytes_error <= rows  # less than one digit a row
    assert table.sampled.rows <= ROWS < rows


def test_nineteen_times_out_of_twenty_the_truth_lies_within_the_error(tmp_path: Path) -> None:
    """Each of these tables is a throw of the dice; some of them must be missed, or the error is said too large."""
    dice, path, texts = random.Random(2026), tmp_path / "x.db", {}
    for number in range(200):
        most = dice.choice([10, 100, 1000])
        texts[f"t{number}"] = ["x" * int(dice.triangular(0, most, dice.uniform(0, most))) for _ in range(300)]
        made(path, texts[f"t{number}"], f"t{number}")
    tables = plan(path, Request()).tables
    assert len(tables) == 200 and all(t.sampled.rows <= ROWS and t.bytes_error > 0 for t in tables)
    within = sum(abs(t.bytes - true_size(texts[t.table])) <= t.bytes_error for t in tables)
    assert 180 <= within < 200


def test_the_error_grows_with_what_rows_differ_by(tmp_path: Path) -> None:
    errors = []
    for number, spread in enumerate((0, 10, 100, 1000)):
        dice = random.Random(7)
        texts = ["x" * (1000 + int(dice.uniform(-1, 1) * spread)) for _ in range(500)]
        errors.append(looked_at(made(tmp_path / f"{number}.db", texts)).bytes_error)
    assert errors == sorted(errors) and errors[-1] > 50 * errors[1]


def test_errors_of_tables_make_that_of_the_whole(tmp_path: Path) -> None:
    """They are independent: the whole may be off by more than each, and by less than all together."""
    dice = random.Random(1)
    for name in ("a", "b"):
        made(tmp_path / "x.db", ["x" * dice.randrange(400) for _ in range(400)], name)
    whole = plan(tmp_path / "x.db", Request())
    one, other = (table.bytes_error for table in whole.tables)
    assert max(one, other) < whole.bytes_error < one + other


@pytest.mark.parametrize("rows", [5_000, 21_000])
def test_a_size_comes_with_its_error(tmp_path: Path, rows: int) -> None:
    connection = database(tmp_path / "x.db", "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT)")
    connection.executemany("INSERT INTO t (a) VALUES (?)", (("x" * (i % 97),) for i in range(rows)))
    connection.execute("INSERT INTO t (id, a) VALUES (?, 'further away')", (2 * rows,))
    connection.close()
    made = plan(tmp_path / "x.db", Request(table="t"))
    with export(tmp_path / "x.db", Request(table="t")) as file:
        true = len(b"".join(file))
    assert 0 < made.bytes_error < true / 3 and abs(made.bytes - true) <= made.bytes_error
    few = plan(tmp_path / "x.db", Request(table="t", where=("id <= 40",)))
    assert few.bytes_error == 0 and few.tables[0].sampled.rows == 40  # all were looked at


def test_rows_are_sampled_from_the_whole_table_not_from_its_start(tmp_path: Path) -> None:
    connection = database(tmp_path / "x.db", "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT)")
    connection.executemany("INSERT INTO t (a) VALUES (?)", (("x" * (1 if i < 1000 else 900),) for i in range(2000)))
    connection.close()
    (table,) = plan(tmp_path / "x.db", Request(table="t")).tables
    assert 700_000 < table.bytes < 1_100_000


def test_a_row_that_is_numbered_far_from_all_others_does_not_spoil_the_sample(tmp_path: Path) -> None:
    """Among so many rows numbers are tried at even distances: here nearly all would lead to the last row."""
    path = made(tmp_path / "x.db", ["x"] * 20_001)
    connection = database(path, "INSERT INTO t VALUES (1000000000000, 'x')")
    connection.close()
    assert looked_at(path).sampled.rows == ROWS


def test_rows_without_numbers_are_sampled_from_the_first(tmp_path: Path) -> None:
    path = made(tmp_path / "x.db", ["x"] * 100 + ["x" * 1000] * 100)
    database(path, "CREATE VIEW v AS SELECT * FROM t").close()
    for request in ({"table": "v"}, {"where": ("id > 0",)}, {"limit": 150}):
        table = looked_at(path, **request)
        assert table.sampled.rows == ROWS and table.bytes < 200 * 100, request
    assert looked_at(path).bytes > 200 * 400  # with numbers: from the whole table


COLUMNS = [
    ("day", "DATE", ["2024-05-31", None, ""], True),
    ("day", "DATE", ["2024-05-31", "no day"], False),
    ("day", "DATE", [None], True),
    ("seen", "DATETIME", ["2024-05-31 10:00", "2024-05-31T10:00:00Z"], True),
    ("seen_at", "TEXT", ["2024-05-31"], True),
    ("seen_at", "TEXT", [None], False),
    ("seen_at", "TEXT", ["2024-5-31"], False),
    ("paid_on", "", ["2024-05-31"], True),
    ("paid_on", "", [20240531], False),
    ("birthdate", "TEXT", ["1980-01-01"], True),
    ("dated", "TEXT", ["1980-01-01"], False),
]


@pytest.mark.parametrize(("name", "type_", "values", "expected"), COLUMNS)
def test_columns_of_dates_are_found(tmp_path: Path, name: str, type_: str, values: list, expected: bool) -> None:
    connection = database(tmp_path / "x.db", f"CREATE TABLE t (id INTEGER PRIMARY KEY, {name} {type_})")
    connection.executemany(f"INSERT INTO t ({name}) VALUES (?)", ((value,) for value in values))
    connection.close()
    assert looked_at(tmp_path / "x.db").sampled.dates == [name] * expected


def test_binary_values_long_texts_and_many_digits_are_counted(tmp_path: Path) -> None:
    database(
        tmp_path / "x.db",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a, b, c)",
        f"INSERT INTO t (a, b, c) VALUES (x'00', '{'x' * 32_768}', 'x'), (x'', '{'x' * 32_767}', x'01'), "
        f"({10**15}, 0.1, {10**15 - 1}), (0.30000000000000004, 2, -{10**15})",
    ).close()
    sampled = looked_at(tmp_path / "x.db").sampled
    assert (sampled.binary, sampled.long_texts) == ({"a": 2, "c": 1}, {"b": 1})
    assert sampled.many_digits == {"a": 2, "c": 1}


@pytest.mark.parametrize("asked", [{"records": [[ANNA]]}, {"cascade": False}, {"table": None}], ids=str)
def test_the_size_of_a_workbook_is_about_as_said(demo_file: Path, asked: dict[str, Any]) -> None:
    request, form = Request(**{"table": "clients", **asked, "format": "xlsx"}), get_format("xlsx")
    planned = plan(demo_file, request)
    written = len(b"".join(export(demo_file, request)))
    assert planned.complete and 0.7 < size_as(planned, form, len(planned.tables) > 1) / written < 1.4
