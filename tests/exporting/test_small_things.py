"""Small things that would be missed by nobody until somebody needs them."""

from __future__ import annotations

import asyncio
import json
import os
from datetime import datetime, timezone
from math import inf
from pathlib import Path
from typing import Any

import pytest

from datasette_program_export import Request, Settings, export, plan
from datasette_program_export.errors import CancelledError, DeniedError, ExportError, RequestError
from datasette_program_export.exporting.exporter import Export
from datasette_program_export.files.spool import Spool
from datasette_program_export.formats.csv.writing import CsvLines
from datasette_program_export.plugin.http.download import Download
from datasette_program_export.plugin.server.slots import SLOTS
from tests.support.databases.building import database, document, exported
from tests.support.sites.server import make_datasette, wait_until

MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)


def test_an_infinity_beside_a_null_is_written_as_one() -> None:
    """Both are null to the encoder that writes a column of numbers at once."""
    rows = [(1, 1.5), (2, inf), (3, None), (4, -inf), (5, 0)]
    assert CsvLines(",", 2)(rows) == b"1,1.5\r\n2,Infinity\r\n3,\r\n4,-Infinity\r\n5,0\r\n"
    connection = database(None, "CREATE TABLE t (id INTEGER PRIMARY KEY, x)", "INSERT INTO t VALUES (1, 9e999)")
    connection.execute("INSERT INTO t VALUES (2, NULL), (3, 2.5)")
    assert exported(connection, "t", format="csv") == b"id,x\r\n1,Infinity\r\n2,\r\n3,2.5\r\n"


def test_the_end_of_a_pretty_document() -> None:
    made = exported(database(None, "CREATE TABLE t (a)", "INSERT INTO t VALUES (1)"), "t", layout="pretty")
    assert made.endswith(b'",\n    "complete": true\n  }\n}\n') and made.startswith(
        b'{\n  "format": "programjson",\n  '
    )
    assert b'  "tables": {\n    "t": [\n      {\n        "a": 1\n      }\n    ]\n  },\n  "coverage": {' in made


def test_a_path_that_could_be_two_rows_names_none() -> None:
    rows = "INSERT INTO t VALUES (1, 'number'), ('1', 'text'), (2, 'number'), (X'32', 'blob')"
    connection = database(None, "CREATE TABLE t (id PRIMARY KEY, n)", rows)
    assert [r["n"] for r in document(connection, "t", "1")["tables"]["t"]] == ["text"]
    with pytest.raises(RequestError, match=r"^2 names 2 rows of t, not one\.$"):
        exported(connection, "t", "2")
    for name in ("number", "blob"):  # both are there, by another way
        assert len(document(connection, "t", where=[f"n = '{name}' AND CAST(id AS TEXT) = '2'"])["tables"]["t"]) == 1


TITLED = ("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, api_key TEXT, born TEXT)",)
WORDS = {"t": {"title": ["name", "api_key"], "told_apart_by": ["born", "api_key"]}}


@pytest.mark.parametrize(
    ("without", "title", "told_apart"),
    [((), "Ada", "1815"), (("t.name",), "1", "1815"), (("t.born",), "Ada", ""), (("t.name", "t.born"), "1", "")],
)
def test_what_is_not_in_the_file_is_not_in_its_name_either(
    without: tuple[str, ...], title: str, told_apart: str
) -> None:
    connection = database(None, *TITLED, "INSERT INTO t VALUES (1, 'Ada', 'CANARY', '1815')")
    settings = Settings.model_validate({"subjects": WORDS})
    request = Request(table="t", records=(("1",),), without=without)
    made = plan(connection, request, settings=settings)
    assert (made.title, made.told_apart) == (title, told_apart)
    with Export(connection, request, settings=settings, created_at=MOMENT) as running:
        assert b"CANARY" not in b"".join(running)
        assert running.filename == f"memory_t_{title}_20260102T030405Z.json"


def test_a_warning_names_no_table_that_may_not_be_seen() -> None:
    """Neither the reference that SQLite cannot check, nor the one to a column that is not there."""
    connection = database(
        None,
        "CREATE TABLE child (id INTEGER PRIMARY KEY, a REFERENCES hidden (n), b REFERENCES hidden (nix))",
        "CREATE TABLE hidden (id INTEGER PRIMARY KEY, n)",
    )
    everything = document(connection, "child")["coverage"]["warnings"]
    assert len(everything) == 2 and all("hidden" in w for w in everything)
    for how in ({}, {"cascade": True}):
        seen = document(connection, "child", visible={"child"}, **how)["coverage"]["warnings"]
        assert not [w for w in seen if "hidden" in w or "child." in w]


WORD_LISTS = {
    "fts5vocab": "USING fts5vocab(found, row)",
    "fts5vocab, quoted": """USING fts5vocab('found', "instance")""",
    "fts4aux": "USING fts4aux(old)",
}


def word_lists(how: str, *more: str) -> Any:
    return database(
        None,
        "CREATE TABLE doc (id INTEGER PRIMARY KEY, body TEXT)",
        "CREATE VIRTUAL TABLE found USING fts5(body, content='doc', content_rowid='id')",
        "CREATE VIRTUAL TABLE old USING fts4(body, content='doc')",
        *more,
        f"CREATE VIRTUAL TABLE words {WORD_LISTS[how]}",
    )


@pytest.mark.parametrize("how", WORD_LISTS)
def test_a_list_of_words_shows_no_more_than_its_index(how: str) -> None:
    connection = word_lists(how)
    assert document(connection, "words")["tables"]["words"] == []
    assert document(connection, "words", visible={"words", "found", "old", "doc"})["tables"]["words"] == []
    for visible in ({"words"}, {"words", "found", "old"}, {"words", "doc"}):
        with pytest.raises(DeniedError, match="not see all that words is made from"):
            exported(connection, "words", visible=visible)


@pytest.mark.parametrize("how", WORD_LISTS)
@pytest.mark.parametrize("where", ["in what is indexed", "elsewhere"])
def test_a_list_of_words_is_refused_where_there_are_secrets(how: str, where: str) -> None:
    secret = "ALTER TABLE doc ADD COLUMN password" if where != "elsewhere" else "CREATE TABLE keys (id, api_key)"
    connection = word_lists(how, secret)
    with pytest.raises(DeniedError, match="words cannot be exported"):
        exported(connection, "words")
    with pytest.raises(ExportError):
        exported(connection, "doc", where=["EXISTS (SELECT term FROM words)"])


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


def test_the_file_of_a_reader_who_caught_up_takes_no_room(tmp_path: Path) -> None:
    store = Spool(0, 10_000_000, str(tmp_path), lambda: None)
    size = lambda: os.fstat(store._file.fileno()).st_size  # noqa: E731
    for _ in range(3):  # again and again: a long download takes no more than the reader is behind
        store._put(b"a" * 1000)
        store._put(b"b" * 1000)
        assert size() == 2000
        assert store.take() == b"a" * 1000 + b"b" * 1000
        assert size() == 0
    store.close()


class Reader:
    """Who asked: receives nothing until it leaves."""

    def __init__(self) -> None:
        self.leaves = asyncio.Event()

    async def receive(self) -> dict[str, str]:
        await self.leaves.wait()
        return {"type": "http.disconnect"}


# the first rows come at once, the next never
ENDLESS = (
    "CREATE VIEW v AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c WHERE x < {}"
)


def downloaded(path: Path, rows: int, reader: Reader) -> Download:
    database(path, ENDLESS.format(rows)).close()
    return Download(export(path, Request(table="v")), reader, Settings())


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


async def test_a_reader_who_leaves_before_the_first_byte_stops_the_export(tmp_path: Path) -> None:
    before, reader = SLOTS.taken, Reader()
    made = downloaded(tmp_path / "x.db", 0, reader)
    starting = asyncio.ensure_future(made.start())
    await asyncio.to_thread(wait_until, lambda: made._reader._watcher is not None, "the watcher")
    reader.leaves.set()
    with pytest.raises(CancelledError):
        await asyncio.wait_for(starting, 20)
    await asyncio.to_thread(wait_until, lambda: SLOTS.taken == before, "the export to end")


@pytest.mark.parametrize("stuck", [True, False], ids=["while it takes nothing", "while it waits"])
async def test_a_reader_who_leaves_stops_the_export_and_is_no_error(tmp_path: Path, stuck: bool) -> None:
    before, reader, goes_on = SLOTS.taken, Reader(), asyncio.Event()
    taken: list[bytes] = []

    async def send(message: dict) -> None:
        taken.append(message.get("body", b""))
        if stuck and message["type"] == "http.response.body":
            await goes_on.wait()

    made = await downloaded(tmp_path / "x.db", 40, reader).start()
    sending = asyncio.ensure_future(made.asgi_send(send))
    await asyncio.to_thread(wait_until, lambda: len(taken) >= 2, "the first rows")
    reader.leaves.set()
    # the export ends although nobody has come back from sending yet
    await asyncio.to_thread(wait_until, lambda: SLOTS.taken == before, "the export to end")
    goes_on.set()
    await asyncio.wait_for(sending, 20)
    assert not b"".join(taken).endswith(b"}\n")
