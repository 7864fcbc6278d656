"""Bad rows set aside on a site: told before and after, and downloaded by whoever sent the file alone."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.support.databases.building import database
from tests.support.sites.imports import BROWSER, imported, send
from tests.support.sites.jobs import ask, keeping

FORM, DATA = "/house/-/program-import", "/house/-/program-import.json"
ROOMS = b"id,name\n1,hall\nx,attic\n1,again\n2,cellar\n"


async def sent(ds: Any, options: str) -> dict[str, Any]:
    answer = await send(ds, ROOMS, "rooms.csv", DATA + options)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_the_good_rows_are_imported_and_the_bad_ones_kept_for_whom_they_are(tmp_path: Path) -> None:
    house = tmp_path / "house.db"
    database(house, "CREATE TABLE rooms (id INTEGER PRIMARY KEY, name TEXT)").close()
    with keeping(tmp_path / "jobs", house, root=True) as ds:
        one = await sent(ds, "?skip_bad=1")
        assert (one["report"]["status"], one["report"]["set_aside"]) == ("preview", 2)
        assert one["choices"]["skip_bad"] is True
        page = await ask(ds, "get", one["links"]["page"], "root")
        assert "2 bad rows would be set aside" in page.text and "id is no number" in page.text
        assert 'name="skip_bad" value="1" checked' in page.text
        done = await imported(ds, one)
        assert done["state"] == "done" and done["report"]["bad_rows_file"] == "bad-rows.ndjson", done
        page = await ask(ds, "get", one["links"]["page"], "root")
        assert "2 bad rows set aside" in page.text and f'href="{done["links"]["bad_rows"]}"' in page.text
        file = await ask(ds, "get", done["links"]["bad_rows"], "root")
        assert 'filename="rooms.bad-rows.ndjson"' in file.headers["content-disposition"]
        lines = [json.loads(line) for line in file.text.splitlines()]
        assert [line["line"] for line in lines] == [3, 4] and all(line["reasons"] for line in lines)
        assert (await ask(ds, "get", done["links"]["bad_rows"], None)).status_code in (403, 404)
        kept = next((tmp_path / "jobs").rglob("bad-rows.ndjson"))
        assert kept.stat().st_mode & 0o077 == 0
        assert (await ask(ds, "delete", done["links"]["self"], "root")).status_code == 200
        assert not kept.exists()
    with closing(sqlite3.connect(house)) as connection:
        assert connection.execute("SELECT * FROM rooms").fetchall() == [(1, "hall"), (2, "cellar")]


async def test_unless_it_is_asked_for_a_bad_row_refuses_all(tmp_path: Path) -> None:
    database(tmp_path / "house.db", "CREATE TABLE rooms (id INTEGER PRIMARY KEY, name TEXT)").close()
    with keeping(tmp_path / "jobs", tmp_path / "house.db", root=True) as ds:
        one = await sent(ds, "")
        assert one["report"]["status"] == "refused" and "bad_rows" not in one["links"]
        answer = await ask(ds, "get", f"{one['links']['page']}/bad-rows", "root")
        assert answer.status_code == 404


async def test_only_what_takes_rows_is_offered(tmp_path: Path) -> None:
    database(
        tmp_path / "house.db",
        "CREATE TABLE rooms (id INTEGER PRIMARY KEY, name TEXT)",
        "CREATE VIEW names AS SELECT name FROM rooms",
        "CREATE VIRTUAL TABLE found USING fts5(name, content='rooms', content_rowid='id')",
        "CREATE VIRTUAL TABLE notes USING fts5(body)",
    ).close()
    with keeping(tmp_path / "jobs", tmp_path / "house.db", root=True) as ds:
        sent = await ask(ds, "post", FORM, "root", files={"file": ("x.csv", b"a;b\n1;2\n")}, headers=BROWSER)
        page = await ask(ds, "get", sent.headers["location"], "root")
        offered = page.text.partition('id="table"')[2].partition("</select>")[0]
        assert [name for name in ("rooms", "notes") if f">{name}<" in offered] == ["rooms", "notes"]
        assert offered.count("<option") == 3


async def test_a_choice_for_other_files_is_refused(tmp_path: Path) -> None:
    database(tmp_path / "house.db", "CREATE TABLE rooms (id INTEGER PRIMARY KEY, name TEXT)").close()
    with keeping(tmp_path / "jobs", tmp_path / "house.db", root=True) as ds:
        answer = await send(ds, b'[{"id": 1}]', "rooms.json", DATA + "?table=rooms&delimiter=semicolon")
        assert answer.status_code == 400 and "only for CSV: leave it out" in answer.json()["error"]
