"""Datasette in process and under uvicorn, and waiting for what happens there."""

from __future__ import annotations

import contextlib
import socket
import sqlite3
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import uvicorn
from datasette.app import Datasette

from datasette_program_export.database.connections.warm import WARM
from datasette_program_export.plugin.server.slots import SLOTS
from tests.support.runs.patience import SECONDS


def answers(port: int) -> bool:
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", port)) == 0


def fetched(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=60) as response:
        return response.read()


END = b"0\r\n\r\n"  # how a chunked answer ends when it is whole (RFC 9112, 7.1)


def rest_of(reader: socket.socket) -> bytes:
    """What comes until the server closes or cuts the connection."""
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_000_000)  # no longer a slow one
    reader.settimeout(30)
    taken = b""
    try:
        while piece := reader.recv(1_000_000):
            taken += piece
    except ConnectionError:
        pass
    return taken


def threads() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name == "program-export"]


def make_datasette(*files: Path, settings: dict | None = None, metadata: dict | None = None, **options) -> Datasette:
    """A Datasette with these files; ``settings`` are the plugin's."""
    merged = dict(metadata or {})
    if settings is not None:
        merged["plugins"] = {"datasette-program-export": settings}
    return Datasette([str(f) for f in files], metadata=merged, **options)


@dataclass
class Server:
    """A real server on this machine."""

    url: str
    port: int
    datasette: Datasette


@contextlib.contextmanager
def served(datasette: Datasette) -> Iterator[Server]:
    """Datasette under uvicorn, in a thread of its own."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(datasette.app(), log_level="critical", lifespan="on"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        wait_until(lambda: server.started, "the server to start")
        yield Server(f"http://127.0.0.1:{port}", port, datasette)
    finally:
        server.should_exit = True
        thread.join(20)
        listener.close()
        datasette.close() if hasattr(datasette, "close") else None


def wait_until(condition, what: str, seconds: float = SECONDS) -> None:
    """Wait for something that happens on another thread."""
    give_up = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up, f"waited {seconds} s for {what}"
        time.sleep(0.01)


ROWS = 60_000
WHOLE = b'"complete":true}}\n'
ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT "


class Running(uvicorn.Server):
    """A server that can be stopped, and whose connections and requests can be counted."""

    port = 0

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.thread = threading.Thread(target=self.run, daemon=True)

    @property
    def idle(self) -> bool:
        return not self.server_state.connections and not self.server_state.tasks


@contextlib.contextmanager
def running(datasette, **config) -> Iterator[Running]:
    server = Running(uvicorn.Config(datasette.app(), port=0, log_level="critical", lifespan="on", **config))
    server.thread.start()
    try:
        wait_until(lambda: server.started, "the server to start")
        server.port = server.servers[0].sockets[0].getsockname()[1]
        yield server
    finally:
        server.should_exit = server.force_exit = True
        server.thread.join(20)
        for database in datasette.databases.values():  # a forced exit tells no plugin of its end
            WARM.drop(database)
        datasette.close() if hasattr(datasette, "close") else None


@contextlib.contextmanager
def reader(port: int, path: str, most: int = 0) -> Iterator[socket.socket]:
    """One who asks, and has taken so many bytes and no more; the system keeps little for them."""
    with socket.socket() as asking:
        asking.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        asking.settimeout(30)
        asking.connect(("127.0.0.1", port))
        asking.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        taken = b""
        while len(taken) < most:
            piece = asking.recv(most - len(taken))
            assert piece, taken
            taken += piece
        assert taken == b"" or taken.startswith(b"HTTP/1.1 200 OK")
        yield asking


def nothing_runs() -> bool:
    return SLOTS.taken == 0 and not threads()


def open_files(folder: Path) -> list[str]:
    """Files of that folder that this process holds open, those without a name too; [] where that cannot be seen."""
    found = []
    for handle in Path("/proc/self/fd").glob("*"):
        with contextlib.suppress(OSError):
            if str(handle.readlink()).startswith(str(folder)):
                found.append(str(handle.readlink()))
    return found


def left_in(folder: Path) -> list[str]:
    return [*map(str, folder.iterdir()), *open_files(folder)]


def let_go(path: Path) -> None:
    """Another connection writes at once, and no reader holds the log back."""
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("CREATE TABLE IF NOT EXISTS written (at TEXT)")
        other.execute("INSERT INTO written VALUES ('now')")
        other.execute("COMMIT")
        assert other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0


def ask_one(url: str) -> bool:
    return fetched(url).endswith(WHOLE)


def query(what: str) -> str:
    return "/large/-/query.programjson?sql=" + quote(ENDLESS + what)


async def get(ds, path: str, **options):
    return await ds.client.get(path, **options)
