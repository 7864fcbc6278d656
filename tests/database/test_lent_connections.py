"""A connection that a program lends: its transactions, its thread; and what goes to another process."""

from __future__ import annotations

import copy
import pickle
import sqlite3
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from datasette_program_export import ExportService, ImportService, Request, Source, export, load, plan
from datasette_program_export.database import opening
from datasette_program_export.errors import SourceError, UnsupportedError

OWN = "inside a transaction of your own"


@pytest.fixture(params=["file", "memory"])
def connection(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sqlite3.Connection]:
    place = tmp_path / "t.db" if request.param == "file" else ":memory:"
    with closing(sqlite3.connect(place)) as made:
        made.executescript("CREATE TABLE t (id INTEGER PRIMARY KEY, x); INSERT INTO t VALUES (1, 'a');")
        yield made


def doors(connection: Any) -> dict[str, Any]:
    exports, imports = ExportService(connection), ImportService(connection)
    return {
        "ExportService": lambda: exports.export_table("t")["record_count"],
        "ImportService": lambda: imports.validate([{"id": 2}], {"table": "t"}).valid,
        "export": lambda: b"".join(export(connection, Request())),
        "plan": lambda: plan(connection, Request()).rows,
    }


def test_a_transaction_that_began_after_the_service_was_made_is_called_ones_own(connection: sqlite3.Connection) -> None:
    made = doors(connection)
    assert all(call() for call in made.values())
    connection.execute("INSERT INTO t VALUES (2, 'b')")
    for name, call in made.items():
        with pytest.raises(SourceError, match=OWN) as caught:
            call()
        assert "another program" not in str(caught.value), name
    connection.commit()
    assert made["ExportService"]() == 2


def test_an_export_that_was_made_before_the_transaction(connection: sqlite3.Connection) -> None:
    made = export(connection, Request())
    connection.execute("INSERT INTO t VALUES (2, 'b')")
    with pytest.raises(SourceError, match=OWN):
        list(made)


class AlwaysInTransaction(sqlite3.Connection):
    """What ``sqlite3.connect(…, autocommit=False)`` is in Python 3.12 and later."""

    autocommit = False
    in_transaction = True  # type: ignore[assignment]


def connected(place: Path | str) -> sqlite3.Connection:
    if sys.version_info >= (3, 12):
        return sqlite3.connect(place, autocommit=False)
    return sqlite3.connect(place, factory=AlwaysInTransaction, isolation_level=None)


def test_a_connection_that_is_always_in_a_transaction_stands_for_its_file(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    with closing(connected(path)) as always:
        always.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, x)")
        always.execute("INSERT INTO t VALUES (1, 'a')")
        always.commit() if sys.version_info >= (3, 12) else None
        assert ExportService(always).export_table("t")["record_count"] == 1
        assert ImportService(always).import_table("t", [{"id": 2}]).inserted_records == 1
        assert plan(always, Request()).rows == 2
        document = tmp_path / "t.json"
        document.write_bytes(b"".join(export(always, Request())))
        assert load(always, document, preview=True).tables["t"].unchanged == 2


def test_a_database_in_memory_whose_own_transaction_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    from datasette_program_export.database.connections import backup

    monkeypatch.setattr(backup, "LOCK_SECONDS", 0.2)
    with closing(connected(":memory:")) as always:
        always.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, x)")
        always.commit() if sys.version_info >= (3, 12) else None
        service = ExportService(always)
        assert service.export_table("t")["record_count"] == 0
        if sys.version_info < (3, 12):
            always.execute("BEGIN IMMEDIATE")
        always.execute("INSERT INTO t VALUES (1, 'a')")
        with pytest.raises(SourceError, match=OWN):
            service.export_table("t")


def in_another_thread(call: Any) -> Any:
    found: list[Any] = []

    def run() -> None:
        try:
            found.append(call())
        except Exception as error:
            found.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return found[0]


def test_a_connection_that_another_thread_may_not_use() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE t (id)")
        for call in (*doors(connection).values(), lambda: Source.of(connection)):
            error = in_another_thread(call)
            assert isinstance(error, SourceError) and "only in the thread that made it" in str(error), error
            assert "check_same_thread=False" in str(error)
    with closing(sqlite3.connect(":memory:", check_same_thread=False)) as connection:
        connection.execute("CREATE TABLE t (id)")
        assert in_another_thread(doors(connection)["plan"]) == 0


def test_a_connection_that_is_closed(connection: sqlite3.Connection) -> None:
    service = ExportService(connection)
    connection.close()
    with pytest.raises(SourceError, match="it is closed"):
        Source.of(connection)
    if service.source.memory is None:
        assert service.export_table("t")["record_count"] == 1  # from its file
        return
    with pytest.raises(SourceError, match="it is closed"):
        service.export_table("t")


@pytest.mark.parametrize("again", [copy.deepcopy, copy.copy, lambda thing: pickle.loads(pickle.dumps(thing))])
def test_at_a_path_everything_can_be_copied_and_pickled(demo: Path, again: Any) -> None:
    assert again(Source.of(demo)) == Source.of(demo)
    assert again(Request(table="clients")) == Request(table="clients")
    assert again(ExportService(demo)).export_table("clients")["record_count"]
    assert again(ImportService(demo)).validate({"clients": []}).valid


def test_services_work_in_a_pool_of_processes(demo: Path) -> None:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        counted = pool.submit(ExportService(demo).export_table, "clients")
        checked = pool.submit(ImportService(demo).validate, {"clients": [{"id": "x"}]})
        assert counted.result()["record_count"] == ExportService(demo).export_table("clients")["record_count"]
        assert checked.result().valid


def test_over_a_connection_they_say_that_they_cannot(connection: sqlite3.Connection) -> None:
    for thing in (Source.of(connection), ExportService(connection), ImportService(connection)):
        for again in (copy.deepcopy, pickle.dumps):
            with pytest.raises(UnsupportedError, match="A connection cannot be copied, or sent to another process"):
                again(thing)


def test_what_is_locked_by_another_connection_is_called_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "LOCK_SECONDS", 0.2)
    with closing(sqlite3.connect(tmp_path / "t.db", isolation_level=None)) as other:
        other.executescript("CREATE TABLE t (id); BEGIN EXCLUSIVE;")
        with pytest.raises(Exception, match="locked by another connection, of this program or another"):
            b"".join(export(tmp_path / "t.db", Request()))
