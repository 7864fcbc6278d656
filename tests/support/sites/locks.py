"""The locks that this process holds on a database, and another program beside it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCHEMA = (
    "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)",
    "CREATE TABLE part (id INTEGER PRIMARY KEY, t_id INTEGER REFERENCES t)",
    "INSERT INTO t VALUES (1, 'one')",
    "INSERT INTO part VALUES (1, 1)",
)


def other_program(path: Path, sql: str) -> str:
    """Another process opens the database, does one thing, and closes it: what it saw, or SQLite's refusal."""
    code = (
        "import sqlite3, sys\n"
        "connection = sqlite3.connect(sys.argv[1], timeout=0, isolation_level=None)\n"
        "try: print(connection.execute(sys.argv[2]).fetchall())\n"
        "except sqlite3.OperationalError as error: print(error)\n"
        "connection.close()"
    )
    command = [sys.executable, "-I", "-S", "-c", code, str(path), sql]  # it starts quicker without what is installed
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def locks_of(pid: int, path: Path) -> set[str]:
    """The locks that a process holds on a database and the files beside it, as the system lists them."""
    names = {str(file.stat().st_ino): file.name for file in path.parent.glob(f"{path.name}*")}
    found = set()
    for line in Path("/proc/locks").read_text().splitlines():
        _, kind, mode, access, holder, place, *span = line.split()
        if int(holder) == pid and (name := names.get(place.rpartition(":")[2])):
            found.add(" ".join((kind, mode, access, name, *span)))
    return found
