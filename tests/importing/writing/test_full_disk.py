"""A write that the system refuses in the midst of an import: the database is as before, and can be read."""

from __future__ import annotations

import inspect
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from datasette_program_export import load
from datasette_program_export.errors import SourceError, SpoolFullError
from tests.support.databases.building import database
from tests.support.databases.house import exported, made
from tests.support.files.changing import state
from tests.support.sites.server import make_datasette

resource = pytest.importorskip("resource", reason="the system has no limit for the size of files")
OLD, CHANGED, NEW = 3000, 300, 6000


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """With a rollback journal; the import changes a few rows and inserts so many that the file must grow."""
    path = tmp_path / "target.db"
    with closing(database(path, "CREATE TABLE t (id INTEGER PRIMARY KEY, name)", journal="delete")) as made:
        made.execute("BEGIN")
        made.executemany("INSERT INTO t VALUES (?, ?)", [(n, "old" * 30) for n in range(OLD)])
        made.execute("COMMIT")
    lines = "".join(f"{n},{'new' * 30}\n" for n in (*range(CHANGED), *range(OLD, OLD + NEW)))
    (tmp_path / "t.csv").write_text(f"id,name\n{lines}")
    return path


@contextmanager
def growing_no_more(path: Path) -> Iterator[Any]:
    """Yield a function after which no file can grow beyond the present size of this one, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def stop(_: Any) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size, before[1]))

    try:
        yield stop
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def fail(connection: Any, target: Path) -> None:
    connection.execute("PRAGMA cache_size=10")  # so that changes are written before they are committed
    choices: dict[str, Any] = {"table": "t", "on_conflict": "update", "backup": False}
    with growing_no_more(target) as stop, pytest.raises(SourceError, match="disk"):
        load(connection, target.with_name("t.csv"), inspect_staged=stop, **choices)


def test_a_reader_can_open_it_after_a_write_has_failed(target: Path) -> None:
    before = state(target)
    with closing(sqlite3.connect(target, isolation_level=None)) as writer:
        fail(writer, target)
        assert not writer.in_transaction
        with closing(sqlite3.connect(f"{target.as_uri()}?mode=ro", uri=True)) as reader:
            assert reader.execute("SELECT count(*), max(name) FROM t").fetchall() == [(OLD, "old" * 30)]
    assert state(target) == before


async def test_datasette_goes_on_reading_after_a_write_has_failed(target: Path) -> None:
    ds = make_datasette(target)
    db = ds.get_database("target")
    count = "SELECT count(*) FROM t"
    assert (await db.execute(count)).single_value() == OLD
    own = {"transaction": False} if "transaction" in inspect.signature(db.execute_write_fn).parameters else {}
    await db.execute_write_fn(lambda connection: fail(connection, target), **own)
    assert (await db.execute(count)).single_value() == OLD
    assert (await ds.client.get("/target/t.json?_size=1")).status_code == 200
    await db.execute_write("INSERT INTO t VALUES (-1, 'after')")
    assert (await db.execute(count)).single_value() == OLD + 1


@pytest.mark.parametrize(("rule", "policy"), [("", "fail"), ("", "update"), ("UNIQUE", "fail")])
def test_a_disk_that_is_full_is_told_as_the_reason(tmp_path: Path, rule: str, policy: str) -> None:
    """At some statements SQLite rolls back all of the transaction then, savepoints and all."""
    many = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 1000) INSERT INTO t SELECT n, "
    tables = f"CREATE TABLE t (id INTEGER PRIMARY KEY, x TEXT {rule})"
    file = exported(made(tmp_path / "s.db", tables, f"{many} hex(n) || 'a long text, so that it fills pages' FROM c"))
    target = made(tmp_path / "t.db", tables, *([f"{many} 'old ' || n FROM c"] if policy == "update" else []))
    with closing(sqlite3.connect(target)) as connection:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        before = connection.execute("SELECT * FROM t").fetchall()
        connection.execute(f"PRAGMA max_page_count={pages + 3}")
        with pytest.raises(SpoolFullError, match="cannot take the import: database or disk is full"):
            load(connection, file, on_conflict=policy, backup=False)
        assert connection.execute("SELECT * FROM t").fetchall() == before
        assert not connection.in_transaction
