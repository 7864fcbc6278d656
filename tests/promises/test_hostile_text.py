"""Texts that are made to keep a server busy: too long ones are refused by name, all others are read in one pass."""

from __future__ import annotations

import asyncio
import random
import string
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from datasette.utils.asgi import Request

from datasette_program_export.database.guarding import authorizer as guard
from datasette_program_export.database.schema import Table
from datasette_program_export.database.virtual_tables import contentless, indexed_by, module_of
from datasette_program_export.errors import RequestError
from datasette_program_export.formats.csv.writing import SpreadsheetLines
from datasette_program_export.formats.sqlite.literals import Literals, _mark
from datasette_program_export.plugin.http.forms import form_of
from datasette_program_export.plugin.http.parameters import MOST, MOST_ENCODED, pairs_of
from datasette_program_export.plugin.jobs.result import part_of
from datasette_program_export.plugin.request import queries
from datasette_program_export.selection.scopes import base as scope
from tests.support.databases.building import database, document
from tests.support.sites.jobs import ask, keeping
from tests.support.sites.permissions import get, house, site

pytestmark = pytest.mark.timeout(20)  # a pattern that tries all ways never ends


@pytest.fixture(scope="module")
def house_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Not to be written to."""
    return house(tmp_path_factory.mktemp("hostile"))


async def answer(ds: Any, path: str, query: str) -> tuple[int, str]:
    """Status and text of an address of any length; httpx takes none of more than 65,536 characters."""
    await ds.invoke_startup()
    sent: list[dict[str, Any]] = []
    asked: list[int] = []

    async def receive() -> dict[str, Any]:
        if asked:
            await asyncio.Event().wait()  # who asks does not leave
        asked.append(1)
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    request = {"type": "http", "http_version": "1.1", "method": "GET", "scheme": "http", "headers": []}
    place = {"path": path, "raw_path": path.encode(), "query_string": query.encode(), "client": ("127.0.0.1", 1)}
    await ds.app()({**request, **place, "server": ("localhost", 80)}, receive, send)
    text = b"".join(message.get("body", b"") for message in sent).decode()
    return sent[0]["status"], text


# Longer than the limit: never looked at


@pytest.mark.parametrize(
    ("pairs", "named"),
    [
        ([("_where", "[" * MOST)], "_where"),
        ([("a", "x"), ("_where", "1=1" * MOST), ("b", "x")], "_where"),
        ([("_where", "x" * 40_000), ("_where", "y" * 40_000), ("sql", "z" * 60_000)], "_where"),
        ([("n" * MOST + "n", "")], "n" * 60 + "…"),
        ([("name", "ä" * (MOST + 1))], "name"),
    ],
)
def test_parameters_that_are_too_long_are_named(pairs: list[tuple[str, str]], named: str) -> None:
    with pytest.raises(RequestError, match="65,536 characters") as caught:
        pairs_of(urlencode(pairs))
    assert str(caught.value).startswith(f"{named} is too long") and len(str(caught.value)) < 300


def test_so_are_too_many() -> None:
    with pytest.raises(RequestError, match="at most 5,000 parameters"):
        pairs_of("&" * 5_000)
    assert len(pairs_of("&".join(["a=1"] * 5_000))) == 5_000
    full = [("sql", "'" * (MOST - 3))]
    assert pairs_of(urlencode(full)) == full  # at the limit, in the longest way to write it


DOORS = ["/house/albums.programjson", "/house/albums/-/program-export", "/house/albums/-/program-export.json"]
DOORS += ["/house/-/query.programcsv", "/house/albums/-/program-export/download", "/house/-/program-export/download"]


@pytest.mark.parametrize(
    "name", ["_where", "sql", "_search", "title__contains", "_export_find", "_through", "_export_nix"]
)
async def test_too_long_a_text_meets_no_scanner(house_file: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    def met(*_: Any) -> None:
        raise AssertionError("the text was looked at")

    monkeypatch.setattr(guard, "tokens", met)
    monkeypatch.setattr(queries, "tokens", met)
    ds = site(house_file)
    for door in DOORS:
        status, text = await answer(ds, door, urlencode({name: "[" * (MOST + 1)}))
        assert status == 400 and f"{name} is too long" in text and "65,536 characters" in text


async def test_nor_in_a_form(house_file: Path, tmp_path: Path) -> None:
    with keeping(tmp_path / "jobs", house_file) as ds:
        for path in ("/house/albums/-/program-export/job", "/house/albums/-/program-export/profile"):
            for size, told in ((MOST + 1, "_where is too long"), (MOST_ENCODED, "no longer than 196,608 bytes")):
                sent = await ask(ds, "post", path, data={"_where": "x" * size})
                assert sent.status_code == 400 and told in sent.text
            many = await ask(ds, "post", path, content="&a=" * 6_000, headers={"content-type": FORM})
            assert many.status_code == 400 and "at most 5,000 parameters" in many.text


FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize("length", ["\xb2", "9" * 5_000, "-1", "1_0", "1e3", " "])
async def test_a_form_tells_its_length_as_a_number(length: str) -> None:
    headers = {"content-length": length, "content-type": FORM}
    with pytest.raises(RequestError, match="must tell its length"):
        await form_of(SimpleNamespace(headers=headers))


# Within the limit: refused for what they are


@pytest.mark.parametrize("character", ["[", "'", '"', "`", "(", "/*", "$a('"])
async def test_a_condition_without_an_end_is_a_bad_request(house_file: Path, character: str) -> None:
    ds = site(house_file)
    for door in ("/house/albums.programjson", "/house/albums/-/program-export.json"):
        status, text = await answer(ds, door, urlencode({"_where": character * (10_001 // len(character) | 1)}))
        told = "is nested too deeply" if character == "(" else "is not one expression"
        assert status == 400 and f"The condition {told}" in text


HOSTILE = {
    "id__in=" + "[" * 60_000: "id__in: this begins like JSON, but is none.",
    "title__in=" + quote("[1," * 5_000): "title__in: this begins like JSON",
    "_through=" + "[" * 5_000: "_through",
    "_through=" + quote('{"a":' * 5_000): "_through",
    "_through=" + "9" * 60_000: "_through",
    "_export_find=" + "+".join(["x"] * 2_000): "_export_find holds at most 100 words",
    "_export_find=" + "x" * 60_000: "_export_find holds at most 100 words, of 1,000 characters",
    "_where=1&" * 21: "_where is given at most 20 times",
    "_where=1&" * 4_000: "at most 100 conditions",
    "title__not=1&" * 4_000: "at most 100 conditions",
    "&".join(f"_search_{i}=1" for i in range(4_000)): "at most 100 conditions",
    "_through=1&" * 4_000: "at most 100 conditions",
    "_where=" + "1%20AND%20" * 2_000 + "1": "Expression tree is too large",
    "_where=" + "(" * 9_000 + "1" + ")" * 9_000: "The condition is nested too deeply",
    "_where=" + "-%20" * 9_000 + "1": "The condition cannot be run",
    "title__contains=" + "x" * 60_000: "LIKE or GLOB pattern too complex",
    "_export_record=" + "," * 60_000: "",
    "_export_without=" + "." * 60_000: "",
    "_export_limit=" + "9" * 60_000: "whole number",
    "_sort=" + "x" * 60_000: "cannot be sorted",
}


@pytest.mark.parametrize("query", HOSTILE, ids=lambda query: query[:20])
async def test_hostile_parameters_are_bad_requests(house_file: Path, query: str) -> None:
    """Each by a sentence of its own; none is a fault of the server or of the database."""
    status, text = await answer(site(house_file), "/house/albums/-/program-export", query)
    assert 400 <= status < 500 and HOSTILE[query] in text.replace("&#34;", '"')
    assert "cannot be read" not in text


QUERIES = {
    "/**/" * 3_000 + "select 1 as n": 200,
    "/**/" + " " * 60_000 + "select 1 as n": 200,
    "--\n" + "\n" * 60_000 + "select 1 as n": 200,
    "-- x\n" * 9_000 + "select 1 as n": 200,
    "select 1 as [" + "/*" * 30_000 + "]": 200,
    "select 1 as n --" + "/*" * 30_000: 200,
    "/**/" + " " * 60_000 + "x": 400,
    "explain" + " " * 60_000 + "x": 400,
    "/*" * 30_000: 400,
    "select " + "[" * 60_000: 400,
    "select " + "'" * 60_001: 400,
    "select " + "(" * 60_000: 400,
}


@pytest.mark.parametrize("sql", QUERIES, ids=lambda sql: sql[:12])
async def test_hostile_queries_are_run_or_refused(house_file: Path, sql: str) -> None:
    """Datasette's own patterns, which look at a query, get it without comments and blanks."""
    status, text = await answer(site(house_file), "/house/-/query.programcsv", urlencode({"sql": sql}))
    assert status == QUERIES[sql], text[:300]


async def test_the_parameters_of_a_query_are_those_that_sqlite_sees(house_file: Path) -> None:
    sql = "select :a as a, ':b' as b, [name], \":d\" as d -- :e\n, /* :f */ :a || :g as h from artists limit 1"
    sql = sql.replace("[name]", "[name] as [:c]")
    found = await get(site(house_file), f"/house/-/query.programcsv?sql={quote(sql)}&a=1&b=2&g=3")
    assert found.text.splitlines()[1].startswith("1,:b,ada,:d,13"), found.text


# One pass


async def test_the_address_is_not_read_once_more_for_each_parameter(
    house_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Datasette reads it each time that ``args`` is asked for."""
    reads, args = [], Request.args
    monkeypatch.setattr(Request, "args", property(lambda self: reads.append(1) or args.fget(self)))  # type: ignore
    told = []
    for many in (2, 45):
        reads.clear()
        query = "&".join([f"_search_x{i}=" for i in range(many)] + [f"title__not={i}" for i in range(many)])
        assert (await answer(site(house_file), "/house/albums.programjson", query))[0] == 200
        told.append(len(reads))
    assert told[0] == told[1] < 10


def test_a_name_that_is_left_out_is_looked_for_in_as_many_ways_as_names_are_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database(tmp_path / "x.db", "CREATE TABLE t (id INTEGER PRIMARY KEY)").close()
    looked, find = [], scope.Scope.find
    monkeypatch.setattr(scope.Scope, "find", lambda self, name: looked.append(1) or find(self, name))
    told = []
    for many in (10, 10_000):
        looked.clear()
        with pytest.raises(RequestError, match="no table or column"):
            document(tmp_path / "x.db", "t", without=["." * many])
        told.append(len(looked))
    assert told[0] == told[1]


def test_a_range_with_blanks_without_end_is_none() -> None:
    assert part_of(100, "bytes=" + " " * 60_000 + "x", None, '"t"') is None
    assert part_of(100, " bytes = 10 - 19 ", None, '"t"') == (10, 20)


def test_an_odd_name_of_a_virtual_table_is_no_riddle() -> None:
    name = '"' + '""' * 60 + '"'
    for using, found in (('USING"fts5"', "fts5"), ("using/**/[fts5]", "fts5"), ("", None), (" using", None)):
        assert module_of(f"CREATE VIRTUAL TABLE {name} {using}(x, content='')") == (found if using.strip() else None)
    assert module_of("CREATE VIRTUAL TABLE x USING 'fts5") is None


@pytest.mark.parametrize(
    ("arguments", "indexed", "without_texts"),
    [
        ("(x, content='memos', tokenize = \"unicode61 tokenchars '(,)'\")", ["memos"], False),
        ('(x, content = "my, memos" , y)', ["my, memos"], False),
        ("(x, /* content=other, */ cont=memos)", ["memos"], False),
        ("(x, content='')", [], True),
        ("(x, content=[a)b])", ["a)b"], False),
        ("(x, content=my-memos)", ["my-memos"], False),
        ("(x, f(content=no, 1), content=yes)", ["yes"], False),
        ("", [], False),
        ("(x, 'content=no", ["?"], False),
    ],
)
def test_what_a_virtual_table_says_of_others(arguments: str, indexed: list[str], without_texts: bool) -> None:
    sql = f"CREATE VIRTUAL TABLE v USING fts5{arguments}"
    table = Table("v", "virtual", sql=sql, module=module_of(sql))
    assert indexed_by(table) == indexed and contentless(table) is without_texts


def test_lines_of_a_spreadsheet_are_of_one_kind_each() -> None:
    """A key of letters alone was a word, too: what did not match was tried in all ways."""
    letters = [("aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa",)] * 60
    assert SpreadsheetLines(",", 1)([*letters, ("=1",)]).count(b"aaaaaaaa-") == 60
    for text in (
        "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa",
        "1aaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa",
        "word",
        "=1",
        "true",
        "",
    ):
        assert SpreadsheetLines(",", 1)([(text,)] * 2) == SpreadsheetLines(",", 1)([(text,)]) * 2


def test_a_mark_that_stands_in_no_text_is_found_in_one_pass() -> None:
    def tried(text: str) -> str:
        mark, number = "\\r", 0
        while mark in text:
            number += 1
            mark = f"\\r{number}"
        return mark

    pieces = random.Random(7)
    for _ in range(500):
        text = "".join(pieces.choices(["\\r", "\\", "r", *string.digits, "\r"], k=60))
        assert _mark(text) == tried(text)
    assert _mark("".join(f"\\r{i}" for i in range(30_000))) == "\\r30000"
    assert Literals("UTF-8").text("a\r\\r") == "replace('a\\r1\\r','\\r1',char(13))"
