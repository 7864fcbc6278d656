"""Datasette and an application use one database: with the plugin nothing is lost, stale or unlocked."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from datasette_program_export.cli.main import program_export
from datasette_program_export.plugin.server.task_file import TaskFile
from tests.support.databases.building import database, exported
from tests.support.sites.locks import SCHEMA, locks_of, other_program
from tests.support.sites.server import wait_until

# What stands in for a site's own writes: rows through Datasette's connection, and a transaction that is held open
WRITES = """
from datasette import Response, hookimpl
from datasette.utils.sqlite import sqlite3
held = []

@hookimpl
def actor_from_request():
    return {"id": "root"}

async def insert(request, datasette):
    await datasette.get_database("house").execute_write("INSERT INTO t (name) VALUES (?)", [request.args["name"]])
    return Response.text("written", status=201)

async def hold(datasette):
    path = datasette.get_database("house").path
    held.append(sqlite3.connect(path, isolation_level=None, check_same_thread=False))
    held[-1].execute("BEGIN IMMEDIATE")
    held[-1].execute("INSERT INTO t (name) VALUES ('held')")
    return Response.text("held")

async def let_go():
    held[-1].execute("COMMIT")
    return Response.text("committed")

@hookimpl
def register_routes():
    return [("/-/insert$", insert), ("/-/hold$", hold), ("/-/let-go$", let_go)]
"""


@dataclass
class Site:
    """A server in a process of its own, and its database."""

    url: str
    pid: int
    path: Path

    def get(self, path: str) -> bytes:
        with urllib.request.urlopen(self.url + path, timeout=30) as answer:
            found: bytes = answer.read()
            return found

    def post(self, path: str, name: str = "", content: bytes = b"") -> dict[str, Any]:
        """Send a file, or nothing, as a program does."""
        body = (
            f'--x\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()
            + content
            + b"\r\n--x--\r\n"
        )
        headers = {"content-type": "multipart/form-data; boundary=x", "authorization": "Bearer x"}
        asked = urllib.request.Request(self.url + path, body if name else b"", headers, method="POST")
        with urllib.request.urlopen(asked, timeout=30) as answer:
            found: dict[str, Any] = json.loads(answer.read())
            return found

    def ended(self, one: dict[str, Any]) -> dict[str, Any]:
        """A job or an import, when it has ended."""
        found = one

        def over() -> bool:
            nonlocal found
            found = json.loads(self.get(one["links"]["self"]))
            return found["state"] not in ("queued", "running", "looking", "importing")

        wait_until(over, "the end")
        return found

    def names(self) -> list[str]:
        """What Datasette's own page shows."""
        return [row["name"] for row in json.loads(self.get("/house/t.json?_shape=array"))]


@contextlib.contextmanager
def serving(folder: Path, journal: str, *, plugin: bool = True) -> Iterator[Site]:
    """Datasette as people start it; without ``plugin`` none that is installed is loaded."""
    (folder / "plugins").mkdir(parents=True)
    (folder / "plugins" / "writes.py").write_text(WRITES)
    settings = {"plugins": {"datasette-program-export": {"jobs_dir": str(folder / "jobs")}}} if plugin else {}
    (folder / "metadata.json").write_text(json.dumps(settings))
    path = folder / "house.db"
    database(path, *SCHEMA, journal=journal).close()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "datasette", str(path), "-p", str(port)]
    command += ["--root", "-m", str(folder / "metadata.json"), "--plugins-dir", str(folder / "plugins")]
    here = {**os.environ, **({} if plugin else {"DATASETTE_LOAD_PLUGINS": ""})}
    with (folder / "log").open("wb") as log, subprocess.Popen(command, env=here, stdout=log, stderr=log) as server:
        site = Site(f"http://127.0.0.1:{port}", server.pid, path)
        try:
            wait_until(lambda: _answers(site), "the server to start")
            yield site
        finally:
            server.terminate()
            server.wait(30)


def _answers(site: Site) -> bool:
    try:
        return bool(site.get("/-/versions.json"))
    except OSError:
        return False


PAGE = "/house/t/1/-/program-export"


def _job(site: Site) -> None:
    assert site.ended(site.post("/house/t/-/program-export/job"))["state"] == "done"


def _import(site: Site) -> None:
    looked = site.ended(site.post("/house/-/program-import.json?table=t", "t.csv", b"id,name\n77,imported\n"))
    assert looked["state"] == "previewed", looked
    assert site.ended(site.post(looked["links"]["apply"]))["state"] == "done"


DOORS: dict[str, Callable[[Site], Any]] = {
    "start": lambda site: None,
    "page": lambda site: site.get(PAGE),
    "plan": lambda site: site.get(PAGE + ".json"),
    "export": lambda site: site.get("/house/t/1.programjson"),
    "the whole database": lambda site: site.get("/house.programzip"),
    "a query": lambda site: site.get("/house/-/query.programcsv?sql=select+*+from+t"),
    "a SQLite file": lambda site: site.get("/house/-/program-export/download?_export_format=sqlite"),
    "job": _job,
    "verify": lambda site: site.post("/-/program-export/verify.json", "t.json", exported(site.path, "t")),
    "import": _import,
}


@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_nothing_is_lost_or_stale_beside_an_application(tmp_path: Path, journal: str) -> None:
    """At each door: the application writes and closes, the site writes; the site and the application see both."""
    with serving(tmp_path, journal) as site:
        expected = ["one"]
        assert site.names() == expected
        for name, door in DOORS.items():
            door(site)
            expected += ["imported"] if name == "import" else []
            assert other_program(site.path, f"INSERT INTO t (name) VALUES ('app {name}')") == "[]", name
            assert journal != "wal" or site.path.with_name("house.db-wal").exists(), name
            assert site.get(f"/-/insert?name=site+{name.replace(' ', '+')}") == b"written"
            expected += [f"app {name}", f"site {name}"]
            assert sorted(site.names()) == sorted(expected), name
            seen = other_program(site.path, "SELECT json_group_array(name) FROM t")
            assert all(one in seen for one in expected), name
    seen = other_program(site.path, "SELECT json_group_array(name) FROM t")
    assert all(one in seen for one in expected)
    assert other_program(site.path, "PRAGMA integrity_check") == "[('ok',)]"


@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_nobody_writes_into_a_transaction_that_the_site_holds(tmp_path: Path, journal: str) -> None:
    with serving(tmp_path, journal) as site:
        site.get("/-/hold")
        for name, door in DOORS.items():
            if name != "import":  # it would wait for its turn
                door(site)
            assert other_program(site.path, "INSERT INTO t (name) VALUES ('x')") == "database is locked", name
        site.get("/-/let-go")
        assert sorted(site.names()) == ["held", "one"]


@pytest.mark.skipif(not Path("/proc/locks").exists(), reason="only Linux lists its locks")
@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_the_locks_are_those_of_a_site_without_the_plugin(tmp_path: Path, journal: str) -> None:
    with serving(tmp_path / "plain", journal, plugin=False) as plain:
        started = locks_of(plain.pid, plain.path)
        plain.names()
        plain.get("/-/insert?name=x")
        used = locks_of(plain.pid, plain.path)
    with serving(tmp_path / "with", journal) as site:
        assert locks_of(site.pid, site.path) == started
        site.names()
        site.get("/-/insert?name=x")
        assert locks_of(site.pid, site.path) == used
        for name, door in DOORS.items():
            door(site)
            assert locks_of(site.pid, site.path) == used, name


def test_a_list_of_jobs_that_somebody_has_open_is_not_opened_beside_sqlite(tmp_path: Path) -> None:
    """Two sites in one process may share a folder."""
    first = TaskFile(tmp_path)
    before = locks_of(os.getpid(), tmp_path / "jobs.db")
    second = TaskFile(tmp_path)
    assert before and locks_of(os.getpid(), tmp_path / "jobs.db") >= before
    assert (tmp_path / "jobs.db").stat().st_mode & 0o777 == 0o600
    assert sorted(p.name for p in tmp_path.iterdir() if p.suffix == ".db") == ["jobs.db"]
    second.close()
    first.close()


@pytest.mark.parametrize("link", ["hardlink_to", "symlink_to"])
def test_a_command_never_writes_over_its_own_database(demo: Path, tmp_path: Path, link: str) -> None:
    other = tmp_path / "other.json"
    getattr(other, link)(demo)
    done = CliRunner().invoke(program_export, ["database", str(demo), "-o", str(other)])
    assert done.exit_code == 2 and "is the database itself" in done.output


@pytest.mark.parametrize("suffix", ["-wal", "-journal"])
@pytest.mark.parametrize("command", ["database", "import", "backup"])
def test_the_rest_of_another_database_is_not_taken_over(demo: Path, tmp_path: Path, command: str, suffix: str) -> None:
    """SQLite would write the rows that wait there into the new file."""
    (tmp_path / f"new.db{suffix}").write_bytes(b"x" * 100)
    rows = tmp_path / "rows.json"
    rows.write_bytes(exported(demo, "clients"))
    words = {
        "database": ["database", str(demo), "-o", str(tmp_path / "new.db")],
        "import": ["import", str(rows), str(tmp_path / "new.db")],
        "backup": ["import", str(rows), str(demo), "--on-conflict", "replace", "--backup", str(tmp_path / "new.db")],
    }
    if command == "backup":
        other_program(demo, "UPDATE clients SET first_name = 'other'")
    done = CliRunner().invoke(program_export, words[command])
    assert done.exit_code == 2 and f"new.db{suffix}" in done.output
    assert not (tmp_path / "new.db").exists()
