"""What a statement may do; how a snapshot is held, copied and let go: rule by rule."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from datasette_program_export import Settings
from datasette_program_export.database import opening
from datasette_program_export.database.connections import backup
from datasette_program_export.database.guarding.authorizer import ForeignSqlGuard, OwnStatements
from datasette_program_export.database.snapshot import Snapshot, TimeExpired
from datasette_program_export.database.source import Source
from datasette_program_export.errors import (
    BusyError,
    CancelledError,
    DeniedError,
    RequestError,
    SnapshotLostError,
    SourceError,
    TooLargeError,
)
from datasette_program_export.exporting import exporter
from tests.support.databases.building import database, document, exported

ROWS = ("CREATE TABLE t (id INTEGER PRIMARY KEY, password TEXT)", "INSERT INTO t VALUES (1, 'x'), (2, 'y'), (3, 'z')")


@pytest.mark.parametrize("function", ["load_extension", "fts3_tokenizer"])
def test_functions_that_lead_out_of_sql_are_refused_to_everybody(function: str) -> None:
    """Also where a site loads extensions, and so leaves SQLite's own switch on."""
    for authorizer in (ForeignSqlGuard(), OwnStatements()):
        assert authorizer(sqlite3.SQLITE_FUNCTION, None, function, None, None) == sqlite3.SQLITE_DENY
        assert authorizer(sqlite3.SQLITE_FUNCTION, None, "upper", None, None) == sqlite3.SQLITE_OK


@pytest.mark.parametrize(
    "condition",
    [
        "id IN (SELECT id FROM temp.aside)",
        "id IN (SELECT id FROM aside)",
        "EXISTS (SELECT name FROM sqlite_temp_master)",
        "EXISTS (SELECT name FROM temp.sqlite_schema)",
    ],
)
def test_a_condition_reads_no_temp_table(tmp_path: Path, condition: str) -> None:
    """There lie the keys of rows that others may see."""
    database(tmp_path / "x.db", *ROWS).close()

    def prepare(connection: Any) -> None:
        connection.execute("CREATE TEMP TABLE aside AS SELECT 1 AS id")

    source = Source("x", tmp_path / "x.db", prepare=prepare)
    for cascade in (False, True):
        with pytest.raises(RequestError, match="The condition cannot be run"):
            exported(source, "t", where=[condition], cascade=cascade)
    assert len(document(source, "t", where=["id IN (SELECT 1)"])["tables"]["t"]) == 1


def test_what_one_statement_was_refused_for_is_not_said_of_the_next() -> None:
    guard = ForeignSqlGuard("The query", {"t": {"password"}}, hidden_tables=frozenset({"secret"}))
    with closing(Snapshot(Source.of(database(None, *ROWS, "CREATE TABLE secret (id)")))) as snapshot:
        with pytest.raises(DeniedError, match=r"reads t\.password"):
            snapshot.execute("SELECT password FROM t", (), guard)
        with pytest.raises(RequestError, match="it is not SQL, or") as caught:
            snapshot.execute("SELECT id FROM t WHERE WHERE", (), guard)
        assert "password" not in str(caught.value)
        with pytest.raises(RequestError, match="what you may not see"):
            snapshot.execute("SELECT id FROM secret", (), guard)
        with pytest.raises(RequestError, match="it is not SQL"):
            snapshot.execute("SELECT id FROM t WHERE WHERE", (), guard)


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO main.t VALUES (4, 'n')",
        "UPDATE main.t SET password = ''",
        "DELETE FROM main.t",
        "CREATE TABLE main.n (a)",
        "CREATE INDEX main.n ON t (password)",
        "CREATE TEMP TRIGGER n AFTER INSERT ON t BEGIN DELETE FROM t; END",
        "DROP TABLE main.t",
        "ALTER TABLE main.t ADD COLUMN n",
        "ATTACH ':memory:' AS other",
        "PRAGMA user_version = 3",
        "COMMIT",
    ],
)
def test_our_own_statements_write_nothing_but_temp_tables(sql: str) -> None:
    """On a private copy in memory, where SQLite itself would let them."""
    with closing(Snapshot(Source.of(database(None, *ROWS)))) as snapshot:
        with pytest.raises(SourceError):
            snapshot.execute(sql)
        snapshot.execute("CREATE TEMP TABLE mine (a)")
        snapshot.execute("INSERT INTO temp.mine SELECT id FROM main.t")
        assert snapshot.execute("SELECT count(*), max(password) FROM main.t").fetchone() == (3, "z")


@pytest.mark.parametrize(
    ("column", "automatic"),
    [
        ("a TEXT", 1),
        ("a TEXT COLLATE NOCASE", 1),
        ("a TEXT COLLATE binary", 1),
        ("a TEXT COLLATE RTRIM", 0),
        ('a TEXT COLLATE "rtrim"', 0),
        ("a TEXT collate\n[RTrim]", 0),
    ],
)
def test_sqlite_makes_no_index_for_itself_where_it_would_lose_matches(column: str, automatic: int) -> None:
    with closing(Snapshot(Source.of(database(None, f"CREATE TABLE t ({column})")))) as snapshot:
        snapshot.connection.set_authorizer(None)
        assert snapshot.connection.execute("PRAGMA automatic_index").fetchone() == (automatic,)


@pytest.mark.parametrize("seconds", [(0, 1000), (1000, 0)], ids=["a later one is not longer", "a later one is shorter"])
def test_of_two_times_set_the_earlier_holds(seconds: tuple[float, float]) -> None:
    with closing(Snapshot(Source.of(database(None, *ROWS)))) as snapshot:
        for each in seconds:
            snapshot.expire_after(each)
        with pytest.raises(TimeExpired):
            snapshot.execute("SELECT 1")


@pytest.mark.parametrize(
    ("meanwhile", "error"),
    [
        (lambda s: s.expire_after(0), TimeExpired),
        (lambda s: s.limit(0), TooLargeError),
        (lambda s: s._cancelled.set(), CancelledError),
        (lambda s: (s.connection.set_authorizer(None), s.connection.commit()), SnapshotLostError),
    ],
    ids=["expired", "over the limit", "cancelled", "another moment"],
)
def test_it_is_looked_at_before_every_fetch(meanwhile: Callable[[Snapshot], object], error: type[Exception]) -> None:
    """A few rows are fetched in fewer steps than SQLite takes between two looks."""
    with closing(Snapshot(Source.of(database(None, *ROWS)))) as snapshot:
        rows = snapshot.batches("SELECT id FROM main.t", repeatable=True, sizes=iter([1, 1, 1, 1]))
        assert next(rows) == [(1,)]
        meanwhile(snapshot)
        with pytest.raises(error):
            next(rows)


class Origin:
    """A connection whose copying meets these states, one after another."""

    def __init__(self, *states: int) -> None:
        self.states = states

    def backup(self, _: object, *, pages: int, progress: Callable[[int, int, int], None], sleep: float) -> None:
        for state in self.states:
            progress(state, 1, 1)


BUSY, LOCKED = 5, 6  # sqlite3 names them from Python 3.11 on


def test_a_copy_is_tried_again_while_the_database_is_locked_but_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    def copy(*states: int) -> None:
        backup.back_up(Origin(*states), None, lambda: None, pages=1, name="x")  # type: ignore[arg-type]

    copy(LOCKED, BUSY, 0)
    monkeypatch.setattr(backup, "LOCK_SECONDS", -1)
    copy(0, 0)
    for state in (LOCKED, BUSY):
        with pytest.raises(BusyError, match="The database x is locked"):
            copy(state)


def test_a_copy_that_is_not_wanted_any_more_is_not_made(tmp_path: Path) -> None:
    database(tmp_path / "x.db", *ROWS, journal="delete").close()
    spool = tmp_path / "spool"
    spool.mkdir()
    cancelled = Event()
    cancelled.set()
    with pytest.raises(CancelledError):
        opening.open_source(Source("x", tmp_path / "x.db", spool_dir=str(spool)), copy=True, cancelled=cancelled.is_set)
    with pytest.raises(CancelledError):
        opening.open_source(Source.of(database(None, *ROWS)), copy=False, cancelled=cancelled.is_set)
    assert list(spool.iterdir()) == []


@pytest.mark.parametrize(("most", "copies"), [(100, [False, True]), (1_000_000, [False])])
def test_a_large_export_of_a_rollback_database_reads_a_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int, copies: list[bool]
) -> None:
    opened = []

    class Watched(Snapshot):
        def __init__(self, source: Source, *, copy: bool = False, **more: Any) -> None:
            opened.append(copy)
            super().__init__(source, copy=copy, **more)

    monkeypatch.setattr(exporter, "HELD_BYTES", most)
    monkeypatch.setattr(exporter, "Snapshot", Watched)
    database(tmp_path / "x.db", *ROWS, journal="delete").close()
    assert len(document(tmp_path / "x.db", "t", settings=Settings(not_secrets={"t": ["password"]}))["tables"]["t"]) == 3
    assert opened == copies


def test_a_condition_that_changes_its_mind_gives_rows_of_one_run(tmp_path: Path) -> None:
    """The last text is no UTF-8. Run again from the start, the condition would choose other rows."""
    connection = database(tmp_path / "x.db", "CREATE TABLE t (id INTEGER PRIMARY KEY, x TEXT)")
    connection.executemany("INSERT INTO t VALUES (?, 'x')", ((i,) for i in range(1, 2001)))
    connection.execute("INSERT INTO t VALUES (2001, CAST(X'61ff62' AS TEXT))")
    connection.close()
    runs = []

    def chosen(number: int) -> bool:
        """Odd rows in the first run, even ones in the second; the last one always."""
        if number == 1:
            runs.append(1)
        return number == 2001 or number % 2 == len(runs) % 2

    source = Source("x", tmp_path / "x.db", prepare=lambda c: c.create_function("chosen", 1, chosen))
    for condition in ("chosen(id)", "abs(random()) % 2 = 0 OR id = 2001"):
        found = document(source, "t", where=[condition])
        numbers = [row["id"] for row in found["tables"]["t"]]
        assert numbers == sorted(set(numbers)) and numbers[-1] == 2001
        assert found["integrity"]["rows"] == len(numbers) > 900
        assert condition != "chosen(id)" or len({n % 2 for n in numbers[:-1]}) == 1
