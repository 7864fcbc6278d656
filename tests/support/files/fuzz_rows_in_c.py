"""Compare rows written in C and in Python, with random values, for some seconds: ``fuzz_rows_in_c.py rows.so 60``."""

from __future__ import annotations

import random
import sqlite3
import struct
import sys
import time
from contextlib import closing
from dataclasses import replace
from typing import Any

from datasette_program_export.database.fetching import rows_in_c
from datasette_program_export.formats.csv.writing import CsvLines
from datasette_program_export.formats.dataset import Field, Row
from datasette_program_export.formats.description.column_facts import survey, survey_plan, survey_written
from datasette_program_export.formats.description.digest import pack_rows
from datasette_program_export.formats.json.writing import RowLines

JSON_BYTES = list(b'{}[]",:\\u0024dDeE+-. 19tfn$/\t\xc3\xa9')


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
            alone = b"".join(c.packed for c in in_c(connection, rows_in_c.packed_only(columns), columns))
            seen = survey_written(in_c(connection, survey_plan(columns), columns), columns)
            packed = b"".join(pack_rows([row]) for row in rows)
            if alone != packed or seen not in (None, survey([rows], columns)):
                print("differ", seed, "digest or survey")
                sys.exit(1)
    print(seed, "databases")


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
