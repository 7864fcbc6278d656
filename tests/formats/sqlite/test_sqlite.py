"""The SQLite file: what is in it, that it is the same, that it proves itself."""

from __future__ import annotations

import gzip
import random
import sqlite3
import subprocess
from contextlib import closing
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from datasette_program_export import Request, Settings, export
from datasette_program_export.cli.main import program_export
from datasette_program_export.database.source import Source
from datasette_program_export.demo import ANNA
from datasette_program_export.errors import (
    BrokenExportError,
    CancelledError,
    SpoolFullError,
    UnreadableError,
    UnsupportedError,
)
from datasette_program_export.formats.description.digest import TableDigest
from datasette_program_export.formats.sqlite import writing as sqlite_format
from datasette_program_export.formats.sqlite.reading import check_document, decode
from datasette_program_export.formats.sqlite.script_reading import check_script
from datasette_program_export.formats.sqlite.statements import Blueprint
from tests.support.databases.building import database, violations
from tests.support.databases.strategies import VALUES, Built, databases
from tests.support.files.sqlite_files import HOUSE, ODD, SOME, commands, dangles_as_announced, described, same
from tests.support.sites.server import make_datasette

MOMENT = datetime(2026, 11, 23, 4, 5, 6, tzinfo=timezone.utc)


def written(path: Path, source: Any, how: dict[str, Any] | None = None, **request: Any) -> Path:
    """An export of always the same moment, in a file."""
    asked = Request(**{"format": "sqlite", **request})
    path.write_bytes(b"".join(export(source, asked, created_at=MOMENT, **(how or {}))))
    return path


def test_an_odd_database_is_the_same_in_every_word_and_value(tmp_path: Path) -> None:
    """Cycles, AUTOINCREMENT, WITHOUT ROWID, STRICT, generated columns, a CHECK that does not hold, bad text."""
    with closing(database(None, *ODD)) as source:
        path = written(tmp_path / "new.db", source)
        with closing(sqlite3.connect(path)) as copy:
            same(copy, source, "program_export_2")
            for pragma in ("user_version", "application_id", "encoding"):
                query = f"PRAGMA {pragma}"
                assert copy.execute(query).fetchone() == source.execute(query).fetchone()
            assert copy.execute("SELECT * FROM sqlite_sequence").fetchall() == [("a", 5)]
            assert copy.execute("SELECT count(*) FROM log").fetchone() == (0,)  # no trigger fired
            told = described(copy, "program_export_2")
            dangles_as_announced(copy, told["coverage"])
            assert violations(copy) == {("a", "b"): 1, ("b", "a"): 1}
            assert copy.execute("PRAGMA integrity_check").fetchall() == [("CHECK constraint failed in checked",)]
    assert check_document(path) is None
    told = decode(path).integrity().tables
    assert digests(path) == {name: table.sha256 for name, table in told.items()}
    assert [name for name, table in told.items() if table.sha256_as_exported] == ["down"]  # its key is descending


def test_indexes_views_and_triggers_work(tmp_path: Path) -> None:
    with closing(database(None, *HOUSE)) as source:
        path = written(tmp_path / "new.db", source)
    with closing(sqlite3.connect(path, isolation_level=None)) as copy:
        copy.execute("INSERT INTO names VALUES ('X', 1)")
        assert copy.execute("SELECT word FROM log").fetchall() == [("X",)]
        assert "b_a" in str(copy.execute("EXPLAIN QUERY PLAN SELECT * FROM b WHERE a = 'q' COLLATE NOCASE").fetchall())


def test_the_description_is_one_table_of_its_own(demo_file: Path, tmp_path: Path) -> None:
    path = written(tmp_path / "anna.db", demo_file, table="clients", records=((ANNA,),))
    with closing(sqlite3.connect(path)) as copy:
        told = described(copy)
        assert list(told) == ["format", "version", "export", "schema", "coverage", "integrity", "document"]
        assert (told["format"], told["version"], told["export"]["created_at"]) == ("sqlite", 1, "2026-11-23T04:05:06Z")
        assert told["integrity"]["rows"] == 28 and told["integrity"]["complete"] is True
        dangles_as_announced(copy, told["coverage"])
        assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert {len(told["integrity"]["tables"][t]) for t in told["schema"]["tables"]} == {2}


def test_it_is_checked_with_common_tools_as_the_page_says(demo_file: Path, tmp_path: Path) -> None:
    written(tmp_path / "practice.db", demo_file)
    (command,) = [code for code in commands() if "practice.db" in code and "sed" in code]
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, cwd=tmp_path)
    taken, told = done.stdout.splitlines()
    assert taken.partition(" ")[0] == told and len(told) == 64


def digests(path: Path) -> dict[str, str]:
    """The digests of the rows in a file, taken again."""
    found = {}
    for table in decode(path).tables:
        digest = TableDigest(len(table.fields))
        for rows in table.batches:
            digest.add(rows)
        found[table.name] = digest.hexdigest()
    return found


@given(built=databases(with_persons=False), rows=st.lists(st.tuples(VALUES, VALUES), max_size=20))
@settings(max_examples=60, deadline=None, suppress_health_check=SOME)
def test_any_database_comes_back(tmp_path: Path, built: Built, rows: list[tuple]) -> None:
    with closing(built.open()) as source:
        source.execute("CREATE TABLE extra (a, b)")
        source.executemany("INSERT INTO extra VALUES (?, ?)", rows)
        path = written(tmp_path / "new.db", source, how={"settings": Settings()})
        with closing(sqlite3.connect(path)) as copy:
            same(copy, source)
            dangles_as_announced(copy, described(copy)["coverage"])
    told = decode(path).integrity().tables
    assert all(table.sha256_as_exported is None for table in told.values())
    assert digests(path) == {name: table.sha256 for name, table in told.items()}
    assert check_document(path) is None


@given(rows=st.lists(st.tuples(VALUES), min_size=1, max_size=20))
@settings(max_examples=60, deadline=None, suppress_health_check=SOME)
def test_of_a_utf_16_database_too(tmp_path: Path, rows: list[tuple]) -> None:
    end = (chr(0xFFFF), "\ufeff\ufffe", "a\0b")
    with closing(database(None, "PRAGMA encoding='UTF-16le'", "CREATE TABLE t (a)")) as source:
        source.executemany("INSERT INTO t VALUES (?)", rows)
        for text in (*end, "half \ud83d"):
            raw = text.encode("utf-16-le", "surrogatepass").hex()
            source.execute(f"INSERT INTO t VALUES (CAST(X'{raw}' AS TEXT))")
        path = written(tmp_path / "new.db", source)
        with closing(sqlite3.connect(path)) as copy:
            assert copy.execute("PRAGMA encoding").fetchone() == ("UTF-16le",)
            cast = "SELECT typeof(a), CAST(a AS BLOB) FROM t WHERE typeof(a) = 'text'"
            assert copy.execute(cast).fetchall() == source.execute(cast).fetchall()
            same(copy, source)
    assert check_document(path) is None


def test_the_same_data_give_the_same_bytes(demo_file: Path, tmp_path: Path) -> None:
    first, second = (written(tmp_path / name, demo_file).read_bytes() for name in ("a.db", "b.db"))
    assert first == second


def test_every_flipped_bit_and_every_cut_is_found(demo_file: Path, tmp_path: Path) -> None:
    path = written(tmp_path / "anna.db", demo_file, table="clients", records=((ANNA,),))
    whole = path.read_bytes()
    chance = random.Random(7)
    places = [*range(100), *(chance.randrange(len(whole)) for _ in range(200)), whole.index(b"document")]
    for place in places:
        broken = bytearray(whole)
        broken[place] ^= 1 << chance.randrange(8)
        path.write_bytes(broken)
        assert check_document(path), f"byte {place}"
    for size in (0, 1, 99, 4096, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        assert check_document(path), f"cut at {size}"
    path.write_bytes(whole + b"\0")
    assert check_document(path)
    path.write_bytes(whole)
    assert check_document(path) is None


def test_a_sorted_export_lies_by_its_key_and_says_both_digests(tmp_path: Path) -> None:
    with closing(database(None, "CREATE TABLE t (id INTEGER PRIMARY KEY, a)")) as source:
        source.executemany("INSERT INTO t VALUES (?, ?)", [(i, i % 7) for i in range(500)])
        path = written(tmp_path / "new.db", source, table="t", sort=(("a", True),))
        told = decode(path).integrity().tables["t"]
        assert digests(path) == {"t": told.sha256} and told.sha256_as_exported not in (None, told.sha256)
        with closing(sqlite3.connect(path)) as copy:
            same(copy, source)
            assert copy.execute("SELECT count(*) FROM t").fetchone() == (500,)


def test_views_and_queries_keep_their_values(tmp_path: Path) -> None:
    sql = "SELECT 1 AS a, '1' AS A, 1.0 AS \"\", x'31' AS b, NULL AS b UNION ALL SELECT '', -0.0, 9e999, 'x', 2"
    with closing(database(None, "CREATE TABLE t (a TEXT)", "CREATE VIEW v AS SELECT 1 AS n")) as source:
        with closing(sqlite3.connect(written(tmp_path / "q.db", source, sql=sql))) as copy:
            kinds = [tuple(map(repr, row)) for row in copy.execute("SELECT * FROM query")]
            assert kinds == [("1", "'1'", "1.0", "b'1'", "None"), ("''", "-0.0", "inf", "'x'", "2")]
        with closing(sqlite3.connect(written(tmp_path / "v.db", source, table="v"))) as copy:
            assert copy.execute("SELECT n, typeof(n) FROM v").fetchall() == [(1, "integer")]


def test_what_a_plain_sqlite_cannot_hold_is_refused_before_the_first_byte(tmp_path: Path) -> None:
    """A table with somebody's own collation; an index by it is only left out."""
    path = tmp_path / "own.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.create_collation("own", lambda a, b: (a > b) - (a < b))
        connection.execute("CREATE TABLE t (a COLLATE own)")
        connection.execute("CREATE TABLE u (a)")
        connection.execute("CREATE INDEX u_a ON u (a COLLATE own)")
    source = Source("own", path, prepare=lambda c: c.create_collation("own", lambda a, b: (a > b) - (a < b)))
    for form in ("sqlite", "sql"):
        with pytest.raises(UnsupportedError, match="t cannot be made in a new SQLite database: no such collation"):
            written(tmp_path / "new.db", source, format=form, table="t")
    with closing(sqlite3.connect(written(tmp_path / "new.db", source, table="u"))) as copy:
        (told,) = described(copy)["schema"]["not_carried"]
        assert (told["name"], told["why"]) == ("u_a", "no such collation sequence: own")


def test_another_value_in_the_file_is_an_error_and_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_format, "odd_text", lambda text, encoding: b"?")
    bad = "INSERT INTO t VALUES (CAST(x'ff' AS TEXT))"
    with closing(database(None, "CREATE TABLE t (a)", bad)) as source:
        made = export(Source.of(source), Request(format="sqlite", table="t", sort=(("a", False),)))  # through Python
        with pytest.raises(BrokenExportError, match="t reads back"):
            next(iter(made))
        made.close()


def test_no_temporary_file_stays(demo_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When it is read to its end, when its reader leaves, when it is cancelled, when something fails."""
    folder = tmp_path / "spool"
    folder.mkdir()
    source = Source("demo", demo_file, spool_dir=str(folder))
    made = export(source, Request(format="sqlite"))
    next(iter(made))
    ours = [p for p in folder.rglob("export.db") if b"program_export" in p.read_bytes()]
    assert [p.stat().st_mode & 0o777 for p in ours] in ([0o600], [])  # none on a rollback-journal source: held as bytes
    made.close()
    assert list(folder.iterdir()) == []
    made = export(source, Request(format="sqlite"))
    made.cancel()
    with pytest.raises(CancelledError):
        next(iter(made))
    assert list(folder.iterdir()) == []
    with closing(database(None, "CREATE TABLE t (a)", "INSERT INTO t VALUES (zeroblob(3000000))")) as big:
        made = export(
            Source("memory", memory=lambda: closing_nothing(big), spool_dir=str(folder)), Request(format="sqlite")
        )
        chunks = iter(made)
        next(chunks)
        (ours,) = [p for p in folder.rglob("export.db") if b"program_export" in p.read_bytes()]
        assert ours.stat().st_mode & 0o777 == 0o600
        made.cancel()
        with pytest.raises(CancelledError):
            next(chunks)
        assert list(folder.iterdir()) == []


class closing_nothing:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def __enter__(self) -> sqlite3.Connection:
        return self.connection

    def __exit__(self, *exc: object) -> None: ...


def test_it_can_be_cancelled_while_indexes_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """No rows are read then; what SQLite does is stopped by itself."""
    monkeypatch.setattr(sqlite_format, "_STEPS", 100)
    with closing(database(None, "CREATE TABLE t (a)", "CREATE INDEX t_a ON t (a)")) as source:
        source.executemany("INSERT INTO t VALUES (?)", ((i,) for i in range(2000)))
        made = export(source, Request(format="sqlite"))
        rest = sqlite_format._Building.rest
        monkeypatch.setattr(sqlite_format._Building, "rest", lambda *words: (made.cancel(), rest(*words)))
        monkeypatch.setattr(Blueprint, "described_as", lambda *_: pytest.fail("the indexes were made to their end"))
        with pytest.raises(CancelledError):
            next(iter(made))


def test_a_full_disk_is_said(demo_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_format, "_SETTINGS", ("max_page_count=10",))
    with pytest.raises(
        SpoolFullError, match=r"temporary folder takes no more \(database or disk is full, after [\d,]+ bytes"
    ):
        written(tmp_path / "new.db", demo_file)
    source = Source("demo", demo_file, spool_dir=str(tmp_path / "nowhere"))
    monkeypatch.setattr("datasette_program_export.exporting.exporter.held", lambda chunks, *_: chunks)
    with pytest.raises(SpoolFullError, match="No such file"):
        written(tmp_path / "new.db", source)


def test_what_is_not_ours_is_said(tmp_path: Path, demo_file: Path) -> None:
    path = tmp_path / "x.db"
    for content in (b"", b"no database", demo_file.read_bytes()):
        path.write_bytes(content)
        with pytest.raises(UnreadableError):
            decode(path)
        assert check_document(path)


def test_no_view_of_a_file_is_run(tmp_path: Path) -> None:
    """A file whose table was put a view in place of."""
    with closing(database(None, "CREATE TABLE t (a)", "INSERT INTO t VALUES (1)")) as source:
        path = written(tmp_path / "new.db", source)
    with closing(sqlite3.connect(path, isolation_level=None)) as changed:
        changed.execute("ALTER TABLE t RENAME TO u")
        changed.execute("CREATE VIEW t AS SELECT a FROM u")
    with pytest.raises(UnreadableError, match="t is no table in it"):
        decode(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as changed:
        changed.execute("DROP VIEW t")
        changed.execute("CREATE TABLE t (b)")
    with pytest.raises(UnreadableError, match="t cannot be read: no such column"):
        digests(path)


def test_an_export_of_an_export_describes_itself(tmp_path: Path) -> None:
    with closing(database(None, "CREATE TABLE t (a)")) as source:
        first = written(tmp_path / "first.db", source)
    second = written(tmp_path / "second.db", first)
    assert set(decode(second).schema.tables) == {"t", "program_export"}
    assert check_document(second) is None


def test_by_command_but_never_over_a_database(demo_file: Path, tmp_path: Path) -> None:
    path = tmp_path / "new.db"
    words = ["database", str(demo_file), "-o", str(path)]
    done = CliRunner().invoke(program_export, words)
    assert done.exit_code == 0 and check_document(path) is None, done.output
    again = CliRunner().invoke(program_export, words)
    assert again.exit_code == 2 and "is a SQLite database; it is not replaced" in again.output


@pytest.mark.parametrize(("form", "kind"), [("sqlite", "application/vnd.sqlite3"), ("sql", "application/sql")])
async def test_by_address_and_compressed(demo_file: Path, tmp_path: Path, form: str, kind: str) -> None:
    client = make_datasette(demo_file).client
    answer = await client.get(f"/practice/clients/{ANNA}.programjson?_export_format={form}")
    assert answer.status_code == 200 and answer.headers["content-type"].partition(";")[0] == kind
    packed = await client.get(f"/practice/clients/{ANNA}.programjson?_export_format={form}&_export_compress=gzip")
    for content in (answer.content, gzip.decompress(packed.content)):
        (tmp_path / "x").write_bytes(content)
        assert (check_document if form == "sqlite" else check_script)(tmp_path / "x") is None
    assert len(packed.content) < len(answer.content)
    whole = await client.get(f"/practice.programjson?_export_format={form}")
    assert whole.status_code == 200 and len(whole.content) > len(answer.content)


@pytest.mark.parametrize("file", ["chinook.db", "northwind_small.db"])
def test_real_databases_come_back(real_data: Path, tmp_path: Path, file: str) -> None:
    path = written(tmp_path / "new.db", real_data / file)
    assert check_document(path) is None
    with closing(sqlite3.connect(path)) as copy, closing(sqlite3.connect(real_data / file)) as source:
        same(copy, source)
