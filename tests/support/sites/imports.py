"""Imports through Datasette: a file sent, looked at, imported; as a program does it."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from datasette_program_export.demo import ANNA
from tests.support.sites.jobs import ask

FORM, DATA = "/practice/-/program-import", "/practice/-/program-import.json"
BROWSER = {"accept": "text/html", "sec-fetch-site": "same-origin"}
CSV = f"id,first_name\n{ANNA},Annerl\n".encode()
UPDATE = "?table=clients&on_conflict=update"


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
