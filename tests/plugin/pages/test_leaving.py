"""Who leaves stops the work: a file's check, wherever it is, a plan, the rows to pick from."""

from __future__ import annotations

import gzip
import importlib
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from datasette_program_export import Request, export
from datasette_program_export.errors import CancelledError
from datasette_program_export.plugin.http import sending
from datasette_program_export.plugin.pages import export as export_pages
from datasette_program_export.plugin.pages import verify as verification
from datasette_program_export.plugin.request import asked as asked_for
from datasette_program_export.plugin.server.memory_budget import BUDGET, MOST
from tests.support.databases.building import database
from tests.support.sites.server import ENDLESS, left_in, make_datasette, nothing_runs, running, wait_until


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    folder = tmp_path / "spool"
    folder.mkdir()
    return folder


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """More than a piece of everything that is read in pieces."""
    path = tmp_path_factory.mktemp("source") / "s.db"
    made = "CREATE TABLE t (id INTEGER PRIMARY KEY, x TEXT, t REFERENCES t)"
    connection = database(path, made, "BEGIN")
    connection.executemany(
        "INSERT INTO t VALUES (?, hex(randomblob(100)), ?)", ((n, max(1, n - 1)) for n in range(1, 20_001))
    )
    connection.execute("COMMIT")
    connection.close()
    return path


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> list[sending.Client]:
    """All that the server watches."""
    found: list[sending.Client] = []
    begin = sending.Client.watch

    def watch(self: sending.Client) -> None:
        found.append(self)
        begin(self)

    monkeypatch.setattr(sending.Client, "watch", watch)
    return found


@pytest.fixture
def begun() -> list[str]:
    """The names of the checks, plans and pickings that have begun."""
    return []


@pytest.fixture
def outcomes(begun: list[str], monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """How each check, plan and picking ended: its result or what it raised."""
    found: list[Any] = []

    def recorded(work: Callable[..., Any]) -> Callable[..., Any]:
        def recording(*args: Any, **how: Any) -> Any:
            begun.append(work.__name__)
            try:
                result = work(*args, **how)
            except BaseException as error:
                found.append(error)
                raise
            found.append(result)
            return result

        return recording

    monkeypatch.setattr(verification, "verify", recorded(verification.verify))
    for module, name in ((asked_for, "plan"), (export_pages, "pick")):
        monkeypatch.setattr(module, name, recorded(getattr(module, name)))
    return found


class Gate:
    """A function that waits, the first time, until it is let through."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
        module, _, name = place.partition(" ")
        holder: Any = importlib.import_module(f"datasette_program_export.{module}")
        *parts, last = name.split(".")
        for part in parts:
            holder = getattr(holder, part)
        self.reached, self.through = threading.Event(), threading.Event()
        behind = getattr(holder, last)

        def waiting(*args: Any, **how: Any) -> Any:
            self.reached.set()
            assert self.through.wait(60)
            return behind(*args, **how)

        monkeypatch.setattr(holder, last, waiting)


def posted(port: int, path: str, content: bytes) -> socket.socket:
    body = b'--x\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n' + content + b"\r\n--x--\r\n"
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
    sender = socket.create_connection(("127.0.0.1", port), timeout=60)
    sender.sendall(head.encode() + b"Content-Type: multipart/form-data; boundary=x\r\n\r\n" + body)
    return sender


# where the check is when its sender leaves; at least one more piece is read behind it
PLACES = {
    "a packed database is unpacked": ("sqlite.gz", "files.local _check_announced"),
    "a database's digest is computed": ("sqlite", "formats.sqlite.reading sealed"),
    "a database is read": ("sqlite", "formats.sqlite.reading stored_rows"),
    "a script's digest is computed": ("sql", "formats.sqlite.script_reading check_script"),
    "a script is read": ("sql", "formats.sqlite.script_reading _description"),
    "lines are read": ("programjson", "files.lines DigestingLines.block"),
    "packed lines are read": ("programjson.gz", "files.lines DigestingLines.block"),
    "a zip's digest is computed": ("package", "files.zip_reading Unpacking._is_sealed"),
    "a zip's files are read": ("package", "files.zip_reading Unpacking.open"),
    "references are followed": ("programjson", "verifying.reference_check References.dangling"),
}


@pytest.mark.parametrize("where", PLACES)
def test_a_check_ends_when_its_sender_leaves(
    where: str, source: Path, spool: Path, monkeypatch: pytest.MonkeyPatch, clients: list, outcomes: list
) -> None:
    kind, place = PLACES[where]
    content = b"".join(export(source, Request(format=kind.partition(".")[0])))
    content = gzip.compress(content, 1) if kind.endswith(".gz") else content
    gate = Gate(monkeypatch, place)
    with running(make_datasette(source, settings={"spool_dir": str(spool)})) as server:
        with posted(server.port, "/-/program-export/verify.json", content):
            assert gate.reached.wait(60)
            assert left_in(spool) and not clients[0].left
        wait_until(lambda: clients[0].left, "the server to see that the sender left")
        assert outcomes == []
        gate.through.set()
        wait_until(lambda: bool(outcomes), "the check to end")
        assert isinstance(outcomes[0], CancelledError), outcomes
        wait_until(lambda: server.idle and left_in(spool) == [], "everything to be gone")
        assert verification.SLOTS.taken == 0 and not BUDGET._readings


def test_who_leaves_before_the_check_begins_takes_no_turn(
    source: Path, spool: Path, clients: list, outcomes: list
) -> None:
    others = [BUDGET._begun(str(n)) for n in range(MOST)]
    try:
        with running(make_datasette(source, settings={"spool_dir": str(spool)})) as server:
            with posted(server.port, "/-/program-export/verify.json", b"{}"):
                wait_until(lambda: bool(clients), "the file to be there")
            wait_until(lambda: server.idle and left_in(spool) == [], "everything to be gone")
            assert verification.SLOTS.taken == 0 and outcomes == []
    finally:
        for reading in others:
            reading.end()


@pytest.fixture
def asking(source: Path, begun: list, outcomes: list) -> Callable[[str, str], None]:
    """Ask for a page that would take for ever, and leave when that work on it has begun."""

    def ask(path: str, work: str) -> None:
        with running(make_datasette(source, settings={"plan_seconds": 3600})) as server:
            with socket.create_connection(("127.0.0.1", server.port), timeout=60) as asker:
                asker.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                wait_until(lambda: work in begun, "the work to begin")
            wait_until(lambda: len(outcomes) == len(begun), "the work to end")
            wait_until(lambda: server.idle and nothing_runs(), "the page to end")

    return ask


@pytest.mark.parametrize("page", ["program-export.json", "program-export"])
def test_a_plan_ends_when_its_reader_leaves(asking: Callable[[str, str], None], outcomes: list, page: str) -> None:
    asking(f"/s/-/{page}?sql=" + quote(ENDLESS + "count(*) FROM c"), "plan")
    assert [type(outcome) for outcome in outcomes] == [CancelledError]


def test_a_search_for_rows_ends_when_its_reader_leaves(
    asking: Callable[[str, str], None], outcomes: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = asked_for.plan

    def planned(source: Any, request: Request, *, settings: Any, **how: Any) -> Any:
        return seen(source, request, settings=settings.model_copy(update={"plan_seconds": 0.2}), **how)

    monkeypatch.setattr(asked_for, "plan", planned)
    where = "(" + ENDLESS + "count(*) FROM c) > id"
    asking("/s/t/-/program-export?_export_cascade=0&_export_find=x&_where=" + quote(where), "pick")
    assert isinstance(outcomes[1], CancelledError)
