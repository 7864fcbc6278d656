"""Exported rows stand in no log: not in a message, and not in a variable of any frame that a traceback would show.

With the package rich, Datasette prints the variables of all frames of an exception that reaches it.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import logging
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from datasette import hookimpl
from datasette.plugins import pm

from datasette_program_export import ExportService, ImportService, Request, export, load, verify
from datasette_program_export.errors import RequestError
from datasette_program_export.exporting import exporter
from datasette_program_export.plugin.http import sending
from datasette_program_export.plugin.pages import export as export_pages
from datasette_program_export.plugin.pages import verify as verification
from datasette_program_export.plugin.request import asked as asked_for
from datasette_program_export.plugin.server import site
from datasette_program_export.selection.table_rows import TableRows
from tests.support.databases.building import database
from tests.support.sites.server import make_datasette, nothing_runs, reader, rest_of, running, wait_until

CANARY = "canary in a row"


class Watching(logging.Handler):
    """All that is logged, with the variables of all frames, as rich shows them; and what reaches Datasette."""

    def __init__(self) -> None:
        super().__init__(0)
        self.lines: list[str] = []
        self.seen: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())
        self.look(record.getMessage())
        for argument in record.args or ():
            if isinstance(argument, BaseException):
                self.walk(argument)
        if record.exc_info and record.exc_info[1]:
            self.walk(record.exc_info[1])

    def walk(self, error: BaseException | None, known: frozenset[int] = frozenset()) -> None:
        if error is None or id(error) in known:
            return
        self.look(repr(error))
        trace = error.__traceback__
        while trace is not None:
            for name, value in trace.tb_frame.f_locals.items():
                with contextlib.suppress(Exception):
                    self.look(f"{trace.tb_frame.f_code.co_qualname}: {name} = {value!r}")
            trace = trace.tb_next
        for other in (error.__cause__, error.__context__):
            self.walk(other, known | {id(error)})

    def look(self, text: str) -> None:
        if CANARY in text or CANARY.encode().hex() in text:
            self.seen.append(text[:300])

    @hookimpl(tryfirst=True)
    def handle_exception(self, exception: BaseException) -> None:
        self.lines.append(f"Datasette: {type(exception).__name__}")
        self.walk(exception)


@pytest.fixture
def watching(monkeypatch: pytest.MonkeyPatch) -> Iterator[Watching]:
    found = Watching()
    found.__name__ = "watching"
    pm.register(found, "watching")
    monkeypatch.setattr(threading, "excepthook", lambda args: found.walk(args.exc_value))
    logging.getLogger().addHandler(found)
    yield found
    logging.getLogger().removeHandler(found)
    pm.unregister(name="watching")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """12 MB of rows, and a view that breaks near its end."""
    path = tmp_path_factory.mktemp("rows") / "s.db"
    connection = database(path, "CREATE TABLE t (id INTEGER PRIMARY KEY, x TEXT)", "BEGIN")
    connection.executemany("INSERT INTO t VALUES (?, ?)", ((i, f"{CANARY} {i} " * 30) for i in range(20_000)))
    connection.execute("COMMIT")
    connection.execute("CREATE VIEW breaks AS SELECT id, CASE id WHEN 19000 THEN json('broken') ELSE x END AS y FROM t")
    connection.close()
    return path


@contextlib.contextmanager
def heard(file: Path, **settings: Any) -> Iterator[Any]:
    """A server whose own log is heard, too."""
    ds = make_datasette(file, settings=settings)
    with running(ds) as server:
        logging.getLogger("uvicorn.error").setLevel(logging.DEBUG)
        logging.getLogger("uvicorn").propagate = True  # uvicorn has set up its own when it started
        yield server
        wait_until(lambda: nothing_runs() and not server.server_state.tasks, "the server to be done")
    site.close(ds)


def test_the_watching_sees_what_rich_would_show(watching: Watching) -> None:
    def frame(piece: str) -> None:
        raise ValueError("nothing here")

    try:
        frame(CANARY)
    except ValueError:
        logging.getLogger("somewhere").exception("an error")
    assert watching.seen


def broken(port: int, path: str) -> None:
    """The download begins and does not end."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path)
    answer = connection.getresponse()
    assert answer.status == 200
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        answer.read()
    connection.close()


def fail_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail in the middle of a table, with a row in the error's message."""
    add, batches = exporter.TableDigest.add, iter(range(1000))

    def failing(self: Any, batch: Any) -> int:
        if next(batches) == 5:
            raise ValueError(batch[0])
        return add(self, batch)

    monkeypatch.setattr(exporter.TableDigest, "add", failing)
    monkeypatch.setattr(TableRows, "can_be_written", lambda *_: False)  # as Python writes them


@pytest.mark.parametrize("what", ["a view that breaks", "an error that nobody foresaw"])
def test_a_download_that_breaks(file: Path, watching: Watching, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    if what == "an error that nobody foresaw":
        fail_late(monkeypatch)
    with heard(file) as server:
        broken(server.port, "/s/breaks.programcsv" if what == "a view that breaks" else "/s/t.programjson")
    assert watching.seen == []
    assert any(line.startswith("A download was cut: ") for line in watching.lines)
    assert "ASGI callable returned without completing response." in watching.lines  # the server knew, and cut it
    assert not any(line.startswith("Datasette: ") for line in watching.lines)


def test_the_place_of_an_error_that_nobody_foresaw_is_logged(
    file: Path, watching: Watching, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_late(monkeypatch)
    with heard(file) as server:
        broken(server.port, "/s/t.programjson")
    (line,) = [line for line in watching.lines if line.startswith("ValueError; its message is left out")]
    assert "in failing" in line and __file__ in line


@pytest.mark.parametrize("what", ["nothing more is taken", "the disk is full"])
def test_a_download_whose_reader_stalls(file: Path, watching: Watching, tmp_path: Path, what: str) -> None:
    limits = {"send_timeout_seconds": 0.3} if what == "nothing more is taken" else {"spool_disk_mb": 1}
    site = heard(file, spool_dir=str(tmp_path), spool_memory_mb=1, **limits)
    with site as server, reader(server.port, "/s/t.programjson", 3000) as stalled:
        wait_until(nothing_runs, "the reading to end")
        if what == "nothing more is taken":
            wait_until(lambda: not server.server_state.tasks, "the download to be cut")
        assert not rest_of(stalled).endswith(b"0\r\n\r\n")
    assert watching.seen == []
    (cut,) = [line for line in watching.lines if line.startswith("A download was cut: ")]
    assert ("took nothing for" if what == "nothing more is taken" else "spool_disk_mb") in cut


def test_a_reader_who_leaves(file: Path, watching: Watching) -> None:
    with heard(file) as server, reader(server.port, "/s/t.programjson", 3000):
        pass
    assert watching.seen == [] and not any("cut" in line for line in watching.lines)


def test_a_server_that_stops(file: Path, watching: Watching) -> None:
    with heard(file, send_timeout_seconds=600) as server, reader(server.port, "/s/t.programjson", 3000):
        wait_until(nothing_runs, "the reading to end")
        (task,) = server.server_state.tasks

        def ended() -> bool:  # once more, as Python's wait_for can miss one that comes as a piece was taken
            task.get_loop().call_soon_threadsafe(task.cancel)
            return task.done()

        wait_until(ended, "the task to end")
    assert watching.seen == []
    assert any("ASGI application" in line for line in watching.lines), watching.lines  # the server was told


def test_a_kept_file_that_became_shorter(file: Path, watching: Watching, tmp_path: Path) -> None:
    with heard(file, jobs_dir=str(tmp_path / "jobs")) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        connection.request("POST", "/s/t/-/program-export/job", headers={"content-length": "0"})
        job = json.loads(connection.getresponse().read())["links"]["self"]

        def done() -> bool:
            connection.request("GET", job)
            return json.loads(connection.getresponse().read())["state"] == "done"

        wait_until(done, "the job to be done")
        (kept,) = (tmp_path / "jobs").glob("*.result")
        find = sending.Client.take

        async def taking(self: Any, send: Any, message: Any) -> None:
            if message["type"] == "http.response.start":
                with kept.open("r+b") as shorter:
                    shorter.truncate(1_000_000)
            await find(self, send, message)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sending.Client, "take", taking)
            broken(server.port, f"{job.removesuffix('.json')}/result")
    assert watching.seen == []
    assert [line for line in watching.lines if "shorter than it was" in line]


VIEWS = {
    "a download": ("exporter", "/s/t.programjson"),
    "a plan": ("plan", "/s/t/-/program-export.json"),
    "a page": ("plan", "/s/t/-/program-export"),
    "rows to pick from": ("pick", "/s/t/-/program-export?_export_cascade=0"),
    "a check": ("verify", "/-/program-export/verify.json"),
}


@pytest.mark.parametrize("view", VIEWS)
async def test_an_error_that_nobody_foresaw_is_answered_without_values(
    file: Path, watching: Watching, monkeypatch: pytest.MonkeyPatch, view: str
) -> None:
    where, path = VIEWS[view]

    def failing(*args: Any, **_: Any) -> Any:
        row = (1, CANARY)
        raise ValueError(row)

    holder = {"exporter": exporter, "verify": verification, "plan": asked_for}.get(where, export_pages)
    monkeypatch.setattr(holder, "annotate" if where == "exporter" else where, failing)
    ds = make_datasette(file)
    if where == "verify":
        content = b"".join(export(file, Request(table="t", limit=1)))
        answer = await ds.client.post(path, files={"file": ("a.json", content)})
    else:
        answer = await ds.client.get(path)
    assert answer.status_code == 500 and "It failed (ValueError)" in answer.text and CANARY not in answer.text
    assert watching.seen == [] and any(line.startswith("ValueError; ") for line in watching.lines)


@pytest.fixture
def everything_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    for name in ("exporting", "importing", "verifying"):
        caplog.set_level(logging.DEBUG, f"datasette_program_export.{name}")


def test_python_programs_log_no_values(
    file: Path, watching: Watching, everything_is_logged: None, tmp_path: Path
) -> None:
    made, copy = tmp_path / "t.json", tmp_path / "copy.db"
    made.write_bytes(b"".join(export(file, Request(table="t", limit=20))))
    with pytest.raises(RequestError):
        b"".join(export(file, Request(table="breaks", format="csv")))
    where = Request(table="t", where=("x = :x",), params={"x": CANARY})
    assert b"".join(export(file, where)) and verify(made).complete and load(copy, made).ok
    ExportService(file).export_table("t", filters={"x": CANARY})
    bad = [{"id": CANARY, "x": CANARY}, {"id": 5, "x": CANARY}]
    assert not ImportService(copy).import_table("t", bad).success
    ImportService(copy).import_table("t", bad, {"continue_on_error": True})
    with pytest.raises(ValueError):
        ImportService(copy).import_table("t", [{"id": float("nan"), "x": CANARY}])
    assert len(watching.lines) > 12 and watching.seen == []
    assert not any("SELECT" in line or "INSERT INTO" in line or "x = :x" in line for line in watching.lines)


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
async def test_the_cause_of_an_error_reaches_no_visitor_and_no_log(
    watching: Watching, everything_is_logged: None, accept: str, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.db"
    whole = sqlite3.connect(broken)
    whole.executescript("CREATE TABLE t (id INTEGER PRIMARY KEY, x)")
    whole.executemany("INSERT INTO t VALUES (?, ?)", ((i, CANARY * 50) for i in range(500)))
    whole.commit()
    whole.close()
    pages = bytearray(broken.read_bytes())
    pages[4096 * 5 :] = b"\xff" * len(pages[4096 * 5 :])
    broken.write_bytes(pages)
    answer = await make_datasette(broken).client.get("/broken/t.programjson", headers={"accept": accept})
    assert answer.status_code == 422 and "cannot be read: database disk image is malformed" in answer.text
    for told in (answer.text, *watching.lines):
        assert "sqlite3." not in told and "Traceback" not in told and "DatabaseError:" not in told
    assert watching.seen == []


async def test_a_site_logs_no_line_for_each_export_unless_it_is_told_to(file: Path, watching: Watching) -> None:
    loggers = [
        logging.getLogger(f"datasette_program_export.{name}") for name in ("exporting", "importing", "verifying")
    ]
    before = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.NOTSET)
        loggers[1].setLevel(logging.INFO)
        ds = make_datasette(file)
        assert (await ds.client.get("/s/t.programjson?_size=1")).status_code == 200
        assert [logger.level for logger in loggers] == [logging.ERROR, logging.INFO, logging.ERROR]
        assert watching.lines == []
    finally:
        for logger, level in zip(loggers, before):
            logger.setLevel(level)
