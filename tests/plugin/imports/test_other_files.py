"""Files of other programs on the import page: what is asked about a file is answered in the form, without a script."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from datasette_program_export import Request, export
from tests.support.databases.house import made, rows
from tests.support.sites.imports import BROWSER, ended, imported
from tests.support.sites.jobs import ask, keeping

MADE = "CREATE TABLE t (id INTEGER PRIMARY KEY, price REAL, born DATE, pic BLOB, a TEXT)"
FORM = "/shop/-/program-import"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return made(tmp_path / "shop.db", MADE, journal="delete")


@pytest.fixture
def ds(shop: Path, tmp_path: Path) -> Iterator[Any]:
    with keeping(tmp_path / "jobs", shop, root=True) as found:
        yield found


async def looked(ds: Any, content: bytes, name: str, options: str = "?table=t") -> dict:
    answer = await ask(ds, "post", f"{FORM}.json{options}", "root", files={"file": (name, content)})
    assert answer.status_code in (200, 202), answer.text
    return await ended(ds, answer.json())


def fields(html: str) -> set[str]:
    return set(re.findall(r'<(?:select|input|textarea)[^>]* name="(\w+)"', html))


async def test_what_is_asked_about_a_file_is_answered_in_the_form(ds, shop: Path) -> None:
    data = b"Preise\n\nid;price;born;pic\n1;1.234,5;31.12.2024;0xFF\n2;7;2024-01-31;\n"
    one = await looked(ds, data, "a.csv")
    said = " ".join(f["message"] for f in one["report"]["findings"])
    assert one["report"]["status"] == "refused"
    assert all(
        word in said for word in ("the argument decimal", "argument dates", "the argument cells with pic=hex")
    ), said
    page = await ask(ds, "get", one["links"]["page"], "root")
    assert "the field (cells) with pic=hex" in page.text and "the argument" not in page.text
    of_csv = {"decimal", "dates", "cells", "encoding", "delimiter", "header", "skip_lines", "table", "map", "create"}
    assert of_csv <= fields(page.text) and not {"nan", "rows_at"} & fields(page.text)
    asked = page.text.partition('id="questions"')[2].partition('id="more"')[0]
    assert {"decimal", "dates", "cells"} <= fields(asked) and "skip_lines" not in fields(asked)
    answers = {"on_conflict": "fail", "table": "t", "decimal": "comma", "dates": "day-first", "cells": ["pic=hex", ""]}
    empty = dict.fromkeys(("encoding", "delimiter", "header", "skip_lines", "nan", "rows_at"), "")
    sent = await ask(ds, "post", one["links"]["preview"], "root", data={**answers, **empty}, headers=BROWSER)
    assert sent.status_code == 303
    one = await ended(ds, one)
    assert one["report"]["status"] == "preview" and one["choices"]["cells"] == {"pic": "hex"}
    page = (await ask(ds, "get", one["links"]["page"], "root")).text
    assert 'value="pic=hex"' in page and '<option value="comma" selected>' in page and "read day-first" in page
    assert (await imported(ds, one))["state"] == "done"
    assert rows(shop, "SELECT * FROM t") == [(1, 1234.5, "2024-12-31", b"\xff", None), (2, 7, "2024-01-31", None, None)]


@pytest.mark.parametrize(
    ("name", "content", "options", "stored"),
    [
        ("a.csv", b"Nr,Preis\n1,5\n", "", None),
        ("a.csv", b"7,5,,,x\n", "&header=0", [(7, 5.0, None, None, "x")]),
        ("a.csv", "id,a\n1,Привет\n".encode("cp1251"), "&encoding=cp1251", [(1, None, None, None, "Привет")]),
        ("a.csv", b"x\nid,a\n1,y\n", "&skip_lines=1", [(1, None, None, None, "y")]),
        (
            "a.json",
            b'{"x": {"y": [{"id": 1, "a": NaN}]}, "z": [{"id": 2}]}',
            "&rows_at=x.y&nan=null",
            [(1,) + (None,) * 4],
        ),
        ("a.json", b'[{"id": 1e9999999999999999999}]', "", None),
        ("a.json", b'[{"id": 1,}]', "", None),
    ],
)
async def test_a_program_says_the_same_in_the_address(
    name: str, content: bytes, options: str, stored: list | None, ds, shop: Path
) -> None:
    one = await looked(ds, content, name, f"?table=t{options}")
    assert one["state"] == "previewed" and (one["report"]["status"] == "preview") is (stored is not None)
    if stored is not None:
        await imported(ds, one)
    with closing(sqlite3.connect(shop)) as connection:
        assert connection.execute("SELECT * FROM t").fetchall() == (stored or [])


@pytest.mark.parametrize(
    "options", ["skip_lines=-1", "skip_lines=x", "decimal=dot", "dates=ymd", "cells=pic", "cells=pic=jpeg", "nan=0"]
)
async def test_a_choice_that_is_none_is_a_wrong_request(options: str, ds) -> None:
    answer = await ask(ds, "post", f"{FORM}.json?table=t&{options}", "root", files={"file": ("a.csv", b"id\n1\n")})
    assert answer.status_code == 400 and options.partition("=")[0] in answer.json()["error"]


async def test_sql_scripts_are_imported_and_do_no_harm(ds, shop: Path, tmp_path: Path) -> None:
    """One of this program, which proves itself; one of another, which cannot; one that does more than insert."""
    source = made(tmp_path / "source.db", MADE, "INSERT INTO t (id, a) VALUES (1, 'x')")
    one = await looked(ds, b"".join(export(source, Request(format="sql"))), "t.sql", "")
    assert "Complete and unchanged" in (await ask(ds, "get", one["links"]["page"], "root")).text
    await imported(ds, one)
    one = await looked(ds, f"{MADE};\nINSERT INTO t (id, a) VALUES (2, 'y');".encode(), "t.sql", "")
    assert "Cannot tell whether it is complete" in (await ask(ds, "get", one["links"]["page"], "root")).text
    await imported(ds, one)
    assert rows(shop, "SELECT id, a FROM t") == [(1, "x"), (2, "y")]
    one = await looked(ds, f"{MADE};\nATTACH '{tmp_path / 'other.db'}' AS x;".encode(), "t.sql", "")
    assert "Line 2 of the script is not run: ATTACH" in one["report"]["findings"][0]["message"]
    assert not (tmp_path / "other.db").exists()
