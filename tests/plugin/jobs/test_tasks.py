"""Background tasks, exports and imports alike: followed, stopped, interrupted, closed."""

from __future__ import annotations

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

from datasette_program_export.errors import BusyError, ConflictError, SpoolFullError
from datasette_program_export.plugin.server import site as job_site
from datasette_program_export.plugin.server import task_store, tasks
from tests.support.sites.jobs import ask, imports_in, keeping
from tests.support.sites.permissions import house
from tests.support.sites.server import wait_until
from tests.support.sites.tasks import Hold, Reading, Server

KINDS = ("export", "import")
GOOD = {"export": "done", "import": "previewed"}


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
