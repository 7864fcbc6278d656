"""How downloads end over a real server: it stops, the disk is full, and what the log tells of it."""

from __future__ import annotations

import errno
import io
import json
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.error
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.databases.building import database
from tests.support.sites.permissions import lines
from tests.support.sites.server import (
    END,
    ENDLESS,
    WHOLE,
    answers,
    ask_one,
    fetched,
    left_in,
    let_go,
    make_datasette,
    nothing_runs,
    open_files,
    query,
    reader,
    rest_of,
    running,
    served,
    threads,
    wait_until,
)


def test_a_server_that_is_told_to_stop_first_ends_what_it_began(large: Path, settings: dict, spool: Path) -> None:
    with running(make_datasette(large, settings=settings)) as server:
        with reader(server.port, "/large/t.programjson", 3000) as slow:
            server.should_exit = True
            assert rest_of(slow).endswith(WHOLE + b"\r\n" + END)
        server.thread.join(20)
        assert not server.thread.is_alive()
        wait_until(nothing_runs, "the export to end")
    assert left_in(spool) == []


STOPPED = """
import sys
sys.path.insert(0, {root!r})
from pathlib import Path
import uvicorn
from tests.support.sites.server import make_datasette
app = make_datasette(Path({path!r}), settings={settings!r}).app()
uvicorn.run(app, host="127.0.0.1", port={port}, log_level="critical", timeout_graceful_shutdown=1)
"""
STOPS = {"in its time": [signal.SIGTERM], "at once": [signal.SIGINT] * 2, "killed": [signal.SIGKILL]}


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")
@pytest.mark.parametrize("what", ["a table", "an endless query"])
@pytest.mark.parametrize("stop", STOPS)
def test_a_server_that_stops_in_mid_download_leaves_nothing(
    large: Path, settings: dict, spool: Path, stop: str, what: str
) -> None:
    """A process of its own. The reader sees that it is not whole; the database can be written to at once."""
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    code = STOPPED.format(root=str(Path(__file__).parents[3]), path=str(large), settings=settings, port=port)
    with subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL) as process:
        try:
            wait_until(lambda: process.poll() is not None or answers(port), "the server to start")
            with reader(port, "/large/t.programjson" if what == "a table" else query("x FROM c"), 3000) as slow:
                for number in STOPS[stop]:
                    process.send_signal(number)
                wait_until(lambda: process.poll() is not None, "the server to stop")
                let_go(large)
                assert left_in(spool) == []
                rest = rest_of(slow)
                assert rest and not rest.endswith(END) and b'"complete":true' not in rest
        finally:
            process.kill()


def test_a_stalled_reader_does_not_keep_a_server_from_stopping(large: Path, settings: dict) -> None:
    site = make_datasette(large, settings={**settings, "send_timeout_seconds": 0.3})
    with running(site) as server, reader(server.port, "/large/t.programjson", 3000):
        server.should_exit = True
        wait_until(lambda: not server.thread.is_alive(), "the server to stop")


class FullDisk(io.FileIO):
    """A file on a disk with room for half a megabyte."""

    def write(self, data) -> int:  # type: ignore[override]
        if self.tell() + len(data) > 500_000:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(data)


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The temporary folder's disk gets full; the files that were made there."""
    made: list[Path] = []

    def temporary(*_, prefix: str = "", dir: str | None = None, **__) -> io.BufferedRandom:
        made.append(Path(dir or tempfile.gettempdir()) / f"{prefix}{len(made)}")
        file = FullDisk(made[-1], "x+b")
        made[-1].unlink()
        return io.BufferedRandom(file)

    monkeypatch.setattr(tempfile, "TemporaryFile", temporary)
    return made


def test_a_full_disk_cuts_a_slow_reader_and_leaves_nothing(
    large: Path, settings: dict, spool: Path, full: list[Path], tmp_path: Path
) -> None:
    """Nothing left, the site goes on, and the log says why in the words of the package."""
    log = tmp_path / "exports.log"
    with running(make_datasette(large, settings={**settings, "audit_log": str(log)})) as server:
        with reader(server.port, "/large/t.programjson", 3000) as slow:
            wait_until(nothing_runs, "the reading to end")
            assert ask_one(f"http://127.0.0.1:{server.port}/large/t.programjson?id=1")  # while the other still waits
            assert fetched(f"http://127.0.0.1:{server.port}/large.json")
            rest = rest_of(slow)
            assert not rest.endswith(END) and b'"complete":true' not in rest
            wait_until(lambda: not server.server_state.tasks, "the request to end")
        assert full and left_in(spool) == []
        let_go(large)
    outcomes = sorted(line["outcome"] for line in lines(log))
    assert outcomes == ["The temporary folder takes no more (No space left on device).", "complete"]


@pytest.mark.parametrize("disk", ["full", "gone"])
def test_no_room_before_the_first_byte_is_a_sentence(
    tmp_path: Path, spool: Path, settings: dict, full: list[Path], disk: str
) -> None:
    """A rollback-journal database is written down before its first byte is given away."""
    connection = database(tmp_path / "old.db", "CREATE TABLE t (id INTEGER PRIMARY KEY, x TEXT)", journal="delete")
    connection.executemany("INSERT INTO t VALUES (?, ?)", ((i, "x" * 1000) for i in range(3000)))
    connection.close()
    with served(make_datasette(tmp_path / "old.db", settings=settings)) as server:
        if disk == "gone":
            spool.rmdir()
        with pytest.raises(urllib.error.HTTPError) as caught:
            fetched(f"{server.url}/old/t.programjson")
        told = json.loads(caught.value.read())
        assert told["ok"] is False and ("temporary folder" in told["error"] or "spool_dir" in told["error"])
        assert str(tmp_path) not in told["error"]
        wait_until(nothing_runs, "the export to end")
        assert open_files(spool) == []


LEFT, TOOK_NOTHING = {"The reader left.", "The export was cancelled."}, "The reader took nothing for 0.3 seconds"


@pytest.mark.parametrize("when", ["while it is read", "when all has been read"])
def test_the_log_tells_of_a_reader_who_left(large: Path, settings: dict, tmp_path: Path, when: str) -> None:
    log = tmp_path / "exports.log"
    path = "/large/t.programjson" if when == "when all has been read" else query("x FROM c")
    with running(make_datasette(large, settings={**settings, "audit_log": str(log)})) as server:
        with reader(server.port, path, 3000):
            wait_until(nothing_runs if when == "when all has been read" else threads, "the reading")
        wait_until(lambda: lines(log) and server.idle, "the line")
    (line,) = lines(log)
    assert line["outcome"] in LEFT and line["sha256"] is None


def test_the_log_tells_of_a_cut(large: Path, settings: dict, tmp_path: Path) -> None:
    log = tmp_path / "exports.log"
    plugin = {**settings, "audit_log": str(log), "send_timeout_seconds": 0.3, "max_seconds": 1}
    with running(make_datasette(large, settings=plugin)) as server:
        with reader(server.port, "/large/t.programjson", 3000):
            wait_until(lambda: lines(log), "the line")
        with reader(server.port, query("x FROM c"), 100) as asking:
            rest_of(asking)
        wait_until(lambda: len(lines(log)) == 2, "the line")
    stalled, endless = lines(log)
    assert stalled["outcome"].startswith(TOOK_NOTHING) and "max_seconds" in endless["outcome"]
    assert stalled["sha256"] is endless["sha256"] is None and ENDLESS not in endless["outcome"]
