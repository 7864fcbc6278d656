"""Hardening over a real server: crowds, stalled and departing readers, a server that stops, a full disk."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from datasette import hookimpl
from datasette.plugins import pm

from datasette_program_export.files.temporary.spool import Spool
from datasette_program_export.plugin.host import V1
from datasette_program_export.plugin.server.slots import SLOTS
from tests.support.databases.building import database
from tests.support.sites.server import (
    END,
    ROWS,
    WHOLE,
    ask_one,
    fetched,
    left_in,
    let_go,
    make_datasette,
    nothing_runs,
    query,
    reader,
    rest_of,
    running,
    served,
    threads,
    wait_until,
)
from tests.support.sites.writers import COUNTER, Writer, open_connections


def test_of_twenty_at_once_each_gets_all_or_is_told_to_come_again(large: Path, settings: dict) -> None:
    together = threading.Barrier(20)

    def ask(_: int) -> int:
        together.wait(30)
        try:
            with urllib.request.urlopen(f"{server.url}/large/t.programjson", timeout=120) as response:
                document = json.loads(response.read())
                assert len(document["tables"]["t"]) == document["integrity"]["rows"] == ROWS
                assert document["integrity"]["complete"] is True
                return response.status
        except urllib.error.HTTPError as error:
            assert error.headers["retry-after"] == "10" and error.headers["cache-control"] == "private, no-store"
            assert json.loads(error.read())["status"] == error.code
            return error.code

    with served(make_datasette(large, settings={**settings, "max_concurrent_exports": 3})) as server:
        with ThreadPoolExecutor(20) as clients:
            statuses = Counter(clients.map(ask, range(20)))
        assert set(statuses) == {200, 429} and statuses[200] >= 2
        wait_until(nothing_runs, "the exports to end")
        assert ask_one(f"{server.url}/large/t.programjson?id=1")


@pytest.mark.parametrize("most", [0, 3000], ids=["took nothing", "took some"])
def test_a_stalled_reader_is_cut_and_everything_is_free(large: Path, settings: dict, spool: Path, most: int) -> None:
    """Though they never read again and never hang up."""
    before = open_connections()
    with running(make_datasette(large, settings={**settings, "send_timeout_seconds": 0.3})) as server:
        with reader(server.port, "/large/t.programjson", most) as stalled:
            wait_until(lambda: SLOTS.taken == 1 or server.server_state.total_requests == 1, "the export to start")
            wait_until(lambda: nothing_runs() and not server.server_state.tasks, "the download to be cut")
            assert left_in(spool) == []
            wait_until(lambda: server.idle, "the connection to be closed")
            assert not rest_of(stalled).endswith(END)
        let_go(large)
    if V1:  # 0.x does not close its own
        assert open_connections() <= before


def test_a_reader_who_stalls_at_the_very_end_is_cut_too(
    large: Path, settings: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of it is handed to the server in one piece, so that only the end is left to be sent."""
    take = Spool.take
    monkeypatch.setattr(Spool, "take", lambda self: take(self) if self._ended else b"")
    plugin = {**settings, "spool_memory_mb": 100, "send_timeout_seconds": 0.3}
    site = make_datasette(large, settings=plugin)
    with running(site) as server, reader(server.port, "/large/t.programjson", 3000) as stalled:
        wait_until(lambda: not server.server_state.tasks, "the download to be cut")
        assert not rest_of(stalled).endswith(END)


def test_an_endless_query_with_rows_is_cut(large: Path, settings: dict, spool: Path) -> None:
    with running(make_datasette(large, settings={**settings, "max_seconds": 1})) as server:
        with reader(server.port, query("x FROM c"), 100) as asking:
            assert not rest_of(asking).endswith(END)
        wait_until(lambda: nothing_runs() and not server.server_state.tasks, "the query to end")
        assert left_in(spool) == []
        let_go(large)


@pytest.mark.parametrize("what", ["count(*) FROM c", "x FROM c WHERE x < 0", "x FROM c ORDER BY x"])
def test_an_endless_query_without_a_first_row_is_refused(large: Path, settings: dict, what: str) -> None:
    with served(make_datasette(large, settings={**settings, "max_seconds": 1})) as server:
        with pytest.raises(urllib.error.HTTPError) as caught:
            fetched(server.url + query(what))
        assert caught.value.code == 422 and "max_seconds" in json.loads(caught.value.read())["error"]
        wait_until(nothing_runs, "the query to end")


@pytest.mark.parametrize("what", ["x FROM c", "count(*) FROM c", "x FROM c WHERE x < 0"])
def test_an_endless_query_ends_when_its_reader_leaves(large: Path, settings: dict, spool: Path, what: str) -> None:
    with running(make_datasette(large, settings=settings)) as server:
        with reader(server.port, query(what), 100 if what == "x FROM c" else 0):
            wait_until(lambda: bool(threads()), "the query to start")
        wait_until(lambda: nothing_runs() and server.idle, "the query to end")
        assert left_in(spool) == []
        let_go(large)


def test_a_writer_beside_three_large_downloads_meets_no_lock_error(tmp_path: Path) -> None:
    path = tmp_path / "busy.db"
    connection = database(path, *COUNTER, "CREATE TABLE t (id INTEGER PRIMARY KEY, x TEXT)")
    connection.execute("BEGIN")
    connection.executemany("INSERT INTO t VALUES (?, ?)", ((i, "x" * 300) for i in range(60_000)))
    connection.execute("COMMIT")
    connection.close()
    writer = Writer(path)
    writer.start()
    with served(make_datasette(path)) as server, ThreadPoolExecutor(3) as clients:
        found = [json.loads(body) for body in clients.map(fetched, [f"{server.url}/busy.programjson"] * 3)]
    writer.stop.set()
    writer.join(30)
    assert writer.errors == [] and writer.commits > 3
    for document in found:
        assert document["integrity"]["rows"] == 60_002
        assert document["tables"]["counter"][0]["n"] == document["tables"]["copy"][0]["n"]


@pytest.mark.parametrize("door", ["", "/t", "/t/5"])
def test_a_download_below_a_base_url_and_with_cors(large: Path, door: str) -> None:
    datasette = make_datasette(large, cors=True, settings={"max_concurrent_exports": 1})
    datasette._settings["base_url"] = "/pre/fix/"
    with served(datasette) as server:
        for path in (f"/large{door}.programjson", f"/large{door}/-/program-export/download"):
            with urllib.request.urlopen(f"{server.url}/pre/fix{path}", timeout=60) as response:
                assert response.headers["access-control-allow-origin"] == "*"
                assert response.headers["cache-control"] == "private, no-store"
                assert response.read().endswith(WHOLE)
            wait_until(nothing_runs, "the export to end")
        with running_one(server.port), pytest.raises(urllib.error.HTTPError) as caught:
            fetched(f"{server.url}/pre/fix/large{door}.programjson")
        assert (caught.value.code, caught.value.headers["access-control-allow-origin"]) == (429, "*")
        wait_until(nothing_runs, "the export to end")


@contextlib.contextmanager
def running_one(port: int) -> Iterator[None]:
    """An export that does not end while this lasts."""
    with reader(port, "/pre/fix" + query("x FROM c"), 100):
        yield


HEADS = [".programjson", "/t.programjson", "/t.programcsv", "/t/5.programzip", "/t/-/program-export/download"]
HEADS += ["/-/query.programjson?sql=select+*+from+t", "/t.programjson?id__lt=5&_sort_desc=note"]


@pytest.mark.parametrize("door", HEADS)
def test_head_has_no_body_and_opens_nothing(large: Path, door: str) -> None:
    opened: list[str] = []

    class Counting:
        __name__ = "counting"

        @hookimpl
        def prepare_connection(self, database: str) -> None:
            if database == "large":
                opened.append(threading.current_thread().name)

    counting = Counting()
    pm.register(counting, "counting")
    try:
        with served(make_datasette(large)) as server:
            fetched(f"{server.url}/large.json")
            opened.clear()  # what was looked at when the server started
            answers = [head(server.port, f"/large{door}") for _ in range(3)]
            ours = [name for name in opened if not name.startswith("ThreadPool")]  # Datasette's, which it keeps
    finally:
        pm.unregister(name="counting")
    for answer in answers:
        assert answer.startswith(b"HTTP/1.1 200 OK") and answer.endswith(b"\r\n\r\n") and answer.count(b"\r\n\r\n") == 1
    assert ours == []


def head(port: int, path: str) -> bytes:
    with socket.create_connection(("127.0.0.1", port)) as asking:
        asking.sendall(f"HEAD {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        return rest_of(asking)
