"""Fresh keys and rows matched by a unique column, chosen on the page and by programs."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.support.databases.building import database
from tests.support.sites.imports import BROWSER, FORM, imported, looked_at, send
from tests.support.sites.jobs import ask, keeping

TABLES = (
    "CREATE TABLE people (id INTEGER PRIMARY KEY, mail TEXT UNIQUE)",
    "CREATE TABLE calls (id INTEGER PRIMARY KEY, person INT REFERENCES people)",
    "INSERT INTO people VALUES (1, 'ann')",
    "INSERT INTO calls VALUES (1, 1)",
)
FILE = json.dumps({"people": [{"id": 1, "mail": "bob"}, {"id": 2, "mail": "ann"}], "calls": [{"id": 1, "person": 1}]})


async def test_two_databases_become_one_on_the_web(tmp_path: Path) -> None:
    path = tmp_path / "practice.db"
    database(path, *TABLES).close()
    with keeping(tmp_path / "jobs", path, root=True) as ds:
        refused = await looked_at(ds, FILE.encode(), "a.json")
        assert refused["state"] == "previewed" and refused["report"]["status"] == "refused"
        options = "?keys=new&match=people.mail&on_conflict=skip"
        one = await looked_at(ds, FILE.encode(), "a.json", options)
        assert one["choices"] == {"keys": "new", "match": ["people.mail"], "on_conflict": "skip"}
        page = (await ask(ds, "get", one["links"]["page"], "root", headers=BROWSER)).text
        assert "people, new keys: 1 became 2, 2 became 1" in page and 'value="people.mail"' in page
        one = await imported(ds, one)
        assert one["report"]["tables"]["calls"]["keys"] == [{"file": 1, "target": 2, "rows": 1}]
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("SELECT * FROM people").fetchall() == [(1, "ann"), (2, "bob")]
            assert connection.execute("SELECT * FROM calls").fetchall() == [(1, 1), (2, 2)]


async def test_a_match_names_a_table_that_one_may_see(tmp_path: Path) -> None:
    path = tmp_path / "practice.db"
    database(path, *TABLES).close()
    with keeping(tmp_path / "jobs", path, root=True) as ds:
        for match in ("nowhere.id", "people"):
            answer = await send(ds, FILE.encode(), "a.json", f"{FORM}.json?match={match}")
            assert answer.status_code == 400 and "that you may see" in answer.json()["error"]
        answer = await send(ds, FILE.encode(), "a.json", f"{FORM}.json?keys=other")
        assert answer.status_code == 400
