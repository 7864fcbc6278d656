"""An import that is killed: the target is as it was, or has all of it; never something between."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from datasette_program_export import Request, export, load
from tests.support.databases.building import database
from tests.support.files.changing import state

ROWS = 1000
MADE = ("CREATE TABLE p (id INTEGER PRIMARY KEY, x UNIQUE)", "CREATE TABLE c (id INTEGER PRIMARY KEY, p REFERENCES p)")
# imports, each in a process that counts what SQLite does and stops dead at a given moment of it. The processes
# are copies of one that has loaded all modules; a line of its input names a target and a moment, it tells the end.
DYING = """
import os, signal, sqlite3, sys
from datasette_program_export import load
from datasette_program_export.formats import NAMES, get_format
import datasette_program_export.importing.target as target

list(map(get_format, NAMES))
file, moment, steps = sys.argv[1], 0, 0

def step():
    global steps
    steps += 1
    if steps == moment:
        os.kill(os.getpid(), signal.SIGKILL)

entered = target.Target.__enter__
def counting(self):
    entered(self)
    self.connection.set_progress_handler(step, 600)
    self.connection.execute("PRAGMA cache_size=10")  # so that changes are written before they are committed
    return self
target.Target.__enter__ = counting

for line in sys.stdin:
    target_file, _, moment = line.rstrip().rpartition(" ")
    moment = int(moment)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        load(target_file, file, on_conflict="update", backup=False)
        os.write(writing, str(steps).encode())
        os._exit(0)
    os.close(writing)
    told = os.read(reading, 100).decode() or "0"
    os.close(reading)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), told, flush=True)
"""


@contextmanager
def dying(file: Path) -> Iterator[Callable[[Path, int], tuple[int, int]]]:
    """Yield a function that imports the file into a target up to a moment, and tells the exit code and the steps."""
    command = [sys.executable, "-c", DYING, str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:

        def run(target: Path, moment: int = 0) -> tuple[int, int]:
            print(target, moment, file=process.stdin, flush=True)
            code, steps = process.stdout.readline().split()
            return int(code), int(steps)

        yield run
        process.stdin.close()


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
    with dying(file) as run:
        code, steps = run(whole)
        after = state(whole)
        assert code == 0 and steps > 50 and after != before
        dice = random.Random(8)
        ends = []
        for number, moment in enumerate([*dice.sample(range(1, steps), 8), 1, steps, steps + 1]):
            target = half(tmp_path / f"{number}.db", journal)
            assert run(target, moment)[0] == (-signal.SIGKILL if moment <= steps else 0)
            ends.append(state(target))
            assert ends[-1] in (before, after)
            with closing(sqlite3.connect(target)) as connection:
                assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            report = load(target, file, on_conflict="update", backup=False)  # and it can be done again
            assert report.ok and state(target) == after
    assert ends[8] == before and ends[-1] == after


def test_killed_while_a_new_database_is_made(file: Path, tmp_path: Path) -> None:
    new = tmp_path / "new.db"
    with dying(file) as run:
        _, steps = run(tmp_path / "whole.db")
        assert steps >= 5
        for moment in (1, steps // 2, steps):
            assert run(new, moment)[0] == -signal.SIGKILL
            assert not new.exists()
        assert run(new)[0] == 0
    with closing(sqlite3.connect(new)) as connection:
        assert connection.execute("SELECT count(*) FROM c").fetchone() == (ROWS,)


def test_one_that_is_told_to_stop_leaves_nothing_behind(file: Path, tmp_path: Path) -> None:
    """SIGTERM, as a service manager sends it, in the midst of a new database."""
    code = """
import os, signal, sys
from datasette_program_export.cli import program_export
from datasette_program_export.importing.running import straight

writing = straight._Intake._writing

def told_to_stop(*given):
    for rows in writing(*given):
        os.kill(os.getpid(), signal.SIGTERM)
        yield rows

straight._Intake._writing = told_to_stop
program_export(["import", sys.argv[1], sys.argv[2]])
"""
    command = [sys.executable, "-c", code, str(file), str(tmp_path / "new.db")]
    done = subprocess.run(command, capture_output=True)
    assert done.returncode in (1, 143), done.stderr
    assert list(tmp_path.iterdir()) == []
