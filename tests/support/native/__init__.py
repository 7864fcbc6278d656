"""The optional extension that writes rows in C, compiled for the tests."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from datasette_program_export.database.fetching import rows_in_c

Ways = Callable[[bool], None]
SOURCES = sorted((Path(__file__).parents[3] / "native" / "datasette_program_export_native").glob("*.cpp"))
SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g")


@pytest.fixture(scope="session")
def extension(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The extension, compiled once."""
    return compiled(tmp_path_factory.mktemp("native"))


@pytest.fixture
def in_c(extension: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ways]:
    """Choose how rows are written and read from now on: in C, or in Python."""

    def choose(chosen: bool) -> None:
        monkeypatch.setattr(rows_in_c, "_path", lambda: str(extension) if chosen else None)
        rows_in_c._added_by_sqlite.cache_clear()

    choose(True)
    if not rows_in_c.is_loadable():
        pytest.skip("this Python can neither load extensions nor reach its SQLite")
    yield choose
    monkeypatch.undo()
    rows_in_c._added_by_sqlite.cache_clear()


def compiled(folder: Path, *flags: str) -> Path:
    """The extension as a file in the folder; the test is skipped where it cannot be compiled."""
    compiler = shutil.which("g++") or shutil.which("clang++")
    if compiler is None:
        pytest.skip("no C++ compiler here: apt-get install g++ libsqlite3-dev")
    target = folder / "rows.so"
    command = [compiler, "-std=c++17", "-O2", "-fPIC", "-shared", *flags, "-o", str(target), *map(str, SOURCES)]
    done = subprocess.run(command, capture_output=True, text=True)
    if "sqlite3ext.h" in done.stderr and done.returncode:
        pytest.skip("SQLite's headers are not here: apt-get install libsqlite3-dev")
    assert done.returncode == 0, done.stderr
    return target
