"""Background tasks, exports and imports alike: followed, stopped, interrupted, closed; and the file that lists them."""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Event
from time import time
from typing import Any

import pytest

from datasette_program_export.errors import BusyError, CancelledError, ConflictError, SpoolFullError
from datasette_program_export.exporting.exporter import Progress
from datasette_program_export.options.settings import Settings
from datasette_program_export.plugin.server import site as job_site
from datasette_program_export.plugin.server import task_file, task_store, tasks
from datasette_program_export.plugin.server.import_runner import Import, ImportWork
from datasette_program_export.plugin.server.job_runner import Job
from datasette_program_export.plugin.server.site import BackgroundTasks
from datasette_program_export.plugin.server.task_file import TaskFile
from datasette_program_export.plugin.server.task_store import TaskStore
from tests.support.sites.jobs import ask, done, imports_in, jobs_in, keeping
from tests.support.sites.permissions import house
from tests.support.sites.server import wait_until

KINDS = ("export", "import")
GOOD = {"export": "done", "import": "previewed"}


class Hold:
    """Something long that a task does: it has come to row 5, and goes on when it is let go."""

    filename, media_type = "x.json", "application/json"

    def __init__(self, deaf: bool = False) -> None:
        self.reached, self.go, self.stopped, self.deaf = Event(), Event(), Event(), deaf
        self.progress = Progress()

    def __iter__(self) -> Iterator[bytes]:
        self.progress.rows = 5
        yield b"first"
        self.reached.set()
        while not self.go.wait(0.01):
            if self.stopped.is_set() and not self.deaf:
                raise CancelledError("It was cancelled.")
        yield b"last"

    def cancel(self) -> None:
        self.stopped.set()

    def close(self) -> None:
        pass


class Reading(ImportWork):
    """An import that holds on like that."""

    active_state = "looking"

    def __init__(self, one: Import, place: Path, hold: Hold) -> None:
        super().__init__(one, place)
        self.hold = hold

    def run(self) -> dict[str, Any]:
        for _ in self.hold:
            self.rows = 5
        return {"state": "previewed", "report": {"tables": {}}}

    def stop(self) -> None:
        super().stop()
        self.hold.cancel()


class Server:
    """One server that runs tasks of one kind, in a folder that others may share."""

    def __init__(self, kind: str, folder: Path, **settings: Any) -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        self.kind = kind
        self.background = BackgroundTasks(folder, Settings(**settings))
        self.tasks: Any = self.background.jobs if kind == "export" else self.background.imports

    def begin(self, hold: Hold, id_: str = "a") -> None:
        facts: dict[str, Any] = {"id": id_, "owner": "anna", "instance": self.tasks.instance.name, "database": "x"}
        facts |= {"rules": "", "created": time()}
        if self.kind == "export":
            job = Job(**facts, state="queued", title="", asked={}, request={}, visible=None)
            self.tasks.add(job, hold, lambda: None)
        else:
            self.tasks.place(id_).mkdir(parents=True, exist_ok=True)
            one = Import(**facts, state="looking", actor="anna", file="", stored="")
            self.tasks.begin(one, Reading(one, self.tasks.place(id_), hold))

    def begun(self, hold: Hold, id_: str = "a") -> Hold:
        self.begin(hold, id_)
        assert hold.reached.wait(10)
        return hold

    def state(self, id_: str = "a") -> str:
        return self.tasks.get(id_).state

    def cancel(self, id_: str = "a") -> None:
        self.tasks.cancel(id_ if self.kind == "export" else self.tasks.get(id_))

    def files(self, id_: str = "a") -> bool:
        return self.tasks.result(id_).exists() if self.kind == "export" else self.tasks.place(id_).exists()

    def threads(self) -> list[threading.Thread]:
        return [t for t in threading.enumerate() if t.name == self.tasks.thread_name]


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def server(kind: str, tmp_path: Path) -> Iterator[Server]:
    made = Server(kind, tmp_path / "jobs")
    yield made
    made.background.close()


@pytest.fixture
def other(kind: str, tmp_path: Path, server: Server) -> Iterator[Server]:
    """Another server of the same site."""
    made = Server(kind, tmp_path / "jobs")
    yield made
    made.background.close()


def test_progress_is_told_to_the_moment_and_noted_for_others(server: Server, other: Server) -> None:
    hold = server.begun(Hold())
    assert server.tasks.get("a").rows == 5
    wait_until(lambda: other.tasks.get("a").rows == 5, "the note of it")
    assert other.tasks.get("a").active
    hold.go.set()
    wait_until(lambda: not other.tasks.get("a").active, "the end")
    found = other.tasks.get("a")
    assert (found.state, found.rows, found.error) == (GOOD[server.kind], 5, None) and found.ended is not None
    assert [task.id for task in server.tasks.of("anna")] == ["a"] and server.tasks.of(None) == []


@pytest.mark.parametrize("through", ["this server", "another"])
def test_a_cancelled_task_stops(server: Server, other: Server, through: str) -> None:
    server.begun(Hold())  # which would never end by itself
    (server if through == "this server" else other).cancel()
    wait_until(lambda: not server.threads(), "the thread to end")
    assert server.state() == other.state() == "cancelled"
    assert server.files() == (server.kind == "import")  # where it is the uploaded file


def test_cancelling_comes_too_late_for_what_an_import_has_kept_and_never_for_an_export(server: Server) -> None:
    hold = server.begun(Hold(deaf=True))
    server.cancel()
    hold.go.set()
    wait_until(lambda: not server.threads(), "the thread to end")
    assert server.state() == {"export": "cancelled", "import": "previewed"}[server.kind]
    assert server.files() == (server.kind == "import")


def test_a_task_of_a_stopped_server_is_interrupted_and_never_ends_otherwise(server: Server, other: Server) -> None:
    hold = other.begun(Hold())
    assert server.state() == other.state() != "interrupted"
    other.background.instance.close()  # what the system does for a server that was killed
    assert server.state() == "interrupted"
    hold.go.set()
    wait_until(lambda: not other.threads(), "the thread to end")
    assert server.state() == "interrupted"


def test_what_ended_meanwhile_is_not_called_interrupted(server: Server) -> None:
    hold = server.begun(Hold())
    hold.go.set()
    wait_until(lambda: not server.tasks.get("a").active, "the end")
    server.tasks._interrupt([])
    assert server.state() == GOOD[server.kind]


def test_who_sees_that_it_has_ended_can_begin_the_next_at_once(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    end, seen = server.tasks.store.end, []
    hold = server.begun(Hold())

    def watched(*words: Any, **facts: Any) -> bool:
        seen.append(server.tasks._lock.locked())
        return end(*words, **facts)

    monkeypatch.setattr(server.tasks.store, "end", watched)
    hold.go.set()
    wait_until(lambda: not server.threads(), "the thread to end")
    assert seen == [True]


def test_a_task_that_is_active_does_not_begin_again(server: Server, other: Server) -> None:
    server.begun(Hold())
    for one in (server, other):
        with pytest.raises(BusyError if server.kind == "export" else ConflictError):
            one.begin(Hold())


def test_a_server_that_stops_interrupts_what_runs_and_takes_nothing_on(kind: str, tmp_path: Path) -> None:
    server = Server(kind, tmp_path / "jobs")
    server.begun(Hold())
    assert all(thread.daemon for thread in threading.enumerate() if thread.name.startswith("program-"))
    server.tasks.stop()
    with pytest.raises(BusyError, match="stopping"):
        server.begin(Hold(), "b")
    server.background.close()
    assert not server.threads() and list((tmp_path / "jobs").glob("*.lock")) == []
    after = Server(kind, tmp_path / "jobs")
    assert after.state() == "interrupted" and after.files() == (kind == "import")
    after.background.close()


def test_a_task_that_does_not_stop_in_time_is_interrupted_and_its_late_end_changes_nothing(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_site, "_SECONDS_TO_END", 0.05)
    server = Server(kind, tmp_path / "jobs")
    hold = server.begun(Hold(deaf=True))
    server.background.close()
    with closing(sqlite3.connect(tmp_path / "jobs" / "jobs.db")) as told:
        assert told.execute(f"SELECT state FROM {kind.replace('export', 'job')}s").fetchall() == [("interrupted",)]
    hold.go.set()
    wait_until(lambda: not server.threads(), "the thread to end")
    after = Server(kind, tmp_path / "jobs")
    assert after.state() == "interrupted" and after.files() == (kind == "import")
    after.background.close()


def test_no_thread_to_be_had_is_a_sentence(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    class NoThread(threading.Thread):
        def start(self) -> None:
            raise RuntimeError("can't start new thread")

    monkeypatch.setattr(tasks, "Thread", NoThread)
    server.begin(Hold())
    found = server.tasks.get("a")
    said = f"The server cannot take one more {server.kind} now. Try again."
    assert (found.state, found.error) == ("failed", said)
    assert server.kind == "export" or found.status == 429
    monkeypatch.undo()
    server.begun(Hold(), "b").go.set()
    wait_until(lambda: not server.tasks.get("b").active, "the next one's end")


def test_what_goes_wrong_is_told_without_values(server: Server) -> None:
    class Broken(Hold):
        def __iter__(self) -> Iterator[bytes]:
            raise ZeroDivisionError("a value")

    server.begin(Broken())
    wait_until(lambda: not server.tasks.get("a").active, "the end")
    found = server.tasks.get("a")
    assert found.state == "failed" and "(ZeroDivisionError)" in found.error and "a value" not in found.error


def test_a_list_that_cannot_be_written_for_a_while_keeps_nobody_from_being_heard(
    server: Server, other: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused, note = Event(), server.tasks.store.note

    def full(id_: str, **facts: Any) -> bool:
        if not refused.is_set():
            refused.set()
            raise SpoolFullError("The list of jobs cannot be kept (database or disk is full).")
        return note(id_, **facts)

    server.begun(Hold())
    monkeypatch.setattr(server.tasks.store, "note", full)
    assert refused.wait(10)
    other.cancel()
    wait_until(lambda: not server.threads(), "the thread to end")
    assert server.state() == "cancelled"


def test_an_end_that_cannot_be_noted_is_called_interrupted(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*words: Any, **facts: Any) -> bool:
        raise SpoolFullError("The list of jobs cannot be kept (database or disk is full).")

    hold = server.begun(Hold())
    with monkeypatch.context() as patched:
        patched.setattr(server.tasks.store, "end", full)
        hold.go.set()
        wait_until(lambda: not server.threads(), "the thread to end")
    assert server.state() == "interrupted" and server.files() == (server.kind == "import")


def test_what_was_kept_long_enough_is_forgotten_with_its_file(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.begun(Hold()).go.set()
    wait_until(lambda: not server.tasks.get("a").active, "the end")
    server.begun(Hold(), "b")
    now, kept = time(), server.tasks._seconds_kept
    monkeypatch.setattr(task_store, "time", lambda: now + kept - 60)
    server.tasks.tidy()
    assert server.files() and server.state() == GOOD[server.kind]
    monkeypatch.setattr(task_store, "time", lambda: now + 2 * kept + 60)
    if server.kind == "import":
        os.utime(server.tasks.place("a"), (now - kept, now - kept))
    assert server.tasks.get("a") is None and not server.files()
    assert server.tasks.get("b").active  # however long it takes


def test_a_folder_that_receives_a_file_stays_and_one_that_was_left_goes(tmp_path: Path) -> None:
    server = Server("import", tmp_path / "jobs")
    for id_ in ("new", "left"):
        server.tasks.make_place(id_).joinpath("upload").touch()
    long_ago = time() - server.tasks._seconds_kept - 1
    os.utime(server.tasks.place("left"), (long_ago, long_ago))
    server.background.tidy()
    assert server.files("new") and not server.files("left")
    server.background.close()


def test_a_file_that_is_worked_on_is_not_deleted_whatever_was_known_of_it_before(tmp_path: Path) -> None:
    server = Server("import", tmp_path / "jobs")
    server.begun(Hold()).go.set()
    wait_until(lambda: not server.tasks.get("a").active, "the end")
    before = server.tasks.get("a")
    server.tasks.begin(before, Reading(before, server.tasks.place("a"), Hold()))
    with pytest.raises(ConflictError):
        server.tasks.delete(before)
    assert server.files() and server.state() == "looking"
    server.background.close()


async def test_a_visit_to_the_exports_removes_imports_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with keeping(tmp_path / "jobs", house(tmp_path)) as ds:
        await ask(ds, "get", "/-/program-export/jobs.json")
        imports = imports_in(ds)
        left = imports.make_place("left")
        os.utime(left, (0, 0))
        monkeypatch.setattr(job_site, "_SECONDS_UNTIDY", -1)
        await ask(ds, "get", "/-/program-export/jobs/none.json")
        assert not left.exists()


def test_a_table_of_an_older_version_gets_what_it_lacks(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "jobs.db")) as old:
        old.execute("CREATE TABLE imports (id PRIMARY KEY, owner)")
    file = TaskFile(tmp_path)
    one = Import(
        id="a", owner=None, instance="x", state="looking", database="x", rules="", created=1.5, actor=None, file="f",
        stored="s", choices={"table": "t"},
    )  # fmt: skip
    assert TaskStore(file, Import).put(one) and TaskStore(file, Import).get("a") == one
    file.close()


def damage(path: Path, how: str) -> None:
    if how == "no database":
        path.write_bytes(b"x" * 5000)
        return
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE jobs (id PRIMARY KEY, x)")
        connection.executemany("INSERT INTO jobs VALUES (?, ?)", ((str(i), "x" * 500) for i in range(100)))
        connection.commit()
    content = bytearray(path.read_bytes())
    content[8192:16384] = b"\xff" * 8192
    path.write_bytes(content)


@pytest.mark.parametrize("how", ["no database", "a page in the middle"])
async def test_a_damaged_list_is_set_aside_and_the_site_works(
    tmp_path: Path, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "jobs"
    folder.mkdir(mode=0o700)
    damage(folder / "jobs.db", how)
    before = (folder / "jobs.db").read_bytes()
    (folder / "jobs.db-wal").write_bytes(b"what was not in it yet")
    with caplog.at_level(logging.WARNING), keeping(folder, house(tmp_path)) as ds:
        await ds.invoke_startup()
        (line,) = [r.getMessage() for r in caplog.records if r.name.startswith("datasette_program_export")]
        (away,) = (p for p in folder.glob("jobs.db.damaged-*") if not p.name.endswith("-wal"))
        assert str(folder / "jobs.db") in line and away.name in line
        assert away.read_bytes() == before
        assert (await ask(ds, "get", "/house/-/program-export")).status_code == 200
        assert (await ask(ds, "get", "/house.programjson")).status_code == 200
        job = await done(ds, "/house/-/program-export/job")
        assert (await ask(ds, "get", job["links"]["result"])).status_code == 200
        caplog.clear()
    with keeping(folder, tmp_path / "house.db") as ds:  # the new list is a whole one
        assert (await ask(ds, "get", job["links"]["self"])).json()["state"] == "done" and caplog.records == []


FULL = {
    "the list": (task_file, "_connect", task_file.sqlite3.OperationalError("database or disk is full")),
    "the folder": (job_site, "Instance", OSError(28, "No space left on device")),
}


@pytest.mark.parametrize("where", FULL)
async def test_a_full_disk_keeps_no_site_from_starting(
    tmp_path: Path, where: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, name, error = FULL[where]

    def full(*words: Any) -> Any:
        raise error

    with caplog.at_level(logging.WARNING), keeping(tmp_path / "jobs", house(tmp_path)) as ds:
        with monkeypatch.context() as patched:
            patched.setattr(module, name, full)
            await ds.invoke_startup()
            assert str(tmp_path / "jobs") in caplog.text
            assert (await ask(ds, "get", "/house.programjson")).status_code == 200
            assert (await ask(ds, "get", "/house/-/program-export")).status_code == 200
            refused = await ask(ds, "post", "/house/-/program-export/job")
            assert refused.status_code == 507 and "jobs cannot be" in refused.json()["error"]
            assert list((tmp_path / "jobs").glob("*.lock")) == []
        await done(ds, "/house/-/program-export/job")
        assert jobs_in(ds).store.ids("done")
