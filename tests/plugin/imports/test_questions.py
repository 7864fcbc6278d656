"""The import page asks for the file first; what it must know of it is asked beside the file that was sent, once."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from datasette_program_export.plugin.imports import views
from tests.support.databases.building import database
from tests.support.sites.imports import BROWSER, ended, send
from tests.support.sites.jobs import ask, imports_in, keeping

FORM = "/house/-/program-import"
DATA = f"{FORM}.json"
PICTURE = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(40)


@pytest.fixture
def house(tmp_path: Path) -> Path:
    made = (
        "CREATE TABLE rooms (id INTEGER PRIMARY KEY, name TEXT, code TEXT UNIQUE)",
        "CREATE TABLE safes (id INTEGER PRIMARY KEY, name TEXT, size REAL)",
        "INSERT INTO rooms VALUES (1, 'hall', 'h'), (2, 'attic', 'a')",
    )
    database(tmp_path / "house.db", *made).close()
    return tmp_path / "house.db"


@pytest.fixture
def ds(house: Path, tmp_path: Path) -> Iterator[Any]:
    with keeping(tmp_path / "jobs", house, root=True) as found:
        yield found


async def page_of(ds: Any, content: bytes, name: str) -> str:
    sent = await send(ds, content, name, FORM, headers=BROWSER)
    assert sent.status_code == 303, sent.text
    found = await ask(ds, "get", sent.headers["location"], "root")
    return str(found.text)


def fields(html: str) -> set[str]:
    return set(re.findall(r'<(?:select|input|textarea)[^>]* name="(\w+)"', html))


def asked(html: str) -> set[str]:
    """The choices above the fold."""
    return fields(html.partition('id="questions"')[2].partition('id="more"')[0])


async def test_the_first_screen_is_the_file(ds) -> None:
    page = (await ask(ds, "get", FORM, "root")).text
    form = page.partition('enctype="multipart/form-data"')[2].partition("</form>")[0]
    assert fields(form) == {"file"} and form.count('type="submit"') == 1
    before = re.sub(r"<[^>]+>", " ", page.partition('class="program-export-page"')[2].partition('type="submit"')[0])
    assert len(before.split()) < 120 and "nothing is changed yet" in before


@pytest.mark.parametrize("patience", [5.0, 0.0])
async def test_a_picture_is_named_and_deleted_at_once(ds, tmp_path: Path, monkeypatch, patience: float) -> None:
    monkeypatch.setattr(views, "_PATIENCE", patience)
    answer = await send(ds, PICTURE, "me.csv", DATA)
    if answer.status_code == 202:  # it is still looked at
        one = await ended(ds, answer.json())
        assert one["error"].startswith("This is a picture (PNG)") and "apply" not in one["links"]
        assert not imports_in(ds).place(one["id"]).joinpath("file.csv").exists()
        page = (await ask(ds, "get", one["links"]["page"], "root")).text
        assert "This is a picture (PNG)" in page and "Look again" not in page
        return
    assert answer.status_code == 422 and answer.json()["error"].startswith("This is a picture (PNG)")
    assert list((tmp_path / "jobs" / "imports").iterdir()) == []
    page = await send(ds, PICTURE, "me.csv", FORM, headers=BROWSER)
    assert page.status_code == 422 and "This is a picture (PNG)" in page.text and 'type="file"' in page.text
    assert list((tmp_path / "jobs" / "imports").iterdir()) == []


async def test_a_file_that_names_no_table_is_kept_and_the_likely_one_proposed(ds) -> None:
    page = await page_of(ds, b"id,name,size,junk\n7,big,2.5,x\n", "a.csv")
    assert asked(page) == {"table"} and "<option selected>safes</option>" in page
    assert "A question about the file" in page and 'value="Look again"' in page
    answer = await send(ds, b"id,name,size,junk\n7,big,2.5,x\n", "a.csv", DATA)  # a program is told, and sends it again
    assert answer.status_code == 400 and len(imports_in(ds).store.ids()) == 1
    assert "A question about the file" in (await ask(ds, "get", FORM, "root")).text


async def test_rows_that_differ_are_the_one_question(ds, house: Path) -> None:
    page = await page_of(ds, b"id,name\n1,Hall\n2,attic\n3,cellar\n", "rooms.csv")
    assert asked(page) == {"on_conflict"}
    assert "A file of the kind CSV for rooms: 1 new row, 0 changed, 1 that differs, 1 there already." in page
    assert "1 row of rooms is there already, with other values." in page
    assert page.index("<bdi>hall</bdi>") < page.index("<bdi>Hall</bdi>") and 'value="Import' not in page
    more = fields(page.partition('id="more"')[2])
    assert {"table", "map", "cells", "create", "alter", "header", "skip_lines", "delimiter", "encoding"} <= more
    assert {"decimal", "dates", "skip_bad", "keys", "match", "triggers", "allow_dangling"} <= more
    assert 'value="rooms.code"' in page and "find out (a comma)" in page and "find out (yes)" in page
    (address,) = re.findall(rf'formaction="({FORM}/[\w-]+)/preview" class="second"></p>\s*<details', page)
    await ask(ds, "post", f"{address}/preview", "root", data={"on_conflict": "update"}, headers=BROWSER)
    page = (await ask(ds, "get", address, "root")).text
    assert 'value="Import 2 rows"' in page and "1 new row, 1 changed, 1 there already." in page


async def test_columns_without_a_name_here_are_asked_about_with_lists(ds, house: Path) -> None:
    page = await page_of(ds, b"Nr;Raum\n7;cellar\n", "rooms.csv")
    assert {"map", "cells", "delimiter"} <= asked(page) and "Not complete" not in page
    assert '<option value="Raum=name">name</option>' in page and ">cellar</bdi>" in page
    (address,) = re.findall(rf'formaction="({FORM}/[\w-]+)/preview" class="second"></p>\s*<details', page)
    answers = {"map": ["Nr=id", "Raum=name", ""], "cells": ["", "", "", ""], "on_conflict": "fail"}
    await ask(ds, "post", f"{address}/preview", "root", data=answers, headers=BROWSER)
    page = (await ask(ds, "get", address, "root")).text
    assert '<option value="Raum=name" selected>name</option>' in page and 'value="Import 1 row"' in page
    await ask(ds, "post", f"{address}/apply", "root", data=answers, headers=BROWSER)
    assert (await ended(ds, {"links": {"self": f"{address}.json"}}))["state"] == "done"
    with closing(sqlite3.connect(house)) as connection:
        assert connection.execute("SELECT id, name FROM rooms WHERE id = 7").fetchone() == (7, "cellar")


async def test_the_types_of_a_new_table_are_found_and_can_be_changed(ds) -> None:
    answer = await send(ds, b"nr,zip\n1,123\n", "people.csv", f"{DATA}?create=1")
    page = (await ask(ds, "get", answer.json()["links"]["page"], "root")).text
    assert "INTEGER (found)" in page and '<option value="zip=TEXT">' in page
    assert {"types", "pk"} <= fields(page)
    again = await ask(ds, "post", f"{answer.json()['links']['preview']}?types=zip%3DTEXT&pk=nr", "root")
    one = await ended(ds, again.json())
    assert one["report"]["tables"]["people"]["new_columns"] == {"nr": "INTEGER", "zip": "TEXT"}
    page = (await ask(ds, "get", one["links"]["page"], "root")).text
    assert '<option value="zip=TEXT" selected>' in page and 'name="pk" value="nr" checked' in page


async def test_all_choices_come_back_from_the_form(ds) -> None:
    """No choice is lost because another was changed."""
    options = "?table=rooms&header=1&skip_lines=1&encoding=cp1252&delimiter=semicolon&decimal=comma&dates=text"
    options += "&cells=name%3Dtext&map=x%3D&keys=new&match=rooms.code&triggers=1&skip_bad=1&on_conflict=skip"
    answer = await send(ds, b"above\nid;name;code;x\n5;a;b;c\n", "a.csv", DATA + options)
    assert answer.status_code == 200, answer.text
    one = answer.json()
    page = (await ask(ds, "get", one["links"]["page"], "root")).text
    form = page.partition(f'action="{one["links"]["apply"]}"')[2].partition("</form>")[0]
    await ask(ds, "post", one["links"]["preview"], "root", data=filled(form), headers=BROWSER)
    assert (await ended(ds, one))["choices"] == one["choices"]


def filled(form: str) -> dict[str, list[str]]:
    """What a browser would send."""
    found: dict[str, list[str]] = {}
    for attributes in re.findall(r"<input ([^>]*)>", form):
        name, value = (re.search(rf'{key}="([^"]*)"', attributes) for key in (r"\bname", r"\bvalue"))
        kind = re.search(r'type="(\w+)"', attributes)
        if name is None or (kind and kind[1] in ("checkbox", "radio") and "checked" not in attributes):
            continue
        found.setdefault(name[1], []).append(value[1] if value else "")
    for name, inner in re.findall(r'<select [^>]*name="(\w+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        chosen = re.findall(r"<option([^>]*)>([^<]*)", inner)
        attributes, text = next((one for one in chosen if "selected" in one[0]), chosen[0])
        value = re.search(r'value="([^"]*)"', attributes)
        found.setdefault(name, []).append(value[1] if value else text)
    for name, text in re.findall(r'<textarea [^>]*name="(\w+)"[^>]*>(.*?)</textarea>', form, re.DOTALL):
        found.setdefault(name, []).append(text)
    return found
