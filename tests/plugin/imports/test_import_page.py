"""Importing through Datasette: what is shown before, who may do it, what is done, and that it can be stopped."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shlex
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from click.testing import CliRunner

from datasette_program_export.cli.main import program_export
from datasette_program_export.demo import ANNA
from datasette_program_export.plugin.host import V1
from datasette_program_export.plugin.host import writing as host_writing
from datasette_program_export.plugin.imports import views as import_views
from datasette_program_export.plugin.imports import work as import_work
from datasette_program_export.plugin.server import site as job_site
from tests.support.databases.building import database
from tests.support.sites.jobs import ask, imports_in, keeping
from tests.support.sites.permissions import only

FORM, DATA = "/practice/-/program-import", "/practice/-/program-import.json"
BROWSER = {"accept": "text/html", "sec-fetch-site": "same-origin"}
CSV = f"id,first_name\n{ANNA},Annerl\n".encode()
UPDATE = "?table=clients&on_conflict=update"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log.jsonl"


@pytest.fixture
def ds(demo: Path, tmp_path: Path, log: Path) -> Iterator[Any]:
    with keeping(tmp_path / "jobs", demo, root=True, plugin={"audit_log": str(log)}) as found:
        yield found


async def send(ds: Any, content: bytes, name: str = "a.csv", path: str = DATA, who: str | None = "root", **how) -> Any:
    return await ask(ds, "post", path, who, files={"file": (name, content)}, **how)


async def looked_at(ds: Any, content: bytes, name: str = "a.csv", options: str = "", **how) -> dict:
    answer = await send(ds, content, name, DATA + options, **how)
    assert answer.status_code in (200, 202), answer.text
    return await ended(ds, answer.json(), **how)


async def ended(ds: Any, one: dict, who: str = "root", **_) -> dict:
    for _ in range(2000):
        answer = await ask(ds, "get", one["links"]["self"], who)
        assert answer.status_code == 200, answer.text
        one = answer.json()
        if one["state"] not in ("looking", "importing"):
            return one
        await asyncio.sleep(0.005)
    raise AssertionError("it did not end")


async def imported(ds: Any, one: dict, who: str = "root", **how) -> dict:
    begun = await ask(ds, "post", one["links"]["apply"], who, **how)
    assert begun.status_code == 202, begun.text
    assert begun.headers["location"].endswith(one["links"]["self"])
    return await ended(ds, one, who)


def name_in(file: Path) -> str:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute("SELECT first_name FROM clients WHERE id = ?", (ANNA,)).fetchone()[0]


def words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


async def test_a_preview_tells_what_would_change_and_changes_nothing(ds, demo: Path, tmp_path: Path) -> None:
    before = demo.read_bytes()
    one = await looked_at(ds, CSV, options=UPDATE)
    assert one["state"] == "previewed" and one["report"]["status"] == "preview" and one["lacking"] == []
    (sample,) = one["report"]["tables"]["clients"]["samples"]
    assert sample["differences"] == [{"column": "first_name", "target": "Anna", "file": "Annerl"}]
    page = await ask(ds, "get", one["links"]["page"], "root")
    assert page.status_code == 200
    assert "first_name Anna Annerl" in words(page.text) and 'value="Import 1 row"' in page.text
    assert "Cannot tell whether it is complete" in page.text
    assert demo.read_bytes() == before
    kept = sorted(path.name for path in (tmp_path / "jobs" / "imports" / one["id"]).iterdir())
    assert kept == ["file.csv"]  # the copy of the database is gone


async def test_what_is_imported_is_there_with_links_a_safety_copy_and_a_line(ds, demo: Path, log: Path) -> None:
    one = await imported(ds, await looked_at(ds, CSV, options=UPDATE))
    assert one["state"] == "done" and one["report"]["status"] == "imported"
    assert name_in(demo) == "Annerl"
    page = await ask(ds, "get", one["links"]["page"], "root")
    assert f'href="/practice/clients/{ANNA}"' in page.text and 'href="/practice/clients"' in page.text
    assert one["report"]["safety_copy"] in page.text
    (line,) = [json.loads(line) for line in log.read_text().splitlines()]
    assert (line["actor"], line["scope"], line["outcome"], line["rows"]) == ("root", "import", "complete", 1)
    assert line["sha256"] == one["sha256"] and line["request"]["tables"]["clients"]["update"] == 1
    assert "Annerl" not in json.dumps(line)
    assert (await ask(ds, "post", one["links"]["page"] + "/apply", "root")).status_code == 410
    command = shlex.split(one["report"]["restore"])
    assert stat.S_IMODE(Path(command[3]).parent.stat().st_mode) == 0o700
    assert CliRunner().invoke(program_export, command[2:]).exit_code == 0
    assert name_in(demo) == "Anna"


async def test_a_record_that_was_exported_goes_back(ds, demo: Path, log: Path) -> None:
    content = (await ask(ds, "get", f"/practice/clients/{ANNA}.programjson", "root")).content
    with closing(sqlite3.connect(demo)) as connection:
        gone = connection.execute("DELETE FROM session_notes WHERE client_id = ?", (ANNA,)).rowcount
        connection.commit()
    one = await looked_at(ds, content, "anna.json")
    assert one["report"]["tables"]["session_notes"]["insert"] == gone == 3
    assert "Complete and unchanged" in (await ask(ds, "get", one["links"]["page"], "root")).text
    one = await imported(ds, one)
    assert one["state"] == "done" and one["report"]["export"]["source"] == "practice"
    assert json.loads(log.read_text().splitlines()[-1])["request"]["file"]["source"] == "practice"
    with closing(sqlite3.connect(demo)) as connection:
        assert connection.execute("SELECT count(*) FROM session_notes WHERE client_id = ?", (ANNA,)).fetchone() == (3,)


async def test_what_is_here_already_is_told_and_not_offered(ds) -> None:
    content = (await ask(ds, "get", f"/practice/clients/{ANNA}.programjson", "root")).content
    one = await looked_at(ds, content, "anna.json")
    page = await ask(ds, "get", one["links"]["page"], "root")
    assert "Nothing would change." in page.text and 'value="Import' not in page.text


async def test_a_changed_file_and_a_conflict_are_told_and_nothing_is_imported(ds, demo: Path, log: Path) -> None:
    content = (await ask(ds, "get", f"/practice/clients/{ANNA}.programjson", "root")).content
    one = await looked_at(ds, content.replace(b'"Anna"', b'"Anne"'), "anna.json")
    page = words((await ask(ds, "get", one["links"]["page"], "root")).text)
    assert one["report"]["status"] == "refused" and "Not complete, changed, or not readable" in page
    one = await looked_at(ds, CSV, options="?table=clients")
    assert one["report"]["tables"]["clients"]["conflict"] == 1
    page = await ask(ds, "get", one["links"]["page"], "root")
    assert "is there already, with other values" in page.text and 'value="Import' not in page.text
    one = await imported(ds, one)
    assert one["state"] == "refused" and one["ok"] is False and name_in(demo) == "Anna"
    assert json.loads(log.read_text().splitlines()[-1])["outcome"] == "refused"
    assert not list(demo.parent.glob("safety-copies/*"))
    again = await ask(ds, "post", one["links"]["preview"] + "?table=clients&on_conflict=skip", "root")
    assert (await ended(ds, again.json()))["report"]["tables"]["clients"]["skip"] == 1


async def test_who_changes_a_choice_on_the_page_sees_first_what_that_would_do(ds, demo: Path) -> None:
    one = await looked_at(ds, CSV, options="?table=clients&on_conflict=skip")
    fields = {"table": "clients", "on_conflict": "update", "on_conflict_for": "clients=", "csrftoken": "x"}
    answer = await ask(ds, "post", one["links"]["apply"], "root", data=fields, headers=BROWSER)
    assert answer.status_code in (302, 303) and answer.headers["x-robots-tag"] == "noindex, nofollow"
    one = await ended(ds, one)
    assert one["state"] == "previewed" and one["report"]["tables"]["clients"]["update"] == 1
    assert name_in(demo) == "Anna"
    await ask(ds, "post", one["links"]["apply"], "root", data=fields, headers=BROWSER)
    assert (await ended(ds, one))["state"] == "done" and name_in(demo) == "Annerl"


async def test_what_was_changed_since_the_preview_is_not_run_over(ds, demo: Path, log: Path) -> None:
    one = await looked_at(ds, CSV, options=UPDATE)
    with closing(sqlite3.connect(demo)) as connection:
        connection.execute("UPDATE clients SET first_name = 'Annerl' WHERE id = ?", (ANNA,))
        connection.commit()
    one = await imported(ds, one)
    assert one["state"] == "failed" and one["error"].startswith("practice was changed since the preview")
    assert not list(demo.parent.glob("safety-copies/*"))
    assert json.loads(log.read_text().splitlines()[-1])["outcome"].startswith("practice was changed")


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


def anna_may(**permissions: Any) -> dict:
    return {"permissions": {name.replace("_", "-"): only("anna") for name in permissions}}


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


async def test_the_page_lists_ones_files_and_they_can_be_deleted(ds, tmp_path: Path) -> None:
    one = await looked_at(ds, CSV, options=UPDATE)
    page = await ask(ds, "get", FORM, "root")
    assert page.status_code == 200 and one["links"]["page"] in page.text and 'type="file"' in page.text
    assert (await ask(ds, "post", one["links"]["delete"], "root")).json() == {"ok": True}
    assert (await ask(ds, "get", one["links"]["page"], "root")).status_code == 404
    assert list((tmp_path / "jobs" / "imports").iterdir()) == []


async def test_a_file_is_kept_no_longer_than_is_said(ds) -> None:
    one = await looked_at(ds, CSV, options=UPDATE)
    imports = imports_in(ds)
    kept = imports.store.get(one["id"])
    imports.store.put(replace(kept, ended=kept.ended - 23 * 3600))
    imports_in(ds).tidy()
    assert imports.store.get(one["id"]) is not None
    imports.store.put(replace(kept, ended=kept.ended - 25 * 3600))
    imports_in(ds).tidy()
    assert imports.store.get(one["id"]) is None


async def test_what_a_stopped_server_left_is_interrupted(ds) -> None:
    one = await looked_at(ds, CSV, options=UPDATE)
    imports = imports_in(ds)
    imports.store.put(replace(imports.store.get(one["id"]), state="importing", instance="gone"))
    one = (await ask(ds, "get", one["links"]["self"], "root")).json()
    assert one["state"] == "interrupted" and "all or nothing" in one["error"]
    job_site.close(ds)
    assert (await ask(ds, "get", one["links"]["self"], "root")).json()["state"] == "interrupted"


async def test_old_safety_copies_go_when_the_site_says_so(demo: Path, tmp_path: Path) -> None:
    copies = tmp_path / "copies"
    copies.mkdir(mode=0o700)
    ages = {"old.db": 8, "old.db-copy": 8, "new.db": 6, "new.db-copy": 6}
    for name, age in {**{f"practice.before-import-{end}": age for end, age in ages.items()}, "my.db": 9}.items():
        (copies / name).touch()
        when = (copies / name).stat().st_mtime - age * 86400
        os.utime(copies / name, (when, when))
    plugin = {"safety_copy_dir": str(copies), "safety_copy_days": 7}
    with keeping(tmp_path / "jobs", demo, root=True, plugin=plugin) as ds:
        one = await imported(ds, await looked_at(ds, CSV, options=UPDATE))
    kept = {path.name for path in copies.iterdir()}
    recent = {"practice.before-import-new.db", "practice.before-import-new.db-copy"}
    assert kept == {*recent, "my.db", Path(one["report"]["safety_copy"]).name}


async def test_what_cannot_be_written_is_said_before_a_file_is_sent(house: Path, tmp_path: Path, demo: Path) -> None:
    with keeping(tmp_path / "jobs", demo, root=True) as ds:
        ds.add_memory_database("fleeting")
        await ds.get_database("fleeting").execute_write("CREATE TABLE t (a)")
        answer = await ask(ds, "get", "/fleeting/-/program-import", "root")
        assert answer.status_code == 422 and "in memory only" in answer.text
        frozen = ds.get_database("practice")
        frozen.is_mutable = False
        answer = await send(ds, CSV)
        assert answer.status_code == 422 and "immutable" in answer.json()["error"]


async def test_a_database_without_tables_is_not_made_by_a_files_sql(demo: Path, tmp_path: Path) -> None:
    database(tmp_path / "empty.db", "PRAGMA user_version = 1").close()
    with keeping(tmp_path / "jobs", tmp_path / "empty.db", demo, root=True) as ds:
        content = (await ask(ds, "get", f"/practice/clients/{ANNA}.programjson", "root")).content
        answer = await send(ds, content, "anna.json", "/empty/-/program-import.json")
        assert answer.status_code in (403, 422)
    with closing(sqlite3.connect(tmp_path / "empty.db")) as connection:
        assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ("?on_conflict=delete", "on_conflict"),
        ("?on_conflict_for=clients", "table=policy"),
        ("?triggers=perhaps", "triggers is 1 or 0"),
        ("?trusted=1", "trusted is no choice of an import"),
        ("?backup=/etc/passwd", "backup is no choice"),
        ("?table=nowhere", "There is no table nowhere"),
    ],
)
async def test_a_wrong_choice_is_named_and_the_file_is_not_kept(ds, tmp_path: Path, options, sentence) -> None:
    answer = await send(ds, CSV, path=DATA + options)
    assert answer.status_code == 400 and sentence in answer.json()["error"]
    assert list((tmp_path / "jobs" / "imports").iterdir()) == []


async def test_choices_come_with_the_file_too(ds) -> None:
    answer = await send(ds, CSV, data={"table": "clients", "on_conflict": "skip", "on_conflict_for": "clients=update"})
    one = await ended(ds, answer.json())
    assert one["choices"]["on_conflict_for"] == {"clients": "update"}
    assert one["report"]["tables"]["clients"]["update"] == 1


@pytest.mark.parametrize("path", [FORM, DATA])
async def test_another_sites_page_cannot_send_a_file(ds, tmp_path: Path, path: str) -> None:
    cookie = {"ds_actor": ds.sign({"a": {"id": "root"}}, "actor")}
    await ds.invoke_startup()
    headers = {**BROWSER, "sec-fetch-site": "cross-site"}
    answer = await ds.client.post(path, files={"file": ("a.csv", CSV)}, cookies=cookie, headers=headers)
    assert answer.status_code == 403 and not (tmp_path / "jobs" / "imports").exists()


async def test_too_much_is_refused_with_a_sentence(demo: Path, tmp_path: Path) -> None:
    with keeping(tmp_path / "jobs", demo, root=True, plugin={"import_mb": 0.00001, "jobs_disk_mb": 0.001}) as ds:
        answer = await send(ds, CSV)
        assert answer.status_code == 413 and "(import_mb)" in answer.json()["error"]
        page = await send(ds, CSV, path=FORM, headers=BROWSER)
        assert page.status_code == 413 and 'type="file"' in page.text and "(import_mb)" in page.text
    with keeping(tmp_path / "jobs2", demo, root=True, plugin={"jobs_disk_mb": 0.0001}) as ds:
        answer = await send(ds, CSV)
        assert answer.status_code == 507 and "jobs_disk_mb" in answer.json()["error"]
    with keeping(tmp_path / "jobs3", demo, root=True, plugin={"max_jobs": 1}) as ds:
        one = await looked_at(ds, CSV, options=UPDATE)
        imports = imports_in(ds)
        imports.settings = imports.settings.model_copy(update={"max_jobs": 0})  # as if one ran
        assert (await send(ds, CSV)).status_code == 429
        assert (await ask(ds, "post", one["links"]["apply"], "root")).status_code == 429
        assert imports.store.ids() == {one["id"]}


async def test_the_databases_page_links_to_it_for_those_who_may(ds, demo: Path) -> None:
    assert 'href="/practice/-/program-import"' in (await ask(ds, "get", "/practice", "root")).text
    assert "program-import" not in (await ask(ds, "get", "/practice", "anna")).text
    ds.get_database("practice").is_mutable = False
    assert host_writing.why_not_written(ds.get_database("practice"))
    assert "program-import" not in (await ask(ds, "get", "/practice", "root")).text
