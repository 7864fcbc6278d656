"""Connections that are kept between exports: they hinder nobody, and what they give is what a new one would give."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import msgspec
import pytest

from datasette_program_export import Settings, plan
from datasette_program_export.database.connections import warm
from datasette_program_export.database.connections.warm import MOST_OF_ONE, WARM
from datasette_program_export.database.snapshot import Snapshot
from datasette_program_export.database.source import Source, size_beside
from datasette_program_export.errors import CancelledError, RequestError, TooLargeError
from datasette_program_export.exporting.exporter import Export
from datasette_program_export.options.request import Request
from tests.support.databases.building import database
from tests.support.sites.locks import other_program

NOW = datetime(2026, 1, 2, tzinfo=timezone.utc)
SHOP = (
    "CREATE TABLE clients (id INTEGER PRIMARY KEY, name TEXT)",
    "CREATE TABLE orders (id INTEGER PRIMARY KEY, client_id INTEGER REFERENCES clients, what TEXT)",
    "CREATE TABLE lines (id INTEGER PRIMARY KEY, order_id INTEGER REFERENCES orders)",
    "CREATE TABLE notes (id INTEGER PRIMARY KEY, client_id INTEGER REFERENCES clients, body TEXT)",
    "INSERT INTO clients VALUES (1, 'Anna'), (2, 'Bob')",
    "INSERT INTO orders VALUES (1, 1, 'tea'), (2, 2, 'ink')",
    "INSERT INTO lines VALUES (1, 1), (2, 1), (3, 2)",
    "INSERT INTO notes VALUES (1, 1, 'of Anna'), (2, 2, 'of Bob')",
)


@pytest.fixture(params=["wal", "delete"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Source]:
    path = tmp_path / "shop.db"
    database(path, f"PRAGMA journal_mode={request.param}", *SHOP).close()
    keeper = object()
    yield replace(Source.of(path), keeper=keeper)
    WARM.drop(keeper)


def changed(source: Source, *sql: str) -> None:
    assert source.path is not None
    with closing(sqlite3.connect(source.path, timeout=0, isolation_level=None)) as connection:
        for statement in sql:
            connection.execute(statement)


def exported(source: Source, client: str = "1", **how: Any) -> dict[str, Any]:
    request = how.pop("request", Request(table="clients", records=[(client,)]))
    found: dict[str, Any] = msgspec.json.decode(b"".join(Export(source, request, created_at=NOW, **how)))
    return found


def as_new(source: Source, *args: Any, **how: Any) -> dict[str, Any]:
    return exported(replace(source, keeper=None), *args, **how)


def idle(source: Source) -> int:
    return sum(owner is source.keeper for owner, _, _ in WARM._idle)


def test_a_second_export_uses_the_first_ones_connection_and_tables(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert exported(source) == as_new(source)
    monkeypatch.setattr("datasette_program_export.database.lending.open_source", None)
    run: list[str] = []
    before = Snapshot.execute
    monkeypatch.setattr(Snapshot, "execute", lambda self, sql, *more: run.append(sql) or before(self, sql, *more))
    second = exported(source, "2")
    assert not [sql for sql in run if sql.startswith("CREATE")]
    assert idle(source) == 1
    monkeypatch.undo()
    assert second == as_new(source, "2")


def test_between_exports_it_hinders_no_writer(source: Source) -> None:
    assert source.path is not None
    exported(source)
    assert idle(source) == 1
    assert other_program(source.path, "INSERT INTO clients VALUES (3, 'Cid')") == "[]"
    assert other_program(source.path, "BEGIN EXCLUSIVE") == "[]"
    assert other_program(source.path, "PRAGMA wal_checkpoint(TRUNCATE)").startswith("[(0, ")
    assert size_beside(source.path, "-wal") == 0
    assert other_program(source.path, "VACUUM") == "[]"
    assert [row["name"] for row in exported(source, "3")["tables"]["clients"]] == ["Cid"]


def test_a_file_with_a_rollback_journal_may_get_another_mode(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    database(path, *SHOP).close()
    source = replace(Source.of(path), keeper=object())
    exported(source)
    assert idle(source) == 1
    assert other_program(path, "PRAGMA journal_mode=wal") == "[('wal',)]"
    changed(source, "INSERT INTO orders VALUES (3, 1, 'pen')")
    assert len(exported(source)["tables"]["orders"]) == 2
    WARM.drop(source.keeper)


@pytest.mark.parametrize(
    "sql",
    [
        "ALTER TABLE orders ADD COLUMN price REAL DEFAULT 2.5",
        "ALTER TABLE orders RENAME COLUMN what TO thing",
        "CREATE TABLE letters (id INTEGER PRIMARY KEY, client_id INTEGER REFERENCES clients)",
        "DROP TABLE notes",
        "CREATE INDEX of_client ON orders(client_id)",
        "PRAGMA user_version=7",
    ],
)
def test_a_change_of_the_schema_is_seen_at_once(source: Source, sql: str) -> None:
    exported(source)
    changed(source, sql)
    assert exported(source) == as_new(source)
    whole = Request()
    assert exported(source, request=whole) == as_new(source, request=whole)


def test_another_file_at_the_path_is_read(source: Source, tmp_path: Path) -> None:
    assert source.path is not None
    exported(source)
    other = tmp_path / "other.db"
    database(other, *SHOP, "UPDATE orders SET what = 'other'").close()
    for suffix in ("-wal", "-shm"):
        source.path.with_name(f"shop.db{suffix}").unlink(missing_ok=True)
    other.replace(source.path)
    assert [row["what"] for row in exported(source)["tables"]["orders"]] == ["other"]


def test_a_file_that_was_written_over_is_read(tmp_path: Path) -> None:
    """The new schema has as many changes behind it, so its version number is the same."""
    path, other = tmp_path / "shop.db", tmp_path / "other.db"
    database(path, *SHOP).close()
    database(other, *[sql.replace("body", "text") for sql in SHOP]).close()
    source = replace(Source.of(path), keeper=object())
    exported(source)
    shutil.copyfile(other, path)
    assert exported(source)["tables"]["notes"] == [{"id": 1, "client_id": 1, "text": "of Anna"}]
    WARM.drop(source.keeper)


def test_a_cancelled_export_leaves_nothing_behind(source: Source) -> None:
    exported(source)
    export = Export(source, Request(table="clients", records=[("1",)]))
    export.cancel()
    with pytest.raises(CancelledError):
        list(export)
    assert idle(source) == 0
    assert exported(source, "2") == as_new(source, "2")


def test_an_export_that_is_not_read_to_its_end_leaves_nothing_behind(source: Source) -> None:
    for _ in range(2):
        with Export(source, Request(table="clients", records=[("1",)])) as export:
            next(iter(export))
        changed(source, "UPDATE clients SET name = name")
        assert exported(source, "2") == as_new(source, "2")


def test_after_an_error_no_key_of_the_first_one_is_left(source: Source) -> None:
    exported(source)
    with pytest.raises(TooLargeError):
        exported(source, settings=Settings(max_rows=3))
    assert exported(source, "2") == as_new(source, "2")


def test_a_connection_that_ran_sql_from_outside_is_closed(source: Source) -> None:
    exported(source)
    filtered = Request(table="clients", where=["name = 'Anna'"], cascade=True)
    assert exported(source, request=filtered) == as_new(source, request=filtered)
    assert idle(source) == 0
    exported(source)
    with pytest.raises(RequestError):
        exported(source, request=Request(table="clients", where=["no_such_function(1)"]))
    assert idle(source) == 0


def test_to_cancel_an_export_that_has_ended_does_not_stop_the_next_one(source: Source) -> None:
    exported(source)
    first = Snapshot(source)
    first.close()
    with closing(Snapshot(source)) as second:
        assert second.connection is first.connection
        rows = second.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 100000) SELECT i FROM n"
        )
        assert rows.fetchone() == (1,)
        first.cancel()
        assert len(rows.fetchall()) == 99_999


def test_settings_and_people_are_those_of_each_request(source: Source) -> None:
    nobody, stopped = Settings(persons="none"), Settings(stop=["orders.client_id"])
    for settings in (
        Settings(),
        nobody,
        Settings(),
        stopped,
        nobody,
        Settings(secrets={"notes": ["body"]}),
        Settings(),
    ):
        assert exported(source, settings=settings) == as_new(source, settings=settings)
    for person in (["orders"], ["none"], []):
        request = Request(table="clients", records=[("1",)], person=person)
        assert exported(source, request=request) == as_new(source, request=request)


def test_what_one_person_may_see_is_nothing_to_the_next(source: Source) -> None:
    few, some = frozenset({"clients", "orders"}), frozenset({"clients", "orders", "notes"})
    for visible in (None, few, some, None, few, None):
        found = exported(source, visible=visible)
        assert found == as_new(source, visible=visible)
        assert set(found["tables"]) <= (visible or {"clients", "orders", "lines", "notes"})


def test_the_choices_of_one_request_are_nothing_to_the_next(source: Source) -> None:
    """Schemas, references and names that were worked out are those of the choices: of tables, columns and secrets."""
    changed(source, "ALTER TABLE orders ADD COLUMN after_id REFERENCES orders", "CREATE UNIQUE INDEX o ON notes (body)")
    one: dict[str, Any] = {"table": "clients", "records": [("1",)]}
    edge = Settings(secrets={"orders": ["client_id"]})
    part, hidden = Settings(secrets={"notes": ["body.key"]}), Settings(secrets={"notes": ["body"]})
    named = Settings(json_columns={"notes": ["body"]}, subjects={"clients": {"label": "client", "plural": "clients"}})
    choices: list[tuple[dict[str, Any], Settings, frozenset[str] | None]] = [
        (one, Settings(), None),
        (one | {"without": ["orders"]}, Settings(), None),
        (one | {"without": ["notes.body", "clients.name"]}, Settings(), None),
        (one | {"stop": ["orders.client_id"]}, Settings(), None),
        (one | {"stop": ["orders.after_id"]}, Settings(), None),
        (one | {"others": "include"}, Settings(), None),
        (one | {"cascade": False}, Settings(), None),
        (one | {"columns": ["id"]}, Settings(), None),
        (one, hidden, None),
        (one | {"secrets": "include"}, hidden, None),
        (one, edge, None),
        (one | {"secrets": "include"}, edge, None),
        ({"table": "notes"}, part, None),
        ({"table": "notes", "where": ["id > 0"]}, part, None),
        (one, part, None),
        (one | {"secrets": "include"}, part, None),
        (one, named, None),
        (one | {"stop": ["orders.client_id"]}, named, frozenset({"clients", "orders", "notes"})),
        ({}, Settings(), None),
        ({}, hidden, frozenset({"orders", "notes"})),
    ]
    for request, settings, visible in [*choices, *choices[::-1], *choices]:
        how: dict[str, Any] = {"request": Request(**request), "settings": settings}
        assert exported(source, **how, visible=visible) == as_new(source, **how, visible=visible), request
        warm_plan, new = (plan(of, **how, visible=visible) for of in (source, replace(source, keeper=None)))
        assert warm_plan == new, request


def test_their_number_is_bounded(source: Source) -> None:
    open_now = [Snapshot(source) for _ in range(MOST_OF_ONE + 3)]
    for snapshot in open_now:
        snapshot.close()
    assert idle(source) == MOST_OF_ONE


def test_one_that_is_idle_for_long_is_closed(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warm, "SECONDS", 0.05)
    pool = warm.WarmConnections()
    with closing(Snapshot(source)) as snapshot:
        kept = snapshot._warm
    WARM._idle = [one for one in WARM._idle if one[1] is not kept]
    pool.give(source.keeper, kept)
    pool._close_unused()
    with pytest.raises(sqlite3.ProgrammingError):
        kept.connection.execute("SELECT 1")
    assert len(pool) == 0
