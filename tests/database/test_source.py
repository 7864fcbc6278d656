"""In which ways a database may be given, and that each reads what is committed and leaves the giver as it was."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from datasette_program_export import ExportService, Request, Source, export, load
from datasette_program_export.errors import NotFoundError, RequestError, SourceError

sqlalchemy = pytest.importorskip("sqlalchemy")
orm = pytest.importorskip("sqlalchemy.orm")
sqlite_utils = pytest.importorskip("sqlite_utils")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "a b%.db"
    with closing(sqlite3.connect(file)) as made, made:
        made.execute("CREATE TABLE t (id INTEGER PRIMARY KEY)")
        made.execute("INSERT INTO t VALUES (1), (2)")
    return file


@pytest.fixture
def engine(path: Path) -> Iterator[Any]:
    made = sqlalchemy.create_engine("sqlite://", creator=lambda: sqlite3.connect(path), poolclass=sqlalchemy.QueuePool)
    yield made
    made.dispose()


@pytest.fixture
def memory() -> Iterator[Any]:
    """An engine whose one connection holds a database in memory, as applications' tests use it."""
    made = sqlalchemy.create_engine("sqlite://", poolclass=sqlalchemy.StaticPool)
    with made.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE t (id INTEGER PRIMARY KEY)")
        connection.exec_driver_sql("INSERT INTO t VALUES (1), (2)")
    yield made
    made.dispose()


def rows(database: Any) -> int:
    return len(ExportService(database).export_table("t")["records"])


@pytest.mark.parametrize("given", ["str", "bytes", "Path", "address", "relative address", "Database", "Table"])
def test_a_file_is_given_by_its_path_or_by_what_has_it_open(
    path: Path, given: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(path.parent)
    with closing(sqlite3.connect(path)) as connection:
        opened = sqlite_utils.Database(connection)
        database = {
            "str": str(path),
            "bytes": os.fsencode(path),
            "Path": path,
            "address": f"{path.as_uri()}?mode=ro&cache=private",
            "relative address": "file:a%20b%25.db#part",
            "Database": opened,
            "Table": opened["t"],
        }[given]
        assert rows(database) == 2
        assert Source.of(database).path.resolve() == path.resolve()


def test_an_address_says_that_nobody_writes_and_that_there_are_no_locks(path: Path) -> None:
    assert not Source.of(path.as_uri()).immutable
    found = Source.of(f"{path.as_uri()}?immutable=1&nolock=yes")
    assert (found.immutable, found.nolock) == (True, True)
    assert Source.of(path.as_uri().replace("file://", "file://localhost")).path == path


@pytest.mark.parametrize(
    "database, error, told",
    [
        ("no.db", NotFoundError, "There is no database file no.db."),
        ("", NotFoundError, "given as its connection"),
        (":memory:", NotFoundError, "given as its connection"),
        ("file:no.db?mode=ro", NotFoundError, "There is no database file no.db."),
        ("file::memory:", NotFoundError, "given as its connection"),
        ("file:x?mode=memory&cache=shared", RequestError, "given as its connection"),
        ("file:x?vfs=unix-none", RequestError, "not vfs"),
        ("file://elsewhere/x.db", RequestError, "another computer"),
        ("a\0b", NotFoundError, "There is no database file"),
        (None, TypeError, "a SQLAlchemy Session, Engine or Connection is needed, not a NoneType"),
        (3, TypeError, "a file: address"),
        ({}, TypeError, "not a dict"),
    ],
)
def test_what_is_no_database_is_told_what_is_wanted(database: Any, error: type[Exception], told: str) -> None:
    with pytest.raises(error) as caught:
        Source.of(database)
    assert told in str(caught.value)


def test_what_sqlalchemy_has_open_is_read(engine: Any, memory: Any) -> None:
    for bind in (engine, memory):
        assert rows(bind) == 2
        with bind.connect() as connection:
            assert rows(connection) == 2
            with orm.Session(connection) as session:
                assert rows(session) == 2
        with orm.Session(bind) as session:
            assert rows(session) == 2 and not session.in_transaction()
            session.execute(sqlalchemy.text("SELECT 1"))
            assert rows(session) == 2 and session.in_transaction()
        assert rows(orm.scoped_session(orm.sessionmaker(bind))) == 2


def test_an_engine_gets_its_connections_back(engine: Any) -> None:
    """And its own library of SQLite reads the file, as no other may in this process."""
    for _ in range(3):
        assert Source.of(engine).library is sqlite3
    assert engine.pool.checkedout() == 0 and engine.pool.checkedin() == 1


def test_a_database_in_memory_lives_as_long_as_its_service() -> None:
    def service() -> ExportService:
        made = sqlalchemy.create_engine("sqlite://")
        with made.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE t (id)")
        return ExportService(made)

    assert service().export_table("t")["record_count"] == 0


def test_what_is_not_committed_is_neither_missed_nor_rolled_back(engine: Any, memory: Any) -> None:
    for bind in (engine, memory):
        with bind.connect() as connection:
            connection.exec_driver_sql("INSERT INTO t VALUES (3)")
            for database in [connection, orm.Session(connection)] + ([memory] if bind is memory else []):
                with pytest.raises(SourceError, match="Commit or roll back"):
                    Source.of(database)
            connection.commit()
        assert rows(bind) == 3


def test_changes_that_a_session_has_not_written_yet_are_an_error(engine: Any) -> None:
    base = orm.declarative_base()
    model = type("T", (base,), {"__tablename__": "t", "id": sqlalchemy.Column(sqlalchemy.Integer, primary_key=True)})
    with orm.Session(engine) as session:
        session.add(model(id=7))
        with pytest.raises(SourceError, match="This Session holds changes"):
            ExportService(session)
        session.commit()
        assert rows(session) == 3
        session.get(model, 7).id = 8
        with pytest.raises(SourceError, match="This Session holds changes"):
            ExportService(session)
        session.rollback()
        session.delete(session.get(model, 7))
        with pytest.raises(SourceError, match="This Session holds changes"):
            ExportService(session)


@pytest.mark.parametrize(
    "name, is_async, told", [("postgresql", False, "not one of postgresql"), ("sqlite", True, "give the path")]
)
def test_an_engine_of_another_kind_is_told_what_is_wanted(name: str, is_async: bool, told: str) -> None:
    class Dialect:
        pass

    class Engine:
        dialect = Dialect()

    Engine.dialect.name, Engine.dialect.is_async = name, is_async  # type: ignore[attr-defined]
    with pytest.raises(TypeError, match=told):
        Source.of(Engine())


def test_what_can_be_read_can_be_imported_into(path: Path, memory: Any) -> None:
    document = path.with_name("t.json")
    document.write_bytes(b"".join(export(path, Request())))
    with orm.Session(memory) as session:
        for database in (session, sqlite_utils.Database(sqlite3.connect(path))["t"], os.fsencode(path), f"file:{path}"):
            assert load(database, document).tables["t"].unchanged
    with pytest.raises(RequestError, match="only read"):
        load(f"file:{path}?immutable=1", document)
