"""An import that is killed: the target is as it was, or has all of it; never something between."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from datasette_program_export import Request, export, load
from tests.support.databases.building import database
from tests.support.files.changing import state

ROWS = 3000
MADE = ("CREATE TABLE p (id INTEGER PRIMARY KEY, x UNIQUE)", "CREATE TABLE c (id INTEGER PRIMARY KEY, p REFERENCES p)")
# the import, in a process that counts what SQLite does and stops dead at a given moment of it
DYING = """
import os, signal, sqlite3, sys
from datasette_program_export import load
import datasette_program_export.importing.target as target

target_file, file, moment = sys.argv[1], sys.argv[2], int(sys.argv[3])
steps = 0

def step():
    global steps
    steps += 1
    if steps == moment:
        os.kill(os.getpid(), signal.SIGKILL)

entered = target.Target.__enter__
def counting(self):
    entered(self)
    self.connection.set_progress_handler(step, 2000)
    self.connection.execute("PRAGMA cache_size=10")  # so that changes are written before they are committed
    return self
target.Target.__enter__ = counting
load(target_file, file, on_conflict="update", backup=False)
print(steps)
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kill")
    with closing(database(folder / "s.db", *MADE)) as source:
        source.execute("BEGIN")
        source.executemany("INSERT INTO p VALUES (?, ?)", [(n, f"value {n}") for n in range(ROWS)])
        source.executemany("INSERT INTO c VALUES (?, ?)", [(n, n) for n in range(ROWS)])
        source.execute("COMMIT")
    (folder / "file.json").write_bytes(b"".join(export(folder / "s.db", Request())))
    return folder / "file.json"


def half(path: Path, journal: str) -> Path:
    with closing(database(path, *MADE, journal=journal)) as target:
        target.execute("BEGIN")
        target.executemany("INSERT INTO p VALUES (?, ?)", [(n, f"old {n}") for n in range(0, ROWS, 2)])
        target.execute("COMMIT")
    return path


@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_killed_at_any_moment(journal: str, file: Path, tmp_path: Path) -> None:
    """Ten moments over the whole of the import, by what SQLite has done so far, and one behind its end."""
    whole = half(tmp_path / "whole.db", journal)
    before = state(whole)
    command = [sys.executable, "-c", DYING]
    done = subprocess.run([*command, str(whole), str(file), "0"], capture_output=True, text=True, check=True)
    steps, after = int(done.stdout), state(whole)
    assert steps > 50 and after != before
    dice = random.Random(8)
    ends = []
    for number, moment in enumerate([*dice.sample(range(1, steps), 8), 1, steps, steps + 1]):
        target = half(tmp_path / f"{number}.db", journal)
        done = subprocess.run([*command, str(target), str(file), str(moment)], capture_output=True, text=True)
        assert done.returncode == (-signal.SIGKILL if moment <= steps else 0), done.stderr
        ends.append(state(target))
        assert ends[-1] in (before, after)
        with closing(sqlite3.connect(target)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        report = load(target, file, on_conflict="update", backup=False)  # and it can be done again
        assert report.ok and state(target) == after
    assert ends[8] == before and ends[-1] == after


def test_killed_while_a_new_database_is_made(file: Path, tmp_path: Path) -> None:
    new = tmp_path / "new.db"
    command = [sys.executable, "-c", DYING, str(new), str(file)]
    for moment in ("1", "20", "40"):
        assert subprocess.run([*command, moment], capture_output=True).returncode == -signal.SIGKILL
        assert not new.exists()
    assert subprocess.run([*command, "0"], capture_output=True).returncode == 0
    with closing(sqlite3.connect(new)) as connection:
        assert connection.execute("SELECT count(*) FROM c").fetchone() == (ROWS,)


def test_one_that_is_told_to_stop_leaves_nothing_behind(file: Path, tmp_path: Path) -> None:
    """SIGTERM, as a service manager sends it, in the midst of a new database."""
    code = DYING.replace("SIGKILL", "SIGTERM").replace(
        'load(target_file, file, on_conflict="update", backup=False)',
        'from datasette_program_export.cli import program_export\nprogram_export(["import", file, target_file])',
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "new.db"), str(file), "20"], capture_output=True)
    assert done.returncode in (1, 143), done.stderr
    assert list(tmp_path.iterdir()) == []
