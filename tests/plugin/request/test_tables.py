"""Tables by their address: search indexes, chosen columns, no next page; and no internal database."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from datasette_program_export import Request, Settings, export
from datasette_program_export.plugin.http.download import Download
from tests.support.databases.building import database
from tests.support.sites.server import make_datasette

TITLED = ("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, api_key TEXT, born TEXT)",)


@pytest.mark.parametrize(
    "index",
    ['fts5(body, content="doc")', "FTS5 (\n    [body],\n    content=[doc]\n)", 'fts4(content="doc", body)'],
    ids=["last", "last, as sqlite-utils writes it", "first"],
)
async def test_a_search_is_found_wherever_the_index_names_its_content(tmp_path: Path, index: str) -> None:
    connection = database(
        tmp_path / "x.db",
        "CREATE TABLE doc (id INTEGER PRIMARY KEY, body TEXT)",
        f"CREATE VIRTUAL TABLE doc_fts USING {index}",
        "INSERT INTO doc VALUES (1, 'cat'), (2, 'dog')",
        "INSERT INTO doc_fts(doc_fts) VALUES ('rebuild')",
    )
    connection.close()
    ds = make_datasette(tmp_path / "x.db")
    response = await ds.client.get("/x/doc.programjson?_search=cat")
    assert response.status_code == 200, response.text
    assert response.json()["tables"]["doc"] == [{"id": 1, "body": "cat"}]
    assert (await ds.client.get("/x/doc_fts.programjson")).status_code == 200


async def test_the_internal_database_is_none(tmp_path: Path) -> None:
    """Not even for root, who may see it; in the words for a database that is not there."""
    database(tmp_path / "x.db", *TITLED).close()
    ds = make_datasette(tmp_path / "x.db")
    ds.root_enabled = True
    await ds.invoke_startup()
    cookies = {"ds_actor": ds.sign({"a": {"id": "root"}}, "actor")}
    for path in ("", "/databases", "/catalog_tables", "/-/program-export", "/-/query"):
        answers = []
        for name in ("_internal", "nix"):
            ending = (
                "" if "program-export" in path else ".programjson?sql=select+1" if "query" in path else ".programjson"
            )
            response = await ds.client.get(f"/{name}{path}{ending}", cookies=cookies)
            answers.append((response.status_code, response.text.replace(name, "…")))
        assert answers[0] == answers[1] and answers[0][0] == 404, path


async def test_chosen_columns_come_after_the_key(tmp_path: Path) -> None:
    rows = "INSERT INTO p VALUES (1, 2, 3, 4)"
    database(tmp_path / "x.db", "CREATE TABLE p (a, b, c, d, PRIMARY KEY (d, b))", rows).close()
    ds = make_datasette(tmp_path / "x.db")
    for query, columns in [("_col=c", "dbc"), ("_col=c&_col=a&_col=d", "dbca"), ("_col=a&_nocol=a", "db")]:
        found = (await ds.client.get(f"/x/p.programjson?{query}")).json()
        assert "".join(found["tables"]["p"][0]) == columns, query


class Reader:
    """Who asked: receives nothing until it leaves."""

    actor = None

    def __init__(self) -> None:
        self.leaves = asyncio.Event()

    async def receive(self) -> dict[str, str]:
        await self.leaves.wait()
        return {"type": "http.disconnect"}


async def test_no_next_page_is_announced(tmp_path: Path) -> None:
    sent: list[dict] = []

    async def send(message: dict) -> None:
        sent.append(message)

    database(tmp_path / "x.db", *TITLED).close()
    made = Download(export(tmp_path / "x.db", Request(table="t")), Reader(), Settings())
    await made.start()
    made.headers["link"] = '<https://example.com/?_next=100>; rel="next"'
    made.headers["x-other"] = "stays"
    await made.asgi_send(send)
    names = [name for name, _ in sent[0]["headers"]]
    assert b"link" not in names and b"x-other" in names
    assert json.loads(b"".join(m["body"] for m in sent[1:]))["integrity"]["complete"] is True
