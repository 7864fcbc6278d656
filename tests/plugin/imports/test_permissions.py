"""Who may import what: tables, rows, secrets, other people's files, other sites' pages."""

from __future__ import annotations

import json
import sqlite3
import stat
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from datasette_program_export.plugin.host import V1
from datasette_program_export.plugin.host import writing as host_writing
from tests.support.databases.building import database
from tests.support.sites.imports import BROWSER, CSV, DATA, FORM, UPDATE, ended, imported, looked_at, send
from tests.support.sites.jobs import ask, imports_in, keeping
from tests.support.sites.permissions import only

HOUSE = (
    "CREATE TABLE rooms (id INTEGER PRIMARY KEY, name TEXT, password TEXT)",
    "CREATE TABLE safes (id INTEGER PRIMARY KEY, code TEXT)",
    "CREATE TABLE keys (id INTEGER PRIMARY KEY, safe_id REFERENCES safes)",
    "INSERT INTO rooms VALUES (1, 'hall', 'hush')",
    "INSERT INTO safes VALUES (1, '1234')",
)


@pytest.fixture
def house(tmp_path: Path) -> Path:
    database(tmp_path / "house.db", *HOUSE).close()
    return tmp_path / "house.db"


async def test_nobody_may_import_unless_it_is_said(house: Path, tmp_path: Path) -> None:
    with keeping(tmp_path / "jobs", house, **({"permissions": {"insert-row": only("anna")}} if V1 else {})) as ds:
        for who in (None, "anna"):
            for path in ("/house/-/program-import", "/house/-/program-import.json"):
                answer = await send(ds, b"id\n2\n", path=path, who=who)
                assert answer.status_code == 403 and "You may not import into house" in answer.text
            assert (await ask(ds, "get", "/house/-/program-import", who)).status_code == 403
        assert (await ask(ds, "get", "/none/-/program-import", "anna")).status_code == 404
        assert not (tmp_path / "jobs" / "imports").exists()


async def test_the_action_alone_is_not_enough(house: Path, tmp_path: Path) -> None:
    with keeping(tmp_path / "jobs", house, plugin={"allow_import": only("anna")}) as ds:
        answer = await send(ds, b"id\n2\n", path="/house/-/program-import.json", who="anna")
        assert answer.status_code == 403 and "insert or change rows" in answer.json()["error"]


@pytest.mark.skipif(not V1, reason="0.x: root only")
async def test_rows_that_may_be_inserted_may_not_be_changed_by_it(house: Path, tmp_path: Path) -> None:
    said = {"permissions": {"insert-row": only("anna")}, "plugin": {"allow_import": only("anna")}}
    with keeping(tmp_path / "jobs", house, **said) as ds:
        path = "/house/-/program-import.json?table=rooms&on_conflict=update"
        one = (await send(ds, b"id,name\n1,attic\n", path=path, who="anna")).json()
        assert one["lacking"] == ["You may not change rows of rooms (update-row)."]
        assert (await ask(ds, "post", one["links"]["apply"], "anna")).status_code == 403
        one = (await send(ds, b"id,name\n2,attic\n", path=path, who="anna")).json()
        assert one["lacking"] == [] and (await imported(ds, one, "anna"))["state"] == "done"


@pytest.mark.skipif(not V1, reason="0.x: root only")
async def test_rights_are_looked_at_again_in_the_transaction(house: Path, tmp_path: Path) -> None:
    said = {"permissions": {"insert-row": only("anna")}, "plugin": {"allow_import": only("anna")}}
    with keeping(tmp_path / "jobs", house, **said) as ds:
        path = "/house/-/program-import.json?table=rooms"
        one = (await send(ds, b"id,name\n1,attic\n", path=path, who="anna")).json()
        again = await ask(ds, "post", one["links"]["apply"] + "?table=rooms&on_conflict=update", "anna")
        assert again.status_code == 202  # nothing was foreseen with that choice
        one = await ended(ds, one, "anna")
        assert one["state"] == "failed" and one["error"] == "You may not change rows of rooms (update-row)."
    with closing(sqlite3.connect(house)) as connection:
        assert connection.execute("SELECT name FROM rooms").fetchall() == [("hall",)]


def closed_safes() -> dict:
    return {"tables": {"safes": {"allow": only("ben")}}}


@pytest.mark.skipif(not V1, reason="0.x: root only, who sees all")
async def test_a_table_that_one_may_not_see_is_as_if_there_were_none(house: Path, tmp_path: Path) -> None:
    said = {
        "permissions": {"insert-row": only("anna"), "update-row": only("anna")},
        "plugin": {"allow_import": only("anna")},
        "here": closed_safes(),
    }
    with keeping(tmp_path / "jobs", house, **said) as ds:
        told = []
        for name in ("safes", "nothing"):
            for content, file, options in (
                (b"id\n1\n", "a.csv", f"?table={name}"),
                (json.dumps({"table": name, "rows": [{"id": 1}]}).encode(), "a.json", ""),
                (b"id\n1\n", "a.csv", f"?table=rooms&on_conflict_for={name}=skip"),
            ):
                answer = await send(ds, content, file, "/house/-/program-import.json" + options, "anna")
                told.append((answer.status_code, answer.text.replace(name, "X")))
        assert told[:3] == told[3:], told
        assert all(status in (400, 422) for status, _ in told)
        answer = await send(ds, b"id,safe_id\n1,1\n", path="/house/-/program-import.json?table=keys", who="anna")
        assert answer.status_code == 403 and "refers to safes, which you may not see" in answer.json()["error"]


@pytest.mark.skipif(not V1, reason="0.x: root only, who may have secrets")
async def test_secrets_are_neither_written_nor_guessed_without_the_permission(house: Path, tmp_path: Path) -> None:
    said = {
        "permissions": {"insert-row": only("anna", "ben"), "update-row": only("anna", "ben")},
        "plugin": {"allow_import": only("anna", "ben"), "allow_secrets": only("ben")},
    }
    path = "/house/-/program-import.json?table=rooms&on_conflict=update"
    with keeping(tmp_path / "jobs", house, **said) as ds:
        for guess in (b"hush", b"0ther"):
            answer = await send(ds, b"id,password\n1," + guess + b"\n", path=path, who="anna")
            assert answer.status_code == 403 and "secret (rooms.password)" in answer.json()["error"]
        one = (await send(ds, b"id,password\n1,0ther\n", path=path, who="ben")).json()
        page = await ask(ds, "get", one["links"]["page"], "ben")
        for text in (json.dumps(one), page.text):
            assert "hush" not in text and "0ther" not in text and "(a secret, not shown)" in text
        assert (await imported(ds, one, "ben"))["state"] == "done"


async def test_a_file_is_its_senders_alone(ds, tmp_path: Path) -> None:
    one = await looked_at(ds, CSV, options=UPDATE)
    folder = tmp_path / "jobs" / "imports" / one["id"]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    changed = replace(imports_in(ds).store.get(one["id"]), owner="somebody")
    imports_in(ds).store.put(changed)
    for method, what in (("get", ""), ("get", ".json"), ("post", "/apply"), ("post", "/delete"), ("post", "/preview")):
        answer = await ask(ds, method, one["links"]["page"] + what, "root")
        assert answer.status_code == 404 and "it is not yours" in answer.text
    assert "a.csv" not in (await ask(ds, "get", FORM, "root")).text


@pytest.mark.parametrize("path", [FORM, DATA])
async def test_another_sites_page_cannot_send_a_file(ds, tmp_path: Path, path: str) -> None:
    cookie = {"ds_actor": ds.sign({"a": {"id": "root"}}, "actor")}
    await ds.invoke_startup()
    headers = {**BROWSER, "sec-fetch-site": "cross-site"}
    answer = await ds.client.post(path, files={"file": ("a.csv", CSV)}, cookies=cookie, headers=headers)
    assert answer.status_code == 403 and not (tmp_path / "jobs" / "imports").exists()


async def test_the_databases_page_links_to_it_for_those_who_may(ds, demo: Path) -> None:
    assert 'href="/practice/-/program-import"' in (await ask(ds, "get", "/practice", "root")).text
    assert "program-import" not in (await ask(ds, "get", "/practice", "anna")).text
    ds.get_database("practice").is_mutable = False
    assert host_writing.why_not_written(ds.get_database("practice"))
    assert "program-import" not in (await ask(ds, "get", "/practice", "root")).text
