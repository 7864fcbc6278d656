"""Imports that run: they wait for their turn, are stopped, are interrupted, and write as the site does."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from datasette_program_export.demo import ANNA
from datasette_program_export.plugin.imports import views as import_views
from datasette_program_export.plugin.imports import work as import_work
from datasette_program_export.plugin.server import site as job_site
from tests.support.databases.building import database
from tests.support.sites.imports import CSV, DATA, UPDATE, ended, imported, looked_at, name_in, send
from tests.support.sites.jobs import ask, imports_in


async def test_it_waits_for_its_turn_and_can_be_cancelled_there(ds, demo: Path, log: Path) -> None:
    one = await looked_at(ds, CSV, options=UPDATE)
    go, reached = Event(), Event()

    def other(connection: Any) -> None:
        reached.set()
        go.wait(30)

    await ds.get_database("practice").execute_write_fn(other, block=False)
    await asyncio.to_thread(reached.wait, 10)
    try:
        await ask(ds, "post", one["links"]["apply"], "root")
        for _ in range(2000):
            now = (await ask(ds, "get", one["links"]["self"], "root")).json()
            if now["stage"] == "waiting":
                break
            await asyncio.sleep(0.005)
        assert now["state"] == "importing" and "cancel" in now["links"]
        assert (await ask(ds, "post", now["links"]["page"] + "/delete", "root")).status_code == 409
        await ask(ds, "post", now["links"]["cancel"], "root")
        one = await ended(ds, one)  # while the other write still goes on
        assert one["state"] == "cancelled"
    finally:
        go.set()
    await ds.get_database("practice").execute_write_fn(lambda connection: None)
    assert name_in(demo) == "Anna" and not list(demo.parent.glob("safety-copies/*"))
    assert json.loads(log.read_text().splitlines()[-1])["outcome"] == "The import was cancelled. Nothing was changed."
    assert (await imported(ds, one))["state"] == "done"


async def test_it_is_written_by_datasettes_own_connection(ds, demo: Path) -> None:
    """Which has the functions of the site: a trigger that needs one fires."""
    await ds.invoke_startup()
    practice = ds.get_database("practice")

    def prepare(connection: Any) -> None:
        connection.create_function("of_the_site", 1, lambda text: f"{text}!")

    await practice.execute_write_fn(prepare)
    database(
        demo,
        "CREATE TRIGGER shout AFTER UPDATE OF first_name ON clients BEGIN "
        "UPDATE clients SET last_name = of_the_site(last_name) WHERE id = new.id; END",
    ).close()
    one = await looked_at(ds, CSV, options=UPDATE + "&triggers=1")
    assert one["report"]["status"] == "refused"  # the copy's connection does not have it
    one = await imported(ds, one)
    assert one["state"] == "done", one
    with closing(sqlite3.connect(demo)) as connection:
        assert connection.execute("SELECT last_name FROM clients WHERE id = ?", (ANNA,)).fetchone()[0].endswith("!")


async def test_a_preview_that_takes_long_is_waited_for_on_its_page_and_can_be_stopped(
    ds, demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go, copying = Event(), import_work.copy_of

    def slow(connection: Any, place: Path, check: Any) -> Path:
        go.wait(30)
        return copying(connection, place, check)

    monkeypatch.setattr(import_work, "copy_of", slow)
    monkeypatch.setattr(import_views, "_PATIENCE", 0)
    answer = await send(ds, CSV, path=DATA + UPDATE)
    assert answer.status_code == 202 and answer.headers["location"].endswith(answer.json()["links"]["self"])
    one = answer.json()
    page = await ask(ds, "get", one["links"]["page"], "root")
    assert "The file is being looked at" in page.text and '<meta http-equiv="refresh"' in page.text
    for action in ("preview", "apply"):
        assert (await ask(ds, "post", f"{one['links']['page']}/{action}", "root")).status_code == 409
    await ask(ds, "post", one["links"]["cancel"], "root")
    go.set()
    one = await ended(ds, one)
    assert one["state"] == "cancelled" and one["report"] is None
    assert not list((tmp_path / "jobs" / "imports" / one["id"]).glob("copy*"))
    await ask(ds, "post", one["links"]["preview"], "root")
    assert (await ended(ds, one))["state"] == "previewed"


async def test_a_server_that_stops_lets_go_of_what_runs(ds, demo: Path, tmp_path: Path) -> None:
    one = await looked_at(ds, CSV, options=UPDATE)
    go, reached = Event(), Event()

    def other(connection: Any) -> None:
        reached.set()
        go.wait(30)

    await ds.get_database("practice").execute_write_fn(other, block=False)
    await asyncio.to_thread(reached.wait, 10)
    await ask(ds, "post", one["links"]["apply"], "root")
    await asyncio.to_thread(job_site.close, ds)
    go.set()
    assert (await ended(ds, one))["state"] == "interrupted"
    await ds.get_database("practice").execute_write_fn(lambda connection: None)
    assert name_in(demo) == "Anna"


async def test_what_a_stopped_server_left_is_interrupted(ds) -> None:
    one = await looked_at(ds, CSV, options=UPDATE)
    imports = imports_in(ds)
    imports.store.put(replace(imports.store.get(one["id"]), state="importing", instance="gone"))
    one = (await ask(ds, "get", one["links"]["self"], "root")).json()
    assert one["state"] == "interrupted" and "all or nothing" in one["error"]
    job_site.close(ds)
    assert (await ask(ds, "get", one["links"]["self"], "root")).json()["state"] == "interrupted"
