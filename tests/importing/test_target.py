"""The database that takes an import: handed in, in memory, locked; all or nothing, and nothing else is changed."""

from __future__ import annotations

import inspect
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from datasette_program_export import RefusedError, load
from datasette_program_export.errors import BusyError, SourceError
from tests.support.databases.house import HOUSE, exported, made
from tests.support.files.changing import digests, state
from tests.support.sites.server import make_datasette


def test_a_connection_can_be_handed_in_and_gets_back_as_it_was(house: Path, tmp_path: Path) -> None:
    """As a server's write connection: its settings, its row factory, its own functions."""
    file = exported(house)
    with closing(sqlite3.connect(made(tmp_path / "t.db", *HOUSE[:5]))) as connection:
        connection.row_factory = sqlite3.Row
        connection.text_factory = lambda data: data.decode("utf-8", "replace")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA recursive_triggers=ON")
        before = (connection.row_factory, connection.text_factory)
        report = load(connection, file, backup=False)
        assert report.ok and not connection.in_transaction
        assert (connection.row_factory, connection.text_factory) == before
        pragmas = ("foreign_keys", "recursive_triggers", "trusted_schema", "automatic_index")
        assert [connection.execute(f"PRAGMA {p}").fetchone()[0] for p in pragmas] == [1, 1, 1, 1]
        assert [tuple(row)[1] for row in connection.execute("PRAGMA database_list")] == ["main", "temp"]
        assert connection.execute("SELECT count(*) FROM temp.sqlite_master").fetchone()[0] == 0
        assert tuple(connection.execute("SELECT count(*) FROM w").fetchone()) == (3,)
        connection.execute("BEGIN")
        with pytest.raises(SourceError, match="inside a transaction"):
            load(connection, file)


def test_a_database_in_memory(house: Path) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        load(connection, exported(house))
        assert connection.execute("SELECT count(*) FROM w").fetchone() == (3,)
        connection.execute("DELETE FROM w")
        connection.commit()
        assert load(connection, exported(house)).tables["w"].insert == 3


@pytest.mark.parametrize("journal", ["delete", "wal"])
def test_a_failing_import_and_a_preview_leave_every_byte(house: Path, tmp_path: Path, journal: str) -> None:
    """The file is the same, byte by byte; so is the -wal of a database that somebody has open."""
    target = made(tmp_path / "t.db", *HOUSE, journal=journal)
    file = exported(house)
    with closing(sqlite3.connect(target)) as other:
        other.execute("UPDATE a SET size = 9")
        other.commit()
        before = digests(target)
        assert load(target, file, preview=True).status == "refused"
        with pytest.raises(RefusedError):
            load(target, file)
        load(target, file, on_conflict="update", preview=True)
        assert digests(target) == before
    assert not list(tmp_path.rglob("*before-import*"))


def test_a_database_that_is_being_written_to_is_waited_for_then_refused(
    house: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("datasette_program_export.importing.target._WAIT", 0.05)
    file = exported(house)
    with closing(sqlite3.connect(house, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(BusyError, match="locked"):
            load(house, file)


async def test_datasette_s_write_connection_can_be_handed_in(house: Path, tmp_path: Path) -> None:
    """Its other readers go on reading, and see all of it or nothing. An import makes its own transaction."""
    target = made(tmp_path / "t.db", *(s for s in HOUSE if not s.startswith("INSERT")))
    file = exported(house)
    datasette = make_datasette(target)
    db = datasette.get_database("t")
    before = (await db.execute("SELECT count(*) FROM w")).single_value()
    own = {"transaction": False} if "transaction" in inspect.signature(db.execute_write_fn).parameters else {}
    report = await db.execute_write_fn(lambda connection: load(connection, file), **own)
    assert report.ok and report.safety_copy is not None
    assert (before, (await db.execute("SELECT count(*) FROM w")).single_value()) == (0, 3)
    foretold = await db.execute_write_fn(lambda connection: load(connection, file, preview=True), **own)
    assert foretold.total("unchanged") == 5
    await db.execute_write("INSERT INTO log VALUES ('after')")  # the connection is as usable as before
    assert state(Path(report.safety_copy)) != state(target)


@pytest.mark.parametrize("policy", ["update", "replace", "skip"])
@pytest.mark.parametrize("key", ["id INTEGER PRIMARY KEY", "id TEXT PRIMARY KEY", "id TEXT COLLATE NOCASE PRIMARY KEY"])
def test_twice_as_many_rows_are_twice_as_much_work(tmp_path: Path, key: str, policy: str) -> None:
    """Told by what SQLite counts, for rows that are changed, inserted, and left as they are."""
    took = []
    for rows_there in (500, 1000):
        steps = 0

        def step() -> None:
            nonlocal steps
            steps += 1

        values = f"WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < {rows_there}) "
        table, insert = f"CREATE TABLE t ({key}, k UNIQUE, name)", f"INSERT INTO t {values} SELECT x"
        source = made(tmp_path / f"s{rows_there}.db", table, f"{insert}, x, CASE x % 3 WHEN 1 THEN 'new' END FROM c")
        target = made(tmp_path / f"t{rows_there}.db", table, f"{insert}, x, NULL FROM c WHERE x % 3")
        with closing(sqlite3.connect(target)) as connection:
            connection.set_progress_handler(step, 100)
            report = load(connection, exported(source), on_conflict=policy, backup=False)
        assert report.ok and report.total("insert") and report.total("unchanged")
        took.append(steps)
    assert took[0] > 50 and took[1] < 3 * took[0], took
