"""SQLite's own temporary files lie in spool_dir; what the environment says goes before that."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.databases.building import database

pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="open files cannot be seen here")
# a sort that does not fit into memory, looked at in its middle
LOOK = """
import json, os, sys
from pathlib import Path
from datasette_program_export import Request, Settings, export
def lying(path):
    rows = export(path, Request(sql="SELECT id, x FROM t ORDER BY x, -id", format="csv"))
    next(iter(rows))
    found = []
    for handle in Path("/proc/self/fd").glob("*"):
        try:
            found.append(str(handle.readlink()))
        except OSError:
            pass
    rows.close()
    print(json.dumps(sorted({str(Path(name).parent) for name in found if "etilqs_" in name})))
"""
SITE = """
import asyncio
from datasette.app import Datasette
settings = {"spool_dir": sys.argv[2]}
ds = Datasette([sys.argv[1]], metadata={"plugins": {"datasette-program-export": settings}})
asyncio.run(ds.invoke_startup())
lying(sys.argv[1])
"""
COMMAND = """
from click.testing import CliRunner
from datasette_program_export.cli.main import program_export
plugins = {"datasette-program-export": {"spool_dir": sys.argv[2]}}
Path(sys.argv[2], "m.json").write_text(json.dumps({"plugins": plugins}))
done = CliRunner().invoke(program_export, ["plan", sys.argv[1], "-m", str(Path(sys.argv[2], "m.json"))])
assert done.exit_code == 0, done.output
lying(sys.argv[1])
"""


@pytest.fixture
def large(tmp_path: Path) -> Path:
    connection = database(tmp_path / "s.db", "CREATE TABLE t (id INTEGER PRIMARY KEY, x TEXT)")
    connection.executemany("INSERT INTO t VALUES (?, ?)", ((n, "x" * 1000) for n in range(12_000)))
    connection.close()
    return tmp_path / "s.db"


def lying(code: str, large: Path, folder: Path, **environment: str) -> list[str]:
    folder.mkdir(exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if name != "SQLITE_TMPDIR"}
    command = [sys.executable, "-c", LOOK + code, str(large), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, env={**kept, **environment})
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("code", [SITE, COMMAND], ids=["a site", "the command line"])
@pytest.mark.parametrize("name", ["spool", 'it\'s a "spool"'])
def test_they_lie_in_spool_dir(large: Path, tmp_path: Path, code: str, name: str) -> None:
    assert lying(code, large, tmp_path / name) == [str(tmp_path / name)]


@pytest.mark.parametrize("code", [SITE, COMMAND], ids=["a site", "the command line"])
def test_what_the_environment_says_goes_before_it(large: Path, tmp_path: Path, code: str) -> None:
    (tmp_path / "own").mkdir()
    assert lying(code, large, tmp_path / "spool", SQLITE_TMPDIR=str(tmp_path / "own")) == [str(tmp_path / "own")]


def test_without_either_they_lie_where_the_system_says(large: Path, tmp_path: Path) -> None:
    (tmp_path / "system").mkdir()
    found = lying("lying(sys.argv[1])", large, tmp_path / "spool", TMPDIR=str(tmp_path / "system"))
    assert found == [str(tmp_path / "system")]
