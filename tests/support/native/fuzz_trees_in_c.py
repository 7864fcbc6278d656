"""Prove the tables of files with broken pages, for some seconds: ``fuzz_trees_in_c.py rows.so scratch.db 60``.

It may say yes only where SQLite's own check of the file finds nothing."""

from __future__ import annotations

import random
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path

from datasette_program_export.database.fetching import rows_in_c, trees_in_c

EVENTS = (
    "PRAGMA page_size=1024",
    "CREATE TABLE t (id TEXT PRIMARY KEY, a, b REAL, c)",
    "CREATE INDEX i ON t (a, b DESC)",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400) INSERT INTO t "
    "SELECT hex(i * 7919 % 100003), CASE i % 4 WHEN 0 THEN NULL WHEN 1 THEN i WHEN 2 THEN 'x' || i ELSE x'00' END, "
    "i % 13 / 2.0, hex(zeroblob(i % 50 * (i % 9))) FROM n",
)


def is_sound(path: Path) -> bool:
    try:
        with closing(sqlite3.connect(path)) as connection:
            return connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    except sqlite3.Error:
        return False


def main(extension: str, path: Path, seconds: float) -> None:
    rows_in_c._path = lambda: extension  # type: ignore[assignment]
    with closing(sqlite3.connect(path)) as connection:
        for sql in EVENTS:
            connection.execute(sql)
        connection.commit()
    sound = path.read_bytes()
    end, seed, proved = time.monotonic() + seconds, 0, 0
    while time.monotonic() < end:
        draw = random.Random(seed := seed + 1)
        data = bytearray(sound)
        for _ in range(draw.choice([0, 1, 1, 2, 5, 40])):
            page = draw.randrange(1, len(data) // 1024)
            place = page * 1024 + draw.choice([draw.randrange(16), draw.randrange(100), draw.randrange(1024)])
            data[place] = draw.choice([0, 1, 2, 5, 10, 13, 127, 128, 255, draw.randrange(256)])
        path.write_bytes(data)
        try:
            with closing(trees_in_c.opened(str(path))) as connection:
                found = trees_in_c.is_proved(connection, "t", lambda: None)
        except sqlite3.Error:
            continue
        proved += found
        if found and not is_sound(path) and bytes(data) != sound:
            only_values(seed, path)
    print(f"{seed} files, {proved} proved")
    assert proved


def only_values(seed: int, path: Path) -> None:
    """What the proof does not look at: gaps in a page, the values of columns in no index. They were compared before."""
    with closing(sqlite3.connect(path)) as connection:
        for line in connection.execute("PRAGMA integrity_check"):
            if "index" in line[0] and ("missing" in line[0] or "wrong" in line[0] or "out of order" in line[0]):
                sys.exit(f"seed {seed}: proved, but {line[0]}")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), float(sys.argv[3]))
