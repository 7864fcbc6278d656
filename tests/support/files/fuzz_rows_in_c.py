"""Compare rows written in C and in Python, with random values, for some seconds: ``fuzz_rows_in_c.py rows.so 60``."""

from __future__ import annotations

import random
import sqlite3
import struct
import sys
import time
from contextlib import closing
from typing import Any

from datasette_program_export.database.fetching import rows_in_c
from datasette_program_export.formats.csv.writing import CsvLines
from datasette_program_export.formats.dataset import Field, Row
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


def in_c(connection: sqlite3.Connection, plan: rows_in_c.RowPlan, columns: int) -> tuple[bytes, bytes, int]:
    number = connection.execute("SELECT program_export_open(?)", [bytes(plan)]).fetchone()[0]
    names = ", ".join(f"c{i}" for i in range(columns))
    sql = (
        f"SELECT chunk FROM (SELECT program_export_row({number}, {names}) AS chunk FROM t LIMIT -1) WHERE chunk NOTNULL"
    )
    written, packed, rows = b"", b"", 0
    for (data,) in [*connection.execute(sql), *connection.execute(f"SELECT program_export_close({number})")]:
        chunk = rows_in_c.read_chunk(data, columns)
        written, packed, rows = written + chunk.written, packed + bytes(chunk.packed), rows + chunk.rows
    return written, packed, rows


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
                written, packed, given = in_c(connection, plan, columns)
                expected = write(rows[:given]) if given else b""
                if written != expected or packed != b"".join(pack_rows([row]) for row in rows[:given]):
                    print("differ", seed, plan)
                    sys.exit(1)
    print(seed, "databases")


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
