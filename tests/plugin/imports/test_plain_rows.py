"""Plain rows sent to a site: new tables and columns for whom may make them, other names, the table that is meant."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from datasette_program_export.plugin.host import V1
from tests.support.databases.building import database
from tests.support.sites.imports import BROWSER, ended, imported, send
from tests.support.sites.jobs import ask, keeping
from tests.support.sites.permissions import only

DATA = "/house/-/program-import.json"
PEOPLE = b"Nr,Full name,junk\n1,Ann,x\n2,Bo,y\n"


@pytest.fixture
def house(tmp_path: Path) -> Path:
    database(
        tmp_path / "house.db",
        "CREATE TABLE rooms (id INTEGER PRIMARY KEY, name TEXT)",
        "CREATE TABLE safes (id INTEGER PRIMARY KEY, code TEXT)",
    ).close()
    return tmp_path / "house.db"


def rows(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


async def test_a_table_is_made_as_the_preview_showed(house: Path, tmp_path: Path) -> None:
    with keeping(tmp_path / "jobs", house, root=True) as ds:
        options = "?create=1&pk=id&map=Nr%3Did&map=junk%3D&types=Full+name%3Dtext"
        one = await sent(ds, PEOPLE, "people.csv", options)
        table = one["report"]["tables"]["people"]
        assert (table["created"], table["new_columns"]) == (True, {"id": "INTEGER", "Full name": "TEXT"})
        page = await ask(ds, "get", one["links"]["page"], "root")
        assert (
            "people, a new table: id INTEGER, Full name TEXT" in page.text and 'href="/house/people"' not in page.text
        )
        assert rows(house, "SELECT name FROM sqlite_master WHERE name = 'people'") == []
        done = await imported(ds, one)
        assert done["state"] == "done", done
        assert rows(house, "SELECT * FROM people") == [(1, "Ann"), (2, "Bo")]
        page = await ask(ds, "get", one["links"]["page"], "root")
        assert 'href="/house/people/1"' in page.text
        assert (await ask(ds, "get", "/house/people.json", "root")).status_code == 200


async def test_the_fields_of_the_form(house: Path, tmp_path: Path) -> None:
    """They come back as they were filled in, and can be taken back."""
    with keeping(tmp_path / "jobs", house, root=True) as ds:
        one = await sent(ds, PEOPLE, "rooms.csv", "?create=1&alter=1&map=Nr%3Did%0D%0AFull+name%3Dname%0D%0Ajunk%3D")
        page = (await ask(ds, "get", one["links"]["page"], "root")).text
        for chosen in ("Nr=id", "Full name=name", "junk="):
            assert f'<option value="{chosen}" selected>' in page
        assert "junk of rooms is left away" in page and ">1, 2</bdi>" in page
        assert len(re.findall(r'name="(?:create|alter)" value="1" checked', page)) == 2
        fields = {"on_conflict": "fail", "map": "Nr=id\r\nFull name=name", "csrftoken": "x"}
        await ask(ds, "post", one["links"]["preview"], "root", data=fields, headers=BROWSER)
        one = await ended(ds, one)
        assert one["choices"] == {"on_conflict": "fail", "map": {"Nr": "id", "Full name": "name"}}
        assert "rooms has no column junk" in one["report"]["findings"][0]["message"]


@pytest.mark.skipif(not V1, reason="0.x: root only, who sees all")
async def test_a_table_is_found_among_those_that_one_may_see(house: Path, tmp_path: Path) -> None:
    """One that is hidden is neither found nor named, whatever is asked for."""
    said = {
        "permissions": {action: only("anna") for action in ("insert-row", "create-table", "alter-table")},
        "plugin": {"allow_import": only("anna")},
        "here": {"tables": {"safes": {"allow": only("ben")}}},
    }
    with keeping(tmp_path / "jobs", house, **said) as ds:
        assert list((await sent(ds, b"id\n5\n", "x.csv", "", "anna"))["report"]["tables"]) == ["rooms"]
        for name, text, options in (
            ("x.csv", b"id,code\n5,a\n", ""),
            ("x.csv", b"id,nothing\n5,a\n", ""),
            ("x.csv", b"id\n5\n", "?create=1&table=safes"),
            ("x.csv", b"id\n5\n", "?alter=1&table=safes"),
            ("x.json", b'{"rooms": [{"id": 1}]}', "?create=1&table=nowhere"),
            ("x.json", b'[{"code": 1}]', ""),
        ):
            answer = await send(ds, text, name, DATA + options, "anna")
            assert answer.status_code in (400, 422), answer.text
            assert "safes" not in answer.text or "table=safes" in options
        assert rows(house, "SELECT * FROM safes") == []


@pytest.mark.skipif(not V1, reason="0.x: root only")
async def test_who_may_insert_may_not_therefore_make_tables_or_columns(house: Path, tmp_path: Path) -> None:
    for permissions, status in (
        ({"insert-row": only("anna")}, 403),
        ({"insert-row": only("anna"), "create-table": only("anna"), "alter-table": only("anna")}, 200),
    ):
        said = {"permissions": permissions, "plugin": {"allow_import": only("anna")}}
        with keeping(tmp_path / f"jobs {status}", house, **said) as ds:
            for name, text in (("people.csv", b"id\n1\n"), ("rooms.csv", b"id,more\n1,2\n")):
                answer = await send(ds, text, name, f"{DATA}?create=1&alter=1", who="anna")
                told = answer.json()
                refused = answer.status_code == 403 or told.get("error") or told.get("state") == "failed"
                assert bool(refused) == (status == 403), answer.text
                if refused:
                    assert "You may not make tables" in answer.text or "You may not add columns to rooms" in answer.text
                else:
                    assert told["lacking"] == []


async def sent(ds: Any, content: bytes, name: str, options: str, who: str = "root") -> dict[str, Any]:
    answer = await send(ds, content, name, DATA + options, who)
    assert answer.status_code == 200, answer.text
    return answer.json()
