"""One moment, whatever happens beside it; and a database that is left as it was found."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from datasette_program_export import Request, Settings, Source, export
from datasette_program_export.database.fetching.batch_sizes import BatchSizes
from datasette_program_export.database.snapshot import Snapshot, TimeExpired
from datasette_program_export.errors import (
    BusyError,
    CancelledError,
    NotFoundError,
    SnapshotLostError,
    SourceError,
    SpoolFullError,
)
from tests.support.databases.building import database, document, exported
from tests.support.sites.server import wait_until
from tests.support.sites.writers import COUNTER, Writer, open_connections


def big(path: Path, rows: int, journal: str = "wal", *more: str) -> Path:
    connection = database(path, "CREATE TABLE t (id INTEGER PRIMARY KEY, x TEXT)", *more, journal=journal)
    connection.execute("BEGIN")
    connection.executemany("INSERT INTO t VALUES (?, ?)", ((i, f"row {i} " + "x" * 90) for i in range(rows)))
    connection.execute("COMMIT")
    connection.close()
    return path


@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_a_writer_beside_an_export_is_in_it_wholly_or_not_at_all(tmp_path: Path, journal: str) -> None:
    """A counter and its copy agree; the writer meets no lock error, in rollback mode no wait beyond the rule's."""
    path = big(tmp_path / "x.db", 100_000, journal, *COUNTER)
    children = database(path, "ALTER TABLE t ADD COLUMN counter INTEGER REFERENCES counter", journal=journal)
    children.execute("UPDATE t SET counter = 1")
    children.close()
    writer = Writer(path)
    writer.start()
    wait_until(lambda: writer.commits > 3, "the writer")
    seen = []
    for _ in range(3):
        before = writer.commits
        found = document(path, "counter", "1")
        assert found["tables"]["counter"][0]["n"] == found["tables"]["copy"][0]["n"]
        assert found["coverage"]["tables"]["t"]["belongs"] == 100_000
        seen.append(writer.commits > before)
    writer.stop.set()
    writer.join(30)
    assert writer.errors == [] and any(seen)
    assert writer.longest < 10  # two seconds held at most, then a copy: far from the 30 the writer would wait


def test_a_slow_reader_holds_no_rollback_database(tmp_path: Path) -> None:
    """Before the first chunk is given away the database is free again."""
    path = big(tmp_path / "x.db", 1000, "delete")
    made = iter(export(path, Request(table="t")))
    next(made)
    with closing(sqlite3.connect(path, timeout=0)) as other:
        other.execute("UPDATE t SET x = 'changed'")
        other.commit()
    assert b"changed" not in b"".join(made)


def test_a_large_rollback_database_is_copied_and_the_copy_leaves_nothing(tmp_path: Path) -> None:
    path = big(tmp_path / "x.db", 250_000, "delete")
    spool = tmp_path / "spool"
    spool.mkdir()
    made = iter(export(Source.of(path), Request(table="t"), settings=Settings(spool_dir=str(spool))))
    next(made)
    with closing(sqlite3.connect(path, timeout=0)) as other:
        other.execute("UPDATE t SET x = 'changed' WHERE id = 249999")
        other.commit()
    rest = b"".join(made)
    assert b"row 249999" in rest and b"changed" not in rest
    assert list(spool.iterdir()) == []


def test_no_room_for_a_copy_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = big(tmp_path / "x.db", 10, "delete")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: type("Usage", (), {"free": 10}))
    with pytest.raises(SpoolFullError, match=r"needs 8,192 bytes, and 10 are free"):
        Snapshot(Source.of(path), copy=True)


def test_rows_that_are_only_in_the_wal_are_read_and_the_files_stay_as_they_were(tmp_path: Path) -> None:
    writer = database(tmp_path / "x.db", *COUNTER)
    writer.execute("PRAGMA wal_autocheckpoint=0")
    writer.execute("UPDATE counter SET n = 41")
    before = [(tmp_path / name).read_bytes() for name in ("x.db", "x.db-wal")]
    assert document(tmp_path / "x.db", "counter")["tables"]["counter"] == [{"id": 1, "n": 41}]
    assert [(tmp_path / name).read_bytes() for name in ("x.db", "x.db-wal")] == before
    writer.close()


def test_nothing_is_left_beside_a_database_and_it_is_not_touched(tmp_path: Path) -> None:
    """A reader alone leaves a -wal and a -shm beside a WAL database that had none."""
    database(tmp_path / "x.db", *COUNTER).close()
    before = (tmp_path / "x.db").read_bytes(), (tmp_path / "x.db").stat().st_mtime_ns
    assert exported(tmp_path / "x.db", "counter")
    assert ((tmp_path / "x.db").read_bytes(), (tmp_path / "x.db").stat().st_mtime_ns) == before
    assert [p.name for p in tmp_path.iterdir()] == ["x.db"]


def test_an_immutable_database_with_rows_in_its_wal_is_refused(tmp_path: Path) -> None:
    writer = database(tmp_path / "x.db", *COUNTER)
    with pytest.raises(SourceError, match=r"newest rows are still in x\.db-wal"):
        exported(Source("x", tmp_path / "x.db", immutable=True), "counter")
    writer.close()
    assert exported(Source("x", tmp_path / "x.db", immutable=True), "counter")


def test_an_immutable_database_with_an_unfinished_write_is_refused(tmp_path: Path) -> None:
    database(tmp_path / "x.db", *COUNTER, journal="delete").close()
    (tmp_path / "x.db-journal").write_bytes(b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" + b"x" * 600)
    with pytest.raises(SourceError, match="never finished"):
        exported(Source("x", tmp_path / "x.db", immutable=True), "counter")
    (tmp_path / "x.db-journal").write_bytes(b"\0" * 600)  # journal_mode=persist leaves one like this
    assert exported(Source("x", tmp_path / "x.db", immutable=True), "counter")


def test_an_immutable_database_that_changes_is_never_called_complete(tmp_path: Path) -> None:
    path = big(tmp_path / "x.db", 5000, "delete")
    made = iter(export(Source("x", path, immutable=True), Request(table="t")))
    next(made)
    with closing(sqlite3.connect(path)) as other:
        other.execute("UPDATE t SET x = 'changed' WHERE id = 4999")
        other.commit()
    with pytest.raises(SnapshotLostError, match="was said not to change"):
        list(made)


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root, to become somebody who may not write"
)
def test_a_database_where_nothing_can_be_written_is_read(tmp_path: Path) -> None:
    """As another user, in a folder that is not theirs: SQLite alone cannot open a WAL database there."""
    with tempfile.TemporaryDirectory() as name:  # pytest's own folders cannot be entered by others
        folder = Path(name)
        folder.chmod(0o755)
        if not all(parent.stat().st_mode & 0o001 for parent in folder.parents):
            pytest.skip("others cannot enter the folder for temporary files")
        _read_as_nobody(folder)


def _read_as_nobody(folder: Path) -> None:
    database(folder / "x.db", *COUNTER).close()
    (folder / "x.db").chmod(0o644)  # also with a umask by which others may read nothing
    assert sorted(p.name for p in folder.iterdir()) == ["x.db"]
    code = (
        "import os, sys, sqlite3\n"
        "from datasette_program_export import Request, export\n"
        "other = sqlite3.connect(':memory:'); other.execute('create table t (a)')\n"
        "list(export(other, Request(table='t', format='csv')))  # load all of Python now: it may be out of reach then\n"
        "try: os.setgid(65534); os.setuid(65534)\n"
        "except PermissionError: sys.exit(77)\n"
        "try: sqlite3.connect('file:x.db?mode=ro', uri=True).execute('select 1 from counter'); print('no use')\n"
        "except sqlite3.OperationalError: pass\n"
        "sys.stdout.buffer.write(b''.join(export('x.db', Request(table='counter', format='csv'))))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True)
    if done.returncode == 77:
        pytest.skip("root may not become somebody else here, as in some containers")
    assert done.stdout == "id,n\n1,0\n", done.stderr


def test_a_locked_database_is_waited_for_then_said_to_be_locked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("datasette_program_export.database.opening.LOCK_SECONDS", 0.3)
    holder = database(tmp_path / "x.db", *COUNTER, journal="delete")
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(BusyError, match="locked by another connection, of this program or another"):
        exported(tmp_path / "x.db", "counter")
    holder.execute("COMMIT")
    assert exported(tmp_path / "x.db", "counter")


def test_a_connection_inside_a_transaction_is_refused() -> None:
    connection = database(None, *COUNTER, "BEGIN", "UPDATE counter SET n = 1")
    with pytest.raises(SourceError, match="inside a transaction"):
        exported(connection, "counter")


def test_a_memory_database_whose_writer_does_not_let_go_is_not_waited_for_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("datasette_program_export.database.opening.LOCK_SECONDS", 0.2)
    uri = "file:held?mode=memory&cache=shared"
    holder = sqlite3.connect(uri, uri=True, isolation_level=None)
    holder.execute("CREATE TABLE t (a)")
    holder.execute("BEGIN IMMEDIATE")
    holder.execute("INSERT INTO t VALUES (1)")
    with pytest.raises(BusyError):
        exported(sqlite3.connect(uri, uri=True), "t")
    holder.execute("COMMIT")
    assert document(sqlite3.connect(uri, uri=True), "t")["tables"]["t"] == [{"a": 1}]


def test_what_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"no database file nix\.db"):
        exported(tmp_path / "nix.db", "t")
    assert list(tmp_path.iterdir()) == []


def test_paths_with_signs_that_mean_something_in_a_uri(tmp_path: Path) -> None:
    path = tmp_path / "a?b#c%20d é.db"
    database(path, *COUNTER).close()
    assert document(path, "counter")["tables"]["counter"] == [{"id": 1, "n": 0}]


def test_cancelling_stops_a_statement_that_is_running() -> None:
    """From another thread, in the middle of a view that would never end."""
    endless = (
        "CREATE VIEW v AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) AS n FROM c"
    )
    made = export(database(None, endless), Request(table="v"))
    threading.Timer(0.3, made.cancel).start()
    start = time.monotonic()
    with pytest.raises(CancelledError):
        next(iter(made))
    assert time.monotonic() - start < 5


def test_cancelling_between_two_statements_is_not_forgotten(demo_file: Path) -> None:
    made = export(demo_file, Request(table="clients"))
    chunks = iter(made)
    next(chunks)
    made.cancel()
    with pytest.raises(CancelledError):
        list(chunks)


def test_after_an_interrupted_write_nothing_of_another_moment_is_read(demo_file: Path) -> None:
    """SQLite rolls back silently; whoever went on would read another moment."""
    with closing(Snapshot(Source.of(demo_file))) as snapshot:
        snapshot.execute("CREATE TEMP TABLE x (a)")
        snapshot.connection.set_progress_handler(lambda: 1, 100)
        with pytest.raises(SourceError):
            snapshot.execute("INSERT INTO temp.x SELECT a.id FROM main.charts a, main.charts b, main.charts c")
        snapshot.connection.set_progress_handler(None, 0)
        with pytest.raises(SnapshotLostError, match="another moment"):
            snapshot.execute("SELECT count(*) FROM main.clients")


def test_a_plan_has_its_time() -> None:
    with closing(Snapshot(Source.of(database(None, *COUNTER)))) as snapshot:
        snapshot.expire_after(0)
        with pytest.raises(TimeExpired):
            snapshot.execute("SELECT 1")


def test_a_text_that_is_no_utf8_costs_no_row_and_no_order(tmp_path: Path) -> None:
    """Row 1777 of 3000, in the middle of a batch: decoded another way from the start, nothing lost or doubled."""
    path = big(tmp_path / "x.db", 3000)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE t SET x = CAST(X'61ff62' AS TEXT) WHERE id = 1777")
        connection.commit()
    rows = document(path, "t")["tables"]["t"]
    assert [r["id"] for r in rows] == list(range(3000))
    assert rows[1777]["x"] == {"$base64": True, "encoded": "Yf9i", "type": "text"}
    assert rows[1778]["x"].startswith("row 1778 ")


def test_no_value_is_told_by_an_error() -> None:
    """SQLite's own message about such a text quotes it."""
    connection = database(None, "CREATE TABLE t (x)", "INSERT INTO t VALUES (CAST(X'736563726574ff' AS TEXT))")
    view = "CREATE VIEW v AS SELECT x, json_extract(x, '$.a') AS y FROM t"
    connection.execute(view)
    with pytest.raises(ValueError, match="The view v cannot be run: malformed JSON") as caught:
        exported(connection, "v")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("name", [None, "x.db"])
def test_the_connection_given_is_left_as_it_was(tmp_path: Path, name: str | None) -> None:
    connection = database(name and tmp_path / name, *COUNTER)
    connection.row_factory = sqlite3.Row
    connection.text_factory = bytes
    exported(connection, "counter")
    assert (connection.row_factory, connection.text_factory) == (sqlite3.Row, bytes)
    assert not connection.in_transaction
    connection.execute("UPDATE counter SET n = 5")


def test_no_connection_is_left_open_however_an_export_ends(demo_file: Path, tmp_path: Path) -> None:
    """Done, failed before the first byte, left in the middle, cancelled; with a copy and without."""
    rollback = big(tmp_path / "x.db", 1000, "delete", "CREATE VIEW broken AS SELECT json(x) AS j FROM t")
    before = open_connections()
    exported(demo_file, "clients")
    exported(rollback, "t")
    with pytest.raises(ValueError, match="broken"):
        exported(rollback, "broken")
    for path, table in ((demo_file, "charts"), (rollback, "t")):
        made = export(path, Request(table=table))
        next(iter(made))
        made.close()
        made = export(path, Request(table=table))
        made.cancel()
        with pytest.raises(CancelledError):
            next(iter(made))
    with closing(Snapshot(Source.of(rollback), copy=True)):
        pass
    assert open_connections() <= before


def test_the_pace_follows_the_size_of_rows() -> None:
    pace = BatchSizes()
    sizes = []
    for size in (100, 100, 100, 2_000_000, 2_000_000, 100):
        rows = next(pace)
        sizes.append(rows)
        pace.saw(rows, rows * size)
    assert sizes[:3] == [16, 64, 100] and sizes[4] == 1 and sizes[5] == 1
    assert next(pace) == 4
