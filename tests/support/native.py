"""The optional extension that writes rows in C, compiled for the tests."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "native" / "datasette_program_export_native" / "rows.cpp"
SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g")


def compiled(folder: Path, *flags: str) -> Path:
    """The extension as a file in the folder; the test is skipped where it cannot be compiled."""
    compiler = shutil.which("g++") or shutil.which("clang++")
    if compiler is None:
        pytest.skip("no C++ compiler here: apt-get install g++ libsqlite3-dev")
    target = folder / "rows.so"
    command = [compiler, "-std=c++17", "-O2", "-fPIC", "-shared", *flags, "-o", str(target), str(SOURCE)]
    done = subprocess.run(command, capture_output=True, text=True)
    if "sqlite3ext.h" in done.stderr and done.returncode:
        pytest.skip("SQLite's headers are not here: apt-get install libsqlite3-dev")
    assert done.returncode == 0, done.stderr
    return target
