"""A SQLite file whose tables SQLite copied raw, with their indexes: proved in C, or else written anew."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datasette_program_export import Request, export
from datasette_program_export.database.fetching import rows_in_c, trees_in_c
from datasette_program_export.database.guarding.new_database import NewDatabase
from datasette_program_export.errors import CancelledError
from datasette_program_export.formats.sqlite.reading import check_document
from tests.support import native
from tests.support.databases.building import database
from tests.support.databases.strategies import VALUES
from tests.support.files.sqlite_files import same
from tests.support.runs.thorough import examples

CANARY = "canary-that-was-deleted"
EVENTS = (
    "CREATE TABLE events (id TEXT PRIMARY KEY, who TEXT, day TEXT, orb REAL, note TEXT)",
    "CREATE INDEX who ON events (who, orb DESC)",
    "CREATE UNIQUE INDEX day ON events (day)",
    "CREATE INDEX part ON events (who) WHERE orb > 5",
    "CREATE INDEX folded ON events (who COLLATE NOCASE)",
    "CREATE INDEX computed ON events (length(who))",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) INSERT INTO events "
    "SELECT hex(i * 7919 % 100003), 'w' || (i % 7), 'd' || (i * 31 % 3001), i % 13 / 2.0, 'note' || i FROM n",
)


@pytest.fixture(scope="module")
def extension(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return native.compiled(tmp_path_factory.mktemp("native"))


@pytest.fixture
def proofs(extension: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, bool]]:
    """For each table that was copied raw, whether it was proved."""
    monkeypatch.setattr(rows_in_c, "_path", lambda: str(extension))
    rows_in_c._added_by_sqlite.cache_clear()
    if not rows_in_c.is_loadable():
        pytest.skip("this Python can neither load extensions nor reach its SQLite")
    found: dict[str, bool] = {}
    real = trees_in_c.is_proved

    def watched(connection: Any, table: str, go_on: Any) -> bool:
        found[table] = real(connection, table, go_on)
        return found[table]

    monkeypatch.setattr(trees_in_c, "is_proved", watched)
    yield found
    monkeypatch.undo()
    rows_in_c._added_by_sqlite.cache_clear()


def written(path: Path, source: Any) -> Path:
    path.write_bytes(b"".join(export(source, Request(format="sqlite"))))
    assert check_document(path) is None
    return path


def checked(path: Path, source: sqlite3.Connection) -> None:
    with closing(sqlite3.connect(path)) as copy:
        same(copy, source)
        assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert copy.execute("PRAGMA freelist_count").fetchone() == (0,)


def in_the_schema_only(source: sqlite3.Connection, change: str) -> None:
    source.execute("PRAGMA writable_schema=ON")
    source.execute(f"UPDATE sqlite_master SET {change}")
    source.commit()


def test_indexes_are_copied_and_proved(
    tmp_path: Path, proofs: dict[str, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    statements: list[str] = []
    execute = NewDatabase.execute
    monkeypatch.setattr(
        NewDatabase, "execute", lambda self, sql, *more: (statements.append(sql), execute(self, sql, *more))[1]
    )
    with closing(database(None, *EVENTS)) as source:
        checked(written(tmp_path / "new.db", source), source)
    assert proofs == {"events": True}
    assert not [sql for sql in statements if sql.startswith(("UPDATE", "REINDEX"))]


def test_the_order_of_indexes_is_that_of_the_table(tmp_path: Path, proofs: dict[str, bool]) -> None:
    """Each file of one database has the same bytes, whatever seed Python hashes texts with."""
    made = [f"CREATE INDEX i{number} ON t (a{number})" for number in range(9)]
    columns = ", ".join(f"a{number}" for number in range(9))
    with closing(database(None, f"CREATE TABLE t (id TEXT PRIMARY KEY, {columns}, free)", *made)) as source:
        source.execute("INSERT INTO t (id) VALUES ('x')")
        source.commit()
        with closing(sqlite3.connect(written(tmp_path / "new.db", source))) as copy:
            copy.row_factory = lambda _, row: row[0]
            kept = copy.execute("SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE INDEX%' ORDER BY rowid")
            listed = kept.fetchall()
        assert listed in (sorted(listed), sorted(listed, reverse=True)) and len(listed) == 9
    assert proofs == {"t": True}


@pytest.mark.parametrize("sql", ["create index i ON t (a)", "CREATE INDEX IF NOT EXISTS i ON t (a)"])
def test_an_index_whose_statement_is_not_as_sqlite_keeps_it(sql: str, tmp_path: Path, proofs: dict[str, bool]) -> None:
    """It must not run on the source, of which this connection may write."""
    with closing(database(None, "CREATE TABLE t (id TEXT PRIMARY KEY, a, b)", "CREATE INDEX i ON t (a)")) as source:
        source.execute("INSERT INTO t VALUES ('x', 1, 2), ('b', 3, 4)")
        source.commit()
        in_the_schema_only(source, f"sql = '{sql}' WHERE name = 'i'")
        before = source.execute("SELECT * FROM sqlite_master").fetchall()
        with closing(sqlite3.connect(written(tmp_path / "new.db", source))) as copy:
            assert copy.execute("SELECT * FROM t ORDER BY id").fetchall() == [("b", 3, 4), ("x", 1, 2)]
            assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert source.execute("SELECT * FROM sqlite_master").fetchall() == before


def test_the_file_is_the_one_without_c(
    tmp_path: Path, proofs: dict[str, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    files = []
    with closing(database(None, *EVENTS)) as source:
        for path in (rows_in_c._path, lambda: None):
            monkeypatch.setattr(rows_in_c, "_path", path)
            with closing(sqlite3.connect(written(tmp_path / f"{len(files)}.db", source))) as copy:
                sql = "SELECT type, name, sql FROM sqlite_master"
                files.append((sorted(copy.execute(sql), key=repr), copy.execute("PRAGMA page_count").fetchone()))
    assert files[0] == files[1]
    assert proofs == {"events": True}


@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16le", "UTF-16be"])
@pytest.mark.parametrize("size", [512, 65536])
def test_any_page_size_and_encoding(tmp_path: Path, proofs: dict[str, bool], encoding: str, size: int) -> None:
    start = (f"PRAGMA encoding='{encoding}'", f"PRAGMA page_size={size}")
    with closing(database(None, *start, *EVENTS)) as source:
        checked(written(tmp_path / "new.db", source), source)
    assert proofs == {"events": True}


def test_what_a_row_holds_beyond_its_columns_stays_behind(tmp_path: Path, proofs: dict[str, bool]) -> None:
    path = tmp_path / "house.db"
    with closing(database(path, *EVENTS)) as source:
        source.execute("ALTER TABLE events ADD COLUMN more TEXT")
        source.execute(f"UPDATE events SET more = '{CANARY}'")
        in_the_schema_only(source, "sql = replace(sql, ', more TEXT', '') WHERE name = 'events'")
    assert CANARY.encode() in path.read_bytes()
    copy = written(tmp_path / "new.db", path)
    assert CANARY.encode() not in copy.read_bytes()
    assert proofs == {"events": False}
    with closing(sqlite3.connect(path)) as source:
        checked(copy, source)


BROKEN = {
    # of an index, its definition as it was when it was made, and as the schema says now; whether it is proved
    "more in its entries": ("note, day", "note", None),
    "more in its entries, behind": ("day, note DESC", "day, id DESC", False),
    "another column": ("note", "day", False),
    "another order": ("day COLLATE NOCASE", "day", True),  # SQLite puts each entry in its place
    "another direction": ("day DESC", "day", True),
    "fewer rows": ("day) WHERE (day > 'd2'", "day", False),
}


@pytest.mark.parametrize("name", BROKEN)
def test_an_index_that_is_not_what_it_says_is_made_anew(tmp_path: Path, proofs: dict[str, bool], name: str) -> None:
    made, said, proved = BROKEN[name]
    path = tmp_path / "house.db"
    with closing(database(path, *EVENTS, "DROP INDEX day")) as source:
        source.execute(f"UPDATE events SET note = '{CANARY}' || rowid, day = 'D' || rowid WHERE rowid % 2")
        source.execute(f"CREATE INDEX day ON events ({made})")
        in_the_schema_only(source, f"sql = 'CREATE INDEX day ON events ({said})' WHERE name = 'day'")
    copy = written(tmp_path / "new.db", path)
    with closing(sqlite3.connect(copy)) as read:
        assert read.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert read.execute("SELECT count(*) FROM events").fetchone() == (3000,)
        (rows,) = read.execute("SELECT count(*) FROM events WHERE note LIKE 'canary%'").fetchone()
    assert rows == 1500
    assert proofs == ({} if proved is None else {"events": proved})  # SQLite itself stumbles over the first


def test_a_key_that_is_there_twice_is_no_unique_index(tmp_path: Path, proofs: dict[str, bool]) -> None:
    path = tmp_path / "house.db"
    with closing(database(path, *EVENTS, "DROP INDEX day", "CREATE INDEX day ON events (who)")) as source:
        in_the_schema_only(source, "sql = 'CREATE UNIQUE INDEX day ON events (who)' WHERE name = 'day'")
    with pytest.raises(Exception, match="events|rules|day"):
        written(tmp_path / "new.db", path)
    assert proofs == {"events": False}


@pytest.mark.parametrize(("indexed", "proved"), [("", True), (" CREATE INDEX late ON events (later);", False)])
def test_a_column_that_was_added_later(tmp_path: Path, proofs: dict[str, bool], indexed: str, proved: bool) -> None:
    """Rows from before hold nothing of it; an index holds what it is by default."""
    added = "ALTER TABLE events ADD COLUMN later INTEGER DEFAULT 7;" + indexed
    with closing(database(None, *EVENTS)) as source:
        source.executescript(added)
        checked(written(tmp_path / "new.db", source), source)
    assert proofs == {"events": proved}


@pytest.mark.parametrize(("column", "proved"), [("note", True), ("who", False)])
def test_values_that_do_not_fit_in_a_page(tmp_path: Path, proofs: dict[str, bool], column: str, proved: bool) -> None:
    """In an index they are not followed."""
    with closing(database(None, *EVENTS)) as source:
        source.execute(f"UPDATE events SET {column} = {column} || hex(zeroblob(5000)) WHERE rowid % 50 = 0")
        source.commit()
        checked(written(tmp_path / "new.db", source), source)
    assert proofs == {"events": proved}


def test_a_key_that_is_the_rowid(tmp_path: Path, proofs: dict[str, bool]) -> None:
    rows = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 900) INSERT INTO t SELECT i, i, i"
    with closing(
        database(
            None,
            "CREATE TABLE t (id INTEGER PRIMARY KEY, a, b)",
            "CREATE INDEX a ON t (a)",
            "CREATE INDEX both ON t (a, id)",
            f"{rows} FROM n",
        )
    ) as source:
        checked(written(tmp_path / "new.db", source), source)
    assert proofs == {"t": True}


def test_it_can_be_cancelled_while_it_is_proved(
    tmp_path: Path, proofs: dict[str, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = trees_in_c.is_proved
    with closing(database(None, *EVENTS)) as source:
        made = export(source, Request(format="sqlite"))
        monkeypatch.setattr(trees_in_c, "is_proved", lambda *words: (made.cancel(), watched(*words))[1])
        with pytest.raises(CancelledError):
            next(iter(made))
    assert proofs == {}


KINDS = ("", "TEXT", "INTEGER", "REAL", "NUMERIC", "BLOB")


@settings(max_examples=examples(60), deadline=None, suppress_health_check=list(HealthCheck))
@given(
    kinds=st.tuples(st.sampled_from(KINDS), st.sampled_from(KINDS)),
    ways=st.tuples(st.sampled_from(("", " DESC")), st.sampled_from(("", " DESC"))),
    rows=st.lists(st.tuples(VALUES, VALUES), max_size=60),
)
def test_every_sound_index_is_proved(
    tmp_path: Path, proofs: dict[str, bool], kinds: tuple[str, str], ways: tuple[str, str], rows: list[tuple]
) -> None:
    with closing(sqlite3.connect(":memory:")) as source:
        source.execute(f"CREATE TABLE t (a {kinds[0]}, b {kinds[1]}, c)")
        source.execute(f"CREATE INDEX both ON t (a{ways[0]}, b{ways[1]})")
        source.execute(f"CREATE INDEX one ON t (b{ways[1]})")
        source.executemany("INSERT INTO t VALUES (?, ?, 1)", rows)
        source.commit()
        (path := tmp_path / "new.db").unlink(missing_ok=True)
        checked(written(path, source), source)
    assert proofs == {"t": True}


@pytest.mark.long
def test_half_a_minute_of_broken_pages_under_sanitizers(tmp_path: Path) -> None:
    """The proof ends, reads only its memory, and says yes only where SQLite's own check finds nothing."""
    extension = native.compiled(tmp_path, *native.SANITIZERS)
    libraries = ("libasan.so", "libstdc++.so.6")  # the second, as an exception is thrown where pages are broken
    watchers = [subprocess.check_output(["g++", f"-print-file-name={name}"], text=True).strip() for name in libraries]
    fuzz = Path(__file__).parents[1] / "support" / "native" / "fuzz_trees_in_c.py"
    environment = {**os.environ, "LD_PRELOAD": " ".join(watchers), "ASAN_OPTIONS": "detect_leaks=0"}
    words = [sys.executable, str(fuzz), str(extension), str(tmp_path / "fuzz.db"), "30"]
    done = subprocess.run(words, capture_output=True, text=True, env=environment, timeout=110)
    assert done.returncode == 0, done.stderr[-3000:] + done.stdout[-1000:]
