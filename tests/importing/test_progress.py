"""An import can be looked at, and stopped, from outside: at every stage, with nothing changed."""

from __future__ import annotations

import gzip
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from datasette_program_export import Request, Settings, export, load
from datasette_program_export.errors import BusyError, CancelledError
from datasette_program_export.files import local
from datasette_program_export.importing.progress import ImportProgress
from tests.support.databases.building import database

ROWS = 5000
CSV = ("id,name\n" + "".join(f"{n},new\n" for n in range(ROWS))).encode()


class Stopping(ImportProgress):
    """Says yes once ``when`` is true."""

    def __init__(self, when: Callable[[ImportProgress], bool]) -> None:
        super().__init__()
        self.when, self.stages = when, [""]

    def cancelled(self) -> bool:
        if self.stages[-1] != self.stage:
            self.stages.append(self.stage)
        return self.when(self)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    path = tmp_path / "target.db"
    rows = f"WITH RECURSIVE c(x) AS (SELECT 0 UNION ALL SELECT x + 1 FROM c WHERE x < {ROWS - 1}) "
    database(
        path,
        "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)",
        f"INSERT INTO t {rows} SELECT x, 'old' FROM c",
    ).close()
    (tmp_path / "t.csv").write_bytes(CSV)
    return path


def run(target: Any, folder: Path, watch: ImportProgress | None = None, **more: Any) -> Any:
    return load(target, folder / "t.csv", table="t", on_conflict="update", watch=watch, **more)


WHENS = {
    "reading": lambda watch: watch.rows > 0,
    "copying": lambda watch: watch.stage == "copying",
    "writing": lambda watch: watch.stage == "writing",
}


@pytest.mark.parametrize("stage", WHENS)
def test_it_stops_at_every_stage_and_leaves_no_trace(target: Path, tmp_path: Path, stage: str) -> None:
    before = target.read_bytes()
    watch = Stopping(WHENS[stage])
    with pytest.raises(CancelledError):
        run(target, tmp_path, watch)
    assert watch.stages[-1] == stage
    assert target.read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} == {"target.db", "t.csv"}
    assert run(target, tmp_path, Stopping(lambda watch: False)).tables["t"].update == ROWS


def test_a_statement_that_never_ends_is_broken_off(target: Path, tmp_path: Path) -> None:
    endless = "SELECT count(*) FROM (WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c)"
    database(target, f"CREATE TRIGGER forever AFTER UPDATE ON t BEGIN {endless}; END").close()
    asked = []

    def at_the_third_look(watch: ImportProgress) -> bool:
        asked.append(watch.stage)
        return asked.count("writing") > 2

    with pytest.raises(CancelledError):
        load(
            target,
            tmp_path / "t.csv",
            table="t",
            on_conflict="update",
            triggers=True,
            watch=Stopping(at_the_third_look),
        )
    assert {path.name for path in tmp_path.iterdir()} == {"target.db", "t.csv"}


def test_rows_are_counted_as_they_are_read(target: Path, tmp_path: Path) -> None:
    watch = ImportProgress()
    run(target, tmp_path, watch)
    assert watch.rows == ROWS and watch.stage == "writing"


def test_a_connection_has_no_stop_in_it_afterwards(target: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(target)) as connection:
        with pytest.raises(CancelledError):
            run(connection, tmp_path, Stopping(WHENS["writing"]))
        assert not connection.in_transaction
        assert connection.execute("SELECT count(*) FROM t a, t b").fetchone() == (ROWS**2,)
        assert connection.execute("SELECT DISTINCT name FROM t").fetchall() == [("old",)]


def test_what_is_raised_before_anything_is_compared_ends_it(target: Path, tmp_path: Path) -> None:
    def refuse(intake: Any) -> None:
        raise PermissionError(", ".join(intake.staging.tables))

    with pytest.raises(PermissionError, match="^t$"):
        run(target, tmp_path, inspect_staged=refuse)


def test_another_connection_can_write_it(target: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(target)) as writer:

        def elsewhere(apply: Callable[[Any], None]) -> None:
            assert not writer.total_changes
            apply(writer)

        with closing(sqlite3.connect(f"{target.as_uri()}?mode=ro", uri=True)) as reader:
            report = run(reader, tmp_path, run_on=elsewhere)
        assert writer.total_changes >= ROWS and not writer.in_transaction
        assert report.status == "imported" and Path(report.safety_copy).exists()


def test_tables_that_were_changed_meanwhile_are_not_written_to(target: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(target)) as writer:

        def elsewhere(apply: Callable[[Any], None]) -> None:
            writer.execute("ALTER TABLE t ADD COLUMN more")
            apply(writer)

        with pytest.raises(BusyError, match="changed meanwhile"):
            run(target, tmp_path, run_on=elsewhere)
        assert writer.execute("SELECT DISTINCT name FROM t").fetchall() == [("old",)]


def test_it_stops_while_a_packed_file_is_unpacked(
    target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the first row: what unpacks to gigabytes is not unpacked for nobody."""
    packed = gzip.compress(b"".join(export(target, Request(format="sqlite"))) + bytes(10_000_000))
    (tmp_path / "t.db.gz").write_bytes(packed)
    begun: list[bytes] = []
    monkeypatch.setattr(local, "_check_announced", lambda start, _: begun.append(start))
    watch = Stopping(lambda _: bool(begun))
    spool = tmp_path / "spool"
    spool.mkdir()
    with pytest.raises(CancelledError):
        load(target, tmp_path / "t.db.gz", watch=watch, settings=Settings(spool_dir=str(spool)))
    assert len(begun) == 1 and watch.rows == 0 and list(spool.iterdir()) == []
