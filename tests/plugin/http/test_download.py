"""Downloads over a real server: all rows, nothing left behind, and a failure that can be seen."""

from __future__ import annotations

import asyncio
import gc
import http.client
import json
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from datasette_program_export import Request, Settings, export
from datasette_program_export.demo import ANNA
from datasette_program_export.errors import CancelledError
from datasette_program_export.plugin.http.download import Download
from datasette_program_export.plugin.server.slots import SLOTS
from tests.support.databases.building import database
from tests.support.sites.server import END, Server, fetched, make_datasette, rest_of, served, threads, wait_until
from tests.support.sites.writers import COUNTER, Writer

ROWS = 200_000


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """200,000 rows of some 300 bytes: about 70 MB as JSON."""
    path = tmp_path_factory.mktemp("large") / "large.db"
    connection = database(path, "CREATE TABLE t (id INTEGER PRIMARY KEY, kind TEXT, x REAL, note TEXT)")
    connection.execute("BEGIN")
    rows = ((i, "odd" if i % 2 else "even", i / 7, f"note {i} " + "x" * 240) for i in range(ROWS))
    connection.executemany("INSERT INTO t VALUES (?, ?, ?, ?)", rows)
    connection.execute("COMMIT")
    connection.execute(
        "CREATE VIEW breaks AS SELECT id, CASE id WHEN 150000 THEN json('broken') ELSE note END AS n FROM t"
    )
    connection.close()
    return path


@pytest.fixture
def server(large: Path, tmp_path: Path) -> Iterator[Server]:
    spool = tmp_path / "spool"
    spool.mkdir()
    settings = {"spool_dir": str(spool), "spool_memory_mb": 1, "send_timeout_seconds": 2}
    with served(make_datasette(large, settings=settings)) as running:
        yield running


def test_all_rows_arrive_in_order_and_as_filtered(server: Server) -> None:
    found = json.loads(fetched(f"{server.url}/large/t.programjson?kind=odd&_sort_desc=id"))
    assert [row["id"] for row in found["tables"]["t"]] == list(range(ROWS - 1, 0, -2))
    assert found["integrity"]["rows"] == ROWS // 2


def test_the_first_byte_comes_before_the_last_row_is_read(server: Server) -> None:
    """By the order of events: the reader has the beginning while the export still runs."""
    with urllib.request.urlopen(f"{server.url}/large/t.programjson", timeout=60) as response:
        assert response.read(1000).startswith(b'{"format":"programjson"')
        assert threads() == ["program-export"]
        rest = response.read()
    assert rest.endswith(b'"complete":true}}\n')
    wait_until(lambda: not threads(), "the thread to end")


def test_a_reader_who_leaves_twenty_times_leaves_nothing(server: Server, tmp_path: Path) -> None:
    """Within a second each: no thread, no connection, no temporary file."""
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", server.port)) as reader:
            reader.sendall(b"GET /large/t.programjson HTTP/1.1\r\nHost: x\r\n\r\n")
            taken = 0
            while taken < 100_000:
                taken += len(reader.recv(65_536))
        wait_until(lambda: not threads() and SLOTS.taken == 0, "the export to end")
        assert list((tmp_path / "spool").iterdir()) == []
    gc.collect()
    with closing(sqlite3.connect(server.datasette.get_database("large").path, timeout=0)) as other:
        other.execute("PRAGMA journal_mode")
        assert other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0  # no reader holds the log
    assert fetched(f"{server.url}/large.json")


def test_a_reader_who_takes_nothing_is_cut_and_holds_nothing(server: Server, tmp_path: Path) -> None:
    """The database is let go at once; the connection after send_timeout_seconds."""
    with socket.create_connection(("127.0.0.1", server.port)) as reader:
        reader.sendall(b"GET /large/t.programjson HTTP/1.1\r\nHost: x\r\n\r\n")
        wait_until(lambda: SLOTS.taken == 1, "the export to start")
        wait_until(lambda: SLOTS.taken == 0, "the database to be read")  # though nobody takes the bytes
        time.sleep(3)  # longer than send_timeout_seconds
        assert not rest_of(reader).endswith(END)
    assert list((tmp_path / "spool").iterdir()) == []


def test_a_slow_reader_gets_everything(server: Server) -> None:
    taken = 0
    with urllib.request.urlopen(f"{server.url}/large/t.programjson?id__lt=60000", timeout=60) as response:
        while piece := response.read(2_000_000):
            taken += len(piece)
            time.sleep(0.02)
    assert piece == b"" and taken > 15_000_000


def test_an_error_behind_the_first_byte_cuts_the_connection(server: Server) -> None:
    """At row 150,000: an incomplete read, never a clean end."""
    response = urllib.request.urlopen(f"{server.url}/large/breaks.programjson", timeout=60)
    with response, pytest.raises(http.client.IncompleteRead) as caught:
        response.read()
    assert len(caught.value.partial) > 10_000_000 and b"complete" not in caught.value.partial[-1000:]
    wait_until(lambda: not threads() and SLOTS.taken == 0, "the export to end")
    if curl := shutil.which("curl"):
        done = subprocess.run([curl, "-sf", "-o", "/dev/null", f"{server.url}/large/breaks.programjson"], timeout=60)
        assert done.returncode != 0


def test_an_error_before_the_first_byte_is_a_status(server: Server) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        fetched(f"{server.url}/large/breaks.programjson?id__gt=149999")
    assert caught.value.code == 400
    assert json.loads(caught.value.read())["error"] == "The condition cannot be run: malformed JSON."


def test_one_too_many_is_told_when_to_come_again(large: Path) -> None:
    with served(make_datasette(large, settings={"max_concurrent_exports": 1})) as running:
        with urllib.request.urlopen(f"{running.url}/large/t.programjson", timeout=60) as first:
            first.read(100)
            with pytest.raises(urllib.error.HTTPError) as caught:
                fetched(f"{running.url}/large/t.programjson")
            assert (caught.value.code, caught.value.headers["retry-after"]) == (429, "10")
            first.read()
        wait_until(lambda: SLOTS.taken == 0, "the export to end")
        assert fetched(f"{running.url}/large/t.programjson?id=5").endswith(b'"complete":true}}\n')


def test_a_disk_that_is_full_cuts_the_connection(large: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with served(make_datasette(large, settings={"spool_memory_mb": 0.001, "spool_disk_mb": 1})) as running:
        with socket.create_connection(("127.0.0.1", running.port)) as reader:
            reader.sendall(b"GET /large/t.programjson HTTP/1.1\r\nHost: x\r\n\r\n")
            time.sleep(1)  # fall behind
            assert not rest_of(reader).endswith(END)
        wait_until(lambda: SLOTS.taken == 0, "the export to end")


@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_a_writer_beside_downloads_meets_no_lock_error(tmp_path: Path, journal: str) -> None:
    path = tmp_path / "busy.db"
    connection = database(path, *COUNTER, "CREATE TABLE t (id INTEGER PRIMARY KEY, x TEXT)", journal=journal)
    connection.execute("BEGIN")
    connection.executemany("INSERT INTO t VALUES (?, ?)", ((i, "x" * 300) for i in range(60_000)))
    connection.execute("COMMIT")
    connection.close()
    writer = Writer(path)
    writer.start()
    with served(make_datasette(path)) as running:
        for _ in range(4):
            found = json.loads(fetched(f"{running.url}/busy/counter/1.programjson"))
            assert found["tables"]["counter"][0]["n"] == found["tables"]["copy"][0]["n"]
            assert json.loads(fetched(f"{running.url}/busy/t.programjson"))["integrity"]["rows"] == 60_000
    writer.stop.set()
    writer.join(30)
    assert writer.errors == [] and writer.commits > 10 and writer.longest < 10


MEMORY = """
import resource, sys, threading, urllib.request
sys.path.insert(0, {root!r})
from tests.support.sites.server import make_datasette, served
from pathlib import Path
with served(make_datasette(Path({path!r}))) as running:
    def fetch(url):
        with urllib.request.urlopen(running.url + url) as response:
            while response.read(1_000_000): pass
    fetch("/large/t.programjson?id__lt=1000")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    fetch("/large/t.programjson")
    fetch("/large/t.programjson?_export_format=csv&_sort_desc=x")
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in other units elsewhere")
def test_memory_does_not_grow_with_the_rows(large: Path) -> None:
    """Two downloads of 200,000 rows, 70 MB each: the server (and the reader in it) grows by less than 64 MB."""
    code = MEMORY.format(root=str(Path(__file__).parents[3]), path=str(large))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100)
    assert int(done.stdout) < 64, done.stderr


def test_the_site_answers_while_exports_run(server: Server, demo_file: Path) -> None:
    with urllib.request.urlopen(f"{server.url}/large/t.programjson", timeout=60) as response:
        response.read(1000)
        for _ in range(10):
            assert json.loads(fetched(f"{server.url}/large/t/5.json"))["rows"]
        response.read()


def test_a_record_over_a_real_server(demo_file: Path) -> None:
    with served(make_datasette(demo_file)) as running:
        found = json.loads(fetched(f"{running.url}/practice/clients/{ANNA}.programjson"))
    assert found["integrity"]["rows"] == 28


class Reader:
    """Who asked: receives nothing until it leaves."""

    actor = None

    def __init__(self) -> None:
        self.leaves = asyncio.Event()

    async def receive(self) -> dict[str, str]:
        await self.leaves.wait()
        return {"type": "http.disconnect"}


# the first rows come at once, the next never
ENDLESS = (
    "CREATE VIEW v AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c WHERE x < {}"
)


def downloaded(path: Path, rows: int, reader: Reader) -> Download:
    database(path, ENDLESS.format(rows)).close()
    return Download(export(path, Request(table="v")), reader, Settings())


async def test_a_reader_who_leaves_before_the_first_byte_stops_the_export(tmp_path: Path) -> None:
    before, reader = SLOTS.taken, Reader()
    made = downloaded(tmp_path / "x.db", 0, reader)
    starting = asyncio.ensure_future(made.start())
    await asyncio.to_thread(wait_until, lambda: made._reader._watcher is not None, "the watcher")
    reader.leaves.set()
    with pytest.raises(CancelledError):
        await asyncio.wait_for(starting, 20)
    await asyncio.to_thread(wait_until, lambda: SLOTS.taken == before, "the export to end")


@pytest.mark.parametrize("stuck", [True, False], ids=["while it takes nothing", "while it waits"])
async def test_a_reader_who_leaves_stops_the_export_and_is_no_error(tmp_path: Path, stuck: bool) -> None:
    before, reader, goes_on = SLOTS.taken, Reader(), asyncio.Event()
    taken: list[bytes] = []

    async def send(message: dict) -> None:
        taken.append(message.get("body", b""))
        if stuck and message["type"] == "http.response.body":
            await goes_on.wait()

    made = await downloaded(tmp_path / "x.db", 40, reader).start()
    sending = asyncio.ensure_future(made.asgi_send(send))
    await asyncio.to_thread(wait_until, lambda: len(taken) >= 2, "the first rows")
    reader.leaves.set()
    # the export ends although nobody has come back from sending yet
    await asyncio.to_thread(wait_until, lambda: SLOTS.taken == before, "the export to end")
    goes_on.set()
    await asyncio.wait_for(sending, 20)
    assert not b"".join(taken).endswith(b"}\n")
