"""Rows that C reads and writes, beside Python's, with random values, for 60 s: ``fuzz_rows_in_c.py rows.so 60``."""

from __future__ import annotations

import contextlib
import random
import sqlite3
import struct
import sys
import time
from contextlib import closing
from dataclasses import replace
from typing import Any

import msgspec

from datasette_program_export.database.fetching import rows_in_c
from datasette_program_export.database.fetching.insert_in_c import InsertInC
from datasette_program_export.database.fetching.read_in_c import LinePlan, LinesInC
from datasette_program_export.database.schema import Column
from datasette_program_export.errors import UnreadableError
from datasette_program_export.files.reading_limits import TRUSTING
from datasette_program_export.formats.csv.writing import CsvLines
from datasette_program_export.formats.dataset import Field, Row
from datasette_program_export.formats.description.column_facts import survey, survey_plan, survey_written
from datasette_program_export.formats.description.digest import pack_rows
from datasette_program_export.formats.json.quick_reading import _columns
from datasette_program_export.formats.json.reading import RowReader
from datasette_program_export.formats.json.writing import RowLines
from datasette_program_export.importing.staging.affinity_check import AffinityCheck

JSON_BYTES = list(b'{}[]",:\\u0024dDeE+-. 19tfn$/\t\xc3\xa9')

PARTS = (
    b'{"$base64":true,"encoded":"',
    b'","type":"text"}',
    b'{"$real":"Infinity"}',
    b"\\u0024",
    b'"},',
    b"\n",
    b"1e3",
)


def value(draw: random.Random) -> Any:
    kind = draw.randrange(8)
    if kind == 0:
        return None
    if kind == 1:
        return draw.randrange(-(2 ** draw.randrange(64)), 2 ** draw.randrange(64))
    if kind == 2:
        real = struct.unpack("<d", draw.randbytes(8))[0]
        return real if real == real else 0.5
    if kind == 3:
        return draw.randrange(-(10**6), 10**6) / 10 ** draw.randrange(9)
    size = draw.choice([0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 255, 256, 300])
    if kind == 4:
        return draw.randbytes(size)
    if kind == 5:
        return draw.randbytes(size).decode("utf-8", "surrogateescape")
    if kind == 6:
        return bytes(draw.choices(JSON_BYTES, k=size)).decode("utf-8", "surrogateescape")
    inner = bytes(draw.choices(JSON_BYTES, k=draw.randrange(8))).decode("utf-8", "surrogateescape")
    return draw.choice(["[%s]", '{"a":%s}', '["%s"]', '{"%s":1}', "[1,%s]", "[1e%s]"]) % inner


def in_c(connection: sqlite3.Connection, plan: rows_in_c.RowPlan, columns: int) -> list[rows_in_c.Chunk]:
    number = connection.execute("SELECT program_export_open(?)", [bytes(plan)]).fetchone()[0]
    names = ", ".join(f"c{i}" for i in range(columns))
    found = f"SELECT program_export_row({number}, {names}) AS chunk FROM t LIMIT -1"
    sql = f"SELECT chunk, program_export_rest({number}) FROM ({found}) WHERE chunk NOTNULL"
    given = [rows_in_c.read_chunk(*row, columns) for row in connection.execute(sql)]
    last = [connection.execute(f"SELECT program_export_{of}({number})").fetchone()[0] for of in ("last", "rest")]
    given.append(rows_in_c.read_chunk(*last, columns))
    connection.execute(f"SELECT program_export_end({number})").fetchone()
    return given


def changed(draw: random.Random, lines: bytes) -> bytes:
    """Some lines with a few bytes put in, taken out, or changed."""
    for _ in range(draw.choice([0, 1, 1, 2, 8])):
        place = draw.randrange(len(lines) + 1)
        end = min(len(lines), place + draw.choice([0, 1, 1, 2, 40]))
        inside = draw.choice(
            [draw.randbytes(1), bytes(draw.choices(JSON_BYTES, k=2)), lines[place - 9 : place], *PARTS]
        )
        lines = lines[:place] + inside + lines[end:]
    return lines


def is_read_the_same(draw: random.Random, fields: list[Field], lines: bytes) -> bool:
    """Whether Python reads the same rows from the lines that C reads."""
    plan = RowLines(fields).plan()
    kept = [place for place in range(len(fields)) if draw.random() < 0.5]
    with closing(LinesInC(LinePlan(plan.before, plan.row_end, plan.holds_json, kept))) as reader:
        assert reader.usable
        found = reader.read(lines)
    if found is None:
        return True
    try:
        rows = RowReader("t", fields, TRUSTING)(lines[: found.size].split(b"\n")[:-1], 1)
    except UnreadableError:
        return False
    columns = [pack_rows([(row[place],) for row in rows]) for place in kept]
    given = [pack_rows([(value,) for value in column]) for column in _columns(found.kept)]
    packed = b"".join(pack_rows([row]) for row in rows)
    return (len(rows), packed, columns) == (found.rows, found.packed, given)


def is_written_the_same(draw: random.Random, connection: sqlite3.Connection, rows: list[Row]) -> bool:
    """Whether C writes into a table what Python writes, or leaves it to Python; broken rows are refused."""
    kinds = draw.choices(["TEXT", "INTEGER", "REAL", "NUMERIC", "BLOB"], k=len(rows[0]))
    columns = [Column(f"c{i}", kind, kind) for i, kind in enumerate(kinds)]
    for table in ("python", "c"):
        connection.execute(f"CREATE TABLE {table} ({', '.join(f'{c.name} {c.type}' for c in columns)})")
    insert, packed = InsertInC(connection, "c", columns), pack_rows(rows)
    for broken in [changed(draw, packed) for _ in range(20)]:
        connection.execute("SAVEPOINT broken")
        with contextlib.suppress(sqlite3.Error, msgspec.DecodeError):
            insert.add(memoryview(broken), len(rows), 3)
        connection.execute("ROLLBACK TO broken")
    check = AffinityCheck(kinds)
    check.look(rows)
    first = insert.add(memoryview(packed), len(rows), 3)
    try:
        connection.executemany(f"INSERT INTO python VALUES ({', '.join('?' * len(kinds))})", rows)
    except UnicodeEncodeError:
        return first is None
    if first is None or check.found:
        return first is None and bool(check.found)
    look = "SELECT " + ", ".join(f"typeof({c.name}), {c.name}" for c in columns)
    written = [connection.execute(f"{look} FROM {table}").fetchall() for table in ("python", "c")]
    return repr(written[0]) == repr(written[1]) and repr(first) == repr(rows[:3])


def main(path: str, seconds: float) -> None:
    rows_in_c._path = lambda: path  # type: ignore[assignment]
    end, seed = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        seed += 1
        draw = random.Random(seed)
        columns = draw.randrange(1, 8)
        fields = [Field(f'"{i}\n', "", holds_json=draw.random() < 0.5) for i in range(columns)]
        rows: list[Row] = [tuple(value(draw) for _ in fields) for _ in range(draw.randrange(60))]
        with closing(rows_in_c.connect(sqlite3, ":memory:")) as connection:
            assert rows_in_c.load(connection, sqlite3)
            connection.execute(f"CREATE TABLE t ({', '.join(f'c{i}' for i in range(columns))})")
            for row in rows:
                slots = ["CAST(? AS TEXT)" if isinstance(v, str) else "?" for v in row]
                values = [v.encode("utf-8", "surrogateescape") if isinstance(v, str) else v for v in row]
                connection.execute(f"INSERT INTO t VALUES ({', '.join(slots)})", values)
            lines = RowLines(fields)
            delimiter = draw.choice(",;\t|€")
            csv = CsvLines(delimiter, columns)
            for plan, write in ((lines.plan(), lines), (csv.plan([]), csv)):
                chunks = in_c(connection, plan, columns)
                written, given = b"".join(c.written for c in chunks), sum(c.rows for c in chunks)
                packed = b"".join(pack_rows([row]) for row in rows[:given])
                bare = b"".join(c.written for c in in_c(connection, replace(plan, packed=False), columns))
                expected = write(rows[:given]) if given else b""
                if written != expected or bare != expected or b"".join(c.packed for c in chunks) != packed:
                    print("differ", seed, plan)
                    sys.exit(1)
            if rows and any(not is_read_the_same(draw, fields, changed(draw, lines(rows))) for _ in range(20)):
                print("differ", seed, "reading")
                sys.exit(1)
            alone = b"".join(c.packed for c in in_c(connection, rows_in_c.packed_only(columns), columns))
            seen = survey_written(in_c(connection, survey_plan(columns), columns), columns)
            packed = b"".join(pack_rows([row]) for row in rows)
            if alone != packed or seen not in (None, survey([rows], columns)):
                print("differ", seed, "digest or survey")
                sys.exit(1)
            if rows and not is_written_the_same(draw, connection, rows):
                print("differ", seed, "writing")
                sys.exit(1)
    print(seed, "databases")


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
