"""A program that has its database open calls us while another one uses it: no lock is lost, no row, nothing is stale.

POSIX drops every lock that a process holds on a file when the process closes any descriptor of it
(https://www.sqlite.org/howtocorrupt.html, 2.2). So whoever opens a database's file beside SQLite, and
closes it again, takes SQLite's locks away.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from datasette_program_export import ExportService, Request, Settings, Source, export, load, plan, prove, verify
from datasette_program_export.errors import BusyError, ExportError, SourceError
from datasette_program_export.formats.registry import NAMES, get_format
from datasette_program_export.importing.safety_copy import restore
from datasette_program_export.verifying.comparison import compare
from tests.support.databases.building import database, exported
from tests.support.sites.locks import SCHEMA, locks_of, other_program


class Case:
    """A database that the host program has open, and a folder for all else."""

    def __init__(self, folder: Path, journal: str) -> None:
        self.folder, self.journal = folder / "other", journal
        self.folder.mkdir()
        self.path = folder / "house.db"
        database(self.path, *SCHEMA, journal=journal).close()
        self.file = self.folder / "rows.json"
        self.file.write_text('[{"id": 2, "name": "two"}]')
        self.made = self.folder / "made.db"
        self.made.write_bytes(exported(self.path, "t", format="sqlite"))
        self.document = self.folder / "made.json"
        self.document.write_bytes(exported(self.path, "t"))
        self.host = sqlite3.connect(self.path, timeout=0, isolation_level=None)
        self.host.execute("SELECT * FROM t").fetchall()


def _exports(case: Case) -> None:
    for name in NAMES:
        with export(case.path, Request(format=name)) as made:
            b"".join(made)


def _left(case: Case) -> None:
    made = export(case.path, Request(table="t"))
    next(iter(made))
    made.close()


def _compared(case: Case) -> None:
    compare(verify(case.document), case.path, Settings())


def _service(case: Case) -> None:
    """What the host hands in is its own connection, where it is not in a transaction of its own."""
    service = ExportService(case.path if case.host.in_transaction else case.host)
    service.export_table("t")
    service.available_tables()


def _loaded(case: Case) -> None:
    with suppress(BusyError):  # the host is writing itself
        load(case.path, case.file, table="t", on_conflict="skip", backup=False)


def _loaded_with_a_copy(case: Case) -> None:
    with suppress(BusyError):
        load(case.path, case.file, table="t", on_conflict="skip", backup=case.folder / "copy.db")


def _looked_at(case: Case) -> None:
    with suppress(BusyError):
        load(case.path, case.file, table="t", preview=True)


def _given_as_a_file(case: Case) -> None:
    """The database itself where a file of rows is expected."""
    with suppress(ExportError):
        load(case.folder / "new.db", case.path)


def _proven(case: Case) -> None:
    prove(case.path)


def _restored(case: Case) -> None:
    with suppress(ExportError):
        restore(case.path, case.path)
    with suppress(ExportError):
        restore(case.path, case.made)


def _immutable(case: Case) -> None:
    """Somebody says that it never changes, which is not so."""
    with suppress(SourceError):
        exported(Source("house", case.path, immutable=True), "t")


DOORS: dict[str, Callable[[Case], Any]] = {
    "plan": lambda case: plan(case.path, Request(table="t", records=(("1",),))),
    "export in every format": _exports,
    "export that is left": _left,
    "immutable": _immutable,
    "verify the database itself": lambda case: verify(case.path),
    "compare": _compared,
    "preview": _looked_at,
    "import": _loaded,
    "import with a safety copy": _loaded_with_a_copy,
    "the database as the file": _given_as_a_file,
    "prove": _proven,
    "restore": _restored,
    "service": _service,
}


@pytest.fixture(params=["wal", "delete"])
def case(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Case]:
    for module in ("target", "safety_copy"):
        monkeypatch.setattr(f"datasette_program_export.importing.{module}._WAIT", 0.1)
    monkeypatch.setattr("datasette_program_export.database.connections.backup.LOCK_SECONDS", 0.1)
    found = Case(tmp_path, request.param)
    yield found
    found.host.close()


@pytest.mark.parametrize("door", DOORS)
def test_a_host_that_has_it_open_goes_on_as_before(case: Case, door: str) -> None:
    """Another program writes and closes after our door; then the host writes; each sees all rows."""
    DOORS[door](case)
    assert other_program(case.path, "INSERT INTO t VALUES (10, 'the other')") == "[]"
    if case.journal == "wal":
        assert case.path.with_name("house.db-wal").exists(), "the other program took itself for the last one"
    assert case.host.execute("SELECT name FROM t WHERE id = 10").fetchall() == [("the other",)]
    case.host.execute("INSERT INTO t VALUES (11, 'the host')")
    seen = other_program(case.path, "SELECT name FROM t WHERE id >= 10 ORDER BY id")
    assert seen == "[('the other',), ('the host',)]"
    case.host.close()
    assert other_program(case.path, "SELECT name FROM t WHERE id = 11") == "[('the host',)]"
    assert other_program(case.path, "PRAGMA integrity_check") == "[('ok',)]"


@pytest.mark.parametrize("door", DOORS)
def test_nobody_writes_into_a_transaction_that_the_host_holds(case: Case, door: str) -> None:
    case.host.execute("BEGIN IMMEDIATE")
    case.host.execute("INSERT INTO t VALUES (11, 'the host')")
    DOORS[door](case)
    assert other_program(case.path, "INSERT INTO t VALUES (10, 'the other')") == "database is locked"
    case.host.execute("COMMIT")
    assert other_program(case.path, "SELECT name FROM t WHERE id >= 10") == "[('the host',)]"
    assert other_program(case.path, "INSERT INTO t VALUES (10, 'the other')") == "[]"
    assert case.host.execute("SELECT name FROM t WHERE id >= 10 ORDER BY id").fetchall() == [
        ("the other",),
        ("the host",),
    ]


@pytest.mark.skipif(not Path("/proc/locks").exists(), reason="only Linux lists its locks")
@pytest.mark.parametrize("door", DOORS)
def test_the_host_holds_the_same_locks_before_and_after(case: Case, door: str) -> None:
    case.host.execute("BEGIN IMMEDIATE")
    case.host.execute("INSERT INTO t VALUES (11, 'the host')")
    before = locks_of(os.getpid(), case.path)
    assert before
    DOORS[door](case)
    assert locks_of(os.getpid(), case.path) == before
    case.host.execute("COMMIT")


def test_an_export_that_the_host_has_open_can_be_verified(case: Case) -> None:
    """A SQLite file of ours, in use: its bytes are read and compared without opening it beside SQLite."""
    with closing(sqlite3.connect(case.made, timeout=0, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        assert verify(case.made).status == "complete"
        assert prove(case.made).proven
        assert other_program(case.made, "DELETE FROM t") == "database is locked"


@pytest.mark.parametrize("name", [name for name in NAMES if get_format(name).decode is not None])
def test_every_format_is_still_read(case: Case, name: str) -> None:
    path = case.folder / f"again.{get_format(name).extension}"
    with export(case.path, Request(format=name, **({"layout": "envelope"} if name == "ndjson" else {}))) as made:
        path.write_bytes(b"".join(made))
    assert verify(path).status == "complete"


def test_a_database_under_another_name_is_the_same_database(case: Case, tmp_path: Path) -> None:
    """A hard link, a symbolic link: told by device and inode, not by path."""
    hard, soft = tmp_path / "hard.db", tmp_path / "soft.db"
    hard.hardlink_to(case.path)
    soft.symlink_to(case.path)
    before = case.path.read_bytes() if case.journal == "delete" else None
    for link in (hard, soft):
        with pytest.raises(ExportError, match="one file"):
            restore(link, case.path)
    assert before is None or case.path.read_bytes() == before
