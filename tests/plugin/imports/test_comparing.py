"""A file that was sent, compared with the database: the answer, the differences, who may see them."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from datasette_program_export import Request, export
from datasette_program_export.demo import ANNA
from datasette_program_export.plugin.host import V1
from tests.support.databases.building import database
from tests.support.sites.imports import BROWSER, ended, looked_at, send
from tests.support.sites.jobs import ask, keeping
from tests.support.sites.permissions import only

UPGRADE = """
ALTER TABLE clients RENAME COLUMN last_name TO surname;
CREATE TABLE tags (id INTEGER PRIMARY KEY, tag TEXT);
DELETE FROM session_notes WHERE rowid IN (SELECT rowid FROM session_notes LIMIT 3);
UPDATE clients SET phone = '<b>1</b>' WHERE id = '{}'
"""
GERMAN = {"accept-language": "de"}


async def compared(ds: Any, one: dict, fields: str = "", who: str = "root") -> dict:
    """Have it compared, and return the answer's data when it has ended."""
    answer = await ask(ds, "post", one["links"]["compare"] + ".json" + fields, who)
    assert answer.status_code in (200, 202), answer.text
    await ended(ds, one, who)
    return (await ask(ds, "get", one["links"]["compare"] + ".json", who)).json()


async def test_an_upgrade(ds: Any, demo: Path) -> None:
    """The sentence, a name that is confirmed, both values side by side, the file; the import stays as it was."""
    before = b"".join(export(demo))
    with closing(sqlite3.connect(demo)) as connection:
        connection.executescript(UPGRADE.format(ANNA))
    one = await looked_at(ds, before, "before.programjson")
    page = one["links"]["compare"]
    assert f'href="{page}"' in (await ask(ds, "get", one["links"]["page"], "root")).text
    empty = await ask(ds, "get", page, "root", headers=GERMAN)
    assert "Ist alles noch da?" in empty.text and "Vergleichen" in empty.text
    found = await compared(ds, one)
    assert not found["complete"]
    (proposal,) = found["comparison"]["proposals"]
    assert (proposal["old"], proposal["new"]) == ("last_name", "surname")
    assert 'value="clients.last_name=surname"' in (await ask(ds, "get", page, "root")).text
    found = await compared(ds, one, "?map=clients.last_name%3Dsurname")
    text = (await ask(ds, "get", page, "root")).text
    assert (
        "Not everything is as it was: 1 row of clients changed, 3 rows of session_notes are gone. New: 1 table. "
        "Not compared: 1 column." in text
    )
    assert "&lt;b&gt;1&lt;/b&gt;" in text and "<b>1</b>" not in text and "last_name is called surname now" in text
    german = (await ask(ds, "get", page, "root", headers=GERMAN)).text
    assert "in clients ist 1 Eintrag anders, in session_notes fehlen 3 Einträge" in german
    file = await ask(ds, "get", found["links"]["differences"], "root")
    assert file.headers["content-disposition"].startswith("attachment")
    assert sorted(one["kind"] for one in json.loads(file.content)) == ["changed", "gone", "gone", "gone"]
    now = (await ask(ds, "get", one["links"]["self"], "root")).json()
    assert (now["state"], now["report"]) == (one["state"], one["report"])
    sent = await ask(ds, "post", page, "root", headers=BROWSER)
    assert sent.status_code in (302, 303) and sent.headers["location"] == page


async def test_what_cannot_be_compared_is_said_and_not_kept(ds: Any, demo: Path, tmp_path: Path) -> None:
    path = "/practice/-/program-import/compare"
    form = await ask(ds, "get", path, "root")
    assert form.status_code == 200 and 'type="file"' in form.text
    for content, name in ((demo.read_bytes(), "a.db"), (b"".join(export(demo))[:-60], "a.programjson")):
        why = "A site opens no SQLite file but those" if name == "a.db" else "a.programjson: The file is cut"
        german = {**BROWSER, **GERMAN}, "Die beiden ließen sich nicht vergleichen."
        for headers, said in (({}, why), (BROWSER, why), german):
            answer = await send(ds, content, name, path, headers=headers)
            assert answer.status_code == 422 and said in answer.text, answer.text
    assert list((tmp_path / "jobs" / "imports").iterdir()) == []


HOUSE = (
    "CREATE TABLE rooms (id INTEGER PRIMARY KEY, name TEXT, password TEXT)",
    "CREATE TABLE safes (id INTEGER PRIMARY KEY, code TEXT)",
    "INSERT INTO rooms VALUES (1, 'hall', 'hush')",
    "INSERT INTO safes VALUES (1, '1234')",
)


@pytest.mark.skipif(not V1, reason="0.x: root only")
async def test_only_what_the_person_may_see_is_compared(tmp_path: Path) -> None:
    """Neither rows of a hidden table nor whether it is there, nor whether a secret is another."""
    database(tmp_path / "house.db", *HOUSE).close()
    database(tmp_path / "other.db", *HOUSE, "CREATE TABLE none (id INTEGER PRIMARY KEY)").close()
    with closing(sqlite3.connect(tmp_path / "other.db")) as connection:
        connection.executescript("UPDATE rooms SET password = 'guess'; UPDATE safes SET code = '1'")
    file = b"".join(export(tmp_path / "other.db", Request(secrets="include")))
    said = {
        "permissions": {"insert-row": only("anna"), "update-row": only("anna")},
        "here": {"tables": {"safes": {"allow": only("ben")}}},
        "plugin": {"allow_import": only("anna")},
    }
    with keeping(tmp_path / "jobs", tmp_path / "house.db", **said) as ds:
        sent = await send(ds, file, "all.programjson", "/house/-/program-import/compare", "anna")
        assert sent.status_code == 200, sent.text
        found = sent.json()
        tables = found["comparison"]["tables"]
        assert {name: tables[name]["status"] for name in ("safes", "none")} == {"safes": "skipped", "none": "skipped"}
        assert tables["safes"]["note"] == tables["none"]["note"] and tables["rooms"]["changed"] == 0
        assert "password" in tables["rooms"]["not_compared"] and "1234" not in json.dumps(found)
        for who in (None, "ben"):
            for path in (found["links"]["page"], found["links"]["self"], found["links"]["differences"]):
                assert (await ask(ds, "get", path, who)).status_code in (403, 404)


async def test_a_sqlite_file_of_this_program_is_compared_as_any_export(ds: Any, demo: Path) -> None:
    before = b"".join(export(demo, Request(format="sqlite")))
    with closing(sqlite3.connect(demo)) as connection:
        connection.execute("UPDATE clients SET phone = '1' WHERE id = ?", (ANNA,))
        connection.commit()
    answer = await send(ds, before, "before.sqlite", "/practice/-/program-import/compare", headers={})
    assert answer.status_code in (200, 202), answer.text
    await ended(ds, answer.json() | {"links": {"self": answer.json()["links"]["file"] + ".json"}})
    found = (await ask(ds, "get", answer.json()["links"]["self"], "root")).json()
    clients = found["comparison"]["tables"]["clients"]
    assert (clients["changed"], clients["gone"], clients["new"]) == (1, 0, 0)


async def test_a_workbook_that_a_person_changed_is_not_called_unchanged(ds: Any, demo: Path, tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    path = tmp_path / "practice.xlsx"
    path.write_bytes(b"".join(export(demo, Request(format="xlsx"))))
    book = openpyxl.load_workbook(path)
    book["clients"]["E2"] = "+49 30 1234567"
    book.save(path)
    one = await looked_at(ds, path.read_bytes(), "practice.xlsx", "?on_conflict=update")
    for language, said in (("en", "it was changed since"), ("de", "seitdem wurde sie geändert")):
        page = (await ask(ds, "get", one["links"]["page"], "root", headers={"accept-language": language})).text
        assert said in page and "Complete and unchanged" not in page and "Vollständig und unverändert" not in page
